"""What is written down about a run, and by whom it may be believed.

    <runroot>/run/<id>/lock      held by the shim: this, and nothing else, is "running"
    <runroot>/run/<id>/record    pids, group, paused or not: of this boot only
    <runroot>/run/<id>/socket    the shim listens
    <root>/containers/<id>/last  the last run: when, and how it ended; never a pid

A record whose lock is free means that the shim ended without finishing: see `runtime.recovery`.
"""

from __future__ import annotations

import json
import os

from tiffin.errors import StoreDamaged
from tiffin.record import NamedTuple
from tiffin.store import Store, files
from tiffin.store.locks import Lock, is_held, lock, try_lock


class RunRecord(NamedTuple):
    """Of the run that is going on. Times in seconds since 1970, `pid_started` in clock ticks since boot.

    `pid` is 0 until the program has begun.
    """

    boot: str
    layout: str
    group: str
    auto_remove: bool
    shim: int = 0
    pid: int = 0
    pid_started: int = 0
    started: float = 0.0
    paused: bool = False


class LastRun(NamedTuple):
    """The run that ended, or is going on while `finished` is 0. Times in seconds since 1970."""

    boot: str
    started: float
    finished: float = 0.0
    exit_code: int = 0
    reason: str = ""
    """why it ended, where that is not the program's own doing"""
    oom_killed: bool = False


class RunFolder(NamedTuple):
    """The places of one container's run."""

    store: Store
    id: str

    @property
    def path(self) -> str:
        return self.store.run_path("run", self.id)

    @property
    def socket(self) -> str:
        return f"{self.path}/socket"

    @property
    def last(self) -> str:
        return self.store.path("containers", self.id, "last")

    def is_running(self) -> bool:
        return is_held(f"{self.path}/lock")

    def hold(self) -> Lock | None:
        """The shim's lock; the folder is made where it is missing. None while another shim holds it."""
        while True:
            os.makedirs(self.path, 0o700, exist_ok=True)
            try:
                return try_lock(f"{self.path}/lock", create=True)
            except FileNotFoundError:  # the one before is just removing the folder
                continue

    def wait(self) -> None:
        """Until no shim holds the lock."""
        try:
            lock(f"{self.path}/lock", shared=True).release()
        except FileNotFoundError:
            pass

    def clear(self) -> None:
        """Remove the folder. The caller holds the lock, and lets it go after this."""
        for name in sorted(os.listdir(self.path), key=lambda name: name == "lock"):  # the lock last
            os.unlink(f"{self.path}/{name}")
        os.rmdir(self.path)

    def write(self, record: RunRecord) -> None:
        files.replace(f"{self.path}/record", json.dumps(record).encode(), durable=False)

    def read(self) -> RunRecord | None:
        """None where there is none (any more)."""
        try:
            return RunRecord(*json.loads(files.read(f"{self.path}/record")))
        except FileNotFoundError:
            return None

    def write_last(self, last: LastRun) -> None:
        files.replace(self.last, json.dumps(last._asdict()).encode() + b"\n", durable=False)

    def read_last(self) -> LastRun | None:
        """None for a container that never ran. Raises StoreDamaged."""
        try:
            return LastRun(**json.loads(files.read(self.last)))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise StoreDamaged(f"{self.last} is no record of a run; remove the file to go on without it") from error
