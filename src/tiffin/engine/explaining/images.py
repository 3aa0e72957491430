"""What the verbs of images would do: tag, rmi, image prune, save, load, import, bootstrap, and those that only look."""

from __future__ import annotations

import os

from tiffin.builder.settings import changed
from tiffin.engine.explaining.containers import EVENT, NEW_IMAGE, NEW_LAYER, UNKNOWN, pointing, shown, steps_of
from tiffin.engine.explaining.scene import Explained, Outcome, Scene, target
from tiffin.engine.images import named_config
from tiffin.engine.pictures.world import Told, in_one_line, story_of
from tiffin.engine.removal import plan_image_prune, plan_rmi
from tiffin.images.reference import parse_tagged
from tiffin.model import transitions as table
from tiffin.model.config import Config
from tiffin.model.nouns import Host, Image, Layer, chain_id
from tiffin.view.explanation import PlannedStep
from tiffin.view.picture import Card, short
from tiffin.view.words import amount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tiffin.images.config import ImageConfig
    from tiffin.images.offer import Offer

BLOBS = "/content/sha256/"


def tag(scene: Scene, image: str, name: str) -> Explained:
    found = table.find_image(scene.host, image)

    def outcome() -> Outcome:
        familiar, id = parse_tagged(name).familiar(), _id_to_name(scene, found)
        tagged = table.tag(scene.host, image, familiar, id=id)
        before = scene.host.names.get(familiar)
        bare = (PlannedStep("write empty settings for the layer", "a name is an image's, and it has none yet"),)
        taken = f"it was that of {short(before)} before" if before else "the commit point: from here on it is that"
        steps = (
            *(() if found.image else bare),
            pointing(familiar, short(id), taken),
            EVENT,
        )
        story = {} if id in scene.host.images else {id: _untold(found.layers)}
        losing = scene.host.images[before].layers[-1:] if before else ()
        return Outcome(tagged.after, tagged.sentence, steps, stories=story, focus=tuple(losing))

    return scene.explain("tag", f"tag {image} {name}", shown(found), outcome)


def rmi(scene: Scene, reference: str, *, force: bool, prune: bool) -> Explained:
    found = table.find_image(scene.host, reference)

    def outcome() -> Outcome:
        plan = plan_rmi(scene.parts, reference, force=force, prune=prune, after=scene.removed)
        gone = table.rmi(scene.host, reference, force=force, prune=prune)
        return Outcome(gone.after, gone.sentence, tuple(steps_of(plan)), removal=plan)

    focus = (*(found.layers or shown(found)), *_standing_on(scene.host, found.layers[-1:]))
    return scene.explain("rmi", f"rmi {'-f ' * force}{reference}", focus, outcome)


def image_prune(scene: Scene, *, all: bool) -> Explained:
    def outcome() -> Outcome:
        gone = table.image_prune(scene.host, all=all)
        going = set(scene.host.layers) - set(gone.after.layers)
        lost = {image.top for id, image in scene.host.images.items() if id not in gone.after.images}
        plan = plan_image_prune(scene.parts, all=all)
        nothing = (PlannedStep("remove nothing", "something stands on every image, or it has a name"),)
        below = {scene.host.layers[id].parent for id in going}
        focus = tuple(id for id in going | lost | below if id)
        return Outcome(gone.after, gone.sentence, tuple(steps_of(plan)) or nothing, focus=focus, removal=plan)

    return scene.explain("image prune", f"image prune{' -a' * all}", (), outcome)


def save(scene: Scene, references: Sequence[str], path: str | None) -> Explained:
    archive = table.saved(scene.host, references)
    size = sum(layer.size for layer in archive.layers)
    holds = (("images", ", ".join(archive.names) or str(len(archive.images))), ("layers", str(len(archive.layers))),
             ("size", f"{amount(size)} of files"), ("settings", "of each image"))  # fmt: skip
    steps = (
        PlannedStep("gather the settings and manifests", "they name the layers of each image, and their order"),
        *(PlannedStep(f"write layer {short(layer.id)}", "its tar, byte for byte", begins=f"/{_hex(layer.id)}/diff")
          for layer in archive.layers),
        EVENT,
    )  # fmt: skip
    tops = tuple(image.top or image.id for image in archive.images)

    def outcome() -> Outcome:
        where = target(path)
        sentence = f"{where} holds all layers, one by one"
        return Outcome(scene.host, sentence, steps, gives=(Card("tar", where, holds),))

    return scene.explain("save", f"save {' '.join(references)}", tops, outcome)


