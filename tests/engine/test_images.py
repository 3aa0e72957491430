"""images, history, tag, inspect, system df: what stands here, by its real ids."""

from __future__ import annotations

import pytest

from tests.conftest import Roots
from tests.engine.stores import Shelf
from tests.images.archives import BOTTOM, CREATED, TOP, digest, docker_20, image, layout
from tiffin.engine.images import (
    DiskUsage,
    HistoryStep,
    ImageSummary,
    Usage,
    history,
    images,
    inspect,
    inspect_image,
    inspect_layer,
    system_df,
    tag,
)
from tiffin.engine.references import find, find_image, find_layer
from tiffin.engine.removal import rmi
from tiffin.engine.times import seconds
from tiffin.errors import AmbiguousId, BadName, NoSuchImage, NoSuchLayer
from tiffin.model.config import Config
from tiffin.model.nouns import Container, chain_id

pytestmark = pytest.mark.root
HISTORY = [{"created": CREATED, "created_by": "ADD rootfs", "author": "me"},
           {"created": CREATED, "created_by": "ENV A=1", "empty_layer": True}]  # fmt: skip
BASE = image(BOTTOM, history=HISTORY)
CHILD = image(BOTTOM, TOP, history=[*HISTORY, {"created": CREATED, "created_by": "touch", "comment": "happy"}])
LAYER, UPPER_LAYER = digest(BOTTOM), chain_id(digest(BOTTOM), digest(TOP))
AT = seconds(CREATED)


@pytest.fixture
def shelf(engine_root: Roots) -> Shelf:
    """base:1 and child:1, which was made from it."""
    shelf = Shelf(engine_root)
    shelf.load(docker_20(BASE, "base:1"))
    shelf.load(docker_20(CHILD, "child:1"))
    shelf.images.adopt(CHILD.id, BASE.id)
    return shelf


def test_images_tells_of_each_its_names_layers_and_sizes(shelf: Shelf):
    shelf.told = [Container("c" * 64, "box", CHILD.id, UPPER_LAYER)]
    rows = {row.id: row for row in images(shelf)}
    assert rows == {
        BASE.id: ImageSummary(BASE.id, ("base:1",), (), None, LAYER, None, AT, 3006, 3006, 3006, 0, {}),
        CHILD.id: ImageSummary(
            CHILD.id, ("child:1",), (), BASE.id, UPPER_LAYER, LAYER, AT, 3015, 9, 3006, 1, {}),
    }  # fmt: skip


def test_an_image_in_the_middle_of_a_stack_is_hidden_once_it_has_no_name(shelf: Shelf):
    rmi(shelf, "base:1")
    assert [row.id for row in images(shelf)] == [CHILD.id]
    assert {row.id for row in images(shelf, all=True)} == {BASE.id, CHILD.id}


def test_a_nameless_image_on_top_is_dangling(shelf: Shelf):
    shelf.unname(CHILD.id)
    assert {row.id: row.is_dangling for row in images(shelf)} == {BASE.id: False, CHILD.id: True}


def test_a_nameless_image_under_a_container_is_shown(shelf: Shelf):
    rmi(shelf, "base:1")
    shelf.told = [Container("c" * 64, "box", BASE.id, LAYER)]
    assert {row.id for row in images(shelf)} == {BASE.id, CHILD.id}


def test_images_all_shows_every_layer_with_the_one_that_it_lies_on(shelf: Shelf):
    rmi(shelf, BASE.id, force=True)
    rows = images(shelf, all=True)
    assert {(row.layer, row.parent) for row in rows} == {(UPPER_LAYER, LAYER), (LAYER, None)}
    assert [row.id for row in rows if row.is_layer] == [LAYER]


def test_the_digest_of_a_manifest_is_shown_with_each_name(shelf: Shelf):
    shelf.load(layout(CHILD, "docker.io/library/child:1"))
    manifest = shelf.images.record(CHILD.id).manifest
    assert [row.digests for row in images(shelf) if row.id == CHILD.id] == [(f"child@{manifest}",)]
    assert find(shelf, f"child@{manifest}").id == CHILD.id


