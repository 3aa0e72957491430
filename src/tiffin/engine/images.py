"""The verbs that look at images, and tag: images, history, tag, inspect, system df."""

from __future__ import annotations

import os

from tiffin import json
from tiffin.engine.attributes import of_image
from tiffin.engine.census import Census
from tiffin.engine.parts import Parts
from tiffin.engine.references import bare_config, find
from tiffin.engine.times import rfc3339, seconds
from tiffin.errors import BadName
from tiffin.images.config import HistoryEntry, ImageConfig
from tiffin.images.history import history as steps_of
from tiffin.images.history import sizes, steps
from tiffin.images.platform import here
from tiffin.images.reference import parse_tagged
from tiffin.model.nouns import Image, Layer
from tiffin.model.states import ALIVE
from tiffin.record import NamedTuple
from tiffin.store import events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeAlias

JSON: TypeAlias = "dict[str, Any]"  # the border: Docker's form


class ImageSummary(NamedTuple):
    """One row of `images`: an image, or with `-a` a read-only layer that is the top of none."""

    id: str
    """of the image, or of the layer"""
    names: tuple[str, ...]
    """as Docker shows them; none for a dangling image and for a layer"""
    digests: tuple[str, ...]
    """name@digest of the manifest that it came with"""
    image_parent: str | None
    """the image that it was made from"""
    layer: str | None
    """the topmost layer"""
    parent: str | None
    """the layer below that one"""
    created: float
    """seconds since 1970; 0 where nobody says"""
    size: int
    """bytes of all its layers"""
    layer_size: int
    """bytes of the topmost layer"""
    shared_size: int
    """bytes of those layers that other images have, too"""
    containers: int
    """how many were made from it"""
    labels: Mapping[str, str]
    is_layer: bool = False

    @property
    def is_dangling(self) -> bool:
        return not self.names and not self.is_layer


class HistoryStep(NamedTuple):
    """One step of an image, as `history` shows it."""

    image: str | None
    """the image as it was after this step, where there is one here"""
    layer: str | None
    """the layer that the step made, or its parent's where it changed only settings"""
    is_empty: bool
    """it changed only settings"""
    created: float
    """seconds since 1970; 0 where nobody says"""
    created_by: str
    size: int
    comment: str
    author: str
    names: tuple[str, ...]


class Usage(NamedTuple):
    """How many there are, how many are in use, their bytes, and the bytes that could go."""

    total: int
    active: int
    size: int
    reclaimable: int


class DiskUsage(NamedTuple):
    """Images counted by their layers, each once; `blobs` are the compressed forms that layers came in."""

    images: Usage
    containers: Usage
    blobs: Usage
    layers: int
    """how many"""


def images(parts: Parts, *, all: bool = False) -> list[ImageSummary]:
    """The images that have a name, are under a container, or are dangling; newest first.

    With `all`, also those that other images were made from, and then every layer that is the top of no image.
    """
    with parts.store.shared():  # nothing goes while we look
        census = Census.of(parts)
        chosen = [
            image
            for image in census.images.values()
            if all or census.names_of(image.id) or census.users(image.id) or not census.children(image.id)
        ]
        shares = census.shares()
        rows = [_summary(parts, census, image, shares) for image in chosen]
        rows.sort(key=lambda row: (-row.created, row.id))
        if all:
            tops = {image.top for image in census.images.values()}
            rows += [_layer_summary(census, layer) for layer in _in_order(census) if layer.id not in tops]
        return rows


def history(parts: Parts, text: str) -> list[HistoryStep]:
    """The steps of an image from the top down. A bare layer has one nameless step for each layer of its stack."""
    with parts.store.shared():  # nothing goes while we look
        found = find(parts, text)
        done = steps_of(parts.images, found.image) if found.image else steps(bare_config(parts, found.top))[::-1]
        names = Census.of(parts).names
        bytes_of = sizes(done, lambda layer: parts.layers.get(layer).size)
        return [
            HistoryStep(
                step.image,
                step.layer,
                step.empty,
                seconds(step.entry.created),
                step.entry.created_by,
                size,
                step.entry.comment,
                step.entry.author,
                tuple(name.familiar() for name in names.get(step.image or "", ())),
            )
            for step, size in zip(done, bytes_of, strict=True)
        ]


