"""rm: what had been a container's is deleted behind it, by whoever does it with the least ado."""

from __future__ import annotations

import os

import pytest

from tests import leftovers
from tests.runtime.killing import shim_of, until
from tiffin.engine import Engine, Streams
from tiffin.runtime import client
from tiffin.store import Store
from tiffin.store.locks import lock
from tiffin.store.sweep import sweep

pytestmark = pytest.mark.root
WRITES = ("sh", "-c", "touch /file; echo ready; sleep 1000000")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Store]:
    """The stores for which a sweep was asked; none comes."""
    asked = list[Store]()

    def ask(store: Store) -> bool:
        asked.append(store)
        return True

    monkeypatch.setattr(client, "sweep_later", ask)
    return asked


def trash(engine: Engine) -> list[str]:
    return os.listdir(engine.store.path("trash"))


def test_one_that_wrote_nothing_is_deleted_on_the_spot(fresh_engine: Engine, asked: list[Store]) -> None:
    fresh_engine.create("busybox", ["true"]).remove()
    assert trash(fresh_engine) == []
    assert asked == []


def test_one_that_wrote_something_is_left_to_a_sweep(fresh_engine: Engine, asked: list[Store]) -> None:
    running = fresh_engine.run("busybox", WRITES, owned=False)
    next(running.logs(follow=True))
    shim = shim_of(fresh_engine, running.id)
    running.kill()
    leftovers.wait_for([shim])
    running.remove()
    assert len(asked) == len(trash(fresh_engine)) == 1
    sweep(fresh_engine.store)


def test_one_whose_shim_is_still_ending_is_left_to_that(fresh_engine: Engine, asked: list[Store]) -> None:
    container = fresh_engine.create("busybox", ["true"])
    with lock(f"{fresh_engine.store.path('containers', container.id)}/diff"):
        container.remove()
    assert len(trash(fresh_engine)) == 1
    assert asked == []
    fresh_engine.create("busybox", ["true"]).remove()
    assert len(asked) == 1  # just in case that it was no shim
    sweep(fresh_engine.store)


def test_a_shim_deletes_what_was_removed_while_it_ended(fresh_engine: Engine, asked: list[Store]) -> None:
    reading, writing = os.pipe()
    container = fresh_engine.create("busybox", ["dd", "if=/dev/zero", "of=/dev/stdout", "bs=1000000", "count=1"])
    running = container.start(Streams(stdout=writing))
    assert fresh_engine.container(container.id).wait() == 0
    container.remove()
    assert len(trash(fresh_engine)) == 1  # its shim waits for us to read
    with open(reading, "rb") as file:
        assert len(file.read()) == 1_000_000
    assert running.wait() == 0
    until(lambda: not trash(fresh_engine))
    assert asked == []
