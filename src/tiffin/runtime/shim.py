"""The shim: one small process per running container, the parent of its first process and of every exec in it.

It holds the pipes or the terminal and the log, reaps, and writes down how the run ended. It outlives the caller and
the spawner; when it is killed, the first process dies with it, and `runtime.recovery` writes the end down.

    caller --start--> launcher --handover--> shim <--wait, attach, signal, exec-- clients
                          `~~steps~~> first process (the shim's child)

How a run ends: the exit is written down and the place of the run left (from now on the container does not run), the
output read to its end, and the clients told. Unmounting, the cgroup, and the files of a `--rm` container follow: nobody
waits for them.
"""

from __future__ import annotations

import marshal
import os
import select
import time
from _socket import socket
from fcntl import LOCK_UN, flock

from tiffin import errors, json
from tiffin.errors import TiffinError
from tiffin.kernel import process, signals, unix
from tiffin.kernel.cgroups import Group, Layout
from tiffin.runtime import thrown_away
from tiffin.runtime.channel import Channel, ChannelClosed, Message
from tiffin.runtime.failures import failure_of
from tiffin.runtime.launch import (
    CannotStart,
    Child,
    Streams,
    launch_member,
    traced,
)
from tiffin.runtime.log import LogFile
from tiffin.runtime.loop import READ, Loop
from tiffin.runtime.plan import ExecPlan
from tiffin.runtime.program import Client, Program
from tiffin.runtime.record import LastRun, RunFolder, RunRecord, delete
from tiffin.runtime.starter import Handover
from tiffin.runtime.steps import Execute
from tiffin.store import Store, events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

KILLED = 128 + signals.SIGKILL
LINGER = 10.0  # seconds that output may still come after the end
ENDING_PATIENCE = 60.0  # seconds for the last of a run to be gone, on a disk that is slow: nobody waits for that
EXEC_LINGER = 2.0  # the same of an exec, whose background processes may go on holding its output; as Docker's
STREAMS = ("stdin", "stdout", "stderr")


