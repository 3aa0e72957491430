"""Bytes on their way from a program to a log and to those who watch: nobody holds the others up for long."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tiffin.runtime import relay
from tiffin.runtime.log import LogFile
from tiffin.runtime.loop import Loop
from tiffin.runtime.relay import CHUNK, Input, Output, Watcher


class Kept(LogFile):
    """A log in memory."""

    def __init__(self) -> None:
        self.text = b""
        self.has_ended = False

    def write(self, stream: str, chunk: bytes) -> None:
        self.text += chunk

    def end(self, stream: str) -> None:
        self.has_ended = True


class Bench:
    """An output with its log, and watchers with the reasons for which they left."""

    def __init__(self) -> None:
        self.loop, self.log = Loop(), Kept()
        self.reading, self.program = os.pipe()
        self.left: dict[int, str] = {}
        self.output = Output(self.loop, self.reading, "stdout", self.log, self.loop.stop)
        self._open = [self.program]

    def watch(self) -> int:
        """The readable end of a watcher's pipe."""
        reading, writing = os.pipe()
        number = len(self.left) + len(self._open)
        self.output.add(Watcher(self.loop, writing, lambda why: self.left.update({number: why})))
        self._open.append(reading)
        return reading

    def write(self, content: bytes) -> None:
        """By the program, which then ends; a child, since a pipe holds only so much."""
        child = os.fork()
        if child == 0:
            for reading in (self.reading, *self._open[1:]):  # else we would never see that nobody reads any more
                os.close(reading)
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            view = memoryview(content)
            while view:
                view = view[os.write(self.program, view) :]
            os._exit(0)
        os.close(self.program)
        self._open.remove(self.program)
        self.child = child

    def close(self) -> None:
        self.output.finish()
        for descriptor in self._open:
            os.close(descriptor)
        os.waitpid(self.child, 0)
        self.loop._epoll.close()


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "PATIENCE", 0.05)


def read_whole(descriptor: int) -> bytes:
    os.set_blocking(descriptor, False)
    content = b""
    while chunk := os.read(descriptor, CHUNK):
        content += chunk
    return content


def test_everything_goes_to_the_log_and_to_each_watcher(bench: Bench) -> None:
    watchers = [bench.watch() for _ in range(3)]
    bench.write(b"hello\n" * 1000)
    bench.loop.run()
    assert bench.log.text == b"hello\n" * 1000
    assert bench.log.has_ended
    assert [read_whole(watcher) for watcher in watchers] == [b"hello\n" * 1000] * 3
    assert bench.left == {}


@pytest.mark.usefixtures("impatient")
def test_a_watcher_that_takes_nothing_is_let_go_and_all_else_goes_on(bench: Bench) -> None:
    bench.watch()
    bench.write(bytes(3 << 20))
    bench.loop.run()
    assert len(bench.log.text) == 3 << 20
    assert list(bench.left.values()) == ["took no output for ten seconds"]


@pytest.mark.usefixtures("impatient")
def test_a_watcher_that_takes_a_little_now_and_then_is_not_let_go(bench: Bench) -> None:
    slow = bench.watch()
    os.set_blocking(slow, False)
    received = 0

    def take() -> None:
        nonlocal received
        with suppress(BlockingIOError):
            received += len(os.read(slow, 70_000))
        bench.loop.after(0.02, "slow", take)

    bench.loop.after(0.02, "slow", take)
    bench.write(bytes(1 << 20))
    bench.loop.run()
    assert bench.left == {}
    assert received + len(read_whole(slow)) == 1 << 20


def test_a_watcher_that_has_gone_is_forgotten_without_a_word(bench: Bench) -> None:
    gone, there = bench.watch(), bench.watch()
    os.close(gone)
    bench._open.remove(gone)
    bench.write(b"x" * 10_000)
    bench.loop.run()
    assert list(bench.left.values()) == [""]
    assert read_whole(there) == b"x" * 10_000


def test_a_program_is_read_no_faster_than_its_watchers_take(bench: Bench) -> None:
    bench.watch()
    bench.write(bytes(8 << 20))
    bench.loop.after(0.2, "stop", bench.loop.stop)
    bench.loop.run()
    assert len(bench.log.text) < 4 << 20
    assert bench.output.is_waiting
    bench.output.finish()


