"""Which image or layer is meant by what somebody wrote: a name, an id, or the beginning of one.

A layer *is* an image: its id can stand wherever an image's can, and means its stack with empty settings.
"""

from __future__ import annotations

from tiffin.engine.parts import Parts
from tiffin.errors import NoSuchImage, NoSuchLayer
from tiffin.images.config import ImageConfig
from tiffin.images.records import is_hex, only, short
from tiffin.model.config import Config
from tiffin.model.nouns import Image, Layer
from tiffin.record import NamedTuple


class Found(NamedTuple):
    """What `create` and `inspect` need of an image. `image` is None for a bare layer, which has no config."""

    image: Image | None
    layers: tuple[str, ...]
    config: Config

    @property
    def id(self) -> str:
        return self.image.id if self.image else self.layers[-1]

    @property
    def top(self) -> str | None:
        return self.layers[-1] if self.layers else None


def find(parts: Parts, text: str) -> Found:
    """An image by name, id or beginning of an id; or a layer by id or beginning of an id.

    Raises NoSuchImage, AmbiguousId, or BadName for what can be neither.
    """
    id = parts.images.named(text)
    return _image(parts, id) if id else find_by_id(parts, text)


def find_by_id(parts: Parts, text: str) -> Found:
    """An image or a layer by its id or the beginning of it, and never by a name. Raises as `find` does."""
    images = parts.images.beginning_with(text)
    id = only(text, sorted({*images, *_layers_beginning_with(parts, text)}))
    if id is None:
        raise parts.images.missing(text)
    if id in images:
        return _image(parts, id)
    return Found(None, tuple(layer.id for layer in reversed(parts.layers.stack(id))), Config())


def find_image(parts: Parts, text: str) -> Image:
    """An image that has a record. Raises NoSuchImage, also for a bare layer."""
    found = find(parts, text)
    if found.image is None:
        raise NoSuchImage(f"{short(found.id)} is a layer and has no image of its own; give it a name: tiffin tag")
    return found.image


def find_layer(parts: Parts, text: str) -> Layer:
    """A layer by id or beginning of an id. Raises NoSuchLayer, AmbiguousId."""
    id = only(text, _layers_beginning_with(parts, text))
    if id is None:
        raise NoSuchLayer(f"No such layer: {text[:100]}; see what there is: tiffin images -a")
    return parts.layers.get(id)


def bare_config(parts: Parts, top: str | None) -> ImageConfig:
    """The config of the image that a bare layer is: its stack, and nothing else."""
    return ImageConfig(diff_ids=tuple(layer.diff_id for layer in reversed(parts.layers.stack(top))))


def _image(parts: Parts, id: str) -> Found:
    image = parts.images.get(id)
    return Found(image, image.layers, parts.images.config(id).config)


def _layers_beginning_with(parts: Parts, text: str) -> list[str]:
    digits = text.removeprefix("sha256:")
    if not is_hex(digits):
        return []
    if len(digits) == 64:
        return [f"sha256:{digits}"] if parts.layers.has(f"sha256:{digits}") else []
    return sorted(layer.id for layer in parts.layers.all() if layer.id.startswith(f"sha256:{digits}"))
