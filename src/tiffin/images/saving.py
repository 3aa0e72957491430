"""Sending out images: one tar that is an OCI layout as well as what `docker save` writes.

    blobs/sha256/<hex>   configs, manifests, layers: each once, however many images share it
    index.json           OCI: a descriptor for each name, or for an image without one
    manifest.json        Docker, Podman and skopeo's docker-archive read this one
    oci-layout           {"imageLayoutVersion": "1.0.0"}
    repositories         Docker before 1.10

What came in compressed goes out as it came, in the manifest that it came with. gzip can stand in Docker's part, too;
Docker learned zstd in version 23, so that for its sake such a layer goes out plain besides.

Nothing in it is of this machine or of today, so that saving twice gives the same bytes.
"""

from __future__ import annotations

import stat
from hashlib import sha256

from tiffin import json
from tiffin.images import forms
from tiffin.images.config import ImageConfig
from tiffin.images.loading import Progress
from tiffin.images.oci_layout import CONFIGS, IMAGE_NAME, INDEXES, MANIFESTS, REF_NAME
from tiffin.images.offer import TAR
from tiffin.images.records import Blob, Images, Record
from tiffin.images.reference import Reference
from tiffin.layers.entry import Entry
from tiffin.layers.layers import Layers
from tiffin.layers.tarwriter import BLOCK, header
from tiffin.model.nouns import Image
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import BinaryIO

CHUNK = 1 << 20


class Member(NamedTuple):
    """One file of the archive. `pieces` gives its content, `size` bytes of it, when it is to be written."""

    name: str
    size: int
    pieces: Callable[[], Iterable[bytes]]


class Outgoing(NamedTuple):
    """One image as it goes out: its manifest, the digests in it, and the digests that Docker's part names."""

    image: Image
    names: tuple[Reference, ...]
    manifest: bytes
    docker_layers: tuple[str, ...]


class _Slab(NamedTuple):
    chain: str
    diff_id: str
    blob: Blob | None


class Saving:
    """Builds the members of one archive. The caller holds the store's lock shared until they are written."""

    def __init__(self, images: Images, layers: Layers) -> None:
        self._images, self._layers = images, layers
        self._blobs: dict[str, Member] = {}

    def members(self, chosen: Iterable[tuple[Image, tuple[Reference, ...]]]) -> list[Member]:
        """In the order in which they stand in the archive."""
        outgoing = [self._outgoing(image, names) for image, names in chosen]
        return [
            *(member for _, member in sorted(self._blobs.items())),
            _document("index.json", _index(outgoing)),
            _document("manifest.json", _docker_manifest(outgoing)),
            _document("oci-layout", {"imageLayoutVersion": "1.0.0"}),
            _document("repositories", _repositories(outgoing)),
        ]

    def _outgoing(self, image: Image, names: tuple[Reference, ...]) -> Outgoing:
        record = self._images.record(image.id)
        config = self._images.config_bytes(image.id)
        self._small(config)
        diff_ids = ImageConfig.from_bytes(config).diff_ids
        slabs = [
            _Slab(chain, diff_id, self._kept(blob))
            for chain, diff_id, blob in zip(image.layers, diff_ids, record.blobs, strict=True)
        ]
        manifest = self._manifest(record, config, slabs)
        self._small(manifest)
        return Outgoing(image, names, manifest, tuple(self._layer(slab) for slab in slabs))

    def _kept(self, blob: Blob | None) -> Blob | None:
        """The blob, unless it was pruned."""
        return blob if blob and self._images.content.has(blob.digest) else None

    def _manifest(self, record: Record, config: bytes, slabs: list[_Slab]) -> bytes:
        """The one that the image came with, if all that it names can go out; else a new one."""
        if record.manifest and tuple(slab.blob for slab in slabs) == record.blobs:
            return self._images.content.read(record.manifest)
        layers = [
            _descriptor(TAR, slab.diff_id, self._layers.tar_size(slab.chain))
            if slab.blob is None
            else _descriptor(slab.blob.media_type, slab.blob.digest, self._images.content.size(slab.blob.digest))
            for slab in slabs
        ]
        return forms.canonical(
            {
                "schemaVersion": 2,
                "mediaType": MANIFESTS[0],
                "config": _descriptor(CONFIGS[0], record.image.id, len(config)),
                "layers": layers,
            }
        )

    def _layer(self, slab: _Slab) -> str:
        """Add what the manifest names, and the digest of what Docker's part is to name."""
        chain, diff_id, blob = slab
        if blob is not None:
            size = self._images.content.size(blob.digest)
            self._add(blob.digest, size, lambda: self._stored(blob.digest, size))
            if self._is_gzip(blob):
                return blob.digest
        self._add(diff_id, self._layers.tar_size(chain), lambda: self._layers.pack(chain))
        return diff_id

    def _stored(self, digest: str, size: int) -> Iterator[bytes]:
        """A kept blob. Verified while it goes out, so that the disk's errors stay here."""
        hash = sha256()
        with self._images.content.open(digest) as file:
            while piece := file.read(CHUNK):
                hash.update(piece)
                yield piece
        if f"sha256:{hash.hexdigest()}" != digest:
            raise self._images.content.damaged(digest)

    def _is_gzip(self, blob: Blob) -> bool:
        with self._images.content.open(blob.digest) as file:
            return file.read(3) == b"\x1f\x8b\x08"

    def _small(self, content: bytes) -> None:
        self._add("sha256:" + sha256(content).hexdigest(), len(content), lambda: [content])

    def _add(self, digest: str, size: int, pieces: Callable[[], Iterable[bytes]]) -> None:
        self._blobs.setdefault(digest, Member(_blob_name(digest), size, pieces))


