"""The three shapes in characters: closed boxes, open trays, and the frame of a process space; and cards.

    ┌───▾────────────────┐        ║                    ║        ┏━ process space ━━━ ▶ running ━┓
    │▒ COPY site  1.2 MB │        ║ ✎ web       2.3 kB ║        ┃                               ┃
    └────────────────────┘        ╚════════════════════╝        ┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛

What is being made or goes away has dashed lines and an arrow; what is new after a command is blue and says so. Of a
process space that has ended the corners stay.
"""

from __future__ import annotations

from types import MappingProxyType

from tiffin.model.nouns import State
from tiffin.view import signs, words
from tiffin.view.forest import Fold, marked
from tiffin.view.picture import Card, Mark, Slab, Tray, short
from tiffin.view.text.cells import Pen, Run, Sheet, Style, both_sides, fit, flow, length, wrapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

ARROW_AT = 4  # columns from a box's left: all arrows to parents stand in one line
LABEL = " process space "
NARROWEST_CARD = 48  # where there is room
MOST_NAME_LINES = 3
MOST_VALUE_LINES = 3
STATE_PENS = MappingProxyType({
    State.RUNNING: Pen.RUN, State.PAUSED: Pen.ICE, State.RESTARTING: Pen.ICE, State.REMOVING: Pen.RW,
    State.DEAD: Pen.BAD, signs.FAILED: Pen.BAD,
})  # fmt: skip
FRAMED = (State.RUNNING, State.PAUSED, State.RESTARTING, State.EXITED)
"""with a frame, or what is left of it"""
_MARKS = MappingProxyType({Mark.MAKING: "↓ ", Mark.GOING: "↑ "})


def state_pen(tray: Tray) -> str:
    return STATE_PENS.get(signs.kind(tray), Pen.PLAIN)


def state(style: Style, tray: Tray, at: float = 0.0, *, is_short: bool = False) -> Run:
    """ "▶ running 2 h", "[running 2 h]" without UTF-8; without a time where `at` is 0; only one word if short."""
    word, pen = words.harmless(tray.state) if is_short else signs.word(tray, at), state_pen(tray)
    return Run(f"{signs.sign(tray)} {word}" if style.utf8 else f"[{word}]", f"1;{pen}" if pen else Pen.BOLD)


# --- closed boxes


def edge(
    sheet: Sheet, row: int, column: int, columns: int, ends: str, item: Slab | Fold, *,
    upper: Slab | Fold | None = None, arrows: Sequence[int] = (), settings: Sequence[str] = (),
) -> int:  # fmt: skip
    """The line between two corners of a box, with arrows down to the parent at some columns of the sheet, and the
    settings that lie on it; returns the next row. One that is shared with a box above is of the one that differs."""
    owner = upper if upper is not None and marked(upper) else item
    pen, is_dashed = slab_pen(owner), marked(owner) in _MARKS
    line = [ends[0], *("┄" if settings else "╌" if is_dashed else "─") * (columns - 2), ends[1]]
    for arrow in arrows:
        if 0 < arrow - column < columns - 1:
            line[arrow - column] = "▾"
    start = ARROW_AT + 2
    sheet.put(row, column, "".join(line[:start]), pen)
    at = column + start
    if settings:
        at = sheet.put(row, at, f" {_listed([sheet.say(text) for text in settings], columns - start - 5)} ")
    sheet.put(row, at, "".join(line[at - column :]), pen)
    return row + 1


def is_told(item: Slab | Fold) -> bool:
    """Whether there is more to say of it than what made it."""
    return bool(item.names) or bool(marked(item))


def slab_pen(item: Slab | Fold) -> str:
    """Of its lines."""
    return Pen.ICE if marked(item) == Mark.NEW else Pen.DIM


