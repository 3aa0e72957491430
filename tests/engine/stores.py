"""A store for tests of the engine's image verbs, with containers that are only told, not there."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping

from tests.conftest import Roots
from tests.images import archives as made
from tiffin.engine import archives
from tiffin.engine.archives import Loaded
from tiffin.engine.parts import Parts
from tiffin.engine.references import find_image
from tiffin.model.nouns import Container, Image
from tiffin.store import Store


class Shelf(Parts):
    """Parts of a fresh store, and a list of containers for tests to fill."""

    def __init__(self, roots: Roots) -> None:
        self.told: list[Container] = []
        super().__init__(Store(*roots).open(), lambda: self.told)

    def load(self, members: Mapping[str, bytes | None]) -> list[Loaded]:
        return archives.load(self, io.BytesIO(made.tar(members)))

    def saved(self, *references: str) -> bytes:
        target = io.BytesIO()
        archives.save(self, references, target)
        return target.getvalue()

    def image(self, reference: str) -> Image:
        return find_image(self, reference)

    def unname(self, id: str) -> None:
        """Take an image's names away, as nobody who adds or removes images would."""
        for name in self.images.names_of(id):
            self.images.names.remove(name, id)

    def left(self) -> dict[str, list[str]]:
        """What stands in each place of the store; nothing but empty places after a verb that failed."""
        places = ("content/sha256", "layers", "images", "images/names", "tmp", "trash")
        return {place: sorted(set(os.listdir(self.store.path(place))) - {"names"}) for place in places}


EMPTY: dict[str, list[str]] = {
    place: [] for place in ("content/sha256", "layers", "images", "images/names", "tmp", "trash")
}
