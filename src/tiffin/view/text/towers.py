"""Several stacks side by side on one floor, in characters, twice: before and after, all that stays in the same place.

    ┏━━━━━━━━━━━━━ ▶ running ━┓
    ┃ ● 1 nginx: master       ┃
    ┃ ║                     ║ ┃  ┌───▾───────────────────────┐
    ┃ ║ ✎ web        2.3 kB ║ ┃  │▒ commit of web     2.3 kB │
    ┃ ╚═════════════════════╝ ┃  │▒ new              ◁ web:2 │
    ┗━━━━━━━━━━━━━━━━━━━━━━━━━┛  └───────────────────────────┘
    ┌─────▾────────────────────────▾─────────────────────────┐
    │▒ COPY site /usr/share/nginx/html                1.2 MB │
    └────────────────────────────────────────────────────────┘

A layer is as wide as all that stands on it. The frame of a process space is around the whole stack where there is only
one, else it stands on the layers that others share.
"""

from __future__ import annotations

from tiffin.record import NamedTuple
from tiffin.view import signs
from tiffin.view.forest import Crowd, Fold
from tiffin.view.layout import Layout, Place
from tiffin.view.picture import Slab, Tray, short
from tiffin.view.text import boxes
from tiffin.view.text.cells import Pen, Run, Sheet, Style, fit, length
from tiffin.view.text.inside import process_sign

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

WIDEST_ONE = 54
WIDEST = 36
NARROWEST = 24
GAP = 2
INSET = 2  # from a frame to what is in it


class _Floor(NamedTuple):
    """One level, for both pictures: how many rows it takes, with the edges of its boxes."""

    rows: int
    lines: int
    """in its boxes"""
    has_told: bool
    """whether a line above some tray tells of processes, or why there are none"""


class _Plan(NamedTuple):
    """Where everything is: `cell` columns for each column of the layout."""

    cell: int
    floors: tuple[_Floor, ...]
    joined: frozenset[int]
    """levels whose boxes share an edge with those on them"""
    is_framed: bool
    """a frame may be around something in one of both"""
    is_one: bool
    """one stack, within the frame as a whole"""

    def x(self, place: Place) -> int:
        return place.column * (self.cell + GAP)

    def width(self, place: Place) -> int:
        return place.span * (self.cell + GAP) - GAP