def test_history_shows_each_step_with_the_ids_of_its_image_and_layer(shelf: Shelf):
    assert history(shelf, "child:1") == [
        HistoryStep(CHILD.id, UPPER_LAYER, False, AT, "touch", 9, "happy", "", ("child:1",)),
        HistoryStep(BASE.id, LAYER, True, AT, "ENV A=1", 0, "", "", ("base:1",)),
        HistoryStep(None, LAYER, False, AT, "ADD rootfs", 3006, "", "me", ()),
    ]


def test_layers_of_which_no_history_tells_are_steps_all_the_same(shelf: Shelf):
    silent = image(BOTTOM, TOP, history=None)
    shelf.load(docker_20(silent, "silent:1"))
    assert [(step.layer, step.is_empty, step.created_by) for step in history(shelf, "silent:1")] == [
        (UPPER_LAYER, False, ""), (LAYER, False, "")]  # fmt: skip


def test_a_history_that_tells_of_more_layers_than_there_are_has_empty_steps(shelf: Shelf):
    proud = image(BOTTOM, history=[{"created_by": "one"}, {"created_by": "two"}])
    shelf.load(docker_20(proud, "proud:1"))
    assert [(step.layer, step.is_empty) for step in history(shelf, "proud:1")] == [(LAYER, True), (LAYER, False)]


def test_parents_in_a_ring_end(shelf: Shelf):
    shelf.images.adopt(BASE.id, CHILD.id)
    assert [step.image for step in history(shelf, "child:1")] == [CHILD.id, BASE.id, None]


def test_a_bare_layer_has_a_history_of_layers(shelf: Shelf):
    assert [step.layer for step in history(shelf, UPPER_LAYER)] == [UPPER_LAYER, LAYER]


def test_a_tag_is_one_more_name(shelf: Shelf):
    assert tag(shelf, "child:1", "other/name").id == CHILD.id
    assert [name.familiar() for name in shelf.images.names_of(CHILD.id)] == ["child:1", "other/name:latest"]


def test_a_tag_is_taken_from_the_image_that_had_it(shelf: Shelf):
    tag(shelf, CHILD.id[7:20], "base:1")
    assert find_image(shelf, "base:1").id == CHILD.id
    assert shelf.images.names_of(BASE.id) == []


def test_a_layer_becomes_an_image_by_a_tag(shelf: Shelf):
    made = tag(shelf, LAYER, "bare:1")
    assert made.layers == (LAYER,)
    assert find(shelf, "bare:1").config == Config()
    assert tag(shelf, LAYER, "bare:2").id == made.id


@pytest.mark.parametrize("name", ["a/No", "a b", "sha256", "x@sha256:" + "a" * 64, "a" * 64])
def test_what_is_no_name_cannot_be_a_tag(shelf: Shelf, name: str):
    with pytest.raises(BadName):
        tag(shelf, "child:1", name)


def test_an_image_is_found_by_name_id_or_any_beginning_of_it(shelf: Shelf):
    for text in ("child:1", "docker.io/library/child:1", CHILD.id, CHILD.id[7:], CHILD.id[7:15], CHILD.id[:15]):
        assert find(shelf, text).id == CHILD.id


def test_a_layer_stands_where_an_image_can(shelf: Shelf):
    found = find(shelf, UPPER_LAYER[7:19])
    assert (found.image, found.layers, found.id, found.config) == (None, (LAYER, UPPER_LAYER), UPPER_LAYER, Config())
    with pytest.raises(NoSuchImage, match="is a layer"):
        find_image(shelf, UPPER_LAYER)


def test_a_beginning_that_several_ids_have_is_ambiguous(shelf: Shelf):
    for number in range(17):  # of so many, two begin with the same digit
        shelf.load(docker_20(image(BOTTOM, author=str(number))))
    firsts = [id[7] for id in shelf.images.ids()]
    shared = next(first for first in firsts if firsts.count(first) > 1)
    with pytest.raises(AmbiguousId, match=rf"{shared} is the beginning of \d+ ids"):
        find(shelf, shared)


