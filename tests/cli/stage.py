"""A host on which there is something of everything, for tests that explain and look; and what lies on its disk.

    busybox     one layer         running    in a process space       held     paused
    mood        one layer more    done       has ended with 0         failed   has ended with 3
                                  fresh      has not run yet          archive  of mood, saved; and `flat`, a flat tar
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tests import busybox
from tests.cli.shell import Shell
from tiffin.engine import Engine

FOR_EVER = ("sleep", "1000000")
CACHES = ("cgroups", "filters", "fixtures", "rootfs")
"""below the runroot: what every start finds there, and the first one of a boot makes; an explained start as well"""
OTHERS = ("spawner", "groups")
"""below the runroot: come and go by themselves, with a spawner and those that wait in it"""


class Stage(NamedTuple):
    shell: Shell
    engine: Engine
    archive: str
    flat: str

    def disk(self) -> dict[str, tuple[int, int, int]]:
        """All that lies below root and runroot: inode, time of the last change, size."""
        engine, found = self.engine, dict[str, tuple[int, int, int]]()
        left_out = {f"{engine.runroot}/{name}" for name in (*CACHES, *OTHERS)}
        for top in (engine.root, engine.runroot):
            for folder, folders, files in os.walk(top):
                folders[:] = [name for name in folders if f"{folder}/{name}" not in left_out]
                for path in (f"{folder}/{name}" for name in (*folders, *files)):
                    if path not in left_out:
                        status = os.lstat(path)
                        found[path] = (status.st_ino, status.st_mtime_ns, status.st_size)
        return found


@contextmanager
def furnished(folder: str) -> Iterator[Stage]:
    """Such a host in a folder; when it ends, nothing runs there any more."""
    engine = busybox.engine(f"{folder}/root", f"{folder}/run")
    shell = Shell(engine)
    try:
        shell.ok("run", "--name", "done", "busybox", "sh", "-c", "echo joy >happiness.txt; echo done")
        shell.ok("commit", "done", "mood")
        assert shell("run", "--name", "failed", "mood", "sh", "-c", "exit 3").code == 3
        shell.ok("create", "--name", "fresh", "mood", "true")
        shell.ok("run", "-d", "--name", "running", "mood", *FOR_EVER)
        shell.ok("run", "-d", "--name", "held", "busybox", *FOR_EVER)
        shell.ok("pause", "held")
        archive, flat = f"{folder}/archive.tar", f"{folder}/flat.tar"
        shell.ok("save", "-o", archive, "mood")
        shell.ok("export", "-o", flat, "done")
        yield Stage(shell, engine, archive, flat)
    finally:
        left = shell.ok("ps", "-aq").split()
        if left:
            shell.ok("rm", "-f", *left)


def words_of(text: str) -> str:
    """Without the breaks and blanks of the layout."""
    return " ".join(text.split())


def drawn(tree: str) -> set[str]:
    """The containers in a tree, by the signs of their states."""
    return set(re.findall(r"[▶‖○✓✗] (\w+)  ", tree))
