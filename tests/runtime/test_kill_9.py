"""kill -9, of everyone who stands around a container, at every stage of its run.

Afterwards the other containers go on, every end is known, the container starts again, and (the `engine` fixture sees to
that) nothing is left: no mount, no group, no process, no folder of a run.
"""

from __future__ import annotations

import itertools
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import leftovers
from tests.runtime.killing import Point, kill, parent, shim_of, trap, until, waiting
from tiffin.engine import Container, Engine, HostConfig, RunningContainer
from tiffin.errors import ContainerNotRunning, NoSuchContainer, StartFailed
from tiffin.runtime.launch import KILLED_ON_THE_WAY
from tiffin.runtime.recovery import SUPERVISOR_KILLED

pytestmark = pytest.mark.root
FOR_EVER = ("sleep", "1000000")


@pytest.fixture
def report(tmp_path: Path) -> str:
    return str(tmp_path / "report")


@pytest.fixture
def neighbour(engine: Engine) -> Iterator[RunningContainer]:
    """Another container, which must not notice anything."""
    with engine.create("busybox", FOR_EVER, name="neighbour") as container:
        running = container.start()
        pid = running.pid
        yield running
        assert running.pid == pid
        assert running.execute(["echo", "fine"]).stdout == b"fine\n"


@pytest.fixture
def victim(engine: Engine, neighbour: RunningContainer) -> Iterator[Container]:
    with engine.create("busybox", ["sh", "-c", "echo begun; exec sleep 1000000"], name="victim") as container:
        yield container
        assert _starts(container)


def _starts(container: Container) -> bool:
    """Whether a container starts, and runs as if nothing had ever happened."""
    before = container.output()
    running = container.start()
    assert list(itertools.islice(running.logs(follow=True), 1 + before.count(b"\n")))[-1].text == b"begun\n"
    running.kill()
    assert container.output() == before + b"begun\n"
    assert container.state()[:3] == ("exited", 0, 137)
    return True


# at rest


def test_a_killed_caller_takes_along_what_it_owns(engine: Engine, victim: Container) -> None:
    kept, owned = (_run_by_another(engine, owned=owned) for owned in (False, True))
    assert engine.container(kept).state().status == "running"
    owned_container = engine.container(owned)
    assert owned_container.wait() == 137
    for id in (kept, owned):
        engine.container(id).remove(force=True)


def test_a_killed_spawner_takes_nothing_along(engine: Engine, victim: Container) -> None:
    running = victim.start()
    kill(waiting(engine).spawner)
    assert running.execute(["echo", "fine"]).stdout == b"fine\n"
    running.kill()
    assert running.wait() == 137


@pytest.mark.parametrize("which", ["shim", "launcher"])
def test_one_killed_while_it_waits_for_a_start_is_replaced(engine: Engine, victim: Container, which: str) -> None:
    kill(getattr(waiting(engine), which))
    assert _starts(victim)


def test_a_killed_shim_takes_its_container_along_and_the_next_verb_says_so(engine: Engine, victim: Container) -> None:
    running = victim.start()
    kill(shim_of(engine, victim.id))
    assert running.wait() == 137
    state = victim.state()
    assert (state.status, state.exit_code, state.reason) == ("exited", 137, SUPERVISOR_KILLED)
    assert state.finished > 0


def test_ps_finds_the_end_of_a_killed_shims_container(engine: Engine, victim: Container) -> None:
    victim.start()
    shim = shim_of(engine, victim.id)
    kill(shim)
    assert [summary.name for summary in engine.ps()] == ["neighbour"]
    assert {summary.name: summary.exit_code for summary in engine.ps(all=True)}["victim"] == 137


def test_a_program_that_cannot_die_with_its_shim_is_killed_by_recovery(engine: Engine, victim: Container) -> None:
    running = victim.start()
    first, shim = running.pid, shim_of(engine, victim.id)
    execution = running.exec(FOR_EVER)
    assert parent(execution.pid) == shim
    kill(shim)
    assert victim.state().reason == SUPERVISOR_KILLED
    leftovers.wait_for([first, execution.pid])  # as soon as somebody has reaped the second
    assert not is_alive(first)
    assert not is_alive(execution.pid)


def test_a_killed_first_process_is_an_end_as_any_other(engine: Engine, victim: Container) -> None:
    running = victim.start()
    os.kill(running.pid, signal.SIGKILL)
    assert running.wait() == 137
    state = victim.state()
    assert (state.status, state.exit_code, state.reason) == ("exited", 137, "")


