"""What each verb makes of a host, as pure functions: the host before gives the host after, and a sentence.

    before = Host(...)                                    images, containers, names as they stand
    after, said = create(before, "base", id="c0ffee…", name="web")

Nothing happens by it. The engine does the same to a real root, and its tests hold it against this. What only the real
thing can know is a parameter: the ids of what is new, whether a read-write layer holds any change, when a program ends.

A refused verb raises the error that the engine raises, and leaves everything as it is.
"""

from __future__ import annotations

from tiffin.errors import AmbiguousId, BadParameter, ImageInUse, NameInUse, NoSuchContainer, NoSuchImage
from tiffin.model.nouns import Container, Host, Image, Layer, State
from tiffin.model.states import ALIVE, GONE, check
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SHORT = 12  # digits of an id that are shown


class Transition(NamedTuple):
    """`sentence` tells a reader what has happened, with the names of this very case."""

    after: Host
    sentence: str


class Found(NamedTuple):
    """What a reference to an image means: an image, or a bare layer with those below it (then `image` is None)."""

    image: Image | None
    layers: tuple[str, ...]

    @property
    def top(self) -> str | None:
        return self.layers[-1] if self.layers else None


class Archive(NamedTuple):
    """What `save` writes and `load` takes in: the layers bottom first, images, and name -> image id."""

    layers: tuple[Layer, ...]
    images: tuple[Image, ...]
    names: Mapping[str, str]


# containers


def create(host: Host, image: str, *, id: str, name: str, auto_remove: bool = False) -> Transition:
    """Raises NoSuchImage, AmbiguousId, NameInUse."""
    found = find_image(host, image)
    _check_free(host, name)
    made = Container(id, name, found.image.id if found.image else None, found.top, auto_remove=auto_remove)
    return Transition(_with(host, made), f"{name} is a read-write layer on top of {image}; nothing runs")


def start(host: Host, container: str) -> Transition:
    """Raises NoSuchContainer, NotModified where it runs, ContainerPaused."""
    return _move(host, "start", container, "there is a process space around {name} now")


def run(host: Host, image: str, *, id: str, name: str, auto_remove: bool = False) -> Transition:
    """create, then start; raises what `create` raises."""
    created, first = create(host, image, id=id, name=name, auto_remove=auto_remove)
    started, second = start(created, id)
    return Transition(started, f"{first.removesuffix('; nothing runs')}; {second}")


def stop(host: Host, container: str) -> Transition:
    """Raises NoSuchContainer, NotModified where it does not run."""
    return _move(host, "stop", container, "{name} was asked to end, and has no process space any more")


def kill(host: Host, container: str, *, ends: bool = True) -> Transition:
    """`ends`: SIGKILL, or a signal that the program ends by. Raises NoSuchContainer, ContainerNotRunning."""
    if ends:
        return _move(host, "kill", container, "{name} was killed, and has no process space any more")
    found = find_container(host, container)
    check("kill", found)
    return Transition(host, f"{found.name} got a signal, and goes on")


def restart(host: Host, container: str) -> Transition:
    """A `--rm` container is not thrown away by it. Raises NoSuchContainer."""
    return _move(host, "restart", container, "{name} has a new process space around the same read-write layer")


def pause(host: Host, container: str) -> Transition:
    """Raises NoSuchContainer, ContainerNotRunning, ContainerPaused."""
    return _move(host, "pause", container, "the processes of {name} are frozen where they are")


def unpause(host: Host, container: str) -> Transition:
    """Raises NoSuchContainer, ContainerNotRunning, ContainerNotPaused."""
    return _move(host, "unpause", container, "the processes of {name} go on where they were")


def exec(host: Host, container: str) -> Transition:
    """Raises NoSuchContainer, ContainerNotRunning, ContainerPaused."""
    return _move(host, "exec", container, "one more process runs in the process space of {name}")


def attach(host: Host, container: str) -> Transition:
    """Raises NoSuchContainer, ContainerNotRunning, ContainerPaused."""
    return _move(host, "attach", container, "the terminal is joined to the first process of {name}")


