"""What is damaged on the disk is told with a way to mend it, and that way works."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

import pytest

from tests.conftest import Roots
from tests.engine.stores import Shelf
from tests.images.archives import BOTTOM, TOP, Members, image, layout
from tiffin.engine import archives
from tiffin.errors import StoreDamaged

pytestmark = pytest.mark.root
MADE = image(BOTTOM, TOP)
MEMBERS = {packed: layout(MADE, "docker.io/library/base:1", packed=packed) for packed in ("", "gzip")}

PLACE = r"(\S+) (?=away|is not what its name says; move it away|was changed: .*; move it away)"


@pytest.mark.parametrize(
    ("packed", "place"),
    [
        ("", "layers/*/json"),
        ("", "layers/*/headers"),
        ("", "layers/*/diff/etc/*"),
        ("", "images/*/json"),
        ("", "content/sha256/*"),
        ("gzip", "content/sha256/*"),
    ],
)
def test_what_is_damaged_is_mended_as_the_error_says(engine_root: Roots, packed: str, place: str) -> None:
    shelf = Shelf(engine_root)
    shelf.load(MEMBERS[packed])
    whole = saved(shelf)
    damaged = [path for path in Path(engine_root.root).glob(place) if path.is_file()]
    assert damaged
    for path in damaged:
        path.chmod(0o600)
        path.write_bytes(b"{")
    advised = set()
    for number, complaint in enumerate(iter(lambda: complains(shelf, MEMBERS[packed]), None)):
        told = re.search(PLACE, complaint)
        assert told, complaint
        assert told[1] not in advised, complaint
        advised.add(told[1])
        os.rename(told[1], f"{engine_root.root}.{number}")
    assert advised
    assert saved(shelf) == whole


def complains(shelf: Shelf, members: Members) -> str | None:
    """What is said where one goes on as told: load the image again, and use it."""
    try:
        shelf.load(members)
        shelf.layers.all()
        saved(shelf)
    except StoreDamaged as error:
        return str(error)
    return None


def saved(shelf: Shelf) -> bytes:
    target = io.BytesIO()
    archives.save(shelf, ["base:1"], target)
    return target.getvalue()
