"""A program without a container: what the engine hands out, made of an ordinary child process.

`Program("cat").begin(streams)` behaves as `container.start(streams)` does towards the command line: it takes the
descriptors over, and gives something with a descriptor to poll and an exit code to ask for.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

from tiffin.engine import Streams


class Program:
    """A shell script that has the given streams as its own. Remembers what it was told."""

    def __init__(self, script: str) -> None:
        self.script = script
        self.sizes: list[tuple[int, int]] = []
        self.signals: list[int] = []
        self.detached = False
        self.let_go = ""

    def begin(self, streams: Streams) -> Program:
        self.pid = os.fork()
        if self.pid == 0:
            _become(self.script, streams)
        streams.close()
        self.pidfd = os.pidfd_open(self.pid)
        return self

    def fileno(self) -> int:
        return self.pidfd

    def poll(self) -> int | None:
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if not pid:
            return None
        code = os.waitstatus_to_exitcode(status)
        return code if code >= 0 else 128 - code

    def signal(self, number: int) -> None:
        self.signals.append(number)
        signal.pidfd_send_signal(self.pidfd, number)

    def resize(self, rows: int, columns: int) -> None:
        self.sizes.append((rows, columns))

    def detach(self) -> None:
        self.detached = True

    def end(self) -> None:
        """For tests in which the caller went away before it ended."""
        signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def _become(script: str, streams: Streams) -> None:
    try:
        for number, given in enumerate(streams):
            os.dup2(os.open(os.devnull, os.O_RDWR) if given is None else given, number)
        os.closerange(3, 256)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGUSR1):
            signal.signal(number, signal.SIG_DFL)
        os.execv("/bin/sh", ["sh", "-c", script])
    finally:
        os._exit(127)


def in_child(act: Callable[[], int | None], **streams: int) -> int:
    """Fork; there, put descriptors in the place of the standard ones, act, and exit with the result (99: None)."""
    pid = os.fork()
    if pid:
        return pid
    try:
        for number, name in enumerate(("stdin", "stdout", "stderr")):
            if name in streams:
                os.dup2(streams[name], number)
        os.closerange(3, 256)
        # pytest's are closed now; and stderr is line-buffered always
        sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", buffering=1, closefd=False)
        code = act()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(99 if code is None else code)
    except BaseException:  # noqa: BLE001  # a forked test must never return into pytest
        import traceback

        traceback.print_exc()
        os._exit(98)
