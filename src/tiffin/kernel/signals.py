"""Signals: all that the module signal has, and what a process does on them.

It has it from signal's C half: the other half makes enumerations, for 4 ms of every command and some pages of every
forked child. So the numbers are plain ones here.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from signal import *  # noqa: F403
    from signal import SIG_BLOCK, SIG_DFL, SIG_IGN, SIG_SETMASK, pthread_sigmask, signal
else:
    from _signal import *  # noqa: F403
    from _signal import SIG_BLOCK, SIG_DFL, SIG_IGN, SIG_SETMASK, pthread_sigmask, signal


def numbers() -> dict[str, int]:
    """By name, as `SIGTERM`."""
    return {name: number for name, number in globals().items() if name.startswith("SIG") and name[3] != "_"}


def by_default(*numbers: int) -> None:
    """Let the kernel's own action happen."""
    for number in numbers:
        signal(number, SIG_DFL)


def ignore(*numbers: int) -> None:
    for number in numbers:
        signal(number, SIG_IGN)


def block(*numbers: int) -> None:
    """Let them wait, for as long as they are blocked."""
    pthread_sigmask(SIG_BLOCK, numbers)


def unblock_all() -> None:
    pthread_sigmask(SIG_SETMASK, ())
