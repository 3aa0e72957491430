"""Whom to kill, and when: the processes that stand around a container, killed at a chosen system call."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple, TypeVar

from tests import leftovers
from tiffin.engine import Engine

PATIENCE = 20  # seconds for what must happen
Found = TypeVar("Found")


class Point(NamedTuple):
    """The n-th time that a process makes a system call."""

    call: str
    number: int


NEVER = Point("reboot", 1)


class Waiting(NamedTuple):
    """The processes that wait for the next start."""

    spawner: int
    shim: int
    launcher: int


def waiting(engine: Engine) -> Waiting:
    """There must have been a start; and no `rm` just before, which is a caller too."""

    def family() -> Waiting | None:
        idle = [pid for pid in leftovers.processes(engine.runroot) if leftovers.command(pid) == leftovers.SPAWNER]
        for pid in idle:
            shim = parent(pid)
            if shim in idle and (spawner := parent(shim)) in idle and _awaits_caller(pid, spawner):
                return Waiting(spawner, shim, pid)
        return None

    return until(family)


def _awaits_caller(launcher: int, spawner: int) -> bool:
    """One that still sweeps for its caller polls, too, now and then; but it has closed the socket for callers."""
    # not /proc/PID/syscall: some architectures have none
    with suppress(OSError), open(f"/proc/{launcher}/stack", encoding="ascii") as file:
        polls = "sys_poll+" in file.read()  # ppoll comes by do_sys_poll, too
        return polls and bool(_sockets(launcher) & _sockets(spawner))
    return False


def _sockets(pid: int) -> set[str]:
    found = {os.readlink(f"/proc/{pid}/fd/{number}") for number in os.listdir(f"/proc/{pid}/fd")}
    return {target for target in found if target.startswith("socket:")}


def shim_of(engine: Engine, id: str) -> int:
    """Of a container that runs, and whose launcher has ended: it holds the lock of the run as well."""
    first = engine.container(id).state().pid
    shim = parent(first)
    with open(f"/proc/{shim}/task/{shim}/children", encoding="ascii") as file:
        leftovers.wait_for([int(pid) for pid in file.read().split() if int(pid) != first])
    return shim


def parent(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return int(file.read().rpartition(") ")[2].split()[1])
    except OSError:
        return 0


def kill(pid: int) -> None:
    """And wait for the end, as far as that is visible for one that is not its parent."""
    pidfd = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    leftovers.wait_for([pid])
    os.close(pidfd)


def until(look: Callable[[], Found | None]) -> Found:
    """What `look` finds, asked again until it finds something."""
    deadline = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < deadline, f"{look} found nothing in {PATIENCE} s"
        os.sched_yield()
    return found


class Trap:
    """Kills a process that comes to a point."""

    def __init__(self, report: str, point: Point) -> None:
        self._report = report
        self._point = point

    @property
    def was_sprung(self) -> bool:
        """A call that never came back shows it even where strace was sent away too early to tell of the death."""
        return any(call == self._point.call and line.endswith("= ?") for call, line in self._calls())

    def passed(self) -> list[Point]:
        """All that the process came by."""
        seen: dict[str, int] = {}
        points = list[Point]()
        for call, _ in self._calls():
            if call not in ("exit_group", "restart_syscall"):
                seen[call] = seen.get(call, 0) + 1
                points.append(Point(call, seen[call]))
        return points

    def _calls(self) -> list[tuple[str, str]]:
        """Each call's name and line, which begins with a pid where children are watched, too."""
        with open(self._report, encoding="utf-8", errors="replace") as file:
            lines = [line.rstrip("\n").lstrip("0123456789 ") for line in file]
        return [(call, line) for line in lines if (call := line.partition("(")[0]).isidentifier()]


@contextmanager
def trap(pid: int, report: str, point: Point = NEVER, *, children: bool = False) -> Iterator[Trap]:
    """Watch a process, and with `children` those that it makes, while the block runs.

    What the block does must bring the process to an end, or to where it waits.
    """
    tamper = f"inject={point.call}:signal=KILL:when={point.number}"
    command = ["strace", "-p", str(pid), "-o", report, "-e", tamper, *(["-f"] if children else [])]
    pidfd = os.pidfd_open(pid)
    with subprocess.Popen(command, stderr=subprocess.PIPE) as strace:
        assert strace.stderr is not None
        line = strace.stderr.readline()
        assert b"attached" in line, line
        try:
            yield Trap(report, point)
        finally:
            ended, _, _ = select.select([pidfd], [], [], 0)
            if not ended:
                strace.terminate()  # it lets go of those who live
    os.close(pidfd)
