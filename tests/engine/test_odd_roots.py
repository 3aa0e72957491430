"""Where a root may lie, and what is said where it may not."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import busybox
from tests.conftest import Roots
from tests.layers.trees import Item, Stack, tar
from tiffin.errors import StartFailed

pytestmark = pytest.mark.root


@pytest.mark.parametrize("odd", [" bl\\ank:,\"'%s\n\u00fc", 14 * ("/" + 240 * "x")], ids=["odd", "long"])
def test_the_folder_of_a_root_may_have_any_name(engine_root: Roots, odd: str) -> None:
    engine = busybox.engine(engine_root.root + odd, engine_root.runroot + odd)
    with engine.run("busybox", ["touch", "/made"]) as container:
        container.wait()
        container.commit("made")
    assert engine.run("made", ["ls", "/made"]).wait() == 0


@pytest.fixture
def overlay(engine_root: Roots) -> Iterator[str]:
    """A folder on an overlay, as all folders of a container are."""
    folder = Path(engine_root.root).parent / "overlay"
    for name in ("lower", "upper", "work", "merged"):
        (folder / name).mkdir(parents=True)
    options = f"lowerdir={folder}/lower,upperdir={folder}/upper,workdir={folder}/work"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, folder / "merged"], check=True)
    yield f"{folder}/merged"
    subprocess.run(["umount", "--lazy", folder / "merged"], check=True)


def test_on_an_overlay_it_is_said_that_no_container_can_lie_there(engine_root: Roots, overlay: str) -> None:
    engine = busybox.engine(f"{overlay}/root", engine_root.runroot)
    match = "cannot mount its layers: .*; .* name another --root"
    with engine.create("busybox", ["true"]) as container, pytest.raises(StartFailed, match=match):
        container.start()


def test_on_an_overlay_it_is_said_that_no_whiteout_can_lie_there(overlay: str) -> None:
    stack = Stack(overlay)
    stack.add(tar(Item("gone")))
    with pytest.raises(PermissionError, match="file system .* name another --root"):
        stack.add(tar(Item(".wh.gone")))
