"""Pictures of the library's nouns: what they show, and how a notebook shows them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import pytest

from tests import busybox
from tests.conftest import Roots
from tiffin.engine import Container, Engine, HostConfig, Image, Picture
from tiffin.errors import NotFound
from tiffin.model.nouns import State
from tiffin.view.picture import Changes, Row, Use, part

pytestmark = pytest.mark.root


class Drawn(Protocol):
    def picture(self) -> Picture: ...

    def _repr_svg_(self) -> str: ...

    def _repr_html_(self) -> str: ...


@pytest.fixture
def engine(engine_root: Roots) -> Engine:
    return busybox.engine(engine_root.root, engine_root.runroot)


@pytest.fixture
def web(engine: Engine) -> Iterator[Container]:
    host = HostConfig(binds=("/usr/share:/shared:ro",))
    with engine.create("busybox", ["sleep", "1000"], name="web", host=host) as container:
        with open(f"{container.folder}/happiness.txt", "w", encoding="ascii") as file:
            file.write("joy")
        yield container


def rows(picture: Picture) -> dict[str, Row]:
    assert picture.view is not None
    return {row.name: row for row in picture.view.rows}


def test_a_container_at_rest_shows_what_it_wrote_and_on_what_it_stands(engine: Engine, web: Container) -> None:
    picture = web.picture()
    (tray,), (slab,) = picture.trays, picture.slabs
    assert (picture.about, tray.name, tray.on, tray.state) == ("container", "web", slab.id, State.CREATED)
    assert (tray.size, tray.changes, tray.files, tray.space) == (3, Changes(1, 0, 0), ("/happiness.txt",), None)
    assert tray.uses == (Use("/usr/share", "/shared", True),)
    assert slab.names == ("busybox:latest",)
    assert rows(picture)["happiness.txt"].layer == web.id
    assert rows(picture)["bin"].layer == slab.id


def test_a_running_container_has_a_process_space_in_its_picture(web: Container) -> None:
    running = web.start()
    (tray,) = running.picture().trays
    assert tray.space is not None
    assert tray.space.processes is not None
    assert [(process.pid, process.name) for process in tray.space.processes] == [(1, "sleep 1000")]
    assert tray.space.processes[0].host_pid == running.pid
    assert {namespace.kind for namespace in tray.space.namespaces if namespace.is_own} >= {"mnt", "pid", "net"}


def test_an_image_and_its_layer_have_the_same_stack(engine: Engine, web: Container) -> None:
    image = web.commit("mood")
    assert image.top is not None
    layer = engine.layer(image.top)
    of_image, of_layer = image.picture(), layer.picture()
    assert [slab.id for slab in of_image.slabs] == [slab.id for slab in of_layer.slabs] == list(image.layers)
    assert (of_image.about, of_layer.about) == ("image", "layer")
    assert rows(of_image)["happiness.txt"].layer == image.top


def test_the_host_shows_each_layer_once(engine: Engine, web: Container) -> None:
    mood = web.commit("mood")
    with engine.create("mood", ["true"], name="second") as second:
        picture = engine.picture()
        assert picture.about == "host"
        assert [slab.id for slab in picture.slabs] == list(mood.layers)
        assert [(tray.name, tray.on, tray.size) for tray in picture.trays] == [
            ("web", mood.layers[0], 3), ("second", mood.top, 0),
        ]  # fmt: skip
        assert engine.picture("web", "second")._replace(at=0) == picture._replace(at=0)
        assert part(picture, frozenset((second.id,))).trays == picture.trays[1:]


def test_what_the_host_runs_is_counted_in_its_picture(engine: Engine, web: Container) -> None:
    web.start()
    (tray,) = engine.picture().trays
    assert tray.space is not None
    assert len(tray.space.processes or ()) == 1


def test_a_notebook_draws_engine_container_image_and_layer(engine: Engine, web: Container) -> None:
    image = engine.image("busybox")
    assert isinstance(image, Image)
    assert image.top is not None
    things: list[Drawn] = [engine, web, image, engine.layer(image.top)]
    for thing in things:
        assert thing._repr_svg_().startswith("<svg ")
        assert "<figure" in thing._repr_html_()
        assert "busybox:latest" in thing._repr_svg_()


def test_what_is_gone_has_no_picture(engine: Engine) -> None:
    container = engine.create("busybox", ["true"])
    container.remove()
    with pytest.raises(NotFound):
        container.picture()
    image = engine.image("busybox")
    engine.rmi("busybox")
    with pytest.raises(NotFound):
        image.picture()
