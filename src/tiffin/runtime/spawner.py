"""The spawner: a small warm Python that forks a shim for each start, and leaves when nobody needs it.

It exists for speed alone. A fork of this process costs half a millisecond; a fork of a large program several, and a
fresh Python ten. It holds no state: killed, it takes nothing along, and the next start brings up another.

A spawner serves callers of one root, one runroot, one set of namespaces and one build of tiffin. It runs from a sealed
copy of the interpreter in memory, so that nothing inside a container can write to the program that entered it
(CVE-2019-5736), and once everything is imported it switches importing off: a module looked for inside a container
would be the container's.
"""

from __future__ import annotations

import gc
import os
import resource
import select
import signal
import sys
from _socket import socket

from tiffin.kernel import cgroups, process, unix
from tiffin.runtime import shim
from tiffin.store.locks import lock

IDLE = 60.0  # seconds without a caller, after which it leaves
GROUP = "/tiffin/shims"
NOFILE = 1 << 20  # what Docker's containers may open; less where the machine gives less


def main(path: str, ready: int) -> None:
    """Serve callers on the socket `path`; a byte to `ready` once it listens, before that a text why not."""
    if os.fork():
        os._exit(0)
    try:
        _settle(ready)
        server = unix.listen(path)
    except Exception as error:  # the caller tells its user
        os.write(ready, f"!{type(error).__name__}: {error}".encode())
        return
    os.write(ready, b".")
    os.close(ready)
    _switch_importing_off()
    gc.disable()
    gc.freeze()  # so that no collection in a shim copies every page of ours
    _serve(server, path)


def _settle(ready: int) -> None:
    """Nothing of the caller's surroundings may reach a container."""
    os.closerange(3, ready)
    os.closerange(ready + 1, 1 << 20)
    os.setsid()
    process.set_name("tiffin-spawner")
    process.set_dumpable(False)
    os.chdir("/")
    os.umask(0o022)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGPIPE, signal.SIGXFSZ}:
        if number < 32:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # shims are reaped by the kernel
    _reset_limits()
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("0")
    group = cgroups.Group(cgroups.detect(), GROUP)
    try:
        group.create(cgroups.Limits())
    except FileExistsError:
        pass
    group.join()


def _reset_limits() -> None:
    """As far as this machine lets us go: raising a hard limit needs CAP_SYS_RESOURCE."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = NOFILE if hard == resource.RLIM_INFINITY else min(NOFILE, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    for kind in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU, resource.RLIMIT_AS):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (hard, hard))


def _switch_importing_off() -> None:
    sys.meta_path.clear()
    sys.path_hooks.clear()
    sys.path.clear()


def _serve(server: socket, path: str) -> None:
    poll = select.poll()
    poll.register(server.fileno(), select.POLLIN)
    while True:
        if not poll.poll(int(IDLE * 1000)):
            with lock(f"{path}.lock", create=True):  # whoever starts a spawner holds it too
                if not poll.poll(0):
                    os.unlink(path)
                    return
        connection = unix.accept(server)
        if unix.peer_user(connection) not in (0, os.getuid()):
            connection.close()
            continue
        if os.fork() == 0:
            _become_shim(server, connection)
        connection.close()


def _become_shim(server: socket, connection: socket) -> None:
    code = 1
    try:
        server.close()
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        shim.serve_caller(connection)
        code = 0
    finally:
        os._exit(code)
