"""The words of the contest: who does what, and what is written down of it."""

from __future__ import annotations

import http.client
import itertools
import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from tiffin.errors import TiffinError

WORKERS = 2 * (os.cpu_count() or 1)
"""How many work at once where the case is about much work at once: more than processors, since starts also wait."""

Sample = Mapping[str, float]
"""What one round gave, in the unit of the case: the whole under "", and its parts by name."""

Round = Callable[[], Sample]
Work = Callable[[], AbstractContextManager[Round]]
"""What is needed beforehand is made when it is entered; what it left, and what it needed, is gone when it is left."""


class Refused(Exception):
    """A contestant could not do the work; says why."""


FAILURES = (Refused, OSError, http.client.HTTPException, TiffinError)
"""What goes wrong with a contestant; anything else is wrong with us."""


class Contestant(Protocol):
    name: str
    version: str

    @property
    def works(self) -> Mapping[str, Work]:
        """What it can do, by the name of the case."""

    def close(self) -> None:
        """Stop, and remove all that is left of it."""


class Scale(NamedTuple):
    """How much of it there is."""

    starts: int
    """containers for a rate of starts, of a fast engine; of a slow one a tenth"""
    crowd: int
    """containers begun at once"""
    memory: int
    """containers that run while memory is measured"""
    volume: int
    """bytes of output, of a fast engine; of a slow one a tenth"""


class Stopwatch:
    """Milliseconds of one piece of work and of its parts: each `lap` ends a part."""

    def __init__(self) -> None:
        self._began = self._last = time.perf_counter()
        self._parts: dict[str, float] = {}

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self._parts[name] = (now - self._last) * 1000
        self._last = now

    def read(self) -> Sample:
        return {"": (self._last - self._began) * 1000, **self._parts}


def marked(name: str, work: Callable[[str], Sample]) -> Round:
    """Gives each round a word of its own, the same to all contestants."""
    numbers = itertools.count()
    return lambda: work(f"{name}-{next(numbers)}")


def timed(work: Callable[[], object]) -> Sample:
    """Seconds of work that writes much; what others have written before is on the disk by then."""
    os.sync()
    began = time.perf_counter()
    work()
    return {"": time.perf_counter() - began}


def at_once(count: int, job: Callable[[int], None]) -> float:
    """Seconds that `job(0)` to `job(count - 1)` take in as many threads. Raises what one of them raised."""
    failures: list[BaseException] = []
    gate = threading.Barrier(count + 1)

    def guarded(number: int) -> None:
        gate.wait()
        try:
            job(number)
        except FAILURES as failure:
            failures.append(failure)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    gate.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    if failures:
        raise failures[0]
    return seconds
