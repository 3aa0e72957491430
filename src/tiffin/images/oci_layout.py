"""An OCI layout: blobs by digest, and an index of what they are (OCI image-spec, image-layout.md).

    oci-layout                    {"imageLayoutVersion": "1.0.0"}
    index.json                    descriptors: of manifests, or of further indexes
    blobs/sha256/<hex>            manifests, configs, layers

      index.json --> index (one entry per platform) --> manifest --> config
                                                            +------> layers, bottom first
"""

from __future__ import annotations

from hashlib import sha256

from tiffin.errors import BadArchive, BadName, BadParameter, Unsupported
from tiffin.images import forms
from tiffin.images.archive import Archive, read
from tiffin.images.forms import JSON
from tiffin.images.offer import Offer, OfferedLayer
from tiffin.images.platform import Platform, best, here
from tiffin.images.reference import Reference, parse
from tiffin.record import NamedTuple
from tiffin.store.content import hex_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

INDEX, LAYOUT = "index.json", "oci-layout"
INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
CONFIGS = ("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")
LAYERS = (
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd",
)
IMAGE_NAME = "io.containerd.image.name"  # the whole name; Docker since 25, containerd, buildx
REF_NAME = "org.opencontainers.image.ref.name"  # a tag, or with skopeo and podman a whole name
DEEPEST = 4  # indexes in indexes


class _NoImage(BadArchive):
    """It is whole, but something else."""


class Descriptor(NamedTuple):
    """A pointer to a blob (OCI image-spec, descriptor.md). `platform` where it is told."""

    media_type: str
    digest: str
    size: int
    platform: Platform | None
    annotations: JSON

    @property
    def member(self) -> str:
        return f"blobs/sha256/{hex_of(self.digest)}"

    @property
    def is_attestation(self) -> bool:
        """What buildx says about how an image was built; it stands beside the image in the index."""
        return "vnd.docker.reference.type" in self.annotations


def offers(archive: Archive) -> Iterator[Offer]:
    """The images of a layout; of one that is there for several platforms, the one for this machine.

    What is no image beside them, such as a signature, is passed over (image-index.md, "mediaType").
    """
    index = forms.parse_object(read(archive, INDEX), INDEX)
    other, found = None, False
    for group in _by_name(_descriptors(index, INDEX)):
        names = tuple(name for name in [_name(group[0])] if name)
        try:
            offer = _offer(archive, _chosen(archive, group, 0))
        except _NoImage as error:
            other = error
            continue
        found = True
        yield offer._replace(names=names)
    if other is not None and not found:
        raise other


def _by_name(descriptors: list[Descriptor]) -> list[list[Descriptor]]:
    """Those that share a name are one image for several platforms; those without a name are images of their own."""
    groups: dict[str, list[Descriptor]] = {}
    for descriptor in descriptors:
        if not descriptor.is_attestation:
            name = _label(descriptor)
            groups.setdefault(name or descriptor.digest, []).append(descriptor)
    return list(groups.values())


def _chosen(archive: Archive, descriptors: list[Descriptor], depth: int) -> Descriptor:
    """The manifest that suits this machine; a lone one whatever it is made for, as Docker does."""
    if depth > DEEPEST:
        raise BadArchive(f"the archive has indexes in indexes, more than {DEEPEST} deep")
    images = [descriptor for descriptor in descriptors if not descriptor.is_attestation]
    chosen = images[0] if len(images) == 1 else _suited(images)
    if chosen.media_type not in INDEXES:
        return chosen
    index = forms.parse_object(_blob(archive, chosen), "an index in the archive")
    return _chosen(archive, _descriptors(index, "an index in the archive"), depth + 1)


def _suited(images: list[Descriptor]) -> Descriptor:
    told = [image for image in images if image.platform]
    place = best([image.platform for image in told if image.platform], here())
    if place is not None:
        return told[place]
    if told or not images:
        there = ", ".join(str(image.platform)[:40] for image in told[:8])
        raise Unsupported(f"the image is not there for {here()}" + (f", but for {there}" if there else ""))
    return images[0]


def _offer(archive: Archive, descriptor: Descriptor) -> Offer:
    if descriptor.media_type not in MANIFESTS:
        raise _NoImage(f"the archive holds {descriptor.media_type[:100]!r} where a manifest of an image should be")
    content = _blob(archive, descriptor)
    what = "a manifest in the archive"
    manifest = forms.parse_object(content, what)
    config = _descriptor(forms.object_in(manifest, "config", what), what)
    if config.media_type not in CONFIGS:
        raise _NoImage(f"the archive holds an artifact ({config.media_type[:100]!r}), which is no image")
    layers = tuple(_layer(archive, layer) for layer in _descriptors(manifest, what, "layers"))
    return Offer(_blob(archive, config), layers, manifest=content)


def _layer(archive: Archive, descriptor: Descriptor) -> OfferedLayer:
    """A layer that is here already may be missing in the archive."""
    kind, member = descriptor.media_type, descriptor.member
    if "foreign" in kind or "nondistributable" in kind:
        raise Unsupported("a layer of the image is not in the archive but elsewhere on the net (a foreign layer)")
    if kind.endswith("+encrypted"):
        raise Unsupported("a layer of the image is encrypted; decrypt the image first, for example with skopeo")
    if kind not in LAYERS:
        raise BadArchive(f"the image has a layer of the unknown kind {kind[:100]!r}")
    if archive.has(member) and archive.size(member) != descriptor.size:
        raise BadArchive(f"{member} in the archive is not as long as the manifest says: it is damaged")
    return OfferedLayer(member, descriptor.digest, kind)


def _blob(archive: Archive, descriptor: Descriptor) -> bytes:
    content = read(archive, descriptor.member)
    if len(content) != descriptor.size or sha256(content).hexdigest() != hex_of(descriptor.digest):
        raise BadArchive(f"{descriptor.member} in the archive is not what its name says: it is damaged")
    return content


def _descriptors(form: JSON, what: str, key: str = "manifests") -> list[Descriptor]:
    return [_descriptor(item, what) for item in forms.objects(form, key, what)]


def _descriptor(form: JSON, what: str) -> Descriptor:
    digest = forms.text(form, "digest", what)
    try:
        hex_of(digest)
    except BadParameter as error:
        raise BadArchive(f"{what} has a digest that tiffin does not know; it knows sha256: {error}") from error
    platform = forms.object_in(form, "platform", what)
    parts = (forms.text(platform, key, what) for key in ("os", "architecture", "variant"))
    return Descriptor(
        forms.text(form, "mediaType", what),
        digest,
        forms.number(form, "size", what),
        Platform(*parts) if platform else None,
        forms.object_in(form, "annotations", what),
    )


def _label(descriptor: Descriptor) -> str:
    return str(descriptor.annotations.get(IMAGE_NAME) or descriptor.annotations.get(REF_NAME) or "")


def _name(descriptor: Descriptor) -> Reference | None:
    """The name that an annotation gives; a lone tag is none."""
    label = _label(descriptor)
    if ":" not in label and "/" not in label:
        return None
    try:
        name = parse(label)
    except BadName:
        return None
    return None if name.digest else name.tagged()
