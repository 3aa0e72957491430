"""A disk that is full in the midst of load, import or commit: a clear error, and a store that is whole."""

from __future__ import annotations

import gc
import io
import itertools
import os
import random
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from tests.conftest import Roots
from tests.engine.stores import EMPTY, Shelf
from tests.images.archives import digest, docker_20, image, tar
from tiffin.engine import archives
from tiffin.engine.commit import commit
from tiffin.engine.removal import collect
from tiffin.errors import StoreFull
from tiffin.model.config import Config

pytestmark = pytest.mark.root
CONTENT = random.Random(1).randbytes(300_000)  # nothing makes it smaller
BIG = tar({f"file{number}": CONTENT for number in range(4)})
IMAGE = image(BIG)
LAYER = digest(BIG)


@contextmanager
def disk_of(kilobytes: int, folder: str) -> Iterator[Shelf]:
    os.makedirs(folder, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tiffin-test", folder], check=True)
    try:
        yield Shelf(Roots(f"{folder}/root", f"{folder}/run"))
    finally:
        subprocess.run(["umount", folder], check=True)


def is_full(act: Callable[[], object]) -> bool:
    full = False
    try:
        act()
    except StoreFull:
        full = True
    gc.collect()  # what is open in the frames of the exception would keep the disk busy
    return full


@pytest.mark.parametrize("way", ["load", "import"])
def test_a_disk_that_is_too_small_gets_nothing_and_one_that_is_not_gets_all(engine_root: Roots, way: str):
    archive = tar(docker_20(IMAGE, "big:1"))
    for kilobytes in itertools.count(200, 250):
        with disk_of(kilobytes, engine_root.root) as shelf:
            load = partial(archives.load, shelf, io.BytesIO(archive))
            import_ = partial(archives.import_, shelf, io.BytesIO(BIG), "big:1")
            if is_full(load if way == "load" else import_):
                assert shelf.left() == EMPTY
                continue
            assert shelf.image("big:1").layers == (LAYER,)
            break
    assert kilobytes > 1000


def test_a_commit_on_a_full_disk_changes_nothing(engine_root: Roots):
    with disk_of(2600, engine_root.root) as shelf:
        archives.import_(shelf, io.BytesIO(BIG), "big:1")
        upper = shelf.store.path("containers", "c" * 64, "diff")
        os.makedirs(upper)
        with open(f"{upper}/more", "wb") as file:
            file.write(CONTENT * 3)
        before = shelf.left()
        made = shelf.image("big:1").id
        assert is_full(
            lambda: commit(
                shelf, upper=upper, top=LAYER, image=made, config=Config(), container_id="c" * 64, container_name="web"
            )
        )
        assert shelf.left() == before
        collect(shelf)
        assert shelf.left() == before