def load(scene: Scene, source: str) -> Explained:
    """`source` is the path of a file or folder."""
    from tiffin.images import docker_archive  # only to load
    from tiffin.images.archive import opened  # only to load
    from tiffin.images.offer import checked  # only to load

    tar = Card("tar", source)

    def outcome() -> Outcome:
        with opened(source, scene.parts.store) as archive:
            offers = docker_archive.offers(archive)
        configs = [checked(offer) for offer in offers]
        incoming = _incoming(offers, configs)
        loaded = table.load(scene.host, incoming)
        steps = (
            *(_taking_in(layer, is_here=layer.id in scene.host.layers) for layer in incoming.layers),
            *(_settings(image) for image in incoming.images),
            *(pointing(name, short(id), of_several=True) for name, id in incoming.names.items()),
            EVENT,
        )  # fmt: skip
        stories = {image.id: story_of(config) for image, config in zip(incoming.images, configs, strict=True)}
        tops = tuple(image.top or image.id for image in incoming.images)
        called = ", ".join(incoming.names) or str(len(incoming.images))
        rows = (("images", called), ("layers", str(len(incoming.layers))), ("settings", "of each image"))
        return Outcome(
            loaded.after, loaded.sentence, steps, stories=stories, focus=tops, takes=(tar._replace(rows=rows),)
        )  # fmt: skip

    return scene.explain("load", f"load -i {source}", (), outcome)


def import_(scene: Scene, source: str, name: str | None, *, changes: Iterable[str], message: str) -> Explained:
    def outcome() -> Outcome:
        changed(Config(), changes)
        steps = (
            PlannedStep(f"unpack {source}", "the whole tar becomes one layer, and its digest the layer's id"),
            PlannedStep("write settings for it", "a flat tar has none: only what --change says", begins=BLOBS),
        )
        layer = Layer(_digest(source), None, "", UNKNOWN)
        made = _one_layer(scene, layer, name, message or "Imported from -", steps)
        holds = ("holds", "one flat tree"), ("size", amount(os.stat(source).st_size))
        return made._replace(takes=(Card("tar", source, holds),))

    return scene.explain("import", f"import {source}{f' {name}' * bool(name)}", (), outcome)


def bootstrap(scene: Scene, what: str) -> Explained:
    from tiffin.engine.bootstrap import message_of, name_of  # only here

    def outcome() -> Outcome:
        name = name_of(what)
        steps = (
            PlannedStep("gather programs of this machine", "a shell and what goes with it: no network is needed"),
            PlannedStep(
                "make a layer of them", "their digest is its id", begins=f'mkdir(…{scene.parts.store.path("tmp")}'
            ),
        )
        return _one_layer(scene, Layer(NEW_LAYER, None, "", UNKNOWN), name, message_of(name), steps)

    return scene.explain("bootstrap", f"bootstrap {what}", (), outcome)


def only_look(scene: Scene, verb: str, reference: str, command: str) -> Explained:
    """A verb that leaves an image or a layer as it is."""
    found = table.find_image(scene.host, reference)
    does = {
        "history": ("read the image's settings", "they tell what made each layer, from the top down"),
        "inspect": ("read the settings", "and where each layer lies on this disk"),
        "look": ("look down on the stack", "of each path the topmost version is seen"),
    }[verb]
    return scene.explain(
        verb, command, shown(found), lambda: Outcome(scene.host, "all is as before", (PlannedStep(*does),))
    )


