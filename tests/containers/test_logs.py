"""Reading logs: as they are, and as they grow and are rotated under the reader."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tiffin.containers import logs
from tiffin.containers.logs import LogLine, Span


def lines(*numbers: int) -> bytes:
    form = b'{"log":"%d\\n","stream":"stdout","time":"2026-11-24T08:00:%02d.5Z"}\n'
    return b"".join(form % (number, number) for number in numbers)


def line(number: int) -> LogLine:
    return LogLine("stdout", f"2026-11-24T08:00:{number:02d}.5Z", b"%d\n" % number)


def write(folder: Path, *numbers: int) -> None:
    with open(folder / "log", "ab") as file:
        file.write(lines(*numbers))


def rotate(folder: Path) -> None:
    for older, newer in (("log.2", "log.1"), ("log.1", "log")):
        if os.path.exists(folder / newer):
            os.rename(folder / newer, folder / older)
    write(folder)


def ends_after(*acts: Callable[[], object]) -> Callable[[], bool]:
    """`goes_on` of a run in which these things happen, one each time that the reader asks."""
    todo = list(acts)

    def goes_on() -> bool:
        if not todo:
            return False
        todo.pop(0)()
        return True

    return goes_on


def test_the_oldest_file_is_read_first(tmp_path: Path):
    write(tmp_path, 1, 2)
    rotate(tmp_path)
    write(tmp_path, 3)
    rotate(tmp_path)
    write(tmp_path, 4)
    assert logs.read(str(tmp_path)) == [line(1), line(2), line(3), line(4)]
    assert logs.read(str(tmp_path), tail=2) == [line(3), line(4)]


def test_a_follower_reads_a_log_that_comes_with_the_end(tmp_path: Path):
    def goes_on() -> bool:
        if not (tmp_path / "log").exists():
            write(tmp_path, 1)
        return False

    assert list(logs.follow(str(tmp_path), tail=None, goes_on=goes_on)) == [line(1)]


def test_a_line_that_is_being_written_is_left_out(tmp_path: Path):
    (tmp_path / "log").write_bytes(lines(1) + lines(2)[:-9])
    assert logs.read(str(tmp_path)) == [line(1)]


def test_a_line_that_a_crash_cut_short_is_left_out(tmp_path: Path):
    (tmp_path / "log").write_bytes(lines(1) + lines(2)[:-9] + b"\n" + lines(3))
    assert logs.read(str(tmp_path)) == [line(1), line(3)]


def test_only_a_span_of_time_is_read(tmp_path: Path):
    write(tmp_path, 1, 2, 3)
    second = logs.seconds_of("2026-11-24T08:00:02Z")
    assert logs.read(str(tmp_path), Span(since=second)) == [line(2), line(3)]
    assert logs.read(str(tmp_path), Span(until=second)) == [line(1)]


def test_nothing_is_read_where_nothing_was_written(tmp_path: Path):
    assert logs.read(str(tmp_path)) == []
    assert list(logs.follow(str(tmp_path), tail=None, goes_on=ends_after())) == []


def test_a_follower_gets_what_comes_until_the_end(tmp_path: Path):
    write(tmp_path, 1)
    goes_on = ends_after(lambda: write(tmp_path, 2), lambda: write(tmp_path, 3))
    assert list(logs.follow(str(tmp_path), tail=0, goes_on=goes_on)) == [line(2), line(3)]


def test_a_follower_waits_for_the_first_line(tmp_path: Path):
    goes_on = ends_after(lambda: write(tmp_path, 1))
    assert list(logs.follow(str(tmp_path), tail=None, goes_on=goes_on)) == [line(1)]


def test_a_slow_follower_misses_nothing_by_rotations(tmp_path: Path):
    def much() -> None:
        for number in (2, 4):
            write(tmp_path, number)
            rotate(tmp_path)
            write(tmp_path, number + 1)

    write(tmp_path, 1)
    found = list(logs.follow(str(tmp_path), tail=None, goes_on=ends_after(much)))
    assert found == [line(number) for number in (1, 2, 3, 4, 5)]


def test_a_line_may_come_in_two_halves(tmp_path: Path):
    def half(which: slice) -> None:
        with open(tmp_path / "log", "ab") as file:
            file.write(lines(1)[which])

    goes_on = ends_after(lambda: half(slice(0, 20)), lambda: half(slice(20, None)))
    assert list(logs.follow(str(tmp_path), tail=None, goes_on=goes_on)) == [line(1)]


@pytest.mark.parametrize("asked", [0, 1])
def test_a_follower_that_leaves_early_leaves_nothing_open(tmp_path: Path, asked: int):
    write(tmp_path, 1, 2)
    rotate(tmp_path)
    write(tmp_path, 3)
    before = os.listdir("/proc/self/fd")
    follower = logs.follow(str(tmp_path), tail=None, goes_on=lambda: True)
    assert [next(follower) for _ in range(asked)] == [line(1)][:asked]
    follower.close()  # type: ignore[attr-defined]  # a generator
    assert os.listdir("/proc/self/fd") == before
