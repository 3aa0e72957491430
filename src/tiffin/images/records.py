"""Image records: which images there are, what each was made from, and in which form its layers came.

    images/<hex>/json       parent, manifest, the layers' chain ids and the blobs that they came in
    images/<hex>/unwanted   its last name is gone: whoever can, deletes it

The config itself is a blob named by the image's id.
"""

from __future__ import annotations

import os

from tiffin import json
from tiffin.errors import AmbiguousId, BadArchive, BadName, NoSuchImage, StoreDamaged
from tiffin.images.config import ImageConfig
from tiffin.images.names import Names
from tiffin.images.reference import Reference, parse
from tiffin.model.nouns import Image
from tiffin.record import NamedTuple
from tiffin.store import Store, files
from tiffin.store.content import Content

SHORT = 12  # hex digits that are shown of an id


class Blob(NamedTuple):
    """What a layer came in: compressed, and kept so. The digest and media type are those of its manifest."""

    digest: str
    media_type: str


class Record(NamedTuple):
    """An image, and the form in which it came: `blobs` one for each layer, None for what came uncompressed.

    `manifest` is the digest of the OCI or Docker manifest that it came with.
    """

    image: Image
    manifest: str | None = None
    blobs: tuple[Blob | None, ...] = ()

    def kept(self) -> set[str]:
        """The digests of all blobs that this image needs or keeps."""
        blobs = {self.image.id, *(blob.digest for blob in self.blobs if blob)}
        return blobs | {self.manifest} if self.manifest else blobs


