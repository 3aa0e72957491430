"""A whole host in characters: trees that grow upwards from the ground, one line for each layer and container.

        ┍━ ▶ api-1    running 2 h      ● ● ●      shop     12.0 kB
      ┌─▒ COPY src /app   ◁ shop/api:7                      1.2 MB
      │ ╒═ ✓ api-old  exited 0, 3 d ago                     4.1 MB
      ├─▒ COPY src /app   ◁ shop/api:6                      1.2 MB
    ┌─▒ RUN pip install -r requirements.txt                38.1 MB
    ▒ debian bookworm   ◁ debian:12                       116.6 MB
    ▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔

What stands on a layer is above it and one step to the right. Of several the deepest comes first, so that no line
crosses another one. Many containers of one kind are one line.
"""

from __future__ import annotations

from tiffin.model.nouns import State
from tiffin.record import NamedTuple
from tiffin.view import signs, text_boxes, words
from tiffin.view.cells import Pen, Run, Sheet, Style, fit, flow, length
from tiffin.view.forest import Crowd, Fold, Item, Tree, grow, in_order, marked, walk
from tiffin.view.picture import Mark, Picture, Slab, Tray, short
from tiffin.view.text_space import process_sign

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDEST = 112
STEP = 2  # columns from a layer to what stands on it
SIZE = 9  # columns
MOST_DOTS = 8  # processes, each a dot
MOST_SIGNS = 24  # containers of a crowd, each a sign
WITH_NETWORKS = 80  # columns from which on they are told
_KINDS = (State.RUNNING, State.PAUSED, State.RESTARTING, State.CREATED, State.EXITED, signs.UNKNOWN, signs.FAILED,
          State.REMOVING, State.DEAD)  # fmt: skip


class _Line(NamedTuple):
    """`branch` are the lines before the sign of an item."""

    branch: str
    item: Item


def draw_tree(picture: Picture, width: int, style: Style) -> Sheet:
    """The heading, the trees, the ground, and what the signs mean."""
    sheet, columns = Sheet(style), min(width, WIDEST)
    for line in _heading(picture, columns, style):
        sheet.put_all(sheet.height, 0, line)
    sheet.put(sheet.height, 0, "")
    draw_trees(sheet, picture, columns)
    for line in _legend(picture, columns, style) if picture.slabs or picture.trays else ():
        sheet.put_all(sheet.height, 0, line)
    return sheet


def draw_trees(sheet: Sheet, picture: Picture, columns: int) -> None:
    """The trees and the ground, below what is on the sheet."""
    trees = grow(picture, crowded=True)
    depths = _depths(trees)
    ordered = sorted(trees, key=lambda tree: -depths[tree.item.id])
    lines = [line for tree in ordered for line in (*_lines(tree, columns, depths), None)]
    words_at = _words_at([line for line in lines if line], columns)
    joined = _joined_columns(picture, columns)
    for line in lines[:-1]:
        if line is None:
            sheet.put(sheet.height, 0, "")
        else:
            _draw(sheet, sheet.height, line, columns, words_at, joined, picture.at)
    for name in picture.ground_names:
        sheet.put_all(
            sheet.height, 0, fit([Run(f"◁ {sheet.say(name)}", Pen.BOLD), Run("  no layers", Pen.DIM)], columns)
        )
    sheet.put(sheet.height, 0, "▔" * columns, Pen.DIM)


# --- who stands where


def _depths(trees: Iterable[Tree]) -> dict[str, int]:
    """How many stand on one another, by the id of the lowest."""
    depths: dict[str, int] = {}
    for tree in reversed(walk(trees)):
        depths[tree.item.id] = 1 + max((depths[child.item.id] for child in tree.children), default=0)
    return depths


def _downwards(trees: Iterable[Tree], depths: dict[str, int]) -> list[Tree]:
    """The deepest first; of two the later one, as it was put on later. Containers last, in their own order."""
    listed = list(trees)
    slabs = [tree for tree in reversed(listed) if isinstance(tree.item, Slab | Fold)]
    trays = [tree for tree in listed if not isinstance(tree.item, Slab | Fold)]
    return [*sorted(slabs, key=lambda tree: -depths[tree.item.id]), *trays]


