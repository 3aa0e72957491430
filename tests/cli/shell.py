"""The command line as a shell has it: another process, its exit code, and what it prints."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from typing import NamedTuple

from tiffin.engine import Engine

PATIENCE = 30  # seconds that one command may take


class Said(NamedTuple):
    code: int
    out: str
    err: str


class Shell:
    """`shell("ps", "-a")` runs `tiffin ps -a` on the engine's folders."""

    def __init__(self, engine: Engine) -> None:
        self.environment = {
            **os.environ,
            "TIFFIN_ROOT": engine.root,
            "TIFFIN_RUNROOT": engine.runroot,
            "PYTHONPATH": os.pathsep.join(sys.path),
        }

    def __call__(self, *words: str, stdin: bytes = b"", **more: str) -> Said:
        done = subprocess.run(
            [sys.executable, "-m", "tiffin", *words],
            input=stdin,
            capture_output=True,
            env=self.environment | more,
            timeout=PATIENCE,
        )
        return Said(done.returncode, done.stdout.decode(), done.stderr.decode())

    def ok(self, *words: str, stdin: bytes = b"", **more: str) -> str:
        """What it prints on its standard output; it must say nothing else, and succeed."""
        said = self(*words, stdin=stdin, **more)
        assert (said.code, said.err) == (0, ""), said
        return said.out

    def begin(self, *words: str) -> subprocess.Popen[bytes]:
        """A command that goes on, with pipes."""
        return subprocess.Popen(
            [sys.executable, "-m", "tiffin", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment,
        )

    def screen(self, *words: str) -> Screen:
        """A command under a terminal of 30 rows and 90 columns."""
        return Screen([sys.executable, "-m", "tiffin", *words], self.environment)


class Screen:
    """A person before a terminal."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.pid, self.outer = pty.fork()
        if self.pid == 0:
            try:
                termios.tcsetwinsize(0, (30, 90))
                os.execve(command[0], command, environment)
            finally:
                os._exit(127)
        self.seen = b""

    def see(self, wanted: str) -> str:
        """Wait until it appears; all that was seen up to there."""
        until = time.monotonic() + PATIENCE
        while wanted.encode() not in self.seen:
            ready = select.select([self.outer], [], [], max(0.0, until - time.monotonic()))[0]
            assert ready, f"{wanted!r} never came: {self.seen!r}"
            self.seen += self._read()
        before, _, self.seen = self.seen.partition(wanted.encode())
        return (before + wanted.encode()).decode()

    def type(self, keys: str) -> None:
        os.write(self.outer, keys.encode())

    def resize(self, rows: int, columns: int) -> None:
        termios.tcsetwinsize(self.outer, (rows, columns))

    def is_raw(self) -> bool:
        return not termios.tcgetattr(self.outer)[3] & termios.ICANON

    def end(self) -> int:
        """Its exit code."""
        while select.select([self.outer], [], [], 0.05)[0] and (read := self._read()):
            self.seen += read
        pidfd = os.pidfd_open(self.pid)
        if not select.select([pidfd], [], [], PATIENCE)[0]:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        os.close(pidfd)
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.outer)
        return code

    def _read(self) -> bytes:
        try:
            return os.read(self.outer, 65536)
        except OSError:  # the last one closed the inner side
            return b""
