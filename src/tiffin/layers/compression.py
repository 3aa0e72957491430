"""How a layer's tar travels: plain, or in gzip, zstd, bzip2 or xz, told by its first bytes and never by its name.

`uncompressed` reads any of them as a stream, in memory that an archive made to explode cannot blow up. A file may hold
several compressed members one after the other (RFC 1952, section 2.2; RFC 8878, section 3): they are read as one.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Protocol

from tiffin.errors import BadArchive, Unsupported
from tiffin.record import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

PIECE = 1 << 18  # compressed bytes per read
MOST = 1 << 20  # uncompressed bytes per step


class Readable(Protocol):
    """What a stream of bytes must be able to do. Any binary file or socket file can."""

    def readinto(self, buffer: memoryview, /) -> int | None: ...


def uncompressed(stream: Readable) -> Readable:
    """The plain bytes of `stream`, whatever it is packed in.

    Reading raises BadArchive where the data is damaged, ends early, or is followed by something else; opening raises
    Unsupported where the module for zstd is missing.
    """
    head = _read(stream, 6)
    whole = Replayed(head, stream)
    for codec in _CODECS:
        if head.startswith(codec.magic):
            return Inflated(whole, codec)
    return whole


def gzipped(pieces: Iterable[bytes], level: int = 1) -> Iterator[bytes]:
    """Compress to gzip. Equal bytes give equal bytes (the header holds no name and no time).

    `level` is 1 to 3, quick to small. Another library (isal where it is installed, else zlib) gives other bytes.
    """
    packer = _gzip_compressor(level)
    for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()


class Replayed(io.RawIOBase):
    """A stream that some first bytes were taken from, with those bytes back in front."""

    def __init__(self, head: bytes, stream: Readable) -> None:
        self._head, self._stream = head, stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        if not self._head:
            return self._stream.readinto(buffer)
        count = min(len(buffer), len(self._head))
        buffer[:count], self._head = self._head[:count], self._head[count:]
        return count


class Inflated(io.RawIOBase):
    """The uncompressed bytes of a compressed stream, member by member."""

    def __init__(self, stream: Readable, codec: _Codec) -> None:
        self._stream, self._codec = stream, codec
        self._make, self._errors = codec.load()
        self._member: _Decompressor | None = self._make()
        self._output = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._output:
            if self._member is None and not self._next_member():
                return 0
            self._output = memoryview(self._step())
        count = min(len(buffer), len(self._output))
        buffer[:count], self._output = self._output[:count], self._output[count:]
        return count

    def _step(self) -> bytes:
        member = self._member
        assert member is not None
        packed = _read(self._stream, self._codec.piece) if member.needs_input else b""
        try:
            plain = member.decompress(packed, MOST)
        except self._errors as error:
            raise BadArchive(f"the {self._codec.name} data is damaged: {error}") from error
        if member.eof:
            self._stream, self._member = Replayed(member.unused_data, self._stream), None
        elif not plain and not packed:
            raise BadArchive(f"the {self._codec.name} data ends too early")
        return plain

    def _next_member(self) -> bool:
        head = _read(self._stream, 1)
        while head == b"\0":  # gzip and xz allow padding after a member
            head = _read(self._stream, 1)
        if not head:
            return False
        head += _read(self._stream, len(self._codec.magic) - 1)
        if not head.startswith(self._codec.magic):
            raise BadArchive(f"something that is not {self._codec.name} follows the {self._codec.name} data")
        self._stream, self._member = Replayed(head, self._stream), self._make()
        return True


class _Decompressor(Protocol):
    """What bz2, lzma and isal have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


class _Zlib:
    """zlib's way to limit the output, in the others' terms."""

    def __init__(self) -> None:
        import zlib  # only without isal

        self._inner = zlib.decompressobj(31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inner.decompress(data or self._inner.unconsumed_tail, max_length)


class _Zstd:
    """zstandard's object cannot limit its output. Fed 4 KB at a time, that is at most 128 MB."""

    needs_input = True

    def __init__(self) -> None:
        import zstandard  # 10 ms

        # 128 MB is what the zstd program takes without being asked (RFC 8878, section 3.1.1.1.2, asks for 8 MB)
        self._inner = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inner.decompress(data)


def _gzip() -> _Loaded:
    try:
        from isal import igzip_lib  # 3 ms
    except ImportError:
        import zlib  # isal's fallback

        return _Zlib, (zlib.error,)
    errors: tuple[type[Exception], ...] = (igzip_lib.IsalError,)  # type: ignore[assignment]  # its stubs are wrong
    return (lambda: igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)), errors


def _zstd() -> _Loaded:
    try:
        import zstandard  # 10 ms
    except ImportError as error:
        raise Unsupported("this layer is packed with zstd; install the Python module zstandard to read it") from error
    return _Zstd, (zstandard.ZstdError,)


def _bzip2() -> _Loaded:
    import bz2  # rarely needed

    return bz2.BZ2Decompressor, (OSError, ValueError)


def _xz() -> _Loaded:
    import lzma  # rarely needed

    # `xz -9` needs 65 MB; the format would allow 4 GB
    return (lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=1 << 28)), (lzma.LZMAError, MemoryError)


class _Codec(NamedTuple):
    name: str
    magic: bytes
    load: Callable[[], _Loaded]
    piece: int = PIECE


_CODECS = (
    _Codec("gzip", b"\x1f\x8b\x08", _gzip),
    _Codec("zstd", b"\x28\xb5\x2f\xfd", _zstd, piece=4096),
    _Codec("bzip2", b"BZh", _bzip2),
    _Codec("xz", b"\xfd7zXZ\0", _xz),
)

if TYPE_CHECKING:
    _Loaded = tuple[Callable[[], _Decompressor], tuple[type[Exception], ...]]


def _gzip_compressor(level: int) -> _Compressor:
    try:
        from isal import isal_zlib  # 3 ms
    except ImportError:
        import zlib  # isal's fallback

        return zlib.compressobj(level, wbits=31)
    return isal_zlib.compressobj(level, wbits=31)


def _read(stream: Readable, size: int) -> bytes:
    """As many bytes as the stream still has, `size` at most."""
    piece = bytearray(size)
    view, filled = memoryview(piece), 0
    while filled < size and (count := stream.readinto(view[filled:])):
        filled += count
    return bytes(view[:filled])
