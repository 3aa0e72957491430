"""Images and layers to hold in the hand: the values of the model, and what can be asked of them here.

They compare and hash as the values do: `engine.image("web") == image` whoever gave it.
"""

from __future__ import annotations

from tiffin.engine.parts import Parts
from tiffin.model import nouns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.view.picture import Picture


class _Held:
    """They are equal to the values that they hold, and a notebook draws them."""

    noun: nouns.Image | nouns.Layer

    if TYPE_CHECKING:

        def picture(self) -> Picture: ...

    def _repr_svg_(self) -> str:
        return self.picture()._repr_svg_()

    def _repr_html_(self) -> str:
        return self.picture()._repr_html_()

    def __eq__(self, other: object) -> bool:
        return self.noun == (other.noun if isinstance(other, _Held) else other)

    def __hash__(self) -> int:
        return hash(self.noun)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.noun.id.removeprefix('sha256:')[:12]}>"


class Image(_Held):
    """The union view of a stack of read-only layers, and a config."""

    def __init__(self, parts: Parts, noun: nouns.Image) -> None:
        self._parts = parts
        self.noun: nouns.Image = noun

    @property
    def id(self) -> str:
        """The digest of its config."""
        return self.noun.id

    @property
    def layers(self) -> tuple[str, ...]:
        """The ids of its layers, bottom first."""
        return self.noun.layers

    @property
    def top(self) -> str | None:
        """The id of the topmost layer; none for an image without layers."""
        return self.noun.top

    @property
    def parent(self) -> str | None:
        """The id of the image that it was made from, where that is known."""
        return self.noun.parent

    def picture(self) -> Picture:
        """Its stack and its union view. Raises NotFound where it is gone."""
        from tiffin.engine.pictures import taking  # only to draw

        return taking.image(self._parts, self.id)


class Layer(_Held):
    """What one step changed in a file system: a delta on a parent."""

    def __init__(self, parts: Parts, noun: nouns.Layer) -> None:
        self._parts = parts
        self.noun: nouns.Layer = noun

    @property
    def id(self) -> str:
        """Its chain id (OCI image-spec, config.md)."""
        return self.noun.id

    @property
    def parent(self) -> str | None:
        """The id of the layer that it lies on; none for the lowest."""
        return self.noun.parent

    @property
    def diff_id(self) -> str:
        """The digest of its tar."""
        return self.noun.diff_id

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return self.noun.size

    @property
    def folder(self) -> str:
        """Where its tree lies on this host."""
        return self._parts.layers.folder(self.id)

    def picture(self) -> Picture:
        """It and the layers below. Raises NotFound where it is gone."""
        from tiffin.engine.pictures import taking  # only to draw

        return taking.layer(self._parts, self.noun)
