"""What `docker save` writes (moby, image/tarexport), in its three forms.

    manifest.json                             since 1.10: [{"Config": member, "RepoTags": [...], "Layers": [members]}]
    <v1 id>/layer.tar, <hex>.json             ... its members until 24; podman and skopeo write such ones, too
    blobs/sha256/<hex>, index.json            ... its members since 25, which are an OCI layout as well
    repositories, <v1 id>/json, layer.tar     before 1.10, without manifest.json (module `v1`)
"""

from __future__ import annotations

import posixpath
from hashlib import sha256

from tiffin.errors import BadArchive, BadName, TiffinError
from tiffin.images import forms, oci_layout, v1
from tiffin.images.archive import Archive, read
from tiffin.images.forms import JSON
from tiffin.images.offer import Offer, OfferedLayer, checked
from tiffin.images.reference import Reference, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MANIFEST, REPOSITORIES = "manifest.json", "repositories"


def offers(archive: Archive) -> list[Offer]:
    """The images in an archive of any kind. Raises BadArchive where there is none."""
    if archive.has(MANIFEST):
        found = list(_of_manifest(archive))
    elif archive.has(oci_layout.INDEX):
        found = list(oci_layout.offers(archive))
    elif archive.has(REPOSITORIES):
        found = list(v1.offers(archive))
    else:
        raise BadArchive(
            "the archive holds no images: it has neither manifest.json (docker save) nor index.json (OCI layout); "
            "for the tar of a file system, try: tiffin import"
        )
    if not found:
        raise BadArchive("the archive is well formed but holds no image at all")
    return found


def _of_manifest(archive: Archive) -> Iterator[Offer]:
    items = forms.parse_list(read(archive, MANIFEST), MANIFEST)
    layouts = _by_config(archive)
    for item in items:
        plain = _offer(archive, item)
        layout = layouts.get(_digest(plain.config))
        # from the layout the image goes out again with the same manifest; names and parents stand here only
        yield plain if layout is None else layout._replace(names=plain.names, parent=plain.parent)


def _by_config(archive: Archive) -> dict[str, Offer]:
    """The images of the OCI layout that may be in the same archive, by the digest of their config."""
    if not archive.has(oci_layout.INDEX):
        return {}
    found: dict[str, Offer] = {}
    try:
        for offer in oci_layout.offers(archive):
            checked(offer)
            if all(archive.has(layer.member) for layer in offer.layers):
                found[_digest(offer.config)] = offer
    except TiffinError:
        pass  # Docker 25.0 wrote manifests without layers; manifest.json is what `docker load` goes by
    return found


def _offer(archive: Archive, item: JSON) -> Offer:
    config = read(archive, _member(forms.text(item, "Config", MANIFEST)))
    layers = (OfferedLayer(_member(member)) for member in forms.texts(item, "Layers", MANIFEST))
    names = tuple(map(_name, forms.texts(item, "RepoTags", MANIFEST)))
    return Offer(config, tuple(layers), names, parent=forms.text(item, "Parent", MANIFEST) or None)


def _member(name: str) -> str:
    clean = posixpath.normpath(name)
    if clean.startswith(("/", "..")) or clean == ".":
        raise BadArchive(f"{MANIFEST} names the member {name[:200]!r}, which is not in the archive")
    return clean


def _name(text: str) -> Reference:
    try:
        name = parse(text)
    except BadName as error:
        raise BadArchive(f"{MANIFEST} gives an image a name that is none: {error}") from error
    if name.tag is None or name.digest:
        raise BadArchive(f"invalid tag {text[:200]!r} in {MANIFEST}")
    return name


def _digest(content: bytes) -> str:
    return "sha256:" + sha256(content).hexdigest()
