"""Blobs by digest: content/sha256/<hex>, written once, verified while written.

Configs and manifests of images, and compressed layers that came in compressed (OCI image-spec, descriptor.md,
"Digests").
"""

from __future__ import annotations

import os

from tiffin.errors import BadArchive, BadParameter, StoreDamaged
from tiffin.store import files
from tiffin.store.deletion import delete
from tiffin.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from io import BufferedReader
    from typing import BinaryIO

CHUNK = 1 << 20


class Content:
    """The blobs of one store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def path(self, digest: str) -> str:
        """Where a blob lies, or would lie. Raises BadParameter for what is no sha256 digest."""
        return self.store.path("content", "sha256", hex_of(digest))

    def has(self, digest: str) -> bool:
        return os.path.exists(self.path(digest))

    def size(self, digest: str) -> int:
        """In bytes. Raises FileNotFoundError."""
        return os.stat(self.path(digest)).st_size

    def open(self, digest: str) -> BufferedReader:
        """Raises FileNotFoundError."""
        return open(self.path(digest), "rb")

    def read(self, digest: str) -> bytes:
        """A small blob, verified. Raises StoreDamaged where it is missing or not what its name says."""
        from hashlib import sha256  # costs 2 ms

        try:
            content = files.read(self.path(digest))
        except FileNotFoundError as error:
            raise StoreDamaged(f"{self.path(digest)} is missing: load its image again") from error
        if sha256(content).hexdigest() != hex_of(digest):
            raise self.damaged(digest)
        return content

    def verify(self, digest: str) -> None:
        """Read a blob of any size. Raises StoreDamaged where it is not what its name says."""
        from hashlib import file_digest  # costs 2 ms

        with self.open(digest) as file:
            if file_digest(file, "sha256").hexdigest() != hex_of(digest):
                raise self.damaged(digest)

    def damaged(self, digest: str) -> StoreDamaged:
        """What to raise for a blob that is not what its name says."""
        return StoreDamaged(f"{self.path(digest)} is not what its name says; move it away and load its image again")

    def put(self, content: bytes) -> str:
        """Keep a small blob. Its digest."""
        from hashlib import sha256  # costs 2 ms

        digest = "sha256:" + sha256(content).hexdigest()
        if not self.has(digest):
            with self.store.draft() as draft:
                files.write_once(f"{draft.path}/blob", content)
                self._keep(f"{draft.path}/blob", digest)
        return digest

    def put_stream(self, source: BinaryIO, expected: str | None = None) -> str:
        """Keep a large blob. Its digest. Raises BadArchive where it is not the expected one; then nothing is kept."""
        from hashlib import sha256  # costs 2 ms

        with self.store.draft() as draft:
            hash = sha256()
            with open(f"{draft.path}/blob", "xb") as file:
                while chunk := source.read(CHUNK):
                    hash.update(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            digest = "sha256:" + hash.hexdigest()
            if expected not in (None, digest):
                raise BadArchive(f"a blob should have the digest {expected} but has {digest}: the archive is damaged")
            self._keep(f"{draft.path}/blob", digest)
        return digest

    def all(self) -> dict[str, int]:
        """Every blob there is: digest -> bytes."""
        found = {}
        with os.scandir(self.store.path("content", "sha256")) as entries:
            for entry in entries:
                try:
                    found[f"sha256:{entry.name}"] = entry.stat(follow_symlinks=False).st_size
                except FileNotFoundError:  # removed meanwhile
                    continue
        return found

    def remove(self, digest: str) -> int:
        """The bytes that are free again. The caller holds the store's lock exclusive and has checked the references."""
        return delete(self.path(digest))

    def _keep(self, blob: str, digest: str) -> None:
        os.chmod(blob, 0o400)
        try:
            files.move_in(blob, self.path(digest))
        except FileExistsError:
            pass


def hex_of(digest: str) -> str:
    """The hex digits of "sha256:<64 hex digits>". Raises BadParameter for anything else."""
    kind, _, digits = digest.partition(":")
    if kind != "sha256" or len(digits) != 64 or not set(digits) <= set("0123456789abcdef"):
        raise BadParameter(f"{digest[:100]!r} is no digest; one looks like sha256:<64 hex digits>")
    return digits
