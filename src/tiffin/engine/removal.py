"""Removing images: rmi, image prune, and the collection of what nothing refers to.

The rule of `rmi` (docs/rmi.md tells it to users):

    rmi NAME    the name goes. If it was the last one, the image goes as well, and with it the layers that nothing else
                needs. Where a container uses the image, the last name is refused; with -f it goes, and the image stays
                without a name. Where images were made from it, it stays likewise.
    rmi ID      all names and the image go. Refused with several names, under a container, and in the middle of a stack
                (images were made from it). With -f it goes all the same, but not under a running container. What was
                made from it, and the containers on it, keep their layers: no layer goes that something needs.
    rmi LAYER   refused while an image or a container has it in its stack, and -f changes nothing about that.

Names go at once. The rest goes under the store's lock, taken exclusively and without waiting: if somebody is adding
things, the image is marked as unwanted, and the next collection asks again whether something needs it.
"""

from __future__ import annotations

from contextlib import contextmanager

from tiffin.engine.attributes import of_image
from tiffin.engine.census import Census
from tiffin.engine.parts import Parts
from tiffin.engine.references import find
from tiffin.errors import ImageInUse, NoSuchImage, StoreBusy, StoreDamaged
from tiffin.images.records import short
from tiffin.images.reference import Reference, parse
from tiffin.model.config import Config
from tiffin.model.nouns import Image
from tiffin.model.states import ALIVE
from tiffin.record import NamedTuple
from tiffin.store import events
from tiffin.store.locks import Lock
from tiffin.store.sweep import sweep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class Removed(NamedTuple):
    """`kind` is "Untagged", `id` being a name, or "Deleted", `id` being that of an image or a layer."""

    kind: str
    id: str


class Pruned(NamedTuple):
    """`size` in bytes: what is free on the disk again, also of what earlier verbs had thrown away."""

    removed: list[Removed]
    size: int


def rmi(parts: Parts, reference: str, *, force: bool = False, prune: bool = True) -> list[Removed]:
    """Remove a name, or an image, or a layer that nothing needs. What went, in order.

    `prune` also removes the nameless images that it was made from. Raises NoSuchImage, AmbiguousId, ImageInUse, and
    StoreBusy for a layer while somebody adds things.
    """
    with _Removal(parts) as removal:
        if (id := parts.images.named(reference)) and "@" not in reference:
            removal.name(parse(reference).tagged(), id, force=force, prune=prune)
        elif (found := find(parts, reference)).image is not None:
            removal.image(found.image, force=force, prune=prune)
        else:
            removal.layer(found.layers[-1])
        removal.collect()
    sweep(parts.store)
    return removal.removed


def image_prune(parts: Parts, *, all: bool = False, blobs: bool = False) -> Pruned:
    """Remove images without names that nothing uses; with `all`, every image that no container uses.

    `blobs` also drops the compressed forms that layers came in. Those images then go out uncompressed, under a manifest
    with another digest.
    """
    with _Removal(parts) as removal:
        removal.prune(named_too=all)
        if blobs:
            removal.forget_blobs()
        size = removal.collect()
    size += sweep(parts.store)
    events.emit(parts.store, "image", "prune", "", {"reclaimed": str(size)})
    return Pruned(removal.removed, size)


def collect(parts: Parts) -> Pruned:
    """Take away the layers and blobs that no image and no container needs, and the images that are unwanted.

    Does nothing while somebody adds things: the next one will do it.
    """
    with _Removal(parts) as removal:
        size = removal.collect()
    return Pruned(removal.removed, size + sweep(parts.store))


@contextmanager
def undone_on_error(parts: Parts) -> Iterator[None]:
    """What a verb had added when it failed is garbage already; this takes it away at once.

    First of all goes what verbs that were killed have left, as this one may need the room. Must be outside of the
    store's shared lock. Turns a full disk into StoreFull.
    """
    sweep(parts.store)
    try:
        with parts.store.writing():
            yield
    except BaseException:
        collect(parts)
        raise


