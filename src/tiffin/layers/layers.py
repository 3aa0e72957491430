"""The layers of a store: kept as folders, found by id, made from tars and from read-write layers, given out as tars."""

from __future__ import annotations

import os

from tiffin import json
from tiffin.errors import BadArchive, NoSuchLayer, StoreDamaged, Unsupported
from tiffin.kernel.mounts import TALLEST
from tiffin.model.nouns import Layer, chain_id
from tiffin.store import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tiffin.layers.compression import Readable
    from tiffin.layers.tarwriter import Member
    from tiffin.layers.unpack import Unpacked
    from tiffin.store import Draft, Store


class Layers:
    def __init__(self, store: Store) -> None:
        self.store = store

    def get(self, id: str) -> Layer:
        """The layer of a whole id. Raises NoSuchLayer."""
        path = self._path(id, "json")
        try:
            form = json.loads(files.read(path))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NoSuchLayer(f"no layer {id}; try: tiffin images -a") from error
        except ValueError as error:
            raise self._damaged(id, f"{path} is damaged") from error
        try:
            return Layer(id, form["parent"], form["diff_id"], form["size"])
        except (KeyError, TypeError) as error:
            raise self._damaged(id, f"{path} does not say what it must") from error

    def has(self, id: str) -> bool:
        return os.path.lexists(self._path(id, "json"))

    def all(self) -> list[Layer]:
        """Every layer there is, by id."""
        found = []
        for name in sorted(os.listdir(self.store.path("layers"))):
            try:
                found.append(self.get("sha256:" + name))
            except NoSuchLayer:  # removed meanwhile
                continue
        return found

    def folder(self, id: str) -> str:
        """Where the layer's tree lies on this host."""
        return self._path(id, "diff")

    def stack(self, id: str | None) -> list[Layer]:
        """A layer and all that it lies on, topmost first. Raises NoSuchLayer where one is missing."""
        found: list[Layer] = []
        while id is not None:
            if len(found) > TALLEST:
                raise StoreDamaged(f"the layers below {found[0].id} lie on each other in a circle")
            found.append(self.get(id))
            id = found[-1].parent
        return found

    def folders(self, id: str | None) -> list[str]:
        """The trees of a stack, topmost first: the `lowers` of an overlay."""
        return [self.folder(layer.id) for layer in self.stack(id)]

    def children(self, id: str) -> list[Layer]:
        """The layers that lie right on this one."""
        return [layer for layer in self.all() if layer.parent == id]

    def origin(self, id: str) -> str:
        """Where the layer was first seen, in words; "" if nobody said."""
        return str(json.loads(files.read(self._path(id, "json"))).get("origin", ""))

    def unpack(
        self,
        stream: Readable,
        parent: str | None,
        *,
        expected: str | None = None,
        origin: str = "",
        progress: Callable[[int], None] | None = None,
    ) -> Layer:
        """Make a layer on `parent` from a tar, packed or plain. On the disk when it returns.

        `expected` is the diff id that the archive must have; where such a layer is there already, nothing is read.
        `progress` is called with the bytes read so far (uncompressed). The caller holds the store's lock shared. Raises
        BadArchive, StoreFull, NoSuchLayer, and PermissionError where root's rights are missing; then nothing is left.
        """
        if expected is not None and self.has(chain_id(parent, expected)):
            return self.get(chain_id(parent, expected))
        from tiffin.layers.compression import uncompressed  # with the first layer
        from tiffin.layers.unpack import unpack  # with the first layer

        lowers = self._lowers(parent)
        with self.store.draft() as draft:
            made = unpack(uncompressed(stream), draft.path, lowers, progress=progress)
            if expected not in (None, made.diff_id):
                raise BadArchive(f"the layer should be {expected} and is {made.diff_id}: it is damaged or another one")
            return self._keep(draft, made, parent, origin)

    def burn(self, upper: str, parent: str | None, *, origin: str = "") -> Layer:
        """Make a read-only layer on `parent` of a read-write layer, which stays as it is. On the disk when it returns.

        The same bytes, metadata and times give the same id. `upper` is the overlay's upper folder. The caller holds the
        store's lock shared, and has paused the container. Raises TiffinError for what no layer can hold, Conflict where
        a file became shorter meanwhile, and all that `unpack` raises.
        """
        from tiffin.layers.delta import delta  # only to commit
        from tiffin.layers.unpack import burn  # only to commit

        lowers = self._lowers(parent)
        with self.store.draft() as draft:
            return self._keep(draft, burn(delta(upper, lowers), draft.path, lowers), parent, origin)

    def foretold(self, upper: str, parent: str | None) -> Layer:
        """The layer that `burn` would make of it. All of it is read, nothing is written."""
        from hashlib import sha256  # loads OpenSSL

        from tiffin.layers.delta import delta  # only to commit
        from tiffin.layers.tarwriter import TarStream, pieces  # only to commit

        size, digest = 0, sha256()

        def counted() -> Iterator[Member]:  # each is open only while it is asked for
            nonlocal size
            for member in delta(upper, self._lowers(parent)):
                size += member.entry.size
                yield member

        for piece in pieces(TarStream(counted())):
            digest.update(piece)
        diff_id = f"sha256:{digest.hexdigest()}"
        return Layer(chain_id(parent, diff_id), parent, diff_id, size)

    def pack(self, id: str) -> Iterator[bytes]:
        """The layer's tar, byte for byte as it came, in pieces.

        Raises StoreDamaged where the tree was changed by hand, which may be after some of the pieces.
        """
        from tiffin.layers.pack import pack  # only to save

        try:
            yield from pack(self.folder(id), self._path(id, "headers"))
        except StoreDamaged as error:
            raise self._damaged(id, error) from error

    def tar_size(self, id: str) -> int:
        """Bytes of the layer's tar."""
        from tiffin.layers.headers import HeaderStream  # only to save

        try:
            return HeaderStream(self._path(id, "headers")).size
        except StoreDamaged as error:
            raise self._damaged(id, error) from error

    def remove(self, id: str) -> None:
        """Take a layer out of the store. The caller holds the lock exclusive and knows that nothing needs the layer."""
        if not self.has(id):
            raise NoSuchLayer(f"no layer {id}; try: tiffin images -a")
        self.store.trash(self._path(id))

    def disk_usage(self, id: str) -> int:
        """Bytes that the layer takes on the disk, with its header stream."""
        seen: set[int] = set()
        total, todo = 0, [os.fsencode(self._path(id))]
        while todo:
            for item in os.scandir(todo.pop()):
                status = item.stat(follow_symlinks=False)
                if item.is_dir(follow_symlinks=False):
                    todo.append(item.path)
                elif status.st_nlink > 1:
                    if status.st_ino in seen:
                        continue
                    seen.add(status.st_ino)
                total += status.st_blocks * 512
        return total

    def _lowers(self, parent: str | None) -> list[str]:
        lowers = self.folders(parent)
        if len(lowers) >= TALLEST:
            raise Unsupported(f"an overlay has at most {TALLEST} layers; export and import the container to make one")
        return lowers

    def _keep(self, draft: Draft, made: Unpacked, parent: str | None, origin: str) -> Layer:
        layer = Layer(chain_id(parent, made.diff_id), parent, made.diff_id, made.size)
        if self.has(layer.id):
            return self.get(layer.id)
        form = {"parent": parent, "diff_id": layer.diff_id, "size": layer.size, "origin": origin}
        files.write_once(f"{draft.path}/json", json.dumps(form, indent=2).encode() + b"\n", durable=False)
        files.sync_file_system(draft.path)
        try:
            draft.keep(self._path(layer.id))  # commit point
        except FileExistsError:  # somebody else made the same one meanwhile
            return self.get(layer.id)
        return layer

    def _damaged(self, id: str, why: object) -> StoreDamaged:
        # a load does not look into a layer that is there
        return StoreDamaged(f"{why}; move the folder {self._path(id)} away and load its image again")

    def _path(self, id: str, *parts: str) -> str:
        algorithm, _, name = id.partition(":")
        if algorithm != "sha256" or len(name) != 64 or not set(name) <= set("0123456789abcdef"):
            raise NoSuchLayer(f"{id!r} is no id of a layer; try: tiffin images -a")
        return self.store.path("layers", name, *parts)
