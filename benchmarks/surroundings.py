"""Where the contestants run: namespaces and control groups of their own, which are gone afterwards.

All run in one network and one mount namespace, apart from the machine's: the bridges and firewall rules of the rivals
collide with nothing, and the folders where engines keep what is true until the next boot are fresh.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import signal
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
MNT_DETACH = 2
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
FRESH = (Path("/run"), Path("/dev/shm"), Path("/etc/docker"))  # dockerd writes a key there
PATIENCE = 20.0  # seconds


@contextmanager
def entered() -> Iterator[None]:
    libc = ctypes.CDLL(None, use_errno=True)
    _succeed(libc.unshare(CLONE_NEWNS | CLONE_NEWNET))
    _succeed(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))
    made = [path for path in FRESH if not path.is_dir()]
    for path in FRESH:
        path.mkdir(parents=True, exist_ok=True)
        _succeed(libc.mount(b"tmpfs", bytes(path), b"tmpfs", 0, b"mode=1777" if path.name == "shm" else b"mode=755"))
    try:
        yield
    finally:
        for path in made:
            _succeed(libc.umount2(bytes(path), MNT_DETACH))
            path.rmdir()


class Groups:
    """The control groups that we name, in every hierarchy of the machine."""

    def __init__(self) -> None:
        self.name = f"tiffin-test-bench-{os.getpid()}"
        self._before = frozenset(self._folders(""))

    def make(self, name: str) -> list[str]:
        """A group below our own, in all hierarchies; their folders."""
        made = []
        for top in hierarchies():
            folder = top / self.name / name
            folder.mkdir(parents=True, exist_ok=True)
            if (top / "cpuset.cpus").exists() and not (top / "cgroup.controllers").exists():
                for new in (folder.parent, folder):  # a v1 cpuset is born empty
                    for file in ("cpuset.cpus", "cpuset.mems"):
                        (new / file).write_text((new.parent / file).read_text())
            made.append(str(folder))
        return made

    def remove(self) -> None:
        """Ours, and what a rival has made at the top (podman does) and left empty."""
        until = time.monotonic() + PATIENCE
        for folder in self._folders(self.name):
            _remove(folder, until)
        for folder in self._folders("libpod_parent"):
            if folder not in self._before:
                _remove(folder, 0)

    def _folders(self, name: str) -> Iterator[Path]:
        """Deepest first."""
        for top in hierarchies():
            for path, _, _ in os.walk(top / (name or "libpod_parent"), topdown=False):
                yield Path(path)


def hierarchies() -> list[Path]:
    """The folders on which control groups are mounted: many for v1, one for v2, or both."""
    found: dict[str, Path] = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, kind = line.partition(" - ")
        _, _, device, root, point, *_ = fields.split()
        if kind.startswith(("cgroup ", "cgroup2 ")) and root == "/":
            found.setdefault(device, Path(point))
    return list(found.values())


def processes(word: str) -> list[int]:
    """All but ourselves that have `word` among their arguments or variables."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        if int(name) == os.getpid():
            continue
        try:
            text = Path("/proc", name, "cmdline").read_bytes() + b"\0" + Path("/proc", name, "environ").read_bytes()
        except OSError:  # it has ended
            continue
        if word.encode() in text:
            found.append(int(name))
    return found


def end(pid: int, *, patience: float = PATIENCE) -> None:
    """SIGTERM, and if that is not enough, SIGKILL; returns when it is dead."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        for number in (signal.SIGTERM, signal.SIGKILL):
            signal.pidfd_send_signal(pidfd, number)
            if select.select([pidfd], [], [], patience)[0]:
                return
    except ProcessLookupError:
        return
    finally:
        os.close(pidfd)


def end_all(word: str) -> list[int]:
    """End all processes that belong to the folder `word`; which they were."""
    found = processes(word)
    for pid in found:
        end(pid, patience=2.0)
    return found


def unmount_all(folder: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for point in reversed(points):
        if point.startswith(folder + "/"):
            libc.umount2(point.encode(), MNT_DETACH)


def _remove(folder: Path, until: float) -> None:
    while True:
        try:
            folder.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            if time.monotonic() > until:
                return
            time.sleep(0.05)  # the end of a group's last process is told by no event
        else:
            return


def _succeed(result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
