"""The engine's side of a run: starting, and talking to the shim."""

from __future__ import annotations

import os

from tiffin import errors
from tiffin.errors import (
    CommandNotExecutable,
    CommandNotFound,
    ContainerNotRunning,
    ExecFailed,
    StartFailed,
    StoreFull,
    TiffinError,
)
from tiffin.record import NamedTuple
from tiffin.runtime.channel import PATIENCE, Channel, ChannelClosed, Message, connect
from tiffin.runtime.failures import Failure
from tiffin.runtime.plan import ExecPlan, Plan
from tiffin.runtime.record import RunFolder
from tiffin.runtime.spawning import find, find_or_start
from tiffin.store import Store
from tiffin.store.files import FULL
from tiffin.store.locks import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from tiffin.runtime.tracing import Page, StepTrace

START_PATIENCE = 130.0  # seconds: more than the shim's own


class Streams(NamedTuple):
    """Descriptors that are given away; the caller's copies are closed once they are given.

    `stdin` is the readable end of a pipe or socket, the others are writable ends. They become non-blocking, so they
    must be the caller's own pipes, never its terminal or files.
    """

    stdin: int | None = None
    stdout: int | None = None
    stderr: int | None = None

    def given(self) -> tuple[list[str], tuple[int, ...]]:
        """The names and the descriptors of those that are there."""
        there = [(name, number) for name, number in self._asdict().items() if number is not None]
        return [name for name, _ in there], tuple(number for _, number in there)

    def close(self) -> None:
        for number in self.given()[1]:
            os.close(number)


class Connection:
    """To one program: the first process of a container, or an exec. `fileno` is readable when something happened."""

    def __init__(self, channel: Channel, pid: int = 0) -> None:
        self._channel = channel
        self._exit_code: int | None = None
        self.pid = pid
        self.id = ""
        """of an exec"""
        self.let_go = ""
        """why the shim sends no more output, if so"""
        self.trace: tuple[StepTrace, ...] = ()
        """the system calls of each step, up to the program's first, where the plan asked for that"""

    def __del__(self) -> None:
        self.close()  # who starts a container need not keep what start gives

    def fileno(self) -> int:
        return self._channel.fileno()

    def wait(self, seconds: float | None = None) -> int:
        """The exit code, once the program has ended and its output was passed on.

        Raises TimeoutError, and ChannelClosed where the shim was killed.
        """
        while self._exit_code is None:
            self._take(self._channel.receive(seconds)[0])
        return self._exit_code

    def poll(self) -> int | None:
        """Take what has come. The exit code, if it is known."""
        if self._exit_code is None:
            self._take(self._channel.receive()[0])
        return self._exit_code

    def signal(self, number: int) -> None:
        """Raises ChannelClosed where the shim is gone."""
        self._ask({"do": "signal", "signal": number})

    def resize(self, rows: int, columns: int) -> None:
        self._channel.send({"do": "resize", "rows": rows, "columns": columns})

    def close(self) -> None:
        """Leave; the program goes on, unless this connection owns it."""
        self._channel.close()

    def _ask(self, message: Message) -> Message:
        """Send, and wait for the answer; how the program ended may come before it."""
        self._channel.send(message)
        while True:
            answer, _ = self._channel.receive()
            if not self._take(answer):
                return answer

    def _take(self, message: Message) -> bool:
        if "exited" in message:
            self._exit_code = int(message["exited"])
        elif "let_go" in message:
            self.let_go = str(message["let_go"])
        elif "refused" in message:
            raise_refusal(message)
        else:
            return False
        return True


def start(store: Store, plan: Plan, streams: Streams, *, owned: bool, run_lock: Lock | None = None) -> Connection:
    """Make the process space; returns when the program has begun. `owned`: it ends with the connection.

    A `run_lock` that the caller holds goes over to the shim. For a plan with `trace` the connection has one; of a
    start that fails the error has it.

    Raises CommandNotFound, CommandNotExecutable, StartFailed, and ContainerRunning where another was quicker.
    """
    names, descriptors = streams.given()
    if run_lock:
        names, descriptors = [*names, "lock"], (*descriptors, run_lock.descriptor)
    page = _page(plan)
    if page:
        names, descriptors = [*names, "trace"], (*descriptors, page.descriptor)
    request = {"do": "start", "plan": plan.to_json(), "streams": names, "owned": owned}
    try:
        channel = _call(store, request, descriptors)
    finally:
        streams.close()
        if run_lock:
            run_lock.release()
    try:
        answer, _ = channel.receive(START_PATIENCE)
    except BaseException as error:
        channel.close()
        if isinstance(error, ChannelClosed):
            raise StartFailed(f"container {plan.id[:12]} could not start: tiffin's own process was killed") from error
        raise
    return _begun(channel, answer, plan.id, page)


def attach(folder: RunFolder, streams: Streams) -> Connection:
    """Watch the first process from now on. Raises ContainerNotRunning."""
    channel = _send(folder, {"do": "attach", "streams": streams.given()[0]}, streams)
    answer = _hear(folder, channel)
    connection = Connection(channel)
    connection._take(answer)
    return connection


