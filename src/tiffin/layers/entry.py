"""One thing in a tree, as archives and folders both know it: a name, a kind, attributes."""

from __future__ import annotations

from tiffin.record import NamedTuple

HARD_LINK = 0
"""the kind of an entry that is one more name for a file: it has no file type of its own"""


class Entry(NamedTuple):
    """One entry, as it was written: nothing about its name or its link is checked yet."""

    name: bytes
    kind: int
    """a file type (stat.S_IFREG and so on), or HARD_LINK"""
    mode: int
    uid: int
    gid: int
    mtime: int
    """nanoseconds since 1970"""
    link: bytes
    device: tuple[int, int]
    stored: int
    """bytes of content that follow on the tape"""
    size: int
    """bytes of the file: more than `stored` where it has holes"""
    segments: tuple[tuple[int, int], ...] | None = None
    """of a sparse file: where the stored bytes go, as (offset, length)"""
    xattrs: tuple[tuple[str, bytes], ...] = ()
