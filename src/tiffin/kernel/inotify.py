"""Waiting until a file or folder changes (inotify(7))."""

from __future__ import annotations

import os
import select

from tiffin.kernel.libc import check, libc

IN_MODIFY, IN_MOVED_TO, IN_CREATE, IN_CLOEXEC = 0x2, 0x80, 0x100, 0o2000000


class Watch:
    """Tells of changes to what is in a folder. Close it."""

    def __init__(self, folder: str) -> None:
        self.descriptor = check(libc.inotify_init1(IN_CLOEXEC), "inotify_init1")
        mask = IN_MODIFY | IN_MOVED_TO | IN_CREATE
        check(libc.inotify_add_watch(self.descriptor, os.fsencode(folder), mask), folder)

    def wait(self, seconds: float | None) -> bool:
        """Until something changed: true; or until the time is over: false."""
        ready, _, _ = select.select([self.descriptor], [], [], seconds)
        if ready:
            os.read(self.descriptor, 65536)
        return bool(ready)

    def close(self) -> None:
        os.close(self.descriptor)
