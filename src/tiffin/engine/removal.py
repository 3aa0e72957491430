"""Removing images: rmi, image prune, and the collection of what nothing refers to.

What is to go is a plan (`removal_plan` has the rule), made of a census; here it is carried out, and nothing else.

Names go at once. The rest goes under the store's lock, taken exclusively and without waiting, and the plan is made
under it: if somebody is adding things, the image is marked as unwanted, and the next collection asks again whether
something needs it.
"""

from __future__ import annotations

from contextlib import contextmanager

from tiffin.engine import removal_plan
from tiffin.engine.attributes import of_image
from tiffin.engine.census import Inventory
from tiffin.engine.parts import Parts
from tiffin.engine.references import find, find_by_id
from tiffin.engine.removal_plan import BLOB, IMAGE, LAYER, NAME, Removal
from tiffin.errors import Conflict, NoSuchContainer, StoreDamaged
from tiffin.images.reference import parse
from tiffin.model.config import Config
from tiffin.record import NamedTuple
from tiffin.store import events
from tiffin.store.sweep import sweep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tiffin.model.nouns import Container


class Removed(NamedTuple):
    """`kind` is "Untagged", `id` being a name, or "Deleted", `id` being that of an image or a layer."""

    kind: str
    id: str


class Pruned(NamedTuple):
    """`size` in bytes: what is free on the disk again, also of what earlier verbs had thrown away."""

    removed: list[Removed]
    size: int


def rmi(
    parts: Parts, reference: str, *, force: bool = False, prune: bool = True, agreed: Removal | None = None
) -> list[Removed]:
    """Remove a name, or an image, or a layer that nothing needs. What went, in order.

    `prune` also removes the nameless images that it was made from. `agreed`: a plan that somebody has seen; where more
    would go by now, nothing does. Raises NoSuchImage, AmbiguousId, ImageInUse, StoreBusy for a layer while somebody
    adds things, and Conflict where more would go than was agreed.
    """
    return _remove(parts, lambda census: _of(parts, census, reference, force, prune), agreed).removed


def image_prune(parts: Parts, *, all: bool = False, blobs: bool = False, agreed: Removal | None = None) -> Pruned:
    """Remove images without names that nothing uses; with `all`, every image that no container uses.

    `blobs` also drops the compressed forms that layers came in. Those images then go out uncompressed, under a manifest
    with another digest. `agreed` as with `rmi`.
    """
    pruned = _remove(parts, lambda census: removal_plan.of_idle(census, all=all, blobs=blobs), agreed)
    events.emit(parts.store, "image", "prune", "", {"reclaimed": str(pruned.size)})
    return pruned


def collect(parts: Parts) -> Pruned:
    """Take away the layers and blobs that no image and no container needs, and the images that are unwanted.

    Does nothing while somebody adds things: the next one will do it.
    """
    return _remove(parts, removal_plan.of_leftovers)


def plan_rmi(
    parts: Parts, reference: str, *, force: bool = False, prune: bool = True, after: Removal | None = None
) -> Removal:
    """What `rmi` would do now, or once `after` is done. Raises what `rmi` raises."""
    return _planned(parts, lambda census: _of(parts, census, reference, force, prune, after), after)


def plan_image_prune(parts: Parts, *, all: bool = False) -> Removal:
    """What `image_prune` would do now."""
    return _planned(parts, lambda census: removal_plan.of_idle(census, all=all))


def plan_rm(parts: Parts, container: Container, *, after: Removal | None = None) -> Removal:
    """What removing a container would do now, or once `after` is done. Raises NoSuchContainer."""
    if after and container.id in (one.id for one in after.goes):
        raise NoSuchContainer(f"No such container: {container.name}")
    try:
        size = _size(parts, container.id)
    except FileNotFoundError as error:
        raise NoSuchContainer(f"No such container: {container.name}") from error
    return _planned(parts, lambda census: removal_plan.of_container(census, container, size), after)


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


def _remove(parts: Parts, plan: Callable[[Inventory], Removal], agreed: Removal | None = None) -> Pruned:
    lock = parts.store.exclusive()
    try:
        census = Inventory.of(parts, is_quiet=lock is not None)  # after locking: who held a lock may have added things
        todo = plan(census)
        if agreed is not None and (more := todo.beyond(agreed)):
            raise Conflict(
                f"nothing was removed: since it was shown what would go, this came to it: {more[0].kind} "
                f"{more[0].label}; look again"
            )
        work = _Work(parts, census)
        size = work.carry_out(todo)
    finally:
        if lock is not None:
            lock.release()
    return Pruned(work.removed, size + sweep(parts.store))