def wait(host: Host, container: str) -> Transition:
    """As it is when the wait is over. Raises NoSuchContainer."""
    return _move(host, "wait", container, "{name} has ended, and has no process space any more")


def rm(host: Host, container: str, *, force: bool = False) -> Transition:
    """The layers below stay, unless the image is gone and they were kept for this container alone.

    Raises NoSuchContainer, ContainerRunning.
    """
    found = find_container(host, container)
    sentence = "the read-write layer of {name} is gone; what it lay on is as before"
    moved = _move(host, "rm -f" if force else "rm", container, sentence)
    if found.image in host.images:
        return moved
    after = _collected(moved.after)
    gone = f"the read-write layer of {found.name} is gone, with the layers that were kept for it alone"
    return Transition(after, gone) if after != moved.after else moved


def rename(host: Host, container: str, name: str) -> Transition:
    """Raises NoSuchContainer, NameInUse, and BadParameter where it has that name already."""
    found = find_container(host, container)
    check("rename", found)
    if found.name == name:
        raise BadParameter("Renaming a container with the same name as its current name")
    _check_free(host, name)
    return Transition(_with(host, found._replace(name=name)), f"{found.name} is called {name} now")


def commit(host: Host, container: str, *, id: str, layer: Layer | None, name: str | None = None) -> Transition:
    """`layer` is the burnt read-write layer, None where nothing changed in it. Raises NoSuchContainer."""
    found = find_container(host, container)
    check("commit", found)
    below = stack(host, found.top)
    parent = found.image if found.image in host.images else None
    made = Image(id, (*below, layer.id) if layer else below, parent)
    after = _named(_added(host, [layer] if layer else [], [made]), name, id)
    called = name or short(id)
    what = "burnt into a read-only one on top of its image:" if layer else "empty:"
    only = "" if layer else " adds settings alone"
    return Transition(after, f"the read-write layer of {found.name} is {what} {called}{only}")


# images


def tag(host: Host, image: str, name: str, *, id: str) -> Transition:
    """`id` is that of the image that a bare layer becomes by it. Raises NoSuchImage, AmbiguousId."""
    found = find_image(host, image)
    made = found.image or Image(id, found.layers)
    return Transition(_named(_added(host, [], [made]), name, made.id), f"{image} is called {_tagged(name)}, too")


def rmi(host: Host, image: str, *, force: bool = False, prune: bool = True) -> Transition:
    """A name, an image with all its names, or a layer. Raises NoSuchImage, AmbiguousId, ImageInUse."""
    if id := _id_of_name(host, image):
        return Transition(
            _collected(_without_name(host, _tagged(image), id, force, prune)), f"{image} is no name any more"
        )
    found = find_image(host, image)
    if found.image is None:
        return Transition(_collected(_checked_free(host, found.layers[-1])), f"the layer {image} is gone")
    after = _without_image(host, found.image, force, prune)
    return Transition(_collected(after), f"{image} is gone, with its names and the layers that nothing else needs")


def image_prune(host: Host, *, all: bool = False) -> Transition:
    """Images that nothing stands on: those without a name, or with `all` every one."""
    while idle := [id for id in host.images if not _used(host, id) and (all or not _names_of(host, id))]:
        for id in idle:
            host = _forgotten(_unnamed(host, id), id)
    return Transition(_collected(host), "what nothing stands on is gone")


def load(host: Host, archive: Archive) -> Transition:
    """A parent is kept where it comes along or is here. Names go over to what was loaded."""
    known = {*host.images, *(image.id for image in archive.images)}
    images = [image._replace(parent=image.parent if image.parent in known else None) for image in archive.images]
    host = _added(host, archive.layers, images)
    for name, id in archive.names.items():
        host = _named(host, name, id)
    came = "1 image has" if len(images) == 1 else f"{len(images)} images have"
    return Transition(host, f"{came} come in: {', '.join(archive.names) or 'none has a name'}")


