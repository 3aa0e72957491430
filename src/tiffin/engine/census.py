"""Who holds what: images, names, containers and layers of a store, read once, so that questions cost nothing.

name ----> image ----> its layers, and through them the layers below
             ^
container ---+---> the layer that its read-write layer lies on
image made from it (child)
"""

from __future__ import annotations

from tiffin.errors import NoSuchImage
from tiffin.images.records import Record
from tiffin.images.reference import Reference
from tiffin.model.nouns import Container, Image, Layer
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tiffin.engine.parts import Parts


class Census:
    """As it was at one moment."""

    def __init__(
        self,
        names: Mapping[str, Sequence[Reference]],
        images: Mapping[str, Image],
        containers: Sequence[Container],
        layers: Mapping[str, Layer],
    ) -> None:
        self.names: dict[str, list[Reference]] = {id: list(all) for id, all in names.items()}
        """image id -> its names"""
        self.images: dict[str, Image] = dict(images)
        self.containers: list[Container] = list(containers)
        self.layers: dict[str, Layer] = dict(layers)

    @classmethod
    def of(cls, parts: Parts) -> Census:
        """As it is now."""
        names, images = _names(parts), {image.id: image for image in parts.images.all()}
        return Census(names, images, list(parts.containers()), _layers(parts))

    def shares(self) -> dict[str, int]:
        """Of each layer, how many images have it."""
        counts: dict[str, int] = {}
        for image in self.images.values():
            for layer in image.layers:
                counts[layer] = counts.get(layer, 0) + 1
        return counts

    def names_of(self, id: str) -> list[Reference]:
        return self.names.get(id, [])

    def users(self, id: str) -> list[Container]:
        """The containers that were made from an image."""
        return [container for container in self.containers if container.image == id]

    def children(self, id: str) -> list[Image]:
        """The images that were made from an image."""
        return [image for image in self.images.values() if image.parent == id]

    def is_free(self, id: str) -> bool:
        """Whether no container and no other image stands on an image."""
        return id in self.images and not self.users(id) and not self.children(id)

    def stack(self, top: str | None) -> list[Layer]:
        """A layer and those below it, the topmost first."""
        found: list[Layer] = []
        while top is not None and top in self.layers:
            found.append(self.layers[top])
            top = found[-1].parent
        return found

    def needed(self) -> set[str]:
        """The layers that images and containers stand on."""
        needed = {layer for image in self.images.values() for layer in image.layers}
        return needed | {layer.id for container in self.containers for layer in self.stack(container.top)}


class Waiting(NamedTuple):
    """An image that was to go while somebody added things. `forced`: even where something uses it."""

    image: Image
    forced: bool = False


class Inventory(Census):
    """A census with all that a removal must know. `drop_name` and `drop` keep it true while things go.

    `is_quiet`: nobody is adding anything, so that what nothing here needs is needed by nobody.
    """

    def __init__(
        self,
        names: Mapping[str, Sequence[Reference]],
        images: Mapping[str, Image],
        containers: Sequence[Container],
        layers: Mapping[str, Layer],
        *,
        waiting: Mapping[str, Waiting],
        records: Mapping[str, Record],
        blobs: Mapping[str, int],
        is_quiet: bool = True,
    ) -> None:
        super().__init__(names, images, containers, layers)
        self.waiting: dict[str, Waiting] = dict(waiting)
        """image id -> one that is no image any more for those who look, and is deleted unless it is needed again"""
        self.records: dict[str, Record] = dict(records)
        """image id -> what it needs and keeps; also of those that wait"""
        self.blobs: dict[str, int] = dict(blobs)
        """digest -> bytes"""
        self.is_quiet = is_quiet

    @classmethod
    def of(cls, parts: Parts, *, is_quiet: bool = True) -> Inventory:
        """As it is now. The caller holds the store's lock: exclusive, if it is to remove anything."""
        names, images, waiting, records = _names(parts), dict[str, Image](), dict[str, Waiting](), dict[str, Record]()
        for id in parts.images.ids():
            try:
                records[id] = parts.images.record(id)
            except NoSuchImage:  # removed meanwhile
                continue
            if id in names or not parts.images.is_unwanted(id):
                images[id] = records[id].image
            else:
                waiting[id] = Waiting(records[id].image, parts.images.is_forced(id))
        return Inventory(
            names, images, list(parts.containers()), _layers(parts),
            waiting=waiting, records=records, blobs=parts.content.all(), is_quiet=is_quiet,
        )  # fmt: skip

    def copy(self) -> Inventory:
        return Inventory(
            self.names, self.images, self.containers, self.layers,
            waiting=self.waiting, records=self.records, blobs=self.blobs, is_quiet=self.is_quiet,
        )  # fmt: skip

    def bring_back(self) -> None:
        """Those that wait and are needed again are images again: something stands on them, and nobody forced it."""
        while needed := [
            id for id, one in self.waiting.items() if not one.forced and (self.users(id) or self.children(id))
        ]:
            for id in needed:
                self.images[id] = self.waiting.pop(id).image

    def drop_name(self, id: str, name: Reference) -> None:
        self.names[id].remove(name)

    def drop(self, id: str) -> None:
        """An image goes. What was made from it counts as made from what it was made from."""
        waiting = self.waiting.pop(id, None)
        gone = waiting.image if waiting else self.images.pop(id)
        self.records.pop(id, None)
        for child in self.children(id):
            self.images[child.id] = child._replace(parent=gone.parent)
        for other, one in self.waiting.items():
            if one.image.parent == id:
                self.waiting[other] = one._replace(image=one.image._replace(parent=gone.parent))


def _names(parts: Parts) -> dict[str, list[Reference]]:
    names: dict[str, list[Reference]] = {}
    for name, id in parts.images.names.all():
        names.setdefault(id, []).append(name)
    return names


def _layers(parts: Parts) -> dict[str, Layer]:
    return {layer.id: layer for layer in parts.layers.all()}