def _planned(parts: Parts, plan: Callable[[Inventory], Removal], after: Removal | None = None) -> Removal:
    with parts.store.shared():  # nothing goes while we look
        census = Inventory.of(parts)
        return plan(removal_plan.after(census, after) if after else census)


def _of(
    parts: Parts, census: Inventory, reference: str, force: bool, prune: bool, after: Removal | None = None
) -> Removal:
    """`rmi`, of whatever the reference means."""
    gone = {one.id for one in after.goes} if after else set[str]()
    by_digest = "@" in reference
    if not by_digest and (id := parts.images.named(reference)):
        name = parse(reference).tagged()
        if name.familiar() in gone:
            raise parts.images.missing(reference)
        return removal_plan.of_name(census, name, id, force=force, prune=prune)
    # a name that comes to be while we look is not looked up again: the image would go with all of its names
    found = find(parts, reference) if by_digest else find_by_id(parts, reference)
    if found.id in gone:
        raise parts.images.missing(reference)
    if found.image is not None:
        return removal_plan.of_image(census, found.image, force=force, prune=prune)
    return removal_plan.of_layer(census, found.layers[-1])


class _Work:
    """Carrying out a plan: what has gone so far, and how things stand meanwhile."""

    def __init__(self, parts: Parts, census: Inventory) -> None:
        self.removed: list[Removed] = []
        self._parts = parts
        self._census = census
        self._names = {name.familiar(): (name, id) for id, names in census.names.items() for name in names}

    def carry_out(self, plan: Removal) -> int:
        """Exactly what the plan says goes, in its order. The bytes that are free by this; more is when the trash is.

        A layer's parent outlives it, and an image its names, whenever we die.
        """
        ids = {kind: [one.id for one in plan.goes if one.kind == kind] for kind in (NAME, IMAGE, LAYER, BLOB)}
        images = set(ids[IMAGE])
        if self._census.is_quiet:
            self._bring_back(images)
        for one in plan.goes:
            if one.kind == IMAGE:
                self._image(one.id)
            elif one.kind == NAME and self._names[one.id][1] not in images:
                self._untag(one.id)
        self._forget_blobs(set(ids[BLOB]))
        if not self._census.is_quiet:
            return 0
        self._parts.images.names.sweep()
        for id in ids[LAYER]:
            self._parts.layers.remove(id)
            self.removed.append(Removed("Deleted", id))
        return sum(self._parts.content.remove(digest) for digest in ids[BLOB])

    def _bring_back(self, going: set[str]) -> None:
        """What waits for its deletion and does not go is needed again."""
        self._census.bring_back()
        for id in self._census.records:
            if id not in going and self._parts.images.is_unwanted(id):
                self._parts.images.want(id)

    def _image(self, id: str) -> None:
        """The record of an image goes, with all its names; its layers and blobs follow.

        It is marked first: so without its names it is nowhere seen any more, even if we die before it is deleted.
        """
        if id not in self._census.waiting:
            self._parts.images.unwant(id, force=not self._census.is_free(id))
        for name in list(self._census.names_of(id)):
            self._untag(name.familiar())
        if self._census.is_quiet:
            self._delete(id)
        self.removed.append(Removed("Deleted", id))
        self._census.drop(id)

    def _untag(self, name: str) -> None:
        reference, id = self._names[name]
        self._parts.images.names.remove(reference, id)
        self._census.drop_name(id, reference)
        self.removed.append(Removed("Untagged", name))
        events.emit(self._parts.store, "image", "untag", id, of_image(name, self._config(id)))

    def _delete(self, id: str) -> None:
        parent = self._parts.images.get(id).parent
        for child in self._census.children(id):
            self._parts.images.adopt(child.id, parent)
        self._parts.images.delete(id)
        events.emit(self._parts.store, "image", "delete", id, {"name": id})

    def _forget_blobs(self, going: set[str]) -> None:
        """The images that stay and came in these compressed forms go out uncompressed from now on."""
        for id in self._census.images:
            if going & self._census.records[id].kept():
                self._parts.images.forget_blobs(id)

    def _config(self, id: str) -> Config:
        try:
            return self._parts.images.config(id).config
        except StoreDamaged:  # a damaged image can be removed
            return Config()


def _size(parts: Parts, id: str) -> int:
    """Bytes of the files in a container's read-write layer and of its logs."""
    import os  # only to plan

    from tiffin.engine.images import tree_size  # only to plan

    folder = parts.store.path("containers", id)
    logs = [entry.path for entry in os.scandir(folder) if entry.name == "log" or entry.name.startswith("log.")]
    return tree_size(f"{folder}/diff") + sum(os.lstat(path).st_size for path in logs)