def tag(parts: Parts, text: str, name: str) -> Image:
    """Give an image one more name, or take that name from another one. A bare layer becomes an image by it.

    Raises NoSuchImage, AmbiguousId, BadName, StoreFull.
    """
    reference = parse_tagged(name)
    if reference.familiar_repository == "sha256":
        raise BadName('refusing to create an ambiguous tag using digest algorithm as name: "sha256"')
    with parts.store.writing(), parts.store.shared():
        found = find(parts, text)
        if found.image is None:
            image = parts.images.add(named_config(parts, found.top).to_bytes(), named=True)
        else:
            image = found.image
        parts.images.name(reference, image.id)
    events.emit(parts.store, "image", "tag", image.id, of_image(reference.familiar(), found.config))
    return image


def named_config(parts: Parts, top: str | None) -> ImageConfig:
    """Of the image that a bare layer becomes by a name. It tells no time: so it is always the same image."""
    machine = here()
    return bare_config(parts, top)._replace(architecture=machine.architecture, variant=machine.variant)


def system_df(parts: Parts) -> DiskUsage:
    """What lies on the disk, each layer counted once."""
    with parts.store.shared():  # nothing goes while we look
        census = Census.of(parts)
        used = [image for image in census.images.values() if census.users(image.id)]
        held = {layer for image in used for layer in image.layers}
        held |= {layer.id for container in census.containers for layer in census.stack(container.top)}
        size = sum(layer.size for layer in census.layers.values())
        free = sum(layer.size for layer in census.layers.values() if layer.id not in held)
        return DiskUsage(
            Usage(len(census.images), len(used), size, free),
            _containers_usage(parts, census),
            _blobs_usage(parts, census),
            len(census.layers),
        )


def inspect(parts: Parts, text: str) -> JSON:
    """An image, or a bare layer as such. Raises NoSuchImage, AmbiguousId, BadName."""
    found = find(parts, text)
    return inspect_image(parts, text) if found.image else inspect_layer(parts, parts.layers.get(found.id))


def inspect_image(parts: Parts, text: str) -> JSON:
    """An image in Docker's form; a bare layer is shown as the image that it would be."""
    with parts.store.shared():  # nothing goes while we look
        found = find(parts, text)
        if found.image is None:
            config, form = bare_config(parts, found.top), {}
        else:
            content = parts.images.config_bytes(found.image.id)
            config, form = ImageConfig.from_bytes(content), json.loads(content)
        names = Census.of(parts).names.get(found.id, [])
        record = parts.images.record(found.image.id) if found.image else None
        digest = record.manifest if record else None
        folders = [parts.layers.folder(layer) for layer in reversed(found.layers)]
        size = sum(parts.layers.get(layer).size for layer in found.layers)
        return {
            "Id": found.id,
            "RepoTags": [name.familiar() for name in names],
            "RepoDigests": sorted({f"{name.familiar_repository}@{digest}" for name in names if digest}),
            "Parent": (found.image.parent if found.image else None) or "",
            "Comment": config.history[-1].comment if config.history else "",
            "Created": config.created,
            "DockerVersion": str(form.get("docker_version") or ""),
            "Author": config.author,
            "Config": config.config.to_json(),
            "Architecture": config.architecture,
            **({"Variant": config.variant} if config.variant else {}),
            "Os": config.os,
            "Size": size,
            "VirtualSize": size,
            "GraphDriver": {
                "Name": "overlay",
                "Data": {"UpperDir": folders[0] if folders else "", "LowerDir": ":".join(folders[1:])},
            },
            "RootFS": {"Type": "layers", "Layers": list(config.diff_ids)},
            "Metadata": {"LastTagTime": _last_tag_time(parts, found.id)},
        }


