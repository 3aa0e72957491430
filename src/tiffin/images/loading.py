"""Taking in what an archive offers: layers from the bottom up, then the images. Names are given by the caller, last.

For each layer:
                                    no such layer here            there is one already
    came plain                      unpacked, hashed meanwhile    not read at all
    came compressed                 its blob is kept, then        its blob is kept; whether it holds this
                                    unpacked from there           very layer is found out by hashing

A layer's diff id and a blob's digest are what they turn out to be when the bytes are read, never what a manifest says.
"""

from __future__ import annotations

from hashlib import sha256

from tiffin.errors import BadArchive, StoreDamaged
from tiffin.images.archive import Archive, readable
from tiffin.images.config import ImageConfig
from tiffin.images.history import is_made_from
from tiffin.images.offer import GZIP, ZSTD, Offer, OfferedLayer, checked
from tiffin.images.records import Blob, Images, short
from tiffin.images.reference import Reference
from tiffin.layers.compression import uncompressed
from tiffin.layers.layers import Layers
from tiffin.model.nouns import Image, chain_id
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

CHUNK = 1 << 20
KEPT = {b"\x1f\x8b\x08": GZIP, b"\x28\xb5\x2f\xfd": ZSTD}
"""the packings that OCI has a media type for, by their first bytes: only what can go out again is worth keeping"""

Progress: TypeAlias = "Callable[[str, int, int | None], None]"
"""told what is done, how many bytes of it, and of how many, where that is known"""


class Loaded(NamedTuple):
    """One image that came in, and the names that it is to have."""

    image: Image
    names: tuple[Reference, ...]


class Loading:
    """Takes images of one archive into one store. The caller holds the store's lock shared."""

    def __init__(self, archive: Archive, images: Images, layers: Layers, progress: Progress | None = None) -> None:
        self._archive, self._images, self._layers = archive, images, layers
        self._progress = progress

    def load(self, offers: list[Offer]) -> list[Loaded]:
        """Raises BadArchive, Unsupported or StoreFull. What was taken in until then is garbage, for a sweep to find."""
        configs = [checked(offer) for offer in offers]  # all of them, before anything is written
        blobs = [self._stack(offer, config) for offer, config in zip(offers, configs, strict=True)]
        known = {_digest(offer.config): config for offer, config in zip(offers, configs, strict=True)}
        found: list[Loaded] = []
        for offer, config, kept in zip(offers, configs, blobs, strict=True):
            parent = offer.parent if self._is_parent(offer.parent, config, known) else None
            image = self._images.add(
                offer.config, parent=parent, manifest=offer.manifest, blobs=kept, named=bool(offer.names)
            )
            found.append(Loaded(image, offer.names))
        return found

    def _stack(self, offer: Offer, config: ImageConfig) -> tuple[Blob | None, ...]:
        parent: str | None = None
        blobs: list[Blob | None] = []
        for layer, diff_id in zip(offer.layers, config.diff_ids, strict=True):
            blobs.append(self._take(layer, parent, diff_id))
            parent = chain_id(parent, diff_id)
        return tuple(blobs)

    def _take(self, layer: OfferedLayer, parent: str | None, diff_id: str) -> Blob | None:
        chain = chain_id(parent, diff_id)
        here = self._layers.has(chain)
        is_plain = layer.digest == diff_id
        # without a manifest, nothing would go out differently for another blob
        blob = None if is_plain or (here and layer.digest is None) else self._blob(layer, diff_id)
        try:
            if not here:
                self._unpack(layer, blob, parent, diff_id)
            elif blob is not None and not self._is_proven(blob, diff_id):
                self._prove(blob, diff_id)
        except BadArchive:
            if blob is not None:  # one that was here already may have been damaged since
                self._images.content.verify(blob.digest)
            raise
        return blob

    def _blob(self, layer: OfferedLayer, diff_id: str) -> Blob | None:
        """Keep what came compressed. None for what is plain, or packed in a way that cannot go out again."""
        if layer.digest is not None and self._images.content.has(layer.digest):
            return Blob(layer.digest, layer.media_type or GZIP)
        with self._archive.open(layer.member) as member:
            head = member.peek(4)
            kind = next((kind for magic, kind in KEPT.items() if head.startswith(magic)), None)
            if kind is None and layer.digest is None:
                return None
            return Blob(self._images.content.put_stream(member, layer.digest), layer.media_type or kind or GZIP)

    def _unpack(self, layer: OfferedLayer, blob: Blob | None, parent: str | None, diff_id: str) -> None:
        with self._images.content.open(blob.digest) if blob else self._archive.open(layer.member) as packed:
            # of a packed layer nobody knows beforehand how long it is unpacked
            what, total = f"Loading layer {short(diff_id)}", None if blob else self._archive.size(layer.member)
            told = self._told(what, total)
            self._layers.unpack(readable(packed), parent, expected=diff_id, origin="load", progress=told)

    def _told(self, what: str, total: int | None) -> Callable[[int], None] | None:
        progress = self._progress
        return None if progress is None else lambda done: progress(what, done, total)

    def _is_proven(self, blob: Blob, diff_id: str) -> bool:
        """Whether an image here has this blob as this layer already."""
        for image in self._images.all():
            blobs = self._images.record(image.id).blobs
            if blob.digest not in {kept.digest for kept in blobs if kept}:
                continue
            try:
                diff_ids = self._images.config(image.id).diff_ids
            except StoreDamaged:  # maybe it is this one that is to be loaded again
                continue
            if (blob.digest, diff_id) in {(kept.digest, id) for kept, id in zip(blobs, diff_ids, strict=True) if kept}:
                return True
        return False

    def _prove(self, blob: Blob, diff_id: str) -> None:
        hash, buffer = sha256(), memoryview(bytearray(CHUNK))
        with self._images.content.open(blob.digest) as packed:
            plain = uncompressed(readable(packed))
            while count := plain.readinto(buffer):
                hash.update(buffer[:count])
        if f"sha256:{hash.hexdigest()}" != diff_id:
            raise BadArchive(f"{blob.digest} should hold the layer {diff_id} but holds another one")

    def _is_parent(self, parent: str | None, config: ImageConfig, known: dict[str, ImageConfig]) -> bool:
        """An archive may name any image as the parent; it is one if its steps are those that this image begins with."""
        if parent is None:
            return False
        if parent in known:
            return is_made_from(config, known[parent])
        here = {image.id for image in self._images.all()}
        return parent in here and is_made_from(config, self._images.config(parent))


def _digest(content: bytes) -> str:
    return "sha256:" + sha256(content).hexdigest()
