"""Control groups: the same group made in every hierarchy of the machine, limited, joined, frozen, killed, removed.

Only files, no policy: who gets which group and which limits is decided above. Every operation raises OSError with
the file that the kernel refused, or the controller that this machine lacks.

Two costs shape this module. Writing a process id to `cgroup.procs` waits some 10 ms for all processors, so nobody is
moved from outside: on v2 a process is born in its group (clone3 with CLONE_INTO_CGROUP and `open_directory`), on v1 it
moves itself by writing 0 to each of `join_files`, while it has a single thread. And every file opened costs, so
a start opens only what it writes.
"""

from __future__ import annotations

import errno
import os
import time

from tiffin.kernel import device_filter, signals
from tiffin.kernel.cgroup_layout import Hierarchy, Layout, detect
from tiffin.kernel.cgroup_limits import DeviceRule, Limits, Setting, v1_settings, v2_settings
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["DeviceRule", "Group", "Hierarchy", "Layout", "Limits", "Usage", "detect", "join"]

PATIENCE = 2.0  # seconds: for freezing, for killed processes to end, and for their groups to become removable
SWAP = ("memory.memsw.limit_in_bytes", "memory.swap.max")
COUNTED = ("cpu", "cpuset", "memory", "pids", "io")  # v2 controllers that a group gets for its counters alone


class Usage(NamedTuple):
    """None where no controller counts it."""

    memory: int | None  # bytes, page cache included
    cpu: int | None  # nanoseconds
    pids: int | None


