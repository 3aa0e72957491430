"""The header stream: what a layer's tar holds besides the content of its files, so that it can be made again.

A tree does not know in which order, with which padding and with which kind of headers its tar was written, and the
layer's diff id is the digest of just those bytes. So they are kept beside the tree, in the file `headers`:

    "tiffin headers 1\\n"                                        17 bytes
    size of the tar, u64; its digest, "sha256:" and hex          8 + 71 bytes
    the records, compressed with zlib (RFC 1950):
        "L", size u32, that many bytes                           literal bytes of the tar
        "B", number u32, size u64, crc-32 u32,                   here comes the content of a file of the tree
             length of path u16, count of segments u32,          (crc-32 of it as in gzip); of a sparse file
             path, (offset u64, length u64) per segment          only its segments, unless the count is 2^32-1
        "E"                                                      the end

Numbers are little-endian. A body's number is its place among the bodies. A file that a later entry of the same tar
replaced is in no tree any more: its content stands here, as a literal.
"""

from __future__ import annotations

import os
from struct import Struct

from tiffin.errors import StoreDamaged
from tiffin.layers.names import shown
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Protocol

    Segments = tuple[tuple[int, int], ...]

    class _Packer(Protocol):
        def compress(self, data: bytes, /) -> bytes: ...
        def flush(self) -> bytes: ...


MAGIC = b"tiffin headers 1\n"
BATCH = 1 << 18
_FRONT = Struct("<17sQ71s")
_LITERAL = Struct("<cI")
_BODY = Struct("<cIQIHI")
_SEGMENT = Struct("<QQ")
_NO_SEGMENTS = 0xFFFFFFFF


class Body(NamedTuple):
    """The place of a file's content in the tar."""

    number: int
    path: bytes
    size: int
    crc: int
    segments: Segments | None

    @property
    def stored(self) -> int:
        """Bytes in the tar."""
        return self.size if self.segments is None else sum(length for _, length in self.segments)


class HeaderWriter:
    """Writes the header stream of a tar that is being read. `spent` is told how many bytes go to the disk."""

    def __init__(self, path: str, spent: Callable[[int], None] = lambda count: None) -> None:
        self._file = open(path, "xb", buffering=0)
        self._packer = _packer()
        self._literals: list[bytes] = []
        self._records = bytearray()
        self._spent = spent
        self._file.write(bytes(_FRONT.size))

    def literal(self, content: bytes) -> None:
        self._literals.append(content)
        if len(content) >= BATCH:
            self._end_literal()

    def body(self, body: Body) -> None:
        self._end_literal()
        number, path, size, crc, segments = body
        count = _NO_SEGMENTS if segments is None else len(segments)
        self._records += _BODY.pack(b"B", number, size, crc, len(path), count) + path
        for segment in segments or ():
            self._records += _SEGMENT.pack(*segment)

    def finish(self, size: int, digest: str) -> None:
        """Write the end and the front, and close. Nothing is synced."""
        self._end_literal()
        self._records += b"E"
        self._flush()
        self._file.write(self._packer.flush())
        self._file.seek(0)
        self._file.write(_FRONT.pack(MAGIC, size, digest.encode()))
        self._file.close()

    def close(self) -> None:
        self._file.close()

    def _end_literal(self) -> None:
        content = b"".join(self._literals)
        self._literals.clear()
        if content:
            self._records += _LITERAL.pack(b"L", len(content)) + content
        if len(self._records) >= BATCH:
            self._flush()

    def _flush(self) -> None:
        packed = self._packer.compress(bytes(self._records))
        self._records.clear()
        self._spent(len(packed))
        view = memoryview(packed)
        while view:
            view = view[self._file.write(view) :]


