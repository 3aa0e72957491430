"""Many processes load, remove and list the same images of one root at once."""

from __future__ import annotations

import io
from functools import partial

import pytest

from tests.conftest import Roots
from tests.engine.stores import EMPTY, Shelf
from tests.images.archives import BOTTOM, TOP, docker_20, image, layout
from tests.together import together
from tiffin.engine import archives
from tiffin.engine.images import history, images, system_df
from tiffin.engine.removal import collect, image_prune, rmi
from tiffin.errors import NoSuchImage

pytestmark = pytest.mark.root
ONE, TWO = image(BOTTOM), image(BOTTOM, TOP)
ROUNDS = 12


def loads(shelf: Shelf, members: dict[str, bytes | None], name: str) -> None:
    """Whoever has just loaded can save: nobody takes away what is named."""
    for _ in range(ROUNDS):
        shelf.load(members)
        archives.save(shelf, [name], io.BytesIO())


def loads_and_removes(shelf: Shelf, members: dict[str, bytes | None], name: str) -> None:
    for _ in range(ROUNDS):
        shelf.load(members)
        try:
            rmi(shelf, name)
        except NoSuchImage:
            continue  # the other one was quicker


def looks(shelf: Shelf) -> None:
    for _ in range(ROUNDS * 4):
        for row in images(shelf, all=True):
            try:
                history(shelf, row.id)
            except NoSuchImage:
                continue
        system_df(shelf)
        collect(shelf)


def test_what_was_loaded_is_there_whatever_others_remove(engine_root: Roots):
    shelf = Shelf(engine_root)
    plain, packed = docker_20(TWO, "a/b:1"), layout(TWO, "docker.io/a/b/c:1", packed="gzip")
    together(
        partial(loads, shelf, docker_20(ONE, "keep:1"), "keep:1"),
        partial(loads, shelf, docker_20(TWO, "keep:2"), "keep:2"),
        partial(loads_and_removes, shelf, plain, "a/b:1"),
        partial(loads_and_removes, shelf, packed, "a/b/c:1"),
        partial(loads_and_removes, shelf, packed, "a/b/c:1"),
        partial(looks, shelf),
    )
    assert {name.familiar(): id for name, id in shelf.images.names.all()} == {"keep:1": ONE.id, "keep:2": TWO.id}
    archives.save(shelf, ["keep"], io.BytesIO())
    image_prune(shelf, all=True)
    assert shelf.left() == EMPTY
