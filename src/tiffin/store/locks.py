"""Locks that die with their process: flock on a close-on-exec descriptor, never an expiry date.

A lock file or folder may be renamed or removed while one waits for it; so after locking, the inode must still be the
one that the path names.
"""

from __future__ import annotations

import os
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType


class Lock:
    """A held lock. Released by `release`, by leaving a `with`, or by the end of the process."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def release(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


def lock(path: str, *, shared: bool = False, create: bool = False) -> Lock:
    """Lock a file or a folder, waiting for it.

    `create` makes an empty file where there is none; else a missing path raises FileNotFoundError.
    """
    while True:
        descriptor = _lock(path, LOCK_SH if shared else LOCK_EX, create)
        if _still_at(descriptor, path):
            return Lock(descriptor)
        os.close(descriptor)


def try_lock(path: str, *, shared: bool = False, create: bool = False) -> Lock | None:
    """Lock a file or a folder, or None if somebody else holds it. Raises FileNotFoundError as `lock` does."""
    while True:
        try:
            descriptor = _lock(path, (LOCK_SH if shared else LOCK_EX) | LOCK_NB, create)
        except BlockingIOError:
            return None
        if _still_at(descriptor, path):
            return Lock(descriptor)
        os.close(descriptor)


def is_held(path: str) -> bool:
    """Whether somebody holds the lock exclusively. A missing path is held by nobody."""
    try:
        probe = try_lock(path, shared=True)
    except FileNotFoundError:
        return False
    if probe is None:
        return True
    probe.release()
    return False


def _lock(path: str, mode: int, create: bool) -> int:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | (os.O_CREAT if create else 0), 0o600)
    try:
        flock(descriptor, mode)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _still_at(descriptor: int, path: str) -> bool:
    try:
        there = os.stat(path)
    except FileNotFoundError:
        return False
    here = os.fstat(descriptor)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)
