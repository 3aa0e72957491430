"""The spawner: a small warm Python that forks a shim and a launcher for each start, and leaves when nobody needs it.

It exists for speed alone. A fork of this process costs half a millisecond; a fork of a large program several, and a
fresh Python ten. So one pair is always forked in advance: the launcher waits for a caller, in new namespaces and in a
control group of its own. The spawner holds no state: killed, it takes nothing along, and the next start brings up
another.

A spawner serves callers of one root, one runroot, one set of namespaces and hard limits, and one build of tiffin. It
runs from a sealed copy of the interpreter in memory, so that nothing inside a container can write to the program that
entered it (CVE-2019-5736), and once everything is imported it switches importing off: a module looked for inside a
container would be the container's.
"""

from __future__ import annotations

import gc
import os
import resource
import select
import sys
import time

from tiffin.kernel import cgroups, network, process, signals, unix
from tiffin.kernel.cgroups import Group, Layout, Limits
from tiffin.runtime.channel import Channel, ChannelClosed
from tiffin.runtime.plan import Plan
from tiffin.runtime.record import GROUPS
from tiffin.runtime.recovery import recover_all, remove_empty_groups
from tiffin.runtime.shim import ENDING_PATIENCE
from tiffin.runtime.starter import Launcher, Starter
from tiffin.runtime.supervise import supervise
from tiffin.store import Store, sweep
from tiffin.store.locks import lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket

IDLE = 60.0  # seconds without a caller, after which it leaves
LOOK = 2.0  # seconds after which it looks whether callers can still find it: its folder may have been removed
GROUP = f"{GROUPS}/shims"
SPACES = process.CLONE_NEWPID | process.CLONE_NEWIPC | process.CLONE_NEWUTS | process.CLONE_NEWNET
TAKEN = b"."
ENDING = (signals.SIGHUP, signals.SIGINT, signals.SIGTERM)
"""A shim is deaf to these: it ends with its container, and a spare one with its spawner."""
KINDS_OF_LIMITS = 16  # getrlimit(2)
STACK = 8 << 20  # the kernel's own; without a limit it lays out memory in another way (mmap(2))
NOFILE = 1 << 20  # what Docker's containers may open; less where the machine gives less


def main(path: str, ready: int, held: int) -> None:
    """Serve callers on the socket `path`; a byte to `ready` once it listens, before that a text why not.

    `held` is the lock of who starts a spawner.
    """
    try:
        layout = cgroups.detect()
        _fork_into_group(Group(layout, GROUP))
        _settle(ready, held)
        server = unix.listen(path)
    except Exception as error:  # noqa: BLE001  # the caller tells its user
        _say(ready, f"!{type(error).__name__}: {error}".encode())
        return
    _say(ready, b".")
    os.close(ready)
    os.close(held)
    _switch_importing_off()
    gc.disable()
    gc.freeze()  # so that no collection in a shim copies every page of ours
    _serve(server, path, layout)


def _fork_into_group(group: Group) -> None:
    """Go on as a child that nobody has to reap, born in its group: to move there takes 10 ms (v2)."""
    try:
        group.create(Limits())
    except FileExistsError:
        pass
    cgroup = group.open_directory()
    child, _ = process.clone(0, cgroup)
    if child:
        os._exit(0)
    cgroups.join(group.join_files())


def _say(ready: int, text: bytes) -> None:
    try:
        os.write(ready, text)
    except BrokenPipeError:  # who does not wait for it
        pass


def _settle(*kept: int) -> None:
    """Nothing of the caller's surroundings may reach a container."""
    edges = sorted(kept)
    for before, after in zip((2, *edges), (*edges, 1 << 20), strict=True):
        os.closerange(before + 1, after)
    os.setsid()
    process.set_name("tiffin-spawner")
    process.set_dumpable(False)
    os.chdir("/")
    os.umask(0o022)
    keep = {signals.SIGKILL, signals.SIGSTOP, signals.SIGPIPE, signals.SIGXFSZ}
    signals.by_default(*(number for number in signals.valid_signals() if number not in keep))
    process.take_default_signals()
    signals.unblock_all()
    signals.ignore(signals.SIGCHLD)  # shims are reaped by the kernel
    _reset_limits()
    process.take_default_turns()
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("0")


def _reset_limits() -> None:
    """As far as the caller's hard limits let us go. Who has others has another spawner."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = NOFILE if hard == resource.RLIM_INFINITY else min(NOFILE, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    for kind in set(range(KINDS_OF_LIMITS)) - {resource.RLIMIT_NOFILE}:
        _, hard = resource.getrlimit(kind)
        soft = STACK if kind == resource.RLIMIT_STACK and not 0 <= hard < STACK else hard
        resource.setrlimit(kind, (soft, hard))


def _switch_importing_off() -> None:
    sys.meta_path.clear()
    sys.path_hooks.clear()
    sys.path.clear()


def _serve(server: socket, path: str, layout: Layout) -> None:
    """Always have one shim forked in advance, waiting for a caller; fork the next when it has found one."""
    fork = process.Fork(SPACES)
    folder, key = os.path.split(path)  # so that a group tells whose it is
    claims, place = f"{os.path.dirname(folder)}/groups", _Place(path)
    os.makedirs(claims, 0o700, exist_ok=True)
    while True:
        name = f"{key}-{os.urandom(4).hex()}"
        if not _serve_one(server, fork, Group(layout, f"{GROUPS}/{name}"), f"{claims}/{name}", place):
            break
        _reap()
    place.leave()


class _Place:
    """Where callers find this spawner, unless the socket was removed; by now it may be that of another one."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._made = self._made_now()

    def is_ours(self) -> bool:
        return self._made is not None and self._made_now() == self._made

    def leave(self) -> None:
        try:
            with lock(f"{self.path}.lock", create=True):  # whoever starts a spawner holds it too
                if self.is_ours():
                    os.unlink(self.path)
        except FileNotFoundError:  # the whole runroot is gone
            pass

    def _made_now(self) -> tuple[int, int] | None:
        try:
            there = os.stat(self.path)
        except FileNotFoundError:
            return None
        return there.st_ino, there.st_mtime_ns


