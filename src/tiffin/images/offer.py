"""What an archive offers: its images as they say they are, before anything of it is believed or kept."""

from __future__ import annotations

from tiffin.errors import BadArchive, Unsupported
from tiffin.images.config import ImageConfig
from tiffin.images.platform import here
from tiffin.images.reference import Reference
from tiffin.record import NamedTuple

GZIP, ZSTD = "application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.oci.image.layer.v1.tar+zstd"
TAR = "application/vnd.oci.image.layer.v1.tar"


class OfferedLayer(NamedTuple):
    """A member that should hold a layer. Digest and media type where there is a manifest that tells them."""

    member: str
    digest: str | None = None
    media_type: str | None = None


class Offer(NamedTuple):
    """One image: the bytes of its config, and the members that hold its layers, bottom first."""

    config: bytes
    layers: tuple[OfferedLayer, ...]
    names: tuple[Reference, ...] = ()
    manifest: bytes | None = None
    parent: str | None = None


def checked(offer: Offer) -> ImageConfig:
    """The config of an offer, if such an image can be here.

    Raises BadArchive where config and layers don't go together, Unsupported for an image of another system.
    """
    config = ImageConfig.from_bytes(offer.config)
    if config.os != "linux":
        raise Unsupported(f"the image is made for {config.os[:20]}; tiffin runs images made for {here()}")
    if len(config.diff_ids) != len(offer.layers):
        raise BadArchive(
            f"the config of an image tells of {len(config.diff_ids)} layers, its manifest of {len(offer.layers)}: "
            "the archive is damaged, or a kind of artifact that is no image"
        )
    return config
