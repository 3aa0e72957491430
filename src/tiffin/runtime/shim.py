"""The shim: one small process per running container, the parent of its first process and of every exec in it.

It holds the pipes or the terminal and the log, reaps, and writes down how the run ended. It outlives the caller and
the spawner; when it is killed, the first process dies with it, and `runtime.recovery` writes the end down.

    caller --start--> spawner --fork--> shim --clone--> first process
                                          |
    clients --attach, exec, signal, wait--+

How a run ends: the exit is written down, the lock let go (from now on the container does not run), the output read to
its end, and the clients told. Unmounting, the cgroup, and the files of a `--rm` container follow: nobody waits for them.
"""

from __future__ import annotations

import os
import signal
import time
from _socket import socket

from tiffin import errors
from tiffin.errors import TiffinError
from tiffin.kernel import process, unix
from tiffin.runtime.channel import Channel, ChannelClosed, Message
from tiffin.runtime.launch import Child, Failure, failure_from, start_first, start_member
from tiffin.runtime.log import LogFile
from tiffin.runtime.loop import READ, Loop
from tiffin.runtime.plan import ExecPlan, Plan
from tiffin.runtime.program import Client, Program
from tiffin.runtime.record import LastRun, RunFolder, RunRecord
from tiffin.runtime.stage import FAILED, MEMBER, TERMINAL
from tiffin.store import Store, events, files, sweep
from tiffin.store.locks import Lock, try_lock

PATIENCE = 60.0  # seconds that the steps of a start may take, and that a layer's last run may take to unmount
LINGER = 10.0  # seconds that output may still come after the end