class _Removal:
    """One removal: what is known when it begins, and what has gone so far."""

    def __init__(self, parts: Parts) -> None:
        self.removed: list[Removed] = []
        self._parts = parts
        self._lock: Lock | None = None

    def __enter__(self) -> _Removal:
        self._lock = self._parts.store.exclusive()
        try:
            self._census = Census(self._parts)  # after locking: who held a lock may have added something
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            self._lock.release()

    def name(self, name: Reference, id: str, *, force: bool, prune: bool) -> None:
        if name not in self._census.names_of(id):
            raise self._too_new(name.familiar())
        is_last, using = self._census.names_of(id) == [name], self._census.users(id)
        if is_last and using and not force:
            raise ImageInUse(
                f'conflict: unable to remove repository reference "{name.familiar()}" (must force) - container '
                f"{short(using[0].id)} is using its referenced image {short(id)}"
            )
        if is_last and self._census.is_free(id):
            self._forget(id, force=False, prune=prune)
        else:
            self._untag(id, name)

    def image(self, image: Image, *, force: bool, prune: bool) -> None:
        if image.id not in self._census.images:
            raise self._too_new(image.id)
        names, using = self._census.names_of(image.id), self._census.users(image.id)
        if running := [container for container in using if container.state in ALIVE]:
            raise _conflict(image, "cannot", f"image is being used by running container {short(running[0].id)}")
        if len(names) > 1 and not force:
            raise _conflict(image, "must", "image is referenced in multiple repositories")
        if using and not force:
            raise _conflict(image, "must", f"image is being used by stopped container {short(using[0].id)}")
        if self._census.children(image.id) and not force:
            raise _conflict(image, "must", "image has dependent child images")
        self._forget(image.id, force=force, prune=prune)

    def layer(self, layer: str) -> None:
        """The collection that follows takes it away; here it is asked whether it may."""
        if self._lock is None:
            raise StoreBusy(f"layer {short(layer)} stays for now: somebody is adding images or containers; try again")
        holders = [
            *(f"image {self._shown(image.id)}" for image in self._census.images.values() if layer in image.layers),
            *(
                f"container {short(container.id)}"
                for container in self._census.containers
                if layer in (below.id for below in self._census.stack(container.top))
            ),
        ]
        if holders:
            why = f"it is in the stack of {holders[0]}; remove that one"
            raise ImageInUse(f"conflict: unable to delete {short(layer)} (cannot be forced) - {why}")

    def prune(self, *, named_too: bool) -> None:
        """Again and again, as an image becomes free when the last one that was made from it is gone."""
        while ids := [id for id in self._census.images if self._is_idle(id, named_too)]:
            for id in ids:
                self._forget(id, force=False, prune=False)

    def forget_blobs(self) -> None:
        for id in self._census.images:
            self._parts.images.forget_blobs(id)

    def collect(self) -> int:
        """What nothing refers to goes. The bytes that are free by this; more is free when the trash is."""
        if self._lock is None:
            return 0
        self._unwanted()
        self._parts.images.names.sweep()
        self._collect_layers()
        return self._collect_blobs()

    def _too_new(self, reference: str) -> NoSuchImage:
        """Without the lock, somebody may add things between our counting and our finding: then we came first."""
        return NoSuchImage(f"No such image: {reference}; it came this very moment")

    def _is_idle(self, id: str, named_too: bool) -> bool:
        return self._census.is_free(id) and (named_too or not self._census.names_of(id))

    def _untag(self, id: str, name: Reference) -> None:
        self._parts.images.names.remove(name)
        self._census.drop_name(id, name)
        self.removed.append(Removed("Untagged", name.familiar()))
        events.emit(self._parts.store, "image", "untag", id, of_image(name.familiar(), self._config(id)))

    def _forget(self, id: str, *, force: bool, prune: bool) -> None:
        """The record of an image goes, with all names; its layers are for `collect`.

        It is marked first: so without its names it is nowhere seen any more, even if we die before it is deleted.
        """
        self._parts.images.unwant(id, force=force)
        for name in list(self._census.names_of(id)):
            self._untag(id, name)
        if self._lock is None:
            self.removed.append(Removed("Deleted", id))
            self._census.drop(id)
            return
        parent = self._census.images[id].parent
        self._delete(id)
        if prune and parent and self._is_idle(parent, False):
            self._forget(parent, force=False, prune=True)

    def _delete(self, id: str) -> None:
        children = self._census.children(id)
        parent = self._parts.images.get(id).parent
        for child in children:
            self._parts.images.adopt(child.id, parent)
        self._parts.images.delete(id)
        self._census.images.setdefault(id, Image(id, (), parent))  # an unwanted one was not counted
        self._census.drop(id)
        self.removed.append(Removed("Deleted", id))
        events.emit(self._parts.store, "image", "delete", id, {"name": id})

    def _unwanted(self) -> None:
        """Finish what a removal could not, unless the image got a name, a container or a child meanwhile."""
        for id in self._parts.images.ids():
            if not self._parts.images.is_unwanted(id):
                continue
            used = bool(self._census.users(id) or self._census.children(id))
            if self._census.names_of(id) or (used and not self._parts.images.is_forced(id)):
                self._parts.images.want(id)
                self._census.images[id] = self._parts.images.get(id)
            else:
                self._delete(id)

    def _collect_layers(self) -> None:
        needed = self._census.needed()
        garbage = {id: layer for id, layer in self._census.layers.items() if id not in needed}
        while garbage:
            # from the top down: a layer's parent outlives it, whenever we die
            parents = {layer.parent for layer in garbage.values()}
            for id in [id for id in garbage if id not in parents]:
                self._parts.layers.remove(id)
                self.removed.append(Removed("Deleted", id))
                del garbage[id]

    def _collect_blobs(self) -> int:
        needed = {blob for id in self._parts.images.ids() for blob in self._parts.images.record(id).kept()}
        return sum(self._parts.content.remove(digest) for digest in self._parts.content.all() if digest not in needed)

    def _config(self, id: str) -> Config:
        try:
            return self._parts.images.config(id).config
        except StoreDamaged:  # a damaged image can be removed
            return Config()

    def _shown(self, id: str) -> str:
        return next((name.familiar() for name in self._census.names_of(id)), short(id))


def _conflict(image: Image, can: str, why: str) -> ImageInUse:
    return ImageInUse(f"conflict: unable to delete {short(image.id)} ({can} be forced) - {why}")
