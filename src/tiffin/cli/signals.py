"""Signals to this process, as something to read: caught while the block runs, as before afterwards."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from types import FrameType

# A handler can't be left from a fault by returning; a stopped background job must stop; the rest is none of the
# program's business (Docker too keeps CHLD, PIPE and URG to itself).
KEPT = frozenset(
    {
        signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSYS,
        signal.SIGTTIN, signal.SIGTTOU,
        signal.SIGCHLD, signal.SIGPIPE, signal.SIGURG, signal.SIGKILL, signal.SIGSTOP,
    }
)  # fmt: skip
PASSED_ON = frozenset(signal.valid_signals()) - KEPT
ENDING = frozenset({signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM})


class Caught:
    """`with Caught({SIGTERM}) as signals:`, then poll its descriptor and take them."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self.numbers = tuple(numbers)

    def __enter__(self) -> Caught:
        self.reader, self.writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        # each signal writes its number; with a full pipe (65,536 of them) the latest are lost, and nothing blocks
        self.woken_before = signal.set_wakeup_fd(self.writer, warn_on_full_buffer=False)
        # what the caller has us ignore (nohup, a job in the background) stays ignored
        heard = [number for number in self.numbers if signal.getsignal(number) != signal.SIG_IGN]
        self.before = [(number, signal.signal(number, _note)) for number in heard]
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before:
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        signal.set_wakeup_fd(self.woken_before)
        os.close(self.reader)
        os.close(self.writer)

    def fileno(self) -> int:
        return self.reader

    def take(self) -> bytes:
        """The numbers of the signals that came since the last time, in their order."""
        try:
            return os.read(self.reader, 65536)
        except BlockingIOError:
            return b""


def _note(_: int, __: FrameType | None) -> None:
    """The wake-up descriptor has the number already."""
