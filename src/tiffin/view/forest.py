"""Who stands on whom: a picture's slabs and trays as trees that grow upwards, long runs folded.

Tree     one item and what stands on it        Fold    a run of slabs drawn as one
                                               Crowd   containers of one kind on one image, drawn as one

rule of a single stack     a run of nameless slabs folds, if it has three or more; the top two and the bottom show
rule of a host             a run folds together with the named slab above it, whose name it gets
"""

from __future__ import annotations

from tiffin.model.nouns import State
from tiffin.record import NamedTuple
from tiffin.view.picture import Mark, Picture, Slab, Tray

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias

SHORTEST_RUN = 3
LARGEST_FAMILY = 6  # containers of one kind that are drawn one by one


class Fold(NamedTuple):
    """Slabs drawn as one, bottom first."""

    slabs: tuple[Slab, ...]

    @property
    def id(self) -> str:
        """That of the topmost."""
        return self.slabs[-1].id

    @property
    def size(self) -> int | None:
        """Bytes of all; None if one is not known."""
        sizes = [slab.size for slab in self.slabs]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    @property
    def names(self) -> tuple[str, ...]:
        return self.slabs[-1].names


class Crowd(NamedTuple):
    """Containers that differ in nothing but their ids and numbers, drawn as one."""

    label: str
    trays: tuple[Tray, ...]

    @property
    def id(self) -> str:
        return self.trays[0].id


Item: TypeAlias = "Slab | Fold | Tray | Crowd"


class Tree(NamedTuple):
    item: Item
    height: int
    """how many slabs are below its lowest slab"""
    children: tuple[Tree, ...] = ()


def grow(picture: Picture, *, folded: bool = True, crowded: bool = False) -> tuple[Tree, ...]:
    """The trees of a picture. `folded`: runs of slabs become one; `crowded`: so do many containers of one kind."""
    known = {slab.id for slab in picture.slabs}
    above: dict[str | None, list[Slab]] = {}
    for slab in picture.slabs:
        above.setdefault(slab.parent if slab.parent in known else None, []).append(slab)
    on: dict[str | None, list[Tray]] = {}
    for tray in picture.trays:
        on.setdefault(tray.on if tray.on in known else None, []).append(tray)
    # from the top down and without recursion: a stack may have five hundred slabs
    trees: dict[str, Tree] = {}
    heights = _heights(picture.slabs)
    rule = _folds_in_host if picture.about == "host" else _folds_in_stack
    for slab in reversed(picture.slabs):
        children = (*_trays(on.get(slab.id, ()), crowded, heights[slab.id]), *_of(trees, above.get(slab.id, ())))
        tree = Tree(slab, heights[slab.id] - 1, children)
        trees[slab.id] = rule(tree) if folded else tree
    roots = (*_trays(on.get(None, ()), crowded, 0), *_of(trees, above.get(None, ())))
    return _settled(roots) if folded else roots


def walk(trees: Iterable[Tree]) -> list[Tree]:
    """All of them, each before what stands on it."""
    todo, found = list(trees)[::-1], list[Tree]()
    while todo:
        found.append(todo.pop())
        todo += found[-1].children[::-1]
    return found


def _heights(slabs: Sequence[Slab]) -> dict[str, int]:
    heights: dict[str, int] = {}
    for slab in slabs:
        heights[slab.id] = heights.get(slab.parent or "", 0) + 1
    return heights


def _of(trees: dict[str, Tree], slabs: Iterable[Slab]) -> Iterable[Tree]:
    return (trees[slab.id] for slab in slabs)


def _trays(trays: Sequence[Tray], crowded: bool, height: int) -> Iterable[Tree]:
    kinds: dict[tuple[str, str], list[Tray]] = {}
    for tray in trays if crowded else ():
        kinds.setdefault((kind(tray), tray.mark), []).append(tray)
    crowds = {key: found for key, found in kinds.items() if len(found) > LARGEST_FAMILY}
    for tray in trays:
        key = (kind(tray), tray.mark)
        if key not in crowds:
            yield Tree(tray, height)
        elif tray is crowds[key][0]:
            yield Tree(Crowd(key[0], tuple(crowds[key])), height)


