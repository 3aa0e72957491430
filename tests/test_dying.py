"""Verbs that die at any of their writes: what is there afterwards is what was there before, or what was to be.

The library's process dies; spawner and shim live on. `tests/runtime` kills those.
"""

from __future__ import annotations

import io
import itertools
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import pytest

from tests.conftest import Roots
from tests.dying import dies_at
from tests.images.archives import BOTTOM, TOP, docker_20, image, layout, tar
from tests.wholeness import assert_whole, tidy
from tiffin.engine import Engine, HostConfig
from tiffin.model.nouns import Host, State

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]
BASE, CHILD, GONE = image(BOTTOM), image(BOTTOM, TOP), image(TOP)


class Shape(NamedTuple):
    """A host without what differs from run to run: ids of containers, and of images that carry a time."""

    images: list[tuple[tuple[str, ...], list[str]]]
    containers: list[tuple[str, str | None, str]]


def shape(host: Host) -> Shape:
    names = {id: sorted(name for name, image in host.names.items() if image == id) for id in host.images}
    return Shape(
        sorted((image.layers, names[id]) for id, image in host.images.items()),
        sorted((container.name, container.top, container.state) for container in host.containers.values()),
    )


def prepare(engine: Engine) -> None:
    """base:1, gone:1, and a container on the former that has changed something."""
    engine.load(io.BytesIO(tar(docker_20(BASE, "base:1"))))
    engine.load(io.BytesIO(tar(docker_20(GONE, "gone:1"))))
    container = engine.create("base:1", ["true"], name="web")
    with open(f"{container.folder}/happiness.txt", "w", encoding="utf-8") as file:
        file.write("yes\n")


def create(engine: Engine) -> None:
    engine.create("base:1", ["true"], name="job")


def create_rm(engine: Engine) -> None:
    engine.create("base:1", ["true"], name="job", host=HostConfig(auto_remove=True))


def rm(engine: Engine) -> None:
    engine.container("web").remove()


def rename(engine: Engine) -> None:
    engine.container("web").rename("batch")


def commit(engine: Engine) -> None:
    engine.container("web").commit("happy:1")


def tag(engine: Engine) -> None:
    engine.tag("base:1", "other/name:2")


def load(engine: Engine) -> None:
    engine.load(io.BytesIO(tar(layout(CHILD, "docker.io/library/child:1", packed="gzip"))))


def import_(engine: Engine) -> None:
    engine.import_(io.BytesIO(TOP), "flat:1")


def rmi(engine: Engine) -> None:
    engine.rmi("gone:1")


def prune(engine: Engine) -> None:
    engine.image_prune(all=True)


@pytest.mark.parametrize("verb", [create, create_rm, rm, rename, commit, tag, load, import_, rmi, prune])
def test_a_verb_that_dies_at_any_of_its_writes_has_done_all_or_nothing(
    engine_root: Roots, verb: Callable[[Engine], None]
):
    prepare(Engine(*engine_root))
    whole = copied(engine_root, -1)
    before = shape(Engine(*whole).host())
    verb(Engine(*whole))
    after = shape(Engine(*whole).host())
    for number in itertools.count():
        roots = copied(engine_root, number)
        died = dies_at(number, partial(on, verb, roots))
        engine = Engine(*roots)
        assert_whole(engine)
        found = shape(engine.host())
        assert found in (before, after)
        tidy(engine)
        assert shape(engine.host()) == found
        if not died:
            break
        if found == before:
            verb(engine)
            assert_whole(engine)
            tidy(engine)
            assert shape(engine.host()) == after
        shutil.rmtree(roots.root)
        shutil.rmtree(roots.runroot, ignore_errors=True)
    assert found == after
    assert number > 3


def on(verb: Callable[[Engine], None], roots: Roots) -> None:
    verb(Engine(*roots))


def copied(roots: Roots, number: int) -> Roots:
    """What was prepared, once more: verbs get the very same start each time."""
    copy = Roots(f"{roots.root}-{number}", f"{roots.runroot}-{number}")
    subprocess.run(["cp", "--archive", roots.root, copy.root], check=True)
    return copy


def test_a_verb_that_has_finished_is_not_undone_by_the_death_of_the_next(engine_root: Roots):
    engine = Engine(*engine_root)
    prepare(engine)
    tag(engine)
    names = engine.host().names
    for number in range(0, 120, 7):
        dies_at(number, lambda: load(engine))
        assert names.items() <= engine.host().names.items()


def test_a_load_that_dies_between_two_names_has_whole_images_for_some_and_the_next_gives_the_rest(engine_root: Roots):
    engine, archive = Engine(*engine_root), io.BytesIO()
    engine.load(io.BytesIO(tar(docker_20(BASE, "base:1"))))
    engine.load(io.BytesIO(tar(docker_20(CHILD, "child:1"))))
    engine.save(["base:1", "child:1"], archive)
    seen = {frozenset(engine.host().names)}
    for number in itertools.count():
        for name in engine.host().names:
            engine.rmi(name)
        if not dies_at(number, lambda: Engine(*engine_root).load(io.BytesIO(archive.getvalue()))):
            break
        assert_whole(engine)
        seen.add(frozenset(engine.host().names))
        engine.load(io.BytesIO(archive.getvalue()))
        assert set(engine.host().names) == {"base:1", "child:1"}
        tidy(engine)
    assert {len(names) for names in seen} == {0, 1, 2}


@pytest.mark.parametrize("auto_remove", [False, True])
def test_a_caller_that_dies_at_any_write_of_run_leaves_a_container_or_none(fresh_engine: Engine, auto_remove: bool):
    before = fresh_engine.host()
    host, root, runroot = HostConfig(auto_remove=auto_remove), fresh_engine.root, fresh_engine.runroot
    for number in itertools.count():
        died = dies_at(number, lambda: Engine(root, runroot).run("busybox", ["true"], name="job", host=host).wait())
        engine = Engine(root, runroot)
        containers = engine.host().containers.values()
        assert [container.name for container in containers] in ([], ["job"])
        assert died or [container.state for container in containers] == ([] if auto_remove else [State.EXITED])
        for container in containers:
            engine.container(container.id).remove(force=True)  # it may just be starting
        tidy(engine)
        assert engine.host() == before
        if not died:
            break
    assert number > 10
