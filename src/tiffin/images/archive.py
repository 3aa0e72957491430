"""An archive of images as a set of named members, wherever it comes from: a tar file, a folder, or a stream.

        tar file on disk                    members are windows on it: nothing is copied
        a folder                            members are its files
        standard input, a compressed tar    written to a draft first, as plain tar: members come in any order

Nothing in it is trusted. Names with `..`, absolute names, links that lead out, devices and holes are refused.
"""

from __future__ import annotations

import io
import os
import stat
from contextlib import contextmanager
from typing import BinaryIO, Protocol

from tiffin.errors import BadArchive, NoSuchPath
from tiffin.images import forms
from tiffin.kernel.files import RESOLVE_BENEATH, RESOLVE_NO_MAGICLINKS, openat2
from tiffin.layers.compression import Inflated, Readable, uncompressed
from tiffin.layers.entry import HARD_LINK, Entry
from tiffin.layers.names import parts, shown
from tiffin.layers.space import Room
from tiffin.layers.tarreader import entries
from tiffin.record import NamedTuple
from tiffin.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 512
CHUNK = 1 << 20
MOST_MEMBERS = 100_000
MOST_LINKS = 20


class Archive(Protocol):
    """Members by name. A name is relative, without `.` and `..`."""

    def open(self, name: str) -> io.BufferedReader:
        """Raises BadArchive where there is no such file."""
        ...

    def has(self, name: str) -> bool: ...

    def size(self, name: str) -> int:
        """In bytes. Raises BadArchive where there is no such file."""
        ...


def read(archive: Archive, name: str) -> bytes:
    """A small member: a manifest or a config. Raises BadArchive where it is missing or no small one."""
    with archive.open(name) as member:
        content = member.read(forms.LARGEST + 1)
    if len(content) > forms.LARGEST:
        raise BadArchive(
            f"{_shown(name)} in the archive has more than {forms.LARGEST >> 20} MB; it should be a small document"
        )
    return content


@contextmanager
def opened(source: BinaryIO | str, store: Store) -> Iterator[Archive]:
    """The archive in a file, a folder, or a stream that is read to its end.

    Raises NoSuchPath, or BadArchive for what is no tar.
    """
    if not isinstance(source, str):
        with _opened_stream(source, store) as archive:
            yield archive
    elif os.path.isdir(source):
        folder = Folder(source)
        try:
            yield folder
        finally:
            folder.close()
    else:
        with _opened_file(source) as file, _opened_stream(file, store) as archive:
            yield archive


def _opened_file(path: str) -> BinaryIO:
    try:
        return open(path, "rb")
    except OSError as error:
        raise NoSuchPath(f"cannot open {path}: {error.strerror}") from error


def readable(source: BinaryIO) -> Readable:
    """Any binary file as the readers of layers want it. Sockets and responses often know `read` only."""
    return source if isinstance(source, io.RawIOBase | io.BufferedIOBase) else _ByRead(source)


@contextmanager
def _opened_stream(source: BinaryIO, store: Store) -> Iterator[Archive]:
    start = _place_in_file(source)
    plain = uncompressed(readable(source))
    if not isinstance(plain, Inflated) and start is not None:
        yield TarFile(source.fileno(), start)
        return
    with store.draft() as draft, open(f"{draft.path}/archive", "x+b", buffering=0) as spool:
        _copy(plain, spool, Room(draft.path))
        yield TarFile(spool.fileno(), 0)


class TarFile:
    """A tar in a file that can be read at any place."""

    def __init__(self, descriptor: int, start: int) -> None:
        self._descriptor = descriptor
        self._members = _index(_Skimmer(descriptor, start))

    def open(self, name: str) -> io.BufferedReader:
        member = self._file(name)
        return io.BufferedReader(Window(self._descriptor, member.offset, member.size), CHUNK)

    def has(self, name: str) -> bool:
        return isinstance(self._find(name), _File)

    def size(self, name: str) -> int:
        return self._file(name).size

    def _file(self, name: str) -> _File:
        member = self._find(name)
        if isinstance(member, _Link):
            raise BadArchive(f"{_shown(name)} is missing in the archive: it is incomplete, or holds no images")
        return member

    def _find(self, name: str) -> _File | _Link:
        """What the name leads to. `docker save` before 25 writes a layer once and links to it from other images."""
        member = self._members.get(name)
        for _ in range(MOST_LINKS):
            if not isinstance(member, _Link):
                break
            name = member.target
            member = self._members.get(name)
        return member or _Link(name)


