"""Metadata cards: what a reader wants to know of one container, image or layer, in at most ten lines.

.-- container web -----------.
| id       3f9c1e07a2b4      |     all of it is in `inspect`; what says nothing is left out here
| parent   8c2af1d09e37 (..) |
'----------------------------'
"""

from __future__ import annotations

import time

from tiffin.containers import ContainerRecord, Containers
from tiffin.engine.parts import Parts
from tiffin.engine.pictures.world import story
from tiffin.engine.state import ContainerState
from tiffin.engine.times import seconds
from tiffin.images.records import short
from tiffin.model.config import Config
from tiffin.model.host_config import HostConfig
from tiffin.model.nouns import Image, Layer
from tiffin.view.picture import Card
from tiffin.view.words import amount, many

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tiffin.engine.pictures.world import Told

MOST_ROWS = 10
NO_LAYER = "none: there is nothing below"
MEMORY_UNITS = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def card_of_container(parts: Parts, record: ContainerRecord, state: ContainerState) -> Card:
    """Its parent is the layer that its read-write layer lies on."""
    config, host = record.config, record.host
    return _card("container", record.name or short(record.id), (
        ("id", short(record.id)),
        ("parent", _layer(record.top, _made_by(parts, [record.image] if record.image else [], record.top))),
        ("image", f"{config.image} {short(record.image)}" if record.image else "none: it stands on a bare layer"),
        ("command", _command(config)),
        ("user", config.user or "root"),
        ("created", _moment(record.created)),
        ("exit code", _exit(state)),
        ("limits", _limits(host)),
        ("asked for", _asked(host)),
        ("its files", f"{Containers(parts.store).folder(record.id)}/diff"),
    ))  # fmt: skip


def card_of_image(parts: Parts, image: Image) -> Card:
    """Raises StoreDamaged where its config is."""
    made, size = parts.images.config(image.id), sum(parts.layers.get(layer).size for layer in image.layers)
    names = [name.familiar() for name in parts.images.names_of(image.id)]
    steps = story(parts, image.id)
    return _card("image", names[0] if names else short(image.id), (
        ("id", short(image.id)),
        ("top layer", f"{short(image.top)}, the last of {many(len(image.layers), 'layer')}" if image.top else NO_LAYER),
        ("also named", ", ".join(names[1:])),
        ("made from", f"image {short(image.parent)}" if image.parent else ""),
        ("command", _command(made.config) or "none: name one"),
        ("user", made.config.user or "root"),
        ("size", amount(size)),
        ("created", _moment(seconds(made.created))),
        ("last step", steps[-1].words if steps else ""),
        ("starts in", made.config.working_dir),
        ("ports", ", ".join(made.config.exposed_ports)),
        ("platform", "/".join(filter(None, (made.os, made.architecture, made.variant)))),
    ))  # fmt: skip


def card_of_layer(parts: Parts, layer: Layer) -> Card:
    """A layer says itself only what it lies on and what it holds; what made it is told by an image that has it."""
    holders = [image for image in parts.images.all() if layer.id in image.layers]
    holders.sort(key=lambda image: (image.top != layer.id, image.id))  # one that ends with it knows best
    told = _told(parts, [image.id for image in holders], layer.id)
    names = [name.familiar() for image in holders if image.top == layer.id for name in parts.images.names_of(image.id)]
    return _card("layer", short(layer.id), (
        ("id", short(layer.id)),
        ("parent", _layer(layer.parent, _made_by(parts, [image.id for image in holders], layer.parent))),
        ("made by", told.words if told else ""),
        ("created", _moment(told.created) if told else ""),
        ("size", amount(layer.size)),
        ("diff id", layer.diff_id),
        ("names", ", ".join(names)),
        ("part of", many(len(holders), "image")),
        ("first seen", parts.layers.origin(layer.id)),
        ("its files", parts.layers.folder(layer.id)),
    ))  # fmt: skip


def _card(kind: str, title: str, rows: Iterable[tuple[str, str]]) -> Card:
    lines = ((key, " ".join(value.split())) for key, value in rows)
    return Card(kind, title, tuple(line for line in lines if line[1])[:MOST_ROWS])


def _layer(id: str | None, words: str) -> str:
    if id is None:
        return NO_LAYER
    return f"{short(id)} ({words})" if words else short(id)


def _made_by(parts: Parts, images: Iterable[str], layer: str | None) -> str:
    told = _told(parts, images, layer)
    return told.words if told else ""


def _told(parts: Parts, images: Iterable[str], layer: str | None) -> Told | None:
    """The step that made a layer, by the first of these images that tells of one."""
    for image in images:
        for told in story(parts, image):
            if told.layer == layer and not told.is_empty and (told.words or told.created):
                return told
    return None


def _command(config: Config) -> str:
    return " ".join(f"'{word}'" if " " in word or not word else word for word in config.argv)


def _exit(state: ContainerState) -> str:
    """Also of a start that failed; nothing while it runs, or never did."""
    why = "out of memory" if state.oom_killed else state.reason
    if not state.finished and not why:
        return ""
    return f"{state.exit_code}, {why}" if why else str(state.exit_code)


def _limits(host: HostConfig) -> str:
    limits = [f"{_memory(host.memory)} of memory"] if host.memory else []
    limits += [many(host.pids_limit, "process", "processes")] if host.pids_limit > 0 else []
    limits += [f"{host.nano_cpus / 10**9:g} CPUs"] if host.nano_cpus else []
    return ", ".join(limits) or "none"


def _memory(size: int) -> str:
    """Limits are given in units of 1024, and so they are told where they come out even."""
    for unit, name in MEMORY_UNITS:
        if size % unit == 0:
            return f"{size // unit} {name}"
    return amount(size)


def _asked(host: HostConfig) -> str:
    return ", ".join(_wishes(host))


def _wishes(host: HostConfig) -> Iterator[str]:
    """What is not so where nobody asks."""
    if host.privileged:
        yield "privileged"
    if host.readonly_rootfs:
        yield "read-only root folder"
    if host.auto_remove:
        yield "removal when it ends"
    if host.init:
        yield "an init process"
    if host.network_mode != "none":
        yield f"network {host.network_mode}"
    yield from (f"+{name.upper().removeprefix('CAP_')}" for name in host.cap_add)
    yield from (f"-{name.upper().removeprefix('CAP_')}" for name in host.cap_drop)
    if host.cgroup_parent:
        yield f"cgroup below {host.cgroup_parent}"
    if host.log.driver != "json-file":
        yield "no log"


def _moment(when: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(when)) if when else ""
