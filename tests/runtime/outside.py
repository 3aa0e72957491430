"""A container as it is seen from outside, by /proc and the files of its control group: whoever has made it."""

from __future__ import annotations

import os
import stat
import subprocess
from typing import NamedTuple

from tiffin.kernel.cgroups import Group, Layout

STATUS = ("Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "SigBlk", "SigIgn")
LIMITS = (
    "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.soft_limit_in_bytes", "cpu.shares",
    "cpu.cfs_period_us", "cpu.cfs_quota_us", "cpuset.cpus", "cpuset.mems", "pids.max", "devices.list", "memory.max",
    "memory.swap.max", "memory.low", "cpu.weight", "cpu.max",
)  # fmt: skip


class Mount(NamedTuple):
    target: str
    kind: str
    flags: str
    spreads: str
    """how mounts made later do"""
    is_readonly: bool
    """the file system, not only this mount"""


class Seen(NamedTuple):
    files: dict[str, tuple[object, ...]]
    own_spaces: frozenset[str]
    """the kinds of namespaces that are not ours"""
    mounts: list[Mount]
    limits: dict[str, str]
    status: dict[str, str]
    environment: dict[str, str]
    arguments: list[str]
    folder: str
    names: str
    """host and domain"""
    addresses: str
    streams: list[str]


def look(pid: int, layout: Layout) -> Seen:
    """At the first process of a container."""
    variables = (entry.partition("=") for entry in _read(f"/proc/{pid}/environ").split("\0"))
    lines = (line.partition(":") for line in _read(f"/proc/{pid}/status").splitlines())
    status = {key: text.strip() for key, _, text in lines if key in STATUS}
    status["Groups"] = " ".join(sorted(status["Groups"].split()))
    name = ["cat", "/proc/sys/kernel/hostname", "/proc/sys/kernel/domainname"]
    names = subprocess.run(["nsenter", f"--uts=/proc/{pid}/ns/uts", *name], capture_output=True, check=True, text=True)
    return Seen(
        files=_files(f"/proc/{pid}/root"),
        own_spaces=frozenset(
            name for name in os.listdir("/proc/self/ns") if _space(str(pid), name) != _space("self", name)
        ),
        mounts=_mounts(pid),
        limits=_limits(pid, layout),
        status=status,
        environment={name: value for name, sign, value in variables if sign},
        arguments=_read(f"/proc/{pid}/cmdline").split("\0")[:-1],
        folder=os.readlink(f"/proc/{pid}/cwd"),
        names=names.stdout,
        addresses=_read(f"/proc/{pid}/net/if_inet6"),
        streams=sorted(os.listdir(f"/proc/{pid}/fd")),
    )


def groups(pid: int) -> dict[str, str]:
    """The path of its control group in each hierarchy, by the names of the controllers."""
    lines = _read(f"/proc/{pid}/cgroup").splitlines()
    return {controllers: path for _, controllers, path in (line.split(":", 2) for line in lines)}


def _space(pid: str, name: str) -> str:
    return os.readlink(f"/proc/{pid}/ns/{name}")


def _files(root: str) -> dict[str, tuple[object, ...]]:
    """Of each file its type, mode, owner, size or number, and link; without what the kernel tells."""
    found = dict[str, tuple[object, ...]]()
    for folder, folders, names in os.walk(f"{root}/"):
        inside = folder.removeprefix(root)
        if inside == "/":
            found["/"] = _file(folder)
            folders[:] = [name for name in folders if name not in ("proc", "sys")]
        for name in (*folders, *names):
            found[os.path.join(inside, name)] = _file(os.path.join(folder, name))
    return found


def _file(path: str) -> tuple[object, ...]:
    there = os.lstat(path)
    if stat.S_ISLNK(there.st_mode):
        return there.st_mode, there.st_uid, there.st_gid, os.readlink(path)
    size = there.st_size if stat.S_ISREG(there.st_mode) else there.st_rdev
    return there.st_mode, there.st_uid, there.st_gid, size


def _mounts(pid: int) -> list[Mount]:
    found = []
    for line in _read(f"/proc/{pid}/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        _, _, _, _, target, flags, *spreads = before.split(" ")
        kind, _, options = after.split(" ")
        found.append(Mount(target, kind, flags, " ".join(spreads), "ro" in options.split(",")))
    return found


def _limits(pid: int, layout: Layout) -> dict[str, str]:
    found = dict[str, str]()
    for controllers, path in groups(pid).items():
        hierarchies = (tree for tree in layout.v1 if set(controllers.split(",")) == set(tree.controllers))
        hierarchy = layout.v2 if controllers == "" else next(hierarchies, None)
        if hierarchy:
            folder = Group(layout, path).folder(hierarchy)
            found |= {f"{name}": _read(f"{folder}/{name}") for name in LIMITS if os.path.exists(f"{folder}/{name}")}
    return found


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()
