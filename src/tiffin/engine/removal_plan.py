"""What a removal takes away, what stays, and why: plans, made of a census alone. `removal` carries them out.

    rmi web:1, the only name of an image on two layers, one of which another image has, too:

    goes    name   web:1                           you named it
    goes    image  web:1  77ab03e91f42             its last name goes
    goes    layer         77ab03e91f42   30.1 MB   nothing else needs it
    stays   layer         4fd03ab18c77    7.8 MB   image alpine:3.20 stands on it

The rule of `rmi` (docs/rmi.md tells it to users):

    rmi NAME    the name goes. If it was the last one, the image goes as well, and with it the layers that nothing else
                needs. Where a container uses the image, the last name is refused; with -f it goes, and the image stays
                without a name. Where images were made from it, it stays likewise.
    rmi ID      all names and the image go. Refused with several names, under a container, and in the middle of a stack
                (images were made from it). With -f it goes all the same, but not under a running container. What was
                made from it, and the containers on it, keep their layers: no layer goes that something needs.
    rmi LAYER   refused while an image or a container has it in its stack, and -f changes nothing about that.

Nothing here reads or writes: the same census gives the same plan. Where somebody is adding things (the census is not
quiet), only names and images are in it; layers and blobs wait for a removal that can know what needs them.
"""

from __future__ import annotations

from tiffin.errors import ImageInUse, NoSuchImage, StoreBusy
from tiffin.images.records import short
from tiffin.model.nouns import Image
from tiffin.model.states import ALIVE
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from tiffin.engine.census import Inventory
    from tiffin.images.records import Record
    from tiffin.images.reference import Reference
    from tiffin.model.nouns import Container

NAME, IMAGE, LAYER, CONTAINER, BLOB = "name", "image", "layer", "container", "blob"
ASKED = "you named it"
NOTHING_ELSE = "nothing else needs it"


class Goes(NamedTuple):
    """One thing that a removal takes away.

    `kind` is name, image, layer, container or blob (a config, a manifest, the compressed form of a layer). `id` is the
    whole id, of a name the name itself; `label` what a reader calls it, or its short id. `size` in bytes is that of the
    files that go with it: of a layer as recorded, of a container those in its read-write layer and its logs, of names
    and images 0. The small records and the rest of each last block of the disk are not counted.
    """

    kind: str
    id: str
    label: str
    size: int
    why: str


class Stays(NamedTuple):
    """One thing that a removal leaves although it is close to what goes; all as in `Goes`."""

    kind: str
    id: str
    label: str
    size: int
    why: str


class Removal(NamedTuple):
    """A plan: what goes, in the order in which it goes, and what of the same stacks stays."""

    goes: tuple[Goes, ...] = ()
    stays: tuple[Stays, ...] = ()

    @property
    def freed(self) -> int:
        """Bytes of the files that go."""
        return sum(one.size for one in self.goes)

    def then(self, later: Removal) -> Removal:
        """Both, one after the other: `later` was planned as after this one."""
        goes = (*self.goes, *later.goes)
        gone = _keys(goes)
        stays = {(one.kind, one.id): one for one in (*self.stays, *later.stays) if (one.kind, one.id) not in gone}
        return Removal(goes, tuple(stays.values()))

    def beyond(self, shown: Removal) -> tuple[Goes, ...]:
        """What goes here and does not in `shown`."""
        known = _keys(shown.goes)
        return tuple(one for one in self.goes if (one.kind, one.id) not in known)


def of_name(census: Inventory, name: Reference, id: str, *, force: bool = False, prune: bool = True) -> Removal:
    """`rmi NAME`, a name of the image `id`. Raises NoSuchImage, ImageInUse."""
    draft = _Draft(census)
    left = draft.left
    if name not in left.names_of(id):
        raise _too_new(name.familiar())
    is_last, using = left.names_of(id) == [name], left.users(id)
    if is_last and using and not force:
        raise ImageInUse(
            f'conflict: unable to remove repository reference "{name.familiar()}" (must force) - container '
            f"{short(using[0].id)} is using its referenced image {short(id)}"
        )
    draft.take_name(id, name, ASKED)
    if is_last and left.is_free(id):
        draft.take_asked(id, "its last name goes", prune=prune)
    else:
        draft.keep_image(id)
    return draft.collected()


def of_image(census: Inventory, image: Image, *, force: bool = False, prune: bool = True) -> Removal:
    """`rmi ID`. Raises NoSuchImage, ImageInUse."""
    draft = _Draft(census)
    left = draft.left
    if image.id not in left.images:
        raise _too_new(image.id)
    using = left.users(image.id)
    if running := [container for container in using if container.state in ALIVE]:
        raise _conflict(image, "cannot", f"image is being used by running container {short(running[0].id)}")
    if len(left.names_of(image.id)) > 1 and not force:
        raise _conflict(image, "must", "image is referenced in multiple repositories")
    if using and not force:
        raise _conflict(image, "must", f"image is being used by stopped container {short(using[0].id)}")
    if left.children(image.id) and not force:
        raise _conflict(image, "must", "image has dependent child images")
    draft.take_asked(image.id, ASKED, prune=prune)
    return draft.collected()


