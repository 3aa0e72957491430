"""Is a root whole? Asked after every way in which a verb can break off."""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256

from tiffin.engine import Engine
from tiffin.engine.removal import collect
from tiffin.model.transitions import stack
from tiffin.store.locks import lock
from tiffin.store.sweep import sweep

PLACES = {"content", "containers", "format", "images", "layers", "lock", "networks", "tmp", "trash", "volumes"}
OF_AN_IMAGE = {"json", "unwanted"}
OF_A_CONTAINER = {"json", "diff", "work", "last", "log", *(f"log.{number}" for number in range(1, 10))}


def assert_whole(engine: Engine) -> None:
    """Every reference leads somewhere, every layer gives the tar that its diff id names, and what looks can look."""
    host = engine.host()
    for layer in host.layers.values():
        content = sha256()
        for piece in engine._parts.layers.pack(layer.id):
            content.update(piece)
        assert f"sha256:{content.hexdigest()}" == layer.diff_id
        assert layer.parent is None or layer.parent in host.layers
    for id, image in host.images.items():
        assert set(image.layers) <= set(host.layers)
        assert engine.history(id)[0].image == id
        assert engine.inspect(id, "image")["Id"] == id
        assert all(engine._parts.content.read(blob) for blob in engine._parts.images.record(id).kept())
    for name, id in host.names.items():
        assert engine.image(name) == host.images[id]
    for id, container in host.containers.items():
        assert engine.container(container.name).id == engine.container(id[:12]).id == id
        assert engine.inspect(id, "container")["State"]["Status"] == container.state
        assert container.top is None or container.top in host.layers
    assert {row.id for row in engine.ps(all=True)} == set(host.containers)
    assert set(host.images) <= {row.id for row in engine.images(all=True)}
    assert engine.system_df().layers == len(host.layers)


def tidy(engine: Engine) -> None:
    """One sweep and one collection, as the next verb would do; then nothing may lie around that nothing refers to."""
    wait_for_trash(engine)
    sweep(engine.store)
    collect(engine._parts)
    host = engine.host()
    needed = {layer for image in host.images.values() for layer in image.layers}
    needed |= {layer for container in host.containers.values() for layer in stack(host, container.top)}
    assert set(host.layers) == needed
    assert not litter(engine), litter(engine)


def wait_for_trash(engine: Engine) -> None:
    """Until nobody deletes in it any more, and the last mounts on read-write layers in it are gone."""
    for name in os.listdir(engine.store.path("trash")):
        for part in ("", "/diff"):
            with suppress(OSError), lock(engine.store.path("trash", name) + part):
                pass


def litter(engine: Engine) -> list[str]:
    """What stands in the root and has no business there."""
    store, parts = engine.store, engine._parts
    blobs = {blob for id in parts.images.ids() for blob in parts.images.record(id).kept()}
    names = {f"../{id}" for id in os.listdir(store.path("containers"))}
    found = set(os.listdir(store.root)) - PLACES
    found |= {f"tmp/{name}" for name in os.listdir(store.path("tmp"))}
    found |= {f"trash/{name}" for name in os.listdir(store.path("trash"))}
    found |= {f"content/{digest}" for digest in parts.content.all() if digest not in blobs}
    # what begins with a dot was to replace a record, and goes along with it
    for folder, allowed in (("images", OF_AN_IMAGE), ("containers", OF_A_CONTAINER)):
        for id in set(os.listdir(store.path(folder))) - {"names"}:
            there = {name for name in os.listdir(store.path(folder, id)) if name[0] != "."}
            found |= {f"{folder}/{id}/{name}" for name in there - allowed}
    for name in os.listdir(store.path("containers", "names")):
        if os.readlink(store.path("containers", "names", name)) not in names:
            found.add(f"containers/names/{name}")
    return sorted(found | _litter_of_names(store.path("images", "names")))


def _litter_of_names(top: str) -> set[str]:
    found = set()
    for folder, folders, links in os.walk(top):
        names = [*folders, *links]  # of symbolic links, those to folders come with the folders
        if folder != top and not names:
            found.add(f"{folder} is empty")
        found |= {f"{folder}/{name}" for name in names if name[0] == "." or not os.path.exists(f"{folder}/{name}")}
    return found
