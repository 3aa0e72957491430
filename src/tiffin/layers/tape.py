"""An archive as a tape: bytes that come once, in order. Each is hashed, and given to exactly one taker.

           stream ──> [ 1 MB ][ 1 MB ][ 1 MB ]          a few buffers that go round
                         │         │
                         │         └──> Hasher, a thread:  sha256 of the whole = the diff id
                         └──> take()    headers, padding, the end: kept, so that the tar can be made again
                         └──> pieces()  the content of a file: goes to the tree

A `Recording` is the same the other way round: a tape that is made, hashed and taken from at once.

What is hashed is what is written, even where somebody changes the file meanwhile. The thread costs nothing that counts:
hashing lets go of the interpreter, and loading a layer is never on the way to a running container.
"""

from __future__ import annotations

from queue import SimpleQueue

from tiffin.errors import BadArchive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tiffin.layers.compression import Readable

BLOCK = 512
CHUNK = 1 << 20  # a multiple of BLOCK
BUFFERS = 4


class Hasher:
    """sha256 in a thread of its own. A buffer that was given comes back from `buffer` once it is hashed."""

    def __init__(self) -> None:
        from hashlib import sha256  # loads OpenSSL
        from threading import Thread  # 1 ms

        self._sha256 = sha256()
        self._free: SimpleQueue[bytearray] = SimpleQueue()
        self._full: SimpleQueue[tuple[bytearray, int] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="hasher", daemon=True)
        for _ in range(BUFFERS):
            self._free.put(bytearray(CHUNK))

    def buffer(self) -> bytearray:
        """An empty buffer of CHUNK bytes, as soon as there is one."""
        return self._free.get()

    def give(self, buffer: bytearray, size: int) -> None:
        """Hash the first `size` bytes. They may be read meanwhile, and not be written to."""
        self._full.put((buffer, size))

    def digest(self) -> str:
        """The digest of all that was given, as "sha256:" and 64 hex digits. Nothing can be given any more."""
        self.close()
        return "sha256:" + self._sha256.hexdigest()

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._full.put(None)
        self._thread.join()

    def _run(self) -> None:
        while item := self._full.get():
            buffer, size = item
            self._sha256.update(memoryview(buffer)[:size])
            self._free.put(buffer)


class Tape:
    """The reader's end. `keep` is given every byte that is not the content of a file, in order."""

    def __init__(
        self,
        stream: Readable,
        hasher: Hasher,
        keep: Callable[[bytes], None],
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self.position = 0
        """bytes taken so far"""
        self._stream, self._hasher, self._keep, self._progress = stream, hasher, keep, progress
        self._chunk = memoryview(b"")
        self._at = 0

    def block(self) -> bytes | None:
        """The next 512 bytes, or None where the archive ends. Raises BadArchive where it ends in the middle."""
        if self._at == len(self._chunk) and not self._fill():
            return None
        return self.take(BLOCK)

    def take(self, size: int) -> bytes:
        """The next `size` bytes, kept. Raises BadArchive where there are fewer."""
        end = self._at + size
        if end <= len(self._chunk):
            taken = bytes(self._chunk[self._at : end])
            self._at = end
            self.position += size
        else:
            taken = b"".join(map(bytes, self.pieces(size)))
        self._keep(taken)
        return taken

    def pieces(self, size: int) -> Iterator[memoryview]:
        """The next `size` bytes as they come, not kept. A piece is good until the next one is asked for."""
        while size:
            if self._at == len(self._chunk) and not self._fill():
                raise BadArchive("the archive ends in the middle of a file: it is cut off or damaged")
            piece = self._chunk[self._at : self._at + size]
            self._at += len(piece)
            self.position += len(piece)
            size -= len(piece)
            yield piece

    def rest(self) -> Iterator[bytes]:
        """All that is left, kept."""
        while self._at < len(self._chunk) or self._fill():
            yield self.take(len(self._chunk) - self._at)

    def _fill(self) -> bool:
        buffer = self._hasher.buffer()
        view, filled = memoryview(buffer), 0
        # Whole chunks, so that a header never lies across two: a pipe gives 64 KB at a time.
        while filled < CHUNK and (count := self._stream.readinto(view[filled:])):
            filled += count
        self._hasher.give(buffer, filled)
        self._chunk, self._at = view[:filled], 0
        if self._progress is not None and filled:
            self._progress(self.position + filled)
        return filled > 0


class Recording:
    """A tape that is being made of a tree, for the same takers. `keep` as for a Tape."""

    def __init__(self, hasher: Hasher, keep: Callable[[bytes], None]) -> None:
        self.position = 0
        """bytes on it so far"""
        self._hasher, self._keep = hasher, keep
        self._content: Readable | None = None
        self._buffer, self._filled = hasher.buffer(), 0

    def write(self, literal: bytes) -> None:
        self._keep(literal)
        self.position += len(literal)
        while literal:
            part = literal[: CHUNK - self._filled]
            self._buffer[self._filled : self._filled + len(part)] = part
            self._advance(len(part))
            literal = literal[len(part) :]

    def load(self, content: Readable) -> None:
        """Where the next pieces come from."""
        self._content = content

    def take(self, size: int) -> bytes:
        raise AssertionError(f"a recording has nothing but headers and files, no {size} bytes to take")

    def pieces(self, size: int) -> Iterator[memoryview]:
        """The next `size` bytes of the content. A piece is good until the next one is asked for."""
        while size and self._content is not None:
            view = memoryview(self._buffer)[self._filled : self._filled + size]
            count = self._content.readinto(view)
            assert count, "the content knows its size"
            yield view[:count]
            size -= count
            self.position += count
            self._advance(count)

    def end(self) -> None:
        self._hasher.give(self._buffer, self._filled)

    def _advance(self, count: int) -> None:
        self._filled += count
        if self._filled == CHUNK:
            self._hasher.give(self._buffer, CHUNK)
            self._buffer, self._filled = self._hasher.buffer(), 0
