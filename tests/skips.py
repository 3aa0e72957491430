"""Which skips are expected, and where. Any other skip is a test that silently went missing.

A reason that is not in EXPECTED, or whose condition does not hold on this machine, is unexpected. `./test` and CI
fail on it; a plain `pytest` names it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

import pytest

NEEDS_ROOT = "needs root"
PROGRAMS = ("dockerd", "ip", "nsenter", "podman", "setpriv", "skopeo", "tini-static", "tmux", "unshare")


def _unified_controllers() -> list[str]:
    """The controllers of cgroup v2, which is the only hierarchy, or lies beside those of v1, or isn't mounted."""
    for top in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
        if os.path.exists(f"{top}/cgroup.controllers"):
            with open(f"{top}/cgroup.controllers", encoding="ascii") as file:
                return file.read().split()
    return []


def _runs_i386() -> bool:
    """x86_64's compatibility with i386 has its own interpreter line in the kernel's settings; others have none."""
    return os.path.exists("/proc/sys/abi/vsyscall32")


def _is_missing(program: str) -> bool:
    return shutil.which(program) is None


EXPECTED: Mapping[str, Callable[[], bool]] = MappingProxyType(
    {
        NEEDS_ROOT: lambda: os.geteuid() != 0,
        **{f"{program} is not installed": partial(_is_missing, program) for program in PROGRAMS},
        "needs a kernel that runs i386 programs": lambda: not _runs_i386(),
        "needs a C compiler": lambda: not any(map(shutil.which, ("cc", "gcc", "clang"))),
        "needs cgroup v1": lambda: not os.path.exists("/sys/fs/cgroup/memory/cgroup.procs"),
        "needs the memory controller on cgroup v2": lambda: "memory" not in _unified_controllers(),
    }
)


class SkipWatch:
    """A pytest plugin that collects the skips of a run."""

    def __init__(self, *, strict: bool) -> None:
        self.strict = strict
        self.unexpected: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report.nodeid, report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report.nodeid, report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.strict and self.unexpected and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.unexpected:
            terminalreporter.section("unexpected skips (see tests/skips.py)", red=self.strict, yellow=not self.strict)
            for line in self.unexpected:
                terminalreporter.line(line)

    def _note(self, name: str, report: pytest.TestReport | pytest.CollectReport) -> None:
        # an expected failure is reported as skipped too, but is not one
        if not report.skipped or hasattr(report, "wasxfail"):
            return
        reason = reason_of(report)
        if not (reason in EXPECTED and EXPECTED[reason]()):
            self.unexpected.append(f"{name}: {reason}")


def reason_of(report: pytest.TestReport | pytest.CollectReport) -> str:
    # pytest gives (file, line, "Skipped: reason")
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")

