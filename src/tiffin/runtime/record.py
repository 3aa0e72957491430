"""What is written down about a run, and by whom it may be believed.

    <runroot>/run/<id>/lock      held by the shim: this, and nothing else, is "running"
    <runroot>/run/<id>/record    pids, group, paused or not: of this boot only
    <runroot>/run/<id>/socket    the shim listens
    <runroot>/ended/<id>.<any>   the folder of a run that is over, locked until its shim has put everything away
    <runroot>/groups/<name>      locked by the shim that has this control group, from before its run until after it
    <root>/containers/<id>/last  the last run: when, and how it ended; never a pid

A record whose lock is free means that the shim ended without finishing: see `runtime.recovery`.
"""

from __future__ import annotations

import os

from tiffin import json
from tiffin.errors import StoreDamaged
from tiffin.record import NamedTuple
from tiffin.store import Store, files
from tiffin.store.locks import Lock, is_held, lock, try_lock

GROUPS = "/tiffin"  # above the groups of all runs


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
            try:
                os.makedirs(self.path, 0o700, exist_ok=True)
                return try_lock(f"{self.path}/lock", create=True)
            except (FileNotFoundError, FileExistsError):  # the one before is just removing the folder
                continue

    def wait(self) -> None:
        """Until no shim holds the lock."""
        try:
            lock(f"{self.path}/lock", shared=True).release()
        except FileNotFoundError:
            pass

    def leave(self) -> str:
        """Make room for the next run: from now on the container does not run. Where the folder is now.

        The caller holds the lock, and goes on holding it until there is nothing left to put away.
        """
        ended = self.store.run_path("ended", f"{self.id}.{os.urandom(4).hex()}")
        try:
            os.rename(self.path, ended)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(ended), 0o700, exist_ok=True)
            os.rename(self.path, ended)
        return ended

    def clear(self) -> None:
        """Remove the folder. The caller holds the lock, and lets it go after this."""
        delete(self.leave())

    def write(self, record: RunRecord) -> None:
        files.replace(f"{self.path}/record", json.dumps(record).encode(), durable=False)

    def read(self) -> RunRecord | None:
        """None where there is none (any more)."""
        return read_record(self.path)

    def write_last(self, last: LastRun) -> None:
        """How a run ends is written down on a full disk too, since its beginning was."""
        content = json.dumps(last._asdict()).encode() + b"\n"
        try:
            files.replace(self.last, content, durable=False)
        except OSError as error:
            if error.errno not in files.FULL or not os.path.exists(self.last):
                raise
            files.overwrite(self.last, content)

    def write_failure(self, last: LastRun) -> None:
        """Why a start failed; it may be the full disk that nothing can be written to."""
        try:
            self.write_last(last)
        except OSError:
            pass

    def read_last(self) -> LastRun | None:
        """None for a container that never ran. Raises StoreDamaged."""
        try:
            return LastRun(**json.loads(files.read(self.last)))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise StoreDamaged(f"{self.last} is no record of a run; remove the file to go on without it") from error


def read_record(folder: str) -> RunRecord | None:
    """Of the folder of a run, also of one that is over. None where there is none (any more), or a damaged one."""
    try:
        return RunRecord(*json.loads(files.read(f"{folder}/record")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def delete(folder: str) -> None:
    """Remove the folder of a run that was left. Somebody else may be doing the same."""
    try:
        for name in os.listdir(folder):
            os.unlink(f"{folder}/{name}")
        os.rmdir(folder)
    except FileNotFoundError:
        pass
