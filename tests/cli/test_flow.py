"""One direction of a conversation."""

from __future__ import annotations

import os
import pty
import select

import pytest

from tiffin.cli.flow import Flow
from tiffin.cli.terminal import KeyWatch


@pytest.fixture
def pipes():
    """Two pipes: (reader, writer), (reader, writer)."""
    ends = (*os.pipe(), *os.pipe())
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            pass


def test_between_pipes_the_kernel_moves_the_bytes(pipes):
    source, writer, reader, target = pipes
    os.write(writer, b"hello")
    flow = Flow(source, target)
    assert flow.needs == (source, select.POLLIN)
    assert flow.move()
    assert flow.spliced
    assert os.read(reader, 100) == b"hello"


def test_the_end_of_the_source_is_told(pipes):
    source, writer, _, target = pipes
    os.close(writer)
    assert not Flow(source, target).move()


def test_a_full_target_is_waited_for_and_nothing_is_lost(pipes):
    source, writer, reader, target = pipes
    os.set_blocking(target, False)
    while True:
        try:
            os.write(target, b"x" * 65536)
        except BlockingIOError:
            break
    os.write(writer, b"last")
    flow = Flow(source, target)
    assert flow.move()
    assert flow.needs == (target, select.POLLOUT)
    os.read(reader, 1 << 20)
    assert flow.move()
    assert os.read(reader, 100) == b"last"
    assert flow.needs == (source, select.POLLIN)


def test_a_full_target_is_waited_for_when_bytes_are_copied_too(pipes):
    source, writer, reader, target = pipes
    os.set_blocking(target, False)
    flow = Flow(source, target, watch=KeyWatch(b"\x10\x11"))
    sent = received = 0
    while not flow.full:
        sent += os.write(writer, b"y" * 30000)
        flow.move()
    assert flow.needs == (target, select.POLLOUT)
    os.close(writer)
    while flow.move():
        received += len(os.read(reader, 1 << 20))
    assert received == sent


def test_a_beginning_of_the_detach_keys_arrives_when_nothing_follows(pipes):
    source, writer, reader, target = pipes
    os.write(writer, b"ab\x10")
    os.close(writer)
    flow = Flow(source, target, watch=KeyWatch(b"\x10\x11"))
    while flow.move():
        pass
    assert os.read(reader, 100) == b"ab\x10"


def test_a_target_that_nobody_reads_is_told(pipes):
    source, writer, reader, target = pipes
    os.write(writer, b"x")
    os.close(reader)
    with pytest.raises(BrokenPipeError):
        Flow(source, target).move()


def test_a_file_that_is_appended_to_is_written_in_the_plain_way(pipes, tmp_path):
    source, writer, _, _ = pipes
    path = tmp_path / "out"
    path.write_bytes(b"before ")
    with open(path, "ab") as file:
        os.write(writer, b"after")
        flow = Flow(source, file.fileno())
        assert flow.move()
        assert not flow.spliced
    assert path.read_bytes() == b"before after"


def test_a_file_can_be_the_source(pipes, tmp_path):
    _, _, reader, target = pipes
    path = tmp_path / "in"
    path.write_bytes(b"content")
    with open(path, "rb") as file:
        flow = Flow(file.fileno(), target)
        assert flow.move()
        assert not flow.move()
    assert os.read(reader, 100) == b"content"


def test_a_terminal_that_was_hung_up_is_an_end(pipes):
    _, _, _, target = pipes
    outer, inner = pty.openpty()
    os.close(outer)
    assert not Flow(inner, target).move()
    os.close(inner)
