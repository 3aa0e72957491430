"""Packed streams: told by content, read whole, and refused where they are damaged."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import os
import sys
import zlib
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as some

from tiffin.errors import BadArchive, Unsupported
from tiffin.layers.compression import Readable, gzipped, uncompressed

PLAIN = os.urandom(70_000) + bytes(3 << 20) + b"the end"
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}
packed = pytest.mark.parametrize("name", PACKERS)


def read(stream: Readable, step: int = 65_536) -> bytes:
    whole, piece = bytearray(), memoryview(bytearray(step))
    while count := stream.readinto(piece):
        whole += piece[:count]
    return bytes(whole)


class Dribble(io.RawIOBase):
    """A stream that gives a byte or two at a time, as a slow socket does."""

    def __init__(self, content: bytes) -> None:
        self._left = content

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count = min(2, len(buffer), len(self._left))
        buffer[:count], self._left = self._left[:count], self._left[count:]
        return count


@pytest.fixture(params=["with isal", "without isal"])
def _isal(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without isal":
        monkeypatch.setitem(sys.modules, "isal", None)


@packed
@pytest.mark.usefixtures("_isal")
def test_the_packing_is_told_by_content(name: str) -> None:
    assert read(uncompressed(io.BytesIO(PACKERS[name](PLAIN)))) == PLAIN


@given(some.binary(max_size=2000))
def test_plain_bytes_pass_as_they_are(content: bytes) -> None:
    assert read(uncompressed(io.BytesIO(b"." + content))) == b"." + content


def test_an_empty_stream_is_plain_and_empty() -> None:
    assert read(uncompressed(io.BytesIO(b""))) == b""


@packed
@pytest.mark.usefixtures("_isal")
def test_several_members_are_read_as_one(name: str) -> None:
    pack = PACKERS[name]
    assert read(uncompressed(io.BytesIO(pack(PLAIN) + pack(b"") + pack(b"more")))) == PLAIN + b"more"


@packed
def test_it_does_not_matter_in_which_pieces_the_stream_comes(name: str) -> None:
    assert read(uncompressed(Dribble(PACKERS[name](b"some text" * 50))), step=7) == b"some text" * 50


def test_zeros_may_follow_gzip() -> None:
    assert read(uncompressed(io.BytesIO(gzip.compress(b"text") + bytes(100)))) == b"text"


@packed
@pytest.mark.usefixtures("_isal")
def test_data_that_ends_too_early_is_refused(name: str) -> None:
    whole = PACKERS[name](PLAIN)
    for length in (7, len(whole) // 2, len(whole) - 1):
        with pytest.raises(BadArchive, match=f"{name} data (ends too early|is damaged)"):
            read(uncompressed(io.BytesIO(whole[:length])))


@packed
@pytest.mark.usefixtures("_isal")
def test_what_follows_and_is_nothing_packed_is_refused(name: str) -> None:
    with pytest.raises(BadArchive, match=f"not {name} follows"):
        read(uncompressed(io.BytesIO(PACKERS[name](PLAIN) + b"trailing garbage")))


@pytest.mark.parametrize("name", ["gzip", "bzip2", "xz"])
@pytest.mark.usefixtures("_isal")
def test_a_wrong_checksum_is_refused(name: str) -> None:
    whole = bytearray(PACKERS[name](PLAIN))
    whole[len(whole) // 2] ^= 0xFF
    with pytest.raises(BadArchive, match="is damaged"):
        read(uncompressed(io.BytesIO(whole)))


@given(some.binary(max_size=300), some.sampled_from([b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ\0"]))
def test_noise_gives_bytes_or_a_sentence(noise: bytes, magic: bytes) -> None:
    with contextlib.suppress(BadArchive):  # nothing else
        read(uncompressed(io.BytesIO(magic + noise)))


def test_xz_that_wants_gigabytes_of_memory_is_refused() -> None:
    packed = bytearray(lzma.compress(b"small"))
    header = packed[12:20]  # of the block, before its checksum; packing with such a dictionary takes eleven of them
    header[4] = 36  # the dictionary: 1 GiB (the .xz file format, 5.3.1)
    packed[12:24] = header + zlib.crc32(header).to_bytes(4, "little")
    with pytest.raises(BadArchive, match="memory|Memory"):
        read(uncompressed(io.BytesIO(packed)))


@pytest.mark.parametrize("name", ["gzip", "zstd", "bzip2", "xz"])
def test_a_bomb_is_read_in_small_pieces(name: str) -> None:
    bomb = PACKERS[name](bytes(64 << 20))
    stream, piece = uncompressed(io.BytesIO(bomb)), memoryview(bytearray(1 << 20))
    count, total = 1, 0
    while count:
        count = stream.readinto(piece) or 0
        total += count
    assert total == 64 << 20


def test_zstd_without_its_module_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(Unsupported, match="install the Python module zstandard"):
        uncompressed(io.BytesIO(PACKERS["zstd"](b"text")))


@pytest.mark.usefixtures("_isal")
def test_gzip_is_written_so_that_equal_bytes_give_equal_bytes() -> None:
    halves = [PLAIN[:100_000], PLAIN[100_000:]]
    whole = b"".join(gzipped(halves))
    assert zlib.decompress(whole, 31) == PLAIN
    assert whole == b"".join(gzipped(halves))
    assert whole[4:8] == bytes(4), "no time in the header"
