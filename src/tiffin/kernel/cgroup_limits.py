"""What a group may use, as one value, and the files in which v1 and v2 want it written.

The numbers mean what they mean in OCI's runtime specification (config-linux.md, Control groups), which speaks v1;
v2's are computed from them as runc does, so that `inspect` and other engines agree on what is in force.
"""

from __future__ import annotations

import errno

from tiffin.record import NamedTuple


class DeviceRule(NamedTuple):
    """May these devices be used? None is any number; `kind` is a(ny), b(lock) or c(haracter); `access` out of rwm."""

    allow: bool
    kind: str
    major: int | None
    minor: int | None
    access: str

    def __str__(self) -> str:
        major, minor = ("*" if number is None else number for number in (self.major, self.minor))
        return f"{self.kind} {major}:{minor} {self.access}"


class Limits(NamedTuple):
    """None leaves a thing to the kernel's default; -1 in memory, quota and pids takes the limit away."""

    memory: int | None = None  # bytes
    memory_swap: int | None = None  # bytes of memory and swap together
    memory_reservation: int | None = None  # bytes
    cpu_quota: int | None = None  # microseconds of processor time in each period
    cpu_period: int | None = None  # microseconds
    cpu_shares: int | None = None  # 2 to 262144, 1024 is usual
    cpuset_cpus: str | None = None  # 0-2,7
    cpuset_mems: str | None = None
    pids: int | None = None
    devices: tuple[DeviceRule, ...] = ()  # the last that fits decides; none: all devices


class Setting(NamedTuple):
    controller: str
    file: str
    value: str


def v1_settings(limits: Limits) -> list[Setting]:
    """The files to write in the order in which the kernel takes them; devices are not among them."""
    wanted = (
        ("memory", "memory.limit_in_bytes", limits.memory),
        ("memory", "memory.memsw.limit_in_bytes", limits.memory_swap),  # must never be below the limit of memory
        ("memory", "memory.soft_limit_in_bytes", limits.memory_reservation),
        ("cpu", "cpu.shares", limits.cpu_shares),
        ("cpu", "cpu.cfs_period_us", limits.cpu_period),
        ("cpu", "cpu.cfs_quota_us", limits.cpu_quota),
        ("cpuset", "cpuset.cpus", limits.cpuset_cpus),
        ("cpuset", "cpuset.mems", limits.cpuset_mems),
        ("pids", "pids.max", _number(limits.pids)),
    )
    return [Setting(controller, file, str(value)) for controller, file, value in wanted if value is not None]


def v2_settings(limits: Limits) -> list[Setting]:
    """The same for v2. Raises OSError for a limit of memory and swap without one of memory: v2 counts swap alone."""
    wanted = (
        ("memory", "memory.max", _number(limits.memory)),
        ("memory", "memory.swap.max", _swap(limits)),
        ("memory", "memory.low", _number(limits.memory_reservation)),
        ("cpu", "cpu.weight", None if limits.cpu_shares is None else str(weight(limits.cpu_shares))),
        ("cpu", "cpu.max", _cpu_max(limits)),
        ("cpuset", "cpuset.cpus", limits.cpuset_cpus),
        ("cpuset", "cpuset.mems", limits.cpuset_mems),
        ("pids", "pids.max", _number(limits.pids)),
    )
    return [Setting(controller, file, value) for controller, file, value in wanted if value is not None]


def weight(shares: int) -> int:
    """v1's 2…262144 on v2's scale of 1…10000, as runc and crun compute it."""
    return 1 + (max(2, min(shares, 262144)) - 2) * 9999 // 262142


def _number(limit: int | None) -> str | None:
    if limit is None:
        return None
    return "max" if limit < 0 else str(limit)


def _swap(limits: Limits) -> str | None:
    if limits.memory_swap is None:
        return None
    if limits.memory_swap < 0:
        return "max"
    if limits.memory is None or limits.memory < 0:
        raise OSError(errno.EINVAL, "a limit of memory and swap together needs a limit of memory", "memory.swap.max")
    if limits.memory_swap < limits.memory:
        raise OSError(errno.EINVAL, "the limit of memory and swap together is below that of memory", "memory.swap.max")
    return str(limits.memory_swap - limits.memory)


def _cpu_max(limits: Limits) -> str | None:
    if limits.cpu_quota is None and limits.cpu_period is None:
        return None
    quota = "max" if limits.cpu_quota is None or limits.cpu_quota <= 0 else str(limits.cpu_quota)
    return quota if limits.cpu_period is None else f"{quota} {limits.cpu_period}"
