"""Image and layer as the library hands them out: an id, and the verbs that take it.

    image = engine.image("base")
    for step in image.history():
        print(step.layer, step.created_by)
    print(engine.layer(image.top).folder)      # where the files of the topmost layer lie

A handle holds what never changes; names, children and users are asked for when they are wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO

from tiffin.engine import archives, images, removal
from tiffin.engine.parts import Parts
from tiffin.engine.references import Found, find
from tiffin.engine.removal import Removed
from tiffin.images.records import short
from tiffin.model import nouns
from tiffin.model.config import Config


class Image:
    """The union view of a stack of read-only layers, and settings. A bare layer is one with empty settings."""

    def __init__(self, parts: Parts, found: Found) -> None:
        self._parts, self._found = parts, found

    @property
    def id(self) -> str:
        """The digest of its config; of a bare layer the chain id."""
        return self._found.id

    @property
    def layers(self) -> tuple[str, ...]:
        """Chain ids, bottom first."""
        return self._found.layers

    @property
    def top(self) -> str | None:
        """The chain id of the topmost layer."""
        return self._found.top

    @property
    def parent(self) -> str | None:
        """The id of the image that it was made from, where that is known."""
        return self._found.image.parent if self._found.image else None

    @property
    def config(self) -> Config:
        return self._found.config

    @property
    def is_layer(self) -> bool:
        """Whether it is a bare layer, of which no image is the view."""
        return self._found.image is None

    @property
    def names(self) -> tuple[str, ...]:
        """As Docker shows them, like base:latest; as they are now."""
        return tuple(name.familiar() for name in self._parts.images.names_of(self.id))

    @property
    def size(self) -> int:
        """Bytes in the files of all its layers."""
        return sum(self._parts.layers.get(layer).size for layer in self.layers)

    def history(self) -> list[images.HistoryStep]:
        """Its steps, from the top down."""
        return images.history(self._parts, self.id)

    def tag(self, name: str) -> Image:
        """Give it one more name."""
        return Image(self._parts, find(self._parts, images.tag(self._parts, self.id, name).id))

    def remove(self, *, force: bool = False) -> list[Removed]:
        """Remove it with all its names, and the layers that nothing else needs. See `engine.removal` for the rule."""
        return removal.rmi(self._parts, self.id, force=force)

    def save(self, target: BinaryIO) -> None:
        """Write it as a tar, with all its names."""
        archives.save(self._parts, self.names or (self.id,), target)

    def inspect(self) -> dict[str, Any]:
        """In Docker's form."""
        return images.inspect_image(self._parts, self.id)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Image) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<Image {short(self.id)} {' '.join(self.names)}".rstrip() + ">"


class Layer:
    """What one step changed in a file system."""

    def __init__(self, parts: Parts, layer: nouns.Layer) -> None:
        self._parts, self._layer = parts, layer

    @property
    def id(self) -> str:
        """The chain id."""
        return self._layer.id

    @property
    def parent(self) -> str | None:
        """The chain id of the layer that it lies on."""
        return self._layer.parent

    @property
    def diff_id(self) -> str:
        """The digest of the delta as a tar."""
        return self._layer.diff_id

    @property
    def size(self) -> int:
        """Bytes in its files."""
        return self._layer.size

    @property
    def folder(self) -> str:
        """Where its files lie on this machine. Whoever writes to them damages the layer."""
        return self._parts.layers.folder(self.id)

    def children(self) -> Sequence[Layer]:
        """The layers that lie on it."""
        return [Layer(self._parts, layer) for layer in self._parts.layers.all() if layer.parent == self.id]

    def inspect(self) -> dict[str, Any]:
        """Its json, and Id, Folder, Children, Images, Containers."""
        return images.inspect_layer(self._parts, self._layer)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Layer) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<Layer {short(self.id)}>"
