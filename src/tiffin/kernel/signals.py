"""What a process does on a signal, without the enumerations of the module signal: they cost a forked child pages."""

from __future__ import annotations

from _signal import (  # type: ignore[import-not-found]  # the C half of signal
    SIG_BLOCK,
    SIG_DFL,
    SIG_IGN,
    SIG_SETMASK,
    pthread_sigmask,
    signal,
)


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
