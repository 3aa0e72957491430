"""Containers to hold in the hand: the library's nouns, each with the verbs that its state allows.

Container           a read-write layer on a stack; it need not run
RunningContainer    the same within a process space; what is asked of processes is asked of this one
Attachment          the caller's streams joined to a program, and the way to learn how it ends
"""

from __future__ import annotations

import os
import select

from tiffin.containers import ContainerRecord, Containers
from tiffin.engine import spaces
from tiffin.engine.attributes import attributes
from tiffin.engine.signals import signal_number
from tiffin.engine.state import ContainerState, noun_of, state_of
from tiffin.errors import ContainerNotRunning, NoSuchContainer, NotFound, TiffinError
from tiffin.model.config import Config, as_words
from tiffin.model.host_config import HostConfig
from tiffin.model.nouns import State
from tiffin.model.states import check
from tiffin.record import NamedTuple
from tiffin.runtime.channel import ChannelClosed
from tiffin.runtime.client import Connection, Streams
from tiffin.store import events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType
    from typing import BinaryIO, Self

    from tiffin.containers.logs import LogLine, Span
    from tiffin.engine.parts import Parts
    from tiffin.engine.removal_plan import Removal
    from tiffin.engine.stacks import Image
    from tiffin.layers.changes import Change
    from tiffin.store.locks import Lock
    from tiffin.view.picture import Picture

CHUNK = 1 << 16


class ExecConfig(NamedTuple):
    """How an exec is to run; what is empty is as for the container itself."""

    tty: bool = False
    env: tuple[str, ...] = ()
    user: str = ""
    working_dir: str = ""
    privileged: bool = False


class ExecResult(NamedTuple):
    """What an exec has written, and how it ended."""

    exit_code: int
    stdout: bytes
    stderr: bytes


class Attachment:
    """To one program. `fileno` is readable when something happened; `poll` then takes it in."""

    def __init__(self, connection: Connection, on_lost: Callable[[], int]) -> None:
        self._connection = connection
        self._on_lost = on_lost
        self._lost: int | None = None
        self.pid = connection.pid
        self.id = connection.id
        """of an exec"""

    def fileno(self) -> int:
        return self._connection.fileno()

    def poll(self) -> int | None:
        """Take what has come. The exit code, if it is known."""
        try:
            return self._connection.poll()
        except ChannelClosed:
            return self._recovered()

    def wait(self, seconds: float | None = None) -> int:
        """The exit code, once the program has ended and its output was passed on. Raises TimeoutError."""
        try:
            return self._connection.wait(seconds)
        except ChannelClosed:
            return self._recovered()

    def signal(self, number: int) -> None:
        """Raises ContainerNotRunning."""
        try:
            self._connection.signal(number)
        except ChannelClosed as error:
            raise ContainerNotRunning("the container has ended") from error

    def resize(self, rows: int, columns: int) -> None:
        """Raises ContainerNotRunning."""
        try:
            self._connection.resize(rows, columns)
        except ChannelClosed as error:
            raise ContainerNotRunning("the container has ended") from error

    def detach(self) -> None:
        """Leave; the program goes on, unless this attachment owns it."""
        self._connection.close()

    @property
    def let_go(self) -> str:
        """Why no more output comes, where the shim lost its patience with us."""
        return self._connection.let_go

    def _recovered(self) -> int:
        """The shim was killed: what recovery wrote down."""
        if self._lost is None:
            self._lost = self._on_lost()
        return self._lost