class HeaderStream:
    """A header stream that is there. Opening raises StoreDamaged where the file is not one."""

    def __init__(self, path: str) -> None:
        self.path = path
        with open(path, "rb") as file:
            front = file.read(_FRONT.size)
        magic, size, digest = _FRONT.unpack(front) if len(front) == _FRONT.size else (b"", 0, b"")
        if magic != MAGIC:
            raise StoreDamaged(f"{path} is no header stream of a layer")
        self.size: int = size
        """bytes of the tar"""
        self.digest: str = digest.decode("ascii", "replace")
        """of the tar: the layer's diff id"""

    def records(self) -> Iterator[bytes | Body]:
        """Literal bytes, and places of bodies, in order. Raises StoreDamaged."""
        reader = _Inflated(self.path, _FRONT.size)
        try:
            while (kind := reader.read(1)) != b"E":
                if kind == b"L":
                    yield reader.read(int.from_bytes(reader.read(_LITERAL.size - 1), "little"))
                elif kind == b"B":
                    yield self._body(kind + reader.read(_BODY.size - 1), reader)
                else:
                    raise reader.damaged()
        finally:
            reader.close()

    def _body(self, record: bytes, reader: _Inflated) -> Body:
        _, number, size, crc, length, count = _BODY.unpack(record)
        path = reader.read(length)
        if count == _NO_SEGMENTS:
            return Body(number, path, size, crc, None)
        segments = tuple(_SEGMENT.iter_unpack(reader.read(count * _SEGMENT.size)))
        return Body(number, path, size, crc, segments)


def settle(path: str, moved: dict[int, bytes], replaced: dict[int, str]) -> None:
    """Correct a fresh header stream: bodies by number that now have another path, or lie in a file outside the tree."""
    old, fresh = HeaderStream(path), HeaderWriter(path + ".settled")
    try:
        for record in old.records():
            if isinstance(record, bytes):
                fresh.literal(record)
            elif record.number in replaced:
                for piece in content(replaced[record.number], record):
                    fresh.literal(piece)
            else:
                fresh.body(record._replace(path=moved.get(record.number, record.path)))
        fresh.finish(old.size, old.digest)
    finally:
        fresh.close()
    os.rename(path + ".settled", path)


def content(path: str | bytes, body: Body, folder: int | None = None) -> Iterator[bytes]:
    """The bytes that stand in the tar for a file, in pieces.

    Raises StoreDamaged, which names the file, where it is not as long as it was, or has other content.
    """
    crc32, crc = checksum(), 0
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError as error:
        raise _edited(body, error.strerror) from error
    try:
        if os.fstat(descriptor).st_size != body.size:
            raise _edited(body, "its size is not what it was")
        for offset, length in ((0, body.size),) if body.segments is None else body.segments:
            end = offset + length
            while offset < end and (piece := os.pread(descriptor, min(end - offset, 1 << 20), offset)):
                crc = crc32(piece, crc)
                offset += len(piece)
                yield piece
    finally:
        os.close(descriptor)
    if crc != body.crc:
        raise _edited(body, "its content is not what it was")


def checksum() -> Callable[[bytes | memoryview, int], int]:
    """The crc-32 of gzip (RFC 1952, section 8)."""
    try:
        from isal.isal_zlib import crc32  # ten times faster
    except ImportError:
        from zlib import crc32  # isal's fallback
    return crc32


def _edited(body: Body, why: str | None) -> StoreDamaged:
    return StoreDamaged(f"the layer's file {shown(body.path)} was changed by hand: {why}")


def _packer() -> _Packer:
    try:
        from isal import isal_zlib  # several times faster
    except ImportError:
        import zlib  # isal's fallback

        return zlib.compressobj(1)
    return isal_zlib.compressobj(1)


class _Inflated:
    """Reads the compressed records, some at a time."""

    def __init__(self, path: str, start: int) -> None:
        from zlib import decompressobj, error  # with the first layer

        self._path, self._error = path, error
        self._file = open(path, "rb", buffering=0)
        self._file.seek(start)
        self._inner = decompressobj()
        self._plain, self._at = b"", 0

    def read(self, size: int) -> bytes:
        while len(self._plain) - self._at < size:
            packed = self._inner.unconsumed_tail or self._file.read(BATCH)
            try:
                more = self._inner.decompress(packed, 4 * BATCH)
            except self._error as error:
                raise self.damaged() from error
            if not packed and not more:
                raise self.damaged()
            self._plain, self._at = self._plain[self._at :] + more, 0
        self._at += size
        return self._plain[self._at - size : self._at]

    def close(self) -> None:
        self._file.close()

    def damaged(self) -> StoreDamaged:
        return StoreDamaged(f"the header stream {self._path} is damaged")
