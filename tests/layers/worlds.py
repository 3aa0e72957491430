"""Random trees and random stacks of layers, for hypothesis: what has no name cannot be forgotten in a test."""

from __future__ import annotations

import os
import stat
import tarfile
from typing import NamedTuple

from hypothesis import strategies as some

from tests.layers.trees import Item

NAMES = ["a", "b", "c", "d"]
ODD_NAMES = [*NAMES, "B \u00e9", "x" * 120, "-", "\udcff", "new\nline"]


class Node(NamedTuple):
    """Something to be made on the disk."""

    kind: str
    """- d l p c h, h being a hard link to an earlier file"""
    mode: int
    owner: tuple[int, int]
    mtime: int
    content: bytes
    xattr: bytes | None


def _times() -> some.SearchStrategy[int]:
    return some.integers(-(10**9), 2**33) | some.integers(-(10**18), 2 * 10**18)


def nodes(kinds: str = "--ddlpch") -> some.SearchStrategy[Node]:
    return some.builds(
        Node,
        some.sampled_from(kinds),
        some.sampled_from([0o644, 0o755, 0o4711, 0o1777, 0o2750, 0o000]),
        some.sampled_from([(0, 0), (1000, 1000), (3_000_000, 7)]),
        _times(),
        some.binary(max_size=20) | some.integers(0, 1500).map(lambda size: b"z" * size),
        some.none() | some.none() | some.binary(max_size=8),
    )


def paths(names: list[str]) -> some.SearchStrategy[str]:
    return some.lists(some.sampled_from(names), min_size=1, max_size=3).map("/".join)


def trees(names: list[str] = ODD_NAMES) -> some.SearchStrategy[dict[str, Node]]:
    return some.dictionaries(paths(names), nodes(), max_size=10)


def plant(folder: str, tree: dict[str, Node]) -> None:
    """Make a tree in an empty folder. What lies in something that is no folder is left out."""
    files: list[str] = []
    made: list[tuple[str, Node]] = []
    for path, node in sorted(tree.items(), key=lambda item: item[0].count("/")):
        place, parent = f"{folder}/{path}", os.path.dirname(f"{folder}/{path}")
        try:
            os.makedirs(parent, exist_ok=True)
            if not os.path.lexists(place):
                _make(place, node, files)
                made.append((place, node))
        except OSError:  # through a file or a link
            continue
    for place, node in reversed(made):  # times of folders change while things are put into them
        _dress(place, node)


def _make(place: str, node: Node, files: list[str]) -> None:
    if node.kind == "d":
        os.mkdir(place)
    elif node.kind == "l":
        os.symlink(b"to " + node.content.replace(b"\0", b"-").replace(b"/", b"-"), place)
    elif node.kind == "p":
        os.mkfifo(place)
    elif node.kind == "c":
        os.mknod(place, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    elif node.kind == "h" and files:
        os.link(files[-1], place, follow_symlinks=False)
    else:
        with open(place, "wb") as file:
            file.write(node.content)
        files.append(place)


def _dress(place: str, node: Node) -> None:
    os.chown(place, *node.owner, follow_symlinks=False)
    if not os.path.islink(place):
        os.chmod(place, node.mode)
        if node.xattr is not None:
            os.setxattr(place, "trusted.of.test", node.xattr)
    os.utime(place, ns=(node.mtime, node.mtime), follow_symlinks=False)


def layers() -> some.SearchStrategy[list[Item]]:
    """A delta as tar entries, with whiteouts, opaque folders, repetitions and any order."""
    return some.lists(paths(NAMES).flatmap(_items), max_size=8).map(
        lambda groups: [item for group in groups for item in group]
    )


def _items(path: str) -> some.SearchStrategy[list[Item]]:
    parent, name = os.path.split(path)
    whiteout = os.path.join(parent, f".wh.{name}")
    return some.sampled_from(
        [
            [Item(path, path.encode())],
            [Item(path, path.encode() + b"2", mode=0o600)],
            [Item(path, None, mode=0o700)],
            [Item(path, None, uid=5)],
            [Item(path, kind=tarfile.SYMTYPE, link="a/b")],
            [Item(path, kind=tarfile.FIFOTYPE)],
            [Item(whiteout)],
            [Item(whiteout)],
            [Item(path, None), Item(f"{path}/.wh..wh..opq")],
            [Item(".wh..wh..opq")],
        ]
    )