class Shim:
    """The supervisor of one run; made when something happens in it for the first time."""

    def __init__(self, handover: Handover, handed: dict[str, int]) -> None:
        self.id = handover.id
        self.store = Store(handover.root, handover.runroot)
        self.record = RunRecord(*handover.record)  # type: ignore[arg-type]  # as it was sent
        self.attributes = handover.attributes
        self.run_folder = RunFolder(self.store, self.id)
        self.loop = Loop()
        self.clients: dict[int, Client] = {}
        self.holders: set[int] = set()
        """the clients that want the container frozen for as long as they are connected"""
        self.server = socket(fileno=handed["server"])
        self.run_lock, self.layer_lock, self.mounts = handed["run_lock"], handed["layer_lock"], handed.get("mounts", -1)
        self.log = LogFile(handed["log"], handover.log_largest, handover.log_files) if "log" in handed else None
        self.first = Program(
            self.loop, _child(self.record.pid, handed), log=self.log, stdin_once=handover.stdin_once,
            exited=self._first_exited, ended=self._first_ended,
        )  # fmt: skip
        self.loop.watch(self.server.fileno(), READ, self._accept)
        self._greet(handover, handed)

    def run(self) -> None:
        """Until everything is over."""
        self.loop.run()

    def _greet(self, handover: Handover, handed: dict[str, int]) -> None:
        """The caller of the start is the first client."""
        client = self._welcome(socket(fileno=handed["caller"]))
        client.owns_program = handover.owned
        given = {name: handed[f"client_{name}"] for name in STREAMS if f"client_{name}" in handed}
        self.first.attach(client, given)

    # serving

    def _accept(self, _: int) -> None:
        connection = unix.accept(self.server)
        if unix.peer_user(connection) in (0, os.getuid()):
            self._welcome(connection)
        else:
            connection.close()

    def _welcome(self, connection: socket) -> Client:
        client = Client(Channel(connection), self.first)
        self.clients[connection.fileno()] = client
        self.loop.watch(connection.fileno(), READ, lambda _: self._listen(client))
        return client

    def _listen(self, client: Client) -> None:
        try:
            content, descriptors = client.channel.receive_raw(2.0)
        except (ChannelClosed, TimeoutError, OSError):
            self._part(client)
        else:
            self._obey(client, content, descriptors)

    def _obey(self, client: Client, content: bytes, descriptors: list[int]) -> None:
        if not self._is_here(client):  # it left while its wish had to wait
            _close_all(descriptors)
            return
        try:
            if content.startswith(b'{"do":"exec"'):
                self._exec(client, content, descriptors)  # not read here: a plan is large, and we are to stay small
            else:
                self._answer(client, json.loads(content), descriptors)
        except TiffinError as error:
            _close_all(descriptors)
            client.tell({"refused": type(error).__name__, "text": str(error)})
        except Exception as error:  # noqa: BLE001  # a fault of ours must not take the container along
            client.tell({"refused": "TiffinError", "text": f"the shim failed: {type(error).__name__}: {error}"})

    def _is_here(self, client: Client) -> bool:
        return self.clients.get(client.channel.fileno()) is client

    def _part(self, client: Client) -> None:
        number = client.channel.fileno()
        self.loop.forget(number)
        del self.clients[number]
        client.program.leave(client)
        if client.owns_program:
            client.program.signal(signals.SIGKILL)
        client.close()
        if number in self.holders:
            self.holders.discard(number)
            self._freeze_or_thaw()
            if not (self.holders or self.record.paused) and self.first.exit_code is None:
                self._emit("unpause")

    def _answer(self, client: Client, request: Message, descriptors: list[int]) -> None:
        wish = request["do"]
        if wish == "wait":
            self.first.join(client)
        elif wish == "attach":
            self.first.attach(client, dict(zip(request["streams"], descriptors, strict=True)))
            client.tell({"attached": True})
        elif wish == "signal":
            self._signal(client, request["signal"])
        elif wish == "resize":
            client.program.resize(request["rows"], request["columns"])
        elif wish in ("pause", "unpause"):
            self._pause(wish == "pause")
            client.tell({"done": True})
        elif wish == "keep":  # of a `--rm` container that will start again
            self.record = self.record._replace(auto_remove=False)
            self.run_folder.write(self.record)
            client.tell({"done": True})
        elif wish == "hold":
            self._hold(client.channel.fileno())
            client.tell({"done": True})
        elif wish == "rename":
            self.attributes["name"] = request["name"]
            client.tell({"done": True})
        else:
            raise errors.BadParameter(f"the shim of container {self.id} cannot {wish}: is it of an older tiffin?")

    def _signal(self, client: Client, number: int) -> None:
        client.program.signal(number)
        if client.program is self.first:
            self._emit("kill", signal=str(number))
            if self.record.paused and number in (signals.SIGKILL, signals.SIGTERM):
                self._pause(False)  # a frozen process takes no signal
        client.tell({"done": True})

    def _pause(self, paused: bool) -> None:
        if paused == self.record.paused:
            kind = errors.ContainerPaused if paused else errors.ContainerNotPaused
            raise kind(f"Container {self.id} is {'already' if paused else 'not'} paused")
        self.record = self.record._replace(paused=paused)
        self._freeze_or_thaw()
        self.run_folder.write(self.record)
        self._emit("pause" if paused else "unpause")

    def _hold(self, number: int) -> None:
        """Frozen for a commit. Told as Docker does, though for `ps` the container is not paused."""
        was_frozen = self.record.paused or bool(self.holders)
        self.holders.add(number)
        self._freeze_or_thaw()
        if not was_frozen:
            self._emit("pause")

    def _freeze_or_thaw(self) -> None:
        if self.record.paused or self.holders:
            self._group().freeze()
        else:
            self._group().thaw()

    def _group(self) -> Group:
        return Group(Layout.from_json(self.record.layout), self.record.group)

    # one more program

    def _exec(self, client: Client, content: bytes, descriptors: list[int]) -> None:
        if self.record.paused:
            raise errors.ContainerPaused(f"Container {self.id} is paused, unpause the container before exec")
        if self.first.exit_code is not None:
            raise errors.ContainerNotRunning(f"Container {self.id} is not running")
        if self.holders:  # a commit: soon over
            self.loop.after(0.002, client, lambda: self._obey(client, content, descriptors))
            return
        ours, theirs = unix.pair()
        try:
            launcher = self._fork_into_group()
        except OSError as error:  # on v2 the group's limit of processes
            for end in (ours, theirs):
                end.close()
            _close_all(descriptors)
            client.tell({"failed": failure_of(None, error)})
            return
        if launcher == 0:
            _launch_exec(content, descriptors, self.first.pidfd, self._group().join_files(), theirs, self._announce)
        theirs.close()
        self.loop.watch(ours.fileno(), READ, lambda _: self._launched(client, launcher, ours, descriptors))

    def _fork_into_group(self) -> int:
        cgroup = self._group().open_directory()
        try:
            pid, pidfd = process.clone(0, cgroup)
        finally:
            if cgroup is not None:
                os.close(cgroup)
        if pid:
            os.close(pidfd)
        return pid

    def _launched(self, client: Client, launcher: int, result: socket, descriptors: list[int]) -> None:
        """The launcher has started the program, or says why not."""
        content, handed = unix.receive(result, 65536)
        self.loop.forget(result.fileno())
        result.close()
        os.waitpid(launcher, 0)
        nothing = (0, "", (), (), False, b"")
        pid, id, names, streams, owned, answer = marshal.loads(content) if content else nothing
        if not pid:
            _close_all(descriptors)
            if handed:
                self.loop.watch(handed[0], READ, lambda _: self._reap_failed(handed[0]))
            client.tell_raw(answer or b'{"refused":"TiffinError","text":"the launcher of an exec was killed"}')
            return
        child = _child(pid, dict(zip(names, handed, strict=True)))
        program = Program(
            self.loop, child, log=None, stdin_once=True,
            exited=lambda program: self._exec_exited(id, program), ended=_nothing,
        )  # fmt: skip
        if self._is_here(client):
            client.owns_program = owned
            given = dict(zip(streams, descriptors, strict=True))
            if "trace" in given:  # the launcher had it
                os.close(given.pop("trace"))
            program.attach(client, given)
            client.tell_raw(answer)
            return
        _close_all(descriptors)
        if owned:
            program.signal(signals.SIGKILL)

    def _announce(self, plan: ExecPlan) -> None:
        """In the launcher. As Docker's, two events in one moment, and with the words in the action."""
        words = " ".join(word for step in plan.steps if isinstance(step, Execute) for word in step.argv)
        attributes = {**self.attributes, "execID": plan.id}
        actions = (f"exec_create: {words}", f"exec_start: {words}")
        told = (events.prepared("container", action, self.id, attributes) for action in actions)
        events.append(self.store.run_path("events"), *told)

    def _exec_exited(self, id: str, program: Program) -> None:
        self._emit("exec_die", execID=id, exitCode=str(program.exit_code))
        self._finish_after(EXEC_LINGER, program)

    def _reap_failed(self, pidfd: int) -> None:
        """Unreaped, it would keep the whole process space from ending: the kernel waits for the last in it."""
        self.loop.forget(pidfd)
        os.waitid(os.P_PIDFD, pidfd, os.WEXITED)
        os.close(pidfd)

    # ending

    def _first_exited(self, program: Program) -> None:
        assert program.exit_code is not None
        # the kernel kills by SIGKILL; a look costs a quarter of a millisecond
        oom = program.exit_code == KILLED and self._group().oom_kills() > 0
        reason = "out of memory" if oom else ""
        end = LastRun(self.record.boot, self.record.started, time.time(), program.exit_code, reason, oom)
        self.run_folder.write_last(end)
        self._emit("die", exitCode=str(program.exit_code))
        if self.record.auto_remove:
            thrown_away.throw_away(self.store, self.id, self.attributes)
        self.left = self.run_folder.leave()
        self._finish_after(LINGER, program)

    def _finish_after(self, seconds: float, program: Program) -> None:
        """Somebody else may hold the other end of the pipes for ever; but a slow watcher gets what is his."""

        def finish() -> None:
            if any(output.is_waiting for output in program.outputs.values()):
                self.loop.after(seconds, program, finish)
            else:
                program.finish()

        self.loop.after(seconds, program, finish)

    def _first_ended(self, program: Program) -> None:
        if self.log:
            self.log.close()
        self._hear_the_last()
        for client in self.clients.values():
            client.channel.close()
        if self.mounts >= 0:
            os.close(self.mounts)  # now the union view is unmounted
        group = self._group()
        group.kill(ENDING_PATIENCE)
        while _reap_one():
            pass
        group.remove(ENDING_PATIENCE)
        delete(self.left)
        self._let_go_of_layer()
        self.loop.stop()

    def _hear_the_last(self) -> None:
        """Who came while it ended is told how; nobody can come any more, as the run's folder has moved."""
        server = self.server.fileno()
        for descriptor in (server, *self.clients):
            self.loop.forget(descriptor)  # this very round may have more to tell of them
        while True:
            poll = select.poll()
            for descriptor in (server, *self.clients):
                poll.register(descriptor, select.POLLIN)
            ready = poll.poll(0)
            if not ready:
                return
            for descriptor, _ in ready:
                if descriptor == server:
                    self._accept(server)
                elif descriptor in self.clients:
                    self._listen(self.clients[descriptor])

    def _let_go_of_layer(self) -> None:
        """Who removed the container meanwhile did not wait for us, and left the files to be deleted by us."""
        flock(self.layer_lock, LOCK_UN)
        folder = os.path.dirname(os.readlink(f"/proc/self/fd/{self.layer_lock}"))  # only now: nobody waits any more
        os.close(self.layer_lock)
        if os.path.basename(os.path.dirname(folder)) == "trash":
            thrown_away.delete(self.store, self.store.path("trash", os.path.basename(folder)), self.attributes["name"])

    def _emit(self, action: str, **more: str) -> None:
        events.emit(self.store, "container", action, self.id, {**self.attributes, **more})