def slab(sheet: Sheet, row: int, column: int, columns: int, item: Slab | Fold, *, lines: int = 0) -> int:
    """What is between the edges of a closed box; returns the next row. `lines` where they are given: 1 has no room for
    the id and the names, more are filled up."""
    pen, mark = slab_pen(item), marked(item)
    text_pen = Pen.ICE_BOLD if mark == Mark.NEW else Pen.PLAIN
    names = [Run(f"◁ {sheet.say(name)}", Pen.BOLD) for name in item.names]
    start, end = column + 2 + len(sheet.token("▒")), column + columns - 2
    if lines == 1 or (isinstance(item, Fold) and not names and not mark):
        body = [(_what(sheet, item, text_pen), [_size(item)])]
    else:
        body = _body(sheet, item, names, text_pen, end - start)
    for number in range(max(len(body), lines)):
        _walls(sheet, row, column, columns, "╎" if mark in _MARKS else "│", pen)
        sheet.put(row, column + 1, sheet.token("▒") if sheet.style.utf8 or number == 0 else "", pen)
        if number < len(body):
            both_sides(sheet, row, start, end, *body[number])
        row += 1
    return row


def _body(
    sheet: Sheet, item: Slab | Fold, names: list[Run], pen: str, columns: int
) -> list[tuple[list[Run], list[Run]]]:
    id = [Run(short(item.id), Pen.DIM)]
    word = [Run(marked(item), Pen.ICE_BOLD)] if marked(item) in (Mark.NEW, Mark.CHANGED) else []
    if id and word and id[0].text == word[0].text:
        id = []
    left = [*id, Run("  "), *word] if id and word else [*id, *word]
    rows = flow(([name] for name in names), columns, "  ") if names else [[]]
    if len(rows) > MOST_NAME_LINES:
        rest = len(names) - sum(len(line) // 2 + 1 for line in rows[: MOST_NAME_LINES - 1])
        rows[MOST_NAME_LINES - 1 :] = [[Run(f"{rest} more names", Pen.DIM)]]
    if length(left) + 1 + length(rows[0]) > columns:  # ids go before names
        left = word if length(word) + 1 + length(rows[0]) <= columns else []
    first = (_what(sheet, item, pen), [_size(item)])
    return [first, (left, rows[0]), *(([], line) for line in rows[1:])]


def what(sheet: Sheet, item: Slab | Fold) -> str:
    """What made it: "RUN make", "4 more layers", "5 layers: RUN make" of a run that has the name of its topmost."""
    top = item.slabs[-1] if isinstance(item, Fold) else item
    label = sheet.say(top.label) or f"layer {short(top.id)}"
    if isinstance(item, Slab):
        return label
    number = len(item.slabs)
    return f"{words.many(number, 'layer')}: {label}" if item.names else words.many(number, "more layer")


def _what(sheet: Sheet, item: Slab | Fold, pen: str) -> list[Run]:
    arrow = _MARKS.get(marked(item))
    text = Run(what(sheet, item), pen)
    return [Run(arrow, Pen.BOLD), text] if arrow else [text]


def _size(item: Slab | Fold) -> Run:
    return Run(words.amount(item.size), Pen.DIM)


def _listed(texts: Sequence[str], columns: int) -> str:
    """As many whole texts as fit, and how many more there are."""
    for number in range(len(texts), 0, -1):
        rest = len(texts) - number
        told = ", ".join(texts[:number]) + (f", {rest} more" if rest else "")
        if words.width(told) <= columns:
            return told
    return words.cut(", ".join(texts), columns)


def _walls(sheet: Sheet, row: int, column: int, columns: int, wall: str, pen: str) -> None:
    sheet.put(row, column, wall, pen)
    sheet.put(row, column + columns - 1, wall, pen)


# --- open trays


def tray(sheet: Sheet, row: int, column: int, columns: int, shown: Tray,
         body: Sequence[tuple[list[Run], list[Run]]]) -> int:  # fmt: skip
    """An open box: its walls rise one row above what is in it, left and right. Returns the next row."""
    mark = Mark.GOING if shown.state == State.REMOVING else shown.mark
    is_dashed = mark in _MARKS or shown.state == State.DEAD
    pen = Pen.ICE if mark == Mark.NEW else Pen.RW
    start, end = column + 2, column + columns - 2
    for number, sides in enumerate([([], []), *body]):
        _walls(sheet, row, column, columns, "╎" if is_dashed else "║", pen)
        left, right = sides
        if number == 1:
            left = [Run(_MARKS.get(mark, ""), Pen.BOLD), Run(sheet.token("✎") + " ", pen), *left]
        elif number > 1:
            left = [Run(" " * (len(sheet.token("✎")) + 1 + len(_MARKS.get(mark, "")))), *left]
        both_sides(sheet, row, start, end, left, right)
        row += 1
    sheet.put(row, column, "╚" + ("╌" if is_dashed else "═") * (columns - 2) + "╝", pen)
    return row + 1


def called(name: str, tray: Tray) -> list[Run]:
    """What a tray is called, and how it differs from before."""
    pen = Pen.ICE_BOLD if tray.mark == Mark.NEW else Pen.RW_BOLD
    word = [Run("  "), Run(tray.mark, Pen.ICE_BOLD)] if tray.mark in (Mark.NEW, Mark.CHANGED) else []
    return [Run(name, pen), *word]


# --- frames


def framed(inner: Sheet, columns: int, tray: Tray) -> Sheet:
    """The frame of a process space around a sheet, which is put two columns inside; or what is left of the frame."""
    sheet, pen, bottom = Sheet(inner.style), state_pen(tray) or Pen.DIM, inner.height + 1
    across, down = ("┅", "┇") if tray.state == State.PAUSED else ("━", "┃")
    told = [state(inner.style, tray)]
    if length(told) > columns - 8:
        told = fit([state(inner.style, tray, is_short=True)], columns - 8)
    is_gone = tray.state == State.EXITED
    start, end = columns - 5 - length(told), columns - 3
    at = sheet.put(0, 0, "┏━━" if is_gone else "┏" + across, pen)
    if not is_gone and at + len(LABEL) + 1 <= start:
        at = sheet.put(0, at, LABEL, pen)
    sheet.put(0, at, "" if is_gone else across * (start - at), pen)
    sheet.put_all(0, start + 1, told)
    sheet.put(0, end, "━━┓" if is_gone else across * 2 + "┓", pen)
    sheet.paste(1, 2, inner)
    for row in range(1, 1 if is_gone else bottom):
        _walls(sheet, row, 0, columns, down, pen)
    _floor(sheet, bottom, columns, tray.state, across, pen)
    return sheet


def _floor(sheet: Sheet, row: int, columns: int, state: str, across: str, pen: str) -> None:
    if state in (State.EXITED, State.RESTARTING):  # gone, and not closed
        kept = 2 if state == State.EXITED else max(2, (columns - 2) // 3)
        sheet.put(row, 0, "┗" + "━" * kept, pen)
        sheet.put(row, columns - 1 - kept, "━" * kept + "┛", pen)
    else:
        sheet.put(row, 0, "┗" + across * (columns - 2) + "┛", pen)


# --- cards


def card(style: Style, room: int, shown: Card) -> Sheet:
    """A card with one `key  value` a line, as wide as it needs; long values take a few lines."""
    sheet, row = Sheet(style), 1
    title = f" {sheet.say(shown.kind)} {sheet.say(shown.title)} "
    rows = [(sheet.say(key), sheet.say(value)) for key, value in shown.rows]
    keys = min(max((words.width(key) for key, _ in rows), default=0), room // 3)
    widest = max((words.width(value) for _, value in rows), default=0)
    columns = min(room, max(keys + widest + 6, words.width(title) + 5, NARROWEST_CARD))
    at = sheet.put(0, 0, "┌", Pen.DIM)
    at = sheet.put(0, at, words.cut(title, columns - 5), Pen.BOLD)
    sheet.put(0, at, "─" * (columns - 1 - at) + "╲", Pen.DIM)
    for key, value in rows:
        for number, line in enumerate(wrapped(value, columns - keys - 6, MOST_VALUE_LINES)):
            _walls(sheet, row, 0, columns, "│", Pen.DIM)
            sheet.put(row, 2, words.cut(key, keys) if number == 0 else "", Pen.DIM)
            sheet.put(row, keys + 4, line)
            row += 1
    sheet.put(row, 0, "└" + "─" * (columns - 2) + "┘", Pen.DIM)
    return sheet
