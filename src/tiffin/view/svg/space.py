"""What holds a process space together: limits and use, protections and namespaces, as they were read back."""

from __future__ import annotations

from tiffin.view import signs
from tiffin.view.picture import Gauge, Namespace, Protection, Space
from tiffin.view.svg.boxes import CARD_ROW, column_of, pairs
from tiffin.view.svg.canvas import CAPTION, SMALL, SMALL_BOLD, Canvas, measure, number
from tiffin.view.words import harmless

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

BAR = 46
LINE = 16
MOST_LINES = 3
EDGE = 12


def space_panel(canvas: Canvas, x: float, y: float, width: float, space: Space) -> float:
    """From the corner x, y on; where it ends below. Nothing where there is nothing to say."""
    if not (space.gauges or space.protections or space.namespaces or space.cgroup):
        return y
    place, left, room = len(canvas.parts), x + EDGE, width - 2 * EDGE
    canvas.text(left, y + 20, "process space", SMALL_BOLD, "fr")
    canvas.path(f"M{number(left)} {number(y + 30)}H{number(left + room)}", "rule")
    names = ("cgroup", *(gauge.name for gauge in space.gauges), *(one.name for one in space.protections))
    column, at = column_of(names, width), y + 36
    for gauge in space.gauges:
        at = _gauge(canvas, left, at, room, gauge, column)
    at = pairs(canvas, left, at, room, [("cgroup", space.cgroup)] if space.cgroup else [], column)
    for protection in space.protections:
        at = _protection(canvas, left, at, room, protection, column)
    if space.namespaces:
        at = _namespaces(canvas, left, at, room, space.namespaces)
    box = Canvas()
    box.rect(x, y, width, at + 8 - y, "capsule", r=8)
    canvas.behind(place, box)
    return at + 8


def _gauge(canvas: Canvas, x: float, y: float, width: float, gauge: Gauge, column: float) -> float:
    """A bar where there is a limit, and the words."""
    full = gauge.limit is not None and gauge.used is not None and gauge.used >= gauge.limit > 0
    canvas.text(x, y + 13, gauge.name, SMALL, "muted", room=column - 8)
    left = x + column
    if gauge.limit:
        bad = "-bad" if full else ""
        canvas.rect(left, y + 5, BAR, 8, f"gauge{bad}", r=4)
        part = min((gauge.used or 0) / gauge.limit, 1)
        if part > 0:
            canvas.rect(left + 2, y + 7, max((BAR - 4) * part, 4), 4, f"gauge-fill{bad}", r=2)
        left += BAR + 8
    canvas.text(left, y + 13, signs.use(gauge), SMALL, "bad" if full else "ink", room=x + width - left)
    return y + CARD_ROW


def _protection(canvas: Canvas, x: float, y: float, width: float, protection: Protection, column: float) -> float:
    """A name, and what it does in a few lines."""
    canvas.text(x, y + 13, protection.name, SMALL, "muted", room=column - 8)
    end = canvas.lines(
        x + column, y + 13, protection.text, SMALL, "ink", room=width - column, pitch=LINE, most=MOST_LINES
    )
    return max(end - 13, y + LINE) + CARD_ROW - LINE


def _namespaces(canvas: Canvas, x: float, y: float, width: float, namespaces: Sequence[Namespace]) -> float:
    canvas.text(x, y + 14, "namespaces", SMALL, "muted")
    canvas.text(x + width, y + 14, "solid: its own, dashed: the host's", CAPTION, "muted", anchor="end",
                room=width - 90)  # fmt: skip
    at = y + 22
    for row in _chip_rows(namespaces, width):
        left = x
        for namespace, wide in row:
            canvas.rect(left, at, wide, 19, "chip-own" if namespace.is_own else "chip-ghost", r=3)
            whose, ink = ("its own", "ink") if namespace.is_own else ("the host's", "muted")
            canvas.text(left + 8, at + 13.5, _kind(namespace), SMALL, ink, room=wide - 15,
                        title=f"{namespace.kind}, {whose}, {namespace.number}")  # fmt: skip
            left += wide + 6
        at += 24
    return at


def _chip_rows(namespaces: Sequence[Namespace], width: float) -> list[list[tuple[Namespace, float]]]:
    rows, left = [list[tuple[Namespace, float]]()], width
    for namespace in namespaces:
        wide = min(measure(_kind(namespace), SMALL) + 16, width)
        if wide > left and rows[-1]:
            rows.append([])
            left = width
        rows[-1].append((namespace, wide))
        left -= wide + 6
    return rows


def _kind(namespace: Namespace) -> str:
    return signs.NAMESPACES.get(namespace.kind) or harmless(namespace.kind)
