"""Doing what was explained: its system calls recorded step by step, and the true picture held against the foretold."""

from __future__ import annotations

from contextlib import contextmanager

from tiffin.engine.parts import Parts
from tiffin.engine.pictures import world
from tiffin.model.nouns import State
from tiffin.view.compare import compared, matched
from tiffin.view.explanation import ANYTHING, Explanation, PlannedStep
from tiffin.view.picture import Picture, Tray

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tiffin.runtime.tracing import StepTrace


@contextmanager
def recorded(parts: Parts, explanation: Explanation) -> Iterator[list[Explanation]]:
    """What is done meanwhile is recorded. The list holds the explanation; afterwards with the calls of each step.

    What the caller's own process does is cut into steps by the call with which each begins; what becomes the program
    records its own steps (`runtime.tracing`). Not for two threads at once.
    """
    from tiffin.kernel.recording import recording  # only with --trace

    holder = [explanation]
    parts.trace = []
    with recording() as calls:
        try:
            yield holder
        finally:
            traces, parts.trace = parts.trace, None
            texts = list(map(str, calls))
            holder[0] = _with_calls(explanation, texts, traces)


def _with_calls(explanation: Explanation, calls: list[str], traces: list[StepTrace]) -> Explanation:
    """Each step of the explanation, or of its parts, takes the calls up to where a later one begins."""
    steps = [step for part in explanation.parts or (explanation,) for step in part.steps]
    begins = _beginnings(steps, calls)
    ends = dict(zip(begins, [*list(begins.values())[1:], len(calls)], strict=True))
    by_number = {trace.step: trace for trace in traces}
    filled = list[PlannedStep]()
    for place, step in enumerate(steps):
        trace = by_number.get(step.number) if step.number >= 0 else None
        if trace:
            step = step._replace(calls=tuple(map(str, trace.calls)), nanoseconds=trace.nanoseconds)
        elif place in begins:
            step = step._replace(calls=tuple(calls[begins[place] : ends[place]]))
        filled.append(step)
    if not explanation.parts:
        return explanation._replace(steps=tuple(filled))
    parts = list[Explanation]()
    for part in explanation.parts:
        parts.append(part._replace(steps=tuple(filled[: len(part.steps)])))
        filled = filled[len(part.steps) :]
    return explanation._replace(parts=tuple(parts))


def _beginnings(steps: Sequence[PlannedStep], calls: Sequence[str]) -> dict[int, int]:
    """Place of a step -> the first of its calls. The first step begins with the first call."""
    found, at = {0: 0}, 0
    for place, step in enumerate(steps):
        if not place or not step.begins:
            continue
        pieces = step.begins.split(ANYTHING)
        later = range(at + 1, len(calls))
        fitting = next((number for number in later if all(piece in calls[number] for piece in pieces)), None)
        if fitting is not None:
            found[place] = at = fitting
    return found


def done(parts: Parts, explanation: Explanation) -> Explanation:
    """The explanation of what was just done, with the truth and its differences from what was foretold.

    That a program has ended by itself meanwhile is nobody's mistake: it is remarked, and counts as foretold.
    """
    true = world.pictured(_looked_at(parts, explanation))
    foretold, remarks = _let_end(explanation.gives, true)
    return compared(explanation._replace(gives=foretold, remarks=(*explanation.remarks, *remarks)), true)


def _looked_at(parts: Parts, explanation: Explanation) -> world.World:
    seen = world.seen(parts)
    known = matched(explanation.gives, world.pictured(seen))
    return world.measured(parts, seen, {known.get(id, id) for id in explanation.focus})


def _let_end(foretold: Picture, true: Picture) -> tuple[Picture, tuple[str, ...]]:
    known, there = matched(foretold, true), {tray.id: tray for tray in true.trays}
    trays, remarks = list[Tray](), list[str]()
    for tray in foretold.trays:
        now = there.get(known.get(tray.id, tray.id))
        if tray.is_alive and now is not None and now.state == State.EXITED:
            remarks.append(f"The program of {now.name} has ended by itself meanwhile.")
            trays.append(tray._replace(state=State.EXITED, space=None, size=None, changes=None, is_least=False))
        elif tray.is_alive and now is None and tray.is_thrown_away:
            remarks.append(f"The program of {tray.name or 'the new container'} has ended by itself meanwhile.")
        else:
            trays.append(tray)
    return foretold._replace(trays=tuple(trays)), tuple(remarks)
