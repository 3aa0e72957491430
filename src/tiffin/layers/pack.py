"""From a layer's tree and header stream back to its tar, byte for byte."""

from __future__ import annotations

import os

from tiffin.errors import StoreDamaged
from tiffin.layers.headers import Body, HeaderStream, content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE = 1 << 20


def pack(tree: str, headers: str) -> Iterator[bytes]:
    """The tar in pieces of about a megabyte.

    Raises StoreDamaged for a file of the tree that was changed by hand, naming it, and where the whole has not the
    digest that it must have. That comes with the last piece: a reader must not trust the tar until it has them all.
    """
    from hashlib import sha256  # loads OpenSSL

    stream, digest, size = HeaderStream(headers), sha256(), 0
    for piece in _gathered(_pieces(tree, stream)):
        digest.update(piece)
        size += len(piece)
        yield piece
    if size != stream.size or "sha256:" + digest.hexdigest() != stream.digest:
        raise StoreDamaged(f"the layer of {headers} does not give its tar any more")


def _pieces(tree: str, stream: HeaderStream) -> Iterator[bytes]:
    folder = os.open(tree, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for record in stream.records():
            if isinstance(record, Body):
                yield from content(record.path, record, folder)
            else:
                yield record
    finally:
        os.close(folder)


def _gathered(pieces: Iterator[bytes]) -> Iterator[bytes]:
    gathered: list[bytes] = []
    size = 0
    for piece in pieces:
        gathered.append(piece)
        size += len(piece)
        if size >= PIECE:
            yield b"".join(gathered)
            gathered, size = [], 0
    if size:
        yield b"".join(gathered)
