"""The verbs that put a process space around a container, reach into it, and take it away."""

from __future__ import annotations

import os
import time

from tiffin.containers import ContainerRecord, Containers
from tiffin.engine import binds, inits, planning
from tiffin.engine.attributes import attributes
from tiffin.engine.filters import default_filter
from tiffin.engine.signals import signal_number
from tiffin.engine.state import noun_of, state_of
from tiffin.errors import ContainerNotPaused, ContainerNotRunning, NoSuchContainer, NotModified, StartFailed
from tiffin.kernel import signals
from tiffin.kernel.cgroups import Layout, detect
from tiffin.layers.overlay import mount
from tiffin.model.config import Config
from tiffin.model.mount import BindMount
from tiffin.model.nouns import State
from tiffin.model.states import ALIVE, check
from tiffin.runtime import client
from tiffin.runtime.channel import ChannelClosed
from tiffin.runtime.client import Connection, Streams
from tiffin.runtime.plan import ExecPlan, Plan
from tiffin.runtime.record import RunFolder
from tiffin.store import events, files
from tiffin.store.locks import is_held

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine.parts import Parts
    from tiffin.runtime.channel import Channel
    from tiffin.runtime.tracing import StepTrace
    from tiffin.store import Store
    from tiffin.store.locks import Lock

GRACE = 10.0  # seconds between SIGTERM and SIGKILL, as Docker's
LOOK = 0.05  # seconds; whoever asks "does it run?" holds the lock of the run for a moment
KILL_PATIENCE = 10.0  # seconds for a killed container to be gone
KILLED = 128 + signals.SIGKILL
FIXTURES = ("dev", "proc", "sys", "etc")
FIXTURE_FILES = ("etc/hosts", "etc/hostname", "etc/resolv.conf", ".dockerenv")


def start(
    parts: Parts,
    record: ContainerRecord,
    streams: Streams,
    *,
    owned: bool = False,
    run_lock: Lock | None = None,
) -> Connection:
    """Put a process space around the container. Returns when its program has begun.

    Raises NotModified where it runs, ContainerPaused, CommandNotFound, CommandNotExecutable, StartFailed.
    """
    try:
        if run_lock is None:
            _check(parts, "start", record)
        binds.sources_made(tuple(map(binds.parse, record.host.binds)))
        todo = plan(parts, record)
    except BaseException:
        streams.close()
        if run_lock is not None:
            run_lock.release()
            state_of(parts.store, record.id)  # which finds a `--rm` container that nobody holds, and removes it
        raise
    todo = todo._replace(trace=parts.trace is not None)
    try:
        connection = client.start(parts.store, todo, streams, owned=owned, run_lock=run_lock)
    except StartFailed as error:
        if parts.trace is not None:
            from tiffin.runtime.tracing import of_failure  # only with a trace

            parts.trace += of_failure(error)
        raise
    _keep_trace(parts, connection.trace)
    return connection


def plan(parts: Parts, record: ContainerRecord) -> Plan:
    """What `start` does, as data; the container need not be there. Raises BadParameter."""
    folder, host = Containers(parts.store).folder(record.id), record.host
    run_files = _run_files(record)
    volumes = tuple(binds.parse(text) for text in host.binds)
    lowers = (*parts.layers.folders(record.top), _fixtures(parts))
    subject = planning.Subject(
        id=record.id,
        root=parts.store.root,
        runroot=parts.store.runroot,
        config=record.config,
        host=host,
        union=mount(lowers, f"{folder}/diff", f"{folder}/work", volatile=host.auto_remove),
        at=_hanger(parts),
        binds=(*_run_mounts(RunFolder(parts.store, record.id), run_files, readonly=host.readonly_rootfs), *volumes),
        files=run_files,
        init=inits.found() if host.init else None,
        filter="" if host.privileged else default_filter(parts.store, planning.kept_capabilities(host)),
        attributes=attributes(record),
    )
    return planning.plan_run(subject, _layout(parts))