class Container:
    """A read-write layer on a stack of read-only layers. The record is as it was when the handle was made."""

    def __init__(self, parts: Parts, record: ContainerRecord) -> None:
        self._parts = parts
        self.record = record

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def image_id(self) -> str | None:
        return self.record.image

    @property
    def top(self) -> str | None:
        """The id of the layer right below the read-write layer."""
        return self.record.top

    @property
    def config(self) -> Config:
        return self.record.config

    @property
    def host(self) -> HostConfig:
        return self.record.host

    @property
    def created(self) -> float:
        """Seconds since 1970."""
        return self.record.created

    @property
    def folder(self) -> str:
        """Where the read-write layer lies on this host."""
        return f"{self._home}/diff"

    @property
    def _home(self) -> str:
        return Containers(self._parts.store).folder(self.id)

    def state(self) -> ContainerState:
        """What it is doing now. Raises NoSuchContainer."""
        state = state_of(self._parts.store, self.id)
        if state.status == State.REMOVING or not os.path.isdir(self._home):
            raise NoSuchContainer(f"No such container: {self.id}")
        return state

    def start(self, streams: Streams | None = None) -> RunningContainer:
        """Put a process space around it.

        Raises NotModified where it runs, CommandNotFound, CommandNotExecutable, StartFailed.
        """
        connection = spaces.start(self._parts, self.record, streams or Streams())
        return RunningContainer.begun(self._parts, self.record, connection)

    def restart(self, timeout: float | None = None, signal: str | None = None) -> RunningContainer:
        """stop where it runs, with that grace time (seconds), then start. Raises as `start` does."""
        connection = spaces.restart(self._parts, self.record, timeout=timeout, signal_name=signal)
        return RunningContainer.begun(self._parts, self.record, connection)

    def running(self) -> RunningContainer:
        """The same within its process space. Raises ContainerNotRunning."""
        if not self.state().is_alive:
            raise ContainerNotRunning(f"Container {self.id} is not running")
        return RunningContainer(self._parts, self.record, None)

    def wait(self) -> int:
        """The exit code: of the run that is going on, or of the last one."""
        return spaces.wait(self._parts, self.record)

    def remove(self, *, force: bool = False) -> None:
        """Raises ContainerRunning, unless `force` kills it first; NoSuchContainer."""
        spaces.remove(self._parts, self.record, force=force)
        if not (self.record.image and self._parts.images.has(self.record.image)):
            from tiffin.engine import removal  # only where its layers may have been there for it alone

            removal.collect(self._parts)

    def plan_remove(self, *, force: bool = False, after: Removal | None = None) -> Removal:
        """What `remove` would take away and why, and what it would leave; sizes in bytes. Nothing is done.

        `after`: as if that were done already. Raises as `remove` does.
        """
        from tiffin.engine import removal  # only to plan

        container = noun_of(self.record, self.state())
        check("rm -f" if force else "rm", container)
        return removal.plan_rm(self._parts, container, after=after)

    def rename(self, name: str) -> Container:
        """Raises NameInUse, BadName."""
        return Container(self._parts, spaces.rename(self._parts, self.record, name))

    def diff(self) -> list[Change]:
        """What the read-write layer changes in the layers below. Raises NoSuchContainer."""
        from tiffin.layers.changes import changes  # only for diff

        with self._hold() as held:
            return changes(_upper(held), self._parts.layers.folders(self.top))

    def commit(
        self,
        name: str | None = None,
        *,
        changes: Sequence[str] = (),
        message: str = "",
        author: str = "",
        pause: bool = True,
    ) -> Image:
        """Burn the read-write layer into a read-only one. It is frozen meanwhile, unless `pause` is false."""
        from tiffin.engine.commit import commit  # only for commit
        from tiffin.engine.stacks import Image  # only for commit

        frozen = spaces.held(self._parts, self.record) if pause else None
        try:
            with self._hold() as held:
                noun = commit(
                    self._parts, upper=_upper(held), top=self.top, image=self.image_id, config=self.config,
                    container_id=self.id, container_name=self.name, name=name, changes=changes, message=message,
                    author=author,
                )  # fmt: skip
                return Image(self._parts, noun)
        finally:
            if frozen:
                frozen.close()

    def export(self, target: BinaryIO) -> None:
        """Write the union view as one flat tar, without layers and settings."""
        from tiffin.engine.archives import export  # only for export

        with self._hold() as held:
            export(self._parts, upper=_upper(held), top=self.top, target=target)
        events.emit(self._parts.store, "container", "export", self.id, attributes(self.record))

    def logs(
        self,
        *,
        tail: int | None = None,
        follow: bool = False,
        since: float | None = None,
        until: float | None = None,
    ) -> Iterator[LogLine]:
        """What it has written, and with `follow` what it writes until it ends.

        `since` and `until` in seconds since 1970. Raises TiffinError for log driver none.
        """
        from tiffin.containers import logs  # only for logs

        if self.host.log.driver == "none":
            raise TiffinError("configured logging driver does not support reading")
        span = logs.Span(since, until)
        if follow:
            return self._follow(span, tail)
        return iter(logs.read(self._home, span, tail=tail))

    def output(self) -> bytes:
        """All that it has written to its stdout and that the log still has."""
        return b"".join(line.text for line in self.logs() if line.stream == "stdout")

    def picture(self) -> Picture:
        """Its stack, its union view, its process space and what is in it. Raises NoSuchContainer."""
        from tiffin.engine.pictures import taking  # only to draw

        return taking.container(self._parts, self.record)

    def _repr_svg_(self) -> str:
        """What a notebook shows."""
        return self.picture()._repr_svg_()

    def _repr_html_(self) -> str:
        return self.picture()._repr_html_()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self.remove(force=True)
        except NotFound:  # a `--rm` container that has ended
            pass

    def _hold(self) -> Lock:
        """So that a removal meanwhile takes nothing away from under us. Raises NoSuchContainer."""
        return Containers(self._parts.store).hold(self.id)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} {self.id[:12]}>"

    def _follow(self, span: Span, tail: int | None) -> Iterator[LogLine]:
        """Until the shim says that it is over: then all output is in the log."""
        from tiffin.containers import logs  # only for logs

        connection = spaces.watched(self._parts, self.record)
        if connection is None:
            return iter(logs.read(self._home, span, tail=tail))
        end = self._attachment(connection)

        def goes_on() -> bool:
            return not select.select([end], [], [], 0)[0] or end.poll() is None

        return logs.follow(self._home, span, tail=tail, goes_on=goes_on, wake=end.fileno())

    def _attachment(self, connection: Connection) -> Attachment:
        return Attachment(connection, lambda: spaces.lost(self._parts, self.record))


