"""What a container is doing, as the lock of its run and the record of its last run tell."""

from __future__ import annotations

from tiffin.containers import ContainerRecord
from tiffin.errors import NoSuchContainer
from tiffin.model.nouns import Container, State
from tiffin.record import NamedTuple
from tiffin.runtime.record import RunFolder
from tiffin.store import Store


class ContainerState(NamedTuple):
    """Times in seconds since 1970, 0 where there is none; `status` is a word of `model.nouns.State`."""

    status: str
    pid: int = 0
    exit_code: int = 0
    started: float = 0.0
    finished: float = 0.0
    oom_killed: bool = False
    reason: str = ""
    """why it ended, or could not start, where that is not the program's own doing"""

    @property
    def is_alive(self) -> bool:
        """Whether there is a process space."""
        return self.status in (State.RUNNING, State.PAUSED)


def state_of(store: Store, id: str) -> ContainerState:
    """Looks, and finishes a run that has lost its shim."""
    folder = RunFolder(store, id)
    record = folder.read()
    if record is not None and not folder.is_running():
        if not _recover(store, id):
            return ContainerState(State.REMOVING)
        record = folder.read()
    if record is not None and record.pid:
        status = State.PAUSED if record.paused else State.RUNNING
        return ContainerState(status, record.pid, started=record.started)
    last = folder.read_last()
    if last is not None and last.started and not last.finished and not folder.is_running():
        if not _recover(store, id):
            return ContainerState(State.REMOVING)
        last = folder.read_last()
    if last is None:
        return ContainerState(State.CREATED)
    status = State.EXITED if last.started else State.CREATED
    return ContainerState(status, 0, last.exit_code, last.started, last.finished, last.oom_killed, last.reason)


def noun_of(record: ContainerRecord, state: ContainerState) -> Container:
    """The container as the table of verbs knows it."""
    return Container(record.id, record.name, record.image, record.top, state.status, record.host.auto_remove)


def _recover(store: Store, id: str) -> bool:
    """Whether the container is still there: one of `--rm` goes."""
    from tiffin.containers import Containers  # only after a crash
    from tiffin.runtime.recovery import recover

    containers = Containers(store)
    try:
        recover(store, id, auto_remove=containers.get(id).host.auto_remove)
        containers.get(id)
    except NoSuchContainer:
        recover(store, id)
        return False
    return True
