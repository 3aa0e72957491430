"""What stands beside a stack: the union view, and cards of metadata.

Both are drawn from a corner downwards, and tell how high they have become.
"""

from __future__ import annotations

from tiffin.record import NamedTuple
from tiffin.view.picture import Card, Row, View
from tiffin.view.svg.canvas import (
    CAPTION,
    CODE,
    CODE_BOLD,
    SMALL,
    SMALL_BOLD,
    Canvas,
    measure,
    number,
)
from tiffin.view.words import harmless, many

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HEADER = 30
ROW = 20
INDENT = 15
MOST_ROWS = 48
MOST_DEPTH = 8  # folders within one another that are moved to the right; deeper ones stand below each other
CARD_ROW = 19
MOST_CARD_ROWS = 24
CUT = 14  # the corner of a card

KINDS = {"folder": "folder", "file": "file", "link": "link", "device": "device"}


class Seen(NamedTuple):
    """A union view as it was drawn: its height, and the middle of the only row that the container wrote."""

    height: float
    own: float | None


def view_height(view: View | None) -> float:
    """How high it will be."""
    if view is None:
        return 0
    return HEADER + 12 + ROW * (max(1, min(len(view.rows), MOST_ROWS)) + (len(view.rows) > MOST_ROWS))


def union_view(canvas: Canvas, x: float, y: float, width: float, view: View, numbers: Mapping[str, str]) -> Seen:
    """What one sees looking down on a stack, and which layer gives it: `numbers` are their heights, by id."""
    height = view_height(view)
    canvas.rect(x, y, width, height, "box", r=4)
    canvas.sign("eye", x + 12, y + 7, "ink", "what one sees from above")
    canvas.text(x + 36, y + 19.5, "union view", SMALL_BOLD, "ink")
    if view.is_writable:
        canvas.sign("pencil", x + width - 25, y + 8, "rwS", "read-write", size=14)
    else:
        canvas.sign("lock", x + width - 25, y + 8, "layS", "read-only", size=14)
    canvas.text(x + width - 32, y + 19, "/", CODE, "muted", anchor="end")
    canvas.path(f"M{number(x)} {number(y + HEADER)}h{number(width)}", "rule")
    at, own = y + HEADER + 6, list[float]()
    for row in view.rows[:MOST_ROWS]:
        if view.is_writable and row.layer == view.of and row.kind != "more":
            own.append(at + ROW / 2)
            canvas.rect(x + 1.2, at, width - 2.4, ROW, "mine")
        _row(canvas, x, at, width, row, numbers, is_own=view.is_writable and row.layer == view.of)
        at += ROW
    if not view.rows:
        canvas.text(x + 14, at + 14, "no files", SMALL, "muted")
    if len(view.rows) > MOST_ROWS:
        canvas.text(x + 14, at + 14, f"{len(view.rows) - MOST_ROWS} more", SMALL, "muted")
    return Seen(height, own[0] if len(own) == 1 else None)


def _row(
    canvas: Canvas, x: float, y: float, width: float, row: Row, numbers: Mapping[str, str], *, is_own: bool
) -> None:
    left, base = x + 14 + INDENT * min(row.depth, MOST_DEPTH), y + 14
    if row.kind == "more":
        canvas.text(left + 20, base, f"{row.number} more", SMALL, "muted", room=width - (left - x) - 30)
        return
    note = _note(row, numbers)
    ink = "bad" if row.is_removed else "rwT" if is_own else "muted"
    right = canvas.text(x + width - 12, base, note, SMALL, ink, room=width * 0.5, anchor="end")
    sign, word = ("failed", "removed") if row.is_removed else (KINDS.get(row.kind, "file"), row.kind)
    canvas.sign(sign, left, y + 3, "bad" if row.is_removed else "rwS" if is_own else "muted", word, size=14)
    room = x + width - 12 - right - 8 - (left + 20)
    name = row.name + ("/" if row.kind == "folder" else "") + (f" → {row.target}" if row.target else "")
    bold = CODE_BOLD if is_own and not row.is_removed else CODE
    used = canvas.text(left + 20, base, name, bold, "bad" if row.is_removed else "rwT" if is_own else "ink",
                       room=max(room, 30), is_gone=row.is_removed, is_path="/" in row.name)  # fmt: skip
    if row.number and row.kind == "folder":
        canvas.text(left + 28 + used, base, str(row.number), CAPTION, "muted", room=max(room - used - 8, 1),
                    title=f"{many(row.number, 'name')} in it")  # fmt: skip


def _note(row: Row, numbers: Mapping[str, str]) -> str:
    giver, hidden = numbers.get(row.layer, ""), numbers.get(row.hides, "")
    if row.is_removed:
        return f"{giver} removes {hidden}".strip()
    return f"{giver} hides {hidden}".strip() if hidden else giver


def card_height(card: Card) -> float:
    rows = min(len(card.rows), MOST_CARD_ROWS) + (len(card.rows) > MOST_CARD_ROWS)
    return 36 + CARD_ROW * rows + (8 if rows else 0)


def card(canvas: Canvas, x: float, y: float, width: float, card: Card) -> float:
    """Metadata: a card with a corner cut off and a punched hole. Its height."""
    height = card_height(card)
    canvas.path(
        f"M{number(x + 4)} {number(y)}H{number(x + width - CUT)}l{CUT} {CUT}V{number(y + height - 4)}q0 4-4 4"
        f"H{number(x + 4)}q-4 0-4-4V{number(y + 4)}q0-4 4-4z",
        "card",
    )
    canvas.cover(x + width, y + height)
    canvas.circle(x + width - 17, y + 19, 3, "box-mark")
    kind = canvas.text(x + 12, y + 20, card.kind, SMALL_BOLD, "ink", room=width * 0.4)
    canvas.text(x + 12 + kind + 6, y + 20, card.title, SMALL_BOLD, "ink", room=width - kind - 48)
    if not card.rows:
        return height
    canvas.path(f"M{number(x + 12)} {number(y + 30)}H{number(x + width - 12)}", "rule")
    rows = card.rows[:MOST_CARD_ROWS]
    pairs(canvas, x + 12, y + 36, width - 24, rows, column_of((key for key, _ in rows), width))
    if len(card.rows) > MOST_CARD_ROWS:
        canvas.text(
            x + 12, y + 49 + CARD_ROW * MOST_CARD_ROWS, f"{len(card.rows) - MOST_CARD_ROWS} more", SMALL, "muted"
        )
    return height


def column_of(names: Iterable[str], width: float) -> float:
    """How wide a column of names is."""
    return min(max([62, *(measure(harmless(name), SMALL) + 12 for name in names)]), width * 0.4)


def pairs(canvas: Canvas, x: float, y: float, width: float, rows: Iterable[tuple[str, str]], column: float) -> float:
    """A column of names and a column of values; where it ends."""
    for key, value in rows:
        canvas.text(x, y + 13, key, SMALL, "muted", room=column - 8)
        canvas.text(x + column, y + 13, value, CODE, "ink", room=width - column, is_path=value.startswith("/"))
        y += CARD_ROW
    return y
