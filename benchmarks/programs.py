"""Running programs: how long they take, and how much memory they hold."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.contest import Refused


class Shell:
    """Runs commands with a fixed environment. Their output goes nowhere; what they complain of is kept for errors."""

    def __init__(self, environment: Mapping[str, str], complaints: Path) -> None:
        self.environment = environment
        self._complaints = complaints

    def time(self, *command: str, output: Path | str = "/dev/null") -> float:
        """Seconds from before the program is started until it has ended. Raises Refused where it fails."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        streams = [
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(output), flags, 0o600),
            (os.POSIX_SPAWN_OPEN, 2, str(self._complaints), flags, 0o600),
        ]
        began = time.perf_counter()
        pid = os.posix_spawnp(command[0], command, self.environment, file_actions=streams)
        _, status = os.waitpid(pid, 0)
        seconds = time.perf_counter() - began
        if status:
            said = self._complaints.read_text(errors="replace").strip()
            raise Refused(f"{' '.join(command)[:60]}: status {os.waitstatus_to_exitcode(status)}: {said[-300:]}")
        return seconds

    def output(self, *command: str) -> str:
        """What a command prints. Raises Refused where it fails."""
        path = self._complaints.with_suffix(".out")
        self.time(*command, output=path)
        return path.read_text().strip()


def megabytes(pids: Iterable[int]) -> float:
    """The memory of processes, of which each has its share of what it shares with others (PSS), in 10^6 bytes."""
    kilobytes = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:  # it has ended
            continue
        kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes * 1024 / 1e6


def named(names: Sequence[str], pids: Iterable[int]) -> list[int]:
    """Those of the processes that have one of these names."""
    found = []
    for pid in pids:
        try:
            if Path(f"/proc/{pid}/comm").read_text().strip() in names:
                found.append(pid)
        except OSError:  # it has ended
            continue
    return found
