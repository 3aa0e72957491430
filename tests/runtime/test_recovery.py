"""What a later verb makes of a run that ended without its shim: killed, or stopped with the machine."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from tests import leftovers
from tests.runtime.killing import kill, shim_of
from tiffin.engine import Container, Engine, HostConfig
from tiffin.errors import NoSuchContainer, StoreDamaged
from tiffin.runtime.recovery import MACHINE_STOPPED, SUPERVISOR_KILLED
from tiffin.store.events import Event

pytestmark = pytest.mark.root
FOR_EVER = ("sleep", "1000000")


def stop_the_machine(engine: Engine) -> None:
    """All processes are gone, and so is what was of this boot only; the records are of another."""
    for pid in list(leftovers.processes(engine.runroot)):
        if leftovers.command(pid) in (leftovers.SPAWNER, leftovers.SHIM):
            os.kill(pid, signal.SIGKILL)
    leftovers.wait_for_processes(engine.runroot)
    engine.ps()  # removes the groups, which a stop would have done
    for last in Path(engine.root).glob("containers/*/last"):
        form = json.loads(last.read_text())
        last.write_text(json.dumps({**form, "boot": "another", "finished": 0.0, "exit_code": 0, "reason": ""}))
    shutil.rmtree(engine.runroot)


@pytest.fixture
def running(fresh_engine: Engine) -> Container:
    container = fresh_engine.create("busybox", FOR_EVER, name="running")
    container.start()
    return container


def test_a_stop_of_the_machine_is_told_as_that(fresh_engine: Engine, running: Container) -> None:
    stop_the_machine(fresh_engine)
    (summary,) = fresh_engine.ps(all=True)
    assert (summary.state, summary.exit_code) == ("exited", 137)
    state = running.state()
    assert (state.reason, state.finished > state.started) == (MACHINE_STOPPED, True)
    assert running.wait() == 137
    with running.start() as again:
        again.kill()


def test_a_rm_container_does_not_outlive_the_machine(fresh_engine: Engine) -> None:
    fresh_engine.run("busybox", FOR_EVER, name="fleeting", host=HostConfig(auto_remove=True), owned=False)
    root = Path(fresh_engine.root)
    kept = root / "kept"
    shutil.copytree(root / "containers", kept, symlinks=True)
    stop_the_machine(fresh_engine)
    shutil.rmtree(root / "containers")
    kept.rename(root / "containers")
    container = fresh_engine.container("fleeting")
    assert fresh_engine.ps(all=True) == []
    with pytest.raises(NoSuchContainer):
        container.state()


def test_a_rm_container_that_was_created_and_never_started_stays(fresh_engine: Engine) -> None:
    fresh_engine.create("busybox", ["true"], name="waiting", host=HostConfig(auto_remove=True))
    stop_the_machine(fresh_engine)
    assert [summary.state for summary in fresh_engine.ps(all=True)] == ["created"]


def test_the_name_of_a_rm_container_whose_shim_was_killed_can_be_given_at_once(engine: Engine) -> None:
    dead = engine.run("busybox", FOR_EVER, name="fleeting", host=HostConfig(auto_remove=True))
    kill(shim_of(engine, dead.id))
    with engine.create("busybox", ["true"], name="fleeting") as container:
        assert engine.container("fleeting").id == container.id
        with pytest.raises(NoSuchContainer):
            dead.state()


def test_an_end_is_written_down_once_and_told_as_an_event(engine: Engine) -> None:
    with engine.create("busybox", FOR_EVER) as container:
        container.start()
        kill(shim_of(engine, container.id))
        first = container.state()
        assert first.reason == SUPERVISOR_KILLED
        assert container.state() == first
        told = [event for event in engine.events(since=0, until=first.finished + 1) if isinstance(event, Event)]
        ends = [event.attributes for event in told if event.id == container.id and event.action == "die"]
        assert [end["exitCode"] for end in ends] == ["137"]


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"boot": 1}', "null"])
def test_a_damaged_record_of_the_last_run_is_told_with_its_file(engine: Engine, text: str) -> None:
    with engine.create("busybox", ["true"]) as container:
        container.start().wait()
        path = Path(container.folder, "..", "last")
        path.write_text(text)
        with pytest.raises(StoreDamaged, match=r"last is no record of a run; remove the file to go on without it"):
            container.state()
        path.unlink()
        assert container.state().status == "created"


def test_a_damaged_record_of_a_run_holds_nobody_up(engine: Engine) -> None:
    """It is of this boot only; who writes it replaces it whole."""
    with engine.create("busybox", FOR_EVER) as container:
        container.start()
        kill(shim_of(engine, container.id))
        Path(engine.runroot, "run", container.id, "record").write_text("[")
        assert [summary.name for summary in engine.ps()] == []
        assert container.state().exit_code == 137
        with container.start() as again:
            again.kill()
