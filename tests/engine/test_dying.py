"""load, import, commit, tag, rmi and prune are stopped at each of their writes, and the store is whole each time."""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Callable
from functools import partial
from hashlib import sha256

import pytest

from tests.conftest import Roots
from tests.dying import dies_at
from tests.engine.stores import Shelf
from tests.images.archives import BOTTOM, CREATED, TOP, digest, docker_20, image, layout
from tiffin.engine import archives
from tiffin.engine.commit import commit
from tiffin.engine.images import history, tag
from tiffin.engine.removal import collect, image_prune, rmi
from tiffin.model.config import Config
from tiffin.store import Store

pytestmark = [pytest.mark.root, pytest.mark.timeout(600)]
BASE, CHILD = image(BOTTOM), image(BOTTOM, TOP)


def shelf_at(roots: Roots) -> Shelf:
    """base:1, and a read-write layer of a container on it."""
    shelf = Shelf(roots)
    shelf.load(docker_20(BASE, "base:1"))
    upper = shelf.store.path("containers", "c" * 64, "diff")
    os.makedirs(upper)
    with open(f"{upper}/happiness.txt", "w", encoding="utf-8") as file:
        file.write("yes\n")
    for path in (f"{upper}/happiness.txt", upper):
        os.utime(path, (1, 1))
    return shelf


def load(shelf: Shelf) -> None:
    shelf.load(layout(CHILD, "docker.io/library/child:1", packed="gzip"))


def import_(shelf: Shelf) -> None:
    archives.import_(shelf, io.BytesIO(TOP), "flat:1", created=CREATED)


def commit_(shelf: Shelf) -> None:
    upper = shelf.store.path("containers", "c" * 64, "diff")
    commit(shelf, upper=upper, top=digest(BOTTOM), image=BASE.id, config=Config(), container_id="c" * 64,
           name="happy:1", created=CREATED)  # fmt: skip


def tag_(shelf: Shelf) -> None:
    tag(shelf, "base:1", "other/name:2")


def rmi_(shelf: Shelf) -> None:
    rmi(shelf, "base:1")


def prune(shelf: Shelf) -> None:
    image_prune(shelf, all=True)


def checked(shelf: Shelf) -> dict[str, str]:
    """The names, once everything that stands there was found whole."""
    Store(shelf.store.root, shelf.store.runroot).open()
    for layer in shelf.layers.all():
        assert f"sha256:{sha256(b''.join(shelf.layers.pack(layer.id))).hexdigest()}" == layer.diff_id
        assert layer.parent is None or shelf.layers.has(layer.parent)
    for found in shelf.images.all():
        assert shelf.images.config(found.id).layers() == found.layers
        assert all(shelf.layers.has(layer) for layer in found.layers)
        assert all(shelf.content.read(blob) for blob in shelf.images.record(found.id).kept())
        assert history(shelf, found.id)[0].image == found.id
    return {name.familiar(): id for name, id in shelf.images.names.all()}


@pytest.mark.parametrize("verb", [load, import_, commit_, tag_, rmi_, prune])
def test_a_verb_that_dies_at_any_of_its_writes_leaves_a_whole_store(
    engine_root: Roots, verb: Callable[[Shelf], None]
):
    whole = shelf_at(Roots(engine_root.root + "-whole", engine_root.runroot))
    before = checked(whole)
    verb(whole)
    after = checked(whole)
    for number in itertools.count():
        shelf = shelf_at(Roots(f"{engine_root.root}-{number}", engine_root.runroot))
        died = dies_at(number, partial(verb, shelf))
        assert checked(shelf) in (before, after)
        collect(shelf)
        assert checked(shelf) in (before, after)
        assert shelf.left()["tmp"] == shelf.left()["trash"] == []
        if not died:
            assert checked(shelf) == after
            break
        if verb not in (rmi_, prune) or checked(shelf) == before:
            verb(shelf)
            assert checked(shelf) == after
            assert shelf.left() == whole.left()
    assert number > 3


def test_a_verb_that_finished_is_not_undone_by_the_next_one_s_death(engine_root: Roots):
    shelf = shelf_at(engine_root)
    tag_(shelf)
    names = checked(shelf)
    for number in range(0, 200, 7):
        dies_at(number, partial(load, shelf))
        assert names.items() <= checked(shelf).items()
