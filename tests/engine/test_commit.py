"""commit, import and export: from a read-write layer or a flat tar to an image, and back to a tar."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Roots
from tests.engine.stores import EMPTY, Shelf
from tests.images.archives import BOTTOM, CREATED, digest, docker_20, image
from tiffin.engine import archives
from tiffin.engine.commit import commit
from tiffin.engine.images import history
from tiffin.engine.removal import rmi
from tiffin.errors import BadArchive, BadName, BadParameter
from tiffin.images.config import HistoryEntry
from tiffin.images.platform import here
from tiffin.model.config import Config
from tiffin.model.nouns import Container, Image
from tiffin.store import events

pytestmark = pytest.mark.root
BASE = image(BOTTOM)
LAYER = digest(BOTTOM)
AT = "2026-11-24T10:00:00.123456789Z"
SETTINGS = Config(hostname="box", tty=True, image="base:1", env=("PATH=/bin",), cmd=("touch", "happiness.txt"))


@pytest.fixture
def shelf(engine_root: Roots) -> Shelf:
    shelf = Shelf(engine_root)
    shelf.load(docker_20(BASE, "base:1"))
    return shelf


@pytest.fixture
def upper(shelf: Shelf) -> Path:
    """A read-write layer like a container's, with one file in it."""
    folder = Path(shelf.store.path("containers"), "c" * 64, "diff")
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    (folder / "happiness.txt").write_text("yes\n")
    for path in (folder / "happiness.txt", folder):
        os.utime(path, (1, 1))
    return folder


def committed(shelf: Shelf, upper: Path, **changes: Any) -> Image:
    asked = {"upper": str(upper), "top": LAYER, "image": BASE.id, "config": SETTINGS, "container_id": "c" * 64,
             "container_name": "web", "created": AT} | changes  # fmt: skip
    return commit(shelf, **asked)


def test_a_commit_burns_the_read_write_layer_into_a_read_only_one(shelf: Shelf, upper: Path):
    made = committed(shelf, upper, name="happy", message="smile", author="me")
    assert made.layers[0] == LAYER
    assert made.parent == BASE.id
    assert (Path(shelf.layers.folder(made.layers[1])) / "happiness.txt").read_text() == "yes\n"
    assert shelf.image("happy:latest") == made
    config = shelf.images.config(made.id)
    assert config.history[-1] == HistoryEntry(AT, "touch happiness.txt", "smile", "me")
    assert (config.created, config.author, config.architecture) == (AT, "me", "amd64")


def test_only_what_an_image_can_have_of_a_container_s_settings_goes_into_it(shelf: Shelf, upper: Path):
    made = committed(shelf, upper)
    assert shelf.images.config(made.id).config == Config(env=("PATH=/bin",), cmd=("touch", "happiness.txt"))


def test_the_same_files_and_times_give_the_same_ids(shelf: Shelf, upper: Path):
    assert committed(shelf, upper) == committed(shelf, upper)


def test_changes_are_applied_to_the_container_s_settings(shelf: Shelf, upper: Path):
    made = committed(shelf, upper, changes=["ENV A=$PATH", 'CMD ["sh"]', "WORKDIR /w"])
    after = shelf.images.config(made.id).config
    assert (after.env, after.cmd, after.working_dir) == (("PATH=/bin", "A=/bin"), ("sh",), "/w")


def test_history_has_an_image_for_the_step_and_for_the_one_below(shelf: Shelf, upper: Path):
    made = committed(shelf, upper)
    again = committed(shelf, upper, image=made.id, top=made.top, created=AT.replace("10:", "11:"))
    assert [step.image for step in history(shelf, again.id)] == [again.id, made.id, BASE.id]


def test_where_no_file_changed_there_is_no_new_layer(shelf: Shelf, upper: Path):
    (upper / "happiness.txt").unlink()
    made = committed(shelf, upper, changes=["USER me"])
    assert made.layers == (LAYER,)
    assert [(step.image, step.is_empty, step.layer) for step in history(shelf, made.id)] == [
        (made.id, True, LAYER), (BASE.id, False, LAYER)]  # fmt: skip


def test_a_container_on_a_bare_layer_can_be_committed(shelf: Shelf, upper: Path):
    made = committed(shelf, upper, image=None)
    assert (made.parent, made.layers[0], len(made.layers)) == (None, LAYER, 2)
    assert [step.created_by for step in history(shelf, made.id)] == ["touch happiness.txt", ""]


def test_a_container_on_nothing_can_be_committed(shelf: Shelf, upper: Path):
    made = committed(shelf, upper, image=None, top=None)
    assert len(made.layers) == 1