class CannotStart(Exception):
    """Carries the Failure that the caller is told."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.text)
        self.failure = failure


def serve_caller(connection: socket) -> None:
    """In the fresh fork of the spawner: read what the caller wants, and do it."""
    channel = Channel(connection)
    request, descriptors = channel.receive()
    if request["do"] == "start":
        process.set_name("tiffin-shim")
        plan = Plan.from_json(request["plan"])
        given = dict(zip(request["streams"], descriptors, strict=True))
        Shim(plan, given.pop("lock", None)).run(channel, given, owned=request["owned"])
    elif request["do"] == "sweep":
        sweep.sweep(Store(request["root"], request["runroot"]))


class Shim:
    """The supervisor of one run."""

    def __init__(self, plan: Plan, run_lock: int | None = None) -> None:
        self.plan = plan
        self.store = Store(plan.root, plan.runroot)
        self.run_folder = RunFolder(self.store, plan.id)
        self.group = plan.cgroup()
        self.loop = Loop()
        self.clients: dict[int, Client] = {}
        self.holders: set[int] = set()
        """the clients that want the container frozen for as long as they are connected"""
        self.attributes = dict(plan.attributes)
        self.record = RunRecord(process.boot_id(), plan.layout, plan.group, plan.auto_remove, os.getpid())
        self.folder = self.store.path("containers", plan.id)
        """where the container's folder is: in its place, or in the trash"""
        self.run_lock = None if run_lock is None else Lock(run_lock)
        """held by the caller since before the container was made, or taken by us"""
        self.layer_lock: Lock | None = None
        self.mounts = -1
        """the container's mount namespace, so that its end in the child's exit does not unmount there and then"""
        self.thrown_away = False

    def run(self, caller: Channel, streams: dict[str, int], *, owned: bool) -> None:
        """From the start to the end of everything."""
        try:
            self._hold()
            self._start(caller, streams, owned)
        except CannotStart as error:
            self._give_up(caller, error.failure)
        except OSError as error:  # a full disk, too many open files
            where = f" ({error.filename})" if error.filename else ""
            self._give_up(caller, Failure("step", "Start", error.errno or 0, f"{error.strerror}{where}"))
        else:
            self.loop.run()

    # starting

    def _hold(self) -> None:
        until = time.monotonic() + 0.05  # whoever asks "does it run?" holds the lock for a moment
        while self.run_lock is None and (held := self.run_folder.hold()) is None:
            if time.monotonic() > until:
                raise CannotStart(Failure("running", "Lock", 0, "the container is running already"))
            time.sleep(0.001)
        self.run_lock = self.run_lock or held
        self.run_folder.write(self.record)  # so that recovery knows the group
        self.layer_lock = self._hold_layer()

    def _hold_layer(self) -> Lock | None:
        """The read-write layer, once the last run's mount on it is gone."""
        until, folder = time.monotonic() + PATIENCE, f"{self.folder}/diff"
        try:
            while (held := try_lock(folder)) is None:
                if time.monotonic() > until:
                    raise CannotStart(Failure("step", "Lock", 0, f"{folder} is still mounted by the last run"))
                time.sleep(0.001)
        except FileNotFoundError:
            raise CannotStart(Failure("gone", "Lock", 0, "the container was removed meanwhile")) from None
        return held

    def _start(self, caller: Channel, streams: dict[str, int], owned: bool) -> None:
        self.server = unix.listen(self.run_folder.socket)
        for name, text in self.plan.files.items():
            files.replace(f"{self.run_folder.path}/{name}", text.encode(), durable=False)
        self._make_group()
        plan, child = self.plan, self._launch()
        self.mounts = _mounts_of(child.pid)
        terminal = self._await_begin(child)
        self.started = time.time()
        self.log = self._open_log()
        self.first = Program(
            self.loop, child, terminal=terminal, log=self.log, stdin_once=plan.stdin_once,
            exited=self._first_exited, ended=self._first_ended,
        )  # fmt: skip
        began = process.start_time(child.pid)
        self.record = self.record._replace(pid=child.pid, pid_started=began, started=self.started)
        self.run_folder.write(self.record)
        self.run_folder.write_last(LastRun(self.record.boot, self.started))
        client = self._welcome(caller)
        client.owns_program = owned
        self.first.attach(client, streams)
        self._emit("start")
        client.tell({"started": child.pid})
        self.loop.watch(self.server.fileno(), READ, lambda events: self._accept())

    def _make_group(self) -> None:
        try:
            try:
                self.group.create(self.plan.limits)
            except FileExistsError:  # of a shim that was killed before it could write anything down
                self.group.kill()
                self.group.remove()
                self.group.create(self.plan.limits)
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            raise CannotStart(Failure("step", "MakeCgroup", error.errno or 0, f"{error.strerror}{where}")) from error

    def _launch(self) -> Child:
        try:
            return start_first(
                self.plan.steps, self.plan.namespaces, self.group,
                terminal=self.plan.terminal, open_stdin=self.plan.open_stdin,
            )  # fmt: skip
        except OSError as error:
            text = f"cannot make the namespaces: {error.strerror}"
            raise CannotStart(Failure("step", "Clone", error.errno or 0, text)) from error

    def _await_begin(self, child: Child) -> int:
        """Until the program has begun. The master side of its terminal, or -1."""
        terminal, status = -1, Channel(child.status)
        status.socket.settimeout(PATIENCE)
        try:
            while True:
                message, descriptors = unix.receive(child.status, 65536)
                if message.startswith(TERMINAL):
                    terminal = descriptors[0]
                elif message.startswith(FAILED):
                    raise CannotStart(failure_from(message))
                elif not message:
                    return terminal
        except TimeoutError:
            raise CannotStart(Failure("step", "Start", 0, f"the steps took more than {PATIENCE:.0f} s")) from None
        finally:
            child.status.close()

    def _open_log(self) -> LogFile | None:
        if self.plan.log_driver == "none":
            return None
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return LogFile(folder, largest=self.plan.log_largest, files=self.plan.log_files)

    def _give_up(self, caller: Channel, failure: Failure) -> None:
        """Leave nothing of a start that failed, and say why."""
        if failure.kind not in ("running", "gone"):
            code = {"missing": 127, "denied": 126}.get(failure.kind, 128)
            self.group.kill()
            while _reap_one():
                pass
            self.group.remove()
            self.run_folder.write_last(LastRun("", 0.0, time.time(), code, failure.text))
            if self.plan.auto_remove:
                self._throw_away()
        if self.run_lock:
            self.run_folder.clear()
            self.run_lock.release()
        if self.mounts >= 0:
            os.close(self.mounts)
        if self.layer_lock:
            self.layer_lock.release()
        if self.thrown_away:
            sweep.delete_if_free(self.folder)
        caller.send({"failed": failure})

    # serving

    def _accept(self) -> None:
        connection = unix.accept(self.server)
        if unix.peer_user(connection) not in (0, os.getuid()):
            connection.close()
            return
        self._welcome(Channel(connection))

    def _welcome(self, channel: Channel) -> Client:
        client = Client(channel)
        client.program = getattr(self, "first", None)
        self.clients[channel.fileno()] = client
        self.loop.watch(channel.fileno(), READ, lambda events: self._listen(client))
        return client

    def _listen(self, client: Client) -> None:
        try:
            request, descriptors = client.channel.receive(2.0)
        except (ChannelClosed, TimeoutError, OSError, ValueError):
            self._part(client)
            return
        try:
            self._answer(client, request, descriptors)
        except TiffinError as error:
            client.tell({"refused": type(error).__name__, "text": str(error)})
        except Exception as error:  # a fault of ours must not take the container along
            client.tell({"refused": "TiffinError", "text": f"the shim failed: {type(error).__name__}: {error}"})

    def _part(self, client: Client) -> None:
        number = client.channel.fileno()
        self.loop.forget(number)
        del self.clients[number]
        if client.program:
            client.program.leave(client)
            if client.owns_program:
                client.program.signal(signal.SIGKILL)
        client.close()
        if number in self.holders:
            self.holders.discard(number)
            self._freeze_or_thaw()

    def _answer(self, client: Client, request: Message, descriptors: list[int]) -> None:
        wish = request["do"]
        if wish == "wait":
            self.first.join(client)
        elif wish == "attach":
            self.first.attach(client, dict(zip(request["streams"], descriptors, strict=True)))
            client.tell({"attached": True})
        elif wish == "signal":
            self._signal(client, request["signal"])
        elif wish == "resize" and client.program:
            client.program.resize(request["rows"], request["columns"])
        elif wish == "exec":
            self._exec(client, request, descriptors)
        elif wish in ("pause", "unpause"):
            self._pause(client, wish == "pause")
        elif wish == "hold":
            self.holders.add(client.channel.fileno())
            self._freeze_or_thaw()
            client.tell({"held": True})
        elif wish == "rename":
            self.attributes["name"] = request["name"]
            client.tell({"done": True})

    def _signal(self, client: Client, number: int) -> None:
        program = client.program or self.first
        program.signal(number)
        if program is self.first:
            self._emit("kill", signal=str(number))
            if self.record.paused and number in (signal.SIGKILL, signal.SIGTERM):
                self._pause(None, False)  # a frozen process takes no signal
        client.tell({"done": True})

    def _pause(self, client: Client | None, paused: bool) -> None:
        if paused == self.record.paused:
            kind = errors.ContainerPaused if paused else errors.ContainerNotPaused
            raise kind(f"Container {self.plan.id} is {'already' if paused else 'not'} paused")
        self.record = self.record._replace(paused=paused)
        self._freeze_or_thaw()
        self.run_folder.write(self.record)
        self._emit("pause" if paused else "unpause")
        if client:
            client.tell({"done": True})

    def _freeze_or_thaw(self) -> None:
        if self.record.paused or self.holders:
            self.group.freeze()
        else:
            self.group.thaw()

    def _exec(self, client: Client, request: Message, descriptors: list[int]) -> None:
        if self.record.paused:
            raise errors.ContainerPaused(f"Container {self.plan.id} is paused, unpause the container before exec")
        if self.holders:  # a commit: soon over
            self.loop.after(0.002, client, lambda: self._exec(client, request, descriptors))
            return
        plan = ExecPlan.from_json(request["plan"])
        child = start_member(
            plan.steps, self.group, self.first.pidfd, terminal=plan.terminal, open_stdin=plan.open_stdin
        )
        starting = StartingMember(self, client, child, dict(zip(request["streams"], descriptors, strict=True)))
        client.owns_program = request["owned"]
        self.loop.watch(child.status.fileno(), READ, lambda events: starting.listen())

    # ending

    def _first_exited(self, program: Program) -> None:
        assert program.exit_code is not None
        oom = self.group.oom_kills() > 0
        reason = "out of memory" if oom and program.exit_code == 137 else ""
        self.run_folder.write_last(
            LastRun(self.record.boot, self.started, time.time(), program.exit_code, reason, oom)
        )
        self._emit("die", exitCode=str(program.exit_code))
        if self.plan.auto_remove:
            self._throw_away()
        self.run_folder.clear()
        if self.run_lock:
            self.run_lock.release()
        self.loop.after(LINGER, program, lambda: self._linger(program))

    def _linger(self, program: Program) -> None:
        """Somebody outside may hold the other end of the pipes for ever; a slow watcher gets what is his."""
        if any(output.is_waiting for output in program.outputs.values()):
            self.loop.after(LINGER, program, lambda: self._linger(program))
        else:
            program.finish()

    def _first_ended(self, program: Program) -> None:
        if self.log:
            self.log.close()
        for client in self.clients.values():
            client.channel.close()
        if self.mounts >= 0:
            os.close(self.mounts)  # now the union view is unmounted
        self.group.kill()
        while _reap_one():
            pass
        self.group.remove()
        if self.layer_lock:
            self.layer_lock.release()
        if self.thrown_away:
            sweep.delete_if_free(self.folder)
        self.loop.stop()

    def _throw_away(self) -> None:
        self.folder = self.store.trash(self.folder, durable=False)
        self.thrown_away = True
        self._emit("destroy")

    def _emit(self, action: str, **more: str) -> None:
        events.emit(self.store, "container", action, self.plan.id, {**self.attributes, **more})


