"""Signals to this process, as something to read: caught while the block runs, as before afterwards."""

from __future__ import annotations

import os

from tiffin.kernel import signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType

# A handler can't be left from a fault by returning; a stopped background job must stop; the rest is none of the
# program's business (Docker too keeps CHLD, PIPE and URG to itself).
KEPT = frozenset(
    {
        signals.SIGSEGV, signals.SIGBUS, signals.SIGFPE, signals.SIGILL, signals.SIGSYS,
        signals.SIGTTIN, signals.SIGTTOU,
        signals.SIGCHLD, signals.SIGPIPE, signals.SIGURG, signals.SIGKILL, signals.SIGSTOP,
    }
)  # fmt: skip
PASSED_ON = frozenset(signals.valid_signals()) - KEPT
ENDING = frozenset({signals.SIGHUP, signals.SIGINT, signals.SIGQUIT, signals.SIGTERM})
ASKING = frozenset({signals.SIGINT, signals.SIGTERM})
MOST_ASKED = 3  # times, then we go, whatever the program does; as Docker's client


class Caught:
    """`with Caught({SIGTERM}) as caught:`, then poll its descriptor and take them."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self.numbers = tuple(numbers)
        self.asked = 0
        self.unheard = True
        """nobody takes them yet: who asks for the end again and again must be let go from here"""

    def __enter__(self) -> Caught:
        self.reader, self.writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        # each signal writes its number; with a full pipe (65,536 of them) the latest are lost, and nothing blocks
        self.woken_before = signals.set_wakeup_fd(self.writer, warn_on_full_buffer=False)
        # what the caller has us ignore (nohup, a job in the background) stays ignored
        heard = [number for number in self.numbers if signals.getsignal(number) != signals.SIG_IGN]
        self.before = [(number, signals.signal(number, self._note)) for number in heard]
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before:
            signals.signal(number, signals.SIG_DFL if handler is None else handler)
        signals.set_wakeup_fd(self.woken_before)
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

    def _note(self, number: int, _: FrameType | None) -> None:
        """The wake-up descriptor has the number already."""
        self.asked += number in ASKING
        if self.unheard and self.asked >= MOST_ASKED:
            raise KeyboardInterrupt