class RunningContainer(Container):
    """A container within its process space. Whether it is still there, each verb finds out."""

    def __init__(self, parts: Parts, record: ContainerRecord, attachment: Attachment | None) -> None:
        super().__init__(parts, record)
        self._attachment_of_start = attachment

    @classmethod
    def begun(cls, parts: Parts, record: ContainerRecord, connection: Connection) -> RunningContainer:
        """One that was just started over this connection."""
        return cls(parts, record, Attachment(connection, lambda: spaces.lost(parts, record)))

    @property
    def attachment(self) -> Attachment:
        """To the program that this start began. Raises ContainerNotRunning for one that was only looked up."""
        if self._attachment_of_start is None:
            raise ContainerNotRunning("this container was not started here; attach to it")
        return self._attachment_of_start

    @property
    def pid(self) -> int:
        """Of the first process, as this host sees it; 0 when it has ended."""
        return self.state().pid

    def wait(self) -> int:
        return self._attachment_of_start.wait() if self._attachment_of_start else super().wait()

    def stop(self, timeout: float | None = None, signal: str | None = None) -> Container:
        """SIGTERM (or what the container says), and after the grace time (seconds) SIGKILL. Raises NotModified."""
        spaces.stop(self._parts, self.record, timeout=timeout, signal_name=signal)
        return Container(self._parts, self.record)

    def kill(self, signal: str = "KILL") -> None:
        """Raises ContainerNotRunning, BadParameter for no signal."""
        spaces.kill(self._parts, self.record, signal_number(signal))

    def pause(self) -> None:
        """Freeze all processes, by their cgroup. Raises ContainerPaused."""
        spaces.pause(self._parts, self.record)

    def unpause(self) -> None:
        """Raises ContainerNotPaused."""
        spaces.unpause(self._parts, self.record)

    def attach(self, streams: Streams) -> Attachment:
        """Watch the first process, and feed it. Raises ContainerPaused."""
        return self._attachment(spaces.attach(self._parts, self.record, streams))

    def exec(
        self, argv: Sequence[str], *, config: ExecConfig = ExecConfig(), streams: Streams | None = None,
        owned: bool = False,
    ) -> Attachment:  # fmt: skip
        """One more process in the process space. `owned`: it ends with the attachment.

        Raises ContainerPaused, CommandNotFound, CommandNotExecutable, StartFailed.
        """
        argv = as_words(argv, "a command")
        settings = Config(tty=config.tty, env=config.env, user=config.user, working_dir=config.working_dir)
        connection = spaces.execute(
            self._parts, self.record, argv, settings, streams or Streams(),
            privileged=config.privileged, owned=owned,
        )  # fmt: skip
        return Attachment(connection, lambda: spaces.lost(self._parts, self.record))

    def execute(self, argv: Sequence[str], *, config: ExecConfig = ExecConfig(), stdin: bytes = b"") -> ExecResult:
        """exec, and wait for what it writes and how it ends."""
        argv = as_words(argv, "a command")
        with _Pipes(stdin) as pipes:
            attachment = self.exec(argv, config=config, streams=pipes.theirs, owned=True)
            stdout, stderr = pipes.converse()
            code = attachment.wait()
            attachment.detach()
        return ExecResult(code, stdout, stderr)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        super().__exit__(kind, error, at)
        if self._attachment_of_start:
            self._attachment_of_start.detach()


def _upper(held: Lock) -> str:
    """The read-write layer of the container whose folder is held, wherever that is by now."""
    return f"/proc/self/fd/{held.descriptor}/diff"


class _Pipes:
    """Three pipes, of which the shim gets the other ends."""

    def __init__(self, stdin: bytes) -> None:
        self._rest = memoryview(stdin)

    def __enter__(self) -> _Pipes:
        their_in, self._in = os.pipe()
        self._out, their_out = os.pipe()
        self._err, their_err = os.pipe()
        os.set_blocking(self._in, False)
        self.theirs = Streams(their_in, their_out, their_err)
        return self

    def converse(self) -> tuple[bytes, bytes]:
        """Write all of the input while reading all of the output."""
        heard: dict[int, list[bytes]] = {self._out: [], self._err: []}
        poll = select.poll()
        for descriptor in heard:
            poll.register(descriptor, select.POLLIN)
        self._offer(poll)
        open_ends = set(heard)
        while open_ends:
            for descriptor, _ in poll.poll():
                if descriptor == self._in:
                    self._offer(poll)
                    continue
                chunk = os.read(descriptor, CHUNK)
                heard[descriptor].append(chunk)
                if not chunk:
                    poll.unregister(descriptor)
                    open_ends.discard(descriptor)
        return b"".join(heard[self._out]), b"".join(heard[self._err])

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for descriptor in (self._in, self._out, self._err):
            if descriptor >= 0:
                os.close(descriptor)

    def _offer(self, poll: select.poll) -> None:
        try:
            while self._rest:
                self._rest = self._rest[os.write(self._in, self._rest) :]
        except BlockingIOError:
            poll.register(self._in, select.POLLOUT)
            return
        except BrokenPipeError:  # the program reads no more
            pass
        try:
            poll.unregister(self._in)
        except KeyError:
            pass
        os.close(self._in)
        self._in = -1
