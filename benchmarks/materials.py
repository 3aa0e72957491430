"""What the work needs: a tree of files as a layer, and lines of text. Made once, when first wanted.

The tree is a minimal Debian by debootstrap where that is installed and can reach its archive, or one that the caller
gives. Else it is made up: 6,768 entries and 211 MB like that Debian, the same bytes each time.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tarfile
from functools import cached_property
from pathlib import Path
from typing import Any

ENTRIES = 6_768
BYTES = 211_000_000
LINES = 1_000_000
LINE = b"x" * 99 + b"\n"
MARK = "mark"
WHEN = 1_700_000_000  # seconds since 1970: the time of what is made up


class Materials:
    def __init__(self, folder: Path, tree: Path | None = None) -> None:
        self.folder = folder
        self._given = tree
        self._latest = ""

    @cached_property
    def tree(self) -> Path:
        """A root file system of some 200 MB."""
        if self._given:
            return self._given
        folder = self.folder / "tree"
        return folder if debootstrap(folder) else made_up(folder)

    @cached_property
    def layer(self) -> Path:
        """The tree as a tar of ustar headers; what these can't hold is left out."""
        path = self.folder / "layer.tar"
        with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
            tar.add(self.tree, arcname=".", filter=fitting)
        return path

    def unpack(self, folder: Path) -> None:
        """The same tree again."""
        with tarfile.open(self.layer) as tar:
            tar.extraction_filter = lambda member, path: member  # it is our own: keep devices and owners
            tar.extractall(folder)

    def archive(self, mark: str) -> Path:
        """An image of that one layer, called localhost/`mark`, as `docker save` writes it.

        The mark is in the layer as well: no engine has that layer already, and none needs to be removed before the next
        round, which would make that one slower: see `_spread` in place.py.
        """
        layer, path = self.folder / "marked.tar", self.folder / "image.tar"
        if self._latest == mark:
            return path
        shutil.copyfile(self.layer, layer)
        with tarfile.open(layer, "a", format=tarfile.USTAR_FORMAT) as tar:
            add(tar, MARK, mark.encode())
        with layer.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        config = json.dumps(configuration(digest)).encode()
        name = hashlib.sha256(config).hexdigest() + ".json"
        manifest = [{"Config": name, "RepoTags": [f"localhost/{mark}:latest"], "Layers": [f"{digest}/layer.tar"]}]
        with tarfile.open(path, "w") as tar:
            add(tar, name, config)
            tar.add(layer, arcname=f"{digest}/layer.tar")
            add(tar, "manifest.json", json.dumps(manifest).encode())
        self._latest = mark
        return path

    @cached_property
    def numbers(self) -> Path:
        """A million short lines, as `seq` writes them."""
        path = self.folder / "numbers"
        path.write_bytes(b"".join(b"%d\n" % number for number in range(1, LINES + 1)))
        return path

    @cached_property
    def lines(self) -> Path:
        """Ten MB of lines of 100 bytes, for a program to write again and again."""
        path = self.folder / "lines"
        path.write_bytes(LINE * 100_000)
        return path


def small_tar(name: str, content: bytes) -> io.BytesIO:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        add(tar, name, content)
    file.seek(0)
    return file


def configuration(diff_id: str) -> dict[str, Any]:
    return {
        "architecture": "amd64" if os.uname().machine == "x86_64" else "arm64",
        "os": "linux",
        "created": "2023-11-14T22:13:20Z",
        "config": {"Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff_id}"]},
        "history": [{"created": "2023-11-14T22:13:20Z", "created_by": "benchmarks"}],
    }


def debootstrap(folder: Path) -> bool:
    program = shutil.which("debootstrap")
    if not program:
        return False
    print("debootstrap makes a tree; this takes a minute or two ...", file=sys.stderr, flush=True)
    command = [program, "--variant=minbase", "bookworm", str(folder)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if done.returncode:
        print("debootstrap failed; a made-up tree will do", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
    return done.returncode == 0


def made_up(folder: Path, *, entries: int = ENTRIES, size: int = BYTES) -> Path:
    """Folders, files of very different sizes and symlinks, in the numbers of a minimal Debian; always the same."""
    chance = random.Random(211)
    tops = [folder / f"{number:02}" for number in range(entries // 150)]
    folders = [top / f"{number:02}" for top in tops for number in range(16)]
    links = entries // 10
    weights = [chance.paretovariate(0.9) for _ in range(entries - len(tops) - len(folders) - links)]
    scale = (size - entries * 900) / sum(weights)  # a tar has some 900 bytes for each entry
    for path in folders:
        path.mkdir(parents=True)
    for number, weight in enumerate(weights):
        path = folders[number % len(folders)] / f"file-{number}"
        path.write_bytes(chance.randbytes(int(weight * scale)))
    for number in range(links):
        (folders[number % len(folders)] / f"link-{number}").symlink_to(f"file-{number}")
    for where, names, files_of in os.walk(folder, topdown=False):
        for name in (*names, *files_of):
            os.utime(os.path.join(where, name), (WHEN, WHEN), follow_symlinks=False)
    return folder


def fitting(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    member.mtime = int(member.mtime)
    try:
        member.tobuf(tarfile.USTAR_FORMAT)
    except ValueError:
        return None
    return member


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))
