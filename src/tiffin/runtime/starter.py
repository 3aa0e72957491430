"""Starting a run: everything between a caller's wish and a program that has begun.

This runs in the launcher, a fork of the shim in new namespaces. It reads the plan, takes the run's locks, hands all
that the shim needs to the shim, takes the steps, and becomes the program.
"""

from __future__ import annotations

import marshal
import os
import time

from tiffin.kernel import process, unix
from tiffin.kernel.cgroups import Group
from tiffin.record import NamedTuple
from tiffin.runtime import thrown_away
from tiffin.runtime.channel import Channel
from tiffin.runtime.failures import Failure
from tiffin.runtime.launch import CannotStart, Streams, open_streams, take, traced
from tiffin.runtime.plan import Plan
from tiffin.runtime.record import LastRun, RunFolder, RunRecord
from tiffin.runtime.stage import Stage
from tiffin.store import Store, events, files
from tiffin.store.deletion import delete
from tiffin.store.locks import Lock, try_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from typing import Any, NoReturn

    from tiffin.runtime.tracing import Tracer

STIRRING = ("server", "program_stdout", "program_stderr")
PATIENCE = 60.0  # seconds that the layer's last run may take to unmount


class Handover(NamedTuple):
    """What the shim must know of a run, once something happens in it. The descriptors travel with the `Note`."""

    id: str
    root: str
    runroot: str
    record: tuple[object, ...]
    """`RunRecord`"""
    descriptors: tuple[str, ...]
    """their names, in the order in which they come"""
    stdin_once: bool
    log_largest: int
    log_files: int
    owned: bool
    attributes: dict[str, str]


class Launcher(NamedTuple):
    """Who we are, as the host sees it: looked up before a caller comes, who would have to wait for it."""

    boot: str
    pid: int
    pid_started: int
    shim: int

    @classmethod
    def of_this_process(cls) -> Launcher:
        pid = int(os.readlink("/proc/self"))
        return cls(process.boot_id(), pid, process.start_time(pid), process.parent_of("/proc/self"))


