"""Finding the spawner of a caller, and bringing one up where there is none."""

from __future__ import annotations

import os
import sys
import time
from functools import cache
from zlib import crc32  # hashlib costs 2 ms

from tiffin.errors import TiffinError
from tiffin.kernel.files import sealed_copy
from tiffin.runtime.channel import Channel, connect
from tiffin.store import Store
from tiffin.store.locks import lock

READY = 3  # the descriptor on which the spawner says that it listens
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
    with lock(f"{path}.lock", create=True):
        found = find(store)  # somebody was quicker
        if found:
            return found
        try:
            os.unlink(path)  # of one that was killed
        except FileNotFoundError:
            pass
        _start(path)
        return connect(path)


def socket_path(store: Store) -> str:
    """One per runroot, root, namespaces of the caller, and build of tiffin."""
    return store.run_path("spawner", f"{_key(store):016x}")


def _key(store: Store) -> int:
    spaces = (os.readlink(f"/proc/self/ns/{name}") for name in os.listdir("/proc/self/ns"))
    text = "\0".join((store.root, store.runroot, *spaces)).encode()
    return crc32(text) << 32 | _build()


@cache
def _build() -> int:
    """Of the code that this process has loaded: what it is does not change any more."""
    parts = [sys.executable]
    package = os.path.dirname(os.path.dirname(__file__))
    for folder in ("kernel", "runtime", "store"):
        with os.scandir(f"{package}/{folder}") as entries:
            parts += sorted(f"{entry.name}{entry.stat().st_mtime_ns}" for entry in entries if entry.is_file())
    return crc32("\0".join(parts).encode())


def _start(path: str) -> None:
    reading, writing = os.pipe()
    program = _program()
    null = [(os.POSIX_SPAWN_OPEN, stream, "/dev/null", os.O_RDWR, 0) for stream in (0, 1, 2)]
    ready = (os.POSIX_SPAWN_DUP2, writing, READY)
    try:
        # posix_spawn and not fork: the caller may be large and have threads
        first = os.posix_spawn(f"/proc/self/fd/{program}", _command(path), _environment(), file_actions=[*null, ready])
    finally:
        os.close(writing)
        os.close(program)
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
    code += f"; main({path!r}, {READY})"
    # argv[0] with a slash tells Python where its library is, whatever file it was started from
    return [os.path.realpath(sys.executable), "-I", "-S", "-X", "utf8", "-c", code]


def _environment() -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "LC_ALL": "C.UTF-8",
        "LD_LIBRARY_PATH": f"{sys.base_prefix}/lib",  # else sought beside the copy, where it is found by $ORIGIN
        "LD_BIND_NOW": "1",  # once here, and not in each forked child again
    }


def _program() -> int:
    try:
        return sealed_copy(os.path.realpath(sys.executable), "tiffin-spawner")
    except PermissionError:
        from tiffin.kernel.mounts import readonly_copy  # where memfd is forbidden

        return readonly_copy(os.path.realpath(sys.executable))


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
