"""Locks that die with their process."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from tiffin.store.locks import is_held, lock, try_lock

Result = TypeVar("Result")


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "lock")


def test_a_lock_is_held_by_one(path: str) -> None:
    with lock(path, create=True):
        assert try_lock(path) is None
        assert try_lock(path, shared=True) is None
        assert is_held(path)
    assert not is_held(path)
    held = try_lock(path)
    assert held is not None
    held.release()
    held.release()


def test_a_shared_lock_is_held_by_many_and_keeps_one_alone_out(path: str) -> None:
    with lock(path, shared=True, create=True), lock(path, shared=True):
        assert try_lock(path) is None
        assert not is_held(path)  # that asks for one alone


def test_a_folder_can_be_locked(tmp_path: Path) -> None:
    with lock(str(tmp_path)):
        assert is_held(str(tmp_path))


def test_nothing_is_made_unless_asked_for(path: str) -> None:
    with pytest.raises(FileNotFoundError):
        lock(path)
    with pytest.raises(FileNotFoundError):
        try_lock(path)
    assert not is_held(path)
    assert not os.path.exists(path)


def test_no_descriptor_stays_open(path: str) -> None:
    before = os.listdir("/proc/self/fd")
    with lock(path, create=True):
        assert try_lock(path) is None
        assert is_held(path)
    with pytest.raises(FileNotFoundError):
        lock(path + "x")
    assert os.listdir("/proc/self/fd") == before


def test_the_descriptor_does_not_go_to_programs_that_are_started(path: str) -> None:
    with lock(path, create=True) as held:
        assert not os.get_inheritable(held.descriptor)


def test_a_lock_dies_with_its_owner(path: str) -> None:
    reading, writing = os.pipe()
    owner = os.fork()
    if owner == 0:
        lock(path, create=True)
        os.write(writing, b".")
        signal.pause()
    os.read(reading, 1)
    assert is_held(path)
    os.kill(owner, signal.SIGKILL)
    lock(path).release()  # comes back as soon as the owner is gone
    os.waitpid(owner, 0)
    os.close(reading)
    os.close(writing)


def test_a_lock_that_was_replaced_while_one_waited_is_not_the_lock(path: str) -> None:
    """The holder removes the file, and another makes it anew: who waited on the old one must take the new one."""
    first = lock(path, create=True)
    waiting, got = _in_thread(lambda: os.fstat(lock(path, create=True).descriptor).st_ino)
    _until_blocked(waiting)
    os.unlink(path)
    with open(path, "x") as file:
        new = os.fstat(file.fileno()).st_ino
    first.release()
    waiting.join()
    assert got == [new]


def test_a_lock_that_was_removed_while_one_waited_is_missing(path: str) -> None:
    first = lock(path, create=True)
    waiting, got = _in_thread(lambda: _outcome(path))
    _until_blocked(waiting)
    os.unlink(path)
    first.release()
    waiting.join()
    assert got == ["missing"]


def test_a_locked_folder_may_move_while_one_waits(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    first = lock(str(tmp_path / "here"))
    waiting, got = _in_thread(lambda: _outcome(str(tmp_path / "here")))
    _until_blocked(waiting)
    os.rename(tmp_path / "here", tmp_path / "there")
    first.release()
    waiting.join()
    assert got == ["missing"]


def _outcome(path: str) -> str:
    try:
        lock(path).release()
    except FileNotFoundError:
        return "missing"
    return "held"


def _in_thread(act: Callable[[], Result]) -> tuple[threading.Thread, list[Result]]:
    got = list[Result]()
    thread = threading.Thread(target=lambda: got.append(act()))
    thread.start()
    return thread, got


def _until_blocked(thread: threading.Thread) -> None:
    """Until the thread waits in flock(2)."""
    while True:
        with open(f"/proc/self/task/{thread.native_id}/stat", encoding="utf-8") as file:
            if file.read().rpartition(") ")[2][0] == "S" and _waits_for_a_lock():
                return


def _waits_for_a_lock() -> bool:
    """proc_locks(5) marks who waits with an arrow."""
    with open("/proc/locks", encoding="utf-8") as file:
        return any("->" in line and f" {os.getpid()} " in line for line in file)