def inspect_layer(parts: Parts, layer: Layer) -> JSON:
    """The article's layer: what its own file says, what made it, and who it lies on and under."""
    with parts.store.shared():  # nothing goes while we look
        census = Census.of(parts)
        images = [image for image in census.images.values() if layer.id in image.layers]
        made_by = _made_by(parts, layer, images)
        return {
            "Id": layer.id,
            "Parent": layer.parent or "",
            "DiffId": layer.diff_id,
            "Size": layer.size,
            "Created": made_by.created,
            "CreatedBy": made_by.created_by,
            "Origin": parts.layers.origin(layer.id),
            "Folder": parts.layers.folder(layer.id),
            "Children": sorted(other.id for other in census.layers.values() if other.parent == layer.id),
            "Images": sorted(image.id for image in images),
            "Containers": sorted(
                container.id
                for container in census.containers
                if layer.id in (below.id for below in census.stack(container.top))
            ),
        }


def _made_by(parts: Parts, layer: Layer, images: list[Image]) -> HistoryEntry:
    """The step of an image that made the layer, of one that ends with it if there is one. Images may tell different
    stories of the same layer; without any nobody knows."""
    for image in sorted(images, key=lambda image: (image.top != layer.id, image.id))[:1]:
        for step in steps(parts.images.config(image.id)):
            if step.layer == layer.id and not step.empty:
                return step.entry
    return HistoryEntry()


def _summary(parts: Parts, census: Census, image: Image, shares: Mapping[str, int]) -> ImageSummary:
    config, names = parts.images.config(image.id), census.names_of(image.id)
    digest = parts.images.record(image.id).manifest
    stack = [census.layers[id] for id in image.layers if id in census.layers]
    return ImageSummary(
        image.id,
        tuple(name.familiar() for name in names),
        tuple(sorted({f"{name.familiar_repository}@{digest}" for name in names if digest})),
        image.parent,
        image.top,
        stack[-1].parent if stack else None,
        seconds(config.created),
        sum(layer.size for layer in stack),
        stack[-1].size if stack else 0,
        sum(layer.size for layer in stack if shares[layer.id] > 1),
        len(census.users(image.id)),
        config.config.labels,
    )


def _layer_summary(census: Census, layer: Layer) -> ImageSummary:
    size = sum(below.size for below in census.stack(layer.id))
    return ImageSummary(
        layer.id, (), (), None, layer.id, layer.parent, 0.0, size, layer.size, size - layer.size, 0, {}, is_layer=True
    )


def _in_order(census: Census) -> list[Layer]:
    """Each layer right before the one that it lies on, where that was not told already."""
    parents = {layer.parent for layer in census.layers.values()}
    told: dict[str, Layer] = {}
    for top in sorted(set(census.layers) - parents):
        told |= {layer.id: layer for layer in census.stack(top) if layer.id not in told}
    return list(told.values())


def _containers_usage(parts: Parts, census: Census) -> Usage:
    bytes_of = {
        container.id: tree_size(parts.store.path("containers", container.id, "diff")) for container in census.containers
    }
    alive = [container.id for container in census.containers if container.state in ALIVE]
    free = sum(size for id, size in bytes_of.items() if id not in alive)
    return Usage(len(bytes_of), len(alive), sum(bytes_of.values()), free)


def _blobs_usage(parts: Parts, census: Census) -> Usage:
    kept = {blob.digest for id in census.images for blob in parts.images.record(id).blobs if blob}
    sizes_of = [parts.content.size(digest) for digest in kept if parts.content.has(digest)]
    return Usage(len(sizes_of), len(sizes_of), sum(sizes_of), sum(sizes_of))


def tree_size(folder: str) -> int:
    """The bytes in the files of a folder, links not followed. What goes away meanwhile counts as nothing."""
    size, todo = 0, [folder]
    while todo:
        try:
            entries = list(os.scandir(todo.pop()))
        except OSError:
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                todo.append(entry.path)
            elif entry.is_file(follow_symlinks=False):
                size += entry.stat(follow_symlinks=False).st_size
    return size


def _last_tag_time(parts: Parts, id: str) -> str:
    """When it last got a name: the age of the youngest link to it."""
    times = [parts.images.names.given(name) for name, image in parts.images.names.all() if image == id]
    return rfc3339(max(times)) if times else "0001-01-01T00:00:00Z"
