"""One direction of a conversation: what comes out of one descriptor goes into another, and nothing ever waits.

Between a pipe and most other things the kernel moves the pages itself (splice(2)); elsewhere they are read and
written. The caller polls for what a flow says that it needs next.
"""

from __future__ import annotations

import errno
import os
import select

from tiffin.cli.terminal import KeyWatch

CHUNK = 1 << 20
READ = 1 << 18


class Flow:
    """`watch` looks for the detach keys in what passes; with one, everything is read and written."""

    def __init__(self, source: int, target: int, *, watch: KeyWatch | None = None) -> None:
        self.source, self.target, self.watch = source, target, watch
        self.spliced = watch is None and not os.isatty(source) and not os.isatty(target)
        self.pending = b""
        self.full = False
        """the target takes nothing at the moment"""

    @property
    def needs(self) -> tuple[int, int]:
        """The descriptor to poll, and for what."""
        return (self.target, select.POLLOUT) if self.full else (self.source, select.POLLIN)

    def move(self) -> bool:
        """Move what can be moved now; False when the source has ended.

        Raises BrokenPipeError when nobody reads the target any more.
        """
        return self._splice() if self.spliced else self._copy()

    def _splice(self) -> bool:
        try:
            moved = os.splice(self.source, self.target, CHUNK, flags=os.SPLICE_F_NONBLOCK)
        except BlockingIOError:
            # the one that was polled for was ready: so it is the other one that is not
            self.full = not self.full
            return True
        except BrokenPipeError:
            raise
        except OSError:  # not between these two: no pipe among them, a file opened for appending, …
            self.spliced = False
            return self._copy()
        self.full = False
        return moved > 0

    def _copy(self) -> bool:
        if not self.pending:
            read = self._read()
            if read is None:
                return True
            self.pending = self._watched(read)
            if not (read or self.pending):
                return False
        try:
            while self.pending:
                self.pending = self.pending[os.write(self.target, self.pending) :]
        except BlockingIOError:
            self.full = True
            return True
        self.full = False
        return True

    def _watched(self, read: bytes) -> bytes:
        if self.watch is None:
            return read
        return self.watch.pass_on(read) if read else self.watch.rest()

    def _read(self) -> bytes | None:
        """Nothing when it has ended, None when there is nothing yet."""
        try:
            return os.read(self.source, READ)
        except BlockingIOError:
            return None
        except OSError as error:
            if error.errno != errno.EIO:  # a terminal that was hung up
                raise
            return b""
