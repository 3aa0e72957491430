"""Moving bytes between a program and those who watch it.

    program --pipe--> Output --+--> log
                               +--> Watcher (a pipe that a client gave)
                               +--> Watcher
    program <--pipe-- Input  <----- client

A program is never read faster than the slowest watcher takes, and a watcher that takes nothing for ten seconds is let
go: then log and program go on.
"""

from __future__ import annotations

import os
from fcntl import fcntl

from tiffin.runtime.log import LogFile
from tiffin.runtime.loop import READ, WRITE, Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK = 256 * 1024
LARGEST_PIPE = 1 << 20
PATIENCE = 10.0  # seconds
F_SETPIPE_SZ = 1031


class Watcher:
    """The writable end of a client's pipe."""

    def __init__(self, loop: Loop, descriptor: int, gone: Callable[[str], None]) -> None:
        self.loop = loop
        self.descriptor = descriptor
        self.gone = gone
        self.output: Output | None = None
        self._pending = memoryview(b"")
        os.set_blocking(descriptor, False)

    @property
    def is_full(self) -> bool:
        return bool(self._pending)

    def write(self, chunk: bytes) -> None:
        self._pending = memoryview(chunk)
        self._flush(WRITE)
        if self._pending and self.descriptor >= 0:
            self.loop.watch(self.descriptor, WRITE, self._flush)
            self.loop.after(PATIENCE, self, lambda: self._leave("took no output for ten seconds"))

    def close(self) -> None:
        """What is pending is lost."""
        if self.descriptor >= 0:
            self.loop.cancel(self)
            self.loop.forget(self.descriptor)
            os.close(self.descriptor)
            self.descriptor = -1
            self._pending = memoryview(b"")

    def _flush(self, events: int) -> None:
        before = len(self._pending)
        try:
            while self._pending:
                self._pending = self._pending[os.write(self.descriptor, self._pending) :]
        except BlockingIOError:
            if len(self._pending) < before and self.loop.watches(self.descriptor):
                self.loop.after(PATIENCE, self, lambda: self._leave("took no output for ten seconds"))
            return
        except OSError:  # the client ended
            self._leave("")
            return
        if self.loop.watches(self.descriptor):
            self.loop.cancel(self)
            self.loop.forget(self.descriptor)
            if self.output:
                self.output.go_on()

    def _leave(self, reason: str) -> None:
        self.close()
        if self.output:
            self.output.remove(self)
        self.gone(reason)


