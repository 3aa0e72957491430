"""Reading what a container has written: Docker's json-file form, oldest file first."""

from __future__ import annotations

import calendar
import json
import os
import time
from collections.abc import Callable, Iterator

from tiffin.kernel.inotify import Watch
from tiffin.record import NamedTuple

FILES = 100  # the most that `--log-opt max-file` may ask for


class LogLine(NamedTuple):
    """`time` as written (RFC 3339, UTC, nanoseconds); `text` with its line feed, where there was one."""

    stream: str
    time: str
    text: bytes


class Span(NamedTuple):
    """From when to when, in seconds since 1970; None for no end."""

    since: float | None = None
    until: float | None = None

    def holds(self, line: LogLine) -> bool:
        if self.since is None and self.until is None:
            return True
        time = seconds_of(line.time)
        return (self.since is None or time >= self.since) and (self.until is None or time <= self.until)


def read(folder: str, span: Span = Span(), *, tail: int | None = None) -> list[LogLine]:
    """All lines that are there, or the last `tail`. A line that is being written is left out."""
    lines = _older(folder)
    if os.path.exists(f"{folder}/log"):
        with open(f"{folder}/log", "rb") as file:
            lines += _parse(file.read().split(b"\n")[:-1])
    return _last(list(filter(span.holds, lines)), tail)


def follow(folder: str, span: Span = Span(), *, tail: int | None, goes_on: Callable[[], bool]) -> Iterator[LogLine]:
    """The lines that are there and those that come, until `goes_on` says no and everything was read."""
    watch = Watch(folder)
    try:
        while not os.path.exists(f"{folder}/log"):
            if not goes_on():
                return
            watch.wait(1.0)
        lines = _older(folder)
        file = open(f"{folder}/log", "rb")  # a rotation replaces it
        *whole, rest = file.read().split(b"\n")
        yield from _last(list(filter(span.holds, lines + _parse(whole))), tail)
        while True:
            more = goes_on()  # before reading, so that what was written last is read
            rotated = _was_rotated(folder, file.fileno())
            *whole, rest = (rest + file.read()).split(b"\n")
            yield from filter(span.holds, _parse(whole))
            if span.until is not None and time.time() > span.until:
                file.close()
                return
            if rotated:
                file.close()
                file = open(f"{folder}/log", "rb")
            elif not more:
                file.close()
                return
            else:
                watch.wait(1.0)
    finally:
        watch.close()


def _older(folder: str) -> list[LogLine]:
    lines = list[LogLine]()
    for number in range(FILES, 0, -1):
        try:
            with open(f"{folder}/log.{number}", "rb") as file:
                lines += _parse(file.read().split(b"\n"))
        except FileNotFoundError:
            continue
    return lines


def _last(lines: list[LogLine], tail: int | None) -> list[LogLine]:
    return lines if tail is None else lines[max(0, len(lines) - tail) :]


def _parse(lines: list[bytes]) -> list[LogLine]:
    found = list[LogLine]()
    for line in filter(None, lines):
        try:
            form = json.loads(line)
            found.append(LogLine(form["stream"], form["time"], form["log"].encode("utf-8", "surrogateescape")))
        except (ValueError, KeyError):  # a crash cut it short
            continue
    return found


def _was_rotated(folder: str, descriptor: int) -> bool:
    try:
        there = os.stat(f"{folder}/log")
    except FileNotFoundError:
        return False
    return there.st_ino != os.fstat(descriptor).st_ino


def seconds_of(text: str) -> float:
    """Of a time as it is written in a log: RFC 3339, UTC."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float(f"0.{fraction or 0}")
