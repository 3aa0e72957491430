"""Room on the disk: an archive that would fill it up is refused before it does."""

from __future__ import annotations

import os

from tiffin.errors import StoreFull

CHECK_EVERY = 64 << 20  # bytes written between two looks at the disk: others write too
LEAST = 64 << 20


class Room:
    """What may still be written to the file system of `folder`, leaving a reserve of 64 MB or a twentieth free."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._until_check = 0
        self._room = 0
        self._look()

    def expect(self, size: int) -> None:
        """Something of that size is about to come. Raises StoreFull where there is no room for it."""
        if size > self._room:
            self._look()
            if size > self._room:
                raise self._full(size)

    def spend(self, size: int) -> None:
        """Something of that size has been written, or is just about to be. Raises StoreFull."""
        self._room -= size
        self._until_check -= size
        if self._until_check < 0:
            self._look()

    def _look(self) -> None:
        status = os.statvfs(self._folder)
        reserve = min(LEAST, status.f_blocks * status.f_frsize // 20)
        self._room = status.f_bavail * status.f_frsize - reserve
        self._until_check = min(CHECK_EVERY, max(self._room // 2, 0))
        if self._room < 0 or (status.f_files and status.f_favail < 16):  # some file systems don't count inodes
            raise self._full(0)

    def _full(self, size: int) -> StoreFull:
        wanted = f"{size / 1e6:,.0f} MB do not fit" if size else "no room"
        return StoreFull(
            f"{wanted} on the disk of {self._folder} ({max(self._room, 0) / 1e6:,.0f} MB are free for layers); "
            "remove images or containers, or name another --root"
        )