class Output:
    """The readable end of what a program writes: a pipe, or the master side of its terminal."""

    def __init__(
        self, loop: Loop, descriptor: int, stream: str, log: LogFile | None, ended: Callable[[], None]
    ) -> None:
        self.loop = loop
        self.descriptor = descriptor
        self.stream = stream
        self.log = log
        self.ended = ended
        self.watchers: list[Watcher] = []
        os.set_blocking(descriptor, False)
        loop.watch(descriptor, READ, self._on_readable)

    @property
    def is_open(self) -> bool:
        return self.descriptor >= 0

    @property
    def is_waiting(self) -> bool:
        """For a watcher that takes its time."""
        return self.is_open and any(watcher.is_full for watcher in self.watchers)

    def add(self, watcher: Watcher) -> None:
        if not self.is_open:
            watcher.close()
            return
        watcher.output = self
        self.watchers.append(watcher)
        try:
            fcntl(self.descriptor, F_SETPIPE_SZ, LARGEST_PIPE)  # somebody wants it fast
        except OSError:  # a terminal, or more than this user may have
            pass

    def remove(self, watcher: Watcher) -> None:
        if watcher in self.watchers:
            self.watchers.remove(watcher)
            self.go_on()

    def go_on(self) -> None:
        if self.is_open and not self.is_waiting and not self.loop.watches(self.descriptor):
            self.loop.watch(self.descriptor, READ, self._on_readable)

    def drain(self) -> None:
        """Read what is there, as far as the watchers take it; of one who goes on writing, no more than a pipe holds."""
        for _ in range(2 * LARGEST_PIPE // CHUNK):
            if not (self.is_open and self.loop.watches(self.descriptor) and self._read()):
                return

    def finish(self) -> None:
        """Read no more, and let the watchers see the end."""
        if self.is_open:
            self.loop.forget(self.descriptor)
            os.close(self.descriptor)
            self.descriptor = -1
            if self.log:
                self.log.end(self.stream)
            self._close_watchers()

    def _on_readable(self, events: int) -> None:
        self._read()

    def _read(self) -> bool:
        """Pass one piece on. False if there was none."""
        try:
            chunk = os.read(self.descriptor, CHUNK)
        except BlockingIOError:
            return False
        except OSError:  # EIO: the last one closed its side of the terminal
            chunk = b""
        if not chunk:
            self.finish()
            self.ended()
            return False
        if self.log:
            self.log.write(self.stream, chunk)
        for watcher in tuple(self.watchers):
            watcher.write(chunk)
        if self.is_waiting:
            self.loop.forget(self.descriptor)  # not just "no events": epoll reports a hang-up all the same
        return True

    def _close_watchers(self) -> None:
        for watcher in tuple(self.watchers):
            watcher.close()
        self.watchers.clear()


class Input:
    """The writable end of what a program reads, fed by one client's pipe at a time."""

    def __init__(self, loop: Loop, descriptor: int, *, is_terminal: bool) -> None:
        self.loop = loop
        self.descriptor = descriptor
        self.is_terminal = is_terminal
        self._source = -1
        self._ends_with_source = False
        self._turn = 0
        self._pending = memoryview(b"")
        os.set_blocking(descriptor, False)

    def feed(self, source: int, *, ends: bool) -> int:
        """Read from a client's pipe from now on. `ends`: the end of the client's input is the end of the program's.

        Gives the client's turn, which lasts until another client feeds.
        """
        self._turn += 1
        self._forget_source()
        if self.descriptor < 0:
            os.close(source)
            return self._turn
        os.set_blocking(source, False)
        self._source, self._ends_with_source = source, ends and not self.is_terminal
        if not self._pending:
            self.loop.watch(source, READ, self._read)
        return self._turn

    def leave(self, turn: int) -> None:
        """The client is gone: what it has sent goes in, and that is the end of it."""
        if turn == self._turn and self._source >= 0:
            self._pending = memoryview(bytes(self._pending) + self._take())
            self._forget_source()
            self._write(WRITE)

    def close(self) -> None:
        self._forget_source()
        if self.descriptor >= 0:
            self.loop.forget(self.descriptor)
            os.close(self.descriptor)
            self.descriptor = -1
            self._pending = memoryview(b"")

    def _forget_source(self) -> None:
        if self._source >= 0:
            self.loop.forget(self._source)
            os.close(self._source)
            self._source = -1

    def _take(self) -> bytes:
        """What is in the source now: no more than a pipe holds."""
        taken = b""
        try:
            while len(taken) < LARGEST_PIPE and (chunk := os.read(self._source, CHUNK)):
                taken += chunk
        except OSError:  # nothing there
            pass
        return taken

    def _read(self, events: int) -> None:
        try:
            chunk = os.read(self._source, CHUNK)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if not chunk:
            self._forget_source()
        self._pending = memoryview(chunk)
        self._write(WRITE)

    def _write(self, events: int) -> None:
        try:
            while self._pending:
                self._pending = self._pending[os.write(self.descriptor, self._pending) :]
        except BlockingIOError:
            if not self.loop.watches(self.descriptor):
                self.loop.forget(self._source)
                self.loop.watch(self.descriptor, WRITE, self._write)
            return
        except OSError:  # the program reads no more
            self.close()
            return
        self.loop.forget(self.descriptor)
        if self._source < 0 and self._ends_with_source:
            self.close()
        elif self._source >= 0 and not self.loop.watches(self._source):
            self.loop.watch(self._source, READ, self._read)
