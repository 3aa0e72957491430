"""One stack alone: slabs and a tray from the ground up, the union view beside it, a frame around both where it runs.

    rails of networks
      ┏━ process space ━━━━━━━ ▶ running ━┓   card
    v ┃  processes                        ┃
    o ┃  tray           union view        ┃   limits, namespaces,
    l ┃  slabs                            ┃   protections
      ┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛
        ports

Before and after a command both pictures are drawn by one `Plan`: so what stays has the same place in both.
"""

from __future__ import annotations

from tiffin.record import NamedTuple
from tiffin.view.forest import Fold
from tiffin.view.layout import Layout, Place
from tiffin.view.picture import Picture, Slab, Tray
from tiffin.view.svg.beside import DRUMS, RAIL, draw_drums, draw_ports, draw_rails
from tiffin.view.svg.boxes import card, union_view, view_height
from tiffin.view.svg.canvas import CODE, SMALL, Box, Canvas, measure, number
from tiffin.view.svg.processes import draw_processes, processes_height
from tiffin.view.svg.shapes import HANDLE, TAG, WALL, tag, tag_width, tags
from tiffin.view.svg.slabs import (
    GAP,
    Level,
    Style,
    join_down,
    levels,
    numbers,
    put_slab,
)
from tiffin.view.svg.space import space_panel
from tiffin.view.svg.states import message, state, state_width, surround, trouble
from tiffin.view.svg.trays import GOING_UP, is_leaving, put_tray

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STYLE = Style(column=310, free=0, slab=44, fold=32, gap=GAP, is_full=True)
STACK = 310.0
VIEW = 272.0
CARD = 348.0
INSIDE = 18
NUMBERS = 34
BETWEEN = 34
SIDE = 32


class Plan(NamedTuple):
    """What is where, from the upper left corner of the drawing on."""

    levels: tuple[Level, ...]
    has_drums: bool
    has_view: bool
    frame: float
    """y of its upper line"""
    content: float
    """y of what is in it: processes, or a message"""
    top: float
    """y of the tray, or of the uppermost slab"""
    tray: float
    """its height; 0 where there is none"""

    @property
    def left(self) -> float:
        """x of the slabs."""
        return DRUMS * self.has_drums + INSIDE + NUMBERS

    @property
    def right(self) -> float:
        """x of the right side of the frame, or of what would be in it."""
        return self.left + STACK + (BETWEEN + VIEW if self.has_view else 0) + (INSIDE if self.tray else 0)

    @property
    def ground(self) -> float:
        stack = self.levels[-1].low
        roof = self.levels[-2].above if len(self.levels) > 1 else 0
        return self.top + (self.tray + stack if self.tray else stack - roof)


def plan(pictures: Sequence[Picture], layouts: Sequence[Layout]) -> Plan:
    """For one picture, or for two of the same stack."""
    found = levels(layouts, STYLE)
    trays = [tray for picture in pictures for tray in picture.trays]
    has_view = any(picture.view for picture in pictures)
    rails = max((len(tray.networks) for tray in trays), default=0)
    room = STACK + (BETWEEN + VIEW) * has_view + NUMBERS - INSIDE
    frame = 8.0 + RAIL * rails + HANDLE * bool(trays)
    content = frame + 22 * bool(trays)
    talk = max((_talk(tray, room) for tray in trays), default=0)
    named = any(picture.ground_names for picture in pictures)
    roof = found[-2].above - GAP if len(found) > 1 else TAG + 4 if named else 0
    height = max((_tray_height(tray, _removed(picture)) for picture in pictures for tray in picture.trays), default=0)
    walls = TAG + WALL + 8 if any(tray.name for tray in trays) else WALL + 4
    name = walls if trays else roof
    has_drums = any(tray.uses for tray in trays)
    return Plan(found, has_drums, has_view, frame, content, content + talk + name, height)


def _talk(tray: Tray, room: float) -> float:
    known = tray.space.processes if tray.space else None
    said = 24 if trouble(tray) else 0
    lifted = GOING_UP + 12 if is_leaving(tray) else 0
    return max(processes_height(known, room) if tray.is_alive else 0, 0) + said + lifted


def _tray_height(tray: Tray, removed: Sequence[str]) -> float:
    return 72 if tray.files or removed else 44


def draw_stack(
    canvas: Canvas, x: float, y: float, picture: Picture, layout: Layout, plan: Plan, *, has_panel: bool
) -> float:
    """Draw it, and tell where it ends below. `has_panel`: with all that holds the process space together."""
    tray = picture.trays[-1] if picture.trays else None
    box = _frame_box(x, y, picture, plan)
    if tray:
        _around(canvas, box, tray, picture.at)
    own = _view(canvas, x, y, picture, plan, numbers(layout))
    if not (tray and tray.is_alive):
        _ground(canvas, x + plan.left, y + plan.ground)
    hidden = _hidden(picture)
    for place in layout.places:
        if isinstance(place.item, Slab | Fold):
            _slab(canvas, x, y, place, plan, hidden)
    if not layout.places:
        tags(canvas, x + plan.left + STACK, y + plan.ground - TAG - 2, picture.ground_names, STACK)
    canvas.cover(box.right, box.bottom)
    ends = [box.bottom, _cards(canvas, x, y, picture, plan, has_panel=has_panel)]
    if tray:
        _tray(canvas, x, y, tray, picture, plan, own)
        _inside(canvas, x, y, tray, plan)
        draw_rails(canvas, y, box, tray.networks, picture.networks)
        ends.append(draw_ports(canvas, box, tray))
        ends.append(draw_drums(canvas, x, y + plan.top, x + plan.left, tray.uses, picture.volumes))
    return max(ends)


