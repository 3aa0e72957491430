"""The seccomp filter of a container: Docker's profile, compiled for its capabilities, and kept for this boot."""

from __future__ import annotations

import os
from binascii import b2a_base64
from zlib import crc32

from tiffin.kernel import capabilities
from tiffin.store import Store, files

PROFILE = os.path.join(os.path.dirname(os.path.dirname(__file__)), "runtime", "seccomp.json")


def default_filter(store: Store, keep: int) -> str:
    """Docker's default profile for a container that keeps these capabilities (a mask); in base64."""
    machine, kernel = os.uname().machine, _kernel_version()
    there = os.stat(PROFILE)
    key = crc32(f"{keep} {machine} {kernel} {there.st_size} {there.st_mtime_ns}".encode())
    path = store.run_path("filters", f"{keep:x}-{key:08x}")
    try:
        return files.read(path).decode()
    except FileNotFoundError:
        text = b2a_base64(_compile(keep, machine, kernel), newline=False)
    os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
    files.replace(path, text, durable=False)
    return text.decode()


def _compile(keep: int, machine: str, kernel: tuple[int, int]) -> bytes:
    from tiffin.kernel import seccomp  # the compiler: once per boot

    profile = seccomp.parse(files.read(PROFILE))
    names = frozenset(capabilities.names(capabilities.members(keep)))
    return seccomp.compile(profile, capabilities=names, arch=machine, kernel_version=kernel)


def _kernel_version() -> tuple[int, int]:
    major, minor = os.uname().release.split("-")[0].split(".")[:2]
    return int(major), int(minor)