def of_layer(census: Inventory, layer: str) -> Removal:
    """`rmi LAYER`. Raises ImageInUse, and StoreBusy while somebody adds things."""
    if not census.is_quiet:
        raise StoreBusy(f"layer {short(layer)} stays for now: somebody is adding images or containers; try again")
    draft = _Draft(census)
    left = draft.left
    holders = [
        *(f"image {_shown(left, image.id)}" for image in left.images.values() if layer in image.layers),
        *(
            f"container {short(container.id)}"
            for container in left.containers
            if layer in (below.id for below in left.stack(container.top))
        ),
    ]
    if holders:
        why = f"it is in the stack of {holders[0]}; remove that one"
        raise ImageInUse(f"conflict: unable to delete {short(layer)} (cannot be forced) - {why}")
    return draft.collected()


def of_idle(census: Inventory, *, all: bool = False, blobs: bool = False) -> Removal:
    """`image prune`: images without names that nothing stands on; with `all`, every one that no container stands on.

    `blobs`: the compressed forms that layers came in go, too. Of what stays it tells the images that came into
    question: those without a name, with `all` each.
    """
    draft = _Draft(census)
    left = draft.left
    why = "no container stands on it" if all else "it has no name, and nothing stands on it"
    # again and again, as an image becomes free when the last one that was made from it is gone
    while idle := [id for id in left.images if left.is_free(id) and (all or not left.names_of(id))]:
        for id in idle:
            draft.take_image(id, why)
    for id in left.images:
        if all or not left.names_of(id):
            draft.keep_image(id, names_count=False)
    if blobs:
        draft.forget_blobs()
    return draft.collected()


def of_container(census: Inventory, container: Container, size: int) -> Removal:
    """`rm`. `size` in bytes: of its read-write layer and its logs."""
    draft = _Draft(census)
    draft.take_container(container, size)
    if container.image in draft.left.records:
        if container.image in draft.left.images:
            draft.keep_image(container.image, "rm takes no image away")
        return draft.removal()
    return draft.collected()  # its layers may have been there for it alone


def of_leftovers(census: Inventory) -> Removal:
    """What nothing needs, whatever verb left it."""
    return _Draft(census).collected()


def after(census: Inventory, removal: Removal) -> Inventory:
    """What there is when that removal is done."""
    gone, left = _keys(removal.goes), census.copy()
    left.containers = [container for container in left.containers if (CONTAINER, container.id) not in gone]
    for id in (*left.images, *left.waiting):
        left.names[id] = [name for name in left.names_of(id) if (NAME, name.familiar()) not in gone]
        if (IMAGE, id) in gone:
            left.drop(id)
    left.layers = {id: layer for id, layer in left.layers.items() if (LAYER, id) not in gone}
    left.blobs = {digest: size for digest, size in left.blobs.items() if (BLOB, digest) not in gone}
    return left


