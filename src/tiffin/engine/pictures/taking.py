"""Pictures of what stands here: of the whole host, of a few things on it, or of one thing with all that can be seen.

    whole    every layer once, every container on top: how much it wrote and what runs, no names of files
    some     the same, of some containers, images and layers, and what they stand on
    single   one stack in full: its union view, what its read-write layer holds, its processes, its metadata
"""

from __future__ import annotations

from tiffin.containers import ContainerRecord, Containers
from tiffin.engine import looking
from tiffin.engine.parts import Parts
from tiffin.engine.pictures.cards import card_of_container, card_of_image, card_of_layer
from tiffin.engine.pictures.unions import union_view
from tiffin.engine.pictures.world import glanced, measured, pictured, seen, seen_below
from tiffin.engine.references import find
from tiffin.engine.state import state_of
from tiffin.errors import NoSuchImage, NotFound
from tiffin.model.nouns import Layer
from tiffin.view.picture import Picture, part, short

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def whole(parts: Parts) -> Picture:
    """All that stands on the host."""
    return pictured(glanced(parts, seen(parts)))


def some(parts: Parts, references: Iterable[str]) -> Picture:
    """These containers, images and layers, on what they share. Raises NotFound, AmbiguousId."""
    chosen = set[str]()
    for reference in references:
        record = looking.find(parts, reference)
        chosen.add(record.id if record else _found(parts, reference))
    return part(whole(parts), frozenset(chosen))


def single(parts: Parts, reference: str) -> Picture:
    """One container, image or layer, sought in this order. Raises NotFound, AmbiguousId."""
    record = looking.find(parts, reference)
    return container(parts, record) if record else image(parts, reference)


def container(parts: Parts, record: ContainerRecord) -> Picture:
    """One container and its stack, in full. Raises NoSuchContainer."""
    with Containers(parts.store).hold(record.id) as held:
        upper = f"/proc/self/fd/{held.descriptor}/diff"
        drawn = pictured(measured(parts, seen_below(parts, record.top, [record]), [record.id]), record.name)
        view = union_view(parts, top=record.top, upper=upper, of=record.id)
        card = card_of_container(parts, record, state_of(parts.store, record.id))
        return drawn._replace(about="container", view=view, cards=(card,))


def image(parts: Parts, reference: str) -> Picture:
    """One image, or bare layer, and its stack in full. Raises NoSuchImage, AmbiguousId, NotFound."""
    try:
        found = find(parts, reference)
    except NoSuchImage as error:
        raise NotFound(f"No such object: {reference[:200]}; see what there is: tiffin look") from error
    if found.image is None:
        return layer(parts, parts.layers.get(found.id))
    drawn = pictured(seen_below(parts, found.top), reference)
    view = union_view(parts, top=found.top, upper=None, of=found.top or found.id)
    return drawn._replace(about="image", view=view, cards=(card_of_image(parts, found.image),))


def layer(parts: Parts, noun: Layer) -> Picture:
    """One layer, and those below it, in full. Raises NoSuchLayer."""
    drawn = pictured(seen_below(parts, noun.id), f"layer {short(noun.id)}")
    view = union_view(parts, top=noun.id, upper=None, of=noun.id)
    return drawn._replace(about="layer", view=view, cards=(card_of_layer(parts, noun),))


def _found(parts: Parts, reference: str) -> str:
    """The layer on top; the image itself where it has none."""
    try:
        found = find(parts, reference)
        return found.top or found.id
    except NoSuchImage as error:
        raise NotFound(f"No such object: {reference[:200]}; see what there is: tiffin look") from error
