"""From a plan to processes: what the shim does before the first step, and what its children do until execve."""

from __future__ import annotations

import json
import os
from _socket import socket
from typing import Any, NamedTuple, NoReturn

from tiffin.kernel import process, unix
from tiffin.kernel.cgroups import Group
from tiffin.runtime.stage import FAILED, CannotExecute, Stage
from tiffin.runtime.steps import Step
from tiffin.runtime.users import NoSuchUser


class Failure(NamedTuple):
    """Why a program did not begin. `kind`: missing, denied, user, or step."""

    kind: str
    step: str
    errno: int
    text: str


class Streams(NamedTuple):
    """The shim's ends of a program's streams; -1 for none. For a terminal they are all the master side."""

    stdin: int
    stdout: int
    stderr: int


class Child(NamedTuple):
    """A process that is taking its steps. It speaks on `status`, whose end means: the program has begun."""

    pid: int
    pidfd: int
    status: socket
    streams: Streams


def start_first(
    steps: tuple[Step, ...], namespaces: int, group: Group, *, terminal: bool, open_stdin: bool
) -> Child:
    """Fork the container's first process into new namespaces; it takes the steps."""
    ours, theirs, near, far = _open(terminal, open_stdin)
    folder = group.open_directory()
    pid, pidfd = process.clone(namespaces, folder)
    if pid == 0:
        _take(steps, Stage(theirs), far)
    if folder is not None:
        os.close(folder)
    _close(far, theirs)
    return Child(pid, pidfd, ours, near)


def start_member(
    steps: tuple[Step, ...], group: Group, first_process: int, *, terminal: bool, open_stdin: bool
) -> Child:
    """Fork a process that enters the space of another. The child's pid is that of a helper: the member's comes by `status`."""
    ours, theirs, near, far = _open(terminal, open_stdin)
    folder = group.open_directory()
    pid, pidfd = process.clone(0, folder)
    if pid == 0:
        _take(steps, Stage(theirs, first_process), far)
    if folder is not None:
        os.close(folder)
    _close(far, theirs)
    return Child(pid, pidfd, ours, near)


def failure_from(message: bytes) -> Failure:
    return Failure(*json.loads(message[1:]))


def _open(terminal: bool, open_stdin: bool) -> tuple[socket, socket, Streams, Streams]:
    ours, theirs = unix.pair()
    if terminal:
        return ours, theirs, Streams(-1, -1, -1), Streams(-1, -1, -1)
    out, err = os.pipe(), os.pipe()
    if not open_stdin:
        return ours, theirs, Streams(-1, out[0], err[0]), Streams(-1, out[1], err[1])
    into = os.pipe()
    return ours, theirs, Streams(into[1], out[0], err[0]), Streams(into[0], out[1], err[1])


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
    except BaseException as error:
        try:
            stage.status.send(FAILED + json.dumps(_failure(step, error)).encode())
        except OSError:
            pass
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