class StartingMember:
    """An exec between the fork and the moment when its program has begun."""

    def __init__(self, shim: Shim, client: Client, child: Child, streams: dict[str, int]) -> None:
        self.shim, self.client, self.child, self.streams = shim, client, child, streams
        self.helper = child.pid
        self.terminal = -1

    def listen(self) -> None:
        message, descriptors = unix.receive(self.child.status, 65536)
        if message.startswith(MEMBER):
            self._follow(int(message[1:]))
        elif message.startswith(TERMINAL):
            self.terminal = descriptors[0]
        else:
            self.shim.loop.forget(self.child.status.fileno())
            self.child.status.close()
            self._fail(failure_from(message)) if message else self._begin()

    def _follow(self, pid: int) -> None:
        """The helper has made the member and ends: the member is our child."""
        os.close(self.child.pidfd)
        os.waitpid(self.helper, 0)
        self.child = self.child._replace(pid=pid, pidfd=os.pidfd_open(pid))

    def _begin(self) -> None:
        program = Program(
            self.shim.loop, self.child, terminal=self.terminal, log=None, stdin_once=True,
            exited=lambda program: None, ended=lambda program: None,
        )  # fmt: skip
        program.attach(self.client, self.streams)
        self.client.tell({"started": self.child.pid})

    def _fail(self, failure: Failure) -> None:
        os.waitid(os.P_PIDFD, self.child.pidfd, os.WEXITED)
        for descriptor in (*self.streams.values(), *self.child.streams, self.child.pidfd, self.terminal):
            if descriptor >= 0:
                os.close(descriptor)
        self.client.tell({"failed": failure})


def _mounts_of(pid: int) -> int:
    try:
        return os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:  # it ended at once, and its status says why
        return -1


def _reap_one() -> bool:
    try:
        pid, _ = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return False
    return pid != 0
