"""From a plan to a process: the fork, and what the child does until execve.

The launcher, who does this, is itself a child of the shim, and forks with CLONE_PARENT: so what it starts is the
shim's child, and all the memory that reading and taking a plan has touched goes with the launcher.

    shim ---- launcher            reads the plan, forks, and ends
      `------ the program         takes the steps, and becomes what was asked for
"""

from __future__ import annotations

import os
import sys
from _frozen_importlib_external import PathFinder

from tiffin import json
from tiffin.kernel import process, unix
from tiffin.record import NamedTuple
from tiffin.runtime.failures import Failure, failure_of
from tiffin.runtime.plan import ExecPlan
from tiffin.runtime.stage import EXECUTING, FAILED, MOUNTS, TERMINAL, Stage
from tiffin.runtime.steps import Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from typing import NoReturn

    from tiffin.runtime.tracing import Tracer

KILLED_ON_THE_WAY = "killed before the program had begun"
PATIENCE = 60.0  # seconds that the steps of a start may take


class CannotStart(Exception):
    """Carries the Failure that the caller is told, and the pidfd of a child that did not get as far as its program."""

    def __init__(self, failure: Failure, pidfd: int = -1) -> None:
        super().__init__(failure.text)
        self.failure = failure
        self.pidfd = pidfd


class Streams(NamedTuple):
    """Our ends of a program's streams; -1 for none. For a terminal they all are."""

    stdin: int
    stdout: int
    stderr: int


class Child(NamedTuple):
    """A program that has begun; descriptors are -1 where there is none."""

    pid: int
    pidfd: int
    streams: Streams
    terminal: int = -1
    """the master side"""
    mounts: int = -1
    """its mount namespace: who holds it keeps the end of the process from unmounting there and then"""


def traced(page: int | None) -> Tracer | None:
    """Begin to record, where the caller has given a page for that (`runtime.tracing`). Raises CannotStart.

    The one thing that is imported after importing was switched off: on the host, and before the first step.
    """
    if page is None:
        return None
    sys.meta_path.append(PathFinder)
    try:
        from tiffin.runtime.tracing import Tracer  # only when asked

        return Tracer(page)
    except Exception as error:  # a shim may be of an older tiffin than what is installed by now
        text = f"its system calls cannot be recorded: {type(error).__name__}: {error}"
        raise CannotStart(Failure("step", "Trace", 0, text)) from error
    finally:
        sys.meta_path.pop()


def launch_member(
    plan: ExecPlan, first_process: int, join_files: list[str], tracer: Tracer | None = None
) -> Child:  # fmt: skip
    """Enter the space of a process (a pidfd), and start one more program there; returns when it has begun.

    Entering is for good: the caller must be somebody who ends after this. Raises CannotStart.
    """
    stage = Stage(None, join_files, first_process=first_process)
    for step in tracer.each(plan.entering) if tracer else plan.entering:
        try:
            step.apply(stage)
        except OSError as error:
            raise CannotStart(failure_of(step, error)) from error
    ours, theirs = unix.pair()
    near, far = open_streams(plan.terminal, plan.open_stdin)
    try:
        pid, pidfd = process.clone(process.CLONE_PARENT)
    except OSError as error:  # a limit of processes
        raise CannotStart(failure_of(None, error)) from error
    if pid == 0:
        take(plan.steps, Stage(theirs, []), far, tracer)
    for end in far:
        if end >= 0:
            os.close(end)
    theirs.close()
    more, failure = await_begin(ours)
    if failure:
        raise CannotStart(failure, pidfd)
    return Child(pid, pidfd, near, **more)


def await_begin(status: socket) -> tuple[dict[str, int], Failure | None]:
    """The descriptors that come on the way, and why the program has not begun, if so."""
    status.settimeout(PATIENCE)
    more: dict[str, int] = {}
    executing = False
    try:
        while True:
            message, descriptors = unix.receive(status, 65536)
            kind = message[:1]
            if kind == EXECUTING:
                executing = True
            elif kind == TERMINAL:
                more["terminal"] = descriptors[0]
            elif kind == MOUNTS:
                more["mounts"] = descriptors[0]
            elif kind == FAILED:
                return more, Failure(*json.loads(message[1:]))
            else:
                return more, None if executing else Failure("killed", "Start", 0, KILLED_ON_THE_WAY)
    except TimeoutError:
        return more, Failure("step", "Start", 0, f"the steps took more than {PATIENCE:.0f} s")
    finally:
        status.close()


def open_streams(terminal: bool, open_stdin: bool) -> tuple[Streams, Streams]:
    """Our ends of a program's streams, and the program's."""
    if terminal:
        return Streams(-1, -1, -1), Streams(-1, -1, -1)
    out, err = os.pipe(), os.pipe()
    into = os.pipe() if open_stdin else (-1, -1)
    return Streams(into[1], out[0], err[0]), Streams(into[0], out[1], err[1])


def take(steps: tuple[Step, ...], stage: Stage, streams: Streams, tracer: Tracer | None = None) -> NoReturn:
    """In the child: take the steps; never come back. No traceback: it would open source files inside the container."""
    step: Step | None = None
    try:
        os.setsid()
        for number, descriptor in enumerate(streams):
            if descriptor >= 0:
                os.dup2(descriptor, number)
        stage.close_others()
        for step in tracer.each(steps) if tracer else steps:
            step.apply(stage)
    except BaseException as error:  # noqa: BLE001  # the outermost frame inside the container
        if tracer:
            tracer.stop()
        stage.report(FAILED + json.dumps(failure_of(step, error)).encode())
    os._exit(125)