def execute(
    parts: Parts, record: ContainerRecord, argv: tuple[str, ...], config: Config, streams: Streams,
    *, privileged: bool, owned: bool,
) -> Connection:  # fmt: skip
    """One more process in the process space. `config` says as whom, where, and with which terminal and variables.

    Raises ContainerNotRunning, ContainerPaused, CommandNotFound, CommandNotExecutable, StartFailed.
    """
    try:
        exec_plan = plan_exec(
            parts, record, argv, config, privileged=privileged, open_stdin=streams.stdin is not None
        )
    except BaseException:
        streams.close()
        raise
    exec_plan = exec_plan._replace(trace=parts.trace is not None)
    try:
        connection = client.execute(RunFolder(parts.store, record.id), exec_plan, streams, owned=owned)
    except StartFailed as error:
        if parts.trace is not None:
            from tiffin.runtime.tracing import of_failure  # only with a trace

            parts.trace += of_failure(error)
        raise
    _keep_trace(parts, connection.trace)
    connection.id = exec_plan.id
    return connection


def _keep_trace(parts: Parts, trace: tuple[StepTrace, ...]) -> None:
    if parts.trace is not None:
        parts.trace += trace


def plan_exec(
    parts: Parts, record: ContainerRecord, argv: tuple[str, ...], config: Config, *, privileged: bool, open_stdin: bool
) -> ExecPlan:
    """What `execute` does, as data. Raises BadParameter."""
    settings = record.config._replace(
        user=config.user or record.config.user,
        working_dir=config.working_dir or record.config.working_dir,
        env=record.config.env + config.env,
        tty=config.tty,
        open_stdin=open_stdin,
    )
    unfiltered = privileged or record.host.privileged
    keep = planning.kept_capabilities(record.host._replace(privileged=unfiltered))
    filter = "" if unfiltered else default_filter(parts.store, keep)
    return planning.plan_exec(record.id, argv, settings, record.host, _layout(parts), keep, filter)


def wait(parts: Parts, record: ContainerRecord) -> int:
    """The exit code of the run that is going on, or else of the last one. Raises NoSuchContainer."""
    connection = watched(parts, record)
    if connection is None:
        state = state_of(parts.store, record.id)
        Containers(parts.store).get(record.id)  # a `--rm` container that has ended takes its exit code along
        return state.exit_code
    try:
        return connection.wait()
    except ChannelClosed:
        return lost(parts, record)
    finally:
        connection.close()


def lost(parts: Parts, record: ContainerRecord) -> int:
    """The exit code of a run whose shim left us: killed, or ending just when we came."""
    RunFolder(parts.store, record.id).wait()
    state = state_of(parts.store, record.id)  # which finishes it
    return state.exit_code if state.finished else KILLED


def stop(parts: Parts, record: ContainerRecord, *, timeout: float | None, signal_name: str | None) -> None:
    """Ask politely, and after the grace time not: SIGTERM (or what the container says), then SIGKILL.

    A negative timeout waits for ever. Raises NotModified where it does not run.
    """
    is_paused = _check(parts, "stop", record) == State.PAUSED
    polite = signal_number(signal_name or record.config.stop_signal or "TERM")
    if timeout is None:
        timeout = GRACE if record.config.stop_timeout is None else record.config.stop_timeout
    try:
        _signal_and_wait(parts, record, polite, None if timeout < 0 else timeout, thaw=is_paused)
    except TimeoutError:
        _signal_and_wait(parts, record, signals.SIGKILL, KILL_PATIENCE)
    events.emit(parts.store, "container", "stop", record.id, attributes(record))


