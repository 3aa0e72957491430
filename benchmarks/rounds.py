"""Measuring: every contestant in each round, one after the other, and each time another one first."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple

from benchmarks.cases import Case
from benchmarks.contest import FAILURES, Contestant, Round, Sample

BREATH = 0.05  # seconds after each piece of work, for what goes on behind it


class Result(NamedTuple):
    """Of one case: the samples of each contestant, and why some gave none."""

    case: Case
    samples: dict[str, list[Sample]]
    refusals: dict[str, str]

    def values(self, contestant: str, part: str = "") -> list[float]:
        return [sample[part] for sample in self.samples.get(contestant, []) if part in sample]


def measure(case: Case, contestants: Sequence[Contestant], rounds: int) -> Result:
    result = Result(case, {}, {})
    try:
        _measure(case, contestants, rounds, result)
    except FAILURES as reason:  # in taking away what was needed
        result.refusals["afterwards"] = str(reason)
    return result


def _measure(case: Case, contestants: Sequence[Contestant], rounds: int, result: Result) -> None:
    with ExitStack() as ready:
        once = _prepare(case, contestants, ready, result)
        for number in range(-1 if case.warm_up else 0, rounds):
            names = list(once)
            first = number % len(names) if names else 0
            for name in names[first:] + names[:first]:
                _take(name, once, result, counts=number >= 0)
            _tell(case, number + 1, rounds)


def _prepare(case: Case, contestants: Sequence[Contestant], ready: ExitStack, result: Result) -> dict[str, Round]:
    once: dict[str, Round] = {}
    for contestant in contestants:
        work = contestant.works.get(case.name)
        if work is None:
            continue
        try:
            once[contestant.name] = ready.enter_context(work())
        except FAILURES as reason:
            result.refusals[contestant.name] = str(reason)
    return once


def _take(name: str, once: dict[str, Round], result: Result, *, counts: bool) -> None:
    """Who refuses is out of this case."""
    try:
        sample = once[name]()
    except FAILURES as reason:
        result.refusals[name] = str(reason)
        del once[name]
        return
    if counts:
        result.samples.setdefault(name, []).append(sample)
    time.sleep(BREATH)


def _tell(case: Case, done: int, rounds: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{case.name}: {done}/{rounds}\033[K", end="\n" if done == rounds else "", file=sys.stderr, flush=True)
    elif done == rounds:
        print(f"{case.name}: {rounds} rounds", file=sys.stderr, flush=True)
