"""Finding what dead processes left behind, and what is not needed any more.

Nothing here is urgent: what is to go has left its place already. So a busy thing is left for the next sweep.
"""

from __future__ import annotations

import os

from tiffin.store.deletion import delete
from tiffin.store.locks import lock, try_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from tiffin.store.store import Store


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