def restart(parts: Parts, record: ContainerRecord, *, timeout: float | None, signal_name: str | None) -> Connection:
    """stop where it runs, then start. A `--rm` container is kept. Raises as `start` does."""
    if _check(parts, "restart", record) in ALIVE:
        try:
            if record.host.auto_remove:
                client.tell(RunFolder(parts.store, record.id), {"do": "keep"})
            stop(parts, record, timeout=timeout, signal_name=signal_name)
        except (ContainerNotRunning, NotModified):  # it ended by itself just now
            pass
    connection = start(parts, record, Streams())
    events.emit(parts.store, "container", "restart", record.id, attributes(record))
    return connection


def kill(parts: Parts, record: ContainerRecord, number: int) -> None:
    """Send a signal to the first process; after SIGKILL wait until it is gone. Raises ContainerNotRunning."""
    _check(parts, "kill", record)
    if number == signals.SIGKILL:
        _signal_and_wait(parts, record, number, KILL_PATIENCE)
    else:
        client.tell(RunFolder(parts.store, record.id), {"do": "signal", "signal": int(number)})


def pause(parts: Parts, record: ContainerRecord) -> None:
    """Freeze all processes. Raises ContainerNotRunning, ContainerPaused."""
    _check(parts, "pause", record)
    client.tell(RunFolder(parts.store, record.id), {"do": "pause"})


def unpause(parts: Parts, record: ContainerRecord) -> None:
    """Raises ContainerNotRunning, ContainerNotPaused."""
    _check(parts, "unpause", record)
    client.tell(RunFolder(parts.store, record.id), {"do": "unpause"})


def attach(parts: Parts, record: ContainerRecord, streams: Streams) -> Connection:
    """The streams joined to the first process. Raises ContainerNotRunning, ContainerPaused."""
    try:
        _check(parts, "attach", record)
    except BaseException:
        streams.close()
        raise
    return client.attach(RunFolder(parts.store, record.id), streams)


def watched(parts: Parts, record: ContainerRecord) -> Connection | None:
    """A connection that will know when the container has ended and all its output was read; None where nothing runs."""
    try:
        return client.wait(RunFolder(parts.store, record.id))
    except ContainerNotRunning:
        return None


def held(parts: Parts, record: ContainerRecord) -> Channel | None:
    """Frozen until the channel is closed, also by our own end; None where nothing runs."""
    try:
        return client.hold(RunFolder(parts.store, record.id))
    except ContainerNotRunning:
        return None


def remove(parts: Parts, record: ContainerRecord, *, force: bool) -> None:
    """The read-write layer goes. Raises ContainerRunning for one that runs, unless `force` kills it first."""
    folder, held = RunFolder(parts.store, record.id), None
    while held is None:
        if _check(parts, "rm -f" if force else "rm", record) in ALIVE:
            _signal_and_wait(parts, record, signals.SIGKILL, KILL_PATIENCE)  # not `kill`: it may just have ended
            if record.host.auto_remove:
                return
        held = _hold(folder)
    with held:  # so that nobody starts it meanwhile
        try:
            taken = Containers(parts.store).remove(record)
        finally:
            folder.clear()
    events.emit(parts.store, "container", "destroy", record.id, attributes(record))
    _delete(parts.store, taken)


def rename(parts: Parts, record: ContainerRecord, name: str) -> ContainerRecord:
    """Raises NameInUse, BadName."""
    renamed = Containers(parts.store).rename(record.id, name)
    try:
        client.tell(RunFolder(parts.store, record.id), {"do": "rename", "name": name})  # for its events
    except ContainerNotRunning:
        pass
    events.emit(parts.store, "container", "rename", record.id, {**attributes(renamed), "oldName": f"/{record.name}"})
    return renamed


def _check(parts: Parts, verb: str, record: ContainerRecord) -> str:
    """The state that the container is in. Raises what the table of states says where the verb is refused in it."""
    state = state_of(parts.store, record.id)
    if state.status == State.REMOVING:  # by somebody else, just now
        raise NoSuchContainer(f"No such container: {record.id}")
    container = noun_of(record, state)
    check(verb, container)
    return container.state


