"""The command line as a program of its own: the process is its, and ends with it."""

from __future__ import annotations

import gc

gc.disable()  # before the imports: collecting while classes are made costs 2 ms, and there is little to collect

import os  # noqa: E402
import sys  # noqa: E402

from tiffin.cli import main  # noqa: E402
from tiffin.kernel import signals  # noqa: E402

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType


class Told(KeyboardInterrupt):
    """By SIGHUP or SIGTERM to end. What is half done is taken away on the way out, as after Ctrl-C."""

    def __init__(self, number: int) -> None:
        self.number = number


def run() -> None:
    """Do what the words say, and end the process with the exit code, without tearing the interpreter down (2 ms)."""
    for number in (signals.SIGHUP, signals.SIGTERM):
        if signals.getsignal(number) == signals.SIG_DFL:  # else somebody wants it ignored, as nohup does
            signals.signal(number, _end)
    try:
        code = main()
    except KeyboardInterrupt as told:
        code = _die_of(told.number if isinstance(told, Told) else signals.SIGINT)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # nobody reads it any more; `main` has told the exit code for that
            pass
    os._exit(code)


def _end(number: int, _: FrameType | None) -> None:
    signals.ignore(signals.SIGHUP, signals.SIGTERM)  # a closed terminal says it twice; taking away is not cut short
    raise Told(number)


def _die_of(number: int) -> int:
    """By the signal itself, so that a shell knows. What was printed and not yet read is lost with it, as everywhere.

    The exit code, for who is never ended by a signal: the first process of a container.
    """
    signals.by_default(number)
    os.kill(os.getpid(), number)
    return 128 + number