def _serve_one(server: socket, fork: process.Fork, group: Group, claim: str, place: _Place) -> bool:
    """Fork a shim, which forks a launcher into new namespaces and the group. False if nobody came for long.

    Whatever can be done before the fork is done here: each page that a shim touches stays its own.
    """
    signals.block(*ENDING)  # until a shim is there, which will put the group away, and is deaf to them for good
    held = lock(claim, create=True)
    group.create(Limits())
    cgroup = group.open_directory()
    ours, launchers = unix.pair()
    status, reports = unix.pair()
    signals.by_default(signals.SIGCHLD)
    if os.fork() == 0:
        _become_shim(server, ours, launchers, status, reports, group, cgroup, fork, claim)
    held.release()  # now the shim holds it
    signals.unblock_all()
    signals.ignore(signals.SIGCHLD)
    for end in (launchers, status, reports):
        end.close()
    if cgroup is not None:
        os.close(cgroup)
    try:
        return _await_taken(server, ours, place)
    finally:
        ours.close()


def _await_taken(server: socket, launcher: socket, place: _Place) -> bool:
    poll, until = select.poll(), time.monotonic() + IDLE
    poll.register(launcher.fileno(), select.POLLIN)
    while not poll.poll(LOOK * 1000):
        if time.monotonic() > until or not place.is_ours():
            return False
    if launcher.recv(1):  # it has a caller; the next one is forked when it is done, or when another caller comes
        poll.register(server.fileno(), select.POLLIN)
        poll.poll()
    return True


def _reap() -> None:
    """Shims that ended while their end was not ignored."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _become_shim(
    server: socket,
    spawner: socket,
    launchers: socket,
    status: socket,
    reports: socket,
    group: Group,
    cgroup: int | None,
    fork: process.Fork,
    claim: str,
) -> None:
    """Fork the launcher, and watch over what becomes of it."""
    code = 1
    try:
        launcher = fork(cgroup)
        if launcher == 0:
            spawner.close()
            status.close()
            _become_launcher(server, launchers, reports, group)
        for end in (server, spawner, launchers, reports):
            end.close()
        try:
            had_run = supervise(launcher, status)
        finally:
            if group.is_there():  # it was not the run's, or the run could not be finished, as without its folders
                group.kill(ENDING_PATIENCE)
                group.remove(ENDING_PATIENCE)
        _forget(claim)
        if not had_run:  # so it is with the last shim of all, whose spawner left or was killed
            claims, name = os.path.split(claim)
            remove_empty_groups(group.layout, claims, name.partition("-")[0])
        code = 0
    finally:
        os._exit(code)


def _forget(claim: str) -> None:
    try:
        os.unlink(claim)
    except FileNotFoundError:  # with the whole runroot
        pass


def _become_launcher(server: socket, spawner: socket, shim: socket, group: Group) -> None:
    """Wait for a caller, as long as the spawner lives; then do what this one wants."""
    code = 1
    try:
        process.die_with_parent()
        launcher = _get_ready(group)
        connection = _await_caller(server, spawner)
        server.close()
        if connection:
            spawner.send(TAKEN)
            _serve_caller(Channel(connection), shim, group, launcher)
        code = 0
    finally:
        os._exit(code)


def _get_ready(group: Group) -> Launcher:
    """What every start needs, and no caller has to wait for."""
    cgroups.join(group.join_files())
    network.loopback_up()
    return Launcher.of_this_process()


def _serve_caller(caller: Channel, shim: socket, group: Group, launcher: Launcher) -> None:
    try:
        caller.send({"hello": launcher.shim})
    except ChannelClosed:  # who wants a sweep does not wait for it
        pass
    request, descriptors = caller.receive()
    if request["do"] == "start":
        given = dict(zip(request["streams"], descriptors, strict=True))
        Starter(Plan.from_json(request["plan"]), group, launcher).start(caller, given, shim, owned=request["owned"])
    elif request["do"] == "sweep":
        store = Store(request["root"], request["runroot"])
        recover_all(store)
        sweep.sweep(store)


def _await_caller(server: socket, spawner: socket) -> socket | None:
    poll = select.poll()
    poll.register(server.fileno(), select.POLLIN)
    poll.register(spawner.fileno(), 0)  # its end is always told
    while True:
        waiting = dict(poll.poll())
        if server.fileno() not in waiting:
            return None
        connection = unix.accept(server)
        if unix.peer_user(connection) in (0, os.getuid()):
            return connection
        connection.close()
