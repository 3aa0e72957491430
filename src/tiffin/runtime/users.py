"""Who a program runs as: names are looked up in the container's own files, which are read as data and never trusted."""

from __future__ import annotations

import os
import stat

from tiffin.kernel.files import open_in_root
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST = 4 << 20  # bytes of a passwd or group file that we read; more is no such file
HIGHEST_ID = 2**32 - 2


class User(NamedTuple):
    uid: int
    gid: int
    groups: list[int]
    """the primary group first, then the further ones"""
    home: str


class NoSuchUser(LookupError):
    """The text says which user or group, and where it was looked for."""


def find_user(root: int, wanted: str, extra_groups: tuple[str, ...]) -> User:
    """The user of Docker's --user: "", name, uid, name:group, uid:gid. Raises NoSuchUser.

    As with Docker a number need not be in the files; a user's further groups come from the group file, unless a group
    is named.
    """
    user, _, group = wanted.partition(":")
    user = user or "0"
    entry = next((fields for fields in _lines(root, "/etc/passwd", 7) if user in (fields[0], fields[2])), None)
    if entry is None and not _is_number(user):
        raise NoSuchUser(f"unable to find user {user}: no matching entries in passwd file")
    uid = _id(entry[2] if entry else user)
    gid = _id(entry[3]) if entry else 0
    groups = list(_lines(root, "/etc/group", 4))
    if group:
        gid, further = _group(groups, group), []
    else:
        name = entry[0] if entry else None
        further = [_id(fields[2]) for fields in groups if name in fields[3].split(",")]
    further += [_group(groups, name) for name in extra_groups]
    # the primary one too: else a set-group-id program drops it, and passes what is closed to it (CVE-2022-36109)
    return User(uid, gid, list(dict.fromkeys((gid, *further))), entry[5] if entry else "/")


def _group(groups: list[list[str]], wanted: str) -> int:
    for fields in groups:
        if wanted in (fields[0], fields[2]):
            return _id(fields[2])
    if not _is_number(wanted):
        raise NoSuchUser(f"unable to find group {wanted}: no matching entries in group file")
    return _id(wanted)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _id(text: str) -> int:
    if not _is_number(text) or len(text) > 10 or int(text) > HIGHEST_ID:
        raise NoSuchUser(f"{text[:20]} is no user or group id: those are 0 to {HIGHEST_ID}")
    return int(text)


def _lines(root: int, path: str, size: int) -> Iterator[list[str]]:
    """The fields of each well-formed line; none where there is no such regular file."""
    try:
        # never wait: the image may have put a FIFO there
        descriptor = open_in_root(root, path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return
    content = b""
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        while len(content) < LARGEST and (chunk := os.read(descriptor, 65536)):
            content += chunk
    os.close(descriptor)
    for line in content.decode("utf-8", "replace").split("\n"):
        fields = line.strip().split(":")
        if len(fields) >= size:
            yield fields
