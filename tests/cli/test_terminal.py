"""Raw mode, size and detach keys."""

from __future__ import annotations

import os
import pty
import termios

import pytest

from tiffin.cli.terminal import KeyWatch, RawMode, parse_keys, size
from tiffin.errors import BadParameter


@pytest.fixture
def terminal():
    outer, inner = pty.openpty()
    yield inner
    os.close(outer)
    os.close(inner)


def test_raw_mode_passes_everything_on_and_is_undone(terminal):
    before = termios.tcgetattr(terminal)
    with RawMode(terminal):
        _, output, _, local, *_ = termios.tcgetattr(terminal)
        assert not local & (termios.ICANON | termios.ECHO | termios.ISIG)
        assert not output & termios.OPOST
    assert termios.tcgetattr(terminal) == before


def test_raw_mode_is_undone_after_a_failure(terminal):
    before = termios.tcgetattr(terminal)
    with pytest.raises(ZeroDivisionError), RawMode(terminal):
        raise ZeroDivisionError
    assert termios.tcgetattr(terminal) == before


def test_the_size_is_that_of_the_first_terminal(terminal):
    termios.tcsetwinsize(terminal, (24, 100))
    reader, writer = os.pipe()
    assert size((reader, terminal)) == (24, 100)
    assert size((reader, writer)) is None
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize(
    ("text", "keys"),
    [("ctrl-p,ctrl-q", b"\x10\x11"), ("", b"\x10\x11"), ("a", b"a"), ("ctrl-@,x,ctrl-_", b"\x00x\x1f"),
     ("ctrl-[,ctrl-\\,ctrl-],ctrl-^", b"\x1b\x1c\x1d\x1e")],
)  # fmt: skip
def test_detach_keys_are_written_as_in_docker(text, keys):
    assert parse_keys(text) == keys


@pytest.mark.parametrize("text", ["ctrl-", "ctrl-1", "ctrl-pq", "ab", "a,,b", "ß"])
def test_what_is_no_key_is_refused(text):
    with pytest.raises(BadParameter, match="is no detach key"):
        parse_keys(text)


def typed(keys: bytes, *reads: bytes) -> tuple[bytes, bool]:
    watch = KeyWatch(keys)
    return b"".join(watch.pass_on(read) for read in reads), watch.found


@pytest.mark.parametrize(
    ("reads", "passed", "found"),
    [
        ((b"ls\r",), b"ls\r", False),
        ((b"ls\x10\x11",), b"ls", True),
        ((b"ls\x10", b"\x11"), b"ls", True),
        ((b"\x10", b"\x10", b"\x11"), b"\x10", True),
        ((b"\x10", b"a"), b"\x10a", False),
        ((b"\x10",), b"", False),
        ((b"\x11\x10",), b"\x11", False),
    ],
)
def test_the_detach_keys_are_found_across_reads_and_nothing_else_is_lost(reads, passed, found):
    assert typed(b"\x10\x11", *reads) == (passed, found)


def test_keys_that_begin_alike_are_found_in_any_place():
    assert typed(b"aab", b"a", b"a", b"a", b"b") == (b"a", True)
