"""Writing a tar: from entries and the content of files to a stream of bytes.

There is one way to write an entry, so that equal trees give equal bytes, and with them equal ids. It is ustar
(POSIX.1-1988); only what does not fit there is said in a pax header before it (POSIX.1-2001): names and link targets
that are too long, owners and sizes that are too big, fractions of seconds, and extended attributes as SCHILY.xattr.*,
by which GNU tar, libarchive and Docker know them. There are no names of owners, only numbers; folders end in a slash;
a sparse file is written out with all its zeros, as every reader understands that (OCI image-spec, layer.md, "File
Attributes": sparse files should not be used).
"""

from __future__ import annotations

import io
import os
import stat
from struct import Struct

from tiffin.errors import Conflict
from tiffin.layers.entry import HARD_LINK, Entry
from tiffin.layers.names import shown
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

BLOCK = 512
_FIELDS = Struct("100s48s8sc100s8s64x8s8s155s12x")
_ZERO = b"0000000\0"
END = bytes(2 * BLOCK)
_FLAGS = {
    HARD_LINK: b"1",
    stat.S_IFREG: b"0",
    stat.S_IFLNK: b"2",
    stat.S_IFCHR: b"3",
    stat.S_IFBLK: b"4",
    stat.S_IFDIR: b"5",
    stat.S_IFIFO: b"6",
}


class Member(NamedTuple):
    """An entry and, for a file, how to get a descriptor of its content."""

    entry: Entry
    open: Callable[[], int] | None = None

    def content(self) -> Content:
        return Content(self.entry, self.open() if self.open and self.entry.stored else -1)


class TarStream(io.RawIOBase):
    """The members as a tar, to be read. Each is asked for when the one before has been read to its end.

    Reading raises Conflict where a file has become shorter since its entry was made.
    """

    def __init__(self, members: Iterable[Member]) -> None:
        self._parts = _parts(members)
        self._text = memoryview(b"")
        self._file: Content | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._text:
            if self._file is not None and self._file.left:
                return self._file.readinto(memoryview(buffer))  # a slice of a bytearray would be a copy
            part = next(self._parts, None)
            if part is None:
                return 0
            if isinstance(part, Content):
                self._file = part
            else:
                self._text = memoryview(part)
        count = min(len(buffer), len(self._text))
        buffer[:count], self._text = self._text[:count], self._text[count:]
        return count

    def close(self) -> None:
        self._parts.close()
        super().close()


def pieces(stream: io.RawIOBase, size: int = 1 << 20) -> Iterator[bytes]:
    """What a stream holds, in pieces of `size` bytes and a last one."""
    buffer = bytearray(size)
    view, filled = memoryview(buffer), 0
    while count := stream.readinto(view[filled:]):
        filled += count
        if filled == size:
            yield bytes(buffer)
            filled = 0
    if filled:
        yield bytes(view[:filled])


def header(entry: Entry) -> bytes:
    """The header blocks of an entry."""
    name = entry.name + b"/" if entry.kind == stat.S_IFDIR else entry.name
    prefix, base = _split(name)
    records = _records(entry, name if len(name) > 100 and not prefix else b"")
    seconds = entry.mtime // 1_000_000_000
    numbers = _numbers(entry.mode, entry.uid, entry.gid, entry.stored, seconds)
    plain = _block(base, numbers, _FLAGS[entry.kind], entry.link, entry.device, prefix)
    return _extended(name, records) + plain if records else plain


def _records(entry: Entry, name: bytes) -> list[tuple[bytes, bytes]]:
    """What does not fit into the plain header. `name` is empty where it fits."""
    seconds, fraction = divmod(entry.mtime, 1_000_000_000)
    records: list[tuple[bytes, bytes]] = []
    if name:
        records.append((b"path", name))
    if len(entry.link) > 100:
        records.append((b"linkpath", entry.link))
    if fraction or not _fits(seconds, 11):
        records.append((b"mtime", _decimal(entry.mtime)))
    for key, number, digits in ((b"uid", entry.uid, 7), (b"gid", entry.gid, 7), (b"size", entry.stored, 11)):
        if not _fits(number, digits):
            records.append((key, b"%d" % number))
    return records + [(b"SCHILY.xattr." + _attribute(key), content) for key, content in entry.xattrs]


