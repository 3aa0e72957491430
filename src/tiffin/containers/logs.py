"""Reading what a container has written: Docker's json-file form, oldest file first."""

from __future__ import annotations

import calendar
import os
import time

from tiffin import json
from tiffin.kernel.inotify import Watch
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

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
    files = _newer(folder, None)
    lines, _ = _past(files, span)
    for file in files:
        file.close()
    return _last(lines, tail)


def follow(
    folder: str, span: Span = Span(), *, tail: int | None, goes_on: Callable[[], bool], wake: int = -1
) -> Iterator[LogLine]:
    """The lines that are there and those that come, until `goes_on` says no and everything was read.

    `goes_on` is asked again when something was written, when the descriptor `wake` is readable, and each second.
    """
    watch, files = Watch(folder), _newer(folder, None)
    try:
        while not files:
            more = goes_on()  # before looking, so that a log that came last is read
            files = _newer(folder, None)
            if not files:
                if not more:
                    return
                watch.wait(1.0, also=wake)
        lines, rest = _past(files, span)
        yield from _last(lines, tail)
        while True:
            more = goes_on()  # before reading, so that what was written last is read
            files += _newer(folder, files[-1])
            *whole, rest = (rest + files[0].read()).split(b"\n")
            yield from filter(span.holds, _parse(whole))
            if span.until is not None and time.time() > span.until:
                return
            if len(files) > 1:  # a rotation, or several
                files.pop(0).close()
            elif more:
                watch.wait(1.0, also=wake)
            else:
                return
    finally:
        watch.close()
        for file in files:
            file.close()


def _past(files: list[BinaryIO], span: Span) -> tuple[list[LogLine], bytes]:
    """The lines that are there, and the beginning of the next. All files but the last are then closed."""
    lines, rest = list[LogLine](), b""
    while files:
        *whole, rest = files[0].read().split(b"\n")
        lines += filter(span.holds, _parse(whole))
        if len(files) == 1:
            break
        files.pop(0).close()
    return lines, rest


def _newer(folder: str, known: BinaryIO | None) -> list[BinaryIO]:
    """The files of the log that are newer than one that is known; all if none is. Open, and the oldest first.

    From the newest to the oldest, so that a rotation meanwhile may show a file twice, but never hides one.
    """
    found: dict[int, BinaryIO] = {}
    for name in ("log", *(f"log.{number}" for number in range(1, FILES))):
        try:
            file = open(f"{folder}/{name}", "rb")
        except FileNotFoundError:
            continue
        is_known = known is not None and _inode(file) == _inode(known)
        if is_known or _inode(file) in found:
            file.close()
        else:
            found[_inode(file)] = file
        if is_known:
            break
    return list(found.values())[::-1]


def _inode(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_ino


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


def seconds_of(text: str) -> float:
    """Of a time as it is written in a log: RFC 3339, UTC."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float(f"0.{fraction or 0}")