class Images:
    """The images of one store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.content = Content(store)
        self.names = Names(store)

    def add(self, config: bytes, *, parent: str | None = None, manifest: bytes | None = None,
            blobs: tuple[Blob | None, ...] = (), named: bool = False) -> Image:  # fmt: skip
        """Keep an image; its layers and blobs are here already. Known by its id then.

        `named`: `name` is to follow, and until then the image is unwanted, so that who dies in between leaves nothing.
        The caller holds the store's lock shared since it decided that the layers exist. Raises BadArchive where
        `config` is none.
        """
        layers = ImageConfig.from_bytes(config).layers()
        image = Image(self.content.put(config), layers, parent)
        kept = None if manifest is None else self.content.put(manifest)
        record = Record(image, kept, blobs or (None,) * len(layers))
        with self.store.draft() as draft:
            files.write_once(f"{draft.path}/json", _to_bytes(record))
            if named:
                files.write_once(f"{draft.path}/unwanted", b"")
            try:
                draft.keep(self._folder(image.id))  # commit point, unless a name is
            except FileExistsError:
                self._renew(record)
                if not named:
                    self.want(image.id)
        return image

    def name(self, name: Reference, id: str) -> None:
        """Give an image a name, whoever had it before. The caller holds the store's lock shared."""
        self.names.put(name, id)  # commit point
        self.want(id)

    def has(self, id: str) -> bool:
        return os.path.exists(self._folder(id))

    def get(self, id: str) -> Image:
        return self.record(id).image

    def record(self, id: str) -> Record:
        """Raises NoSuchImage, or StoreDamaged where the record says nothing that makes sense."""
        folder = self._folder(id)
        try:
            return _from_bytes(id, files.read(f"{folder}/json"))
        except FileNotFoundError as error:
            raise NoSuchImage(f"No such image: {id}; see what there is: tiffin images") from error
        except (ValueError, KeyError, TypeError) as error:
            hint = f"move the folder {folder} away and load the image again"
            raise StoreDamaged(f"{folder}/json is damaged: {error}; {hint}") from error

    def config(self, id: str) -> ImageConfig:
        """Not verified against the id, which costs the start of a container 2 ms; `config_bytes` does that."""
        path = self.content.path(id)
        try:
            return ImageConfig.from_bytes(files.read(path))
        except FileNotFoundError as error:
            raise StoreDamaged(f"{path} is missing: load the image again") from error
        except BadArchive as error:  # it was none when it came in
            raise StoreDamaged(f"{path} was changed: {error}; move it away and load the image again") from error

    def config_bytes(self, id: str) -> bytes:
        """As they came. Raises StoreDamaged where they are not what the id says."""
        return self.content.read(id)

    def all(self) -> list[Image]:
        """Those that are wanted: an image that lost its last name by `rmi` may still wait for its deletion."""
        named, found = {image for _, image in self.names.all()}, list[Image]()
        for id in self.ids():
            try:
                if id in named or not self.is_unwanted(id):
                    found.append(self.get(id))
            except NoSuchImage:  # removed meanwhile
                continue
        return found

    def ids(self) -> list[str]:
        """Of all records, also of those that wait for their deletion."""
        return ["sha256:" + name for name in sorted(os.listdir(self.store.path("images"))) if len(name) == 64]

    def missing(self, text: str) -> NoSuchImage:
        """What to raise where there is no image of that name or id. Raises BadName for what can be neither."""
        if not is_hex(text.removeprefix("sha256:")):
            parse(text)  # says what is wrong with it
        return NoSuchImage(f"No such image: {_tagged(text)}; see what there is: tiffin images")

    def names_of(self, id: str) -> list[Reference]:
        return [name for name, image in self.names.all() if image == id]

    def children(self, id: str) -> list[Image]:
        """The images that were made from this one."""
        return [image for image in self.all() if image.parent == id]

    def unwant(self, id: str, *, force: bool) -> None:
        """It is to go, but somebody is adding things: the next sweep does it, or with `force` even where it is used."""
        try:
            files.replace(f"{self._folder(id)}/unwanted", b"force\n" if force else b"")
        except FileNotFoundError:  # somebody else removed it
            pass

    def want(self, id: str) -> None:
        """It is needed after all."""
        try:
            os.unlink(f"{self._folder(id)}/unwanted")
        except FileNotFoundError:
            pass

    def is_unwanted(self, id: str) -> bool:
        return os.path.exists(f"{self._folder(id)}/unwanted")

    def is_forced(self, id: str) -> bool:
        """Whether it is unwanted although something may use it."""
        try:
            return files.read(f"{self._folder(id)}/unwanted") == b"force\n"
        except FileNotFoundError:
            return False

    def adopt(self, child: str, parent: str | None) -> None:
        """The parent of a child goes: its own parent takes its place."""
        record = self.record(child)
        image = record.image._replace(parent=parent)
        files.replace(f"{self._folder(child)}/json", _to_bytes(record._replace(image=image)))

    def forget_blobs(self, id: str) -> None:
        """Its layers go out uncompressed from now on, so that its manifest is another one."""
        record = self.record(id)
        if any(record.blobs):
            plain = record._replace(manifest=None, blobs=(None,) * len(record.blobs))
            files.replace(f"{self._folder(id)}/json", _to_bytes(plain))

    def delete(self, id: str) -> None:
        """The caller holds the store's lock exclusively and has checked that nothing needs the record."""
        self.store.trash(self._folder(id))

    def named(self, text: str) -> str | None:
        """The id of the image of that name."""
        try:
            name = parse(text)
        except BadName:
            return None
        return self.names.get(name.tagged()) if name.digest is None else self._by_digest(name)

    def beginning_with(self, text: str) -> list[str]:
        """The ids that begin with these hex digits, `sha256:` before them or not."""
        digits = text.removeprefix("sha256:")
        if not is_hex(digits):
            return []
        if len(digits) == 64:
            found = [f"sha256:{digits}"] if os.path.isdir(self._folder(digits)) else []
        else:
            found = [id for id in self.ids() if id.startswith(f"sha256:{digits}")]
        return [id for id in found if not self.is_unwanted(id) or self.names_of(id)]

    def _by_digest(self, name: Reference) -> str | None:
        """base@sha256:…: the digest of the manifest that it came with, or of the image itself."""
        for other, id in self.names.all():
            if other.repository == name.repository and name.digest in (id, self.record(id).manifest):
                return id
        return None

    def _renew(self, record: Record) -> None:
        """The same image came again: remember what was not known before."""
        known = self.record(record.image.id)
        image = record.image._replace(parent=known.image.parent or record.image.parent)
        # without a manifest it came from somewhere poorer: what came with one goes out with the same digest
        better = record if record.manifest or not known.manifest else known
        renewed = better._replace(image=image)
        if renewed != known:
            files.replace(f"{self._folder(image.id)}/json", _to_bytes(renewed))

    def _folder(self, id: str) -> str:
        return self.store.path("images", id.removeprefix("sha256:"))


def short(id: str) -> str:
    """The twelve digits by which Docker shows an id."""
    return id.removeprefix("sha256:")[:SHORT]


def only(text: str, ids: list[str]) -> str | None:
    """The one id that was meant. Raises AmbiguousId where there are several."""
    if len(ids) > 1:
        some = ", ".join(short(id) for id in ids[:4])
        raise AmbiguousId(f"{text} is the beginning of {len(ids)} ids ({some}); give more digits")
    return ids[0] if ids else None


def is_hex(text: str) -> bool:
    return 0 < len(text) <= 64 and set(text) <= set("0123456789abcdef")


def _to_bytes(record: Record) -> bytes:
    form = {
        "parent": record.image.parent,
        "layers": record.image.layers,
        "manifest": record.manifest,
        "blobs": [blob and blob._asdict() for blob in record.blobs],
    }
    return json.dumps(form, indent=2).encode() + b"\n"


def _from_bytes(id: str, content: bytes) -> Record:
    form = json.loads(content)
    blobs = tuple(blob and Blob(blob["digest"], blob["media_type"]) for blob in form["blobs"])
    return Record(Image(id, tuple(form["layers"]), form["parent"]), form["manifest"], blobs)


def _tagged(text: str) -> str:
    try:
        return parse(text).tagged().familiar()
    except BadName:
        return text
