"""Who holds what: images, names, containers and layers of a store, read once, so that questions cost nothing.

name ----> image ----> its layers, and through them the layers below
             ^
container ---+---> the layer that its read-write layer lies on
image made from it (child)
"""

from __future__ import annotations

from tiffin.engine.parts import Parts
from tiffin.images.reference import Reference
from tiffin.model.nouns import Container, Image, Layer


class Census:
    """As it was at one moment; `drop_name` and `drop` keep it true while its owner removes things."""

    def __init__(self, parts: Parts) -> None:
        self.names: dict[str, list[Reference]] = {}
        """image id -> its names"""
        for name, id in parts.images.names.all():
            self.names.setdefault(id, []).append(name)
        self.images: dict[str, Image] = {image.id: image for image in parts.images.all()}
        self.containers: list[Container] = list(parts.containers())
        self.layers: dict[str, Layer] = {layer.id: layer for layer in parts.layers.all()}

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

    def drop_name(self, id: str, name: Reference) -> None:
        self.names[id].remove(name)

    def drop(self, id: str) -> None:
        """An image goes. What was made from it counts as made from what it was made from."""
        gone = self.images.pop(id)
        for child in self.children(id):
            self.images[child.id] = child._replace(parent=gone.parent)
