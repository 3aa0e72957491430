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

    def wait(self, seconds: float | None, *, also: int = -1) -> bool:
        """Until something changed: true; or until the time is over, or the descriptor `also` is readable: false."""
        poll = select.poll()
        for descriptor in (self.descriptor, also):
            if descriptor >= 0:
                poll.register(descriptor, select.POLLIN)
        ready = dict(poll.poll(None if seconds is None else seconds * 1000))
        if self.descriptor in ready:
            os.read(self.descriptor, 65536)
        return self.descriptor in ready

    def close(self) -> None:
        os.close(self.descriptor)