def test_a_container_whose_image_was_taken_away_by_force_can_be_committed(shelf: Shelf, upper: Path):
    shelf.told = [Container("c" * 64, "box", BASE.id, LAYER)]
    rmi(shelf, BASE.id, force=True)
    made = committed(shelf, upper)
    assert (made.parent, made.layers[0]) == (None, LAYER)


@pytest.mark.parametrize(("wrong", "error"), [({"changes": ["RUN x"]}, BadParameter), ({"name": "No Name"}, BadName)])
def test_a_wrong_commit_changes_nothing(shelf: Shelf, upper: Path, wrong: dict[str, Any], error: type[Exception]):
    before = shelf.left()
    with pytest.raises(error):
        committed(shelf, upper, **wrong)
    assert shelf.left() == before


def test_a_commit_that_fails_after_its_layer_was_made_leaves_nothing(
    shelf: Shelf, upper: Path, monkeypatch: pytest.MonkeyPatch
):
    before = shelf.left()

    def fail(*_: object, **__: object) -> None:
        raise OSError(5, "the disk broke")

    monkeypatch.setattr(shelf.images, "add", fail)
    with pytest.raises(OSError, match="the disk broke"):
        committed(shelf, upper)
    assert shelf.left() == before


def test_a_commit_is_told_as_an_event_of_its_container(shelf: Shelf, upper: Path):
    made = committed(shelf, upper, name="happy", message="smile")
    *_, tag, last = events.read(shelf.store)
    assert isinstance(tag, events.Event)
    assert isinstance(last, events.Event)
    assert (tag.kind, tag.action, tag.id, tag.attributes["name"]) == ("image", "tag", made.id, "happy:latest")
    assert (last.kind, last.action, last.id) == ("container", "commit", "c" * 64)
    host = {"name": "web", "image": "base:1"}
    assert last.attributes == {**host, "comment": "smile", "imageID": made.id, "imageRef": "happy:latest"}


@pytest.mark.parametrize("squeeze", [bytes, gzip.compress])
def test_a_flat_tar_becomes_an_image_of_one_layer(shelf: Shelf, squeeze):
    made = archives.import_(shelf, io.BytesIO(squeeze(BOTTOM)), "flat:1", created=CREATED)
    assert made.layers == (LAYER,)
    config = shelf.images.config(made.id)
    assert config.history == (HistoryEntry(CREATED, comment="Imported from -"),)
    assert (config.config, config.os, config.architecture) == (Config(), "linux", here().architecture)
    assert shelf.image("flat:1") == made


def test_an_import_takes_changes_and_a_message(shelf: Shelf):
    made = archives.import_(
        shelf, io.BytesIO(BOTTOM), changes=['CMD ["sh"]', "ENV A=1"], message="from afar", created=CREATED
    )
    config = shelf.images.config(made.id)
    assert (config.config, config.history[0].comment) == (Config(cmd=("sh",), env=("A=1",)), "from afar")
    assert shelf.images.names_of(made.id) == []


def test_the_same_tar_at_the_same_time_gives_the_same_image(shelf: Shelf):
    made = [archives.import_(shelf, io.BytesIO(BOTTOM), created=CREATED) for _ in range(2)]
    assert made[0] == made[1]


@pytest.mark.parametrize("content", [b"", b"no tar" * 200, BOTTOM[:5000]])
def test_what_is_no_tar_is_not_imported(engine_root: Roots, content: bytes):
    shelf = Shelf(engine_root)
    with pytest.raises(BadArchive):
        archives.import_(shelf, io.BytesIO(content), "flat:1")
    assert shelf.left() == EMPTY


@pytest.mark.parametrize(("name", "changes"), [("No Name", []), ("flat", ["RUN x"])])
def test_a_wrong_import_reads_nothing(shelf: Shelf, name: str, changes: list[str]):
    source = io.BytesIO(BOTTOM)
    with pytest.raises(BadParameter):
        archives.import_(shelf, source, name, changes=changes)
    assert source.tell() == 0


def test_an_export_is_the_union_view_as_a_flat_tar(shelf: Shelf, upper: Path):
    target = io.BytesIO()
    archives.export(shelf, upper=str(upper), top=LAYER, target=target)
    with tarfile.open(fileobj=io.BytesIO(target.getvalue())) as archive:
        names = {member.name for member in archive}
    assert names == {".", "bin", "bin/sh", "etc", "etc/motd", "happiness.txt"}


def test_what_was_exported_can_be_imported(shelf: Shelf, upper: Path):
    target = io.BytesIO()
    archives.export(shelf, upper=str(upper), top=LAYER, target=target)
    made = archives.import_(shelf, io.BytesIO(target.getvalue()), "flat")
    assert (Path(shelf.layers.folder(made.layers[0])) / "happiness.txt").read_text() == "yes\n"
