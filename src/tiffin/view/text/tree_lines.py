"""One line of a tree in characters: the branch before it, the sign, the name, what it does, and its size at the right.

│ ┍━ ▶ api-1    running 2 h  ● ● ●      shop · media     12.0 kB        heavy: in a process space
│ ╒═ ✓ api-old  exited 0, 3 d ago                         4.1 MB        double: a read-write layer alone
├─▒ COPY src /app  ◁ shop/api:6                           1.2 MB        light: a read-only layer
"""

from __future__ import annotations

from tiffin.model.nouns import State
from tiffin.record import NamedTuple
from tiffin.view import signs, words
from tiffin.view.forest import Crowd, Fold, Item, in_order, marked
from tiffin.view.picture import Mark, Slab, Tray, short
from tiffin.view.text import boxes
from tiffin.view.text.cells import Pen, Run, Sheet, length
from tiffin.view.text.inside import process_sign

MOST_DOTS = 8  # processes, each a dot
MOST_SIGNS = 24  # containers of a crowd, each a sign
SIGN = 2  # columns, with the blank after it
SHORTEST_LABEL = 24  # columns that names leave for what made a layer


class Line(NamedTuple):
    """`branch` are the lines before the sign of an item."""

    branch: str
    item: Item


def head(sheet: Sheet, line: Line) -> list[Run]:
    """The branch and the sign."""
    before, corner, item = line.branch[:-1], line.branch[-1:], line.item
    is_dashed = marked(item) in (Mark.GOING, Mark.MAKING)
    if isinstance(item, Slab | Fold):
        pen = Pen.ICE_BOLD if marked(item) == Mark.NEW else Pen.DIM
        across = "╌" if is_dashed else "─"
        return [Run(before + (corner + across if corner else ""), Pen.DIM), Run(sheet.token("▒") + " ", pen)]
    trays = _trays(item)
    is_alive = any(tray.is_alive for tray in trays)
    is_paused = all(tray.state == State.PAUSED for tray in trays)
    across = "╌" if is_dashed else "┅" if is_paused else "━" if is_alive else "═"
    corners = {"┌": "┍" if is_alive else "╒", "├": "┝" if is_alive else "╞", "": ""}
    pen = boxes.state_pen(trays[0]) if is_alive else Pen.RW
    return [Run(before + corners[corner], Pen.DIM), Run(across + " ", pen)]


def told(sheet: Sheet, item: Item, room: int, column: int, words_at: int, at: float) -> list[Run]:
    """What follows its sign at `column`: the words of a state begin at `words_at`. Only labels are cut to the room."""
    if isinstance(item, Tray):
        return _tray(sheet, item, column, words_at, at)
    return _crowd(sheet, item, column, words_at) if isinstance(item, Crowd) else _slab(sheet, item, room)


def size(item: Item) -> Run:
    """Bytes, at the right."""
    if isinstance(item, Slab | Fold):
        return Run(words.amount(item.size), Pen.DIM)
    trays = _trays(item)
    if any(tray.size is None for tray in trays):
        return Run("", Pen.RW)
    is_least = any(tray.is_least for tray in trays)
    return Run(f"{'at least ' * is_least}{words.amount(sum(tray.size or 0 for tray in trays))}", Pen.RW)


def joined(sheet: Sheet, item: Item) -> str:
    """Networks, volumes and ports."""
    if isinstance(item, Slab | Fold):
        return ""
    tray = _trays(item)[0]
    volumes = [use.source for use in tray.uses if not use.source.startswith("/") and use.source != "memory"]
    return " · ".join(sheet.say(text) for text in (*(each.network for each in tray.networks), *volumes, *tray.ports))


def words_from(sheet: Sheet, line: Line) -> int:
    """The column from which on words could follow the name of a container."""
    item = line.item
    if not isinstance(item, Tray):
        return 0
    sign = SIGN if sheet.style.utf8 else 0
    name = words.width(sheet.say(item.name)) if item.name is not None else len(short(item.id))
    return len(line.branch) + SIGN + sign + name + length(_mark_word(item.mark))


def _trays(item: Tray | Crowd) -> tuple[Tray, ...]:
    return item.trays if isinstance(item, Crowd) else (item,)


def _slab(sheet: Sheet, item: Slab | Fold, columns: int) -> list[Run]:
    names = [run for name in item.names for run in (Run("  "), Run(f"◁ {sheet.say(name)}", Pen.BOLD))]
    label = boxes.what(sheet, item)
    word = _mark_word(marked(item))
    pen = Pen.ICE_BOLD if marked(item) == Mark.NEW else Pen.PLAIN
    # names before commands
    room = max(columns - length(names) - length(word), min(columns // 3, SHORTEST_LABEL))
    return [Run(words.cut(label, room), pen), *word, *names]


def _tray(sheet: Sheet, tray: Tray, column: int, words_at: int, at: float) -> list[Run]:
    state, pen = boxes.state(sheet.style, tray, at), boxes.state_pen(tray)
    sign, _, word = state.text.partition(" ") if sheet.style.utf8 else ("", "", state.text)
    name = sheet.say(tray.name) if tray.name is not None else short(tray.id)
    head = [Run(f"{sign} " if sign else "", state.pen), Run(name, Pen.BOLD), *_mark_word(tray.mark)]
    gap = max(2, words_at - column - length(head))
    told = [Run(" " * gap), Run(word, pen or Pen.DIM)]
    if tray.reason:
        told.append(Run(f", {sheet.say(tray.reason)}", pen or Pen.DIM))
    return [*head, *told, *_dots(tray)]


def _dots(tray: Tray) -> list[Run]:
    number = len(tray.space.processes or ()) if tray.space else 0
    if not number:
        return []
    rest = f" +{number - MOST_DOTS}" if number > MOST_DOTS else ""
    return [Run("  "), Run(" ".join(process_sign(tray) * min(number, MOST_DOTS)) + rest, boxes.state_pen(tray))]


def _crowd(sheet: Sheet, crowd: Crowd, column: int, words_at: int) -> list[Run]:
    """How many, a sign for each, and how many are in which state."""
    trays = in_order(crowd.trays)
    kinds = [signs.kind(tray) for tray in trays]
    head = [Run(sheet.say(crowd.label), Pen.BOLD), Run(f" × {len(trays)}", Pen.PLAIN)]
    heap = list[Run]()
    if len(trays) <= MOST_SIGNS and sheet.style.utf8:
        heap = [Run(signs.sign(tray), boxes.state_pen(tray)) for tray in trays]
        heap.append(Run("  "))
    told = ", ".join(signs.count(kind, kinds.count(kind)) for kind in dict.fromkeys(kinds))
    return [*head, Run(" " * max(2, words_at - column - length(head))), *heap, Run(told, Pen.DIM)]


def _mark_word(mark: str) -> list[Run]:
    arrows = {Mark.MAKING: "↓ ", Mark.GOING: "↑ "}
    return [Run("  "), Run(f"{arrows.get(mark, '')}{mark}", Pen.ICE_BOLD)] if mark else []
