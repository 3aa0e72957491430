"""The process space of a running container, as the kernel shows it at this moment.

    /proc/<pid>/stat, cmdline    of each process in the cgroup    processes, and zombies among their children
    /proc/<pid>/ns/*             of the first one                 namespaces, compared with our own
    /proc/<pid>/status, …        of the first one                 protections: see `engine.protections`; one that was
                                                                  brought in by exec may have others
    the cgroup's files                                            use and limits

tiffin's records only say where to look: what is shown is what holds. A container has its hand in much of it (names,
arguments, mounts), so that lengths are cut, and any bytes are taken as they are: who draws them makes them harmless.

A pid is a number that the kernel gives to somebody else, later. So each process is held by a pidfd while its files are
read, and believed only if it was there until the end.
"""

from __future__ import annotations

import os
import time
from itertools import islice

from tiffin.engine.pictures import protections
from tiffin.kernel import cgroup_readings
from tiffin.kernel.cgroups import Group, Layout
from tiffin.record import NamedTuple
from tiffin.runtime.record import RunFolder
from tiffin.view.picture import Gauge, Namespace, Process, Protection, Space

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine.parts import Parts

MOST_PROCESSES = 1000
LONGEST_COMMAND = 2000  # bytes
LONGEST_LIST = 8 * MOST_PROCESSES  # bytes; a pid has seven digits at most
KINDS = ("mnt", "pid", "net", "ipc", "uts", "cgroup", "user", "time")
ZOMBIE = "Z"


class _Seen(NamedTuple):
    """A process, with pids as the host counts them."""

    pid: int
    pids: tuple[int, ...]
    """the same process in each pid namespace that it is in, from the host's inwards"""
    parent: int
    began: int
    """clock ticks since boot"""
    is_zombie: bool
    name: str


def space(parts: Parts, id: str) -> Space | None:
    """None where the container does not run (any more)."""
    folder = RunFolder(parts.store, id)
    record = folder.read()
    if record is None or not record.pid or not folder.is_running():
        return None
    try:
        place = _opened(record.pid)
    except OSError:
        return None
    try:
        first = _seen(record.pid)
        if first is None or first.began != record.pid_started:
            return None
        group = Group(Layout.from_json(record.layout), record.group)
        namespaces = _namespaces(place)
        return Space(
            processes(group, len(first.pids)), namespaces, record.group, _gauges(group, first.began),
            _protections(place, namespaces),
        )  # fmt: skip
    finally:
        os.close(place)


def processes(group: Group, depth: int) -> tuple[Process, ...]:
    """Those of the group that are so many pid namespaces deep or deeper, by their pid there; `MOST_PROCESSES` at most.

    What is less deep is about to enter: an exec that has only just begun.
    """
    found = {seen.pid: seen for seen in map(_seen, islice(group.processes(), MOST_PROCESSES)) if seen is not None}
    for pid in found.keys() - set(group.processes()):  # it has gone, or its pid was a stranger's already
        del found[pid]
    found |= _zombies(found)
    inside = {pid: seen.pids[depth - 1] for pid, seen in found.items() if len(seen.pids) >= depth}
    return tuple(sorted(Process(inside[pid], pid, inside.get(found[pid].parent, 0), found[pid].name) for pid in inside))


def _zombies(living: dict[int, _Seen]) -> dict[int, _Seen]:
    """What has ended and waits for its parent to ask how. Such are in no list of a cgroup any more."""
    found = dict[int, _Seen]()
    for parent in living:
        for pid in islice(_children(parent), MOST_PROCESSES - len(living) - len(found)):
            seen = None if pid in living else _seen(pid)
            if seen is not None and seen.is_zombie and seen.parent == parent:
                found[pid] = seen
    return found


def _children(pid: int) -> list[int]:
    """Of a process's first thread, which also gets the orphans (proc_tid_children(5))."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", "rb", buffering=0) as file:
            return [int(child) for child in file.read(LONGEST_LIST).split()[:MOST_PROCESSES]]
    except OSError:  # it has gone, or this kernel does not tell
        return []


def _seen(pid: int) -> _Seen | None:
    """None where there is no such process (any more)."""
    try:
        held = os.pidfd_open(pid)
    except OSError:
        return None
    try:
        place = _opened(pid)
        try:
            name, status, parent, began = _stat(place)
            is_zombie = status == ZOMBIE
            name = f"{name} (zombie)" if is_zombie else _command(place) or name
        finally:
            os.close(place)
        pids = _pids(held)  # last: they are there only while it is
        return _Seen(pid, pids, parent, began, is_zombie, name) if pids else None
    except OSError:
        return None
    finally:
        os.close(held)


def _opened(pid: int) -> int:
    """The folder of a process in /proc. Of another process that gets the pid later, it will not tell."""
    return os.open(f"/proc/{pid}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _stat(place: int) -> tuple[str, str, int, int]:
    """Name, state, parent and beginning (proc_pid_stat(5)). The name may have blanks, brackets and line ends in it."""
    text = protections.read(place, "stat", 4096)
    name, _, rest = text.partition("(")[2].rpartition(")")
    fields = rest.split()
    return name, fields[0], int(fields[1]), int(fields[19])


def _command(place: int) -> str:
    """The program and its arguments in one line; "" where it has hidden them."""
    return " ".join(protections.read(place, "cmdline", LONGEST_COMMAND).replace("\0", " ").split())


def _pids(held: int) -> tuple[int, ...]:
    """Of a pidfd (proc_pid_fdinfo(5)): the same line as in `status`, which the groups of a process can make long."""
    with open(f"/proc/self/fdinfo/{held}", "rb", buffering=0) as file:
        found = file.read(4096).partition(b"\nNSpid:")[2].partition(b"\n")[0].split()
    return tuple(int(pid) for pid in found if int(pid) > 0)


def _namespaces(place: int) -> tuple[Namespace, ...]:
    found = []
    for kind in KINDS:
        number = _namespace(f"/proc/self/fd/{place}/ns/{kind}")
        if number is not None:
            found.append(Namespace(kind, number, number != _namespace(f"/proc/self/ns/{kind}")))
    return tuple(found)


def _namespace(link: str) -> int | None:
    """The inode number out of `net:[4026531840]` (namespaces(7)); None where the kernel has none of that kind."""
    try:
        return int(os.readlink(link).partition("[")[2].rstrip("]"))
    except OSError:
        return None


def _protections(place: int, namespaces: tuple[Namespace, ...]) -> tuple[Protection, ...]:
    """None where its first thread has ended before the others: then the kernel does not tell."""
    has_own_users = any(namespace.kind == "user" and namespace.is_own for namespace in namespaces)
    try:
        return protections.of(place, shares_users=not has_own_users)
    except OSError:
        return ()


def _gauges(group: Group, began: int) -> tuple[Gauge, ...]:
    """Of the processors, the mean since the first process began, as ps(1) has it in %CPU."""
    memory, pids, cpu, swap = (
        reading(group)
        for reading in (cgroup_readings.memory, cgroup_readings.pids, cgroup_readings.cpu, cgroup_readings.swap)
    )
    nanoseconds = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - began * 10**9 // os.sysconf("SC_CLK_TCK")
    busy = None if cpu.used is None or nanoseconds <= 0 else cpu.used * 1000 // nanoseconds
    found = (
        Gauge("memory", *memory),
        Gauge("processes", *pids),
        Gauge("cpus", busy, cpu.limit),
    )
    return found if swap.limit is None else (*found, Gauge("swap", *swap))
