"""Images and trees as tar files: load, save, import, export."""

from __future__ import annotations

from tiffin.builder.settings import changed
from tiffin.engine.attributes import of_image
from tiffin.engine.parts import Parts
from tiffin.engine.references import find_image
from tiffin.engine.removal import undone_on_error
from tiffin.engine.times import now
from tiffin.errors import BadName
from tiffin.images import docker_archive
from tiffin.images.archive import opened, readable
from tiffin.images.config import HistoryEntry, ImageConfig
from tiffin.images.loading import Loading, Progress
from tiffin.images.platform import here
from tiffin.images.reference import Reference, parse, parse_tagged
from tiffin.images.saving import Saving, write
from tiffin.layers.export import export as flattened
from tiffin.layers.tarwriter import pieces
from tiffin.model.config import Config
from tiffin.model.nouns import Image
from tiffin.record import NamedTuple
from tiffin.store import events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import BinaryIO


class Loaded(NamedTuple):
    """An image that came in, and one of the names that it has now; None where the archive gave it none."""

    name: str | None
    id: str
    replaced: str | None = None
    """the id of another image that had this name before, and does not any more"""


def load(parts: Parts, source: BinaryIO | str, *, progress: Progress | None = None) -> list[Loaded]:
    """Take in the images of an archive of `docker save`, or an OCI layout: a file, a folder, or a stream.

    All of them or none, unless it is killed between two names: each is a commit point, and then some of them have
    their images, whole ones, and the same load gives the others. (One commit point for all would need a journal, and
    everybody who reads a name would have to look there first.) Raises BadArchive, Unsupported for images of other
    systems, NoSuchPath, StoreFull.
    """
    with undone_on_error(parts), opened(source, parts.store) as archive, parts.store.shared():
        found = Loading(archive, parts.images, parts.layers, progress).load(docker_archive.offers(archive))
        named = [_named(parts, name, loaded.image.id) for loaded in found for name in loaded.names]
    for loaded in found:
        _tell(parts, "load", loaded.image)
    return named or [Loaded(None, loaded.image.id) for loaded in found]


def save(parts: Parts, references: Sequence[str], target: BinaryIO, *, progress: Progress | None = None) -> None:
    """Write images as one tar: what `docker load`, `podman load` and skopeo read, and an OCI layout.

    A name without a tag means all tags of it, as in Docker; an id sends the image without a name. Raises NoSuchImage,
    and StoreDamaged where a layer's files were changed by hand.
    """
    with parts.store.shared():
        chosen = _chosen(parts, references)
        write(Saving(parts.images, parts.layers).members(chosen.items()), target, progress)
    for image in chosen:
        _tell(parts, "save", image)


def import_(
    parts: Parts,
    source: BinaryIO,
    name: str | None = None,
    *,
    changes: Iterable[str] = (),
    message: str = "",
    created: str | None = None,
    progress: Progress | None = None,
) -> Image:
    """Make an image of one layer from the tar of a file system, compressed or not.

    `created` as in RFC 3339, else it is now. Raises BadArchive, BadParameter for a wrong change, BadName, StoreFull.
    """
    reference = parse_tagged(name) if name else None
    settings, time, machine = changed(Config(), changes), created or now(), here()
    with undone_on_error(parts), parts.store.shared():
        told = None if progress is None else lambda done: progress("Importing", done, None)
        layer = parts.layers.unpack(readable(source), None, origin="import", progress=told)
        entry = HistoryEntry(time, comment=message or "Imported from -")
        config = ImageConfig(
            settings, (entry,), (layer.diff_id,), time, "", machine.architecture, machine.os, machine.variant
        )
        image = parts.images.add(config.to_bytes(), named=reference is not None)
        if reference is not None:
            parts.images.name(reference, image.id)
    if reference is not None:
        events.emit(parts.store, "image", "tag", image.id, of_image(reference.familiar(), settings))
    _tell(parts, "import", image)
    return image


def export(parts: Parts, *, upper: str | None, top: str | None, target: BinaryIO) -> None:
    """Write the union view as one flat tar, without layers or settings.

    `upper` is the folder of a container's read-write layer, `top` the layer that it lies on. Raises Conflict where a
    file becomes shorter meanwhile.
    """
    with parts.store.shared(), flattened([*([upper] if upper else []), *parts.layers.folders(top)]) as stream:
        for piece in pieces(stream):
            target.write(piece)


def _named(parts: Parts, name: Reference, id: str) -> Loaded:
    before = parts.images.names.get(name)
    parts.images.name(name, id)
    return Loaded(name.familiar(), id, before if before != id else None)


def _tell(parts: Parts, action: str, image: Image) -> None:
    told = of_image(image.id, parts.images.config(image.id).config)
    events.emit(parts.store, "image", action, image.id, told)


def _chosen(parts: Parts, references: Sequence[str]) -> dict[Image, tuple[Reference, ...]]:
    chosen: dict[Image, tuple[Reference, ...]] = {}
    for text in references:
        for name, image in _meant(parts, text):
            names = chosen.get(image, ())
            chosen[image] = (*names, name) if name and name not in names else names
    return chosen


def _meant(parts: Parts, text: str) -> list[tuple[Reference | None, Image]]:
    name = _name(text)
    if name is not None and name.digest is None:
        named = [(other, id) for other, id in parts.images.names.all() if other.repository == name.repository]
        if found := [(other, parts.images.get(id)) for other, id in named if name.tag in (None, other.tag)]:
            return list(found)
    return [(None, find_image(parts, text))]


def _name(text: str) -> Reference | None:
    try:
        return parse(text)
    except BadName:  # 64 digits, for one
        return None
