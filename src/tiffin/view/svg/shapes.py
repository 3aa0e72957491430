"""The shapes that carry the meaning: closed box, open tray, carrier; and what hangs on them.

    slab      closed, hatched at its left, locked          frame     closed around what runs, with a handle
    tray      walls, no lid, a pencil                      corners   what is left of a frame

All take the place and size of the shape itself; lips and handles stand out of it.
"""

from __future__ import annotations

from tiffin.view.picture import Mark
from tiffin.view.svg.canvas import (
    BOLD,
    CAPTION,
    CAPTION_BOLD,
    CODE,
    SMALL,
    SMALL_BOLD,
    Box,
    Canvas,
    Type,
    fit,
    measure,
    number,
)
from tiffin.view.words import harmless

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

CAP = 26
"""width of a slab's hatched part"""
SMALL_CAP = 20
LIP = 4
"""of a tray, to both sides"""
WALL = 8
"""by which a tray's walls rise above its content"""
ARROW = 14
HANDLE = 13
"""height of a frame's handle"""
TAG = 22
"""height of a name tag"""
CORNER = 12
CHIP = 17

WORDS = {Mark.NEW: "new", Mark.CHANGED: "changed", Mark.MAKING: "being made", Mark.GOING: "going away"}


def slab(canvas: Canvas, box: Box, mark: str = Mark.NONE, *, edges: int = 0, cap: float = CAP) -> None:
    """A closed box with its hatched cap and lock. `edges` of others look out from behind it."""
    x, y, width, height = box
    lit = {Mark.NEW: "-new", Mark.CHANGED: "-changed"}.get(mark, "")
    for step in range(edges, 0, -1):
        canvas.path(
            f"M{number(x + 3 * step)} {number(y - 3 * step + 3)}v-3H{number(box.right - 3 * step)}v3", f"edge{lit}"
        )
    if mark in (Mark.MAKING, Mark.GOING):
        canvas.rect(x, y, width, height, "slab-ghost", r=4)
    else:
        canvas.rect(x, y, width, height, f"slab{lit}", r=4)
        low, high = number(y + height - 1), number(y + 4)
        canvas.texture(f"M{number(x + cap)} {number(y + 1)}V{low}H{number(x + 4)}q-3 0-3-3V{high}q0-3 3-3z", "hatch")
    if cap >= SMALL_CAP:
        canvas.path(f"M{number(x + cap)} {number(y)}v{number(height)}", f"edge{lit}")
        canvas.circle(
            x + cap / 2,
            y + height / 2,
            min(9, height / 2 - 3, cap / 2 - 1.5),
            "plain-new" if mark == Mark.NEW else "plain",
        )
        canvas.sign(
            "lock", x + cap / 2 - 6, y + height / 2 - 6.3, "lit" if mark == Mark.NEW else "layS", "read-only", size=12
        )


def tray(canvas: Canvas, box: Box, mark: str = Mark.NONE, *, has_arrow: bool = True) -> None:
    """Walls and a floor, open above. What is in it fills the box."""
    x, y, width, height = box
    ghost = mark in (Mark.MAKING, Mark.GOING)
    lit = "-new" if mark == Mark.NEW else ""
    if not ghost:
        inner = f"q0 5 5 5h{number(width - 10)}q5 0 5-5v-{number(height - 5)}z"
        canvas.path(f"M{number(x)} {number(y)}v{number(height - 5)}{inner}", "content")
    down, up = number(height + WALL - 5), number(height + WALL - 5)
    canvas.path(
        f"M{number(x - LIP)} {number(y - WALL)}h{LIP}v{down}q0 5 5 5h{number(width - 10)}q5 0 5-5v-{up}h{LIP}",
        "wall-ghost" if ghost else f"wall{lit}",
    )
    canvas.cover(x + width + LIP, y + height)
    canvas.sign("pencil", x + (9 if height > 40 else 6), y + height / 2 - 7, "rwS", "read-write", size=14)
    if has_arrow and ghost:
        mark_arrow(canvas, x + width / 2 - 8, y - WALL - 18, mark)


def parent_arrow(canvas: Canvas, x: float, y: float, until: float) -> None:
    """From one slab down to the one that it lies on."""
    canvas.path(f"M{number(x)} {number(y)}V{number(until - 1)}m-3.5-3.5l3.5 3.5l3.5-3.5", "arrow")


