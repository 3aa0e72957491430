"""commit: a container's read-write layer burnt into a read-only one, and an image made of it."""

from __future__ import annotations

from tiffin.builder.settings import changed
from tiffin.engine.attributes import of_container, of_image
from tiffin.engine.parts import Parts
from tiffin.engine.references import bare_config
from tiffin.engine.removal import undone_on_error
from tiffin.engine.times import now
from tiffin.errors import NoSuchImage
from tiffin.images.config import HistoryEntry
from tiffin.images.platform import here
from tiffin.images.records import short
from tiffin.images.reference import parse_tagged
from tiffin.layers.delta import delta
from tiffin.model.config import Config
from tiffin.model.nouns import Image
from tiffin.store import events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def commit(
    parts: Parts,
    *,
    upper: str,
    top: str | None,
    image: str | None,
    config: Config,
    container_id: str,
    container_name: str,
    name: str | None = None,
    changes: Iterable[str] = (),
    message: str = "",
    author: str = "",
    created: str | None = None,
) -> Image:
    """Make an image of the folder `upper`, a read-write layer that lies on the layer `top`.

    `image` is the id of the image that the container was made from, None for a bare layer, and `config` the settings
    of the container; the caller keeps the container still meanwhile. Where nothing changed in the files, the image has
    the layers of its parent. `created` as in RFC 3339, else it is now. Raises BadParameter for a wrong change, BadName,
    StoreFull.
    """
    reference = parse_tagged(name) if name else None
    settings = _of_image(changed(config, changes))
    entry = HistoryEntry(created or now(), " ".join(config.cmd), message, author)
    with undone_on_error(parts), parts.store.shared():
        # docker makes no layer of nothing either
        is_changed = next(delta(upper, parts.layers.folders(top)), None) is not None
        origin = f"commit of container {short(container_id)}"
        diff_id = parts.layers.burn(upper, top, origin=origin).diff_id if is_changed else None
        parent = _parent(parts, image)
        below = parts.images.config(parent.id) if parent else bare_config(parts, top)
        fitted = below._replace(architecture=below.architecture or here().architecture)
        child = fitted.with_step(entry, diff_id, settings)
        named = reference is not None
        made = parts.images.add(child.to_bytes(), parent=parent.id if parent else None, named=named)
        if reference is not None:
            parts.images.name(reference, made.id)
    familiar = reference.familiar() if reference else ""
    if familiar:
        events.emit(parts.store, "image", "tag", made.id, of_image(familiar, settings))
    told = {"comment": message, "imageID": made.id, "imageRef": familiar}
    events.emit(parts.store, "container", "commit", container_id, {**of_container(container_name, config), **told})
    return made


def _of_image(config: Config) -> Config:
    """Without what only the container had: its host name, its terminal, what it called its image."""
    return config._replace(
        hostname="", domainname="", image="", tty=False, open_stdin=False, stdin_once=False, stop_timeout=None
    )


def _parent(parts: Parts, image: str | None) -> Image | None:
    """The image that the container was made from, unless `rmi -f` took it away since."""
    try:
        return parts.images.get(image) if image else None
    except NoSuchImage:
        return None