class Starter:
    """One start. `group` is the one that we were born in."""

    def __init__(self, plan: Plan, group: Group, launcher: Launcher) -> None:
        self.plan = plan
        self.launcher = launcher
        self.store = Store(plan.root, plan.runroot)
        self.folder = RunFolder(self.store, plan.id)
        self.born_in = group
        self.group = Group(group.layout, plan.group) if plan.group else group
        self.record = RunRecord(
            launcher.boot, group.layout.to_json(), self.group.path, plan.auto_remove, launcher.shim, launcher.pid,
            launcher.pid_started,
        )  # fmt: skip
        self.run_lock: Lock | None = None
        self.layer_lock: Lock | None = None
        self.tracer: Tracer | None = None

    def start(self, caller: Channel, given: dict[str, int], status: socket, *, owned: bool) -> None:
        """Hand the run to the shim and become the program; or tell the caller why not, and leave nothing."""
        try:
            self.tracer = traced(given.pop("trace", None))
            self._hold(given.pop("lock", None))
            handed, far = self._prepare(given)
        except CannotStart as error:
            self._give_up(caller, error.failure)
            return
        except OSError as error:  # a full disk, too many open files
            where = f" ({error.filename})" if error.filename else ""
            self._give_up(caller, Failure("step", "Start", error.errno or 0, f"{error.strerror}{where}"))
            return
        handed["caller"] = caller.fileno()
        self._hand_over(status, handed, owned)
        self._become(status, far)

    def _hold(self, run_lock: int | None) -> None:
        """The run's lock, which the caller may have held since before the container was made, and the layer's."""
        if run_lock is not None:
            self.run_lock = Lock(run_lock)
        until = time.monotonic() + 0.05  # whoever asks "does it run?" holds the lock for a moment
        while self.run_lock is None:
            self.run_lock = self.folder.hold()
            if self.run_lock is None and time.monotonic() > until:
                raise CannotStart(Failure("running", "Lock", 0, "the container is running already"))
        self.layer_lock = self._hold_layer()

    def _hold_layer(self) -> Lock:
        """The read-write layer, once the last run's mount on it is gone."""
        until, folder = time.monotonic() + PATIENCE, self.store.path("containers", self.plan.id, "diff")
        try:
            while (held := try_lock(folder)) is None:
                if time.monotonic() > until:
                    raise CannotStart(Failure("step", "Lock", 0, f"{folder} is still mounted by the last run"))
                time.sleep(0.001)
        except FileNotFoundError:
            raise CannotStart(Failure("gone", "Lock", 0, "the container was removed meanwhile")) from None
        if self.plan.auto_remove:
            self._forget_volatile()
        return held

    def _forget_volatile(self) -> None:
        """After a volatile mount overlay refuses the next, as a crash may have cost something; here was none."""
        delete(self.store.path("containers", self.plan.id, "work/work/incompat/volatile"))  # overlayfs.rst

    def _prepare(self, given: dict[str, int]) -> tuple[dict[str, int], Streams]:
        """What the shim gets, and the program's ends of its streams."""
        assert self.run_lock
        assert self.layer_lock
        began = time.time()
        self.record = self.record._replace(started=began)
        self.folder.write(self.record)  # now recovery knows the group
        self._limit()
        server = unix.listen(self.folder.socket)
        for name, text in self.plan.files.items():
            files.replace(f"{self.folder.path}/{name}", text.encode(), durable=False, mode=0o644)
        self.folder.write_last(LastRun(self.record.boot, began))
        near, far = open_streams(self.plan.terminal, self.plan.open_stdin)
        handed = {
            "server": server.detach(), "run_lock": self.run_lock.descriptor, "layer_lock": self.layer_lock.descriptor,
            **{f"program_{name}": number for name, number in near._asdict().items()},
        }  # fmt: skip
        if self.plan.log_driver != "none":
            handed["log"] = os.open(self.store.path("containers", self.plan.id), os.O_PATH | os.O_CLOEXEC)
        handed |= {f"client_{name}": number for name, number in given.items()}
        return {name: number for name, number in handed.items() if number >= 0}, far

    def _limit(self) -> None:
        tried = "its control group cannot be made"
        try:
            if self.group is self.born_in:
                tried = "a limit cannot be set"
                self.group.limit(self.plan.limits)
            else:
                self.group.create(self.plan.limits)
                self.group.join()
        except OSError as error:
            # the name of a limit's file is in the kernel's documentation; where its group lies tells the reader nothing
            where = f" ({os.path.basename(error.filename)})" if error.filename and self.group is self.born_in else ""
            text = f"{tried}: {error.strerror}{where}"
            raise CannotStart(Failure("step", "MakeCgroup", error.errno or 0, text)) from error

    def _hand_over(self, shim: socket, handed: dict[str, int], owned: bool) -> None:
        """A note of what the shim needs at once, and all the rest, which it reads when something happens."""
        plan, names = self.plan, tuple(handed)
        watched = owned or any(name.startswith("client_") for name in names)
        stirring = tuple(names.index(name) for name in STIRRING if name in names and not watched)
        event = events.prepared("container", "start", plan.id, plan.attributes)
        rest: tuple[Any, ...] = tuple(
            Handover(
                plan.id, plan.root, plan.runroot, tuple(self.record), names, plan.stdin_once, plan.log_largest,
                plan.log_files, owned, plan.attributes,
            )
        )  # fmt: skip
        folder, caller = self.store.run_path("events"), names.index("caller")
        note = (folder, event, caller, stirring, not watched, marshal.dumps(rest))
        unix.send(shim, marshal.dumps(note), tuple(handed.values()))

    def _become(self, status: socket, streams: Streams) -> NoReturn:
        take(self.plan.steps, Stage(status, shim=self.launcher.shim), streams, self.tracer)

    def _give_up(self, caller: Channel, failure: Failure) -> None:
        """Leave nothing of a start that failed before the shim had it, and say why."""
        if self.tracer:
            self.tracer.stop()
        taken = None
        if self.run_lock:
            if failure.kind != "gone":
                self.folder.write_failure(LastRun("", 0.0, time.time(), 128, failure.text))
                if self.plan.auto_remove:
                    taken = thrown_away.throw_away(self.store, self.plan.id, self.plan.attributes)
            self.folder.clear()
            self.run_lock.release()
        if self.layer_lock:
            self.layer_lock.release()
        if self.group is not self.born_in:
            self.born_in.join()
            self.group.remove()
        if taken:
            thrown_away.delete(self.store, taken, self.plan.attributes["name"])
        caller.send({"failed": failure})