def look_around(scene: Scene, verb: str, command: str, chosen: Sequence[str]) -> Explained:
    """A verb that looks at the host as a whole."""
    does = {
        "ps": ("look at each container's record and lock", "the lock of its run tells whether it runs"),
        "images": ("look at each image's record and names", "those on top: with a name, or under a container"),
        "events": ("read the events of this boot", "and wait for those to come"),
        "system df": ("add up the sizes of layers", "each once, however many images have it"),
        "look": ("look at each layer, image and container", "each layer is drawn once, with what stands on it"),
        "version": ("ask the kernel who it is", "nothing of the host is looked at"),
    }[verb]
    return scene.explain(
        verb, command, chosen, lambda: Outcome(scene.host, "all is as before", (PlannedStep(*does),))
    )


def _digest(path: str) -> str:
    """Of the tar in a file, which its layer will have as id. Raises BadArchive where it is none."""
    from tiffin.layers.compression import uncompressed  # only here
    from tiffin.layers.tape import Hasher, Tape  # only here
    from tiffin.layers.tarreader import entries  # only here

    hasher = Hasher()
    hasher.start()
    try:
        with open(path, "rb") as file:
            tape = Tape(uncompressed(file), hasher, lambda kept: None)
            for entry in entries(tape):
                for _ in tape.pieces(entry.stored):
                    pass
        return hasher.digest()
    except BaseException:
        hasher.close()
        raise


def _one_layer(
    scene: Scene, layer: Layer, name: str | None, words: str, steps: tuple[PlannedStep, ...]
) -> Outcome:
    tagged = parse_tagged(name).familiar() if name else None
    made = table.import_(scene.host, id=NEW_IMAGE, layer=layer, name=tagged)
    naming = (pointing(tagged),) if tagged else ()
    story = (Told(layer.id, in_one_line(words), scene.world.at, False),)
    sentence = made.sentence.replace(short(NEW_IMAGE), "what came in") if not tagged else made.sentence
    return Outcome(made.after, sentence, (*steps, *naming, EVENT), stories={NEW_IMAGE: story}, focus=(layer.id,))


def _incoming(offers: Sequence[Offer], configs: Sequence[ImageConfig]) -> table.Archive:
    from hashlib import sha256  # loads OpenSSL

    layers, images, names = dict[str, Layer](), list[Image](), dict[str, str]()
    for offer, config in zip(offers, configs, strict=True):
        id = f"sha256:{sha256(offer.config).hexdigest()}"
        parent: str | None = None
        for diff_id in config.diff_ids:
            here = chain_id(parent, diff_id)
            layers.setdefault(here, Layer(here, parent, diff_id, UNKNOWN))
            parent = here
        images.append(Image(id, config.layers(), offer.parent))
        names |= {name.familiar(): id for name in offer.names}
    return table.Archive(tuple(layers.values()), tuple(images), names)


def _id_to_name(scene: Scene, found: table.Found) -> str:
    if found.image:
        return found.image.id
    from hashlib import sha256  # loads OpenSSL

    return f"sha256:{sha256(named_config(scene.parts, found.top).to_bytes()).hexdigest()}"


def _taking_in(layer: Layer, *, is_here: bool) -> PlannedStep:
    begins = f'/layers/{_hex(layer.id)}/json"'
    if is_here:
        return PlannedStep(f"leave layer {short(layer.id)} as it is", "it is here already", begins=begins)
    why = f"on {short(layer.parent)}, its parent" if layer.parent else "on the ground: it has no parent"
    return PlannedStep(f"unpack layer {short(layer.id)}", why, begins=begins)


def _settings(image: Image) -> PlannedStep:
    return PlannedStep(
        f"write the settings of {short(image.id)}", "as they came: their digest is the image's id",
        begins=f"stat(…{BLOBS}{_hex(image.id)}",
    )  # fmt: skip


def _hex(id: str) -> str:
    return id.removeprefix("sha256:")


def _untold(layers: Sequence[str]) -> tuple[Told, ...]:
    return tuple(Told(layer, "", 0.0, False) for layer in layers)


def _standing_on(host: Host, layers: Sequence[str]) -> Iterator[str]:
    """What holds any of them: images that have them too, containers above them."""
    wanted = set(layers)
    for image in host.images.values():
        if image.top and wanted & set(image.layers):
            yield image.top
    for container in host.containers.values():
        if wanted & set(table.stack(host, container.top)):
            yield container.id
