"""The whole host: what there is in numbers, rails and drums above, the towers; from afar where they are too many.

       this host                        ▶ 4 running   ‖ 1 paused
shop  ──o────────o──────────────
     (pgdata)    |
        |     ┏━━━━━┓
     ┏━━━━━┓  ┃ api ┃
     ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒
─────────────────────────────────
"""

from __future__ import annotations

from tiffin.record import NamedTuple
from tiffin.view import signs
from tiffin.view.forest import Crowd, in_order
from tiffin.view.layout import Layout, lay_out
from tiffin.view.picture import Picture, Tray
from tiffin.view.svg.canvas import PAGE, PLAIN, SMALL, Box, Canvas, measure, number
from tiffin.view.svg.far import draw_far, far_look, far_width
from tiffin.view.svg.shapes import drum, rail
from tiffin.view.svg.states import Look, look
from tiffin.view.svg.towers import MOST_COLUMNS, Ground, draw_towers, ground_for, host_style, towers_width
from tiffin.view.words import amount, harmless, many

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

NARROWEST = 560.0
RAIL = 36
DRUM = Box(0, 0, 100, 52)
DRUM_AT = 30
"""from a column's left end: the lines of networks pass on the left"""
UNUSED = 3
"""volumes that nobody uses and that are drawn one by one"""
NEAR = ("A slab is as wide as all that stands on it: a layer is stored once, however many images and containers need "
        "it. Orange: what a container wrote. Dots: processes.")  # fmt: skip
FAR = "Each sign is a container, standing on its image. A slab narrower than its name shows it in its title."


class Barrel(NamedTuple):
    """A volume, the column above which it stands, and the places that use it."""

    name: str
    below: str
    slot: int
    users: tuple[int, ...]


def draw_host(canvas: Canvas, x: float, y: float, picture: Picture) -> None:
    """Draw all of it from the corner x, y on."""
    layout = lay_out(picture, crowded=True)
    is_far = layout.columns > MOST_COLUMNS
    wide = far_width(picture) if is_far else towers_width(layout, host_style(layout.columns))
    wide = max(wide, NARROWEST)
    y = _heading(canvas, x, y, picture, wide, far_look if is_far else look)
    if not layout.places and not picture.ground_names and not picture.volumes:
        canvas.text(x, y + 8, "Nothing stands here yet.", PLAIN, "ink")
        return
    bottom = draw_far(canvas, x, y, picture) if is_far else _near(canvas, x, y, picture, layout)
    canvas.lines(x, bottom + 26, FAR if is_far else NEAR, SMALL, "muted", room=wide, pitch=18)


def _near(canvas: Canvas, x: float, y: float, picture: Picture, layout: Layout) -> float:
    y += 14 if picture.networks else 0
    barrels = list(_barrels(picture, layout))
    air = RAIL * len(picture.networks) + (DRUM.height + 22 + 6 * len(barrels) if barrels else 0)
    style = host_style(layout.columns)
    ground = ground_for((layout,), style, x, y + air + 12 * bool(air))
    last = ground.column(max((barrel.slot for barrel in barrels), default=0)) + style.column
    right = max(last, x + towers_width(layout, style))
    _rails(canvas, picture, layout, ground, y, max(right, x + NARROWEST))
    _drums(canvas, layout, ground, barrels, y + RAIL * len(picture.networks) + 8)
    draw_towers(canvas, picture, layout, ground)
    return ground.y + 8


def _far_width(picture: Picture) -> float:
    return NARROWEST


def _heading(
    canvas: Canvas, x: float, y: float, picture: Picture, width: float, looks: Callable[[Tray], Look]
) -> float:
    """Its name, what there is in numbers, how many are in which state. Where that ends."""
    title = harmless(picture.title or "this host")
    top = y + 11
    used = canvas.text(x, y + 22, title[:1].upper() + title[1:], PAGE, "ink", room=width)
    y = canvas.lines(x, y + 46, _stock(picture), SMALL, "muted", room=width, pitch=18) - 46
    counts = [(looks(tray), signs.kind(tray), text) for tray, text in _counts(picture)]
    whole = sum(measure(text, PLAIN) + 42 for _, _, text in counts)
    if whole + used + 60 <= width:
        _signs(canvas, x + width - whole + 24, top, counts, width)
        return y + 46
    return _signs(canvas, x, y + 48, counts, width) + 32


def _signs(canvas: Canvas, x: float, y: float, counts: Sequence[tuple[Look, str, str]], width: float) -> float:
    """A sign and how many, side by side, in as many lines as need be; y of the last one."""
    left = x
    for (sign, ink), kind, text in counts:
        wide = measure(text, PLAIN) + 42
        if left > x and left + wide - 18 > x + width:
            left, y = x, y + 24
        canvas.sign(sign, left, y - 2, ink, kind, size=14)
        canvas.text(left + 21, y + 9.5, text, PLAIN, "ink")
        left += wide
    return y


