"""A small image made of a static busybox: the root file system for tests of containers."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Mapping

from tiffin.engine import Engine

PROGRAM = "/bin/busybox"
FOLDERS = ("bin", "dev", "etc", "home", "home/alice", "proc", "root", "sys", "tmp", "usr")
PASSWD = b"""root:x:0:0:root:/root:/bin/sh
alice:x:1000:1001:Alice:/home/alice:/bin/sh
bob:x:1002:1002::/:/bin/sh
"""
GROUP = b"""root:x:0:
alice:x:1001:
bob:x:1002:
friends:x:2000:alice,bob
team:x:2001:alice
"""


class Link(str):
    """The target of a symbolic link, in the place of a file's content."""


class Fifo:
    """A named pipe, in the place of a file's content."""


Content = bytes | Link | Fifo | None
"""None is a folder."""


def engine(root: str, runroot: str) -> Engine:
    """A fresh engine with the image `busybox`."""
    made = Engine(root, runroot)
    made.import_(io.BytesIO(tar()), "busybox")
    return made


def tar(members: Mapping[str, Content] | None = None) -> bytes:
    """The image's file system; `members` come in addition, or in the place of what there is (with all below it)."""
    chosen: dict[str, Content] = dict.fromkeys(FOLDERS)
    chosen |= {"etc/passwd": PASSWD, "etc/group": GROUP, **(members or {})}
    others = tuple(f"{name}/" for name, content in chosen.items() if content is not None)
    chosen = {name: content for name, content in chosen.items() if not name.startswith(others)}
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in chosen.items():
            _add(archive, name, content)
        if chosen.get("bin", 0) is None:
            _add_applets(archive)
    return file.getvalue()


def _add(archive: tarfile.TarFile, name: str, content: Content) -> None:
    member = tarfile.TarInfo(name)
    member.mode = {"tmp": 0o1777}.get(name, 0o755)
    if content is None:
        member.type = tarfile.DIRTYPE
    elif isinstance(content, Link):
        member.type, member.linkname = tarfile.SYMTYPE, content
    elif isinstance(content, Fifo):
        member.type = tarfile.FIFOTYPE
    else:
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
        return
    archive.addfile(member)


def _add_applets(archive: tarfile.TarFile) -> None:
    archive.add(PROGRAM, "bin/busybox")
    applets = subprocess.run([PROGRAM, "--list"], check=True, capture_output=True, text=True).stdout.split()
    for applet in set(applets) - {"busybox"}:
        member = tarfile.TarInfo(f"bin/{applet}")
        member.type, member.linkname = tarfile.LNKTYPE, "bin/busybox"
        archive.addfile(member)
