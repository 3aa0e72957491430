"""One slab with all that is written on it, in full or small; and how high each level of a layout becomes.

full     two lines; tags and settings in the gap above      a stack alone, before and after a command
small    one line with the tags in it                       the host
"""

from __future__ import annotations

from tiffin.record import NamedTuple
from tiffin.view.forest import Crowd, Fold, marked
from tiffin.view.layout import Layout, Place
from tiffin.view.picture import Mark, Slab, short
from tiffin.view.svg.canvas import CAPTION, CODE, PLAIN, SMALL, Box, Canvas, fit, measure, number
from tiffin.view.svg.shapes import (
    ARROW,
    CAP,
    SMALL_CAP,
    TAG,
    WORDS,
    chip,
    mark_arrow,
    mark_width,
    mark_word,
    parent_arrow,
    slab,
    tags,
)
from tiffin.view.words import amount, harmless, many

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GAP = 9
SETTINGS = 24
HANGING = 27
"""height of a row of tags"""
JOINT = 38
"""from a slab's left edge to the arrows to and from it"""


class Style(NamedTuple):
    column: float
    """its width, with what is free beside it"""
    free: float
    slab: float
    fold: float
    gap: float
    is_full: bool


class Level(NamedTuple):
    low: float
    """above the ground"""
    height: float
    above: float
    """up to the next level"""

    @property
    def top(self) -> float:
        return self.low + self.height


def levels(layouts: Sequence[Layout], style: Style) -> tuple[Level, ...]:
    """The same for all these layouts, so that what is in several has the same place in each."""
    height, above = dict[int, float](), dict[int, float]()
    for layout in layouts:
        for place in layout.places:
            if isinstance(place.item, Slab | Fold):
                high = style.slab if isinstance(place.item, Slab) else style.fold
                height[place.level] = max(height.get(place.level, 0), high)
                above[place.level] = max(above.get(place.level, 0), _above(place.item, style))
    found, low = list[Level](), 0.0
    for level in range(max(height, default=-1) + 1):
        found.append(Level(low, height[level], above[level]))
        low += height[level] + above[level]
    return (*found, Level(low, 0, 0))


def _above(item: Slab | Fold, style: Style) -> float:
    if not style.is_full:
        return style.gap + (4 if isinstance(item, Fold) else 0)
    settings = _settings(item)
    return style.gap + (6 if isinstance(item, Fold) else 0) + SETTINGS * bool(settings) + HANGING * bool(item.names)


def numbers(layout: Layout) -> dict[str, str]:
    """The height of each slab in its stack, by id, and `rw` for trays."""
    found = dict[str, str]()
    for place in layout.places:
        item = place.item
        if isinstance(item, Slab):
            found[item.id] = place.number
        elif isinstance(item, Fold):
            first = int(place.number.split("–")[0])
            found |= {slab.id: str(first + step) for step, slab in enumerate(item.slabs)}
        else:
            found |= {one.id: "rw" for one in (item.trays if isinstance(item, Crowd) else (item,))}
    return found


def put_slab(canvas: Canvas, box: Box, place: Place, style: Style, hidden: Mapping[str, Sequence[str]]) -> None:
    """A slab or a fold. `hidden` are names of files, by the slab that has a version of them that nobody sees."""
    item = place.item
    assert isinstance(item, Slab | Fold)
    mark = marked(item)
    slab(canvas, box, mark, edges=2 if isinstance(item, Fold) else 0, cap=CAP if style.is_full else SMALL_CAP)
    if style.is_full:
        _full(canvas, box, item, mark, hidden.get(item.id, ()))
        _hang(canvas, box, item)
    else:
        _small(canvas, box, item, mark)


def label(item: Slab | Fold) -> str:
    """What made it; of a fold how many there are, and what made the topmost."""
    if isinstance(item, Slab):
        return item.label or "layer"
    top = item.slabs[-1].label
    return f"{many(len(item.slabs), 'layer')}{': ' + top if item.names and top else ''}"


def told(item: Slab | Fold) -> str:
    """The whole of it, for a title."""
    size = f", {amount(item.size)}" if item.size is not None else ""
    names = f", named {', '.join(harmless(name, 80) for name in item.names[:8])}" if item.names else ""
    return f"{harmless(label(item), 200)}{size}, {short(item.id)}{names}"


