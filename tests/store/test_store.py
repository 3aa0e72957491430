"""The root folder, drafts, and the lock between those who add and those who delete."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tiffin.errors import StoreTooNew, TiffinError
from tiffin.store import Store
from tiffin.store.locks import is_held


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "root"), str(tmp_path / "run")).open()


def test_a_fresh_root_is_made_and_closed_to_others(store: Store) -> None:
    assert os.stat(store.root).st_mode & 0o777 == 0o700
    assert os.stat(store.runroot).st_mode & 0o777 == 0o700
    assert Path(store.path("format")).read_text() == "1\n"
    Store(store.root, store.runroot).open()


def test_the_runroot_may_lie_in_the_root(tmp_path: Path) -> None:
    for _ in range(2):
        store = Store(str(tmp_path / "root"), str(tmp_path / "root" / "run")).open()
        assert os.path.isdir(store.runroot)


def test_a_runroot_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    for place in ("/proc/nowhere", "/etc/passwd/run"):
        with pytest.raises(TiffinError, match=f"cannot open {place}: .*; name another --root or --runroot"):
            Store(str(tmp_path / "root"), place).open()


def test_many_may_make_the_same_root_at_once(tmp_path: Path) -> None:
    errors = list[BaseException]()

    def make() -> None:
        try:
            Store(str(tmp_path / "root"), str(tmp_path / "run")).open()
        except BaseException as error:  # noqa: BLE001  # told to the test
            errors.append(error)

    threads = [threading.Thread(target=make) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


@pytest.mark.parametrize("version", [b"2\n", b"x", b"", b"\xff\n", b"-1"])
def test_a_root_of_another_version_is_refused(store: Store, version: bytes) -> None:
    Path(store.path("format")).write_bytes(version)
    with pytest.raises(StoreTooNew, match="update tiffin"):
        Store(store.root, store.runroot).open()


def test_a_folder_with_other_things_in_it_is_no_root(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letters").write_text("dear")
    with pytest.raises(TiffinError, match="letters"):
        Store(str(tmp_path / "home"), str(tmp_path / "run")).open()
    assert os.listdir(tmp_path / "home") == ["letters"]


def test_an_empty_file_system_is_one(tmp_path: Path) -> None:
    os.makedirs(tmp_path / "disk" / "lost+found")
    Store(str(tmp_path / "disk"), str(tmp_path / "run")).open()


def test_a_root_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TiffinError, match="name another --root"):
        Store(str(tmp_path / "file" / "root"), str(tmp_path / "run")).open()
    with pytest.raises(TiffinError, match="name another --root"):
        Store(str(tmp_path / "root"), str(tmp_path / "file" / "run")).open()


def test_a_draft_that_is_kept_takes_its_place(store: Store) -> None:
    with store.draft() as draft:
        Path(draft.path, "json").write_text("{}")
        assert is_held(draft.path)
        draft.keep(store.path("layers", "abc"))
    assert Path(store.path("layers", "abc", "json")).read_text() == "{}"
    assert os.listdir(store.path("tmp")) == []


def test_a_draft_that_is_not_kept_vanishes(store: Store) -> None:
    with store.draft() as draft:
        Path(draft.path, "json").write_text("{}")
    assert os.listdir(store.path("tmp")) == []


def test_a_draft_whose_place_is_taken_vanishes(store: Store) -> None:
    os.mkdir(store.path("layers", "abc"))
    with pytest.raises(FileExistsError), store.draft() as draft:
        draft.keep(store.path("layers", "abc"))
    assert os.listdir(store.path("tmp")) == []


def test_who_adds_keeps_those_who_delete_waiting_and_nobody_waits_for_these(store: Store) -> None:
    with store.shared(), store.shared():
        assert store.exclusive() is None
    held = store.exclusive()
    assert held is not None
    assert store.exclusive() is None
    held.release()


def test_trash_is_out_of_sight_at_once(store: Store) -> None:
    os.mkdir(store.path("layers", "abc"))
    taken = store.trash(store.path("layers", "abc"))
    assert os.listdir(store.path("layers")) == []
    assert os.path.dirname(taken) == store.path("trash")
    with pytest.raises(FileNotFoundError):
        store.trash(store.path("layers", "abc"))
