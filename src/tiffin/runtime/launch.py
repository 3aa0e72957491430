"""From a plan to a process: the fork, and what the child does until execve.

The launcher, who does this, is itself a child of the shim, and forks with CLONE_PARENT: so what it starts is the
shim's child, and all the memory that reading and taking a plan has touched goes with the launcher.

    shim ---- launcher            reads the plan, forks, and ends
      `------ the program         takes the steps, and becomes what was asked for
"""

from __future__ import annotations

import json
import os
from _socket import socket

from tiffin.kernel import process, unix
from tiffin.record import NamedTuple
from tiffin.runtime.plan import ExecPlan
from tiffin.runtime.stage import FAILED, TERMINAL, CannotExecute, Stage
from tiffin.runtime.steps import Step
from tiffin.runtime.users import NoSuchUser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

PATIENCE = 60.0  # seconds that the steps of a start may take


class Failure(NamedTuple):
    """Why a program did not begin. `kind`: missing, denied, user, running, gone, or step."""

    kind: str
    step: str
    errno: int
    text: str


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


def launch(steps: tuple[Step, ...], namespaces: int, cgroup: int | None, *, terminal: bool, open_stdin: bool) -> Child:
    """Fork the first process of a process space; returns when its program has begun. Raises CannotStart."""
    ours, theirs, near, far = _open(terminal, open_stdin)
    try:
        pid, pidfd = process.clone(namespaces | process.CLONE_PARENT, cgroup)
    except OSError as error:
        text = f"cannot make the namespaces: {error.strerror}"
        raise CannotStart(Failure("step", "Clone", error.errno or 0, text)) from error
    if pid == 0:
        _take(steps, Stage(theirs), far)
    _close(far, theirs)
    return _await_begin(Child(pid, pidfd, near, mounts=_mounts_of(pid)), ours)


def launch_member(plan: ExecPlan, first_process: int) -> Child:
    """Enter the space of a process (a pidfd), and start one more program there. Raises CannotStart.

    Entering is for good: the caller must be somebody who ends after this.
    """
    stage = Stage(None, first_process)
    for step in plan.entering:
        try:
            step.apply(stage)
        except OSError as error:
            raise CannotStart(_failure(step, error)) from error
    return launch(plan.steps, 0, None, terminal=plan.terminal, open_stdin=plan.open_stdin)


def _await_begin(child: Child, status: socket) -> Child:
    """Read what the child says until its program has begun."""
    status.settimeout(PATIENCE)
    try:
        while True:
            message, descriptors = unix.receive(status, 65536)
            if message.startswith(TERMINAL):
                child = child._replace(terminal=descriptors[0])
            elif message.startswith(FAILED):
                raise CannotStart(Failure(*json.loads(message[1:])), child.pidfd)
            elif not message:
                return child
    except TimeoutError:
        raise CannotStart(Failure("step", "Start", 0, f"the steps took more than {PATIENCE:.0f} s")) from None
    finally:
        status.close()


def _open(terminal: bool, open_stdin: bool) -> tuple[socket, socket, Streams, Streams]:
    """The two ends of the status, our ends of the streams, and the program's."""
    ours, theirs = unix.pair()
    if terminal:
        return ours, theirs, Streams(-1, -1, -1), Streams(-1, -1, -1)
    out, err = os.pipe(), os.pipe()
    if not open_stdin:
        return ours, theirs, Streams(-1, out[0], err[0]), Streams(-1, out[1], err[1])
    into = os.pipe()
    return ours, theirs, Streams(into[1], out[0], err[0]), Streams(into[0], out[1], err[1])


def _mounts_of(pid: int) -> int:
    try:
        return os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:  # it ended at once, and its status says why; or /proc is that of the space we entered
        return -1


def _close(streams: Streams, status: socket) -> None:
    for descriptor in streams:
        if descriptor >= 0:
            os.close(descriptor)
    status.close()


def _take(steps: tuple[Step, ...], stage: Stage, streams: Streams) -> NoReturn:
    """In the child: take the steps; never come back. No traceback: it would open source files inside the container."""
    step: Step | None = None
    try:
        os.setsid()
        for number, descriptor in enumerate(streams):
            if descriptor >= 0:
                os.dup2(descriptor, number)
        stage.close_others()
        for step in steps:
            step.apply(stage)
    except BaseException as error:  # noqa: BLE001  # the outermost frame inside the container
        stage.report(FAILED + json.dumps(_failure(step, error)).encode())
    os._exit(125)


def _failure(step: Step | None, error: BaseException) -> Failure:
    name = type(step).__name__ if step else "start"
    if isinstance(error, CannotExecute):
        return Failure("missing" if error.missing else "denied", name, 0, str(error))
    if isinstance(error, NoSuchUser):
        return Failure("user", name, 0, str(error))
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        return Failure("step", name, error.errno or 0, f"{_subject(step)}: {error.strerror}{where}")
    return Failure("step", name, 0, f"{_subject(step)}: {type(error).__name__}: {error}")


def _subject(step: Any) -> str:
    if step is None:
        return "start"
    about = [str(getattr(step, field)) for field in ("source", "target", "path", "user") if getattr(step, field, "")]
    return " ".join([type(step).__name__, *about])