def _lines(root: Tree, columns: int, depths: dict[str, int]) -> list[_Line]:
    """Upwards, each after what it stands on; then turned over."""
    found = list[_Line]()
    deepest = max(4, columns // 2 // STEP)
    todo = [(root, "", "")]
    while todo:
        tree, before, corner = todo.pop()
        found.append(_Line(before + corner, tree.item))
        # the lowest child's column has a line up to the topmost one
        inner = before + ("│ " if corner == "├" else "  " if corner else "")
        if len(inner) > STEP * deepest:
            inner = "…" + inner[-STEP * deepest + 1 :]
        children = _downwards(tree.children, depths)
        todo += [(child, inner, "├" if number else "┌") for number, child in enumerate(children)]
    return found[::-1]


# --- one line


def _draw(sheet: Sheet, row: int, line: _Line, columns: int, words_at: int, joined: int, at: float) -> None:
    size = _size(line.item)
    end = columns - SIZE
    sheet.put_right(row, columns, [size])
    if isinstance(line.item, Tray | Crowd):
        column = _branch(sheet, row, line)
        trays = line.item.trays if isinstance(line.item, Crowd) else (line.item,)
        networks = _joined(sheet, trays[0]) if joined else ""
        if networks:
            sheet.put(row, end - joined, words.cut(networks, joined - 1), Pen.DIM)
            end -= joined
        runs = _crowd(sheet, line.item, column, words_at) if isinstance(line.item, Crowd) else _tray(
            sheet, line.item, column, words_at, at)  # fmt: skip
    else:
        column = _branch(sheet, row, line)
        runs = _slab(sheet, line.item, end - column - 1)
    sheet.put_all(row, column, fit(runs, end - column - 1))


def _branch(sheet: Sheet, row: int, line: _Line) -> int:
    """The lines before an item and its sign; returns the column after them."""
    before, corner = (line.branch[:-1], line.branch[-1:]) if line.branch else ("", "")
    column = sheet.put(row, 0, before, Pen.DIM)
    item, mark = line.item, marked(line.item)
    if isinstance(item, Slab | Fold):
        pen = Pen.ICE_BOLD if mark == Mark.NEW else Pen.DIM
        column = sheet.put(
            row, column, corner and corner + ("╌" if mark in (Mark.GOING, Mark.MAKING) else "─"), Pen.DIM
        )
        return sheet.put(row, column, sheet.token("▒") + " ", pen)
    trays = item.trays if isinstance(item, Crowd) else (item,)
    is_alive = any(tray.is_alive for tray in trays)
    is_paused = all(tray.state == State.PAUSED for tray in trays)
    across = "╌" if mark in (Mark.GOING, Mark.MAKING) else "┅" if is_paused else "━" if is_alive else "═"
    heads = {"┌": "┍" if is_alive else "╒", "├": "┝" if is_alive else "╞", "": ""}
    pen = text_boxes.state_pen(trays[0]) if is_alive else Pen.RW
    column = sheet.put(row, column, heads[corner], Pen.DIM)
    return sheet.put(row, column, across + " ", pen)


def _slab(sheet: Sheet, item: Slab | Fold, columns: int) -> list[Run]:
    names = [run for name in item.names for run in (Run("  "), Run(f"◁ {sheet.say(name)}", Pen.BOLD))]
    label = text_boxes.what(sheet, item)
    word = _mark_word(marked(item))
    pen = Pen.ICE_BOLD if marked(item) == Mark.NEW else Pen.PLAIN
    # names before commands
    room = max(columns - length(names) - length(word), min(columns // 3, 24))
    return [Run(words.cut(label, room), pen), *word, *names]


def _tray(sheet: Sheet, tray: Tray, column: int, words_at: int, at: float) -> list[Run]:
    state, pen = text_boxes.state(sheet.style, tray, at), text_boxes.state_pen(tray)
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
    return [Run("  "), Run(" ".join(process_sign(tray) * min(number, MOST_DOTS)) + rest, text_boxes.state_pen(tray))]


def _crowd(sheet: Sheet, crowd: Crowd, column: int, words_at: int) -> list[Run]:
    """How many, a sign for each, and how many are in which state."""
    trays = in_order(crowd.trays)
    kinds = [signs.kind(tray) for tray in trays]
    head = [Run(sheet.say(crowd.label), Pen.BOLD), Run(f" × {len(trays)}", Pen.PLAIN)]
    heap = list[Run]()
    if len(trays) <= MOST_SIGNS and sheet.style.utf8:
        heap = [Run(signs.sign(tray), text_boxes.state_pen(tray)) for tray in trays]
        heap.append(Run("  "))
    told = ", ".join(signs.count(kind, kinds.count(kind)) for kind in dict.fromkeys(kinds))
    return [*head, Run(" " * max(2, words_at - column - length(head))), *heap, Run(told, Pen.DIM)]


def _size(item: Item) -> Run:
    if isinstance(item, Slab | Fold):
        return Run(words.amount(item.size), Pen.DIM)
    sizes = [tray.size for tray in (item.trays if isinstance(item, Crowd) else (item,))]
    known = None if None in sizes else sum(size or 0 for size in sizes)
    return Run(words.amount(known) if known is not None else "", Pen.RW)


def _mark_word(mark: str) -> list[Run]:
    arrows = {Mark.MAKING: "↓ ", Mark.GOING: "↑ "}
    return [Run("  "), Run(f"{arrows.get(mark, '')}{mark}", Pen.ICE_BOLD)] if mark else []


def _joined(sheet: Sheet, tray: Tray) -> str:
    """Networks, volumes and ports."""
    volumes = [use.source for use in tray.uses if not use.source.startswith("/") and use.source != "memory"]
    return " · ".join(sheet.say(text) for text in (*(each.network for each in tray.networks), *volumes, *tray.ports))


# --- columns


def _words_at(lines: Sequence[_Line], columns: int) -> int:
    """Where the words of all states begin; names that are longer push their own."""
    ends = [
        len(line.branch) + 4 + words.width(words.harmless(line.item.name or "")) + length(_mark_word(line.item.mark))
        for line in lines
        if isinstance(line.item, Tray)
    ]
    return min(max(ends, default=0) + 3, columns * 2 // 5)


def _joined_columns(picture: Picture, columns: int) -> int:
    if columns < WITH_NETWORKS:
        return 0
    widths = (words.width(_joined(Sheet(Style(False, True)), tray)) for tray in picture.trays)
    widest = max(widths, default=0)
    return min(widest, columns // 5) + 2 if widest else 0


# --- around the trees


def _heading(picture: Picture, columns: int, style: Style) -> list[list[Run]]:
    images = {id for slab in picture.slabs for id in slab.images} | set(picture.ground_images)
    total, apart = _bytes(picture)
    stock = f"{words.many(len(images), 'image')} in {words.many(len(picture.slabs), 'layer')}"
    first = [[Run(f"{stock}, {words.amount(total)}" if total is not None else stock, Pen.BOLD)]]
    if total is not None and apart > total:
        first.append([Run(f"({words.amount(apart)} without sharing)", Pen.DIM)])
    numbers: dict[str, list[Tray]] = {}
    for tray in picture.trays:
        numbers.setdefault(signs.kind(tray), []).append(tray)
    pieces = list[list[Run]]()
    for kind in sorted(numbers, key=lambda kind: _KINDS.index(kind) if kind in _KINDS else len(_KINDS)):
        text, pen = signs.count(kind, len(numbers[kind])), text_boxes.state_pen(numbers[kind][0])
        pieces.append([Run(f"{signs.sign(numbers[kind][0])} ", pen), Run(text)] if style.utf8 else [Run(f"[{text}]")])
    lines = flow(first, columns, " ")
    whole = flow([lines[0], *pieces], columns, "   ")
    return whole if len(lines) == len(whole) == 1 else [*lines, *flow(pieces, columns, "   ")]


def _bytes(picture: Picture) -> tuple[int | None, int]:
    """Of all layers, and what they would be if no image shared any with another."""
    if any(slab.size is None for slab in picture.slabs):
        return None, 0
    stacks, apart = dict[str, int](), 0
    for slab in picture.slabs:
        stacks[slab.id] = stacks.get(slab.parent or "", 0) + (slab.size or 0)
        apart += stacks[slab.id] * len(slab.images)
    return sum(slab.size or 0 for slab in picture.slabs), apart


def _legend(picture: Picture, columns: int, style: Style) -> list[list[Run]]:
    token = Sheet(style).token("▒")
    pieces = [[Run(f"{token} read-only layer")], [Run("◁ name")], [Run("═ read-write layer")],
              [Run("━ in a process space")]]  # fmt: skip
    if any(tray.space and tray.space.processes for tray in picture.trays):
        pieces.append([Run("● process")])
    return [[Run(run.text, Pen.DIM) for run in line] for line in flow(pieces, columns, "   ")]