def frame(canvas: Canvas, box: Box, kind: str, gaps: Sequence[tuple[float, float]] = ()) -> None:
    """The carrier around what runs: `running`, `paused` or `restarting`. Its upper line is open in the gaps."""
    x, y, width, height = box
    canvas.rect(x, y, width, height, f"{kind}-in", r=CORNER)
    if kind == "paused":
        canvas.texture(_round(box), "frost")
    r, right, bottom, middle = CORNER, box.right, box.bottom, x + width / 2
    ends = [x + r, *(edge for gap in gaps for edge in gap), right - r]
    top = "".join(f"M{number(a)} {number(y)}H{number(b)}" for a, b in zip(ends[::2], ends[1::2], strict=True) if b > a)
    handle = f"M{number(middle - 26)} {number(y)}v-7a6 6 0 0 1 6-6h40a6 6 0 0 1 6 6v7"
    left = f"A{r} {r} 0 0 1 {number(x)} {number(bottom - r)}V{number(y + r)}a{r} {r} 0 0 1 {r}-{r}"
    corner = f"M{number(right - r)} {number(y)}a{r} {r} 0 0 1 {r} {r}"
    if kind == "restarting":
        low, far = y + height * 0.78, x + width * 0.72
        canvas.path(f"{handle}{top}{corner}V{number(low)}M{number(far)} {number(bottom)}H{number(x + r)}{left}", kind)
        rest = f"M{number(right)} {number(low + 6)}V{number(bottom - r)}a{r} {r} 0 0 1-{r} {r}H{number(far + 6)}"
        canvas.path(rest, "restarting-open")
    else:
        rest = f"V{number(bottom - r)}a{r} {r} 0 0 1-{r} {r}H{number(x + r)}{left}"
        canvas.path(f"{top}{corner}{rest}", kind)
        canvas.path(handle, "restarting" if kind == "paused" else kind)  # dashes would hide its shape


def corners(canvas: Canvas, box: Box, *, is_bad: bool) -> None:
    """Where the frame of what has ended stood."""
    x, y, r = box.x, box.y, CORNER
    right, bottom, leg = box.right, box.bottom, 16 - CORNER
    canvas.path(
        f"M{number(x)} {number(y + 16)}v-{leg}a{r} {r} 0 0 1 {r}-{r}h{leg}"
        f"M{number(right - 16)} {number(y)}h{leg}a{r} {r} 0 0 1 {r} {r}v{leg}"
        f"M{number(right)} {number(bottom - 16)}v{leg}a{r} {r} 0 0 1-{r} {r}h-{leg}"
        f"M{number(x + 16)} {number(bottom)}h-{leg}a{r} {r} 0 0 1-{r}-{r}v-{leg}",
        "corner-bad" if is_bad else "corner",
    )
    canvas.cover(right, bottom)


def tag_width(name: str, room: float = 10_000) -> float:
    return min(measure(harmless(name), SMALL_BOLD) + 29, room)


def tag(canvas: Canvas, x: float, y: float, name: str, width: float, kind: str = "box") -> None:
    """A name: a luggage tag, its point to the left."""
    right = f"H{number(x + width - 3)}q3 0 3 3v{TAG - 6}q0 3-3 3H{number(x + 9)}z"
    canvas.path(f"M{number(x)} {number(y + TAG / 2)}l9-{TAG / 2:g}{right}", kind)
    canvas.circle(x + 12, y + TAG / 2, 2, "box-mark")
    canvas.text(x + 19, y + 15.2, name, SMALL_BOLD, "ink", room=width - 27, is_path=True)  # its end tells the most
    canvas.cover(x + width, y + TAG)


def tags(canvas: Canvas, right: float, y: float, names: Sequence[str], room: float) -> float:
    """Tags side by side up to `right`, as many as have room; how many more there are in words. The width of all."""
    shown = list[tuple[str, float]]()
    left = room
    for place, name in enumerate(names):
        reserve = 0 if place == len(names) - 1 else 38
        width = tag_width(name, left - reserve if not shown else 10_000)
        if width > left - reserve or width < 48:
            break
        shown.append((name, width))
        left -= width + 5
    more = len(names) - len(shown)
    text = f"+{more}" if shown else f"{more} names"
    x = right
    if more and measure(text, SMALL) <= left:
        canvas.text(right, y + 15.2, text, SMALL, "muted", anchor="end", title=", ".join(names[len(shown) :])[:200])
        x -= measure(text, SMALL) + 6
    for name, width in reversed(shown):
        x -= width
        tag(canvas, x, y, name, width)
        x -= 5
    return right - x


