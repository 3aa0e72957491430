"""One tray with all that is written on it: what it is and its size, its id, how many paths, some of the files."""

from __future__ import annotations

from tiffin.model.nouns import State
from tiffin.view import signs
from tiffin.view.picture import Mark, Tray, short
from tiffin.view.svg.canvas import BOLD, CAPTION, CODE, SMALL, Box, Canvas
from tiffin.view.svg.shapes import WORDS, chip, mark_width, mark_word, tray

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

GOING_UP = 14
"""by which what goes away is lifted already"""


def is_leaving(item: Tray) -> bool:
    """Whether it is lifted already, or not yet down."""
    return item.mark in (Mark.MAKING, Mark.GOING) or item.state == State.REMOVING


def bowl(canvas: Canvas, box: Box, item: Tray, *, has_arrow: bool = True) -> None:
    """The empty tray of a container, as its state and its mark want it."""
    if item.state == State.DEAD:
        tray(canvas, box, Mark.GOING, has_arrow=False)
    else:
        tray(canvas, box, item.mark or (Mark.GOING if is_leaving(item) else Mark.NONE), has_arrow=has_arrow)


def put_tray(canvas: Canvas, box: Box, item: Tray, removed: Sequence[str]) -> float:
    """A tray in full: what it is and its size; its id and how many paths; files in a row. Where these end."""
    bowl(canvas, box, item)
    mark = item.mark
    left, right = box.x + 32, box.right - 12
    bytes = signs.size(item) if item.size is not None else ""
    size = canvas.text(right, box.y + 17, bytes, SMALL, "rwT", anchor="end")
    canvas.text(left, box.y + 17, "read-write layer", BOLD, "rwT", room=right - size - 8 - left)
    digits = short(item.id)
    if digits == WORDS[Mark.NEW]:
        mark_word(canvas, left, box.y + 34, Mark.NEW)
        mark = Mark.NONE
    else:
        left += canvas.text(left, box.y + 34, digits, CODE, "muted") + 12
    words = 0.0
    if mark in WORDS:
        words = mark_width(mark, has_arrow=False)  # the arrow stands above
        mark_word(canvas, right - words, box.y + 34, mark, has_arrow=False)
        words += 8
    if item.changes and any(item.changes):
        canvas.text(right - words, box.y + 34, _counted(item), CODE, "muted", anchor="end", room=right - words - left,
                    title="paths added, changed, removed")  # fmt: skip
    return _files(canvas, box, item.files, removed)


def _files(canvas: Canvas, box: Box, files: Sequence[str], removed: Sequence[str]) -> float:
    left, y, right = box.x + 32, box.bottom - 25, box.right - 8
    chips = [(path.rstrip("/").rsplit("/", 1)[-1] or path, False) for path in files] + [
        (name, True) for name in removed
    ]
    for place, (name, is_gone) in enumerate(chips):
        more = len(chips) - place - 1
        room = min(right - left - (28 if more else 0), 150)
        kind, sign, ink, word = (("chip-bad", "failed", "bad", "removed") if is_gone
                                 else ("chip", "file", "rwS", "written by this container"))  # fmt: skip
        used = chip(canvas, left, y, name, room, kind, sign, ink, word, CAPTION) if room > 62 else 0
        if not used:
            left += canvas.text(left, y + 13, f"+{more + 1}", CAPTION, "muted")
            break
        left += used + 6
    return left - 6


def _counted(item: Tray) -> str:
    assert item.changes is not None
    signed = zip("+~−", item.changes, strict=True)
    return " ".join(f"{sign}{count}" for sign, count in signed if count) + " …" * item.is_least
