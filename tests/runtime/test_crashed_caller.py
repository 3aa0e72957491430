"""A caller that dies somewhere between `create` and `start` leaves no --rm container behind."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys

import pytest

from tiffin.engine import Engine, HostConfig
from tiffin.errors import NoSuchContainer

pytestmark = pytest.mark.root
DONE, DEAD = 0, 9


@pytest.mark.parametrize("owned", [True, False])
def test_a_caller_that_dies_anywhere_leaves_no_rm_container(engine: Engine, owned: bool) -> None:
    """Python tells of each thing that leaves the process ("audit events"): the caller is gone at the n-th."""
    for number in itertools.count():
        is_over = not _runs_until(engine, number, owned=owned)
        containers = engine.ps(all=True)
        if owned:
            _await_end(engine)
            assert engine.ps(all=True) == []
        else:  # either there is none, or it has begun in time and runs
            assert [(container.name, container.state) for container in containers] in ([], [("fleeting", "running")])
            for container in containers:
                engine.container(container.id).running().kill()
        if is_over:
            break
    assert number > 30


def _runs_until(engine: Engine, number: int, *, owned: bool) -> bool:
    child = os.fork()
    if child == 0:
        _count_down(number)
        try:
            host = HostConfig(auto_remove=True)
            engine.run("busybox", ["sleep", "1000000"], name="fleeting", host=host, owned=owned)
        finally:
            os._exit(DONE)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == DEAD


def _count_down(left: int) -> None:
    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os._exit(DEAD)

    sys.addaudithook(hook)


def _await_end(engine: Engine) -> None:
    for container in engine.ps(all=True):
        with contextlib.suppress(NoSuchContainer):
            engine.container(container.id).wait()
