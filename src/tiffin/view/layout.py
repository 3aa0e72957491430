"""Which place each item has: columns from the left, levels from the ground. One layout for all renderers.

        column 0   1       2
    level 2   web-1  web-2  COPY blog       a tray is one column wide,
    level 1   COPY shop···                  a slab as wide as all that stands on it
    level 0   python························
             ─────────────────────────────  the ground

Two pictures of one thing at two moments are laid out together, so that what stays has the same place in both, and the
eye finds what changed.
"""

from __future__ import annotations

from tiffin.record import NamedTuple
from tiffin.view.forest import Crowd, Fold, Item, Tree, grow, walk
from tiffin.view.picture import Picture, Slab, Tray

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Place(NamedTuple):
    """An item, and where it is: `span` columns from `column` on, on `level`. `number` is the height of its slabs in
    their stack ("7", "2–5"), "rw" for a tray."""

    item: Item
    column: int
    span: int
    level: int
    number: str


class Layout(NamedTuple):
    """Places from the ground up, and from the left. `gaps` are the columns before which a new ground begins."""

    places: tuple[Place, ...]
    columns: int
    levels: int
    gaps: tuple[int, ...] = ()


def lay_out(picture: Picture, *, folded: bool = True, crowded: bool = False) -> Layout:
    """Each column is a tray, or a slab on which nothing stands."""
    return _placed(grow(picture, folded=folded, crowded=crowded))


def lay_out_both(before: Picture, after: Picture) -> tuple[Layout, Layout]:
    """Both on the same places; what is only in one leaves its place empty in the other."""
    whole = _placed(grow(_merged(before, after)))
    return _only(whole, before), _only(whole, after)


def _placed(trees: tuple[Tree, ...]) -> Layout:
    spans: dict[str, int] = {}
    for tree in reversed(walk(trees)):
        spans[tree.item.id] = sum(spans[child.item.id] for child in tree.children) or 1
    places, gaps, column = list[Place](), list[int](), 0
    for root in trees:
        if column:
            gaps.append(column)
        todo = [(root, column, 0)]
        while todo:
            tree, at, level = todo.pop()
            places.append(Place(tree.item, at, spans[tree.item.id], level, _number(tree)))
            for child in tree.children:
                todo.append((child, at, level + 1))
                at += spans[child.item.id]
        column += spans[root.item.id]
    places.sort(key=lambda place: (place.level, place.column))
    levels = 1 + max((place.level for place in places), default=-1)
    return Layout(tuple(places), column, levels, tuple(gaps))


def _number(tree: Tree) -> str:
    if isinstance(tree.item, Tray | Crowd):
        return "rw"
    first = tree.height + 1
    if isinstance(tree.item, Slab):
        return str(first)
    return f"{first}–{first + len(tree.item.slabs) - 1}"


def _merged(before: Picture, after: Picture) -> Picture:
    """All that is in either. What changed its ground, as a container that is rebased, stands where it is afterwards."""
    slabs = {slab.id: slab for slab in (*before.slabs, *after.slabs)}
    marks = {slab.id: slab.mark for slab in before.slabs if slab.mark} | {s.id: s.mark for s in after.slabs if s.mark}
    names = {slab.id: slab.names for slab in before.slabs if slab.names}  # one that loses its name does not fold
    joined = (s._replace(mark=marks.get(s.id, ""), names=s.names or names.get(s.id, ())) for s in slabs.values())
    trays = {tray.id: tray for tray in (*before.trays, *after.trays)}
    return after._replace(slabs=tuple(joined), trays=tuple(trays.values()))


def _only(layout: Layout, picture: Picture) -> Layout:
    slabs, trays = {slab.id: slab for slab in picture.slabs}, {tray.id: tray for tray in picture.trays}
    found = (place._replace(item=item) for place in layout.places if (item := _own(place.item, slabs, trays)))
    return layout._replace(places=tuple(found))


def _own(item: Item, slabs: dict[str, Slab], trays: dict[str, Tray]) -> Item | None:
    if isinstance(item, Slab):
        return slabs.get(item.id)
    if isinstance(item, Tray):
        return trays.get(item.id)
    if isinstance(item, Fold):
        mine = tuple(slabs[slab.id] for slab in item.slabs if slab.id in slabs)
        return Fold(mine) if mine else None
    own = tuple(trays[tray.id] for tray in item.trays if tray.id in trays)
    return item._replace(trays=own) if own else None


def leaves(places: Iterable[Place]) -> list[Place]:
    """Those on which nothing stands, from the left."""
    taken = list(places)
    below = {(place.column, place.level - 1) for place in taken}
    carrying = {
        place.item.id for place in taken for column in range(place.column, place.column + place.span)
        if (column, place.level) in below
    }  # fmt: skip
    return sorted((place for place in taken if place.item.id not in carrying), key=lambda place: place.column)
