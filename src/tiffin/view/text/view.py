"""The union view in characters: the one tree that is seen from above, and at the right the layer that gives each row.

┌ union view ─────────── read-write ┐
│ etc/                              │
│ └ nginx/                          │
│   └ default.conf        7 hides 6 │
│ ✕ old.html           rw removes 8 │
└───────────────────────────────────┘
"""

from __future__ import annotations

from tiffin.view import words
from tiffin.view.text.cells import Pen, Run, Sheet, Style, both_sides

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tiffin.view.picture import Row, View

DEEPEST = 8  # levels that are drawn one inside the other


def view(style: Style, columns: int, shown: View, numbers: Mapping[str, str]) -> Sheet:
    """`numbers` are what the layers are called beside the stack: "7", "rw"."""
    sheet = Sheet(style)
    writable = Run("read-write", Pen.RW) if shown.is_writable else Run("read-only", Pen.PLAIN)
    at = sheet.put(0, 0, "┌")
    at = sheet.put(0, at, " union view ", Pen.BOLD)
    end = sheet.put_right(0, columns - 2, [writable])
    sheet.put(0, at, "─" * (end - 1 - at))
    sheet.put(0, columns - 1, "┐")
    branches = _branches(shown.rows)
    for number, (row, branch) in enumerate(zip(shown.rows, branches, strict=True), start=1):
        sheet.put(number, 0, "│")
        right = _giver(row, numbers)
        is_own = row.layer == shown.of and shown.is_writable
        giver = [Run(right, Pen.RW_BOLD if is_own else Pen.DIM)] if right else []
        left = [Run(branch, Pen.DIM), *_name(sheet, row, is_own, columns - 5 - len(branch) - len(right))]
        both_sides(sheet, number, 2, columns - 2, left, giver)
        sheet.put(number, columns - 1, "│")
    sheet.put(len(shown.rows) + 1, 0, "└" + "─" * (columns - 2) + "┘")
    return sheet


def _name(sheet: Sheet, row: Row, is_own: bool, columns: int) -> list[Run]:
    if row.kind == "more":
        return [Run(f"… {row.number} more", Pen.DIM)]
    text = sheet.say(row.name) + ("/" if row.kind == "folder" else "")
    if row.is_removed:
        return [Run("✕ ", Pen.BAD), Run(words.cut_middle(text, columns - 2), Pen.DIM)]
    shown = Run(words.cut_middle(text, columns), Pen.RW_BOLD if is_own else Pen.PLAIN)
    return [shown, Run(f" → {sheet.say(row.target)}", Pen.DIM)] if row.target else [shown]


def _giver(row: Row, numbers: Mapping[str, str]) -> str:
    """Which layer gives it, and what that does to the one below."""
    inside = words.many(row.number, "name") if row.kind == "folder" and row.number else ""
    number, hidden = numbers.get(row.layer, ""), numbers.get(row.hides, "")
    if number and hidden:
        number += f" {'removes' if row.is_removed else 'hides'} {hidden}"
    return f"{inside}  {number}" if inside and number else inside or number


def _branches(rows: Sequence[Row]) -> list[str]:
    """What is drawn before each name, from the bottom up: whether more follows on a level is known there."""
    found, following = list[str](), set[int]()
    for row in reversed(rows):
        depth = row.depth
        following = {level for level in following if level <= depth}
        branch = ""
        if depth:
            branch = "".join("│ " if level in following else "  " for level in range(1, depth))
            branch += "├ " if depth in following else "└ "
        following.add(depth)
        found.append(branch[-2 * DEEPEST :])
    return found[::-1]