class _Draft:
    """A plan while it is made: `left` is what would still be there."""

    def __init__(self, census: Inventory) -> None:
        self.left = census.copy()
        if census.is_quiet:
            self.left.bring_back()
        self._before = census
        self._goes: list[Goes] = []
        self._stays: list[Stays] = []
        self._stacks: list[str] = []
        """layers from which something was taken, that may go as well"""
        self._given_up: set[str] = set()

    def take_container(self, container: Container, size: int) -> None:
        why = "its read-write layer is thrown away"
        if container.state in ALIVE:
            why = "it is killed first; then " + why
        self._goes.append(Goes(CONTAINER, container.id, container.name, size, why))
        self.left.containers = [other for other in self.left.containers if other.id != container.id]
        self._stacks += [layer.id for layer in self.left.stack(container.top)]

    def take_name(self, id: str, name: Reference, why: str) -> None:
        self._goes.append(Goes(NAME, name.familiar(), name.familiar(), 0, why))
        self.left.drop_name(id, name)

    def take_asked(self, id: str, why: str, *, prune: bool) -> None:
        """The image that was meant, and with `prune` the nameless ones that it was made from."""
        while True:
            parent = self.left.images[id].parent
            self.take_image(id, why)
            if parent is None or parent not in self.left.images or not self.left.is_quiet:
                return
            if not prune or not self.left.is_free(parent) or self.left.names_of(parent):
                self.keep_image(parent, "you said to keep it")
                return
            id, why = parent, "it has no name, and nothing else was made from it"

    def take_image(self, id: str, why: str) -> None:
        """With its names."""
        for name in list(self.left.names_of(id)):
            self.take_name(id, name, "its image goes")
        image = self.left.waiting[id].image if id in self.left.waiting else self.left.images[id]
        self._goes.append(Goes(IMAGE, id, _shown(self._before, id), 0, why))
        self._stacks += reversed(image.layers)
        self.left.drop(id)

    def keep_image(self, id: str, else_why: str = "", *, names_count: bool = True) -> None:
        """`names_count`: one with a name is not in question. `else_why`: where nothing here is the reason."""
        shown = _shown(self.left if self.left.names_of(id) else self._before, id)
        why = self._why_image_stays(id, names_count) or else_why
        self._stays.append(Stays(IMAGE, id, shown, 0, why))

    def forget_blobs(self) -> None:
        """The images that stay need the compressed forms of their layers no more, nor the manifests that name them."""
        for id in self.left.images:
            record = self.left.records[id]
            if any(record.blobs):
                plain = record._replace(manifest=None, blobs=(None,) * len(record.blobs))
                self._given_up |= record.kept() - plain.kept()
                self.left.records[id] = plain

    def collected(self) -> Removal:
        """Also what nothing needs by then."""
        if self.left.is_quiet:
            for id in list(self.left.waiting):
                self.take_image(id, "it was removed before, while somebody was adding things")
            self._take_layers()
        self._take_blobs()
        return self.removal()

    def removal(self) -> Removal:
        return Removal(tuple(self._goes), tuple(self._stays)).then(Removal())

    def _take_layers(self) -> None:
        """From the top down: a layer's parent outlives it, whenever the removal dies."""
        holders = self._holders()
        for id in dict.fromkeys(self._stacks):
            if id in holders and (layer := self.left.layers.get(id)):
                self._stays.append(Stays(LAYER, id, short(id), layer.size, f"{holders[id]} stands on it"))
        garbage = {id: layer for id, layer in self.left.layers.items() if id not in holders}
        while garbage:
            parents = {layer.parent for layer in garbage.values()}
            for id in [id for id in garbage if id not in parents]:
                self._goes.append(Goes(LAYER, id, short(id), garbage.pop(id).size, NOTHING_ELSE))
                del self.left.layers[id]

    def _holders(self) -> dict[str, str]:
        """Layer id -> an image or container that needs it, in words: of images the lowest, and of these by name."""
        holders: dict[str, str] = {}
        images = [(len(image.layers), _shown(self.left, id), image.layers) for id, image in self.left.images.items()]
        for _, shown, layers in sorted(images):
            for layer in layers:
                holders.setdefault(layer, f"image {shown}")
        for container in self.left.containers:
            for below in self.left.stack(container.top):
                holders.setdefault(below.id, _container(container))
        return holders

    def _take_blobs(self) -> None:
        needed = {digest for record in self.left.records.values() for digest in record.kept()}
        labels = self._labels()
        for digest, size in list(self.left.blobs.items()):
            if digest not in needed and (self.left.is_quiet or digest in self._given_up):
                why = "its layers are kept unpacked" if digest in self._given_up else NOTHING_ELSE
                self._goes.append(Goes(BLOB, digest, labels.get(digest, short(digest)), size, why))
                del self.left.blobs[digest]

    def _labels(self) -> dict[str, str]:
        """Digest -> what the blob is to the first image that has it."""
        labels: dict[str, str] = {}
        for id, record in self._before.records.items():
            for digest, label in _contents(record, _shown(self._before, id)):
                labels.setdefault(digest, label)
        return labels

    def _why_image_stays(self, id: str, names_count: bool) -> str:
        if names_count and (names := self.left.names_of(id)):
            return f"it is called {names[0].familiar()}"
        if using := self.left.users(id):
            return f"{_container(using[0])} is made from it"
        if children := self.left.children(id):
            return f"image {_shown(self.left, children[0].id)} was made from it"
        return ""


def _contents(record: Record, shown: str) -> Iterable[tuple[str, str]]:
    """The blobs of an image, and a label for each."""
    yield record.image.id, f"config of {shown}"
    if record.manifest:
        yield record.manifest, f"manifest of {shown}"
    for layer, blob in zip(record.image.layers, record.blobs, strict=False):
        if blob:
            yield blob.digest, f"layer {short(layer)}, compressed"


def _keys(things: Iterable[Goes]) -> set[tuple[str, str]]:
    return {(one.kind, one.id) for one in things}


def _shown(census: Inventory, id: str) -> str:
    return next((name.familiar() for name in census.names_of(id)), short(id))


def _container(container: Container) -> str:
    return f"container {container.name} ({container.state})"


def _too_new(reference: str) -> NoSuchImage:
    """Without the lock, somebody may add things between our counting and our finding: then we came first."""
    return NoSuchImage(f"No such image: {reference}; it came this very moment")


def _conflict(image: Image, can: str, why: str) -> ImageInUse:
    return ImageInUse(f"conflict: unable to delete {short(image.id)} ({can} be forced) - {why}")
