"""Names of images are links, replaced in one rename."""

from __future__ import annotations

import os

import pytest

from tests.conftest import Roots
from tiffin.images.names import Names
from tiffin.images.reference import parse
from tiffin.store import Store

IMAGE, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64


@pytest.fixture
def store(engine_root: Roots) -> Store:
    store = Store(*engine_root).open()
    for image in (IMAGE, OTHER):
        os.mkdir(store.path("images", image.removeprefix("sha256:")))
    return store


@pytest.fixture
def names(store: Store) -> Names:
    return Names(store)


def test_a_name_leads_to_its_image(names: Names):
    names.put(parse("base:1"), IMAGE)
    assert (names.get(parse("base:1")), names.get(parse("base:2"))) == (IMAGE, None)


def test_a_name_is_a_link_that_can_be_followed_on_the_disk(names: Names, store: Store):
    names.put(parse("host:5000/a/b:tag"), IMAGE)
    link = store.path("images", "names", "host:5000", "a", "b", ":tag")
    assert os.path.samefile(link, store.path("images", "a" * 64))


def test_a_name_can_be_given_to_another_image(names: Names):
    names.put(parse("base:1"), IMAGE)
    names.put(parse("base:1"), OTHER)
    assert list(names.all()) == [(parse("base:1"), OTHER)]


def test_a_name_that_went_to_another_image_stays_there(names: Names):
    names.put(parse("base:1"), IMAGE)
    names.put(parse("base:1"), OTHER)
    assert not names.remove(parse("base:1"), IMAGE)
    assert list(names.all()) == [(parse("base:1"), OTHER)]


def test_names_may_lie_below_each_other(names: Names):
    for text in ("a/b:1", "a/b/c:1", "a/b:2"):
        names.put(parse(text), IMAGE)
    assert [name.familiar() for name, _ in names.all()] == ["a/b:1", "a/b:2", "a/b/c:1"]


def test_removing_a_name_leaves_its_neighbours_and_no_empty_folder(names: Names, store: Store):
    for text in ("a/b:1", "a/b/c:1"):
        names.put(parse(text), IMAGE)
    assert names.remove(parse("a/b/c:1"), IMAGE)
    assert os.listdir(store.path("images", "names", "docker.io", "a", "b")) == [":1"]
    assert names.remove(parse("a/b:1"), IMAGE)
    assert os.listdir(store.path("images", "names")) == []
    assert not names.remove(parse("a/b:1"), IMAGE)


def test_a_name_that_points_to_nothing_is_none(names: Names, store: Store):
    names.put(parse("base:1"), IMAGE)
    os.rmdir(store.path("images", "a" * 64))
    assert (names.get(parse("base:1")), list(names.all())) == (None, [])


def test_what_a_dead_process_left_of_a_link_is_no_name(names: Names, store: Store):
    names.put(parse("base:1"), IMAGE)
    os.symlink("x", store.path("images", "names", "docker.io", "library", "base", ".:2.1.1"))
    assert [name.familiar() for name, _ in names.all()] == ["base:1"]
