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


def sweep(store: Store) -> None:
    """Delete drafts whose owner died, the trash, and names of containers that are gone."""
    for place in ("tmp", "trash"):
        for name in os.listdir(store.path(place)):
            delete_if_free(store.path(place, name))
    free_names(store)


def delete_if_free(path: str) -> bool:
    """Delete, unless somebody holds the lock of the folder or of the read-write layer in it. Whether it is gone."""
    try:
        with_locks = [try_lock(path)]
        if with_locks[0] is not None and os.path.isdir(f"{path}/diff"):
            # an overlay may still be mounted on it: a renamed upper folder goes on working, a deleted one does not
            with_locks.append(try_lock(f"{path}/diff"))
    except FileNotFoundError:
        if not os.path.islink(path):  # gone; what has the name by now is somebody's new draft
            return True
        with_locks = []
    except OSError:  # no file that can be opened
        with_locks = []
    try:
        if None in with_locks:
            return False
        delete(path)
        return True
    except PermissionError:  # a privileged container can make a file that even we cannot delete (chattr +i)
        return False
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


def delete(path: str) -> None:
    """Delete a file, or a folder with all that is in it, however deep; links are not followed."""
    try:
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            os.unlink(path)
            return
        top = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        while not _empty(top, top, 0):
            pass
    finally:
        os.close(top)
    try:
        os.rmdir(path)
    except FileNotFoundError:
        pass


def _empty(folder: int, top: int, depth: int) -> bool:
    """Delete what is in a folder. False if a part was too deep and now lies in `top`, to be deleted next time."""
    whole = True
    for entry in list(os.scandir(folder)):
        try:
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.name, dir_fd=folder)
            elif depth >= DEEPEST:
                os.rename(entry.name, os.urandom(8).hex(), src_dir_fd=folder, dst_dir_fd=top)
                whole = False
            else:
                whole &= _delete_folder(folder, entry.name, top, depth)
        except FileNotFoundError:  # another sweeper
            continue
    return whole


def _delete_folder(parent: int, name: str, top: int, depth: int) -> bool:
    try:
        os.rmdir(name, dir_fd=parent)  # most are empty, or soon: one call instead of four
        return True
    except OSError:
        pass
    folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        whole = _empty(folder, top, depth + 1)
    finally:
        os.close(folder)
    if whole:
        os.rmdir(name, dir_fd=parent)
    return whole