def test_a_rm_container_whose_shim_is_killed_is_gone_with_the_next_verb(engine: Engine) -> None:
    running = engine.run("busybox", FOR_EVER, name="fleeting", host=HostConfig(auto_remove=True))
    kill(shim_of(engine, running.id))
    assert engine.ps(all=True) == []
    assert running.wait() == 137
    with pytest.raises(NoSuchContainer):
        engine.container("fleeting")


def _run_by_another(engine: Engine, *, owned: bool) -> str:
    """The id of a container whose caller has been killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            running = engine.run("busybox", FOR_EVER, owned=owned)
            os.write(writing, running.id.encode())
            signal.pause()
        finally:
            os._exit(1)
    id = os.read(reading, 100).decode()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(reading)
    os.close(writing)
    return id


# starting


@pytest.mark.parametrize(("which", "step"), [("launcher", 4), ("shim", 3)])
def test_a_launcher_or_shim_killed_anywhere(
    engine: Engine, victim: Container, report: str, which: str, step: int
) -> None:
    """The shim also in the midst of the run, and while it puts everything away."""
    with trap(getattr(waiting(engine), which), report) as seen:
        victim.start().kill()
    points, sprung = seen.passed()[::step], 0
    for point in points:
        with trap(getattr(waiting(engine), which), report, point) as seen:
            _start_and_kill(victim)
        sprung += seen.was_sprung
        until(lambda: not victim.state().is_alive)  # the kernel kills the launcher after its shim, not with it
        state = victim.state()
        assert state.exit_code == 137
        assert state.reason in ("", SUPERVISOR_KILLED, KILLED_ON_THE_WAY)
    assert sprung > len(points) * 0.8  # no two runs make quite the same calls


def test_the_shim_of_a_rm_container_killed_anywhere_leaves_nothing(engine: Engine, report: str) -> None:
    """Also when the container has gone, and its run not yet."""
    with engine.create("busybox", FOR_EVER, name="neighbour") as neighbour, neighbour.start() as running:
        with trap(waiting(engine).shim, report) as seen:
            _run_and_kill(engine)
        points, sprung = seen.passed()[1::2], 0
        for point in points:
            with trap(waiting(engine).shim, report, point) as seen:
                _run_and_kill(engine)
            sprung += seen.was_sprung
            until(lambda: not seen.was_sprung or [summary.name for summary in engine.ps(all=True)] == ["neighbour"])
        assert sprung > len(points) * 0.8
        running.kill()


def _run_and_kill(engine: Engine) -> None:
    try:
        running = engine.run("busybox", FOR_EVER, host=HostConfig(auto_remove=True), owned=False)
        running.kill()
        running.wait()
    except (StartFailed, ContainerNotRunning, NoSuchContainer):
        pass


def test_a_spawner_killed_anywhere_is_not_noticed(engine: Engine, victim: Container, report: str) -> None:
    with trap(waiting(engine).spawner, report) as seen:
        victim.start().kill()
    for point in seen.passed():
        with trap(waiting(engine).spawner, report, point) as seen:
            assert _starts(victim)
            assert _starts(victim)
        assert _starts(victim)  # killed at the end of the second one, it has no successor yet


KERNEL = tuple(map(int, re.findall(r"\d+", os.uname().release)[:2]))
OVERLAYS = ("fsopen", "fsmount") if KERNEL >= (6, 5) else ("fsopen",)  # before, it is mount(2) that mounts an overlay
CHILDS = (
    [Point(call, 1) for call in ("setsid", "unshare", *OVERLAYS)]
    + [
        Point(call, number)
        for call in ("mount", "mknodat", "symlinkat", "openat2", "move_mount", "mount_setattr")
        for number in (1, 4)
    ]
    + [Point(call, 1) for call in ("pivot_root", "umount2", "sethostname", "seccomp", "setresuid", "capset", "execve")]
)


@pytest.mark.parametrize("point", CHILDS, ids=str)
def test_a_first_process_killed_on_its_way(engine: Engine, victim: Container, report: str, point: Point) -> None:
    victim.start().kill()
    with trap(waiting(engine).launcher, report, point, children=True) as seen:
        _start_and_kill(victim)
    assert seen.was_sprung
    assert victim.state().exit_code == 137


def _start_and_kill(container: Container) -> None:
    """However far it comes."""
    try:
        running = container.start()
        running.kill()
        assert running.wait() == 137
    except (StartFailed, ContainerNotRunning):
        pass


def is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(") ")[2][0] not in "ZX"
    except OSError:
        return False
