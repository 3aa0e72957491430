"""Layer, image, container, host: small frozen values. They know nothing of disks, processes or time."""

from __future__ import annotations

from tiffin.record import NamedTuple


class Layer(NamedTuple):
    """What one step changed in a file system: a delta, and the id of the layer that it lies on.

    `id` is the OCI chain id (image-spec, config.md, "Layer ChainID"), "sha256:" and 64 hex digits; `diff_id` the digest
    of the delta as an uncompressed tar; `size` the bytes of its files. The bottom layer has no parent.
    """

    id: str
    parent: str | None
    diff_id: str
    size: int


class Image(NamedTuple):
    """The union view of a stack of read-only layers, and a config.

    `id` is the digest of the config's bytes. `layers` are chain ids, bottom first. `parent` is the image that this one
    was made from by a commit or a build step, where that is known.
    """

    id: str
    layers: tuple[str, ...]
    parent: str | None = None

    @property
    def top(self) -> str | None:
        """The layer that names the union view; none for an image without layers."""
        return self.layers[-1] if self.layers else None


class State:
    """What a container is doing. One word each, as Docker writes them."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    EXITED = "exited"
    REMOVING = "removing"
    DEAD = "dead"


class Container(NamedTuple):
    """A read-write layer on top of a stack of read-only layers. It need not run.

    `image` is the id of the image that it was made from (none for a bare layer), `top` the layer right below the
    read-write layer (none for an empty stack). One made with `--rm` goes when its process space does.
    """

    id: str
    name: str
    image: str | None
    top: str | None
    state: str = State.CREATED
    auto_remove: bool = False


class Host(NamedTuple):
    """Everything that stands on one root: what `ps -a` and `images -a` list."""

    layers: dict[str, Layer]
    images: dict[str, Image]
    names: dict[str, str]
    """image name with tag -> image id"""
    containers: dict[str, Container]


def chain_id(parent: str | None, diff_id: str) -> str:
    """The id of the layer that puts the delta `diff_id` on `parent` (OCI image-spec, config.md, "Layer ChainID")."""
    if parent is None:
        return diff_id
    from hashlib import sha256  # costs 2 ms

    return "sha256:" + sha256(f"{parent} {diff_id}".encode()).hexdigest()