def test_a_name_of_hex_digits_comes_before_an_id(shelf: Shelf):
    tag(shelf, "base:1", f"{CHILD.id[7:19]}:latest")
    assert find(shelf, CHILD.id[7:19]).id == BASE.id


def test_layers_are_found_by_their_ids(shelf: Shelf):
    assert find_layer(shelf, LAYER[7:20]).id == LAYER
    for text in (CHILD.id, "child:1", ""):
        with pytest.raises(NoSuchLayer):
            find_layer(shelf, text)


def test_an_image_is_inspected_in_docker_s_form(shelf: Shelf):
    form = inspect_image(shelf, "child:1")
    assert form.pop("Metadata")["LastTagTime"].startswith("20")
    assert form.pop("Config")["Cmd"] == ["sh"]
    assert form == {
        "Id": CHILD.id,
        "RepoTags": ["child:1"],
        "RepoDigests": [],
        "Parent": BASE.id,
        "Comment": "happy",
        "Created": CREATED,
        "DockerVersion": "",
        "Author": "",
        "Architecture": "amd64",
        "Os": "linux",
        "Size": 3015,
        "VirtualSize": 3015,
        "GraphDriver": {
            "Name": "overlay",
            "Data": {"UpperDir": shelf.layers.folder(UPPER_LAYER), "LowerDir": shelf.layers.folder(LAYER)},
        },
        "RootFS": {"Type": "layers", "Layers": [digest(BOTTOM), digest(TOP)]},
    }


def test_a_bare_layer_is_inspected_as_the_image_that_it_would_be(shelf: Shelf):
    form = inspect_image(shelf, LAYER)
    assert (form["Id"], form["RootFS"]["Layers"], form["RepoTags"]) == (LAYER, [digest(BOTTOM)], [])


def test_what_is_inspected_by_the_id_of_a_layer_is_the_layer(shelf: Shelf):
    assert inspect(shelf, LAYER) == inspect_layer(shelf, find_layer(shelf, LAYER))
    assert inspect(shelf, "child:1") == inspect_image(shelf, "child:1")


def test_of_a_layer_without_an_image_nobody_knows_what_made_it(shelf: Shelf):
    shelf.told = [Container("c" * 64, "box", None, UPPER_LAYER)]
    rmi(shelf, CHILD.id)
    form = inspect(shelf, UPPER_LAYER)
    assert (form["Parent"], form["Created"], form["CreatedBy"], form["Images"]) == (LAYER, "", "", [])


def test_a_layer_is_inspected_with_what_lies_on_it(shelf: Shelf):
    shelf.told = [Container("c" * 64, "box", None, UPPER_LAYER)]
    assert inspect_layer(shelf, find_layer(shelf, LAYER)) == {
        "Id": LAYER,
        "Parent": "",
        "DiffId": digest(BOTTOM),
        "Size": 3006,
        "Created": CREATED,
        "CreatedBy": "ADD rootfs",
        "Origin": "load",
        "Folder": shelf.layers.folder(LAYER),
        "Children": [UPPER_LAYER],
        "Images": sorted([BASE.id, CHILD.id]),
        "Containers": ["c" * 64],
    }


def test_system_df_counts_each_layer_once_and_the_kept_blobs_apart(shelf: Shelf):
    shelf.load(layout(BASE, "docker.io/library/base:1", packed="gzip"))
    blob = sum(shelf.content.size(kept.digest) for kept in shelf.images.record(BASE.id).blobs if kept)
    shelf.told = [Container("c" * 64, "box", BASE.id, LAYER)]
    assert system_df(shelf) == DiskUsage(Usage(2, 1, 3015, 9), Usage(1, 0, 0, 0), Usage(1, 1, blob, blob), 2)
