"""What pictures are made of: the nouns of a host, and what a reader wants to know of each besides.

    World       the host as the table of verbs knows it, the stories of its images, the particulars of its containers
      |
    pictured    a picture of it: pure, so that a world that was only foretold is drawn by the same code

`seen` reads it from the disk. It costs a look at every image and container, but no walk through their files: those of a
few containers that a reader asks for are looked into besides (`measured`, `glanced`).
"""

from __future__ import annotations

import time

from tiffin.containers import ContainerRecord, Containers
from tiffin.engine import binds
from tiffin.engine.parts import Parts
from tiffin.engine.state import ContainerState, noun_of, state_of
from tiffin.engine.times import seconds
from tiffin.errors import NoSuchContainer, NotFound, StoreDamaged
from tiffin.images.config import ImageConfig
from tiffin.images.history import steps
from tiffin.model.config import Config
from tiffin.model.host_config import HostConfig
from tiffin.model.nouns import Host, Image, Layer
from tiffin.model.states import ALIVE
from tiffin.record import NamedTuple
from tiffin.view.picture import Changes, Joined, Network, Picture, Slab, Space, Tray, Use, is_new

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_GLANCED = 200
"""names in a read-write layer that are looked at for a picture of the whole host"""
NO_WORDS = ("/bin/sh -c #(nop) ", "/bin/sh -c ")
"""how Docker's older builder begins what made a layer"""


class Told(NamedTuple):
    """One step of an image's history. `layer` is the one that it made, or that it left on top where `is_empty`."""

    layer: str | None
    words: str
    created: float
    is_empty: bool


class Particulars(NamedTuple):
    """Of one container. What nobody knows, or asked for, is None."""

    image: str
    command: str
    created: float
    exit_code: int | None = None
    is_out_of_memory: bool = False
    reason: str = ""
    since: float = 0.0
    size: int | None = None
    changes: Changes | None = None
    files: tuple[str, ...] = ()
    space: Space | None = None
    uses: tuple[Use, ...] = ()
    networks: tuple[Joined, ...] = ()
    is_least: bool = False
    """nobody looked to the end of what was written"""


class World(NamedTuple):
    """`stories` by image id, the lowest step first; `particulars` by container id. `at` in seconds since 1970."""

    host: Host
    stories: Mapping[str, tuple[Told, ...]]
    particulars: Mapping[str, Particulars]
    at: float


def seen(parts: Parts) -> World:
    """As it stands now."""
    with parts.store.shared():  # nothing goes while we look
        images = {image.id: image for image in parts.images.all()}
        layers = {layer.id: layer for layer in parts.layers.all()}
        names = {name.familiar(): id for name, id in parts.images.names.all()}
        stories = {id: story(parts, id) for id in images}
    records = [(record, state_of(parts.store, record.id)) for record in reversed(Containers(parts.store).all())]
    containers = {record.id: noun_of(record, state) for record, state in records}
    found = {record.id: particulars(record, state) for record, state in records}
    return World(Host(layers, images, names, containers), stories, found, time.time())


def seen_below(parts: Parts, top: str | None, containers: Iterable[ContainerRecord] = ()) -> World:
    """Of the whole only one stack, the images that end in it, and these containers."""
    with parts.store.shared():
        layers = {layer.id: layer for layer in parts.layers.stack(top)}
        images = {image.id: image for image in parts.images.all() if image.top in layers}
        names = {name.familiar(): id for name, id in parts.images.names.all() if id in images}
        stories = {id: story(parts, id) for id in images}
    records = [(record, state_of(parts.store, record.id)) for record in containers]
    nouns = {record.id: noun_of(record, state) for record, state in records}
    found = {record.id: particulars(record, state) for record, state in records}
    return World(Host(layers, images, names, nouns), stories, found, time.time())


def story(parts: Parts, image: str) -> tuple[Told, ...]:
    """What made an image. Empty where its config is damaged: it is drawn all the same."""
    try:
        return story_of(parts.images.config(image))
    except (StoreDamaged, NotFound):
        return ()


def story_of(config: ImageConfig) -> tuple[Told, ...]:
    """What made an image with that config."""
    told = ((step, step.entry.created_by or step.entry.comment) for step in steps(config))
    return tuple(
        Told(step.layer, in_one_line(words), seconds(step.entry.created), step.empty) for step, words in told
    )


def particulars(record: ContainerRecord, state: ContainerState) -> Particulars:
    """What the record of a container and of its last run say."""
    return described(record.config, record.host, record.created)._replace(
        exit_code=state.exit_code if state.finished else None,
        is_out_of_memory=state.oom_killed,
        reason="" if state.oom_killed else state.reason,  # which would say the same again
        since=state.finished or state.started or record.created,
        space=Space() if state.is_alive else None,
    )


def measured(parts: Parts, world: World, containers: Iterable[str]) -> World:
    """The same, and of these containers also what their read-write layers and process spaces hold."""
    from tiffin.engine.pictures.unions import MOST_WALKED  # not for explaining all

    return _looked_into(parts, world, containers, most_names=MOST_WALKED)


def glanced(parts: Parts, world: World) -> World:
    """The same, and of all containers their processes and the size of their read-write layers, or the least that it is:
    a picture of the whole host is not to wait for one with very many files."""
    looked = _looked_into(parts, world, world.host.containers, most_names=MOST_GLANCED, below=False)
    found = {id: known._replace(changes=None, files=()) for id, known in looked.particulars.items()}
    return world._replace(particulars=found)


