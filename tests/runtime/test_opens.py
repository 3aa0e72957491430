"""strace is witness: nothing of an image is opened by tiffin itself but passwd, group and the null device.

The image is full of traps: named pipes, on which whoever opens them would wait for ever, in the places where Python
looks for its modules and its source.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

import tiffin
from tests import busybox
from tests.runtime.killing import waiting
from tiffin.engine import Config, Engine, ExecConfig, RunningContainer
from tiffin.errors import StartFailed
from tiffin.runtime.stage import DEFAULT_PATH

pytestmark = pytest.mark.root
CALL = re.compile(r'^(\w+)\((?:[^"]*?)"((?:[^"\\]|\\.)*)"')
TRAPS = ("encodings/__init__.py", "encodings/utf_8.py", "traceback.py", "linecache.py", "warnings.py", "_strptime.py",
         "locale.py", "ctypes/__init__.py", "json/decoder.py", "site.py", "codecs.py", "os.py")  # fmt: skip

# What the steps do with paths once the container's tree is the only one, until the program has begun.
ALLOWED = {
    ("umount2", "."), ("chdir", "/"), ("openat", "/"), ("fchdir", ""), ("mount", ""), ("newfstatat", ""),
    ("openat2", "/"), ("openat2", "/tmp"), ("openat2", "/dev/null"), ("openat2", "/etc/passwd"),
    ("openat2", "/etc/group"), ("openat2", "/dev/pts/ptmx"),
}  # fmt: skip


def _traps() -> dict[str, busybox.Content]:
    """A named pipe wherever the interpreter, or whoever prints where an error came from, might look."""
    source = os.path.dirname(os.path.dirname(os.path.abspath(tiffin.__file__)))
    files = {f"{folder}/{name}" for folder in sys.path if folder for name in TRAPS}
    files |= {f"{source}/tiffin/{name}" for package in ("runtime", "kernel", "store") for name in _modules(package)}
    files |= {"etc/nsswitch.conf", "etc/localtime", "etc/ld.so.cache", "etc/ld.so.preload", "usr/lib/locale/C.utf8"}
    members: dict[str, busybox.Content] = {}
    for file in sorted(files):
        parts = file.strip("/").split("/")
        members |= {"/".join(parts[:depth]): None for depth in range(1, len(parts))}
        members["/".join(parts)] = busybox.Fifo()
    return members | {"bin/no-format": b"\x7fELF but no more", "bin/no-interpreter": b"#!/not/there\n"}


def _modules(package: str) -> list[str]:
    names = os.listdir(f"{os.path.dirname(tiffin.__file__)}/{package}")
    return [f"{package}/{name}" for name in names if name.endswith(".py")]


@pytest.fixture
def trapped(fresh_engine: Engine) -> Engine:
    fresh_engine.import_(io.BytesIO(busybox.tar(_traps())), "trapped")
    return fresh_engine


@contextmanager
def witness(engine: Engine, folder: Path, pid: int) -> Iterator[None]:
    """Write down what a process and all that it makes do with paths, each process in a file of its own."""
    command = ["strace", "-ff", "-p", str(pid), "-o", str(folder / "trace"), "-e", "trace=%file,openat2,setns,fchdir"]
    with subprocess.Popen([*command, "-s", "200"], stderr=subprocess.PIPE) as strace:
        assert strace.stderr is not None
        assert b"attached" in strace.stderr.readline()
        yield
        strace.terminate()
    assert list(folder.iterdir())


def inside(folder: Path) -> set[tuple[str, str]]:
    """Calls and paths of all processes between entering a container's tree and becoming its program."""
    found, entered = set[tuple[str, str]](), 0
    for trace in folder.iterdir():
        is_inside = False
        for line in trace.read_text(errors="replace").splitlines():
            if line.startswith("execve(") and line.endswith("= 0"):
                is_inside = False
            elif is_inside and (call := CALL.match(line)):
                found.add((call[1], call[2]))
            elif line.startswith(("pivot_root(", "setns(")) and line.endswith("= 0"):
                is_inside, entered = True, entered + 1
    assert entered
    return found


@pytest.mark.parametrize(
    ("command", "config", "tried"),
    [
        (("true",), Config(), "true"),
        (("true",), Config(user="alice:friends", working_dir="/tmp", tty=True), "true"),
        (("true",), Config(user="nobody-there"), ""),
        (("nothing-there",), Config(), "nothing-there"),
        (("/nothing/there",), Config(), "/nothing/there"),
        (("no-format",), Config(), "no-format"),
        (("no-interpreter",), Config(), "no-interpreter"),
        (("/tmp",), Config(user="\udcff"), ""),
    ],
)
def test_a_start_opens_nothing_else_whether_it_succeeds_or_fails(
    trapped: Engine, tmp_path: Path, command: tuple[str, ...], config: Config, tried: str
) -> None:
    with trapped.create("busybox", ["true"]) as warm, trapped.create("trapped", command, config=config) as container:
        warm.start().wait()
        with witness(trapped, tmp_path, waiting(trapped).launcher), suppress(StartFailed):
            container.start().wait()
        _judge(inside(tmp_path), tried)


@pytest.mark.parametrize(
    ("command", "config", "tried"),
    [
        (("true",), ExecConfig(), "true"),
        (("true",), ExecConfig(user="alice", working_dir="/tmp", tty=True), "true"),
        (("true",), ExecConfig(user="nobody-there"), ""),
        (("true",), ExecConfig(working_dir="/dev/null"), ""),
        (("nothing-there",), ExecConfig(), "nothing-there"),
        (("no-format",), ExecConfig(), "no-format"),
    ],
)
def test_an_exec_opens_nothing_else_whether_it_succeeds_or_fails(
    trapped: Engine, tmp_path: Path, command: tuple[str, ...], config: ExecConfig, tried: str
) -> None:
    with trapped.create("trapped", ["sleep", "1000000"]) as container:
        running = container.start()
        running.execute(["true"])  # the shim is awake
        with witness(trapped, tmp_path, _shim(running)), suppress(StartFailed):
            running.execute(command, config=config)
        _judge(inside(tmp_path), tried)


def _judge(found: set[tuple[str, str]], tried: str) -> None:
    tries = {("execve", f"{folder}/{tried}") for folder in DEFAULT_PATH.split(":")}
    looks = {("execve", tried), ("newfstatat", tried), ("lstat", tried)} if "/" in tried else set()
    assert found - tries - looks - ALLOWED == set()


def _shim(running: RunningContainer) -> int:
    with open(f"/proc/{running.pid}/stat", encoding="utf-8") as file:
        return int(file.read().rpartition(") ")[2].split()[1])


def test_the_traps_are_there(trapped: Engine) -> None:
    with trapped.create("trapped", ["find", "/", "-type", "p"]) as container:
        container.start().wait()
        assert container.output().count(b"\n") > 50