def _full(canvas: Canvas, box: Box, item: Slab | Fold, mark: str, hidden: Sequence[str]) -> None:
    """Two lines: what made it and its size; its id, and what is hidden in it."""
    left, right, base = box.x + CAP + 10, box.right - 12, box.y + 19
    is_low = box.height < 40
    if is_low:
        base = box.y + box.height / 2 + 4.5
    size = canvas.text(right, base, amount(item.size) if item.size is not None else "", SMALL, "muted", anchor="end")
    text = label(item) if isinstance(item, Slab) or item.names else f"{len(item.slabs)} more layers"
    if is_low and mark in WORDS:
        size += 8 + mark_width(mark)
        mark_word(canvas, right - size, base, mark)
    canvas.text(left, base, text, PLAIN, "ink", room=right - size - 10 - left)
    if is_low:
        return
    below = box.y + 35
    digits = short(item.slabs[0].id) + " …" if isinstance(item, Fold) else short(item.id)
    if digits == WORDS[Mark.NEW]:
        mark_word(canvas, left, below, Mark.NEW)
        return
    left += canvas.text(left, below, digits, CODE, "muted", room=right - left) + 12
    if mark in WORDS:
        mark_word(canvas, right - mark_width(mark), below, mark)
    elif hidden and right - left > 70:
        _hidden(canvas, left, right + 4, box.bottom - 20.5, hidden)


def _hidden(canvas: Canvas, left: float, right: float, y: float, names: Sequence[str]) -> None:
    """Versions that nobody sees: dashed chips, as many as have room, the last one at the right end."""
    room, shown = right - left, list[tuple[str, float]]()
    for name in names:
        width = min(measure(harmless(name, 200), CAPTION) + 30, room)
        if width < 60:
            break
        shown.append((name, width))
        room -= width + 5
    for name, width in reversed(shown):
        right -= width
        chip(canvas, right, y, name, width + 0.5, "chip-ghost", "file", "muted", "hidden", CAPTION)
        right -= 5


def _hang(canvas: Canvas, box: Box, item: Slab | Fold) -> None:
    """Above it: the rule of settings, then the tags. The arrow from above passes them on the left."""
    y, settings = box.y - (6 if isinstance(item, Fold) else 0), _settings(item)
    if settings:
        y -= SETTINGS
        _rule(canvas, box, y + SETTINGS / 2 - 1, settings)
    if item.names:
        tags(canvas, box.right - 2, y - HANGING + 3, item.names, box.width - JOINT - 24)


def _rule(canvas: Canvas, box: Box, y: float, settings: Sequence[str]) -> None:
    """Steps that changed only settings: a dotted line, no box."""
    canvas.circle(box.x + 2, y, 2.5, "knob")
    canvas.circle(box.right - 2, y, 2.5, "knob")
    canvas.path(f"M{number(box.x + 8)} {number(y)}H{number(box.x + JOINT - 9)}", "dotted")
    canvas.sign("settings", box.x + JOINT + 10, y - 7, "layS", "only settings: no layer of its own", size=14)
    left = box.x + JOINT + 30
    shown = ", ".join(settings[:6]) + (f", {len(settings) - 6} more" if len(settings) > 6 else "")
    left += canvas.text(left, y + 4, shown, SMALL, "muted", room=box.right - 16 - left) + 6
    if left < box.right - 8:
        canvas.path(f"M{number(left)} {number(y)}H{number(box.right - 7)}", "dotted")


def _small(canvas: Canvas, box: Box, item: Slab | Fold, mark: str) -> None:
    """One line: the tags go before the label, the label before the size."""
    canvas.label(box, f"{WORDS[mark]}: {told(item)}" if mark in WORDS else told(item))
    left, right, base = box.x + SMALL_CAP + 8, box.right - 10, box.y + box.height / 2 + 4.5
    room = right - left
    size = amount(item.size) if item.size is not None else ""
    wide = measure(size, SMALL) + 8
    text = label(item)
    if size and room - wide > 110 + 90 * bool(item.names):
        right -= canvas.text(right, base, size, SMALL, "muted", anchor="end") + 8
    if mark in WORDS:
        right = _note_mark(canvas, left, right, base, mark, 90 if item.names else 40)
    if item.names:
        edge = right if right < box.right - 10 else right + 5
        right = edge - tags(canvas, edge, box.y + (box.height - TAG) / 2, item.names, edge - left + 6) - 3
    room = right - left
    if len(fit(harmless(text), PLAIN, room)) > min(4, len(text) - 1):
        canvas.text(left, base, text, PLAIN, "ink", room=room)


def _note_mark(canvas: Canvas, left: float, right: float, base: float, mark: str, rest: float) -> float:
    """Its word up to `right`, or only its arrow where less than `rest` would be left; where what is left ends."""
    if right - left - mark_width(mark) - 8 > rest or mark == Mark.NEW:
        return right - mark_word(canvas, right - mark_width(mark), base, mark) - 8
    if mark in (Mark.MAKING, Mark.GOING):
        mark_arrow(canvas, right - ARROW, base - ARROW + 2, mark)
        return right - ARROW - 6
    return right


def _settings(item: Slab | Fold) -> tuple[str, ...]:
    return item.settings if isinstance(item, Slab) else item.slabs[-1].settings


def join_down(canvas: Canvas, box: Box, until: float) -> None:
    """The arrow from a slab or tray to what it lies on."""
    if until - box.bottom >= 5:
        parent_arrow(canvas, box.x + JOINT, box.bottom, until)