class Group(NamedTuple):
    """A group that need not exist yet. `path` is absolute and counts from each hierarchy's mount: `/tiffin/<id>`."""

    layout: Layout
    path: str

    def create(self, limits: Limits) -> None:
        """Make the group and put the limits in force. What was made is removed again when a limit is refused.

        Groups on the way to it are made as well and stay. Raises OSError, FileExistsError among them.
        """
        if not self.path.startswith("/") or ".." in self.path.split("/"):
            raise OSError(errno.EINVAL, "the path of a control group starts with / and goes only down", self.path)
        made: list[str] = []
        try:
            for hierarchy in self._hierarchies():
                _make(self.folder(hierarchy))
                made.append(self.folder(hierarchy))
            self.limit(limits)
        except BaseException:
            for folder in reversed(made):
                os.rmdir(folder)
            raise

    def limit(self, limits: Limits) -> None:
        """Put limits in force. Raises OSError."""
        self._limit_v1(limits)
        self._limit_v2(limits)
        self._limit_devices(limits.devices)

    def folder(self, hierarchy: Hierarchy) -> str:
        return hierarchy.mount + self.path

    def join_files(self) -> list[str]:
        """The files by which a process with one thread joins the v1 groups, by `join`. Empty on pure v2."""
        return [f"{self.folder(hierarchy)}/tasks" for hierarchy in self.layout.v1]

    def join(self) -> None:
        """Move the calling process, which has one thread, into the group in all hierarchies; slow on v2."""
        join(self.join_files())
        if self.layout.v2:
            _write(f"{self.folder(self.layout.v2)}/cgroup.procs", "0")

    def open_directory(self) -> int | None:
        """A descriptor of the v2 directory for CLONE_INTO_CGROUP; None where there is no v2."""
        if self.layout.v2 is None:
            return None
        return os.open(self.folder(self.layout.v2), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def freeze(self) -> None:
        """Stop all processes where they are. Raises TimeoutError, and thaws, if they are not still in two seconds."""
        if not self._has_freezer():
            raise _missing("freezer")
        self._set_frozen(True)
        try:
            _wait_until(self.is_frozen, self.path, PATIENCE, retry=lambda: self._set_frozen(True))
        except TimeoutError:
            self.thaw()
            raise

    def thaw(self) -> None:
        self._set_frozen(False)

    def is_frozen(self) -> bool:
        if self.layout.v2:
            return _counter(f"{self.folder(self.layout.v2)}/cgroup.events", "frozen") == 1
        freezer = self.layout.v1_of("freezer")
        return freezer is not None and _read(f"{self.folder(freezer)}/freezer.state") == "FROZEN"

    def kill(self, patience: float = PATIENCE) -> None:
        """SIGKILL all processes of the group and of groups below it, and wait until they are dead. None left is fine.

        Raises TimeoutError when some are not dead after so many seconds, as in an uninterruptible wait for a disk.
        """
        if self.processes():
            self._kill_once()
            _wait_until(lambda: not self.processes(), self.path, patience, retry=self._kill_once)

    def processes(self) -> list[int]:
        """Those in the group and in groups below it, which a container may have made; none if there is no group."""
        found: set[int] = set()
        # One v1 hierarchy knows them all; v2 is asked beside it because a process enters them in two steps.
        for hierarchy in (self._main_v1(), self.layout.v2):
            if hierarchy is not None:
                for folder in _tree(self.folder(hierarchy)):
                    found.update(_processes_in(folder))
        return sorted(found - {0})  # 0: a process outside our pid namespace

    def remove(self, patience: float = PATIENCE) -> None:
        """Remove the group, and groups below it, from all hierarchies; one that is not there is removed already.

        Ended processes leave a group a moment after their parent has seen their end; raises TimeoutError when one
        cannot be removed for so many seconds.
        """
        for hierarchy in self._hierarchies():
            _remove(self.folder(hierarchy), patience)

    def remove_if_empty(self) -> None:
        """Remove it where there is nothing in it, without waiting."""
        for hierarchy in self._hierarchies():
            try:
                os.rmdir(self.folder(hierarchy))
            except OSError as error:
                if error.errno not in (errno.EBUSY, errno.ENOENT):
                    raise

    def is_there(self) -> bool:
        """In any hierarchy."""
        return any(os.path.isdir(self.folder(hierarchy)) for hierarchy in self._hierarchies())

    def names_below(self) -> set[str]:
        """Of the groups right below it, in any hierarchy."""
        found: set[str] = set()
        for hierarchy in self._hierarchies():
            try:
                found.update(entry.name for entry in os.scandir(self.folder(hierarchy)) if entry.is_dir())
            except FileNotFoundError:
                continue
        return found

    def oom_kills(self) -> int:
        """How many processes the kernel has killed because the group was out of memory."""
        if v1 := self.layout.v1_of("memory"):
            return _counter(f"{self.folder(v1)}/memory.oom_control", "oom_kill") or 0
        if v2 := self.layout.v2_of("memory"):
            return _counter(f"{self.folder(v2)}/memory.events", "oom_kill") or 0
        return 0

    def usage(self) -> Usage:
        return Usage(
            memory=self._count("memory", v1_file="memory.usage_in_bytes", v2_file="memory.current"),
            cpu=self._cpu(),
            pids=self._count("pids", v1_file="pids.current", v2_file="pids.current"),
        )

    def _hierarchies(self) -> tuple[Hierarchy, ...]:
        return (*self.layout.v1, self.layout.v2) if self.layout.v2 else self.layout.v1

    def _main_v1(self) -> Hierarchy | None:
        return self.layout.v1_of("freezer") or next(iter(self.layout.v1), None)

    def _limit_v1(self, limits: Limits) -> None:
        if cpuset := self.layout.v1_of("cpuset"):
            _inherit_cpuset(cpuset.mount, self.path)
        for setting in v1_settings(limits):
            if v1 := self.layout.v1_of(setting.controller):
                _set(self.folder(v1), setting)
            elif not self.layout.v2_of(setting.controller):
                raise _missing(setting.controller)

    def _limit_v2(self, limits: Limits) -> None:
        if self.layout.v2 is None or not set(COUNTED) & set(self.layout.v2.controllers):
            return
        settings = [setting for setting in v2_settings(limits) if self.layout.v2_of(setting.controller)]
        wanted = [controller for controller in COUNTED if controller in self.layout.v2.controllers]
        _enable(self.layout.v2.mount, self.path, wanted, needed={setting.controller for setting in settings})
        for setting in settings:
            _set(self.folder(self.layout.v2), setting)

    def _limit_devices(self, rules: tuple[DeviceRule, ...]) -> None:
        if not rules:
            return
        if v1 := self.layout.v1_of("devices"):
            _write_device_rules(self.folder(v1), rules)
            return
        directory = self.open_directory()
        if directory is None:
            raise _missing("devices")
        try:
            device_filter.attach(rules, directory)
        finally:
            os.close(directory)

    def _has_freezer(self) -> bool:
        return self.layout.v2 is not None or self.layout.v1_of("freezer") is not None

    def _set_frozen(self, frozen: bool) -> None:
        if self.layout.v2:
            _write(f"{self.folder(self.layout.v2)}/cgroup.freeze", str(int(frozen)))
        elif v1 := self.layout.v1_of("freezer"):
            _write(f"{self.folder(v1)}/freezer.state", "FROZEN" if frozen else "THAWED")

    def _kill_once(self) -> None:
        if self.layout.v2:
            try:
                _write(f"{self.folder(self.layout.v2)}/cgroup.kill", "1")
            except FileNotFoundError:
                pass  # a start that was cut off before it came here
            self._signal_all()  # those that are in the v1 groups alone
        else:
            self._set_frozen(True)  # so that none forks while we count
            self._signal_all()
            self._set_frozen(False)  # on v1 a frozen process does not even die

    def _signal_all(self) -> None:
        for pid in self.processes():
            try:
                os.kill(pid, signals.SIGKILL)
            except ProcessLookupError:
                pass

    def _count(self, controller: str, *, v1_file: str, v2_file: str) -> int | None:
        if v1 := self.layout.v1_of(controller):
            return int(_read(f"{self.folder(v1)}/{v1_file}"))
        if v2 := self.layout.v2_of(controller):
            return int(_read(f"{self.folder(v2)}/{v2_file}"))
        return None

    def _cpu(self) -> int | None:
        if v1 := self.layout.v1_of("cpuacct"):
            return int(_read(f"{self.folder(v1)}/cpuacct.usage"))
        if self.layout.v2:  # counts without any controller
            microseconds = _counter(f"{self.folder(self.layout.v2)}/cpu.stat", "usage_usec")
            return None if microseconds is None else microseconds * 1000
        return None


def join(files: Iterable[str]) -> None:
    """Move the calling process, which must have one thread, into the groups of `Group.join_files`."""
    for file in files:
        try:
            _write(file, "0")
        except OSError:
            _write(f"{os.path.dirname(file)}/cgroup.procs", "0")  # slow, but the interface that is promised


def _make(folder: str) -> None:
    try:
        os.mkdir(folder)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        os.mkdir(folder)


def _inherit_cpuset(mount: str, path: str) -> None:
    """Fill a v1 cpuset from the one above: a new one is empty, and nothing can run in it (kernel: cpusets.rst)."""
    if not path or _read(f"{mount}{path}/cpuset.cpus"):
        return
    above = os.path.dirname(path).rstrip("/")
    _inherit_cpuset(mount, above)
    for file in ("cpuset.cpus", "cpuset.mems"):
        _write(f"{mount}{path}/{file}", _read(f"{mount}{above}/{file}"))
    _write(f"{mount}{path}/cgroup.clone_children", "1")  # those made below from now on are born filled


def _enable(mount: str, path: str, wanted: list[str], *, needed: set[str]) -> None:
    """Pass v2 controllers down to the group; each level must pass them on (kernel: cgroup-v2.rst, Top-down).

    Those that are only wanted, for their counters, may be refused: a level that holds processes passes none on.
    """
    if not path or set(wanted) <= set(_read(f"{mount}{path}/cgroup.controllers").split()):
        return
    above = os.path.dirname(path).rstrip("/")
    _enable(mount, above, wanted, needed=needed)
    for controller in wanted:
        try:
            _write(f"{mount}{above}/cgroup.subtree_control", f"+{controller}")
        except OSError:
            if controller in needed:
                raise


def _set(folder: str, setting: Setting) -> None:
    try:
        _write(f"{folder}/{setting.file}", setting.value)
    except FileNotFoundError:
        if setting.file not in SWAP:
            raise  # a kernel that does not count swap cannot limit it: as Docker, which only warns


def _write_device_rules(folder: str, rules: Iterable[DeviceRule]) -> None:
    """The order counts, so both files stay open: a rule per write is what the kernel takes."""
    allow, deny = (os.open(f"{folder}/devices.{verb}", os.O_WRONLY | os.O_CLOEXEC) for verb in ("allow", "deny"))
    try:
        for rule in rules:
            os.write(allow if rule.allow else deny, str(rule).encode())
    except OSError as error:
        raise OSError(error.errno, error.strerror, f"{folder}/devices.{'allow' if rule.allow else 'deny'}") from error
    finally:
        os.close(allow)
        os.close(deny)


def _tree(folder: str) -> list[str]:
    """A group and those below it, each before those below it; empty if it is not there."""
    found: list[str] = []
    waiting = [folder]
    while waiting:
        group = waiting.pop()
        try:
            with os.scandir(group) as entries:
                waiting += [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        except FileNotFoundError:
            continue
        found.append(group)
    return found


def _processes_in(folder: str) -> list[int]:
    try:
        return [int(pid) for pid in _read(f"{folder}/cgroup.procs").split()]
    except OSError as error:
        # removed meanwhile; or a threaded group, whose processes are listed above it
        if error.errno in (errno.ENOENT, errno.ENODEV, errno.EOPNOTSUPP):
            return []
        raise


def _remove(folder: str, patience: float) -> None:
    try:
        os.rmdir(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        _wait_until(lambda: _remove_tree(folder), folder, patience)


def _remove_tree(folder: str) -> bool:
    for group in reversed(_tree(folder)):
        try:
            os.rmdir(group)
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno == errno.EBUSY:
                return False
            raise
    return True


def _wait_until(holds: Callable[[], bool], what: str, patience: float, retry: Callable[[], None] | None = None) -> None:
    """Ask again, ever less often, for at most so many seconds."""
    deadline = time.monotonic() + patience
    pause = 0.0001
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT), what)
        time.sleep(pause)
        pause = min(pause * 2, 0.02)
        if retry:
            retry()


def _missing(controller: str) -> OSError:
    return OSError(errno.EOPNOTSUPP, f"this machine has no {controller} controller for control groups", controller)


def _counter(file: str, name: str) -> int | None:
    """A number out of a file of `name number` lines."""
    for line in _read(file).splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return None


def _read(file: str) -> str:
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        text = b""
        while piece := os.read(descriptor, 65536):
            text += piece
    finally:
        os.close(descriptor)
    return text.decode().strip()


def _write(file: str, text: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    except OSError as error:
        raise OSError(error.errno, error.strerror, file) from error
    finally:
        os.close(descriptor)