def _frame_box(x: float, y: float, picture: Picture, plan: Plan) -> Box:
    bottom = max(plan.ground + 4, plan.top + view_height(picture.view)) + INSIDE
    left = x + plan.left - NUMBERS - INSIDE
    return Box(left, y + plan.frame, x + plan.right - left, bottom - plan.frame)


def _around(canvas: Canvas, box: Box, tray: Tray, at: float) -> None:
    """What is around the stack, its state in the upper line."""
    gaps = list[tuple[float, float]]()
    word = state_width(tray, at, box.width / 2 - 56 if tray.is_alive else box.width - 60)
    if tray.is_alive:
        gaps.append((box.x + 16, box.x + 30 + measure("process space", SMALL)))
    gaps.append((box.right - word - 30, box.right - 16))
    surround(canvas, box, tray, gaps)
    if tray.is_alive:
        ink = "ice" if tray.state != "running" else "fr"
        canvas.text(box.x + 23, box.y + 4.3, "process space", SMALL, ink)
    state(canvas, box.right - word - 23, box.y, tray, at, word + 1)


def _cards(canvas: Canvas, x: float, y: float, picture: Picture, plan: Plan, *, has_panel: bool) -> float:
    """At the right, and below them what holds the process space together; where they end."""
    x, y = x + plan.right + SIDE, y + (plan.frame if plan.tray else plan.top)
    for one in picture.cards:
        y += card(canvas, x, y, CARD, one) + 16
    for tray in picture.trays[-1:]:
        if tray.space and tray.is_alive and has_panel:
            y = space_panel(canvas, x, y, CARD, tray.space)
    return y


def _view(canvas: Canvas, x: float, y: float, picture: Picture, plan: Plan, known: Mapping[str, str]) -> float | None:
    """The union view, and where in it the only file of the container is."""
    if picture.view is None:
        return None
    left = x + plan.left + STACK + BETWEEN
    return union_view(canvas, left, y + plan.top, VIEW, picture.view, known).own


def _ground(canvas: Canvas, x: float, y: float) -> None:
    canvas.path(f"M{number(x - 10)} {number(y + 1)}H{number(x + STACK + 10)}", "ground")
    canvas.cover(x + STACK + 10, y + 2)


def _slab(canvas: Canvas, x: float, y: float, place: Place, plan: Plan, hidden: Mapping[str, Sequence[str]]) -> None:
    level = plan.levels[place.level]
    box = Box(x + plan.left, y + plan.ground - level.top, STACK, level.height)
    put_slab(canvas, box, place, STYLE, hidden)
    canvas.text(box.x - 12, box.y + box.height / 2 + 4, place.number, SMALL, "muted", anchor="end")
    if place.level:
        join_down(canvas, box, y + plan.ground - plan.levels[place.level - 1].top)


def _tray(canvas: Canvas, x: float, y: float, tray: Tray, picture: Picture, plan: Plan, own: float | None) -> None:
    lift = GOING_UP if is_leaving(tray) else 0
    box = Box(x + plan.left, y + plan.top - lift, STACK, plan.tray)
    end = put_tray(canvas, box, tray, _removed(picture))
    canvas.text(box.x - 12, box.y + box.height / 2 + 4, "rw", SMALL, "rwT", anchor="end")
    if picture.slabs and not lift:
        join_down(canvas, box, y + plan.ground - plan.levels[-2].top)
    if tray.name:
        wide = tag_width(tray.name, STACK - 80)
        tag(canvas, box.right - wide, box.y - WALL - TAG - 5, tray.name, wide)
    if own is not None and len(tray.files) == 1:
        middle = box.bottom - 16
        turn, row = number(box.right + BETWEEN / 2), number(box.right + BETWEEN)
        canvas.path(f"M{number(end)} {number(middle)}H{turn}V{number(own)}H{row}", "wire")
        canvas.circle(end, middle, 2.5, "end-dot")
        canvas.circle(box.right + BETWEEN, own, 2.5, "end-dot")


def _inside(canvas: Canvas, x: float, y: float, tray: Tray, plan: Plan) -> None:
    """Above the tray: the processes, and what there is to say."""
    known = tray.space.processes if tray.space else None
    left, room = x + plan.left - NUMBERS, plan.right - plan.left + NUMBERS - 2 * INSIDE
    at = y + plan.content
    if tray.is_alive and known:
        draw_processes(canvas, left, at, room, known, is_paused=tray.state == "paused")
        at += processes_height(known, room)
    if trouble(tray):
        message(canvas, left, at + 12, tray, room, CODE)


def _hidden(picture: Picture) -> dict[str, list[str]]:
    """Names of which a layer has a version that nobody sees, by layer."""
    found = dict[str, list[str]]()
    for row in picture.view.rows if picture.view else ():
        if row.hides:
            found.setdefault(row.hides, []).append(row.name.rsplit("/", 1)[-1] or row.name)
    return found


def _removed(picture: Picture) -> list[str]:
    view = picture.view
    return (
        [row.name for row in view.rows if row.is_removed and row.layer == view.of and view.is_writable] if view else []
    )
