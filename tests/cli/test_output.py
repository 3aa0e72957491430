"""Where save and export write."""

from __future__ import annotations

import os

import pytest

from tiffin.cli.output import output


def test_a_file_appears_when_all_is_written(tmp_path):
    path = tmp_path / "x.tar"
    with output(str(path)) as file:
        file.write(b"all")
        assert not path.exists()
    assert path.read_bytes() == b"all"
    assert os.listdir(tmp_path) == ["x.tar"]


def test_a_file_is_for_its_owner_alone(tmp_path):
    with output(str(tmp_path / "x.tar")) as file:
        file.write(b"x")
    assert (tmp_path / "x.tar").stat().st_mode & 0o777 == 0o600


def test_a_full_disk_is_told_with_the_file_that_was_to_be_written():
    with pytest.raises(OSError, match="No space left") as caught, output("/dev/full") as file:
        file.write(b"x")
    assert caught.value.filename == "/dev/full"


def test_a_folder_is_not_written(tmp_path):
    with pytest.raises(IsADirectoryError), output(str(tmp_path)):
        pass
    assert os.listdir(tmp_path) == []


def test_a_failure_leaves_what_was_there(tmp_path):
    path = tmp_path / "x.tar"
    path.write_bytes(b"before")
    with pytest.raises(TypeError), output(str(path)) as file:
        file.write(b"half" + None)  # type: ignore[operator]
    assert path.read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["x.tar"]


def test_who_is_told_to_end_as_soon_as_the_file_is_there_leaves_none(tmp_path, monkeypatch):
    really = os.open

    def told_to_end(path: str, flags: int, mode: int) -> int:
        os.close(really(path, flags, mode))
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "open", told_to_end)
    with pytest.raises(KeyboardInterrupt), output(str(tmp_path / "x.tar")):
        pass
    monkeypatch.undo()
    assert os.listdir(tmp_path) == []


def test_a_device_is_written_and_not_replaced():
    with output("/dev/null") as file:
        file.write(b"x")
    assert not os.path.isfile("/dev/null")


def test_a_folder_that_is_missing_is_told_by_the_name_that_was_given(tmp_path):
    path = tmp_path / "nosuch" / "x.tar"
    with pytest.raises(FileNotFoundError) as caught, output(str(path)):
        pass
    assert caught.value.filename == str(path)


def test_a_link_leads_to_the_file_that_is_written(tmp_path):
    (tmp_path / "link").symlink_to("real")
    with output(str(tmp_path / "link")) as file:
        file.write(b"x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"x"