def _parts(members: Iterable[Member]) -> Generator[bytes | Content, None, None]:
    for member in members:
        yield header(member.entry)
        if member.entry.stored:
            with member.content() as content:
                yield content
            yield bytes(-member.entry.stored % BLOCK)
    yield END


class Content:
    """An open file, of which just as much is read as its entry says: it may be growing."""

    def __init__(self, entry: Entry, descriptor: int) -> None:
        self._entry, self._descriptor = entry, descriptor
        self.left = entry.stored

    def __enter__(self) -> Content:
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def readinto(self, buffer: memoryview, /) -> int:
        count = os.readv(self._descriptor, [buffer[: self.left]])
        if not count:
            raise Conflict(f"{shown(self._entry.name)} became shorter while it was read; pause or stop the container")
        self.left -= count
        return count


def _numbers(mode: int, uid: int, gid: int, size: int, mtime: int) -> bytes:
    """The five fields; 0 where a number does not fit: then a pax record has it."""
    if not (_fits(uid, 7) and _fits(gid, 7) and _fits(size, 11) and _fits(mtime, 11)):
        uid, gid = uid * _fits(uid, 7), gid * _fits(gid, 7)
        size, mtime = size * _fits(size, 11), mtime * _fits(mtime, 11)
    return b"%07o\0%07o\0%07o\0%011o\0%011o\0" % (mode, uid, gid, size, mtime)


def _block(name: bytes, numbers: bytes, flag: bytes, link: bytes, device: tuple[int, int], prefix: bytes) -> bytes:
    major, minor = (b"%07o\0" % number for number in device) if device != (0, 0) else (_ZERO, _ZERO)
    fields = [name[:100], numbers, b" " * 8, flag, link[:100], b"ustar\0" + b"00", major, minor, prefix]
    fields[2] = b"%06o\0 " % sum(b"".join(fields))
    return _FIELDS.pack(*fields)


def _fits(number: int, digits: int) -> bool:
    return 0 <= number < 1 << 3 * digits


def _split(name: bytes) -> tuple[bytes, bytes]:
    """A name as prefix and name: a long one is cut at a slash; where that cannot be, the prefix is empty."""
    if len(name) <= 100:
        return b"", name
    cut = name.rfind(b"/", 0, min(156, len(name) - 1))
    if cut > 0 and len(name) - cut - 1 <= 100:
        return name[:cut], name[cut + 1 :]
    return b"", name[:100]


def _extended(name: bytes, records: list[tuple[bytes, bytes]]) -> bytes:
    content = b"".join(_record(key, value) for key, value in records)
    base = b"PaxHeaders/" + name.rstrip(b"/").rpartition(b"/")[2][:80]
    block = _block(base, _numbers(0o644, 0, 0, len(content), 0), b"x", b"", (0, 0), b"")
    return block + content + bytes(-len(content) % BLOCK)


def _record(key: bytes, value: bytes) -> bytes:
    """ "LENGTH KEY=VALUE\\n", the length counting its own digits too."""
    rest = len(key) + len(value) + 3
    length = rest + len(str(rest))
    length = rest + len(str(length))
    return b"%d %s=%s\n" % (length, key, value)


def _decimal(nanoseconds: int) -> bytes:
    seconds, fraction = divmod(abs(nanoseconds), 1_000_000_000)
    text = f"{seconds}.{fraction:09}".rstrip("0").rstrip(".")
    return (f"-{text}" if nanoseconds < 0 else text).encode()


def _attribute(name: str) -> bytes:
    return os.fsencode(name).replace(b"%", b"%25").replace(b"=", b"%3D")  # as GNU tar does: "=" ends a key
