"""Deleting files and whole trees, of whatever shape a container gave them, and how much room that makes."""

from __future__ import annotations

import os
import stat

DEEPEST = 64  # folders open at once


def delete(path: str) -> int:
    """Delete a file, or a folder with all that is in it, however deep; links are not followed.

    The bytes of the disk that are free again.
    """
    try:
        status = os.lstat(path)
        if not stat.S_ISDIR(status.st_mode):
            os.unlink(path)
            return _freed_by(status)
        top = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0
    deletion = _Deletion(top)
    try:
        while not deletion.empty(top, 0):
            pass
    finally:
        os.close(top)
    try:
        os.rmdir(path)
    except FileNotFoundError:
        return deletion.freed
    return deletion.freed + _size_on_disk(status)


def is_empty(folder: str) -> bool:
    """Whether there is nothing in it, or no such folder."""
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except FileNotFoundError:
        return True


def _size_on_disk(status: os.stat_result) -> int:
    """In bytes, of one file or folder."""
    return status.st_blocks * 512  # whatever the blocks of that file system are (stat(2))


def _freed_by(status: os.stat_result) -> int:
    """How many bytes it frees to take this name of a file away."""
    return _size_on_disk(status) if status.st_nlink == 1 else 0


class _Deletion:
    """What is in a folder goes; of a tree, parts that are too deep are moved up to there first."""

    def __init__(self, top: int) -> None:
        self.top = top
        self.freed = 0

    def empty(self, folder: int, depth: int) -> bool:
        """False if a part was too deep and now lies in `top`, to be deleted next time."""
        whole = True
        for entry in list(os.scandir(folder)):
            try:
                if not entry.is_dir(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    os.unlink(entry.name, dir_fd=folder)
                    self.freed += _freed_by(status)
                elif depth >= DEEPEST:
                    os.rename(entry.name, os.urandom(8).hex(), src_dir_fd=folder, dst_dir_fd=self.top)
                    whole = False
                else:
                    status = entry.stat(follow_symlinks=False)
                    if self._delete_folder(folder, entry.name, depth):
                        self.freed += _size_on_disk(status)
                    else:
                        whole = False
            except FileNotFoundError:  # another sweeper
                continue
        return whole

    def _delete_folder(self, parent: int, name: str, depth: int) -> bool:
        try:
            os.rmdir(name, dir_fd=parent)  # most are empty, or soon: one call instead of four
            return True
        except OSError:
            pass
        folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        try:
            whole = self.empty(folder, depth + 1)
        finally:
            os.close(folder)
        if whole:
            os.rmdir(name, dir_fd=parent)
        return whole
