"""A disk that is full in the midst of a verb: a clear error, nothing of it is left, and what is there stays whole."""

from __future__ import annotations

import gc
import io
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from tests import busybox
from tests.conftest import Roots
from tests.images.archives import docker_20, image, tar
from tests.small_disk import disk, fill, free
from tests.wholeness import assert_whole, tidy
from tiffin.engine import Engine, HostConfig, Streams
from tiffin.errors import StoreFull
from tiffin.model.nouns import State

pytestmark = pytest.mark.root
MEGABYTE = 1 << 20
BIG = tar({f"file{number}": random.Random(number).randbytes(MEGABYTE) for number in range(8)})
ARCHIVE = tar(docker_20(image(BIG), "big:1"))


@pytest.fixture
def roots(engine_root: Roots) -> Roots:
    return Roots(f"{engine_root.root}/disk/root", engine_root.runroot)


@pytest.fixture
def engine(roots: Roots) -> Iterator[Engine]:
    """With the image `busybox`, on a disk of 64 MB. The runroot lies elsewhere, as /run does."""
    with disk(os.path.dirname(roots.root), 64):
        yield busybox.engine(*roots)


def disk_of(engine: Engine) -> str:
    return os.path.dirname(engine.root)


def refused(act: Callable[[], object]) -> bool:
    """Whether the disk was full."""
    full = False
    try:
        act()
    except StoreFull as error:
        full = "full" in str(error) or "room" in str(error) or "fit" in str(error)
    gc.collect()  # what is open in the frames of the exception would keep the disk busy
    return full


def test_a_load_that_fills_the_disk_leaves_nothing_and_can_be_repeated(engine: Engine):
    before, space = engine.host(), free(engine.root)
    filler = ""

    def fill_midway(what: str, done: int, total: int | None) -> None:
        nonlocal filler
        if done > 3 * MEGABYTE and not filler:
            filler = fill(disk_of(engine))

    assert refused(lambda: engine.load(io.BytesIO(ARCHIVE), progress=fill_midway))
    assert filler
    assert engine.host() == before
    assert_whole(engine)
    os.unlink(filler)
    tidy(engine)
    assert free(engine.root) >= space - MEGABYTE // 4  # folders do not shrink
    engine.load(io.BytesIO(ARCHIVE))
    assert "big:1" in engine.host().names
    assert_whole(engine)


@pytest.mark.parametrize("left", [0, 6 * MEGABYTE])
def test_a_commit_that_does_not_fit_leaves_the_container_as_it_was(engine: Engine, left: int):
    container = engine.create("busybox", ["true"])
    for number in range(8):
        with open(f"{container.folder}/file{number}", "wb") as file:
            file.write(random.Random(number).randbytes(MEGABYTE))
    before, filler = engine.host(), fill(disk_of(engine), leave=left)
    assert refused(lambda: container.commit("big"))
    assert engine.host() == before
    assert_whole(engine)
    os.unlink(filler)
    tidy(engine)
    container.commit("big")
    assert_whole(engine)


def test_small_things_are_refused_as_clearly_on_a_full_disk_and_leave_nothing(engine: Engine):
    container = engine.create("busybox", ["true"], name="web")
    before, filler = engine.host(), fill(disk_of(engine))
    for act in (
        lambda: [engine.create("busybox", ["true"]) for _ in range(64)],
        lambda: [engine.tag("busybox", f"name{number}/{number}") for number in range(64)],
        lambda: container.rename("job"),
        lambda: container.commit("happy"),
        lambda: engine.import_(io.BytesIO(BIG), "big"),
        lambda: engine.load(io.BytesIO(ARCHIVE)),
    ):
        assert refused(act)
    assert_whole(engine)
    for summary in engine.ps(all=True):  # a few had room in blocks that were there
        if summary.id != container.id:
            engine.container(summary.id).remove()
    for name in set(engine.host().names) - set(before.names):
        engine.rmi(name)
    tidy(engine)
    assert engine.host() == before
    os.unlink(filler)


def test_removing_things_needs_no_room(engine: Engine):
    space = free(engine.root)
    engine.load(io.BytesIO(ARCHIVE))
    container = engine.create("busybox", ["true"])
    os.truncate(fill(disk_of(engine)), 0)
    filler = fill(disk_of(engine))
    container.remove()
    engine.rmi("big:1")
    engine.rmi("busybox")
    tidy(engine)
    assert_whole(engine)
    os.unlink(filler)
    assert free(engine.root) >= space


def test_a_program_that_fills_the_disk_ends_as_it_would_and_its_end_is_known(engine: Engine):
    space = free(engine.root)
    with engine.run("busybox", ["sh", "-c", "dd if=/dev/zero of=/big bs=64k; echo $? ; sync; exit 7"]) as container:
        assert container.wait() == 7
        state = container.state()
        assert (state.status, state.exit_code, state.reason) == (State.EXITED, 7, "")
        assert engine.container(container.id).wait() == 7
        assert [summary.state for summary in engine.ps(all=True)] == [State.EXITED]
        assert_whole(engine)
    tidy(engine)
    assert free(engine.root) >= space - MEGABYTE // 4


def test_a_log_that_finds_no_room_costs_neither_output_nor_container(engine: Engine):
    script = "trap 'yes | head -c 4000000; exit 3' USR1; echo ready; while true; do sleep 0.01; done"
    with engine.run("busybox", ["sh", "-c", script], owned=False) as container:
        next(container.logs(follow=True))
        filler = fill(disk_of(engine))
        heard, told = os.pipe()
        attachment = container.attach(Streams(stdout=told))
        container.kill("USR1")
        with open(heard, "rb") as file:
            assert file.read() == b"y\n" * 2_000_000
        assert attachment.wait() == 3
        attachment.detach()
        assert container.state().exit_code == 3
        assert len(container.output()) < 4_000_000
    os.unlink(filler)


def test_a_start_on_a_full_disk_works_or_says_why_not_and_works_later(engine: Engine):
    container = engine.create("busybox", ["true"])
    filler = fill(disk_of(engine))
    full = refused(container.start)
    assert container.state().status == (State.CREATED if full else State.EXITED)
    assert_whole(engine)
    os.unlink(filler)
    assert container.start().wait() == 0
    container.remove()


def test_a_container_to_be_removed_goes_on_a_full_disk_too(engine: Engine):
    host = HostConfig(auto_remove=True)
    with engine.run("busybox", ["sleep", "1000"], host=host) as container:
        filler = fill(disk_of(engine))
        container.kill()
        assert container.wait() == 137
        assert engine.ps(all=True) == []
    os.unlink(filler)
    tidy(engine)


def test_the_command_line_says_it_in_a_sentence(engine: Engine, roots: Roots):
    fill(disk_of(engine))
    environment = {**roots.environment, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    tiffin = (sys.executable, "-m", "tiffin")
    with suppress(StoreFull):
        for _ in range(64):
            engine.create("busybox", ["true"])
    for arguments, code in ((("create", "busybox", "true"), 1), (("load",), 1), (("run", "busybox", "true"), 125)):
        done = subprocess.run([*tiffin, *arguments], env=environment, input=ARCHIVE, capture_output=True)
        assert (done.returncode, done.stdout) == (code, b"")
        assert b"disk" in done.stderr
        assert done.stderr.count(b"\n") == 1
