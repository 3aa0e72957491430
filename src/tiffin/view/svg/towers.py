"""Stacks that share layers, as towers on one ground: each layer once, as wide as all that stands on it.

What runs stands in its frame on its image; the frame does not enclose the image, for others stand on it too. Networks
are rails above, volumes drums in the free air, each with a bracket of its own to those that use it.
"""

from __future__ import annotations

from tiffin.record import NamedTuple
from tiffin.view import signs
from tiffin.view.forest import Crowd, Fold, in_order
from tiffin.view.layout import Layout, Place
from tiffin.view.picture import Picture, Slab, Tray, is_new, short
from tiffin.view.svg.canvas import BOLD, CAPTION, CODE, SMALL, Box, Canvas, fit, measure, number
from tiffin.view.svg.shapes import HANDLE, TAG, mark_word, socket, tag, tag_width, tray
from tiffin.view.svg.slabs import Level, Style, join_down, levels, put_slab
from tiffin.view.svg.states import look, message, state_sign, surround, trouble
from tiffin.view.svg.trays import bowl, is_leaving
from tiffin.view.words import amount, harmless, many

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

NARROWEST, WIDEST, WHOLE = 120, 150, 1700
MOST_COLUMNS = 24
"""more are drawn from afar"""
BLOCK = 108
"""height of a container with its frame"""
PORTS = 20
BOWL = 30
BOWL_LIFT = 8
"""height of the tray in it"""
GROUNDS = 40
"""between two grounds"""
DOTS = 6
SIGN = 12
PITCH = 13
MOST_ROWS = 8