class Folder:
    """An unpacked archive, or an OCI layout that was made as a folder."""

    def __init__(self, path: str) -> None:
        self._folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def open(self, name: str) -> io.BufferedReader:
        try:
            return open(self._descriptor(name), "rb")
        except OSError as error:
            raise BadArchive(f"cannot read {_shown(name)} in the folder: {error.strerror}") from error

    def size(self, name: str) -> int:
        with self.open(name) as file:
            return os.fstat(file.fileno()).st_size

    def has(self, name: str) -> bool:
        try:
            os.close(self._descriptor(name))
        except OSError:
            return False
        return True

    def close(self) -> None:
        os.close(self._folder)

    def _descriptor(self, name: str) -> int:
        # O_NONBLOCK: a FIFO must not hang us
        descriptor = openat2(
            self._folder, name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS
        )
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise FileNotFoundError(2, "it is no file")
        return descriptor


class Window(io.RawIOBase):
    """A part of a file, as a stream of its own: windows on one descriptor don't disturb each other."""

    def __init__(self, descriptor: int, offset: int, size: int) -> None:
        self._descriptor, self._at, self._end = descriptor, offset, offset + size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count = os.preadv(self._descriptor, [buffer[: self._end - self._at]], self._at)
        self._at += count
        return count


class _ByRead(io.RawIOBase):
    def __init__(self, source: BinaryIO) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        content = self._source.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)


class _File(NamedTuple):
    offset: int
    size: int


class _Link(NamedTuple):
    """One more name for another member; without one of that name, for nothing."""

    target: str


class _Skimmer:
    """A tape that is wound forward instead of read: what a reader of entries needs of one."""

    def __init__(self, descriptor: int, start: int) -> None:
        self.position = start
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size

    def block(self) -> bytes | None:
        return self.take(BLOCK) if self.position < self._size else None

    def take(self, size: int) -> bytes:
        content = os.pread(self._descriptor, size, self.position)
        self.skip(size)
        return content

    def skip(self, size: int) -> None:
        self.position += size
        if self.position > self._size:
            raise BadArchive("the archive ends in the middle of a member: it is cut off")

    def rest(self) -> Iterator[bytes]:
        return iter(())


def _index(tape: _Skimmer) -> dict[str, _File | _Link]:
    members: dict[str, _File | _Link] = {}
    for entry in entries(tape):
        name = os.fsdecode(b"/".join(parts(entry.name)))
        if name and (member := _member(entry, name, tape.position)) is not None:
            members[name] = member
        if len(members) > MOST_MEMBERS:
            raise BadArchive(f"the archive has more than {MOST_MEMBERS} members: it is no archive of images")
        tape.skip(entry.stored)
    return members


def _member(entry: Entry, name: str, position: int) -> _File | _Link | None:
    if entry.kind == stat.S_IFREG:
        if entry.segments is not None:
            raise BadArchive(f"{_shown(name)} is a sparse file; no program writes an archive of images so")
        return _File(position, entry.stored)
    if entry.kind in (stat.S_IFLNK, HARD_LINK):
        target = os.fsdecode(entry.link)
        beside = "" if entry.kind == HARD_LINK else os.path.dirname(name)
        goal = os.path.normpath(os.path.join(beside, target))
        if goal.startswith(("/", "..")):
            raise BadArchive(f"{_shown(name)} in the archive is a link that leads out of it, to {shown(entry.link)!r}")
        return _Link(goal)
    if entry.kind == stat.S_IFDIR:
        return None
    raise BadArchive(f"{_shown(name)} in the archive is neither file, folder nor link")


def _shown(name: str) -> str:
    return shown(os.fsencode(name))


def _place_in_file(source: BinaryIO) -> int | None:
    """Where in a plain file the stream stands, or None for a pipe and whatever has no descriptor."""
    try:
        descriptor = source.fileno()
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return source.tell()
    except (OSError, AttributeError):
        pass
    return None


def _copy(source: Readable, target: io.FileIO, room: Room) -> None:
    buffer = memoryview(bytearray(CHUNK))
    while count := source.readinto(buffer):
        room.spend(count)
        piece = buffer[:count]
        while piece:
            piece = piece[target.write(piece) :]