def test_a_program_that_reads_slowly_gets_all_and_its_end() -> None:
    loop = Loop()
    program, writing = os.pipe()
    source, client = os.pipe()
    given = Input(loop, writing, is_terminal=False)
    given.feed(source, ends=True)
    content = os.urandom(300_000)
    child = os.fork()
    if child == 0:
        os.close(source)
        view = memoryview(content)
        while view:
            view = view[os.write(client, view) :]
        os._exit(0)
    os.close(client)
    received = b""

    def read() -> None:
        nonlocal received
        os.set_blocking(program, False)
        try:
            chunk = os.read(program, 40_000)
        except BlockingIOError:
            chunk = None
        if chunk == b"":
            loop.stop()
            return
        received += chunk or b""
        loop.after(0.001, "read", read)

    loop.after(0, "read", read)
    loop.run()
    os.waitpid(child, 0)
    assert received == content
    os.close(program)
    loop._epoll.close()


def test_the_end_of_a_clients_input_is_not_the_programs_where_it_shall_stay_open() -> None:
    loop = Loop()
    program, writing = os.pipe()
    given = Input(loop, writing, is_terminal=False)
    for word in (b"first ", b"second"):
        source, client = os.pipe()
        given.feed(source, ends=False)
        os.write(client, word)
        os.close(client)
        loop.after(0.01, "stop", loop.stop)
        loop.run()
        loop._going = True
    assert os.read(program, 100) == b"first second"
    os.set_blocking(program, False)
    with pytest.raises(BlockingIOError):
        os.read(program, 100)
    given.close()
    assert os.read(program, 100) == b""
    os.close(program)
    loop._epoll.close()


class Keyboard:
    """An input with a program that reads it."""

    def __init__(self, *, pipe: int = 1 << 16) -> None:
        self.loop = Loop()
        self.program, writing = os.pipe()
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, pipe)
        self.input = Input(self.loop, writing, is_terminal=False)

    def attach(self, *, ends: bool) -> tuple[int, int]:
        """A client: the turn it got, and the end of the pipe that it writes to."""
        source, client = os.pipe()
        return self.input.feed(source, ends=ends), client

    def read(self) -> bytes:
        """All until the end."""
        content = b""
        os.set_blocking(self.program, False)

        def read() -> None:
            nonlocal content
            with suppress(BlockingIOError):
                if not (chunk := os.read(self.program, CHUNK)):
                    self.loop.stop()
                content += chunk
            self.loop.after(0.001, "read", read)

        self.loop.after(0, "read", read)
        self.loop.run()
        return content

    def close(self) -> None:
        self.input.close()
        os.close(self.program)
        self.loop._epoll.close()


@pytest.fixture
def keyboard() -> Iterator[Keyboard]:
    keyboard = Keyboard(pipe=4096)
    yield keyboard
    keyboard.close()


def test_what_a_client_sent_before_it_left_arrives_and_then_the_end(keyboard: Keyboard) -> None:
    turn, client = keyboard.attach(ends=True)
    content = os.urandom(50_000)
    os.write(client, content)
    keyboard.input.leave(turn)  # somebody else still holds the pipe
    assert keyboard.read() == content
    with pytest.raises(BrokenPipeError):
        os.write(client, b"too late")
    os.close(client)


def test_a_client_that_left_long_ago_takes_nothing_from_its_successor(keyboard: Keyboard) -> None:
    first, gone = keyboard.attach(ends=True)
    _, client = keyboard.attach(ends=True)
    os.close(gone)
    keyboard.input.leave(first)
    os.write(client, b"second")
    os.close(client)
    assert keyboard.read() == b"second"


def test_what_waits_for_a_slow_program_is_not_lost_when_another_client_feeds(keyboard: Keyboard) -> None:
    content = os.urandom(20_000)
    _, gone = keyboard.attach(ends=False)
    os.write(gone, content)
    keyboard.loop.after(0.01, "stop", keyboard.loop.stop)
    keyboard.loop.run()
    keyboard.loop._going = True
    _, client = keyboard.attach(ends=True)
    os.close(gone)
    os.write(client, b"second")
    os.close(client)
    assert keyboard.read() == content + b"second"
