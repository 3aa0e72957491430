"""Changes below the root are whole or not there at all."""

from __future__ import annotations

import os
import resource
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.dying import dies_at
from tiffin.store import files


def test_what_is_written_once_is_never_written_again(tmp_path: Path) -> None:
    path = str(tmp_path / "record")
    files.write_once(path, b"first")
    with pytest.raises(FileExistsError):
        files.write_once(path, b"second")
    assert files.read(path) == b"first"
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_a_reader_sees_the_old_record_or_the_new_one(tmp_path: Path) -> None:
    """Hundreds of replacements by two threads, and a reader who must never find anything else."""
    path = str(tmp_path / "record")
    texts = [bytes([letter]) * 5000 for letter in b"ab"]
    files.replace(path, texts[0], durable=False)

    def write(text: bytes) -> None:
        for _ in range(150):
            files.replace(path, text, durable=False)

    writers = [threading.Thread(target=write, args=(text,)) for text in texts]
    for writer in writers:
        writer.start()
    seen = set[bytes]()
    while any(writer.is_alive() for writer in writers):
        seen.add(files.read(path))
    assert seen <= set(texts)
    assert os.listdir(tmp_path) == ["record"]


def test_a_replacement_that_fails_leaves_the_old_record_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "record"
    path.mkdir()  # a rename onto it fails
    with pytest.raises(OSError, match="directory"):
        files.replace(str(path), b"new")
    assert os.listdir(tmp_path) == ["record"]


def test_who_dies_while_replacing_leaves_the_old_record_or_the_new_one(tmp_path: Path) -> None:
    path = str(tmp_path / "record")
    files.replace(path, b"old")
    seen, number = list[bytes](), 0
    while dies_at(number, lambda: files.replace(path, b"new")):
        seen.append(files.read(path))
        number += 1
    assert seen == sorted(seen, reverse=True)  # once it is new it stays so
    assert set(seen) <= {b"old", b"new"}
    assert seen[0] == b"old"
    assert files.read(path) == b"new"


def test_a_draft_takes_a_free_place_only(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "json").write_text(name)
    place = tmp_path / "place"
    files.move_in(str(tmp_path / "one"), str(place))
    with pytest.raises(FileExistsError):
        files.move_in(str(tmp_path / "two"), str(place))
    assert (place / "json").read_text() == "one"
    assert (tmp_path / "two").is_dir()


def test_a_missing_draft_is_no_taken_place(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        files.move_in(str(tmp_path / "nothing"), str(tmp_path / "place"))


def test_moving_out_empties_the_place_at_once(tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    files.move_out(str(tmp_path / "place"), str(tmp_path / "trash"))
    assert os.listdir(tmp_path) == ["trash"]
    with pytest.raises(FileNotFoundError):
        files.move_out(str(tmp_path / "place"), str(tmp_path / "trash2"))


@contextmanager
def _no_larger_than(size: int) -> Iterator[None]:
    """A limit on the size of files: the simplest disk that is full. It holds for pytest's own output, too."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_disk_without_room_leaves_the_old_record_and_nothing_else(tmp_path: Path) -> None:
    path = str(tmp_path / "record")
    files.replace(path, b"old")
    with pytest.raises(OSError, match="File too large") as caught, _no_larger_than(4096):
        files.replace(path, bytes(5000))
    assert os.path.dirname(caught.value.filename) == str(tmp_path)
    assert files.read(path) == b"old"
    assert os.listdir(tmp_path) == ["record"]
