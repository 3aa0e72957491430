"""What a program writes, as JSON lines."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.runtime.strategies import output
from tiffin.runtime.log import LONGEST_LINE, LogFile, cut, encode, escape

WHEN = b"2026-11-24T08:30:00.123456789Z"
Open = Callable[..., LogFile]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path, os.O_PATH)
    yield descriptor
    os.close(descriptor)


@given(st.text())
def test_escaped_text_is_what_json_dumps_means(text: str) -> None:
    written = escape(text.encode("utf-8", "surrogatepass").replace(b"\n", b""))
    expected = text.encode("utf-8", "surrogatepass").replace(b"\n", b"").decode("utf-8", "replace")
    assert json.loads(b'"' + written + b'"') == expected


@given(output())
def test_every_line_becomes_one_object(text: bytes) -> None:
    written = encode(text, "stderr", WHEN)
    assert written.endswith(b"\n")
    forms = [json.loads(line) for line in written[:-1].split(b"\n")]
    assert [form["log"] for form in forms] == [line.decode("utf-8", "replace") for line in _lines(text)]
    assert {(form["stream"], form["time"]) for form in forms} == {("stderr", WHEN.decode())}


def test_a_line_looks_as_dockers() -> None:
    assert encode(b"hello\n", "stdout", WHEN) == b'{"log":"hello\\n","stream":"stdout","time":"%s"}\n' % WHEN


def test_bytes_that_are_no_utf8_are_replaced() -> None:
    assert json.loads(encode(b"a\xff\xfeb\n", "stdout", WHEN))["log"] == "a\ufffd\ufffdb\n"


@given(output(), st.integers(0, 3 * LONGEST_LINE), st.sampled_from([b"", b"\n", "é".encode()]))
def test_cut_pieces_are_lines_or_parts_of_lines_and_nothing_is_lost(text: bytes, long: int, after: bytes) -> None:
    text = text + b"x" * long + after + text
    *pieces, rest = cut(text)
    assert b"".join([*pieces, rest]) == text
    assert b"\n" not in rest
    assert len(rest) < LONGEST_LINE
    for piece in pieces:
        assert piece.endswith(b"\n") or (b"\n" not in piece and LONGEST_LINE - 3 <= len(piece) <= LONGEST_LINE)
        assert max(map(len, piece.split(b"\n"))) <= LONGEST_LINE


def test_a_long_line_is_cut_at_16_kilobytes_also_when_its_end_is_known() -> None:
    assert [len(piece) for piece in cut(b"x" * 40_000 + b"\nshort\n")] == [16384, 16384, 40_000 - 2 * 16384 + 7, 0]


def test_no_character_is_cut_in_two(folder: int, tmp_path: Path) -> None:
    log = LogFile(folder, 0, 1)
    log.write("stdout", b"x" + "é".encode() * 10_000)
    log.close()
    assert "".join(_written(tmp_path / "log")) == "x" + "é" * 10_000


def test_a_line_waits_for_its_end(folder: int, tmp_path: Path) -> None:
    log = LogFile(folder, 0, 1)
    log.write("stdout", b"one\ntw")
    log.write("stderr", b"error\n")
    assert _written(tmp_path / "log") == ["one\n", "error\n"]
    log.write("stdout", b"o\nthree")
    assert _written(tmp_path / "log") == ["one\n", "error\n", "two\n"]
    log.end("stdout")
    assert _written(tmp_path / "log") == ["one\n", "error\n", "two\n", "three"]
    log.close()
    assert _written(tmp_path / "log") == ["one\n", "error\n", "two\n", "three"]


def test_a_character_that_comes_in_two_pieces_is_one(folder: int, tmp_path: Path) -> None:
    log = LogFile(folder, 0, 1)
    for byte in "naïve\n".encode():
        log.write("stdout", bytes([byte]))
    log.close()
    assert _written(tmp_path / "log") == ["naïve\n"]


def test_files_rotate_and_the_oldest_goes(folder: int, tmp_path: Path) -> None:
    log = LogFile(folder, 200, 3)
    for number in range(12):
        log.write("stdout", b"line %d\n" % number)
    log.close()
    assert sorted(os.listdir(tmp_path)) == ["log", "log.1", "log.2"]
    files = [_written(tmp_path / name) for name in ("log.2", "log.1", "log")]
    assert [line for file in files for line in file] == [f"line {number}\n" for number in range(6, 12)]
    assert all((tmp_path / name).stat().st_size <= 200 for name in ("log", "log.1", "log.2"))


def test_one_file_alone_begins_anew(folder: int, tmp_path: Path) -> None:
    log = LogFile(folder, 100, 1)
    for number in range(5):
        log.write("stdout", b"line %d\n" % number)
    log.close()
    assert os.listdir(tmp_path) == ["log"]
    assert _written(tmp_path / "log") == ["line 4\n"]


def test_a_log_goes_on_where_the_last_run_left_it(folder: int, tmp_path: Path) -> None:
    for text in (b"first\n", b"second\n"):
        log = LogFile(folder, 150, 2)
        log.write("stdout", text)
        log.close()
    assert _written(tmp_path / "log.1") == ["first\n"]
    assert _written(tmp_path / "log") == ["second\n"]


def test_a_disk_that_takes_nothing_loses_lines_alone(folder: int, tmp_path: Path) -> None:
    log = LogFile(folder, 100, 2)
    log.write("stdout", b"before\n")
    os.rename(tmp_path, f"{tmp_path}.away")
    os.unlink(f"{tmp_path}.away/log")
    os.rmdir(f"{tmp_path}.away")  # no file can be made in a folder that is deleted
    for _ in range(3):
        log.write("stdout", b"lost\n")
    os.mkdir(tmp_path)
    log.folder = os.open(tmp_path, os.O_PATH)
    log.write("stdout", b"after\n")
    log.close()
    os.close(log.folder)
    assert _written(tmp_path / "log") == ["after\n"]


@pytest.mark.root
def test_a_full_disk_leaves_no_half_line(small_disk: Path) -> None:
    descriptor = os.open(small_disk, os.O_PATH)
    log = LogFile(descriptor, 0, 1)
    fill(small_disk / "filler")
    text = b"x" * 1000 + b"\n"
    for _ in range(100):
        log.write("stdout", text)
    (small_disk / "filler").unlink()
    log.write("stdout", b"after\n")
    log.close()
    os.close(descriptor)
    *before, last = _written(small_disk / "log")
    assert last == "after\n"
    assert set(before) <= {text.decode()}
    assert len(before) < 100


def fill(path: Path) -> None:
    with contextlib.suppress(OSError), open(path, "wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 12))


def _written(path: Path) -> list[str]:
    return [json.loads(line)["log"] for line in path.read_bytes().splitlines()]


def _lines(text: bytes) -> list[bytes]:
    """With their ends, split at line feeds alone; an end without a line after it is not another line."""
    return [line for line in text.replace(b"\n", b"\n\0").split(b"\0") if line] or [b""]
