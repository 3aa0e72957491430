"""Bringing a spawner up: by callers with any descriptors, in advance, and by several at once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests import leftovers
from tests.runtime.killing import kill, shim_of, until, waiting
from tiffin.engine import Engine
from tiffin.runtime import spawning

pytestmark = pytest.mark.root

CALLER = """
import os, sys
from tiffin.runtime import spawning
from tiffin.store import Store
for _ in range(int(sys.argv[3])):  # the next descriptor that is opened is one higher
    os.open("/dev/null", os.O_RDONLY)
spawning.find_or_start(Store(sys.argv[1], sys.argv[2])).close()
"""


@pytest.mark.parametrize("more", range(11))
def test_it_comes_up_whatever_descriptors_the_caller_has(fresh_engine: Engine, more: int) -> None:
    command = [sys.executable, "-c", CALLER, fresh_engine.root, fresh_engine.runroot, str(more)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_it_is_brought_up_in_advance(fresh_engine: Engine) -> None:
    begun = time.monotonic()
    fresh_engine.warm_up()
    fresh_engine.warm_up()  # it is on its way, or there
    beginning = time.monotonic() - begun
    channel = spawning.find_or_start(fresh_engine.store)
    waiting = time.monotonic() - begun - beginning
    channel.close()
    assert beginning < waiting
    fresh_engine.warm_up()
    sockets = [path for path in Path(fresh_engine.runroot, "spawner").iterdir() if path.suffix != ".lock"]
    assert len(sockets) == 1
    spawners = [pid for pid in leftovers.processes(fresh_engine.runroot) if leftovers.command(pid) == leftovers.SPAWNER]
    sessions = set()
    for pid in spawners:
        with suppress(ProcessLookupError):  # it forks the pair for the next start by a child that ends at once
            sessions.add(os.getsid(pid))
    assert len(sessions) == 1
    os.waitpid(-1, 0)  # the child that `warm_up` says it leaves
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, 0)


def test_it_leaves_when_its_folder_is_gone_and_takes_along_what_killed_shims_have_left(fresh_engine: Engine) -> None:
    running = fresh_engine.run("busybox", ["sleep", "1000000"], owned=False)
    family = waiting(fresh_engine)
    (key,) = (path.stem for path in Path(fresh_engine.runroot, "spawner").glob("*.lock"))
    assert len({os.path.basename(group) for group in leftovers.groups() if key in group}) == 2
    kill(shim_of(fresh_engine, running.id))
    shutil.rmtree(fresh_engine.runroot)
    leftovers.wait_for(list(family))
    assert [group for group in leftovers.groups() if key in group] == []
    assert list(leftovers.processes(fresh_engine.runroot)) == []


def test_a_run_whose_folders_were_removed_leaves_no_group(fresh_engine: Engine) -> None:
    running = fresh_engine.run("busybox", ["sleep", "1000000"], owned=False)
    family, first, shim = waiting(fresh_engine), running.pid, shim_of(fresh_engine, running.id)
    (key,) = (path.stem for path in Path(fresh_engine.runroot, "spawner").glob("*.lock"))
    shutil.rmtree(fresh_engine.runroot)
    shutil.rmtree(f"{fresh_engine.root}/containers")
    os.kill(first, signal.SIGKILL)
    leftovers.wait_for([shim, *family])
    assert [group for group in leftovers.groups() if key in group] == []


def test_what_a_removed_container_had_is_deleted_behind_it(fresh_engine: Engine) -> None:
    for _ in range(3):
        container = fresh_engine.create("busybox", ["touch", "/mark"])
        container.start().wait()
        container.remove()
    until(lambda: not os.listdir(f"{fresh_engine.root}/trash"))