def saved(host: Host, references: Iterable[str]) -> Archive:
    """What `save` writes; the host stays as it is. A name without a tag means all its tags. Raises NoSuchImage."""
    images: dict[str, Image] = {}
    names: dict[str, str] = {}
    for reference in references:
        chosen = _chosen(host, reference)
        names |= chosen
        for id in chosen.values() or [_whole(host, reference).id]:
            images[id] = host.images[id]
    needed = [layer for image in images.values() for layer in image.layers]
    kept = [image._replace(parent=image.parent if image.parent in images else None) for image in images.values()]
    return Archive(tuple(host.layers[id] for id in dict.fromkeys(needed)), tuple(kept), names)


def import_(host: Host, *, id: str, layer: Layer, name: str | None = None) -> Transition:
    """`bootstrap` does the same."""
    after = _named(_added(host, [layer], [Image(id, (layer.id,))]), name, id)
    return Transition(after, f"{name or short(id)} is an image of one layer")


# looking


def running(host: Host) -> list[Container]:
    """What `ps` lists; `ps -a` lists all containers."""
    return [container for container in host.containers.values() if container.state in ALIVE]


def on_top(host: Host) -> list[Image]:
    """What `images` lists: named, under a container, or such that nothing was made from it."""
    return [
        image
        for image in host.images.values()
        if _names_of(host, image.id) or _containers_on(host, image.id) or not _children(host, image.id)
    ]


def bare(host: Host) -> list[Layer]:
    """What `images -a` lists besides all images: the layers that are the top of none."""
    tops = {image.top for image in host.images.values()}
    return [layer for layer in host.layers.values() if layer.id not in tops]


def stack(host: Host, top: str | None) -> tuple[str, ...]:
    """The ids of a layer and of all below it, bottom first."""
    found: list[str] = []
    while top is not None:
        found.insert(0, top)
        top = host.layers[top].parent
    return tuple(found)


def find_container(host: Host, reference: str) -> Container:
    """By id, name, or beginning of an id, in this order. Raises NoSuchContainer, AmbiguousId."""
    if reference in host.containers:
        return host.containers[reference]
    for container in host.containers.values():
        if container.name == reference:
            return container
    id = _only(reference, [id for id in host.containers if reference and id.startswith(reference)])
    if id is None:
        raise NoSuchContainer(f"No such container: {reference}")
    return host.containers[id]


def find_image(host: Host, reference: str) -> Found:
    """By name, or id of an image or layer, or beginning of one. Raises NoSuchImage, AmbiguousId."""
    digits = reference.removeprefix("sha256:")
    fitting = {id for id in (*host.images, *host.layers) if digits and id.startswith(f"sha256:{digits}")}
    id = _id_of_name(host, reference) or _only(reference, sorted(fitting))
    if id is None:
        raise NoSuchImage(f"No such image: {reference}")
    if id in host.images:
        return Found(host.images[id], host.images[id].layers)
    return Found(None, stack(host, id))


def short(id: str) -> str:
    """As it is shown."""
    return id.removeprefix("sha256:")[:SHORT]


# helpers


def _move(host: Host, verb: str, reference: str, sentence: str) -> Transition:
    found = find_container(host, reference)
    state = check(verb, found)
    thrown_away = state == GONE or (state == State.EXITED and found.auto_remove)
    moved = _with(host, found._replace(state=state))
    if thrown_away:
        del moved.containers[found.id]
    return Transition(moved, sentence.format(name=found.name))


def _with(host: Host, container: Container) -> Host:
    return host._replace(containers={**host.containers, container.id: container})


def _added(host: Host, layers: Iterable[Layer], images: Iterable[Image]) -> Host:
    """What is here already stays as it is, but learns its parent."""
    merged = dict(host.images)
    for image in images:
        known = merged.get(image.id, image)
        merged[image.id] = known._replace(parent=known.parent or image.parent)
    return host._replace(layers={**{layer.id: layer for layer in layers}, **host.layers}, images=merged)


def _named(host: Host, name: str | None, id: str) -> Host:
    return host._replace(names={**host.names, _tagged(name): id}) if name else host


