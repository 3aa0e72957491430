"""What a container changed, as `docker diff` tells it: A for what is new, C for what is changed, D for what is gone.

The rules are those by which Docker compares two trees (its archive.ChangesDirs):
  - a file, link or device that stands in the read-write layer is A, or C where the layers below have something by its
    name: it was copied up to be written to;
  - a folder is C where its owner or mode changed, and where anything in it was added, changed or removed; its own time
    and size do not count;
  - of a folder that is gone or new, it is told once that it is gone, and of everything in it that it is new;
  - each folder is followed by what is in it, by name.
"""

from __future__ import annotations

import os
import stat

from tiffin.layers.overlay import is_opaque, is_whiteout
from tiffin.layers.union import Opened, Sight, UnionView, batches
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ADDED, CHANGED, DELETED = "A", "C", "D"
PASSED = ""
"""of a folder that is as it was, but for what may be in it"""


class Change(NamedTuple):
    kind: str
    """A, C or D"""
    path: str
    """absolute, as seen inside"""


class Difference(NamedTuple):
    kind: str
    """A, C, D, or nothing"""
    path: str
    """relative to the root"""
    status: os.stat_result | None
    """of what stands in the upper folder; None for what is gone"""
    old: Sight | None
    """what the layers below have there"""

    @property
    def is_folder(self) -> bool:
        return self.status is not None and stat.S_ISDIR(self.status.st_mode)

    @property
    def old_folder(self) -> Sight | None:
        """The folder of the layers below that shows through in it, or would if it were not opaque."""
        return self.old if self.old is not None and self.old.is_folder else None


def changes(upper: str, lowers: Sequence[str]) -> list[Change]:
    """What an overlay's upper folder changes in the union view of `lowers`, topmost first."""
    found: dict[str, str] = {}
    for difference in _found(upper, UnionView(lowers)):
        if difference.kind == PASSED:
            continue
        path = difference.path
        found[path] = difference.kind
        parent = os.path.dirname(path)
        while parent and parent not in found:
            found[parent] = CHANGED
            parent = os.path.dirname(parent)
    return [Change(found[path], f"/{path}") for path in sorted(found, key=lambda path: os.fsencode(path).split(b"/"))]


def differences(upper: str, below: UnionView, path: str, old: Sight | None) -> Iterator[Difference]:
    """What stands in one folder of the upper one, and what is gone from it, in no order and one by one.

    `old` is the folder of the layers below that shows through in it, if any. Raises NoSuchPath where it is no folder
    any more; what goes away meanwhile is left out.
    """
    with Opened(upper, path) as folder, os.scandir(folder) as items:
        for names in batches(item.name for item in items):
            olds = below.pick(old, names) if old is not None else {}
            for name in names:
                try:
                    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
                except FileNotFoundError:
                    continue
                found = _difference(f"{path}/{name}" if path else name, status, olds.get(name))
                if found is not None:
                    yield found
        if path and old is not None and is_opaque(f"/proc/self/fd/{folder}/."):
            yield from _covered(folder, below, old)


def _found(upper: str, below: UnionView) -> Iterator[Difference]:
    todo = [("", below.root())]
    while todo:
        for found in differences(upper, below, *todo.pop()):
            yield found
            if found.is_folder:
                todo.append((found.path, found.old_folder))


def _difference(path: str, status: os.stat_result, old: Sight | None) -> Difference | None:
    """None for a whiteout of nothing."""
    if is_whiteout(status):
        return None if old is None else Difference(DELETED, path, None, old)
    if old is None:
        return Difference(ADDED, path, status, None)
    is_changed = not (old.is_folder and stat.S_ISDIR(status.st_mode)) or _differ(old.status, status)
    return Difference(CHANGED if is_changed else PASSED, path, status, old)


def _covered(folder: int, below: UnionView, old: Sight) -> Iterator[Difference]:
    """What an opaque folder hides and has nothing of its own for."""
    for sight in below.stream(old):
        try:
            os.stat(os.path.basename(sight.path), dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            yield Difference(DELETED, sight.path, None, sight)


def _differ(old: os.stat_result, new: os.stat_result) -> bool:
    return (old.st_mode, old.st_uid, old.st_gid) != (new.st_mode, new.st_uid, new.st_gid)