def chip(canvas: Canvas, x: float, y: float, name: str, room: float, kind: str, sign: str, ink: str, word: str,
         type: Type) -> float:  # fmt: skip
    """A file's name in a little box; its width, 0 if there is no room."""
    shown = fit(harmless(name), type, room - 30)
    if len(shown) < min(4, len(name)):
        return 0
    width = measure(shown, type) + 30
    canvas.rect(x, y, width, CHIP, kind, r=3)
    canvas.sign(sign, x + 6, y + 2.5, ink, word, size=12)
    canvas.text(x + 22, y + 12.5, name, type, ink if ink == "bad" else "muted" if "ghost" in kind else "ink",
                room=room - 30, title=word if shown == name else f"{word}: {name}")  # fmt: skip
    return width


def mark_width(mark: str, *, has_arrow: bool = True) -> float:
    """Of the word for how it differs from before, with its arrow."""
    arrow = ARROW + 4 if has_arrow and mark in (Mark.MAKING, Mark.GOING) else 0
    return measure(WORDS.get(mark, ""), CAPTION_BOLD) + arrow


def mark_word(canvas: Canvas, x: float, y: float, mark: str, *, has_arrow: bool = True) -> float:
    """The word for how it differs from before, an arrow before it where it comes or goes; the width."""
    left = x
    if has_arrow and mark in (Mark.MAKING, Mark.GOING):
        mark_arrow(canvas, x, y - ARROW + 2, mark)
        left += ARROW + 4
    canvas.text(left, y, WORDS.get(mark, ""), CAPTION_BOLD, "lit" if mark in (Mark.NEW, Mark.CHANGED) else "rwT")
    return mark_width(mark, has_arrow=has_arrow)


def mark_arrow(canvas: Canvas, x: float, y: float, mark: str) -> None:
    """Down for what is being made, up for what goes away."""
    canvas.sign("down" if mark == Mark.MAKING else "removing", x, y, "rwS", WORDS[mark], size=ARROW)


def drum(canvas: Canvas, box: Box, name: str, below: str) -> None:
    """A volume."""
    x, y, width, height = box
    half, rise = width / 2, 6
    body = f"M{number(x)} {number(y + rise)}v{number(height - 2 * rise)}a{number(half)} {rise} 0 0 0 {number(width)} 0"
    lid = f"a{number(half)} {rise} 0 0 0-{number(width)} 0a{number(half)} {rise} 0 0 0 {number(width)} 0"
    canvas.path(f"{body}v-{number(height - 2 * rise)}{lid}", "drum")
    name_type = BOLD if width > 90 else SMALL_BOLD
    canvas.text(x + half, y + height / 2 + 5, name, name_type, "ink", room=width - 10, anchor="mid")
    canvas.text(x + half, y + height / 2 + 19, below, CAPTION, "muted", room=width - 10, anchor="mid")
    canvas.cover(x + width, y + height)


def rail(canvas: Canvas, x: float, y: float, right: float, name: str, subnet: str, room: float) -> None:
    """A network; whoever is in it hangs on a ring."""
    canvas.path(f"M{number(x)} {number(y)}H{number(right)}", "rail")
    used = canvas.text(x, y - 7, name, SMALL_BOLD, "ink", room=room * 0.6)
    canvas.text(x + used + 8, y - 7, subnet, CODE, "muted", room=room - used - 8)
    canvas.cover(right, y + 2)


def socket(canvas: Canvas, x: float, y: float) -> None:
    """A port through a frame, around this point."""
    canvas.circle(x, y, 7, "socket")
    canvas.circle(x, y, 2.4, "socket-in")


def _round(box: Box) -> str:
    r = CORNER
    return (
        f"M{number(box.x + r)} {number(box.y)}H{number(box.right - r)}a{r} {r} 0 0 1 {r} {r}"
        f"V{number(box.bottom - r)}a{r} {r} 0 0 1-{r} {r}H{number(box.x + r)}a{r} {r} 0 0 1-{r}-{r}"
        f"V{number(box.y + r)}a{r} {r} 0 0 1 {r}-{r}z"
    )