def _check_free(host: Host, name: str) -> None:
    holders = [container for container in host.containers.values() if container.name == name]
    if holders:
        raise NameInUse(f'Conflict. The container name "/{name}" is already in use by container "{holders[0].id}".')


def _without_name(host: Host, name: str, id: str, force: bool, prune: bool) -> Host:
    """The image stays, nameless, where something stands on it."""
    is_last, containers = _names_of(host, id) == [name], _containers_on(host, id)
    if is_last and containers and not force:
        raise ImageInUse(f"container {containers[0].name} is made from {name}, and it has no other name")
    host = host._replace(names={other: image for other, image in host.names.items() if other != name})
    return _forgotten(host, id, prune=prune) if is_last and not _used(host, id) else host


def _without_image(host: Host, image: Image, force: bool, prune: bool) -> Host:
    containers = _containers_on(host, image.id)
    reasons = [f"container {container.name} runs on it" for container in containers if container.state in ALIVE]
    if not force:
        reasons += [f"container {container.name} is made from it" for container in containers]
        reasons += [f"image {short(child.id)} is made from it" for child in _children(host, image.id)]
        reasons += ["it has several names"] if len(_names_of(host, image.id)) > 1 else []
    if reasons:
        raise ImageInUse(f"image {short(image.id)} cannot go: {reasons[0]}")
    return _forgotten(_unnamed(host, image.id), image.id, prune=prune)


def _checked_free(host: Host, layer: str) -> Host:
    if layer in _needed(host):
        raise ImageInUse(f"the layer {short(layer)} cannot go: it is in the middle of a stack")
    return host


def _unnamed(host: Host, id: str) -> Host:
    return host._replace(names={name: image for name, image in host.names.items() if image != id})


def _forgotten(host: Host, id: str, *, prune: bool = False) -> Host:
    """What was made from it counts as made from its parent, which goes along (`prune`) if nothing else keeps it."""
    parent = host.images[id].parent
    kept = {other: image for other, image in host.images.items() if other != id}
    kept |= {child.id: child._replace(parent=parent) for child in _children(host, id)}
    host = host._replace(images=kept)
    if prune and parent in host.images and not _used(host, parent) and not _names_of(host, parent):
        return _forgotten(host, parent, prune=True)
    return host


def _collected(host: Host) -> Host:
    needed = _needed(host)
    return host._replace(layers={id: layer for id, layer in host.layers.items() if id in needed})


def _needed(host: Host) -> set[str]:
    """The layers that images and containers stand on."""
    of_images = {layer for image in host.images.values() for layer in image.layers}
    return of_images.union(*(stack(host, container.top) for container in host.containers.values()))


def _used(host: Host, id: str) -> bool:
    return bool(_containers_on(host, id) or _children(host, id))


def _containers_on(host: Host, id: str) -> list[Container]:
    return [container for container in host.containers.values() if container.image == id]


def _children(host: Host, id: str) -> list[Image]:
    return [image for image in host.images.values() if image.parent == id]


def _names_of(host: Host, id: str) -> list[str]:
    return [name for name, image in host.names.items() if image == id]


def _id_of_name(host: Host, name: str) -> str | None:
    return host.names.get(_tagged(name))


def _tagged(name: str) -> str:
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def _chosen(host: Host, reference: str) -> dict[str, str]:
    """The names that are meant, with their images; none by an id."""
    has_tag = _tagged(reference) == reference
    return {
        name: id
        for name, id in host.names.items()
        if name == reference or (not has_tag and name.rpartition(":")[0] == reference)
    }


def _whole(host: Host, reference: str) -> Image:
    found = find_image(host, reference)
    if found.image is None:
        raise NoSuchImage(f"{reference} is a layer and has no image of its own")
    return found.image


def _only(reference: str, ids: list[str]) -> str | None:
    if len(ids) > 1:
        raise AmbiguousId(f"{reference} is the beginning of {len(ids)} ids; give more digits")
    return ids[0] if ids else None
