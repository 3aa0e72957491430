"""What a control group uses and may use, read back from its files, in v1 as in v2.

              v1                                        v2
    memory    memory.usage_in_bytes, .limit_in_bytes    memory.current, memory.max
    swap      memory.memsw.* less the above             memory.swap.current, memory.swap.max
    pids      pids.current, pids.max                    the same
    cpu       cpuacct.usage, cpu.cfs_quota_us, …        cpu.stat, cpu.max

The limits are the group's own; one above it may have narrower ones. Nothing here raises OSError: a file that is not
there, because the controller is not, or because the group has just gone, says nothing.
"""

from __future__ import annotations

import os

from tiffin.kernel.cgroups import Group
from tiffin.record import NamedTuple

V1_UNLIMITED = (1 << 63) - (1 << 16)  # v1 says 2^63, less a page, where there is no limit; a page is at most 64 kB
MICROSECOND = 1000  # nanoseconds


class Reading(NamedTuple):
    """None: nobody counts it; there is no limit."""

    used: int | None
    limit: int | None


def memory(group: Group) -> Reading:
    """In bytes, page cache included."""
    return Reading(
        _number(group, "memory", v1="memory.usage_in_bytes", v2="memory.current"),
        _number(group, "memory", v1="memory.limit_in_bytes", v2="memory.max"),
    )


def swap(group: Group) -> Reading:
    """In bytes, of swap alone."""
    if group.layout.v1_of("memory") is None:
        return Reading(
            _number(group, "memory", v2="memory.swap.current"),
            _number(group, "memory", v2="memory.swap.max"),
        )
    both = Reading(
        _number(group, "memory", v1="memory.memsw.usage_in_bytes"),
        _number(group, "memory", v1="memory.memsw.limit_in_bytes"),
    )
    alone = memory(group)
    return Reading(_less(both.used, alone.used), _less(both.limit, alone.limit))


def pids(group: Group) -> Reading:
    """Processes and threads."""
    return Reading(
        _number(group, "pids", v1="pids.current", v2="pids.current"),
        _number(group, "pids", v1="pids.max", v2="pids.max"),
    )


def cpu(group: Group) -> Reading:
    """Used: nanoseconds of all processors together, since the group was made. Limit: thousandths of a processor."""
    if v1 := group.layout.v1_of("cpuacct"):
        used = _as_number(_read(f"{group.folder(v1)}/cpuacct.usage"))
    else:
        used = _cpu_v2(group)
    if v1 := group.layout.v1_of("cpu"):
        words = [_read(f"{group.folder(v1)}/cpu.cfs_{name}_us") for name in ("quota", "period")]
    elif v2 := group.layout.v2_of("cpu"):
        words = _read(f"{group.folder(v2)}/cpu.max").split()
    else:
        words = []
    quota, period = (*map(_as_number, words), None, None)[:2]
    return Reading(used, quota * 1000 // period if quota is not None and period else None)


def _cpu_v2(group: Group) -> int | None:
    if group.layout.v2 is None:
        return None
    for line in _read(f"{group.folder(group.layout.v2)}/cpu.stat").splitlines():  # there without any controller
        name, _, number = line.partition(" ")
        if name == "usage_usec":
            return int(number) * MICROSECOND
    return None


def _number(group: Group, controller: str, *, v1: str = "", v2: str = "") -> int | None:
    layout = group.layout
    if hierarchy := layout.v1_of(controller):
        return _as_number(_read(f"{group.folder(hierarchy)}/{v1}")) if v1 else None
    if hierarchy := layout.v2_of(controller):
        return _as_number(_read(f"{group.folder(hierarchy)}/{v2}")) if v2 else None
    return None


def _as_number(text: str) -> int | None:
    """None for what is no number, as `max`, and for the numbers that mean no limit."""
    if not text.isdecimal():  # -1, v1's quota where there is none, too
        return None
    number = int(text)
    return None if number >= V1_UNLIMITED else number


def _less(both: int | None, alone: int | None) -> int | None:
    return None if both is None or alone is None else max(0, both - alone)  # two files are not read at one moment


def _read(file: str) -> str:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(descriptor, 65536).decode().strip()
    except OSError:  # ENODEV: the group has gone
        return ""
    finally:
        os.close(descriptor)
