"""A full host seen from afar: low slabs, and on each image its containers as one small sign each, sorted by state."""

from __future__ import annotations

from tiffin.record import NamedTuple
from tiffin.view import signs
from tiffin.view.forest import Fold, Tree, grow, in_order, walk
from tiffin.view.picture import Picture, Slab, Tray
from tiffin.view.svg.canvas import CAPTION_BOLD, Box, Canvas, measure, number
from tiffin.view.svg.shapes import slab
from tiffin.view.svg.slabs import told
from tiffin.view.svg.states import Look, look
from tiffin.view.words import harmless

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

COLUMN = 23.0
WIDTH = 20.0
SLAB = 17
LEVEL = 19
SIGN = 10
PITCH = 11.5
HIGHEST = 24
"""rows of a heap; a higher one becomes wider"""
GROUNDS = 18
SIGNS = {"running": "block", "exited": "tray", "unknown": "tray"}
"""other signs than near by"""


class Spot(NamedTuple):
    """A slab with what stands on it: columns, and how many columns its own heap of containers has."""

    tree: Tree
    column: int
    span: int
    heap: int
    level: int


def draw_far(canvas: Canvas, x: float, y: float, picture: Picture) -> float:
    """Draw it from the corner x, y on, and tell where it ends below."""
    spots, gaps, loose = _spots(picture)
    trays = {spot.tree.item.id: _trays(spot.tree) for spot in spots}
    tops = [LEVEL * spot.level + LEVEL + 4 + PITCH * _rows(len(trays[spot.tree.item.id]), spot.heap) for spot in spots]
    if loose:
        tops.append(PITCH * _rows(len(loose), _columns(len(loose))))
    ground = y + max(tops, default=0) + 8
    right = x
    for spot in spots:
        left = _at(x, spot.column, gaps)
        box = Box(
            left, ground - LEVEL * (spot.level + 1) + 1, _at(x, spot.column + spot.span - 1, gaps) + WIDTH - left, SLAB
        )
        right = max(right, box.right)
        _slab(canvas, box, spot.tree)
        heap = _at(x, spot.column + spot.span - spot.heap, gaps)
        _heap(canvas, heap, box.y - 3, trays[spot.tree.item.id], spot.heap, picture.at)
    if loose:
        columns = _columns(len(loose))
        _heap(canvas, right + GROUNDS, ground - 2, loose, columns, picture.at)
        right += GROUNDS + COLUMN * columns
    canvas.path(f"M{number(x - 14)} {number(ground + 1)}H{number(right + 14)}", "ground")
    canvas.cover(right + 14, ground + 2)
    return ground + 8


def far_width(picture: Picture) -> float:
    """How wide it becomes."""
    spots, gaps, loose = _spots(picture)
    end = max((spot.column + spot.span for spot in spots), default=0)
    return _at(0, end, gaps) + (GROUNDS + COLUMN * _columns(len(loose)) if loose else 0)


def _at(x: float, column: int, gaps: Sequence[int]) -> float:
    from bisect import bisect_right  # only for hosts

    return x + COLUMN * column + GROUNDS * bisect_right(gaps, column)


def _spots(picture: Picture) -> tuple[list[Spot], list[int], list[Tray]]:
    """All slabs with their columns, the columns where a new ground begins, and containers without any layer."""
    roots = grow(picture)
    trees = [tree for tree in walk(roots) if not isinstance(tree.item, Tray)]
    heaps = {tree.item.id: _columns(len(_trays(tree))) for tree in trees}
    spans = dict[str, int]()
    for tree in reversed(trees):
        above = sum(spans[child.item.id] for child in tree.children if child.item.id in spans)
        spans[tree.item.id] = max(above + heaps[tree.item.id], 1)
    spots, gaps, column = list[Spot](), list[int](), 0
    for root in roots:
        if isinstance(root.item, Tray):
            continue
        if column:
            gaps.append(column)
        todo = [(root, column, 0)]
        while todo:
            tree, at, level = todo.pop()
            spots.append(Spot(tree, at, spans[tree.item.id], heaps[tree.item.id], level))
            for child in tree.children:
                if child.item.id in spans:
                    todo.append((child, at, level + 1))
                    at += spans[child.item.id]
        column += spans[root.item.id]
    return spots, gaps, [root.item for root in roots if isinstance(root.item, Tray)]


def _trays(tree: Tree) -> list[Tray]:
    return [child.item for child in tree.children if isinstance(child.item, Tray)]


def _columns(trays: int) -> int:
    """Two signs fit into one."""
    return -(-trays // (2 * HIGHEST))


def _rows(trays: int, columns: int) -> int:
    return -(-trays // (2 * columns)) if columns else 0


def _slab(canvas: Canvas, box: Box, tree: Tree) -> None:
    item = tree.item
    assert isinstance(item, Slab | Fold)
    slab(canvas, box, "", cap=8 if box.width > WIDTH else 0)
    name = (item.names or ("",))[0]
    if name and measure(harmless(name), CAPTION_BOLD) <= box.width - 18:
        canvas.text(box.x + 13, box.y + 12.5, name, CAPTION_BOLD, "ink", room=box.width - 18, title=told(item))
    else:
        canvas.label(box, told(item))


def far_look(tray: Tray) -> Look:
    """Shapes that pile up to a bar."""
    sign, ink = look(tray)
    sign = SIGNS.get(signs.kind(tray), sign)
    return Look(sign, "rwS" if sign == "tray" else ink)


def _heap(canvas: Canvas, x: float, y: float, trays: Sequence[Tray], columns: int, at: float) -> None:
    """Signs from below upwards, as wide as the heap is."""
    for place, tray in enumerate(in_order(trays)):
        row, turn = divmod(place, 2 * columns)
        sign, ink = far_look(tray)
        title = f"{harmless(tray.name or 'container', 80)}: {signs.word(tray, at)}"
        canvas.sign(sign, x + PITCH * turn, y - PITCH * (row + 1) + 1, ink, title, size=SIGN)
