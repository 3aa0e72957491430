"""The processes of a space as capsules, each joined to its parent.

● 1 nginx: master ──┬── ● 22 nginx: worker        beside each other where there is room,
                    └── ● 23 nginx: worker        else below each other, children further in
"""

from __future__ import annotations

from tiffin.record import NamedTuple
from tiffin.view.picture import Mark, Process
from tiffin.view.svg.canvas import CAPTION, CODE, SMALL, Canvas, measure, number
from tiffin.view.svg.shapes import mark_width, mark_word
from tiffin.view.words import harmless

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

CAPSULE = 26
PITCH = 44
"""from one capsule to the one below: between them is the pid outside"""
JOINT = 34
STEP = 26
MOST = 12
DEEPEST = 6
"""steps that children are moved to the right; deeper ones stand right below their parents"""
WIDEST = 230.0


class Spot(NamedTuple):
    process: Process
    depth: int
    row: int
    above: int | None
    """the row of its parent"""


def processes_height(processes: Sequence[Process] | None, room: float) -> float:
    """How high they will be."""
    if not processes:
        return 0
    rows = max(spot.row for spot in _placed(processes, room)) + 1
    return PITCH * rows + (16 if len(processes) > MOST else 0)


def draw_processes(
    canvas: Canvas, x: float, y: float, room: float, processes: Sequence[Process], *, is_paused: bool
) -> None:
    """Draw them, the first one's capsule with its corner at x, y."""
    spots = _placed(processes, room)
    is_beside = _is_beside(spots)
    widths = _widths(spots)
    columns = [x + sum(widths[:depth]) + JOINT * depth for depth in range(len(widths))]
    for spot in spots:
        left = columns[spot.depth] if is_beside else x + STEP * min(spot.depth, DEEPEST)
        if spot.above is not None:
            right = columns[spot.depth - 1] + widths[spot.depth - 1] if is_beside else 0
            _join(canvas, y, spot, left, right, is_paused)
    for spot in spots:
        left = columns[spot.depth] if is_beside else x + STEP * min(spot.depth, DEEPEST)
        width = widths[spot.depth] if is_beside else min(_width(spot.process), x + room - left)
        _capsule(canvas, left, y + PITCH * spot.row, width, spot.process, is_paused)
    if len(processes) > MOST:
        last = y + PITCH * (max(spot.row for spot in spots) + 1)
        canvas.text(x + 4, last + 10, f"{len(processes) - MOST} more processes", SMALL, "muted")


def _join(canvas: Canvas, y: float, spot: Spot, left: float, parent: float, is_paused: bool) -> None:
    """A line from its parent: from the right end, or from below where they stand below each other."""
    assert spot.above is not None
    high, low = y + PITCH * spot.above + CAPSULE / 2, y + PITCH * spot.row + CAPSULE / 2
    kind = "joint-ice" if is_paused else "joint"
    if not parent and spot.depth > DEEPEST:
        canvas.path(f"M{number(left + 13)} {number(high + CAPSULE / 2)}V{number(low - CAPSULE / 2)}", kind)
    elif not parent:
        canvas.path(f"M{number(left - STEP / 2)} {number(high + CAPSULE / 2)}V{number(low)}H{number(left)}", kind)
    elif high == low:
        canvas.path(f"M{number(parent)} {number(low)}H{number(left)}", kind)
    else:
        canvas.path(f"M{number(left - JOINT / 2)} {number(high)}V{number(low)}H{number(left)}", kind)


def _capsule(canvas: Canvas, x: float, y: float, width: float, process: Process, is_paused: bool) -> None:
    kind = "capsule-ice" if is_paused else "capsule-new" if process.is_new else "capsule"
    canvas.rect(x, y, width, CAPSULE, kind, r=CAPSULE / 2)
    canvas.sign("paused" if is_paused else "dot", x + 9, y + 7, "ice" if is_paused else "fr",
                "paused" if is_paused else "running", size=12)  # fmt: skip
    used = 0.0
    if process.pid is not None:
        used = canvas.text(x + 26, y + 17, str(process.pid), CODE, "muted", title="pid inside") + 8
    canvas.text(x + 26 + used, y + 17.3, process.name, SMALL, "ink", room=width - used - 38)
    if process.is_new:
        mark_word(canvas, x + 26, y + CAPSULE + 12, Mark.NEW)
    else:
        canvas.text(x + 26, y + CAPSULE + 12, f"{process.host_pid} outside", CAPTION, "muted", room=width - 30)


def _width(process: Process) -> float:
    pid = "" if process.pid is None else str(process.pid)
    name = measure(pid, CODE) + 8 * bool(pid) + measure(harmless(process.name, 200), SMALL)
    below = mark_width(Mark.NEW) if process.is_new else measure(f"{process.host_pid} outside", CAPTION)
    return min(40 + max(name, below), WIDEST)


def _widths(spots: Sequence[Spot]) -> list[float]:
    """Of each column."""
    found = dict[int, float]()
    for spot in spots:
        found[spot.depth] = max(found.get(spot.depth, 0), _width(spot.process))
    return [found.get(depth, 0) for depth in range(max(found) + 1)]


def _is_beside(spots: Sequence[Spot]) -> bool:
    """Whether a first child stands in the row of its parent."""
    return any(spot.above == spot.row for spot in spots)


def _placed(processes: Sequence[Process], room: float) -> list[Spot]:
    ordered = _tree(processes[:MOST])
    beside = list[Spot]()
    rows = dict["int | None", int]()
    row = -1
    for process, depth, parent in ordered:
        is_first = parent is not None and beside[-1].process.pid == parent
        row += 0 if is_first else 1
        beside.append(Spot(process, depth, row, rows.get(parent) if parent is not None else None))
        rows[process.pid] = row
    widths = _widths(beside)
    if sum(widths) + JOINT * (len(widths) - 1) <= room:
        return beside
    rows = {process.pid: place for place, (process, _, _) in enumerate(ordered)}
    return [
        Spot(process, depth, place, rows[parent] if parent is not None else None)
        for place, (process, depth, parent) in enumerate(ordered)
    ]


def _tree(processes: Sequence[Process]) -> list[tuple[Process, int, int | None]]:
    """Each with its depth and parent, parents first. A parent that is not there, or a circle, is none."""
    known = {process.pid for process in processes}
    children: dict[int | None, list[Process]] = {}
    for process in processes:
        parent = process.parent if process.parent in known and process.parent != process.pid else None
        children.setdefault(parent, []).append(process)
    ordered, seen = list[tuple[Process, int, "int | None"]](), set["int | None"]()
    todo: list[tuple[Process, int, int | None]] = [(process, 0, None) for process in reversed(children.get(None, ()))]
    while todo or len(seen) < len(known):
        if not todo:  # all that are left have each other as parents
            todo.append((next(process for process in processes if process.pid not in seen), 0, None))
        process, depth, parent = todo.pop()
        if process.pid in seen:
            continue
        seen.add(process.pid)
        ordered.append((process, depth, parent))
        todo += [(child, depth + 1, process.pid) for child in reversed(children.get(process.pid, ()))]
    return ordered