def _child(pid: int, handed: dict[str, int]) -> Child:
    streams = Streams(*(handed.get(f"program_{name}", -1) for name in STREAMS))
    return Child(pid, handed["pidfd"], streams, handed.get("terminal", -1))


def _launch_exec(
    content: bytes, descriptors: list[int], first_process: int, join_files: list[str], shim: socket,
    announce: Callable[[ExecPlan], None],
) -> None:  # fmt: skip
    """In the launcher: start the program and hand it to the shim; never come back."""
    try:
        process.die_with_parent()
        request = json.loads(content)
        streams, owned, plan = request["streams"], request["owned"], ExecPlan.from_json(request["plan"])
        announce(plan)
        tracer = None
        try:
            tracer = traced(dict(zip(streams, descriptors, strict=True)).get("trace"))
            child = launch_member(plan, first_process, join_files, tracer)
        except CannotStart as error:
            if tracer:
                tracer.stop()
            answer = json.dumps({"failed": error.failure}).encode()
            failed = (error.pidfd,) if error.pidfd >= 0 else ()
            unix.send(shim, marshal.dumps((0, plan.id, (), streams, owned, answer)), failed)
        else:
            handed = {"pidfd": child.pidfd, "terminal": child.terminal}
            handed |= {f"program_{name}": number for name, number in child.streams._asdict().items()}
            handed = {name: number for name, number in handed.items() if number >= 0}
            answer = b'{"started":%d}' % child.pid
            message = marshal.dumps((child.pid, plan.id, tuple(handed), streams, owned, answer))
            unix.send(shim, message, tuple(handed.values()))
    finally:
        os._exit(0)


def _close_all(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _nothing(program: Program) -> None:
    pass


def _reap_one() -> bool:
    try:
        pid, _ = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return False
    return pid != 0
