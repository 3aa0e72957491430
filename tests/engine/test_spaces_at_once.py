"""Many containers at once, started by many threads and processes, on one root and on several."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import pytest

from tests import busybox
from tests.conftest import Roots
from tests.runtime.killing import parent
from tiffin.engine import Engine, HostConfig, RunningContainer
from tiffin.errors import ContainerRunning, NotModified, TiffinError

pytestmark = pytest.mark.root
FOR_EVER = ("sleep", "1000000")


def in_threads(count: int, act: Callable[[int], object]) -> list[object]:
    """What each of them gives, or the error of ours that it raises."""
    results: list[object] = [None] * count
    gate = threading.Barrier(count)

    def run(number: int) -> None:
        gate.wait()
        try:
            results[number] = act(number)
        except TiffinError as error:
            results[number] = error.with_traceback(None)  # which leads back to the results

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def in_processes(count: int, act: Callable[[int], object]) -> Callable[[], list[int]]:
    """Begins; who calls what it gives waits for all: 0 for each that has done it, 1 for an error."""
    children = []
    for number in range(count):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                act(number)
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    return lambda: [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def test_a_hundred_containers_run_at_once(engine: Engine) -> None:
    def start(number: int) -> list[RunningContainer]:
        return [engine.create("busybox", FOR_EVER, name=f"c{number}-{each}").start() for each in range(10)]

    running = [container for started in in_threads(10, start) for container in started]  # type: ignore[attr-defined]
    assert len(engine.ps()) == 100
    assert len({parent(container.pid) for container in running}) == 100
    assert running[57].execute(["hostname"]).stdout.decode().strip() == running[57].id[:12]
    assert in_threads(10, lambda number: [c.remove(force=True) for c in running[number::10]]) == [[None] * 10] * 10
    assert engine.ps(all=True) == []


def test_threads_and_processes_start_at_once(engine: Engine) -> None:
    def lives(number: int) -> None:
        for each in range(4):
            with engine.create("busybox", ["sh", "-c", f"echo {number}; exit {each}"]) as container:
                assert container.start().wait() == each
                assert container.output() == b"%d\n" % number

    ended = in_processes(5, lives)
    assert in_threads(20, lives) == [None] * 20
    assert ended() == [0] * 5


def test_of_many_who_start_one_container_one_does(engine: Engine) -> None:
    with engine.create("busybox", FOR_EVER) as container:
        for _ in range(5):
            results = in_threads(20, lambda _: engine.container(container.id).start())
            winners = [result for result in results if isinstance(result, RunningContainer)]
            assert len(winners) == 1
            assert all(isinstance(result, RunningContainer | ContainerRunning | NotModified) for result in results)
            assert winners[0].pid == container.state().pid
            winners[0].kill()


def test_of_many_processes_that_start_one_container_one_does(engine: Engine) -> None:
    with engine.create("busybox", FOR_EVER) as container:

        def start(_: int) -> None:
            running = engine.container(container.id).start()
            assert running.pid

        for _ in range(3):
            assert sorted(in_processes(5, start)()) == [0, 1, 1, 1, 1]
            container.running().kill()


def test_a_container_that_many_look_at_starts_all_the_same(engine: Engine) -> None:
    """Who asks whether it runs holds its lock for a moment: no start may take that for another shim."""
    with engine.create("busybox", ["true"]) as container:
        stop = threading.Event()

        def look() -> None:
            while not stop.is_set():
                container.state()

        watchers = [threading.Thread(target=look) for _ in range(4)]
        for watcher in watchers:
            watcher.start()
        try:
            assert [container.start().wait() for _ in range(10)] == [0] * 10
        finally:
            stop.set()
            for watcher in watchers:
                watcher.join()


def test_start_and_removal_at_once_leave_one_of_two_worlds(engine: Engine) -> None:
    for number in range(15):
        container = engine.create("busybox", FOR_EVER, name=f"raced{number}")
        verbs: list[Callable[[], object]] = [container.start, lambda c=container: c.remove(force=True)]  # type: ignore[misc]
        in_threads(2, lambda which, verbs=verbs: verbs[which]())  # type: ignore[misc]
        for summary in engine.ps(all=True):
            assert summary.state == "running"
            engine.container(summary.id).remove(force=True)


def test_engines_on_different_roots_do_not_see_each_other(workshop: str, engine_root: Roots) -> None:
    engines = [busybox.engine(f"{engine_root.root}{number}", f"{engine_root.runroot}{number}") for number in range(3)]

    def lives(number: int) -> None:
        with engines[number].create("busybox", FOR_EVER, name="same") as container:
            container.start()
            assert [summary.id for summary in engines[number].ps()] == [container.id]
            engines[number].container("same").running().stop(0)

    assert in_threads(3, lives) == [None] * 3
    assert [engine.ps(all=True) for engine in engines] == [[], [], []]


def test_rm_containers_come_and_go_by_the_dozen(engine: Engine) -> None:
    def lives(number: int) -> None:
        for _ in range(5):
            with engine.run("busybox", ["true"], host=HostConfig(auto_remove=True)) as running:
                assert running.wait() == 0

    assert in_threads(10, lives) == [None] * 10
    assert engine.ps(all=True) == []