def wait(folder: RunFolder) -> Connection:
    """A connection that will know the exit code. Raises ContainerNotRunning."""
    return Connection(_send(folder, {"do": "wait"}))


def execute(folder: RunFolder, plan: ExecPlan, streams: Streams, *, owned: bool) -> Connection:
    """One more process in the process space. Raises as `start`, ContainerNotRunning, and ContainerPaused."""
    page = _page(plan)
    names = [*streams.given()[0], *(["trace"] if page else [])]
    request = {"do": "exec", "plan": plan.to_json(), "streams": names, "owned": owned}
    channel = _send(folder, request, streams, page)
    return _begun(channel, _hear(folder, channel, START_PATIENCE), folder.id, page, failed=ExecFailed)


def tell(folder: RunFolder, message: Message) -> None:
    """Have the shim do something and wait until it is done. Raises ContainerNotRunning and what the shim refuses."""
    _told(folder, message).close()


def hold(folder: RunFolder) -> Channel:
    """Freeze the container until the channel is closed, also by our death. Raises ContainerNotRunning."""
    return _told(folder, {"do": "hold"})


def sweep_later(store: Store) -> bool:
    """Have a fork of the spawner delete what is in the trash. False if there is no spawner."""
    channel = find(store)
    if channel is None:
        return False
    try:
        channel.send({"do": "sweep", "root": store.root, "runroot": store.runroot})
    except ChannelClosed:  # it just left
        return False
    finally:
        channel.close()
    return True


def raise_refusal(answer: Message) -> NoReturn:
    kind = getattr(errors, str(answer["refused"]), TiffinError)
    raise kind(answer["text"])


def _call(store: Store, request: Message, descriptors: tuple[int, ...]) -> Channel:
    """Send to a spawner's fork; again, if the spawner left before it had taken the call."""
    while True:
        channel = find_or_start(store)
        try:
            channel.send(request, descriptors)
            channel.receive()  # its hello
        except ChannelClosed:
            channel.close()
            continue
        return channel


def _page(plan: Plan | ExecPlan) -> Page | None:
    if not plan.trace:
        return None
    from tiffin.runtime.tracing import Page  # only when asked

    return Page()


def _send(folder: RunFolder, message: Message, streams: Streams = Streams(), page: Page | None = None) -> Channel:
    """Tell the shim something; the streams are given away in any case. Raises ContainerNotRunning."""
    try:
        channel = connect(folder.socket)
        try:
            channel.send(message, (*streams.given()[1], *((page.descriptor,) if page else ())))
        except BaseException:
            channel.close()
            raise
    except (FileNotFoundError, ConnectionRefusedError, ChannelClosed) as error:
        raise ContainerNotRunning(f"container {folder.id[:12]} is not running") from error
    finally:
        streams.close()
    return channel


def _told(folder: RunFolder, message: Message) -> Channel:
    """The connection over which the shim did something. Raises ContainerNotRunning and what the shim refuses."""
    channel = _send(folder, message)
    answer = _hear(folder, channel)
    if "refused" in answer:
        channel.close()
        raise_refusal(answer)
    return channel


def _hear(folder: RunFolder, channel: Channel, seconds: float = PATIENCE) -> Message:
    """What the shim says to it. Raises ContainerNotRunning where it ended before it could."""
    try:
        return channel.receive(seconds)[0]
    except BaseException as error:
        channel.close()
        if isinstance(error, ChannelClosed):
            raise ContainerNotRunning(f"container {folder.id[:12]} ended meanwhile") from error
        raise


def _begun(
    channel: Channel, answer: Message, id: str, page: Page | None, failed: type[StartFailed] = StartFailed
) -> Connection:
    if "started" in answer:
        connection = Connection(channel, pid=int(answer["started"]))
        if page:
            connection.trace = page.read()
        return connection
    channel.close()
    if "refused" in answer:
        raise_refusal(answer)
    # held by nothing else, or its traceback would hold itself
    raise _noted(Failure(*answer["failed"]), id, failed, page)


def _noted(failure: Failure, id: str, failed: type[StartFailed], page: Page | None) -> TiffinError:
    error = _error(failure, id, failed)
    error.add_note(f"in the step {failure.step}")  # shown with a traceback
    if page and isinstance(error, StartFailed):
        error.trace = page.read()
    return error


def _error(failure: Failure, id: str, failed: type[StartFailed]) -> TiffinError:
    if failure.kind == "missing":
        return CommandNotFound(failure.text)
    if failure.kind == "denied":
        return CommandNotExecutable(failure.text)
    if failure.kind == "running":
        return errors.ContainerRunning(f"container {id[:12]} is running already")
    if failure.kind == "gone":
        return errors.NoSuchContainer(f"No such container: {id}")
    if failure.step == "Start" and failure.errno in FULL:
        return StoreFull(f"container {id[:12]} could not start, the disk is full: {failure.text}; remove something")
    if failed is ExecFailed:
        return ExecFailed(f"the program could not start in container {id[:12]}: {failure.text}")
    return StartFailed(f"container {id[:12]} could not start: {failure.text}")
