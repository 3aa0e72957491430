"""The union view as one flat tar, without layers: what `export` gives out and `import` takes."""

from __future__ import annotations

import os
import stat
from functools import partial

from tiffin.layers.entry import HARD_LINK
from tiffin.layers.overlay import observe
from tiffin.layers.tarwriter import Member, TarStream
from tiffin.layers.union import Sight, UnionView, open_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def export(folders: Sequence[str]) -> TarStream:
    """The union view of some trees, topmost first, as a tar to be read and closed.

    Names that are hard links in one layer are hard links in the tar. Sockets are left out. Reading raises what
    `TarStream` raises, and NoSuchPath where something vanishes meanwhile.
    """
    return TarStream(_members(UnionView(folders)))


def _members(view: UnionView) -> Iterator[Member]:
    links: dict[tuple[str, int], bytes] = {}
    for sight in view.walk():
        if not stat.S_ISSOCK(sight.status.st_mode):
            yield _member(view, sight, links)


def _member(view: UnionView, sight: Sight, links: dict[tuple[str, int], bytes]) -> Member:
    folder = open_folder(sight.layer, os.path.dirname(sight.path))
    try:
        place = f"/proc/self/fd/{folder}/{os.path.basename(sight.path) or '.'}"
        entry = observe(place, os.fsencode(sight.path) or b".", sight.status)
    finally:
        os.close(folder)
    if sight.status.st_nlink > 1 and not sight.is_folder:
        first = links.setdefault((sight.layer, sight.status.st_ino), entry.name)
        if first != entry.name:
            return Member(entry._replace(kind=HARD_LINK, link=first, stored=0, size=0, xattrs=()))
    return Member(entry, partial(view.open, sight))