def write(members: Sequence[Member], target: BinaryIO, progress: Progress | None = None) -> None:
    """Write the archive. Raises StoreDamaged where a layer is not what it was; what is written until then is no use."""
    total, done = sum(member.size for member in members), 0
    for folder in ("blobs", "blobs/sha256"):
        target.write(header(_entry(folder, stat.S_IFDIR, 0o755, 0)))
    for member in members:
        target.write(header(_entry(member.name, stat.S_IFREG, 0o644, member.size)))
        for piece in member.pieces():
            target.write(piece)
            done += len(piece)
            if progress is not None:
                progress("Saving", done, total)
        target.write(bytes(-member.size % BLOCK))
    target.write(bytes(2 * BLOCK))


def _entry(name: str, kind: int, mode: int, size: int) -> Entry:
    return Entry(name.encode(), kind, mode, 0, 0, 0, b"", (0, 0), size, size)


def _index(outgoing: list[Outgoing]) -> object:
    manifests = []
    for image in outgoing:
        media_type = json.loads(image.manifest).get("mediaType") or MANIFESTS[0]
        pointer = _descriptor(media_type, "sha256:" + sha256(image.manifest).hexdigest(), len(image.manifest))
        manifests += [
            pointer | {"annotations": {IMAGE_NAME: str(name), REF_NAME: name.tag}} for name in image.names
        ] or [pointer]
    return {"schemaVersion": 2, "mediaType": INDEXES[0], "manifests": manifests}


def _docker_manifest(outgoing: list[Outgoing]) -> object:
    here = {item.image.id for item in outgoing}
    items = []
    for image in outgoing:
        item = {
            "Config": _blob_name(image.image.id),
            "RepoTags": [name.familiar() for name in image.names] or None,
            "Layers": [_blob_name(digest) for digest in image.docker_layers],
        }
        if image.image.parent in here:  # Docker refuses a parent that it can't find
            item["Parent"] = image.image.parent
        items.append(item)
    return items


def _repositories(outgoing: list[Outgoing]) -> object:
    repositories: dict[str, dict[str, str]] = {}
    for image in outgoing:
        for name in image.names if image.docker_layers else ():
            top = image.docker_layers[-1].removeprefix("sha256:")
            repositories.setdefault(name.familiar_repository, {})[str(name.tag)] = top
    return repositories


def _descriptor(media_type: str, digest: str, size: int) -> dict[str, object]:
    return {"mediaType": media_type, "digest": digest, "size": size}


def _document(name: str, form: object) -> Member:
    content = forms.canonical(form)
    return Member(name, len(content), lambda: [content])


def _blob_name(digest: str) -> str:
    return "blobs/sha256/" + digest.removeprefix("sha256:")
