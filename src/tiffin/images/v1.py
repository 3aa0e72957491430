"""The archives that `docker save` wrote before 1.10, when a layer was an image with an id of its own.

    repositories          {"base": {"latest": <v1 id>}}
    <v1 id>/json          settings, parent's v1 id, what made it
    <v1 id>/layer.tar     the delta

The config that later versions need is made from these as Docker makes it, key by key in its order, so that the image
has the same id there and here (but for images written by Docker before 1.8.3, whose settings Docker rewrites as well).
Each ancestor becomes an image, too: that is what it was.
"""

from __future__ import annotations

from hashlib import sha256

from tiffin import json
from tiffin.errors import BadArchive, BadName
from tiffin.images import forms
from tiffin.images.archive import Archive, read
from tiffin.images.forms import JSON
from tiffin.images.offer import Offer, OfferedLayer
from tiffin.images.reference import Reference, parse
from tiffin.layers.compression import uncompressed
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORIES = "repositories"
DROPPED = ("id", "parent", "Size", "parent_id", "layer_id", "throwaway")
MOST_STEPS = 1000
CHUNK = 1 << 20


class Step(NamedTuple):
    """One v1 image: its config as an image of today, so far as the steps below it are known."""

    offer: Offer
    diff_ids: tuple[str, ...]
    history: tuple[JSON, ...]


def offers(archive: Archive) -> Iterator[Offer]:
    """Every image that has a name, each after its ancestors."""
    names = _names(archive)
    steps: dict[str, Step] = {}
    for v1_id in names:
        for ancestor in _line(archive, v1_id):
            if ancestor not in steps:
                steps[ancestor] = _step(archive, ancestor, steps)
    for v1_id, step in steps.items():
        yield step.offer._replace(names=names.get(v1_id, ()))


def _names(archive: Archive) -> dict[str, tuple[Reference, ...]]:
    form = forms.parse_object(read(archive, REPOSITORIES), REPOSITORIES)
    found: dict[str, tuple[Reference, ...]] = {}
    for repository in form:
        tags = forms.object_in(form, repository, REPOSITORIES)
        for tag in tags:
            v1_id = _checked(forms.text(tags, tag, REPOSITORIES))
            try:
                found[v1_id] = (*found.get(v1_id, ()), parse(f"{repository}:{tag}"))
            except BadName as error:
                raise BadArchive(f"{REPOSITORIES} gives an image a name that is none: {error}") from error
    return found


def _line(archive: Archive, v1_id: str) -> list[str]:
    """The image and its ancestors, the eldest first."""
    line: list[str] = []
    while v1_id:
        if v1_id in line or len(line) > MOST_STEPS:
            raise BadArchive("the images in the archive are each other's parents without an end")
        line.append(v1_id)
        parent = forms.text(_settings(archive, v1_id), "parent", f"{v1_id}/json")
        v1_id = _checked(parent) if parent else ""
    return line[::-1]


def _step(archive: Archive, v1_id: str, steps: dict[str, Step]) -> Step:
    settings = _settings(archive, v1_id)
    below = steps.get(forms.text(settings, "parent", f"{v1_id}/json"))
    member = f"{v1_id}/layer.tar"
    diff_ids = (*(below.diff_ids if below else ()), _diff_id(archive, member))
    history = (*(below.history if below else ()), _entry(settings, f"{v1_id}/json"))
    config = {key: value for key, value in settings.items() if key not in DROPPED}
    config |= {"rootfs": {"type": "layers", "diff_ids": diff_ids}, "history": history}
    parent = "sha256:" + sha256(below.offer.config).hexdigest() if below else None
    layers = (*(below.offer.layers if below else ()), OfferedLayer(member))
    return Step(Offer(_as_go({key: config[key] for key in sorted(config)}), layers, parent=parent), diff_ids, history)


def _entry(settings: JSON, what: str) -> JSON:
    made_by = forms.texts(forms.object_in(settings, "container_config", what), "Cmd", what)
    entry = {
        "created": forms.text(settings, "created", what),
        "author": forms.text(settings, "author", what),
        "created_by": " ".join(made_by),
        "comment": forms.text(settings, "comment", what),
    }
    return {key: value for key, value in entry.items() if value or key == "created"}


def _settings(archive: Archive, v1_id: str) -> JSON:
    return forms.parse_object(read(archive, f"{v1_id}/json"), f"{v1_id}/json")


def _diff_id(archive: Archive, member: str) -> str:
    """Nothing in such an archive tells it: the layer is read once more for it."""
    hash, buffer = sha256(), memoryview(bytearray(CHUNK))
    with archive.open(member) as packed:
        plain = uncompressed(packed)
        while count := plain.readinto(buffer):
            hash.update(buffer[:count])
    return "sha256:" + hash.hexdigest()


def _checked(v1_id: str) -> str:
    if len(v1_id) != 64 or not set(v1_id) <= set("0123456789abcdef"):
        raise BadArchive(f"the archive has an image with the id {v1_id[:100]!r}; one has 64 hex digits")
    return v1_id


def _as_go(value: object) -> bytes:
    """As Go's encoder writes it: no blanks, and escapes where HTML would need them."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode()
