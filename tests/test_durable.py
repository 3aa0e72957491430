"""What a verb has done is on the disk before it answers: a power cut right afterwards takes nothing back.

Each call that changes a name is noted, and each that brings something to the disk. A file must be there before it gets
its place, and the folder that has the place afterwards.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Roots
from tests.images.archives import BOTTOM, TOP, docker_20, image, layout, tar
from tiffin.engine import Engine, HostConfig
from tiffin.store import files

pytestmark = pytest.mark.root
BASE, CHILD = image(BOTTOM), image(BOTTOM, TOP)
PASSING = ("/tmp/", "/trash/")  # what is lost of these is no loss
IDLE = ("/containers/names/", "/content/", "/unwanted")  # what comes back of these says nothing


class Notes:
    """What was done, in order: ("synced", path), ("placed", path), ("gone", path)."""

    def __init__(self, root: str, patch: pytest.MonkeyPatch) -> None:
        self.root, self.done = root, list[tuple[str, str]]()
        for module, name, note in (
            (os, "fsync", lambda number: self.add("synced", os.readlink(f"/proc/self/fd/{number}"))),
            (files, "syncfs", lambda _: self.add("synced", "all")),
            (os, "rename", self._moved),
            (files, "rename_exclusive", self._moved),
            (os, "unlink", lambda path, **_: self.add("gone", path)),
        ):
            patch.setattr(module, name, _noting(getattr(module, name), note))

    def add(self, what: str, path: str) -> None:
        if path == "all" or str(path).startswith(self.root):
            self.done.append((what, str(path)))

    def _moved(self, source: str, target: str, **_: object) -> None:
        if os.path.isfile(source) and not os.path.islink(source):
            assert ("synced", source) in self.done or ("synced", "all") in self.done, f"{source} was not on the disk"
        self.add("gone", source)
        self.add("placed", target)

    def unsynced(self) -> list[tuple[str, str]]:
        """The changes of names whose folder did not come to the disk after them."""
        return [
            (what, path.removeprefix(self.root))
            for number, (what, path) in enumerate(self.done)
            if what != "synced" and not path.removeprefix(self.root).startswith(PASSING)
            if what != "gone" or not any(part in path for part in IDLE)
            if not {("synced", "all"), _folder_of(path)} & set(self.done[number:])
        ]


def _noting(call: Callable[..., Any], note: Callable[..., Any]) -> Callable[..., Any]:
    def noted(*arguments: Any, **named: Any) -> Any:
        note(*arguments, **named)
        return call(*arguments, **named)

    return noted


def _folder_of(path: str) -> tuple[str, str]:
    """What must be synced; that a folder is gone comes to the disk with the one that it was in."""
    folder = os.path.dirname(path)
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return ("synced", folder)


VERBS: dict[str, Callable[[Engine], object]] = {
    "create": lambda engine: engine.create("base:1", ["true"], name="job"),
    "rename": lambda engine: engine.container("web").rename("job"),
    "commit": lambda engine: engine.container("web").commit("happy:1"),
    "load": lambda engine: engine.load(io.BytesIO(tar(layout(CHILD, "here.example/a/child:1", packed="gzip")))),
    "import": lambda engine: engine.import_(io.BytesIO(TOP), "flat:1"),
    "tag": lambda engine: engine.tag("base:1", "other/name:2"),
    "rm": lambda engine: engine.container("web").remove(),
    "rmi": lambda engine: engine.rmi("gone:1"),
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_on_the_disk_before_it_answers(engine_root: Roots, monkeypatch: pytest.MonkeyPatch, verb: str):
    engine = Engine(*engine_root)
    engine.load(io.BytesIO(tar(docker_20(BASE, "base:1"))))
    engine.load(io.BytesIO(tar(docker_20(image(TOP), "gone:1"))))
    with open(f"{engine.create('base:1', ['true'], name='web').folder}/happiness.txt", "w", encoding="utf-8") as file:
        file.write("yes\n")
    notes = Notes(engine.root, monkeypatch)
    VERBS[verb](engine)
    monkeypatch.undo()
    assert [note for note in notes.done if note[0] != "synced"]
    assert notes.unsynced() == []


def test_a_container_to_be_thrown_away_waits_for_no_disk(engine_root: Roots, monkeypatch: pytest.MonkeyPatch):
    engine = Engine(*engine_root)
    engine.load(io.BytesIO(tar(docker_20(BASE, "base:1"))))
    notes = Notes(engine.root, monkeypatch)
    engine.create("base:1", ["true"], host=HostConfig(auto_remove=True)).remove()
    monkeypatch.undo()
    assert [note for note in notes.done if note[0] == "synced"] == []