def _counts(picture: Picture) -> Iterator[tuple[Tray, str]]:
    """One of each kind, and how many there are."""
    kinds: dict[str, list[Tray]] = {}
    for tray in in_order(picture.trays):
        kinds.setdefault("memory" if tray.is_out_of_memory else signs.kind(tray), []).append(tray)
    for kind, trays in kinds.items():
        yield trays[0], f"{len(trays)} out of memory" if kind == "memory" else signs.count(kind, len(trays))


def _stock(picture: Picture) -> str:
    """How many images, layers and bytes, and what they would take if they shared nothing."""
    images = {id for slab in picture.slabs for id in slab.images} | set(picture.ground_images)
    text = f"{many(len(images), 'image')} in {many(len(picture.slabs), 'layer')}"
    sizes = {slab.id: slab.size for slab in picture.slabs}
    if None in sizes.values() or not sizes:
        return f"{text}, {many(len(picture.trays), 'container')}."
    whole, alone = dict[str, int](), 0
    for slab in picture.slabs:
        whole[slab.id] = whole.get(slab.parent or "", 0) + (slab.size or 0)
        alone += whole[slab.id] * len(slab.images)
    stored = sum(size or 0 for size in sizes.values())
    more = f" Without sharing it would be {amount(alone)}." if alone > stored else ""
    return f"{text}, {amount(stored)}; {many(len(picture.trays), 'container')}.{more}"


def _rails(canvas: Canvas, picture: Picture, layout: Layout, ground: Ground, y: float, right: float) -> None:
    lines = {network.name: y + 16 + RAIL * place for place, network in enumerate(picture.networks)}
    for network in picture.networks:
        rail(canvas, ground.x, lines[network.name], right, network.name, network.subnet, 300)
    for place in layout.places:
        if not isinstance(place.item, Tray) or not place.item.networks:
            continue
        box = ground.box(place)
        step = min(14, (box.width / 2 - 26 - 14) / len(place.item.networks))  # up to the handle
        for turn, joined in enumerate(place.item.networks):
            if joined.network in lines:
                at, line = box.x + 10 + step * turn, lines[joined.network]
                canvas.path(f"M{number(at)} {number(line)}V{number(box.y)}", "drop")
                canvas.circle(at, line, 4.5, "ring")


def _barrels(picture: Picture, layout: Layout) -> Iterator[Barrel]:
    """Each volume above the first that uses it; those that nobody uses in the free places, from the right."""
    users: dict[str, list[int]] = {}
    for index, place in enumerate(layout.places):
        item = place.item
        for one in item.trays if isinstance(item, Crowd) else (item,) if isinstance(item, Tray) else ():
            for name in {use.source for use in one.uses}:
                if index not in users.setdefault(name, []):
                    users[name].append(index)
    taken, idle = set[int](), [volume for volume in picture.volumes if volume.name not in users]
    for volume in picture.volumes:
        if volume.name in users:
            slot = layout.places[users[volume.name][0]].column
            while slot in taken:
                slot += 1
            taken.add(slot)
            yield Barrel(volume.name, amount(volume.size) if volume.size is not None else "volume", slot,
                         tuple(users[volume.name]))  # fmt: skip
    slot = layout.columns - 1
    for turn, volume in enumerate(idle[: UNUSED + 1]):
        while slot in taken and slot >= 0:
            slot -= 1
        if slot < 0:
            slot = max(taken) + 1
        taken.add(slot)
        if turn == UNUSED:
            yield Barrel(f"{len(idle) - turn} more", "unused", slot, ())
        else:
            yield Barrel(volume.name, "unused", slot, ())


def _drums(canvas: Canvas, layout: Layout, ground: Ground, barrels: Sequence[Barrel], y: float) -> None:
    """Each drum has its own bracket below, and a line down to each of its users."""
    lines, width = dict[int, int](), min(DRUM.width, ground.style.column - ground.style.free - DRUM_AT)
    for turn, barrel in enumerate(barrels):
        left = ground.column(barrel.slot) + DRUM_AT
        middle, bus = left + width / 2, y + DRUM.height + 10 + 6 * turn
        ends = [middle]
        for user in barrel.users:
            box = ground.box(layout.places[user])
            at = box.right - 12 - 6 * lines.get(user, 0)
            lines[user] = min(lines.get(user, 0) + 1, 2)
            canvas.path(f"M{number(at)} {number(bus)}V{number(box.y)}", "pipe")
            ends.append(at)
        if barrel.users:
            canvas.path(f"M{number(middle)} {number(y + DRUM.height - 6)}V{number(bus)}", "pipe")
            canvas.path(f"M{number(min(ends))} {number(bus)}H{number(max(ends))}", "pipe")
        drum(canvas, Box(left, y, width, DRUM.height), barrel.name, barrel.below)
