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
from tiffin.layers.union import UnionView, open_folder
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ADDED, CHANGED, DELETED = "A", "C", "D"


class Change(NamedTuple):
    kind: str
    """A, C or D"""
    path: str
    """absolute, as seen inside"""


def changes(upper: str, lowers: Sequence[str]) -> list[Change]:
    """What an overlay's upper folder changes in the union view of `lowers`, topmost first."""
    found: dict[str, str] = {}
    for path, kind in _found(upper, UnionView(lowers)):
        found[path] = kind
        parent = os.path.dirname(path)
        while parent and parent not in found:
            found[parent] = CHANGED
            parent = os.path.dirname(parent)
    return [Change(found[path], f"/{path}") for path in sorted(found, key=lambda path: os.fsencode(path).split(b"/"))]


def _found(upper: str, below: UnionView) -> Iterator[tuple[str, str]]:
    todo = [("", True)]  # a folder, and whether something of the layers below shows through in it
    while todo:
        path, through = todo.pop()
        folder = open_folder(upper, path)
        try:
            names = set()
            for item in os.scandir(folder):
                names.add(item.name)
                status = item.stat(follow_symlinks=False)
                here = f"{path}/{item.name}" if path else item.name
                old = below.lookup(here) if through else None
                if is_whiteout(status):
                    if old is not None:
                        yield here, DELETED
                    continue
                if old is None:
                    yield here, ADDED
                elif not (old.is_folder and stat.S_ISDIR(status.st_mode)) or _differ(old.status, status):
                    yield here, CHANGED
                if stat.S_ISDIR(status.st_mode):
                    todo.append((here, old is not None and old.is_folder))
            if path and through and is_opaque(f"/proc/self/fd/{folder}/."):
                for name in below.names(path):
                    if name not in names:
                        yield f"{path}/{name}", DELETED
        finally:
            os.close(folder)


def _differ(old: os.stat_result, new: os.stat_result) -> bool:
    return (old.st_mode, old.st_uid, old.st_gid) != (new.st_mode, new.st_uid, new.st_gid)
