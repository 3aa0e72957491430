"""A read-write layer as a tar: what `commit` burns into a read-only layer.

The order is always the same: a folder, then what is in it by name, first all that is no folder, then folder by folder.
Whiteouts and opaque folders are written only where a layer below has something that they hide: overlay makes every new
folder opaque, to save itself looking below. So the bytes, and with them the id, depend on nothing but the difference.
"""

from __future__ import annotations

import os
import stat
from functools import partial
from operator import attrgetter

from tiffin.errors import TiffinError
from tiffin.layers.entry import HARD_LINK, Entry
from tiffin.layers.names import LONGEST_PATH, shown
from tiffin.layers.overlay import BARE_ROOT, OPAQUE_NAME, WHITEOUT_PREFIX, is_opaque, is_whiteout, observe
from tiffin.layers.tarwriter import Member
from tiffin.layers.union import UnionView, open_folder, open_plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def delta(upper: str, lowers: Sequence[str]) -> Iterator[Member]:
    """What an overlay's upper folder changes in the union view of `lowers` (topmost first), for a `TarStream`.

    Sockets are left out: nobody listens behind them any more. Raises TiffinError, which names the path, for what no
    layer can hold. The root folder is there only if somebody changed it, not just something in it.
    """
    return _Delta(upper, UnionView(lowers)).members()


class _Delta:
    def __init__(self, upper: str, below: UnionView) -> None:
        self._upper, self._below = upper, below
        self._links: dict[tuple[int, int], bytes] = {}

    def members(self) -> Iterator[Member]:
        todo = [b""]
        while todo:
            path = todo.pop()
            folder = open_folder(self._upper, os.fsdecode(path))
            try:
                place = b"/proc/self/fd/%d/" % folder
                yield from self._folder(place, path)
                items = sorted(os.scandir(place), key=attrgetter("name"))
                for item in items:
                    if not item.is_dir(follow_symlinks=False):
                        member = self._thing(folder, item, path + b"/" + item.name if path else item.name)
                        if member is not None:
                            yield member
            finally:
                os.close(folder)
            folders = [item.name for item in reversed(items) if item.is_dir(follow_symlinks=False)]
            todo += [path + b"/" + name if path else name for name in folders]

    def _folder(self, place: bytes, path: bytes) -> Iterator[Member]:
        entry = observe(place + b".", path or b".")
        if path:
            yield Member(_checked(entry))
        elif self._root_changed(entry):
            yield Member(entry)
        if path and is_opaque(place + b"."):
            hidden = self._below.lookup(os.fsdecode(path))
            if hidden is not None and hidden.is_folder:
                yield Member(_mark(path + b"/" + OPAQUE_NAME))

    def _root_changed(self, root: Entry) -> bool:
        below = observe(self._below.folders[0], b"") if self._below.folders else BARE_ROOT
        return root._replace(name=b"", mtime=0) != below._replace(mtime=0)

    def _thing(self, folder: int, item: os.DirEntry[bytes], path: bytes) -> Member | None:
        status = os.stat(item.name, dir_fd=folder, follow_symlinks=False)
        if is_whiteout(status):
            if self._below.lookup(os.fsdecode(path)) is None:
                return None
            return Member(_mark(path[: -len(item.name)] + WHITEOUT_PREFIX + item.name))
        if stat.S_ISSOCK(status.st_mode):
            return None
        entry = _checked(observe(item.path, path, status))
        if status.st_nlink > 1:
            first = self._links.setdefault((status.st_dev, status.st_ino), path)
            if first != path:
                return Member(entry._replace(kind=HARD_LINK, link=first, stored=0, size=0, xattrs=()))
        return Member(entry, partial(open_plain, folder, item.name, path) if entry.stored else None)


def _checked(entry: Entry) -> Entry:
    name = entry.name
    if name.rpartition(b"/")[2].startswith(WHITEOUT_PREFIX):
        raise TiffinError(f"no layer can hold {shown(name)}: names with .wh. in front mean whiteouts; rename it")
    if len(name) > LONGEST_PATH:
        raise TiffinError(f"no layer can hold a path of {len(name)} bytes; remove {shown(name)} or make it shorter")
    return entry


def _mark(name: bytes) -> Entry:
    return Entry(name, stat.S_IFREG, 0o600, 0, 0, 0, b"", (0, 0), 0, 0)
