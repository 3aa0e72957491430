"""The results as a table in Markdown, and as JSON."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from benchmarks.cases import Unit
from benchmarks.rounds import Result

OURS, FLOOR = "tiffin", "floor"
NOTHING = "-"


class Spread(NamedTuple):
    """Best and median of some rounds."""

    best: float
    median: float

    @classmethod
    def of(cls, values: Sequence[float], unit: Unit) -> Spread | None:
        if not values:
            return None
        return cls(max(values) if unit.more_is_better else min(values), statistics.median(values))

    def __str__(self) -> str:
        return f"{digits(self.best)} / {digits(self.median)}"


def markdown(results: Sequence[Result], versions: Mapping[str, str]) -> str:
    """One row for each case and each of its parts; the best round and the median of all."""
    names = [name for name in versions if name != OURS]
    head = ["", "unit", OURS, "budget", "of budget", "best rival", *names]
    lines = [head, ["---", "---", *["---:"] * (len(head) - 2)]]
    for result in results:
        lines.append(_row(result, "", result.case.title, names))
        lines += [_row(result, part, f"&nbsp;&nbsp;{part}", names) for part in result.case.parts]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def circumstances(versions: Mapping[str, str], load: float) -> str:
    """A sentence on where this was measured, and what beside what."""
    rivals = ", ".join(f"{name} {version}" for name, version in versions.items() if name not in (OURS, FLOOR))
    return (
        f"Best round / median of all rounds; 'best rival' is how many times better tiffin's best is than theirs. "
        f"{time.strftime('%Y-%m-%d')}, Linux {platform.release()}, {os.cpu_count()} CPUs, load {load:.1f} before, "
        f"Python {platform.python_version()}, tiffin {versions[OURS]}{', ' if rivals else ''}{rivals}."
    )


def refusals(results: Iterable[Result]) -> Iterator[str]:
    for result in results:
        for name, reason in result.refusals.items():
            yield f"{result.case.name}: {name}: {reason}"


def plain(results: Iterable[Result], versions: Mapping[str, str]) -> dict[str, Any]:
    """All samples, for JSON."""
    cases = {
        result.case.name: {
            "title": result.case.title,
            "unit": result.case.unit.symbol,
            "budget": result.case.budget,
            "samples": {name: [dict(sample) for sample in samples] for name, samples in result.samples.items()},
            "refusals": result.refusals,
        }
        for result in results
    }
    return {"versions": dict(versions), "time": time.time(), "cases": cases}


def _row(result: Result, part: str, title: str, names: Sequence[str]) -> list[str]:
    case = result.case
    spreads = {name: Spread.of(result.values(name, part), case.unit) for name in (OURS, *names)}
    ours, budget = spreads[OURS], None if part else case.budget
    rivals = [spread.best for name in names if name != FLOOR and (spread := spreads[name])]
    return [
        title,
        case.unit.symbol,
        str(ours or NOTHING),
        NOTHING if budget is None else f"{'>=' if case.unit.more_is_better else '<='} {budget:g}",
        _share(ours, budget, case.unit),
        _lead(ours, rivals, case.unit),
        *(str(spreads[name] or NOTHING) for name in names),
    ]


def _share(ours: Spread | None, budget: float | None, unit: Unit) -> str:
    """What part of the budget is used; of a rate, what part of it is reached. Missed ones are in bold."""
    if ours is None or budget is None:
        return NOTHING
    share = f"{ours.best / budget:.0%}"
    kept = ours.best >= budget if unit.more_is_better else ours.best <= budget
    return share if kept else f"**{share}**"


def _lead(ours: Spread | None, rivals: Sequence[float], unit: Unit) -> str:
    if ours is None or not rivals:
        return NOTHING
    lead = ours.best / max(rivals) if unit.more_is_better else min(rivals) / ours.best
    return f"{digits(lead)} x"


def digits(number: float) -> str:
    """Three of them that count, or all before the point."""
    if number >= 100:
        return f"{number:.0f}"
    return f"{number:.1f}" if number >= 10 else f"{number:.2f}" if number >= 0.1 else f"{number:.3f}"