def _looked_into(
    parts: Parts, world: World, containers: Iterable[str], *, most_names: int, below: bool = True
) -> World:
    """`below`: whether what was written is held against the layers below."""
    from tiffin.engine.pictures.observing import space  # not for explaining all
    from tiffin.engine.pictures.unions import wrote  # not for explaining all

    found = dict(world.particulars)
    for id in containers:
        noun = world.host.containers.get(id)
        if noun is None or is_new(id):
            continue
        try:
            with Containers(parts.store).hold(id) as held:
                upper = f"/proc/self/fd/{held.descriptor}/diff"
                written = wrote(parts, top=noun.top if below else None, upper=upper, most_names=most_names)
        except NoSuchContainer:  # it went meanwhile
            continue
        seen = space(parts, id) or Space() if noun.state in ALIVE else None
        found[id] = found[id]._replace(
            size=written.size, changes=written.changes, files=written.files, space=seen, is_least=not written.is_whole
        )
    return world._replace(particulars=found)


def described(config: Config, host: HostConfig, created: float) -> Particulars:
    """What the settings of a container say, whether it exists or not."""
    bound = (binds.parse(text) for text in host.binds)
    uses = [Use(bind.source, bind.target, bind.readonly) for bind in bound]
    uses += [Use("memory", target, "ro" in options.split(",")) for target, options in host.tmpfs.items()]
    networks = (Joined("host"),) if host.network_mode == "host" else ()
    return Particulars(config.image, " ".join(config.argv), created, uses=tuple(uses), networks=networks)


def pictured(world: World, title: str = "this host") -> Picture:
    """All that stands there. Siblings by age, the oldest first."""
    host = world.host
    labels, ages, settings = _told(world)
    tops: dict[str | None, list[Image]] = {}
    for image in sorted(host.images.values(), key=lambda image: (_age(world, image.id), image.id)):
        tops.setdefault(image.top, []).append(image)
    names: dict[str, list[str]] = {}
    for name, id in sorted(host.names.items()):
        names.setdefault(id, []).append(name)
    slabs = tuple(
        Slab(
            layer.id, layer.parent, labels.get(layer.id, ""), None if layer.size < 0 else layer.size,
            tuple(name for image in tops.get(layer.id, ()) for name in names.get(image.id, ())),
            tuple(image.id for image in tops.get(layer.id, ())), settings.get(layer.id, ()),
        )
        for layer in _upwards(host.layers.values(), ages)
    )  # fmt: skip
    grounded = tops.get(None, [])
    return Picture(
        "host", title, slabs, _trays(world), networks=_networks(world),
        ground_images=tuple(image.id for image in grounded),
        ground_names=tuple(name for image in grounded for name in names.get(image.id, ())), at=world.at,
    )  # fmt: skip


def _told(world: World) -> tuple[dict[str, str], dict[str, float], dict[str, tuple[str, ...]]]:
    """Of each layer what made it, when, and the settings that lie on it.

    Images may tell different stories of the same layer: one with words is believed before one without, one that ends
    with it before others, the older before the younger.
    """
    best: dict[str, tuple[bool, bool, float, str, Told]] = {}
    settings: dict[str, dict[str, None]] = {}
    # by age rather than by id, which nobody knows of an image to come
    for id, image in sorted(world.host.images.items(), key=lambda item: (_age(world, item[0]), item[0])):
        for told in world.stories.get(id, ()):
            if told.layer is None:
                continue
            if told.is_empty:
                settings.setdefault(told.layer, {})[told.words] = None
                continue
            claim = (not told.words, image.top != told.layer, told.created, id, told)
            best[told.layer] = min(best.get(told.layer, claim), claim)
    return (
        {layer: told.words for layer, (*_, told) in best.items()},
        {layer: told.created for layer, (*_, told) in best.items()},
        {layer: tuple(words) for layer, words in settings.items()},
    )


def _upwards(layers: Iterable[Layer], ages: Mapping[str, float]) -> list[Layer]:
    """Each after the one that it lies on; siblings by age."""
    above: dict[str | None, list[Layer]] = {}
    known = {layer.id: layer for layer in layers}
    for layer in known.values():
        above.setdefault(layer.parent if layer.parent in known else None, []).append(layer)
    ordered, below = list[Layer](), list[str | None]([None])
    for at in below:  # which grows meanwhile
        here = sorted(above.get(at, ()), key=lambda layer: (ages.get(layer.id, 0.0), layer.id))
        ordered += here
        below += [layer.id for layer in here]
    return ordered


def _age(world: World, image: str) -> float:
    story = world.stories.get(image, ())
    return story[-1].created if story else 0.0


def _trays(world: World) -> tuple[Tray, ...]:
    """The oldest first."""
    order = sorted(world.host.containers.values(), key=lambda noun: (world.particulars[noun.id].created, noun.id))
    return tuple(
        Tray(
            noun.id, None if is_new(noun.name) else noun.name, noun.top, known.image, known.command, noun.state,
            known.exit_code, known.is_out_of_memory, known.reason, known.since, known.size, known.changes, known.files,
            known.space, known.uses, known.networks, is_thrown_away=noun.auto_remove,
            is_least=known.is_least,
        )
        for noun in order
        for known in (world.particulars[noun.id],)
    )  # fmt: skip


def _networks(world: World) -> tuple[Network, ...]:
    joined = {joined.network for known in world.particulars.values() for joined in known.networks}
    return tuple(Network(name) for name in sorted(joined))


def in_one_line(text: str) -> str:
    """What made a layer, without what Docker's builder puts before it."""
    line = " ".join(text.split())
    for start in NO_WORDS:
        line = line.removeprefix(start)
    return line
