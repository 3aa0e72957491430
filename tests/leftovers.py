"""What a test session left on the machine: mounts, processes and cgroups that belong to its folder.

Others may work on the same machine at the same time, so a thing counts only when it can be told to be ours: it has
the session's folder in its mounts, open files, arguments or environment; a cgroup's name begins with the key of a
spawner that had its socket in that folder.
"""

from __future__ import annotations

import contextlib
import glob
import os
import select
import signal
import time
from collections.abc import Iterator
from errno import EINVAL
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiffin.engine import Engine

PATIENCE = 10  # seconds in which what is going away by itself (an ending shim, say) may still do so
SPAWNER = "tiffin-spawner"  # waits for the next start, for a minute: no leftover, and not waited for
SHIM = "tiffin-shim"


def look(folder: str) -> list[str]:
    """One line for each thing of `folder` that is still there after a while; empty when all is gone."""
    dismiss_spawners(folder)
    wait_for_processes(folder)
    found = [f"process {pid}: {_what_it_does(pid)}: {arguments(pid)}" for pid in processes(folder)]
    found += [f"mount {line}" for line in mounts(folder)]
    return found + [f"cgroup {group}" for group in groups_of(folder)]


def of_containers(engine: Engine) -> list[str]:
    """One line for each thing that is left of an engine's containers, when all that ends by itself has ended."""
    engine.ps()  # which puts away what a crash has left
    shims = [pid for pid in processes(engine.root) if command(pid) == SHIM]
    wait_for(shims)
    found = [f"process {pid}: {command(pid)}" for pid in processes(engine.root) if command(pid) != SPAWNER]
    found += [f"mount {line}" for line in mounts(engine.root)]
    found += [f"cgroup {group}" for group in groups_of(engine.runroot)]
    root, runroot = engine.root, engine.runroot
    for place in (f"{root}/containers", f"{root}/containers/names", f"{runroot}/run", f"{runroot}/ended"):
        with contextlib.suppress(FileNotFoundError):
            found += [f"{place}/{name}" for name in os.listdir(place) if name != "names"]
    return found


def dismiss_spawners(folder: str) -> None:
    for pid in processes(folder):
        with contextlib.suppress(OSError):
            if command(pid) == SPAWNER:
                os.kill(pid, signal.SIGTERM)


def command(pid: int) -> str:
    """The name that a process has given itself, or of its program; empty when it has ended."""
    with contextlib.suppress(OSError):
        return _read(f"/proc/{pid}/comm").strip()
    return ""


def wait_for_processes(folder: str) -> None:
    """Until all have ended, at most PATIENCE seconds; also those that others begin on their way out.

    A spawner that is told to go while it forks a shim goes when it has.
    """
    deadline = time.monotonic() + PATIENCE
    # looked for twice: who forks and ends while /proc is read is not there any more, and its child not yet
    while (there := list(processes(folder)) or list(processes(folder))) and time.monotonic() < deadline:
        wait_for(there)


def wait_for(pids: list[int]) -> None:
    """Until they have ended, at most PATIENCE seconds for all."""
    deadline = time.monotonic() + PATIENCE
    for pid in pids:
        try:
            pidfd = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        except OSError as error:
            if error.errno != EINVAL:
                raise
            continue  # gone as well, but the number is still that of a session of others (before 6.16 or so)
        select.select([pidfd], [], [], max(0.0, deadline - time.monotonic()))
        os.close(pidfd)


def processes(folder: str) -> Iterator[int]:
    """Processes other than ourselves that hold or were given something below `folder`."""
    ours = {_place(line) for line in _read("/proc/self/mountinfo").splitlines()}
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        # it may end under our eyes; a zombie has nothing to read
        with contextlib.suppress(OSError):
            if any(folder in text for text in _belongings(f"/proc/{name}", ours)):
                yield int(name)


def _belongings(process: str, ours: set[tuple[str, ...]]) -> Iterator[str]:
    for link in ("cwd", "root", "exe"):
        with contextlib.suppress(OSError):
            yield os.readlink(f"{process}/{link}")
    for file in ("cmdline", "environ"):
        with contextlib.suppress(OSError):
            yield _read(f"{process}/{file}")
    # a mount of the machine belongs to no process, though namespaces of others (systemd's services) get it as well
    yield from (line for line in _read(f"{process}/mountinfo").splitlines() if _place(line) not in ours)
    for descriptor in os.listdir(f"{process}/fd"):
        with contextlib.suppress(OSError):
            yield os.readlink(f"{process}/fd/{descriptor}")


def _place(mount: str) -> tuple[str, ...]:
    """What a line of mountinfo mounts, and where."""
    return tuple(mount.split()[2:5])


def mounts(folder: str) -> list[str]:
    return [line for line in _read("/proc/self/mountinfo").splitlines() if folder in line]


def groups() -> frozenset[str]:
    """All cgroups in or below one named tiffin…, as folders, in every hierarchy."""
    found: set[str] = set()
    for line in _read("/proc/self/mountinfo").splitlines():
        fields, _, kind = line.partition(" - ")
        if not kind.startswith(("cgroup ", "cgroup2 ")):
            continue
        top = fields.split()[4]
        with contextlib.suppress(OSError):
            for name in os.listdir(top):
                if name.startswith("tiffin"):
                    found.update(folder for folder, _, _ in os.walk(os.path.join(top, name)))
    return frozenset(found)


def groups_of(folder: str) -> list[str]:
    """Those of runs whose runroot lies in a folder, but for a spawner's next."""
    deadline = time.monotonic() + PATIENCE
    while (found := _groups_of(folder)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


def _groups_of(folder: str) -> list[str]:
    places = (glob.glob(f"{folder}/{depth}spawner/*.lock") for depth in ("", "*/", "*/*/"))
    keys = {os.path.basename(file).removesuffix(".lock") for place in places for file in place}
    ours = [group for group in groups() if os.path.basename(group).partition("-")[0] in keys]
    if not ours:
        return []
    spares = {_v2_group(pid) for pid in processes(folder) if command(pid) == SPAWNER}
    return sorted(group for group in ours if os.path.basename(group) not in spares)


def _v2_group(pid: int) -> str:
    """The name of the group of a process in the hierarchy of v2."""
    with contextlib.suppress(OSError):
        lines = _read(f"/proc/{pid}/cgroup").splitlines()
        return os.path.basename(next((line for line in lines if line.startswith("0::")), ""))
    return ""


def _what_it_does(pid: int) -> str:
    """Its name, its state, and, for root, the function of the kernel in which it waits."""
    with contextlib.suppress(OSError):
        stat, stack = _read(f"/proc/{pid}/stat"), _read(f"/proc/{pid}/stack")
        return f"{command(pid)}, {stat.rpartition(') ')[2][0]}, {stack.partition(chr(10))[0].rpartition(' ')[2]}"
    return "?"


def arguments(pid: int) -> str:
    with contextlib.suppress(OSError):
        return _read(f"/proc/{pid}/cmdline").replace("\0", " ")
    return "?"


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()
