"""What a picture shows of the files: the union view with its changes laid open, and what a read-write layer holds.

    bin/         391 names           a folder in which nothing was changed is closed, and says how many names it has
    etc/                             one on the way to a change is open:
        motd     rw hides 1          changed: the version of layer 1 is hidden
        passwd   rw removes 1        gone
        29 more                      as they were
    happiness.txt    rw              new

Of a container the changes are those of its read-write layer; of an image, those of its topmost layer.

What is looked into is bounded, whoever filled the layers: so many names of one folder, so many rows. What is nearer to
the root comes first. A read-write layer may be written to meanwhile: what vanishes is left out.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from itertools import islice

from tiffin.errors import NoSuchPath
from tiffin.layers.changes import ADDED, CHANGED, DELETED, PASSED, differences
from tiffin.layers.names import LONGEST_PATH
from tiffin.layers.union import UnionView
from tiffin.record import NamedTuple
from tiffin.view.picture import Changes, Row, View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tiffin.engine.parts import Parts
    from tiffin.layers.changes import Difference
    from tiffin.layers.union import Sight

MOST_COUNTED = 10_000
"""names of a closed folder: this number means so many, or more"""
MOST_NAMES = 500  # of one folder that are looked at
MOST_WALKED = 3_000  # names of a read-write layer that are looked at
FEW = 3  # names that are as they were, shown beside others that are not
AT_LEAST = "at least"
"""the name of a `more` row whose number is not exact, as nobody looked to the end"""


class Written(NamedTuple):
    """What a read-write layer holds. Where not `is_whole`, nobody looked to the end: it is at least that."""

    size: int
    """bytes of its files"""
    changes: Changes
    files: tuple[str, ...]
    """some of the plain files that were added or changed, absolute, those near to the root first"""
    is_whole: bool


def union_view(parts: Parts, *, top: str | None, upper: str | None, of: str, most: int = 40) -> View:
    """Looking down on the stack whose topmost layer is `top`, with the read-write layer `upper` of container `of`.

    At most so many rows. Raises NoSuchLayer, and FileNotFoundError where the upper folder has gone.
    """
    stack = parts.layers.stack(top)
    ids = {parts.layers.folder(layer.id): layer.id for layer in stack}
    folders = tuple(ids) if upper is None else (upper, *ids)
    if upper is not None:
        ids[upper] = of
    # an image of one layer changes nothing: there is nothing below that it could have changed
    opens = upper is not None or len(folders) > 1
    return View(of, tuple(_Tree(folders, ids, opens=opens).rows(most)), is_writable=upper is not None)


def wrote(parts: Parts, *, top: str | None, upper: str, most_files: int = 3, most_names: int = MOST_WALKED) -> Written:
    """What was written on top of the layer `top`. Folders count where they are new or were changed themselves.

    Raises NoSuchLayer, and FileNotFoundError where the upper folder has gone.
    """
    counts = dict.fromkeys((ADDED, CHANGED, DELETED), 0)
    size, files, deepest = 0, list[str](), 0
    walk = _walk(upper, UnionView(parts.layers.folders(top)))
    for found in islice(walk, most_names):
        if found.kind != PASSED:
            counts[found.kind] += 1
        if found.status is not None and stat.S_ISREG(found.status.st_mode):
            size += found.status.st_size
            files.append(f"/{found.path}")
        deepest = max(deepest, len(os.fsencode(found.path)))
    files.sort(key=lambda path: (path.count("/"), len(path), path))
    is_whole = next(walk, None) is None and deepest < LONGEST_PATH  # what lies deeper cannot be looked into
    return Written(size, Changes(*counts.values()), tuple(files[:most_files]), is_whole)


def _walk(upper: str, below: UnionView) -> Iterator[Difference]:
    """Folder by folder, those near to the root first."""
    todo: deque[tuple[str, Sight | None]] = deque([("", below.root())])
    while todo:
        try:
            for found in differences(upper, below, *todo.popleft()):
                yield found
                if found.is_folder:
                    todo.append((found.path, found.old_folder))
        except NoSuchPath:  # the folder has gone meanwhile
            continue


class _Node:
    """A row, what stands in it, and what is still to be known for both."""

    def __init__(self, row: Row, sight: Sight | None = None, found: Difference | None = None) -> None:
        self.row = row
        self.sight = sight
        self.found = found
        self.children = list[_Node]()

    @property
    def may_open(self) -> bool:
        """Whether there may be changes in it."""
        return self.sight is not None and self.found is not None and self.found.is_folder

    @property
    def cost(self) -> int:
        """In rows: one that is to be opened must have something to show."""
        return 2 if self.may_open else 1


class _Tree:
    """The rows of one view. `ids` are those of the layers, by their folders."""

    def __init__(self, folders: tuple[str, ...], ids: Mapping[str, str], *, opens: bool) -> None:
        self.view = UnionView(folders)
        self.below = UnionView(folders[1:])
        self.ids = ids
        self.top = folders[0] if opens else None

    def rows(self, most: int) -> Iterator[Row]:
        """From the root on, folder by folder, as long as there is room; each gets its part of what is left."""
        root = self.view.root()
        if root is None:
            return
        trunk = _Node(Row(-1, "", "folder"), root)
        self._open(trunk, self.below.root(), most)
        left = most - sum(child.cost for child in trunk.children)
        waiting = deque(child for child in trunk.children if child.may_open)
        while waiting:
            node = waiting.popleft()
            assert node.found is not None
            self._open(node, node.found.old_folder, 1 + left // (len(waiting) + 1))
            left -= sum(child.cost for child in node.children) - 1
            waiting += [child for child in node.children if child.may_open]
        for child in trunk.children:
            yield from self._flat(child)

    def _open(self, node: _Node, old: Sight | None, room: int) -> None:
        """Put into a folder what was changed in it and, where there is room, some of what was not."""
        assert node.sight is not None
        is_root, depth = node.sight.path == "", node.row.depth + 1
        try:
            found = self._changed(node.sight.path, old)
            changed = self._nodes(node.sight, found, depth)
            if not changed and not is_root:
                return
            count = self.view.count(node.sight, MOST_COUNTED)
            removed = sum(each.row.is_removed for each in changed)
            rest = count + removed - len(changed)
            others = self._others(node.sight, changed, depth) if is_root or rest <= FEW else []
            if is_root and any(each.may_open for each in changed):
                room = room * 2 // 3
            shown = _fitting(changed, others, count + removed, room)
            self._complete(node.sight, shown)
        except NoSuchPath:  # the folder has gone meanwhile
            return
        shown.sort(key=lambda each: os.fsencode(each.row.name))
        if count + removed > len(shown):
            is_exact = count < MOST_COUNTED and len(found) < MOST_NAMES
            shown.append(_Node(Row(depth, "" if is_exact else AT_LEAST, "more", number=count + removed - len(shown))))
        node.children = shown

    def _changed(self, path: str, old: Sight | None) -> list[Difference]:
        if self.top is None:
            return []
        found = islice(differences(self.top, self.below, path, old), MOST_NAMES)
        return sorted(found, key=lambda difference: os.fsencode(difference.path))

    def _nodes(self, folder: Sight, found: Iterable[Difference], depth: int) -> list[_Node]:
        here = {os.path.basename(difference.path): difference for difference in found}
        seen = self.view.pick(folder, (name for name, difference in here.items() if difference.kind != DELETED))
        nodes = []
        for name, difference in here.items():
            if difference.kind == DELETED:
                nodes.append(_Node(self._removed(name, difference, depth)))
            elif name in seen:
                row = self._row(seen[name], depth)
                if difference.kind == CHANGED and difference.old is not None and len(seen[name].layers) > 1:
                    # another owner or mode
                    row = row._replace(layer=self.ids[seen[name].layer], hides=self.ids[difference.old.layer])
                nodes.append(_Node(row, seen[name], difference))
        return nodes

    def _others(self, folder: Sight, changed: list[_Node], depth: int) -> list[_Node]:
        known = {node.row.name for node in changed}
        found = sorted(islice(self.view.stream(folder), MOST_NAMES), key=lambda sight: os.fsencode(sight.path))
        return [
            _Node(self._row(sight, depth), sight)
            for sight in found
            if os.path.basename(sight.path) not in known and self.top not in sight.layers  # one just made, or too many
        ]

    def _row(self, sight: Sight, depth: int) -> Row:
        # folders of several layers are merged: none of them gives it
        layer = self.ids[sight.layer] if len(sight.layers) == 1 else ""
        return Row(depth, os.path.basename(sight.path), _kind(sight.status), layer)

    def _complete(self, folder: Sight, nodes: list[_Node]) -> None:
        """What is asked only of those that are shown: what they hide, and where links lead."""
        seen = {node.row.name: node for node in nodes if node.sight is not None}
        for name, layer in self.view.hidden(folder, seen).items():
            row = seen[name].row
            seen[name].row = row._replace(hides=row.hides or self.ids[layer])
        for node in seen.values():
            if node.row.kind == "link" and node.sight is not None:
                node.row = node.row._replace(target=self._target(node.sight))

    def _target(self, link: Sight) -> str:
        try:
            return self.view.target(link)
        except (OSError, NoSuchPath):  # it has gone, or is no link any more
            return ""

    def _removed(self, name: str, found: Difference, depth: int) -> Row:
        assert found.old is not None
        assert self.top is not None
        number = self.below.count(found.old, MOST_COUNTED) if found.old.is_folder else 0
        return Row(
            depth, name, _kind(found.old.status), layer=self.ids[self.top], hides=self.ids[found.old.layer],
            is_removed=True, number=number,
        )  # fmt: skip

    def _flat(self, node: _Node) -> Iterator[Row]:
        if node.sight is not None and node.sight.is_folder and not node.children:
            yield node.row._replace(number=self._count(node.sight))
        else:
            yield node.row
        for child in node.children:
            yield from self._flat(child)

    def _count(self, folder: Sight) -> int:
        try:
            return self.view.count(folder, MOST_COUNTED)
        except NoSuchPath:  # it has gone meanwhile
            return 0


def _fitting(changed: list[_Node], others: list[_Node], total: int, room: int) -> list[_Node]:
    """What there is room for, if one row is kept to say how many more there are."""
    shown, spent = list[_Node](), 0
    for node in (*changed, *others):
        if spent + node.cost + (len(shown) + 1 < total) <= room:
            shown.append(node)
            spent += node.cost
    return shown


def _kind(status: os.stat_result) -> str:
    for is_such, word in ((stat.S_ISDIR, "folder"), (stat.S_ISREG, "file"), (stat.S_ISLNK, "link")):
        if is_such(status.st_mode):
            return word
    return "device"
