"""ps --tree and images --tree: the same choice as their lists, drawn on the layers that they share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import pytest

from tests.cli.stage import Stage, drawn, furnished

pytestmark = pytest.mark.root

CONTAINERS = ("running", "held", "done", "failed", "fresh")


@pytest.fixture(scope="module")
def stage(workshop: str) -> Iterator[Stage]:
    with furnished(tempfile.mkdtemp(prefix="", dir=workshop)) as made:
        yield made


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("-a",),
        ("-l",),
        ("-n", "2"),
        ("-f", "status=exited"),
        ("-f", "name=held"),
        ("-f", "ancestor=mood", "-a"),
        ("-f", "name=nosuch"),
    ],
)
def test_a_tree_of_containers_shows_those_that_the_list_has(stage: Stage, options: tuple[str, ...]):
    listed = stage.shell.ok("ps", "--format", "{{.Names}}", *options).split()
    for spelling in (("ps",), ("container", "ls")):
        tree = stage.shell.ok(*spelling, "--tree", *options)
        assert drawn(tree) == set(listed)


@pytest.mark.parametrize("options", [(), ("-a",), ("mood",), ("-f", "reference=busybox"), ("nosuch",)])
def test_a_tree_of_images_shows_those_that_the_list_has(stage: Stage, options: tuple[str, ...]):
    listed = stage.shell.ok("images", "--format", "{{.Repository}}:{{.Tag}}", *options[-1:]).split()
    for spelling in (("images",), ("image", "ls")):
        tree = stage.shell.ok(*spelling, "--tree", *options)
        assert ("◁ mood:latest" in tree) == ("mood:latest" in listed)
        assert drawn(tree) == set()


def test_what_stands_on_one_layer_is_drawn_on_it(stage: Stage):
    lines = stage.shell.ok("ps", "--tree", "-a").splitlines()
    at = {name: next(number for number, line in enumerate(lines) if drawn(line) == {name}) for name in CONTAINERS}
    mood = next(number for number, line in enumerate(lines) if "◁ mood:latest" in line)
    below = next(number for number, line in enumerate(lines) if "◁ busybox:latest" in line)
    assert max(at["running"], at["failed"], at["fresh"]) < mood < below
    assert max(at["held"], at["done"]) < below


@pytest.mark.parametrize("verb", ["ps", "images"])
def test_a_tree_takes_no_format(stage: Stage, verb: str):
    said = stage.shell(verb, "--tree", "--format", "json")
    assert (said.code, said.out, said.err) == (1, "", "tiffin: conflicting options: --tree and --format\n")


@pytest.mark.parametrize("verb", ["ps", "images"])
def test_a_tree_changes_nothing(stage: Stage, verb: str):
    before = stage.disk()
    stage.shell.ok(verb, "--tree", "-a")
    assert stage.disk() == before
