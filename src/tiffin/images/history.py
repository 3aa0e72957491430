"""What made an image, step by step, each with its real ids.

      config.history           layers           images made here
    4 CMD ["sh"]               -- (empty)       <- the image itself        its layer is that of step 3
    3 touch happiness.txt      layer C          <- its parent
    2 ENV A=1                  -- (empty)
    1 ADD rootfs               layer A

The entries are counted against the layers from the bottom. A history may be missing, or shorter than the stack: what
is not told is shown as a step without words.
"""

from __future__ import annotations

from tiffin.images.config import HistoryEntry, ImageConfig
from tiffin.images.records import Images
from tiffin.model.nouns import Image
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Step(NamedTuple):
    """`image` is the id of the image as it was after this step, where there is one here.

    `layer` is the chain id of the layer that the step made, or, where `empty` says that it changed settings only, of
    its parent's (None if there is no layer yet).
    """

    entry: HistoryEntry
    layer: str | None
    empty: bool
    image: str | None = None


def steps(config: ImageConfig) -> list[Step]:
    """Bottom first."""
    layers, found = list(config.layers()), list[Step]()
    top: str | None = None
    for entry in config.history:
        empty = entry.empty_layer or not layers
        top = top if empty else layers.pop(0)
        found.append(Step(entry, top, empty))
    return found + [Step(HistoryEntry(), layer, False) for layer in layers]


def history(images: Images, image: Image) -> list[Step]:
    """Top first, with the ids of the image and of those that it was made from."""
    found = steps(images.config(image.id))
    here = {known.id: known for known in images.all()}
    ancestor: Image | None = image
    while ancestor is not None:
        place = _place(found, images.config(ancestor.id))
        if place is None:
            break
        found[place] = found[place]._replace(image=ancestor.id)
        ancestor = here.pop(ancestor.parent, None) if ancestor.parent else None  # pop: a ring of parents must end
    return found[::-1]


def is_made_from(child: ImageConfig, parent: ImageConfig) -> bool:
    """Whether the steps of one image begin with all steps of the other."""
    return len(child.history) > len(parent.history) and _place(steps(child), parent) is not None


def sizes(found: list[Step], size_of: Callable[[str], int]) -> list[int]:
    """The bytes that each step added."""
    return [0 if step.empty or step.layer is None else size_of(step.layer) for step in found]


def _place(found: list[Step], ancestor: ImageConfig) -> int | None:
    """The step after which the union view was that of the ancestor."""
    below = steps(ancestor)
    if [(step.layer, step.entry) for step in below] != [(step.layer, step.entry) for step in found[: len(below)]]:
        return None
    return len(below) - 1 if below else None