def kind(tray: Tray) -> str:
    """What many containers of one sort are called together: their name without its number, or their command."""
    name = (tray.name or "").rstrip("0123456789")
    return name.rstrip("-_.") if name != tray.name and name.rstrip("-_.") else tray.command.split(" ")[0] or "container"


def _folds_in_host(tree: Tree) -> Tree:
    """A slab that carries just one thing, a slab without a name of its own in between, becomes one with it."""
    only = tree.children[0] if len(tree.children) == 1 else None
    if only is None or not isinstance(tree.item, Slab) or tree.item.names or tree.item.mark or _is_tray(only):
        return tree
    upper = _slabs(only.item)
    if any(slab.mark for slab in upper):
        return tree
    return Tree(Fold((tree.item, *upper)), tree.height, only.children)


def _folds_in_stack(tree: Tree) -> Tree:
    """Gather runs while going down; `_settled` decides in the end which of them are long enough."""
    only = tree.children[0] if len(tree.children) == 1 else None
    if only is None or not _is_dull(tree) or not isinstance(only.item, Fold | Slab) or not _is_dull(only):
        return tree
    assert isinstance(tree.item, Slab)
    return Tree(Fold((tree.item, *_slabs(only.item))), tree.height, only.children)


def _is_dull(tree: Tree) -> bool:
    slab = _slabs(tree.item)[0]  # a run has only dull ones
    return not slab.names and not slab.mark and len(tree.children) == 1


def _settled(trees: Sequence[Tree]) -> tuple[Tree, ...]:
    """Runs opened again where they are short, at the bottom, and right below the top."""
    built: dict[int, Tree] = {}
    for tree in reversed(walk(trees)):  # each after what stands on it
        children = tuple(built.pop(id(child)) for child in tree.children)
        built[id(tree)] = _unfolded(tree, children[0]) if len(children) == 1 else tree._replace(children=children)
    return tuple(built[id(tree)] for tree in trees)


def _unfolded(tree: Tree, above: Tree) -> Tree:
    if not isinstance(tree.item, Fold) or tree.item.names:
        return Tree(tree.item, tree.height, (above,))
    slabs, height = tree.item.slabs, tree.height
    low = 1 if height == 0 else 0
    high = len(slabs) - (1 if _is_top(above) else 2 if _is_tray(above) else 0)
    if high - low < SHORTEST_RUN:
        low = high = 0
    for number in range(len(slabs) - 1, high - 1, -1):
        above = Tree(slabs[number], height + number, (above,))
    if high > low:
        above = Tree(Fold(slabs[low:high]), height + low, (above,))
    for number in range(low - 1, -1, -1):
        above = Tree(slabs[number], height + number, (above,))
    return above


def _is_top(tree: Tree) -> bool:
    """A slab on which no slab lies."""
    return not _is_tray(tree) and all(_is_tray(child) for child in tree.children)


def _is_tray(tree: Tree) -> bool:
    return isinstance(tree.item, Tray | Crowd)


def _slabs(item: Item) -> tuple[Slab, ...]:
    if isinstance(item, Fold):
        return item.slabs
    return (item,) if isinstance(item, Slab) else ()


ORDER = (State.RUNNING, State.PAUSED, State.RESTARTING, State.CREATED, State.EXITED, State.REMOVING, State.DEAD)
"""of the signs of a crowd, so that each heap reads as a bar"""


def in_order(trays: Iterable[Tray]) -> list[Tray]:
    """By state, those that failed after those that did not."""
    return sorted(trays, key=lambda tray: (ORDER.index(tray.state), has_failed(tray)))


def has_failed(tray: Tray) -> bool:
    return tray.is_out_of_memory or bool(tray.exit_code) or tray.state == State.DEAD


def marked(item: Item) -> str:
    """How the whole item is marked."""
    if isinstance(item, Slab | Tray):
        return item.mark
    marks = {one.mark for one in (item.slabs if isinstance(item, Fold) else item.trays)}
    return marks.pop() if len(marks) == 1 else Mark.NONE