def _hold(folder: RunFolder) -> Lock | None:
    """The lock of a run that is not going on. None where somebody is just starting one."""
    until = time.monotonic() + LOOK
    while (held := folder.hold()) is None and time.monotonic() < until:
        time.sleep(0.001)
    return held


def _signal_and_wait(
    parts: Parts, record: ContainerRecord, number: int, seconds: float | None, *, thaw: bool = False
) -> None:
    """Raises TimeoutError when the container still runs after that. `thaw`: a frozen process takes no signal."""
    folder = RunFolder(parts.store, record.id)
    try:
        connection = client.wait(folder)
        try:
            connection.signal(number)
            if thaw:
                _thaw(folder)
            connection.wait(seconds)
        finally:
            connection.close()
    except (ContainerNotRunning, ChannelClosed):  # it just ended, or its shim was killed
        state_of(parts.store, record.id)


def _delete(store: Store, taken: str) -> None:
    """A removed container's files: its shim does it where that is still ending, a fork of the spawner where it may take
    long."""
    from tiffin.store import sweep
    from tiffin.store.deletion import is_empty

    busy = is_held(f"{taken}/diff")
    if not busy and is_empty(f"{taken}/diff"):
        sweep.delete_if_free(taken)
    left = [name for name in os.listdir(store.path("trash")) if not (busy and taken.endswith(name))]
    if left and not client.sweep_later(store):
        sweep.sweep(store)


def _thaw(folder: RunFolder) -> None:
    try:
        client.tell(folder, {"do": "unpause"})
    except ContainerNotPaused:  # SIGTERM and SIGKILL do that themselves
        pass


def _layout(parts: Parts) -> Layout:
    """Read once per boot and kept: where the groups are does not change while the machine runs."""
    path = parts.store.run_path("cgroups")
    try:
        return Layout.from_json(files.read(path).decode())
    except FileNotFoundError:
        layout = detect()
        files.replace(path, layout.to_json().encode(), durable=False)
        return layout


def _hanger(parts: Parts) -> str:
    """An empty folder: each container hangs its union view on it, in a mount namespace of its own."""
    path = parts.store.run_path("rootfs")
    if not os.path.isdir(path):
        os.makedirs(path, 0o700, exist_ok=True)
    return path


def _fixtures(parts: Parts) -> str:
    """What the process space hangs its own things on, where an image lacks it: below the lowest layer of all.

    So neither the read-write layer nor a commit shows folders that nobody made.
    """
    path = parts.store.run_path("fixtures")
    if not os.path.isdir(path):
        fresh = f"{path}.{os.urandom(4).hex()}"
        for folder in FIXTURES:
            os.makedirs(f"{fresh}/{folder}", 0o755)
        for name in FIXTURE_FILES:
            files.write_once(f"{fresh}/{name}", b"", durable=False)
            os.chmod(f"{fresh}/{name}", 0o644)
        os.chmod(fresh, 0o755)
        try:
            os.rename(fresh, path)
        except OSError:  # somebody was quicker
            from tiffin.store.deletion import delete

            delete(fresh)
    return path


def _run_files(record: ContainerRecord) -> dict[str, str]:
    """The three files that every process space has of its own."""
    if record.host.network_mode == "host":
        hosts = _host_file("/etc/hosts")
    else:
        hosts = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
        hosts += f"127.0.0.1\t{record.config.hostname}\n"
    return {"hosts": hosts, "hostname": f"{record.config.hostname}\n", "resolv.conf": _host_file("/etc/resolv.conf")}


def _host_file(path: str) -> str:
    try:
        return files.read(path).decode("utf-8", "replace")
    except OSError:
        return ""


def _run_mounts(folder: RunFolder, names: dict[str, str], *, readonly: bool) -> tuple[BindMount, ...]:
    return tuple(BindMount(f"{folder.path}/{name}", f"/etc/{name}", readonly, recursive=False) for name in names)
