"""Builders for trees, tars and stacks of layers, and a way to compare two trees whole."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tiffin.layers.unpack import Unpacked, unpack
from tiffin.store.deletion import delete

OPAQUE = "trusted.overlay.opaque"


class Seen(NamedTuple):
    """All that a tree says about one name, but for the times of folders that were only passed through."""

    kind: str
    mode: int
    owner: tuple[int, int]
    mtime: int
    content: str
    """a digest, a link's target, or a device's number"""
    xattrs: tuple[tuple[str, bytes], ...]
    links: tuple[str, ...]
    """all names of the same file, if there are several"""


def look(folder: str, *, overlay: bool = False, times: bool = True) -> dict[str, Seen]:
    """A tree as values. `overlay` keeps overlay's own attributes; without `times` all times are 0."""
    found: dict[str, Seen] = {}
    names: dict[tuple[int, int], list[str]] = {}
    paths = [""]
    for path in paths:
        place = f"{folder}/{path}" if path else folder
        status = os.lstat(place)
        if stat.S_ISDIR(status.st_mode):
            paths += [f"{path}/{name}" if path else name for name in os.listdir(place)]
        else:
            names.setdefault((status.st_dev, status.st_ino), []).append(path)
    for path in paths:
        found[path] = _seen(folder, path, names, overlay=overlay, times=times)
    return found


def _seen(folder: str, path: str, names: dict[tuple[int, int], list[str]], *, overlay: bool, times: bool) -> Seen:
    place = f"{folder}/{path}" if path else folder
    status = os.lstat(place)
    kind = stat.filemode(status.st_mode)[0]
    content = ""
    if kind == "-":
        with open(place, "rb") as file:
            content = hashlib.sha256(file.read()).hexdigest()
    elif kind == "l":
        content = os.readlink(place)
    elif kind in "bc":
        content = f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
    xattrs = tuple(
        (name, os.getxattr(place, name, follow_symlinks=False))
        for name in sorted(os.listxattr(place, follow_symlinks=False))
        if overlay or not name.startswith("trusted.overlay.")
    )
    links = sorted(names.get((status.st_dev, status.st_ino), []))
    return Seen(
        kind,
        0 if kind == "l" else stat.S_IMODE(status.st_mode),
        (status.st_uid, status.st_gid),
        status.st_mtime_ns if times else 0,
        content,
        xattrs,
        tuple(links) if len(links) > 1 else (),
    )


class Item(NamedTuple):
    """One entry for a hand-made tar."""

    name: str
    content: bytes | None = b""
    """None makes a folder"""
    kind: bytes | None = None
    mode: int | None = None
    uid: int = 0
    gid: int = 0
    mtime: float = 1_000_000_000
    link: str = ""
    device: tuple[int, int] = (0, 0)
    pax: dict[str, str] = {}  # noqa: RUF012


def tar(*items: Item, form: int = tarfile.PAX_FORMAT, **options: object) -> bytes:
    """A tar as Python's tarfile writes it."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=form, **options) as archive:  # type: ignore[call-overload]
        for item in items:
            info = tarfile.TarInfo(item.name)
            info.type = item.kind or (tarfile.DIRTYPE if item.content is None else tarfile.REGTYPE)
            info.mode = item.mode if item.mode is not None else (0o755 if item.content is None else 0o644)
            info.uid, info.gid, info.mtime = item.uid, item.gid, item.mtime
            info.linkname, info.pax_headers = item.link, item.pax
            info.devmajor, info.devminor = item.device
            info.size = len(item.content or b"") if info.isreg() else 0
            archive.addfile(info, io.BytesIO(item.content or b""))
    return made.getvalue()


def folder(name: str, **more: object) -> Item:
    return Item(name, None, **more)  # type: ignore[arg-type]


def symlink(name: str, target: str, **more: object) -> Item:
    return Item(name, kind=tarfile.SYMTYPE, link=target, **more)  # type: ignore[arg-type]


def hard_link(name: str, target: str, **more: object) -> Item:
    return Item(name, kind=tarfile.LNKTYPE, link=target, **more)  # type: ignore[arg-type]


class Stack:
    """Layers made one on the other from tars, in a folder."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.lowers: list[str] = []

    def add(self, archive: bytes) -> str:
        """The new top layer's tree."""
        self.unpack(archive)
        return self.lowers[0]

    def unpack(self, archive: bytes) -> Unpacked:
        place = f"{self.folder}/{len(self.lowers)}"
        if os.path.exists(place):  # of one that failed
            delete(place)
        os.mkdir(place)
        made = unpack(io.BytesIO(archive), place, self.lowers)
        self.lowers.insert(0, f"{place}/diff")
        return made


@contextmanager
def mounted(lowers: list[str], folder: str, *, upper: str | None = None) -> Iterator[str]:
    """The kernel's own union view, at a new place below `folder`. With an upper folder it can be written to."""
    target = f"{folder}/merged"
    os.mkdir(target)
    options = "lowerdir=" + ":".join(lowers)
    if upper is not None:
        os.mkdir(f"{folder}/work")
        options += f",upperdir={upper},workdir={folder}/work,redirect_dir=off,metacopy=off,index=off,xino=off"
    elif len(lowers) == 1:  # overlay wants two of them
        os.mkdir(f"{folder}/empty")
        options += f":{folder}/empty"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, target], check=True)
    try:
        yield target
    finally:
        subprocess.run(["umount", target], check=True)
        os.rmdir(target)
