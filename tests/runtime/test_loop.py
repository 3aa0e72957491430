"""One thread that waits for descriptors and for points in time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fcntl import fcntl

import pytest

from tiffin.runtime.loop import READ, WRITE, Loop

F_GETPIPE_SZ = 1032


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop._epoll.close()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def test_a_handler_is_called_when_its_descriptor_is_ready(loop: Loop, pipe: tuple[int, int]) -> None:
    heard = list[bytes]()

    def hear(events: int) -> None:
        heard.append(os.read(pipe[0], 10))
        loop.stop()

    loop.watch(pipe[0], READ, hear)
    os.write(pipe[1], b"hello")
    loop.run()
    assert heard == [b"hello"]
    assert loop.watches(pipe[0])
    loop.forget(pipe[0])
    assert not loop.watches(pipe[0])
    loop.forget(pipe[0])


def test_a_handler_may_forget_another_that_is_ready_too(loop: Loop) -> None:
    pipes = [os.pipe() for _ in range(2)]
    called = list[int]()

    def only_one(which: int) -> None:
        called.append(which)
        for reading, _ in pipes:
            loop.forget(reading)
        loop.stop()

    for number, (reading, writing) in enumerate(pipes):
        loop.watch(reading, READ, lambda _, number=number: only_one(number))  # type: ignore[misc]
        os.write(writing, b".")
    loop.run()
    assert len(called) == 1
    for pair in pipes:
        for end in pair:
            os.close(end)


def test_timers_go_off_in_the_order_of_their_times(loop: Loop) -> None:
    order = list[str]()
    loop.after(0.003, "end", loop.stop)
    loop.after(0.002, "later", lambda: order.append("later"))
    loop.after(0.001, "sooner", lambda: order.append("sooner"))
    loop.run()
    assert order == ["sooner", "later"]


def test_a_timer_with_the_same_key_takes_the_place_of_the_first(loop: Loop) -> None:
    order = list[str]()
    loop.after(0.001, "key", lambda: order.append("first"))
    loop.after(0.002, "key", lambda: order.append("second"))
    loop.after(0.003, "end", loop.stop)
    loop.run()
    assert order == ["second"]


def test_a_cancelled_timer_never_goes_off_even_if_another_cancels_it_in_time(loop: Loop) -> None:
    order = list[str]()

    def first() -> None:
        order.append("first")
        loop.cancel("second")

    loop.after(0, "first", first)
    loop.after(0, "second", lambda: order.append("second"))
    loop.after(0.001, "end", loop.stop)
    loop.run()
    assert order == ["first"]


def test_a_timer_may_set_itself_again(loop: Loop) -> None:
    count = 0

    def tick() -> None:
        nonlocal count
        count += 1
        if count == 3:
            loop.stop()
        else:
            loop.after(0, "tick", tick)

    loop.after(0, "tick", tick)
    loop.run()
    assert count == 3


def test_room_to_write_is_waited_for(loop: Loop, pipe: tuple[int, int]) -> None:
    os.write(pipe[1], bytes(fcntl(pipe[1], F_GETPIPE_SZ)))
    loop.watch(pipe[1], WRITE, lambda _: loop.stop())

    def drain() -> None:
        os.read(pipe[0], 1 << 20)

    loop.after(0, "drain", drain)
    loop.run()
