"""docs/index.md tells of every file and folder that there is on the disk, and of no other."""

from __future__ import annotations

import io
import os
import re
from itertools import repeat
from pathlib import Path

import pytest

from tests.images.archives import BOTTOM, image, layout, tar
from tests.runtime.killing import until
from tiffin.engine import Engine, HostConfig, LogConfig

DOCUMENT = Path(__file__).parents[1] / "docs" / "index.md"
WORDS = {
    "HEX": "[0-9a-f]{64}", "KEY": "[0-9a-f]{16}", "RANDOM": "[0-9a-f]{8}", "HOST": "[^/]+", "NAME": "[^/].*",
    "TAG": "[^/]+", "N": "[0-9]+", "CAPABILITIES": "[0-9a-f]+", "RULES": "[0-9a-f]{8}",
}  # fmt: skip
TALK = "while seq 1000; do sleep 0.1; done"
PASSING = {"ended/HEX.RANDOM/"}  # gone before one can look


@pytest.mark.root
def test_the_document_tells_of_all_that_lies_in_a_root_and_a_runroot(fresh_engine: Engine) -> None:
    fresh_engine.load(io.BytesIO(tar(layout(image(BOTTOM), "docker.io/library/base:1", packed="gzip"))))
    with fresh_engine.store.shared():
        fresh_engine.rmi("base:1")
    log = HostConfig(log=LogConfig(max_size=1000, max_file=3))
    with fresh_engine.run("busybox", ["sh", "-c", TALK], host=log, owned=False) as talking:
        until(lambda: os.path.exists(f"{fresh_engine.root}/containers/{talking.id}/log.1"))
        told = documented()
        assert untold(fresh_engine.root, told["/var/lib/tiffin/"]) == (set(), set())
        assert untold(fresh_engine.runroot, told["/run/tiffin/"]) in ((set(), set()), (set(), PASSING))


def documented() -> dict[str, list[str]]:
    """The paths below each top folder, as they are written there, without the folders of which more is told."""
    block = DOCUMENT.read_text(encoding="utf-8").split("```\n")[1]
    told: dict[str, list[str]] = {}
    for line in filter(None, block.splitlines()):
        name, depth = line.split()[0], len(line) - len(line.lstrip())
        if depth == 0:
            below = told[name] = []
        elif depth == 2:
            below.append(above := name)
        else:
            below[-1:] = [above + name] if below[-1] == above else [below[-1], above + name]
    return told


def untold(top: str, told: list[str]) -> tuple[set[str], set[str]]:
    """What is there and not told, and what is told and not there."""
    leading = {os.path.dirname(path.rstrip("/")) for path in told}  # there may be nothing in them
    there = {os.path.relpath(path, top) for path in _paths(top)} - leading
    patterns = {path: re.compile(_pattern(path)) for path in told}
    missing = {path for path in told if not any(patterns[path].fullmatch(name) for name in there)}
    return {name for name in there if not any(map(re.Pattern.fullmatch, patterns.values(), repeat(name)))}, missing


def _pattern(path: str) -> str:
    words = re.sub("|".join(sorted(WORDS, key=len, reverse=True)), lambda word: WORDS[word[0]], re.escape(path))
    return words.removesuffix("/") + "(/.*)?" if path.endswith("/") else words


def _paths(top: str) -> list[str]:
    """All but the folders that only lead to what is told."""
    found = []
    for folder, folders, files in os.walk(top):
        found += [f"{folder}/{name}" for name in files]
        found += [f"{folder}/{name}" for name in folders if os.path.islink(f"{folder}/{name}")]
        if not folders and not files:
            found.append(folder)
    return found
