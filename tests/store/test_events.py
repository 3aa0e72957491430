"""Events: numbered lines that survive their writers' deaths and full disks."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dying import dies_at
from tiffin.store import Store, events
from tiffin.store.events import Event, Missed


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "root"), str(tmp_path / "run")).open()


def emit(store: Store, id: str, text: str = "") -> None:
    events.emit(store, "container", "start", id, {"name": id, "text": text})


def told(store: Store, after: int = 0) -> list[tuple[int, str]]:
    return [(event.number, event.id) for event in events.read(store, after=after) if isinstance(event, Event)]


def test_events_are_numbered_from_one(store: Store):
    for id in ("a", "b", "c"):
        emit(store, id)
    assert told(store) == [(1, "a"), (2, "b"), (3, "c")]
    assert told(store, after=2) == [(3, "c")]
    assert events.last_number(store) == 3


def test_an_event_says_what_happened_to_what(store: Store):
    events.emit(store, "image", "tag", "sha256:00", {"name": "base:latest"})
    (event,) = events.read(store)
    assert isinstance(event, Event)
    assert event[2:] == ("image", "tag", "sha256:00", {"name": "base:latest"})


def test_long_labels_are_left_out_before_the_event_is(store: Store):
    emit(store, "a", text="x" * 5000)
    (event,) = events.read(store)
    assert isinstance(event, Event)
    assert event.attributes == {"name": "a"}


def test_of_a_long_command_the_beginning_is_told(store: Store):
    events.emit(store, "container", "exec_create: echo " + "é" * 9000, "a", {"name": "web", "execID": "00"})
    (event,) = events.read(store)
    assert isinstance(event, Event)
    assert event.action == "exec_create: echo " + "é" * (events.LONGEST_ACTION - 18)
    assert event.attributes == {"name": "web", "execID": "00"}


def test_many_writers_give_every_number_once(store: Store):
    def write(name: str) -> None:
        for _ in range(50):
            emit(store, name)

    writers = [threading.Thread(target=write, args=(str(number),)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [number for number, _ in told(store)] == list(range(1, 201))


def test_old_events_go_and_who_comes_too_late_is_told(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(events, "LARGEST_FILE", 1000)
    for number in range(1, 41):
        emit(store, str(number))
    assert len(os.listdir(store.run_path("events"))) <= 3
    first, *rest = events.read(store, after=1)
    assert isinstance(first, Missed)
    numbers = [event.number for event in rest if isinstance(event, Event)]
    assert numbers == list(range(first.lost + 2, 41))


def test_a_follower_gets_what_was_and_what_comes(store: Store):
    emit(store, "a")
    follower = events.follow(store, after=0)
    emit(store, "b")
    assert [next(follower), next(follower)] == events.read(store)
    emit(store, "c")
    assert next(follower) == events.read(store, after=2)[0]
    follower.close()  # type: ignore[attr-defined]  # a generator


@pytest.mark.parametrize("known", [0, 2])
def test_a_writer_that_dies_takes_its_own_event_along_at_most(store: Store, known: int):
    for number in range(known):
        emit(store, f"before{number}")
    died = 0
    while dies_at(died, lambda: emit(store, "dying")):
        emit(store, f"after{died}")
        died += 1
    found = told(store)
    assert died > 2
    others = [*(f"before{number}" for number in range(known)), *(f"after{number}" for number in range(died))]
    assert {id for _, id in found} == {*others, "dying"}
    numbers = [number for number, _ in found]
    assert sorted(set(numbers)) == numbers


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Store]:
    """A store whose runroot lies on a disk of 64 KB."""
    run = tmp_path / "tiny"
    run.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tiffin-test", run], check=True)
    yield Store(str(tmp_path / "root"), str(run)).open()
    subprocess.run(["umount", run], check=True)


@pytest.mark.root
def test_a_full_disk_loses_events_and_nothing_else(tiny: Store):
    for number in range(60):
        emit(tiny, str(number), text="x" * 2000)
    found = told(tiny)
    assert 20 < len(found) < 40
    assert found == [(number + 1, str(number)) for number in range(len(found))]
    os.truncate(tiny.run_path("events", "1"), 2500)  # somebody makes room, and cuts a line in two
    emit(tiny, "last")
    assert [id for _, id in told(tiny)] == ["0", "last"]
