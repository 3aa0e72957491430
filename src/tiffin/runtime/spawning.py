"""Finding the spawner of a caller, and bringing one up where there is none."""

from __future__ import annotations

import os
import sys
import time
from fcntl import F_DUPFD_CLOEXEC, fcntl
from zlib import crc32  # hashlib costs 2 ms

from tiffin.errors import TiffinError
from tiffin.kernel.files import sealed_copy
from tiffin.runtime.channel import Channel, connect
from tiffin.store import Store
from tiffin.store.locks import Lock, lock, try_lock

PYTHON = "/proc/self/exe"  # sys.executable is a guess from argv[0], which may be anything
READY, HELD = 10, 11  # descriptors of the spawner: on which it says that it listens, and the lock until it does
PATIENCE = 20.0  # seconds for a fresh Python to listen


def find(store: Store) -> Channel | None:
    """A connection to the spawner, if there is one for such a caller."""
    try:
        return connect(socket_path(store))
    except (FileNotFoundError, ConnectionRefusedError):
        return None


def find_or_start(store: Store) -> Channel:
    """A connection to the spawner. Raises TiffinError where none can be brought up."""
    found = find(store)
    if found:
        return found
    path = socket_path(store)
    os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
    with lock(f"{path}.lock", create=True) as held:
        found = find(store)  # somebody was quicker
        if found:
            return found
        try:
            os.unlink(path)  # of one that was killed
        except FileNotFoundError:
            pass
        _await_ready(*_start(path, held))
        return connect(path)


def begin_to_start(store: Store) -> None:
    """Bring up a spawner where there is none, and do not wait for it: `find_or_start` will, and tells what went wrong.

    Only for a process that soon ends, as it leaves a child unreaped.
    """
    path = socket_path(store)
    if os.path.exists(path):  # not `find`: it waits for a start whoever has a connection
        return
    os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
    held = try_lock(f"{path}.lock", create=True)
    if held is None:
        return
    with held:
        if not os.path.exists(path):
            _, reading = _start(path, held)
            os.close(reading)


def socket_path(store: Store) -> str:
    """One per runroot, root, namespaces and hard limits of the caller, and build of tiffin."""
    return store.run_path("spawner", f"{_key(store):016x}")


def _key(store: Store) -> int:
    spaces = (os.readlink(f"/proc/self/ns/{name}") for name in os.listdir("/proc/self/ns"))
    text = "\0".join((store.root, store.runroot, *spaces, *_hard_limits())).encode()
    return crc32(text) << 32 | _build()


def _hard_limits() -> list[str]:
    """Nobody is to inherit another caller's: they can only be lowered."""
    with open("/proc/self/limits", encoding="ascii") as file:
        return [line[47:68] for line in file]  # columns of 26, 21 and 21


def _build() -> int:
    """Of the code that this process has loaded: what it is does not change any more."""
    global _known_build
    if _known_build is None:
        _known_build = _look_at_build()
    return _known_build


_known_build: int | None = None


def _look_at_build() -> int:
    parts = [os.readlink(PYTHON)]
    package = os.path.dirname(os.path.dirname(__file__))
    for folder in ("kernel", "runtime", "store"):
        with os.scandir(f"{package}/{folder}") as entries:
            parts += sorted(f"{entry.name}{entry.stat().st_mtime_ns}" for entry in entries if entry.is_file())
    return crc32("\0".join(parts).encode())


def _start(path: str, held: Lock) -> tuple[int, int]:
    """The child, which forks the spawner and ends; and a pipe on which the spawner says that it listens, or why not."""
    reading, writing = os.pipe()
    program = _program()
    # copies above those two, so that none is in another's place
    copies = [fcntl(descriptor, F_DUPFD_CLOEXEC, HELD + 1) for descriptor in (program, writing, held.descriptor)]
    null = [(os.POSIX_SPAWN_OPEN, stream, "/dev/null", os.O_RDWR, 0) for stream in (0, 1, 2)]
    given = [(os.POSIX_SPAWN_DUP2, copies[1], READY), (os.POSIX_SPAWN_DUP2, copies[2], HELD)]
    try:
        # posix_spawn and not fork: the caller may be large and have threads
        command, environment = _command(path), _environment()
        child = os.posix_spawn(f"/proc/self/fd/{copies[0]}", command, environment, file_actions=[*null, *given])
    finally:
        for descriptor in (writing, program, *copies):
            os.close(descriptor)
    return child, reading


def _await_ready(first: int, reading: int) -> None:
    answer = _read(reading, time.monotonic() + PATIENCE)
    _reap(first)  # it has forked, and the spawner is nobody's child
    if answer != b".":
        text = answer[1:].decode("utf-8", "replace") or "it ended without a word"
        raise TiffinError(f"the spawner did not start: {text}")


def _reap(child: int) -> None:
    try:
        os.waitpid(child, 0)
    except ChildProcessError:  # the caller ignores SIGCHLD, or reaps whatever ends
        pass


def _command(path: str) -> list[str]:
    source = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    code = f"import sys; sys.path.insert(0, {source!r}); from tiffin.runtime.spawner import main"
    code += f"; main({path!r}, {READY}, {HELD})"
    # argv[0] with a slash tells Python where its library is, whatever file it was started from
    return [os.readlink(PYTHON), "-I", "-S", "-X", "utf8", "-c", code]


def _environment() -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "LC_ALL": "C.UTF-8",
        "LD_LIBRARY_PATH": f"{sys.base_prefix}/lib",  # else sought beside the copy, where it is found by $ORIGIN
        "LD_BIND_NOW": "1",  # once here, and not in each forked child again
    }


def _program() -> int:
    try:
        return sealed_copy(PYTHON, "tiffin-spawner")
    except PermissionError:
        from tiffin.kernel.mounts import readonly_copy  # where memfd is forbidden

        return readonly_copy(PYTHON)


def _read(descriptor: int, until: float) -> bytes:
    import select

    answer = b""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    try:
        while answer != b"." and poll.poll(max(0, int((until - time.monotonic()) * 1000))):
            chunk = os.read(descriptor, 4096)
            if not chunk:
                break
            answer += chunk
    finally:
        os.close(descriptor)
    return answer
