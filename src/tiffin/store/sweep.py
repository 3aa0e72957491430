"""Deleting, and finding what dead processes left behind.

Nothing here is urgent: what is to go has left its place already. So a busy thing is left for the next sweep.
"""

from __future__ import annotations

import os
import stat

from tiffin.store.locks import lock, try_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from tiffin.store.store import Store

DEEPEST = 64  # folders open at once


def sweep(store: Store) -> int:
    """Delete drafts whose owner died, the trash, and names of containers that are gone.

    The bytes of the disk that are free again.
    """
    places = ("tmp", "trash")
    freed = sum(delete_if_free(store.path(place, name)) for place in places for name in os.listdir(store.path(place)))
    free_names(store)
    return freed


def delete_if_free(path: str) -> int:
    """Delete, unless somebody holds the lock of the folder or of the read-write layer in it.

    The bytes that are free again.
    """
    try:
        with_locks = [try_lock(path)]
        if with_locks[0] is not None and os.path.isdir(f"{path}/diff"):
            # an overlay may still be mounted on it: a renamed upper folder goes on working, a deleted one does not
            with_locks.append(try_lock(f"{path}/diff"))
    except FileNotFoundError:
        if not os.path.islink(path):  # gone; what has the name by now is somebody's new draft
            return 0
        with_locks = []
    except OSError:  # no file that can be opened
        with_locks = []
    try:
        if None in with_locks:
            return 0
        return delete(path)
    except PermissionError:  # a privileged container can make a file that even we cannot delete (chattr +i)
        return 0
    finally:
        for held in with_locks:
            if held is not None:
                held.release()


def is_empty(folder: str) -> bool:
    """Whether there is nothing in it, or no such folder."""
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except FileNotFoundError:
        return True


def free_names(store: Store, names: Iterable[str] | None = None) -> None:
    """Take away those names of containers that lead nowhere; of all names, or of these.

    A name that is being given leads nowhere until its container is in place: that is waited for, for these names, and
    left to the next sweep, for all.
    """
    folder = store.path("containers", "names")
    held = try_lock(folder) if names is None else lock(folder)
    if held is None:
        return
    with held:
        for name in os.listdir(folder) if names is None else names:
            if os.path.lexists(f"{folder}/{name}") and not os.path.exists(f"{folder}/{name}"):
                os.unlink(f"{folder}/{name}")


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
    return deletion.freed + size_on_disk(status)


def size_on_disk(status: os.stat_result) -> int:
    """In bytes, of one file or folder."""
    return status.st_blocks * 512  # whatever the blocks of that file system are (stat(2))


def _freed_by(status: os.stat_result) -> int:
    """How many bytes it frees to take this name of a file away."""
    return size_on_disk(status) if status.st_nlink == 1 else 0


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
                        self.freed += size_on_disk(status)
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
