"""What happened, as JSON lines that any number of processes write and follow.

    <runroot>/events/<number of its first line>     at most 16 MB each, two of them
    <runroot>/events/counter                        the lock, and the last number given

Each line is at most 4 KB, appended under a lock that gives it its number; a number that is missing tells a follower
that it came too late. The form is that of Docker's events, with `n` beside it. A line that death or a full disk cut
short is passed over.
"""

from __future__ import annotations

import os
import time
from errno import EDQUOT, ENOSPC
from fcntl import LOCK_EX, flock

from tiffin import json
from tiffin.kernel.inotify import Watch
from tiffin.record import NamedTuple
from tiffin.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LARGEST_FILE = 16 << 20
LARGEST_LINE = 4096
LARGEST_HEAD = 64  # the number and the time
LONGEST_ACTION = 200  # characters, if the line would be too long
KEPT = ("name", "image", "execID", "exitCode")
"""the attributes of an event that has no room for more"""


class Event(NamedTuple):
    """`kind` is container or image; `action` create, start, die, ...; `time` in nanoseconds since 1970."""

    number: int
    time: int
    kind: str
    action: str
    id: str
    attributes: dict[str, str]


class Missed(NamedTuple):
    """Told to a follower in the place of events that were rotated away before it read them."""

    lost: int


def emit(store: Store, kind: str, action: str, id: str, attributes: dict[str, str]) -> None:
    """Tell everybody who follows. Not synced: events are of this boot. A full disk loses events, never the verb."""
    append(store.run_path("events"), prepared(kind, action, id, attributes))


def prepared(kind: str, action: str, id: str, attributes: dict[str, str]) -> bytes:
    """All of an event but its number and time, for `append`."""
    form = {"Type": kind, "Action": action, "ID": id, "Attributes": attributes}
    content = json.dumps(form).encode()
    if len(content) > LARGEST_LINE - LARGEST_HEAD:  # long labels or words of an exec: the event matters more
        form["Attributes"] = {key: text for key, text in attributes.items() if key in KEPT}
        content = json.dumps({**form, "Action": action[:LONGEST_ACTION]}).encode()
    return content[1:] + b"\n"


def append(folder: str, *contents: bytes) -> None:
    """Emit what was prepared, of one moment. `folder` is that of the events."""
    try:
        counter = _open_counter(folder)
        try:
            flock(counter, LOCK_EX)  # the file is never removed, so that a plain lock will do
            first, last = _numbers(counter, folder)
            if first and _size(f"{folder}/{first}") > LARGEST_FILE:
                _drop_older_than(folder, first)
                first = 0
            # counted before it is written: who dies in between leaves a gap, and no number twice
            os.pwrite(counter, b"%20d%20d" % (first or last + 1, last + len(contents)), 0)
            now, numbered = time.time_ns(), enumerate(contents, last + 1)
            lines = [b'{"n": %d, "time": %d, ' % (number, now) + content for number, content in numbered]
            _append(f"{folder}/{first or last + 1}", b"".join(lines))
        finally:
            os.close(counter)
    except OSError as error:
        if error.errno not in (ENOSPC, EDQUOT):
            raise


def read(store: Store, *, after: int = 0) -> list[Event | Missed]:
    """The events that are still there, those with a number greater than `after`."""
    folder, found = store.run_path("events"), list[Event | Missed]()
    for name in _files(folder):
        try:
            with open(f"{folder}/{name}", "rb") as file:
                events = list(_events(file))
        except FileNotFoundError:  # rotated away meanwhile
            continue
        found += [event for event in events if event.number > after]
    first = found[0].number if found and isinstance(found[0], Event) else 0
    if after and first > after + 1:
        found.insert(0, Missed(first - after - 1))
    return found


def follow(store: Store, *, after: int, until: float | None = None) -> Iterator[Event | Missed]:
    """The events after that number as they come, until a time (seconds since 1970) or for ever."""
    folder = store.run_path("events")
    os.makedirs(folder, 0o700, exist_ok=True)
    watch = Watch(folder)
    try:
        while True:
            for event in read(store, after=after):
                after = event.number if isinstance(event, Event) else after
                yield event
            left = None if until is None else until - time.time()
            if left is not None and left <= 0:
                return
            watch.wait(left)
    finally:
        watch.close()


def last_number(store: Store) -> int:
    """The number of the newest event; 0 if there is none."""
    folder = store.run_path("events")
    return _last_number(folder, _files(folder))


def _open_counter(folder: str) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    try:
        return os.open(f"{folder}/counter", flags, 0o600)
    except FileNotFoundError:
        os.makedirs(folder, 0o700, exist_ok=True)
        return os.open(f"{folder}/counter", flags, 0o600)


def _numbers(counter: int, folder: str) -> tuple[int, int]:
    """The number in the name of the newest file, and that of the last event: as written, or else as found."""
    text = os.pread(counter, 40, 0)
    if len(text) == 40:
        return int(text[:20]), int(text[20:])
    names = _files(folder)
    return (names[-1], _last_number(folder, names)) if names else (0, 0)


def _drop_older_than(folder: str, newest: int) -> None:
    for name in _files(folder):
        if name < newest:
            os.unlink(f"{folder}/{name}")


def _events(lines: Iterable[bytes]) -> Iterator[Event]:
    for line in lines:
        try:
            form = json.loads(line)
            yield Event(form["n"], form["time"], form["Type"], form["Action"], form["ID"], form["Attributes"])
        except (ValueError, KeyError, TypeError):  # cut short, or just being written
            continue


def _files(folder: str) -> list[int]:
    try:
        return sorted(int(name) for name in os.listdir(folder) if name.isdigit())
    except FileNotFoundError:
        return []


def _last_number(folder: str, names: list[int]) -> int:
    if not names:
        return 0
    with open(f"{folder}/{names[-1]}", "rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(0, end - 2 * LARGEST_LINE))
        numbers = [event.number for event in _events(file.read().splitlines())]
    return numbers[-1] if numbers else names[-1] - 1


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:  # who was to begin it died
        return 0


def _append(path: str, line: bytes) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        end = os.fstat(descriptor).st_size
        is_torn = end > 0 and os.pread(descriptor, 1, end - 1) != b"\n"
        os.write(descriptor, b"\n" + line if is_torn else line)
    finally:
        os.close(descriptor)