def host_style(columns: int) -> Style:
    """Columns as wide as names need, unless there are many."""
    column = max(NARROWEST, min(WIDEST, WHOLE // max(columns, 1) // 2 * 2))
    return Style(column=column, free=8, slab=34, fold=34, gap=7, is_full=False)


class Ground(NamedTuple):
    """Where the towers stand: the left end, y of the ground, and how everything is measured."""

    x: float
    y: float
    style: Style
    levels: tuple[Level, ...]
    gaps: tuple[int, ...]
    block: float

    def column(self, column: int) -> float:
        """x of a column."""
        return self.x + self.style.column * column + GROUNDS * sum(gap <= column for gap in self.gaps)

    def box(self, place: Place) -> Box:
        """Of a slab or of what stands on one."""
        left = self.column(place.column)
        width = self.column(place.column + place.span - 1) + self.style.column - self.style.free - left
        level = self.levels[min(place.level, len(self.levels) - 1)]
        height = level.height if isinstance(place.item, Slab | Fold) else _height(place.item, self.style, self.block)
        return Box(left, self.y - level.low - height, width, height)


def ground_for(layouts: Sequence[Layout], style: Style, x: float, y: float) -> Ground:
    """For layouts that are drawn to the same places; y is where their tops may be."""
    known = levels(layouts, style)
    items = [(place, place.item) for layout in layouts for place in layout.places]
    has_ports = any(isinstance(item, Tray) and item.ports for _, item in items)
    block = BLOCK + PORTS * has_ports
    top = 0.0
    for place, item in items:
        low = known[min(place.level, len(known) - 1)].low
        if isinstance(item, Slab | Fold):
            above = known[place.level].height + known[place.level].above
        else:
            above = _height(item, style, block) + HANDLE + 6
        top = max(top, low + above)
    return Ground(x, y + top, style, known, layouts[0].gaps, block)


def towers_width(layout: Layout, style: Style) -> float:
    return style.column * layout.columns - style.free + GROUNDS * len(layout.gaps)


def draw_towers(canvas: Canvas, picture: Picture, layout: Layout, ground: Ground) -> None:
    """Slabs first, then what stands on them."""
    _floor(canvas, picture, layout, ground)
    for place in layout.places:
        if isinstance(place.item, Slab | Fold):
            put_slab(canvas, ground.box(place), place, ground.style, {})
            if ground.style.is_full and place.level:
                join_down(canvas, ground.box(place), ground.y - ground.levels[place.level - 1].top)
    for place in layout.places:
        if isinstance(place.item, Tray):
            _block(canvas, ground.box(place), place.item, picture.at)
        elif isinstance(place.item, Crowd):
            _crowd(canvas, ground.box(place), place.item, picture.at)


def _floor(canvas: Canvas, picture: Picture, layout: Layout, ground: Ground) -> None:
    """The line that everything stands on; images without a layer are tags that stand on it."""
    right = ground.x + towers_width(layout, ground.style)
    names = picture.ground_names
    for name in names[:4]:
        width = tag_width(name, 180)
        right += 16
        tag(canvas, right, ground.y - TAG - 4, name, width)
        right += width
    if len(names) > 4:
        right += 12
        right += canvas.text(right, ground.y - 10, f"{len(names) - 4} more names", SMALL, "muted")
    canvas.path(f"M{number(ground.x - 14)} {number(ground.y + 1)}H{number(right + 14)}", "ground")
    canvas.cover(right + 14, ground.y + 2)


def _block(canvas: Canvas, box: Box, item: Tray, at: float) -> None:
    """A container: its name and state, its processes as dots, its tray."""
    surround(canvas, box, item)
    left, room = box.x + 10, box.width - 20
    state_sign(canvas, left, box.y + 11, item, at)
    name = item.name or ("new container" if is_new(item.id) else short(item.id))
    canvas.text(left + 20, box.y + 22.5, name, BOLD, "ink", room=room - 20, title=_told(item, at))
    used = mark_word(canvas, left, box.y + 42, item.mark) + 10 if item.mark else 0
    if room - used > 40:
        _doing(canvas, left + used, box.y + 42, room - used, item, at)
    if item.ports:
        _socket(canvas, box, box.y + 58, item)
    low = _low(box, BOWL_LIFT if is_leaving(item) else 0)
    bowl(canvas, low, item, has_arrow=False)
    _weigh(canvas, low, signs.size(item) if item.size is not None else "")


def _doing(canvas: Canvas, x: float, y: float, room: float, item: Tray, at: float) -> None:
    """What it is doing: dots for its processes, or words for its end."""
    known = item.space.processes if item.space else None
    if item.is_alive and known:
        sign, ink = ("paused", "ice") if item.state == "paused" else ("dot", "fr")
        shown = min(len(known), DOTS)
        for place, process in enumerate(known[:shown]):
            told = f"{process.pid or 'new'} {process.name}"[:80]
            canvas.sign(sign, x + 1 + (SIGN + 1) * place, y - 10, ink, told, size=SIGN)
        canvas.text(x + room, y, str(len(known)), CAPTION, "muted", anchor="end", title="processes")
    elif trouble(item):
        message(canvas, x, y, item, room)
    else:
        words, ink = signs.word(item, at), look(item).ink
        if measure(words, CAPTION) > room:
            words = signs.word(item) if item.exit_code is not None else item.state
        canvas.text(x, y, words, CAPTION, "bad" if ink == "bad" else "muted", room=room)


def _socket(canvas: Canvas, box: Box, y: float, item: Tray) -> None:
    ports = item.ports
    if item.is_alive:
        socket(canvas, box.right, y - 4)
    text = ports[0] + (f" +{len(ports) - 1}" if len(ports) > 1 else "")
    canvas.text(box.right - 12, y, text, CODE, "ink" if item.is_alive else "muted", room=box.width - 22, anchor="end",
                title=", ".join(ports)[:200] if len(ports) > 1 else "")  # fmt: skip


def _height(item: Tray | Crowd, style: Style, block: float) -> float:
    """Of a container, or of a crowd with all its signs."""
    if isinstance(item, Tray):
        return block
    rows = min(-(-len(item.trays) // _per_line(style.column - style.free)), MOST_ROWS)
    return max(block, 28 + PITCH * rows + 14 + BOWL + 9)


def _per_line(width: float) -> int:
    return max(int((width - 18) // PITCH), 1)


def _crowd(canvas: Canvas, box: Box, item: Crowd, at: float) -> None:
    """Many of one kind: how many, a sign for each, and all that they wrote in one tray."""
    left, room, per_line = box.x + 10, box.width - 20, _per_line(box.width)
    count = f" × {len(item.trays)}"
    name = fit(harmless(item.label), BOLD, room - measure(count, BOLD))
    canvas.text(left, box.y + 17, name + count, BOLD, "ink", title=many(len(item.trays), "container"))
    most = per_line * MOST_ROWS
    shown = most if len(item.trays) <= most else most - 3  # the last three places say how many more
    for place, one in enumerate(in_order(item.trays)[:shown]):
        sign, ink = look(one)
        x, y = left + PITCH * (place % per_line), box.y + 27 + PITCH * (place // per_line)
        canvas.sign(sign, x, y, ink, _told(one, at), size=11)
    if len(item.trays) > shown:
        x, y = left + PITCH * (shown % per_line), box.y + 27 + PITCH * (shown // per_line)
        canvas.text(x, y + 10, f"+{len(item.trays) - shown}", CAPTION, "muted", room=PITCH * 3)
    sizes = [one.size for one in item.trays]
    tray(canvas, _low(box))
    least = "at least " * any(tray.is_least for tray in item.trays)
    _weigh(canvas, _low(box), "" if None in sizes else least + amount(sum(size or 0 for size in sizes)))


def _low(box: Box, lift: float = 0) -> Box:
    """The place of the tray in a container's block."""
    return Box(box.x + 14, box.bottom - 9 - BOWL - lift, box.width - 28, BOWL)


def _weigh(canvas: Canvas, box: Box, size: str) -> None:
    """How much is in a tray."""
    canvas.text(box.right - 8, box.y + 20, size, SMALL, "rwT", anchor="end",
                room=box.width - 32)  # fmt: skip


def _told(item: Tray, at: float) -> str:
    name = harmless(item.name or "container", 80)
    return f"{name}: {signs.word(item, at)}" + (f", {harmless(item.reason, 120)}" if item.reason else "")
