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
from tiffin.view.picture import Picture, Slab, Tray, Use
from tiffin.view.svg_boxes import card, union_view, view_height
from tiffin.view.svg_canvas import CAPTION, CODE, SMALL, Box, Canvas, measure, number
from tiffin.view.svg_processes import draw_processes, processes_height
from tiffin.view.svg_shapes import HANDLE, TAG, WALL, drum, rail, socket, tag, tag_width, tags
from tiffin.view.svg_slabs import (
    GAP,
    GOING_UP,
    Level,
    Style,
    is_leaving,
    join_down,
    levels,
    numbers,
    put_slab,
    put_tray,
)
from tiffin.view.svg_space import space_panel
from tiffin.view.svg_states import message, state, state_width, surround, trouble
from tiffin.view.words import amount, harmless

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
DRUM = Box(0, 0, 100, 52)
DRUMS = 178
RAIL = 36
SOCKET = 150


class Plan(NamedTuple):
    """What is where, from the upper left corner of the drawing on."""

    levels: tuple[Level, ...]
    has_drums: bool
    has_view: bool
    rails: int
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
    return Plan(found, has_drums, has_view, rails, frame, content, content + talk + name, height)


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
    side, high = x + plan.right + SIDE, y + (plan.frame if plan.tray else plan.top)
    low = _cards(canvas, side, high, picture)
    if tray and tray.space and tray.is_alive and has_panel:
        low = space_panel(canvas, side, low, CARD, tray.space)
    known = numbers(layout)
    own = _view(canvas, x, y, picture, plan, known)
    if not (tray and tray.is_alive):
        _ground(canvas, x + plan.left, y + plan.ground)
    hidden = _hidden(picture)
    for place in layout.places:
        if isinstance(place.item, Slab | Fold):
            _slab(canvas, x, y, place, plan, hidden)
    if not layout.places:
        tags(canvas, x + plan.left + STACK, y + plan.ground - TAG - 2, picture.ground_names, STACK)
    if tray:
        _tray(canvas, x, y, tray, picture, plan, own)
        _beside(canvas, x, y, tray, picture, plan, box)
    canvas.cover(box.right, box.bottom)
    return max(box.bottom + (34 if tray and tray.ports else 0), low)


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


def _cards(canvas: Canvas, x: float, y: float, picture: Picture) -> float:
    for one in picture.cards:
        y += card(canvas, x, y, CARD, one) + 16
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
    known = tray.space.processes if tray.space else None
    left, room = x + plan.left - NUMBERS, plan.right - plan.left + NUMBERS - 2 * INSIDE
    at = y + plan.content
    if tray.is_alive and known:
        draw_processes(canvas, left, at, room, known, is_paused=tray.state == "paused")
        at += processes_height(known, room)
    if trouble(tray):
        message(canvas, left, at + 12, tray, room, CODE)


def _beside(canvas: Canvas, x: float, y: float, tray: Tray, picture: Picture, plan: Plan, frame: Box) -> None:
    """Volumes at the left, networks above, ports below."""
    _drums(canvas, x, y + plan.top, tray.uses, picture, x + plan.left)
    subnets = {network.name: network.subnet for network in picture.networks}
    free = frame.x + 52 + measure("process space", SMALL)  # up to the handle
    step = min(26, (frame.x + frame.width / 2 - 36 - free) / max(len(tray.networks), 1))
    for place, joined in enumerate(tray.networks):
        line, ring = y + 22 + RAIL * place, free + step * place
        rail(canvas, frame.x, line, frame.right, joined.network, subnets.get(joined.network, ""), frame.width * 0.5)
        canvas.path(f"M{number(ring)} {number(line)}V{number(frame.y)}", "drop")
        canvas.circle(ring, line, 4.5, "ring")
        canvas.text(frame.right, line - 7, joined.address, CODE, "muted", anchor="end", room=frame.width * 0.35,
                    title="its address")  # fmt: skip
    _ports(canvas, frame, tray)


def _ports(canvas: Canvas, frame: Box, tray: Tray) -> None:
    room = max(int((frame.width - 20) // SOCKET), 1)
    for place, port in enumerate(tray.ports[:room]):
        at = frame.x + 40 + SOCKET * place
        if tray.is_alive:
            socket(canvas, at, frame.bottom)
        text = (
            f"{len(tray.ports) - place} more ports" if place == room - 1 and len(tray.ports) > room else f"host {port}"
        )
        canvas.text(at - 7, frame.bottom + 24, text, SMALL, "ink" if tray.is_alive else "muted", room=SOCKET - 14)


def _drums(canvas: Canvas, x: float, y: float, uses: Sequence[Use], picture: Picture, wall: float) -> None:
    """Each with the path inside below it; their lines meet before the tray."""
    sizes = {volume.name: volume.size for volume in picture.volumes}
    meet, middles = x + DRUMS - 18, list[float]()
    for use in uses[:6]:
        size = sizes.get(use.source)
        is_folder = use.source.startswith("/")
        below = "folder of the host" if is_folder else amount(size) if size is not None else "volume"
        _source(canvas, x, y, use.source, below, is_folder)
        middles.append(y + DRUM.height / 2)
        canvas.text(x, y + DRUM.height + 15, f"→ {harmless(use.target)}", CODE, "ink", room=DRUMS - 28, is_path=True,
                    title="read-only, at" if use.is_readonly else "at")  # fmt: skip
        if use.is_readonly:
            canvas.text(x, y + DRUM.height + 29, "read-only", CAPTION, "muted")
        canvas.path(f"M{number(x + DRUM.width)} {number(middles[-1])}H{number(meet)}", "pipe")
        y += DRUM.height + (44 if use.is_readonly else 30)
    if len(uses) > 6:
        canvas.text(x, y + 8, f"{len(uses) - 6} more", SMALL, "muted")
    if middles:
        top = middles[0] - DRUM.height / 2 - 2
        canvas.path(f"M{number(meet)} {number(middles[-1])}V{number(top)}H{number(wall)}", "pipe")


def _source(canvas: Canvas, x: float, y: float, name: str, below: str, is_folder: bool) -> None:
    if not is_folder:
        drum(canvas, Box(x, y, DRUM.width, DRUM.height), name, below)
        return
    canvas.path(
        f"M{number(x)} {number(y + 6)}q0-3 3-3h26l6 7h{number(DRUM.width - 38)}q3 0 3 3v{number(DRUM.height - 16)}"
        f"q0 3-3 3H{number(x + 3)}q-3 0-3-3z",
        "drum",
    )
    canvas.cover(x + DRUM.width, y + DRUM.height)
    canvas.text(x + DRUM.width / 2, y + 28, name, CAPTION, "ink", room=DRUM.width - 10, anchor="mid", is_path=True)
    canvas.text(x + DRUM.width / 2, y + 42, "of the host", CAPTION, "muted", anchor="mid", title=below)


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
