"""The small first process of `--init`: a static tini of this machine where there is one, else our own."""

from __future__ import annotations

import os

from tiffin.model.mount import BindMount

PROGRAMS = ("docker-init", "tini-static", "tini")
FOLDERS = ("/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/libexec/docker", "/bin", "/sbin")
INSIDE = "/dev/init"  # on the container's own tmpfs, so that the read-write layer shows no trace of it


def found() -> BindMount | None:
    """The program, seen inside. It must be static: the image may lack its libraries."""
    for folder in FOLDERS:
        for program in PROGRAMS:
            path = f"{folder}/{program}"
            if os.path.isfile(path) and _is_static(path):
                return BindMount(os.path.realpath(path), INSIDE, readonly=True, recursive=False)
    return None


def _is_static(path: str) -> bool:
    from tiffin.engine import elf  # only with --init

    try:
        return elf.read(path).is_static
    except (elf.NotElf, OSError):
        return False