def draw_towers(before: Layout, after: Layout, columns: int, style: Style) -> tuple[Sheet, Sheet] | None:
    """Two sheets of one height, with what stays in the same rows and columns. None where there is not room enough."""
    number = max(before.columns, 1)
    frame = 2 * INSET if number == 1 else 0
    widest = WIDEST_ONE if number == 1 else WIDEST
    cell = min((columns - (number - 1) * GAP) // number, widest) - frame
    if cell < NARROWEST - frame:
        return None
    plan = _planned(before, after, cell, style)
    return _drawn(before, plan, style), _drawn(after, plan, style)


# --- measuring


def _planned(before: Layout, after: Layout, cell: int, style: Style) -> _Plan:
    places = [*before.places, *after.places]
    trays = [tray for place in places for tray in _trays(place)]
    is_one = before.columns == 1
    plan = _Plan(cell, (), frozenset(), any(tray.state in boxes.FRAMED for tray in trays), is_one)
    levels: list[list[Place]] = [[] for _ in range(before.levels)]
    for place in places:
        levels[place.level].append(place)
    carrying = {(place.column, place.level - 1) for place in places}
    floors = tuple(_floor(level, plan, carrying, style) for level in levels)
    joined = frozenset(number for number in range(len(levels) - 1) if _is_joined(levels[number + 1], levels[number]))
    return plan._replace(floors=floors, joined=joined)


def _floor(places: Iterable[Place], plan: _Plan, carrying: set[tuple[int, int]], style: Style) -> _Floor:
    lines, rows, has_told = 1, 0, False
    listed = list(places)
    for place in listed:
        item = place.item
        if isinstance(item, Slab | Fold):
            told = boxes.is_told(item) or (place.column, place.level) not in carrying
            if told and not isinstance(item, Fold):
                lines = max(lines, boxes.slab(Sheet(style), 0, 0, plan.width(place), item))
            elif told:
                lines = max(lines, 2)
            rows = max(rows, lines + 2)
        has_told = has_told or any(_told(style, tray) for tray in _trays(place))
    for place in listed:
        if _trays(place):
            rows = max(rows, 3 + has_told + (0 if plan.is_one else 1 + plan.is_framed))
    return _Floor(max(rows, lines + 2 if rows else 0), lines, has_told)


def _is_joined(upper: Iterable[Place], lower: Iterable[Place]) -> bool:
    below = {(place.column, place.span) for place in lower}
    return all(isinstance(p.item, Slab | Fold) and (p.column, p.span) in below for p in upper)


def _trays(place: Place) -> tuple[Tray, ...]:
    item = place.item
    return item.trays if isinstance(item, Crowd) else (item,) if isinstance(item, Tray) else ()


# --- drawing


def _drawn(layout: Layout, plan: _Plan, style: Style) -> Sheet:
    sheet, bottom = Sheet(style), 0
    bottoms = list[int]()
    for number in reversed(range(len(plan.floors))):
        bottom += plan.floors[number].rows - (number + 1 < len(plan.floors) and number in plan.joined)
        bottoms.insert(0, bottom)
    sheet.put(max(bottom - 1, 0), 0, "")
    above: dict[int, list[Place]] = {}
    for place in layout.places:
        above.setdefault(place.level, []).append(place)
    for place in layout.places:
        floor = plan.floors[place.level]
        if isinstance(place.item, Slab | Fold):
            children = [
                p for p in above.get(place.level + 1, ()) if place.column <= p.column < place.column + place.span
            ]
            _slab(sheet, bottoms[place.level], place, children, plan, floor)
        else:
            _tray(sheet, bottoms[place.level], place, plan, floor)
    if not plan.is_one:
        return sheet
    tray = next((tray for place in layout.places for tray in _trays(place)), None)
    return _around(sheet, plan.cell + 2 * INSET, tray, is_framed=plan.is_framed)


def _slab(sheet: Sheet, bottom: int, place: Place, children: list[Place], plan: _Plan, floor: _Floor) -> None:
    item, column, width = place.item, plan.x(place), plan.width(place)
    assert isinstance(item, Slab | Fold)
    inset = 0 if plan.is_one else INSET
    arrows = [plan.x(child) + boxes.ARROW_AT + (inset if _trays(child) else 0) for child in children]
    upper = children[0].item if place.level in plan.joined and children else None
    upper = upper if isinstance(upper, Slab | Fold) else None
    row, ends = bottom - floor.lines - 2, "├┤" if upper else "┌┐"
    boxes.edge(sheet, row, column, width, ends, item, upper=upper, arrows=arrows)
    boxes.slab(sheet, row + 1, column, width, item, lines=floor.lines)
    if place.level - 1 not in plan.joined:
        boxes.edge(sheet, bottom - 1, column, width, "└┘", item)


def _tray(sheet: Sheet, bottom: int, place: Place, plan: _Plan, floor: _Floor) -> None:
    trays, column, width = _trays(place), plan.x(place), plan.width(place)
    if plan.is_one:
        inner = _opened(sheet.style, width, trays, has_told=floor.has_told)
        sheet.paste(bottom - inner.height, column, inner)
        return
    inner = _opened(sheet.style, width - 2 * INSET, trays, has_told=floor.has_told)
    whole = _around(inner, width, trays[0], is_framed=plan.is_framed)
    sheet.paste(bottom - whole.height, column, whole)


def _opened(style: Style, columns: int, trays: tuple[Tray, ...], *, has_told: bool) -> Sheet:
    """A tray, and above it what its process space does."""
    sheet, tray = Sheet(style), trays[0]
    if has_told:
        told = _told(style, tray)
        if length(told) > columns and len(told) > 2:
            told = [*fit(told[:2], columns - 5), Run(f"  +{len(told) - 2}", told[0].pen)]
        sheet.put_all(0, 0, fit(told, columns))
    name = sheet.say(tray.name) if tray.name is not None else "read-write layer"
    left = boxes.called(name, tray)
    if len(trays) > 1:
        left.append(Run(f" and {len(trays) - 1} more"))
    if short(tray.id) != "new" and len(trays) == 1 and length(left) + 28 < columns:
        left += [Run("  "), Run(short(tray.id), Pen.DIM)]
    size = [Run(signs.size(tray), Pen.RW)] if tray.size is not None else []
    boxes.tray(sheet, int(has_told), 0, columns, tray, [(left, size)])
    return sheet


def _told(style: Style, tray: Tray) -> list[Run]:
    """Its processes, or why it does not run."""
    sheet, pen = Sheet(style), boxes.state_pen(tray)
    processes = tray.space.processes if tray.space else None
    if processes and tray.is_alive:
        sign = process_sign(tray)
        told = [Run(sign, pen), Run(f" {processes[0].pid or 'new'} {sheet.say(processes[0].name)}")]
        for process in processes[1:]:
            told.append(Run(f"  {sign} {process.pid or 'new'}", pen))
            told += [Run(f" {sheet.say(process.name)}")] * process.is_new  # it is what this is about
        return told
    if tray.is_alive and tray.command and not tray.reason:
        return [Run(process_sign(tray), pen), Run(f" {sheet.say(tray.command)}")]
    return [Run(sheet.say(tray.reason), pen)] if tray.reason else []


def _around(inner: Sheet, columns: int, tray: Tray | None, *, is_framed: bool) -> Sheet:
    """The frame, or the room that it would take; the state of a container in any case."""
    if tray is not None and tray.state in boxes.FRAMED:
        return boxes.framed(inner, columns, tray)
    sheet = Sheet(inner.style)
    sheet.put(0, 0, "")
    if tray is not None:
        sheet.put_right(0, columns - INSET - 2, fit([boxes.state(sheet.style, tray)], columns - INSET))
    below = sheet.paste(1, INSET, inner)
    if is_framed:
        sheet.put(below, 0, "")
    return sheet
