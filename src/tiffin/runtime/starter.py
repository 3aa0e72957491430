"""Starting a run: everything between a caller's wish and a program that has begun.

This runs in the launcher, a fork of the shim that ends when the shim has taken over. So what a start reads, builds and
touches is gone afterwards, and a shim at rest is small.
"""

from __future__ import annotations

import marshal
import os
import time
from _socket import socket

from tiffin.kernel import process, unix
from tiffin.record import NamedTuple
from tiffin.runtime.channel import Channel, Message
from tiffin.runtime.launch import CannotStart, Child, Failure, launch
from tiffin.runtime.plan import Plan
from tiffin.runtime.record import LastRun, RunFolder, RunRecord
from tiffin.store import Store, events, files, sweep
from tiffin.store.locks import Lock, try_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

STIRRING = ("pidfd", "server", "caller", "terminal", "program_stdout", "program_stderr")
PATIENCE = 60.0  # seconds that the layer's last run may take to unmount


class Handover(NamedTuple):
    """What the shim must know of a run; small, since it stays in memory. The descriptors travel beside it."""

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

    def send(self, shim: socket, descriptors: tuple[int, ...]) -> None:
        fields: tuple[Any, ...] = tuple(self)
        watched = self.owned or any(name.startswith("client_") for name in self.descriptors)
        stirring = bytes(name in STIRRING and not watched for name in self.descriptors)
        unix.send(shim, bytes((len(stirring),)) + stirring + marshal.dumps(fields), descriptors)

    @staticmethod
    def stirring(content: bytes, descriptors: list[int]) -> list[int]:
        """The descriptors on which something can happen; none if somebody watches. Told without reading more."""
        return [number for stirs, number in zip(content[1:], descriptors, strict=False) if stirs]

    @classmethod
    def read(cls, content: bytes, descriptors: list[int]) -> tuple[Handover, dict[str, int]]:
        """What was sent, and the descriptors by their names."""
        handover = cls(*marshal.loads(content[1 + content[0] :]))  # from ourselves
        return handover, dict(zip(handover.descriptors, descriptors, strict=True))


class Starter:
    """One start."""

    def __init__(self, plan: Plan, shim: int) -> None:
        self.plan = plan
        self.store = Store(plan.root, plan.runroot)
        self.folder = RunFolder(self.store, plan.id)
        self.group = plan.cgroup()
        self.record = RunRecord(process.boot_id(), plan.layout, plan.group, plan.auto_remove, shim)
        self.run_lock: Lock | None = None
        self.layer_lock: Lock | None = None

    def start(self, caller: Channel, given: dict[str, int], shim: socket, *, owned: bool) -> None:
        """Make the process space and hand it to the shim; or tell the caller why not, and leave nothing."""
        try:
            self._hold(given.pop("lock", None))
            handed = self._start(given)
        except CannotStart as error:
            self._give_up(caller, error.failure)
        except OSError as error:  # a full disk, too many open files
            where = f" ({error.filename})" if error.filename else ""
            self._give_up(caller, Failure("step", "Start", error.errno or 0, f"{error.strerror}{where}"))
        else:
            events.emit(self.store, "container", "start", self.plan.id, self.plan.attributes)
            caller.send({"started": self.record.pid})
            handed["caller"] = caller.fileno()
            self._hand_over(shim, handed, owned)

    def _hold(self, run_lock: int | None) -> None:
        """The run's lock, which the caller may have held since before the container was made, and the layer's."""
        if run_lock is not None:
            self.run_lock = Lock(run_lock)
        until = time.monotonic() + 0.05  # whoever asks "does it run?" holds the lock for a moment
        while self.run_lock is None:
            self.run_lock = self.folder.hold()
            if self.run_lock is None and time.monotonic() > until:
                raise CannotStart(Failure("running", "Lock", 0, "the container is running already"))
        self.folder.write(self.record)  # so that recovery knows the group
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
        sweep.delete(self.store.path("containers", self.plan.id, "work/work/incompat/volatile"))  # overlayfs.rst

    def _start(self, given: dict[str, int]) -> dict[str, int]:
        assert self.run_lock
        assert self.layer_lock
        server = unix.listen(self.folder.socket)
        for name, text in self.plan.files.items():
            files.replace(f"{self.folder.path}/{name}", text.encode(), durable=False, mode=0o644)
        self._make_group()
        child = self._launch()
        began = time.time()
        self.record = self.record._replace(pid=child.pid, pid_started=process.start_time(child.pid), started=began)
        self.folder.write(self.record)
        self.folder.write_last(LastRun(self.record.boot, began))
        handed = {
            "pidfd": child.pidfd, "server": server.detach(), "terminal": child.terminal, "mounts": child.mounts,
            "run_lock": self.run_lock.descriptor, "layer_lock": self.layer_lock.descriptor,
            **{f"program_{name}": number for name, number in child.streams._asdict().items()},
        }  # fmt: skip
        if self.plan.log_driver != "none":
            handed["log"] = os.open(self.store.path("containers", self.plan.id), os.O_PATH | os.O_CLOEXEC)
        handed |= {f"client_{name}": number for name, number in given.items()}
        return {name: number for name, number in handed.items() if number >= 0}

    def _make_group(self) -> None:
        try:
            try:
                self.group.create(self.plan.limits)
            except FileExistsError:  # of a run that was killed before it could write anything down
                self.group.kill()
                self.group.remove()
                self.group.create(self.plan.limits)
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            raise CannotStart(Failure("step", "MakeCgroup", error.errno or 0, f"{error.strerror}{where}")) from error

    def _launch(self) -> Child:
        plan, folder = self.plan, self.group.open_directory()
        try:
            return launch(plan.steps, plan.namespaces, folder, terminal=plan.terminal, open_stdin=plan.open_stdin)
        finally:
            if folder is not None:
                os.close(folder)

    def _hand_over(self, shim: socket, handed: dict[str, int], owned: bool) -> None:
        plan = self.plan
        Handover(
            plan.id, plan.root, plan.runroot, tuple(self.record), tuple(handed), plan.stdin_once, plan.log_largest,
            plan.log_files, owned, plan.attributes,
        ).send(shim, tuple(handed.values()))  # fmt: skip

    def _give_up(self, caller: Channel, failure: Failure) -> None:
        """Leave nothing of a start that failed, and say why."""
        thrown_away = None
        if failure.kind not in ("running", "gone"):
            code = {"missing": 127, "denied": 126}.get(failure.kind, 128)
            self.group.kill()
            self.group.remove()
            self.folder.write_last(LastRun("", 0.0, time.time(), code, failure.text))
            if self.plan.auto_remove:
                thrown_away = self.store.trash(self.store.path("containers", self.plan.id), durable=False)
        if self.run_lock:
            self.folder.clear()
            self.run_lock.release()
        if self.layer_lock:
            self.layer_lock.release()
        answer: Message = {"failed": failure}
        caller.send(answer)
        if thrown_away:
            sweep.delete_if_free(thrown_away)
            sweep.free_names(self.store, [self.plan.attributes["name"]])
