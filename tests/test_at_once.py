"""Many processes on one root, and engines on different ones: nobody's work is lost, and nothing leads nowhere."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest

from tests import busybox
from tests.conftest import Roots
from tests.images.archives import BOTTOM, TOP, docker_20, image, tar
from tests.together import how_many, together
from tests.wholeness import assert_whole, tidy
from tiffin.engine import Container, Engine, HostConfig
from tiffin.errors import (
    BadParameter,
    ContainerRunning,
    ImageInUse,
    NameInUse,
    NoSuchContainer,
    NoSuchImage,
    NotFound,
    NotModified,
    TiffinError,
)
from tiffin.model.nouns import State

pytestmark = pytest.mark.root
BASE = tar(docker_20(image(BOTTOM, TOP), "base:1"))
ROUNDS = 15
SLEEP = ("sleep", "1000")


def tries(act: Callable[[], object], *refusals: type[TiffinError]) -> bool:
    """Whether it was done. Only these refusals are fine."""
    try:
        act()
        return True
    except refusals:
        return False


def loads_and_creates(engine: Engine) -> None:
    """What was made from a name stands on whole layers, whoever takes the name away meanwhile."""
    for _ in range(ROUNDS):
        engine.load(io.BytesIO(BASE))
        with suppress(NoSuchImage):
            container = engine.create("base:1", ["true"])
            container.export(io.BytesIO())
            assert engine.inspect(container.image_id or "", "image")
            container.remove()


def commits(engine: Engine, name: str) -> None:
    with suppress(NoSuchImage):
        container = engine.create("keep:1", ["true"], name=name)
        for number in range(ROUNDS):
            with open(f"{container.folder}/{number}", "w", encoding="ascii") as file:
                file.write(str(number))
            made = container.commit(f"{name}:{number % 3}")
            with suppress(ImageInUse, NoSuchImage):  # the next was made from it, or a prune was quicker
                engine.rmi(made.id)
        container.commit(f"{name}:last")
        container.remove()


def removes(engine: Engine) -> None:
    for _ in range(ROUNDS):
        with suppress(NoSuchImage, ImageInUse):
            engine.rmi("base:1")
        engine.image_prune()


def looks(engine: Engine) -> None:
    for _ in range(ROUNDS):
        engine.ps(all=True, size=True)
        engine.images(all=True)
        engine.system_df()
        engine.host()


def test_containers_and_images_come_and_go_at_once(engine_root: Roots):
    engine = Engine(*engine_root)
    engine.load(io.BytesIO(BASE))
    engine.tag("base:1", "keep:1")
    together(
        partial(loads_and_creates, engine),
        partial(loads_and_creates, engine),
        partial(commits, engine, "one"),
        partial(commits, engine, "two"),
        partial(removes, engine),
        partial(looks, engine),
    )
    assert {"keep:1", "one:last", "two:last"} <= set(engine.host().names)
    assert engine.host().containers == {}
    assert_whole(engine)
    tidy(engine)


def test_containers_run_are_committed_and_removed_at_once(fresh_engine: Engine):
    engine = fresh_engine

    def lives(name: str) -> None:
        for number in range(4):
            with engine.run("busybox", ["sh", "-c", f"echo {name} > /{name}; exec sleep 1000"], name=name) as container:
                while container.execute(["cat", f"/{name}"]).exit_code:
                    pass
                made = container.commit(f"{name}:{number}")
            host = HostConfig(auto_remove=True)
            with engine.run(made.id, ["cat", f"/{name}"], host=host) as container:
                assert container.wait() == 0
            engine.rmi(f"{name}:{number}")

    together(*(partial(lives, name) for name in ("one", "two", "three")))
    assert set(engine.host().names) == {"busybox:latest"}
    assert engine.host().containers == {}
    assert_whole(engine)
    tidy(engine)


def test_a_name_is_given_once(fresh_engine: Engine):
    def create() -> bool:
        return tries(lambda: fresh_engine.create("busybox", SLEEP, name="web"), NameInUse)

    def rename(to: str) -> bool:
        return tries(lambda: fresh_engine.container("web").rename(to), NoSuchContainer, NameInUse, BadParameter)

    for number in range(5):
        assert how_many(4, create) == 1
        assert how_many(4, partial(rename, f"job{number}")) == 1
    assert_whole(fresh_engine)
    assert sorted(summary.name for summary in fresh_engine.ps(all=True)) == [f"job{number}" for number in range(5)]


def start(container: Container) -> bool:
    return tries(container.start, NotFound, NotModified, ContainerRunning)


def remove(container: Container) -> bool:
    return tries(lambda: container.remove(force=True), NoSuchContainer)


def test_a_container_is_started_once_and_removed_once(fresh_engine: Engine):
    for _ in range(5):
        container = fresh_engine.create("busybox", SLEEP)
        assert how_many(4, partial(start, container)) == 1
        assert container.state().status == State.RUNNING
        assert how_many(4, partial(remove, container)) == 1
        assert fresh_engine.ps(all=True) == []
    tidy(fresh_engine)


def commit(container: Container) -> bool:
    return tries(lambda: container.commit("happy"), NotFound)


def export(container: Container) -> bool:
    return tries(lambda: container.export(io.BytesIO()), NotFound)


def rename(container: Container) -> bool:
    return tries(lambda: container.rename("another"), NotFound, NameInUse)


def test_a_container_that_is_removed_while_others_use_it_is_gone_for_all(fresh_engine: Engine):
    for _ in range(12):
        container = fresh_engine.create("busybox", SLEEP)
        with open(f"{container.folder}/happiness.txt", "w", encoding="ascii") as file:
            file.write("yes")
        together(*(partial(act, container) for act in (start, commit, export, rename, remove)))
        assert_whole(fresh_engine)
        for summary in fresh_engine.ps(all=True):  # where it was removed before it was started
            fresh_engine.container(summary.id).remove(force=True)
        tidy(fresh_engine)
    made = [image for image in fresh_engine.images(all=True) if not image.is_layer]
    assert {len(fresh_engine.host().images[image.id].layers) for image in made} <= {1, 2}


def test_engines_on_different_roots_do_not_disturb_each_other(engine_root: Roots):
    one = busybox.engine(f"{engine_root.root}/1", f"{engine_root.runroot}/1")
    two = busybox.engine(f"{engine_root.root}/2", f"{engine_root.runroot}/2")

    def works(engine: Engine, name: str) -> None:
        for number in range(4):
            with engine.run("busybox", ["sh", "-c", f"echo {name} > /name; exec sleep 1000"], name="same") as container:
                container.execute(["true"])
                container.commit(f"same:{number}")
        engine.image_prune()

    together(partial(works, one, "one"), partial(works, two, "two"))
    one.rmi("same:3")
    for engine, count in ((one, 3), (two, 4)):
        assert set(engine.host().names) == {"busybox:latest", *(f"same:{number}" for number in range(count))}
        assert {container.name for container in engine.host().containers.values()} == set()
        assert_whole(engine)
        tidy(engine)
    assert os.listdir(one.store.run_path("run")) == os.listdir(two.store.run_path("run")) == []


def test_two_processes_may_make_the_same_root_at_once(engine_root: Roots):
    for number in range(10):
        roots = Roots(f"{engine_root.root}/{number}", f"{engine_root.runroot}/{number}")
        os.makedirs(engine_root.root, exist_ok=True)
        together(*[lambda roots=roots: Engine(*roots).load(io.BytesIO(BASE))] * 4)
        engine = Engine(*roots)
        assert set(engine.host().names) == {"base:1"}
        assert_whole(engine)
        tidy(engine)
