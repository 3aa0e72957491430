"""What differs from run to run and from machine to machine, put in the place of what never does.

    steady = Steady({"joy": container.id, …}, {root: "/var/lib/tiffin"})
    steady.value(picture)       the same picture with made-up ids, set times, and nothing that a kernel decides

Ids, times, pids, control groups and gauges are real, but nobody's business; all that a verb does stays as it was drawn.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, TypeVar

from tiffin.model.nouns import State
from tiffin.view.picture import Card, Gauge, Namespace, Picture, Process, Protection, Space, Tray

T = TypeVar("T")

NOW = 1_700_000_000.0  # seconds since 1970
MOMENT = "2023-11-14 22:08:20 UTC"  # five minutes before
AGE = 300.0  # seconds for which every state has lasted
MEMORY = 1_100_000  # bytes in use
FIRST_PID = 4100  # on the host, of the first process
CAPABILITIES = "41"  # there are that many since Linux 5.9
HEX = re.compile(r"[0-9a-f]{12,64}")
DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")
OWN = ("mnt", "pid", "net", "ipc", "uts", "cgroup")
SHARED = ("user",)
TOLD = {
    "capabilities": "14 of 41: chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap, net_bind_service, "
    "net_raw, sys_chroot, mknod, audit_write, setfcap",
    "system calls": "filtered",
    "user": "0:0; the same as on the host",
    "root folder": "read-write",
}
"""the protections that are told, as most machines tell them"""


class UnknownId(Exception):
    """The story has made something, and not said what it is called."""


class Steady:
    """`ids` are real ids by the names that the story has for them, `places` are folders and what they are called."""

    def __init__(self, ids: Mapping[str, str], places: Mapping[str, str]) -> None:
        self._ids = {id.removeprefix("sha256:"): sha256(name.encode()).hexdigest() for name, id in ids.items()}
        self._places = dict(sorted(places.items(), key=lambda place: -len(place[0])))

    def value(self, value: T) -> T:
        """A picture, an explanation, a text, or a tuple of them."""
        made: T = self._of(value)
        return made

    def _of(self, value: Any) -> Any:  # any of the records of a picture
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, frozenset):
            return frozenset(map(self._of, value))
        if not isinstance(value, tuple):
            return value
        if not hasattr(value, "_replace"):
            return tuple(map(self._of, value))
        pinned = _pinned(value)
        return pinned._replace(**{name: self._of(field) for name, field in pinned._asdict().items()})

    def _text(self, text: str) -> str:
        for place, name in self._places.items():
            text = text.replace(place, name)
        return re.sub(r"of \d+ (?=capabilities)", f"of {CAPABILITIES} ", HEX.sub(self._made_up, text))

    def _made_up(self, found: re.Match[str]) -> str:
        for id, other in self._ids.items():
            if id.startswith(found[0]):
                return other[: len(found[0])]
        raise UnknownId(f"what is {found[0]}? Give it a name in tools/story.py")


def _pinned(value: Any) -> Any:  # any of the records of a picture
    if isinstance(value, Picture):
        return value._replace(at=NOW)
    if isinstance(value, Tray):
        return value._replace(since=NOW - AGE if value.since else 0.0)
    if isinstance(value, Space):
        return _space(value)
    if isinstance(value, Card):
        return value._replace(rows=tuple((key, DATE.sub(MOMENT, text)) for key, text in value.rows))
    return value


def _space(space: Space) -> Space:
    """Processes by their rank. Where the kernel was asked, namespaces, group and use are those of a usual machine."""
    processes = space.processes
    if processes is not None:
        ranks = {process.pid: rank for rank, process in enumerate(sorted(processes), start=1)}
        processes = tuple(
            Process(ranks[one.pid], FIRST_PID + ranks[one.pid], ranks.get(one.parent, 0), one.name) for one in processes
        )
    if not space.namespaces:
        return space._replace(processes=processes)
    own = {namespace.kind for namespace in space.namespaces if namespace.is_own}
    told = {protection.name: protection.text for protection in space.protections}
    return Space(
        processes,
        tuple(Namespace(kind, 0, kind in own) for kind in (*OWN, *SHARED)),
        "/tiffin/joy",
        (Gauge("memory", MEMORY, None), Gauge("processes", len(processes or ()), None), Gauge("cpus", 0, None)),
        tuple(Protection(name, _told(name, told[name])) for name in TOLD),
    )


def _told(name: str, text: str) -> str:
    """Only where it holds at all: a protection that is not there is not drawn as if it were."""
    usual = TOLD[name]
    return usual if text.startswith(usual.split(" ")[0].rstrip(";")) else text


def without(table: str, title: str) -> str:
    """The lines of a table, without the column of that title."""
    lines = table.splitlines()
    start = lines[0].index(title)
    end = start + len(lines[0][start:]) - len(lines[0][start + len(title) :].lstrip())
    return "\n".join((line[:start] + line[end:]).rstrip() for line in lines)


def slim(picture: Picture) -> Picture:
    """Only the stack and its processes."""
    trays = tuple(
        tray._replace(space=Space(tray.space.processes)) if tray.space and tray.state != State.EXITED else tray
        for tray in picture.trays
    )
    return picture._replace(view=None, cards=(), trays=trays)
