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
from tiffin.view import signs, words
from tiffin.view.forest import Fold, Tree, grow, walk
from tiffin.view.picture import Picture, Slab, Tray
from tiffin.view.text import boxes
from tiffin.view.text.cells import Pen, Run, Sheet, Style, fit, flow, length
from tiffin.view.text.tree_lines import Line, head, joined, size, told, words_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

WIDEST = 112
STEP = 2  # columns from a layer to what stands on it
SIZE = 9  # columns
NARROWEST = 64  # of the ground, where there is room
GAP = 3
WITH_NETWORKS = 80  # columns from which on they are told
_KINDS = (State.RUNNING, State.PAUSED, State.RESTARTING, State.CREATED, State.EXITED, signs.UNKNOWN, signs.FAILED,
          State.REMOVING, State.DEAD)  # fmt: skip


def draw_tree(picture: Picture, width: int, style: Style) -> Sheet:
    """The heading, the trees, the ground, and what the signs mean."""
    sheet, columns = Sheet(style), min(width, WIDEST)
    for line in _heading(picture, columns, style):
        sheet.put_all(sheet.height, 0, line)
    sheet.put(sheet.height, 0, "")
    planned = plot(picture, columns, style)
    draw_trees(sheet, picture, planned, planned.columns)
    for line in _legend(picture, columns, style) if picture.slabs or picture.trays else ():
        sheet.put_all(sheet.height, 0, line)
    return sheet


class Plot(NamedTuple):
    """The lines from the top down, None between two trees, and where their columns are. `columns` is as much as they
    need."""

    lines: tuple[Line | None, ...]
    words_at: int
    joined: int
    columns: int


def plot(picture: Picture, columns: int, style: Style) -> Plot:
    """What a picture takes as trees, in at most so many columns."""
    sheet, trees = Sheet(style), grow(picture, crowded=True)
    depths = _depths(trees)
    ordered = sorted(trees, key=lambda tree: -depths[tree.item.id])
    lines = [line for tree in ordered for line in (None, *_lines(tree, columns, depths))][1:]
    known = [line for line in lines if line]
    words_at = min(max((words_from(sheet, line) for line in known), default=0) + GAP, columns * 2 // 5)
    widest = max((words.width(joined(sheet, line.item)) for line in known), default=0)
    aside = min(widest + GAP, columns // 4) if widest and columns >= WITH_NETWORKS else 0
    need = max((_need(sheet, line, words_at, picture.at) for line in known), default=0)
    return Plot(tuple(lines), words_at, aside, min(max(need + GAP + aside + SIZE, NARROWEST), columns))


def draw_trees(sheet: Sheet, picture: Picture, planned: Plot, columns: int) -> None:
    """The trees and the ground, below what is on the sheet."""
    for line in planned.lines:
        if line is None:
            sheet.put(sheet.height, 0, "")
        else:
            _draw(sheet, line, planned, columns, picture.at)
    for name in picture.ground_names:
        runs = [Run(f"◁ {sheet.say(name)}", Pen.BOLD), Run("  no layers", Pen.DIM)]
        sheet.put_all(sheet.height, 0, fit(runs, columns))
    sheet.put(sheet.height, 0, "▔" * columns, Pen.DIM)


def _need(sheet: Sheet, line: Line, words_at: int, at: float) -> int:
    column = length(head(sheet, line))
    return column + length(told(sheet, line.item, words.LONGEST, column, words_at, at))


def _draw(sheet: Sheet, line: Line, planned: Plot, columns: int, at: float) -> None:
    row, end = sheet.height, columns - SIZE
    column = sheet.put_all(row, 0, head(sheet, line))
    sheet.put_right(row, columns, [size(line.item)])
    beside = joined(sheet, line.item) if planned.joined else ""
    if beside:
        end -= planned.joined
        sheet.put(row, end, words.cut(beside, planned.joined - 1), Pen.DIM)
    room = end - column - 1
    sheet.put_all(row, column, fit(told(sheet, line.item, room, column, planned.words_at, at), room))


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


def _lines(root: Tree, columns: int, depths: dict[str, int]) -> list[Line]:
    """Upwards, each after what it stands on; then turned over."""
    found = list[Line]()
    deepest = max(4, columns // 2 // STEP)
    todo = [(root, "", "")]
    while todo:
        tree, before, corner = todo.pop()
        found.append(Line(before + corner, tree.item))
        # the lowest child's column has a line up to the topmost one
        inner = before + ("│ " if corner == "├" else "  " if corner else "")
        if len(inner) > STEP * deepest:
            inner = "…" + inner[-STEP * deepest + 1 :]
        children = _downwards(tree.children, depths)
        todo += [(child, inner, "├" if number else "┌") for number, child in enumerate(children)]
    return found[::-1]


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
        text, pen = signs.count(kind, len(numbers[kind])), boxes.state_pen(numbers[kind][0])
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
