"""Metadata cards tell what `inspect` tells, in few lines."""

from __future__ import annotations

import io
import time

import pytest

from tests.conftest import Roots
from tests.engine.stores import Shelf
from tests.layers.trees import Item, tar
from tiffin.engine import Config, Container, Engine, HostConfig
from tiffin.engine.pictures.cards import MOST_ROWS, card_of_container, card_of_image, card_of_layer
from tiffin.errors import CommandNotFound
from tiffin.images.config import HistoryEntry, ImageConfig
from tiffin.images.records import short
from tiffin.images.reference import parse_tagged
from tiffin.model.nouns import Image

pytestmark = pytest.mark.root


def rows_of(container: Container) -> dict[str, str]:
    card = card_of_container(container._parts, container.record, container.state())
    assert (card.kind, card.title) == ("container", container.name)
    assert len(card.rows) <= MOST_ROWS
    return dict(card.rows)


@pytest.fixture
def shelf(engine_root: Roots) -> Shelf:
    return Shelf(engine_root)


def image(shelf: Shelf, config: ImageConfig, *layers: Item, names: tuple[str, ...] = ()) -> Image:
    """An image with one file in each layer."""
    top, diff_ids = None, []
    with shelf.store.shared():
        for item in layers:
            layer = shelf.layers.unpack(io.BytesIO(tar(item)), top, origin="a test")
            top = layer.id
            diff_ids.append(layer.diff_id)
        made = shelf.images.add(config._replace(diff_ids=tuple(diff_ids)).to_bytes())
        for name in names:
            shelf.images.name(parse_tagged(name), made.id)
    return made


def test_a_container_that_never_ran_has_no_exit_code(engine: Engine) -> None:
    with engine.create("busybox", ["echo", "two words", "three"]) as container:
        rows = rows_of(container)
        assert list(rows) == ["id", "parent", "image", "command", "user", "created", "limits", "its files"]
        assert container.top is not None
        assert container.image_id is not None
        assert rows["id"] == container.id[:12]
        assert rows["parent"].startswith(short(container.top))
        assert rows["image"] == f"busybox {short(container.image_id)}"
        assert rows["command"] == "echo 'two words' three"
        assert (rows["user"], rows["limits"]) == ("root", "none")
        assert rows["its files"] == container.folder
        created = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(container.created))
        assert rows["created"] == created


def test_how_it_ended_is_told(engine: Engine) -> None:
    with engine.create("busybox", ["sh", "-c", "exit 3"]) as container:
        container.start().wait()
        assert rows_of(container)["exit code"] == "3"


def test_why_it_could_not_start_is_told(engine: Engine) -> None:
    with engine.create("busybox", ["nowhere"]) as container:
        with pytest.raises(CommandNotFound):
            container.start()
        code, _, why = rows_of(container)["exit code"].partition(", ")
        assert code == "127"
        assert "nowhere" in why


def test_a_running_container_has_no_exit_code(engine: Engine) -> None:
    with engine.create("busybox", ["sleep", "1000"]) as container:
        container.start()
        assert "exit code" not in rows_of(container)


def test_out_of_memory_is_told(engine: Engine) -> None:
    with engine.create("busybox", ["true"]) as container:
        state = container.state()._replace(status="exited", exit_code=137, finished=1.0, oom_killed=True)
        card = card_of_container(container._parts, container.record, state)
        assert dict(card.rows)["exit code"] == "137, out of memory"


def test_what_was_asked_for_is_told(engine: Engine) -> None:
    host = HostConfig(
        memory=256 << 20, pids_limit=100, nano_cpus=750_000_000, privileged=True, readonly_rootfs=True, init=True,
        network_mode="host", cap_add=("net_admin",), cap_drop=("CAP_CHOWN", "all"),
    )  # fmt: skip
    with engine.create("busybox", ["true"], host=host, config=Config(user="alice")) as container:
        rows = rows_of(container)
        assert rows["limits"] == "256 MiB of memory, 100 processes, 0.75 CPUs"
        wishes = "privileged, read-only root folder, an init process, network host, +NET_ADMIN, -CHOWN, -ALL"
        assert rows["asked for"] == wishes
        assert rows["user"] == "alice"


@pytest.mark.parametrize(
    ("memory", "told"),
    [(1 << 30, "1 GiB"), (3 << 29, "1536 MiB"), (10_000_000, "10.0 MB"), (6 << 20, "6 MiB"), (8 << 10, "8 KiB")],
)
def test_a_limit_of_memory_is_told_as_it_was_given(engine: Engine, memory: int, told: str) -> None:
    with engine.create("busybox", ["true"]) as container:
        record = container.record._replace(host=HostConfig(memory=memory))
        rows = dict(card_of_container(container._parts, record, container.state()).rows)
        assert rows["limits"] == f"{told} of memory"


def test_a_container_on_a_bare_layer_has_no_image(engine: Engine) -> None:
    [layer] = engine.image("busybox").layers
    with engine.create(layer, ["true"]) as container:
        assert rows_of(container)["image"] == "none: it stands on a bare layer"


def test_an_image_tells_what_it_is_made_of(shelf: Shelf) -> None:
    history = (
        HistoryEntry(created_by="/bin/sh -c #(nop) ADD file:1 in /", created="2024-01-02T03:04:05Z"),
        HistoryEntry(created_by="RUN touch b", created="2024-02-02T03:04:05Z"),
        HistoryEntry(created_by='CMD ["sh"]', empty_layer=True, created="2024-02-02T03:04:05Z"),
    )
    settings = Config(cmd=("sh", "-c", "a b"), user="bob", working_dir="/srv", exposed_ports=("80/tcp",))
    config = ImageConfig(settings, history, created="2024-02-02T03:04:05Z", architecture="amd64")
    made = image(shelf, config, Item("a", b"12345"), Item("b", b"123"), names=("web:1", "web:2"))
    top, bottom = shelf.layers.stack(made.top)
    card = card_of_image(shelf, made)
    assert (card.kind, card.title) == ("image", "web:1")
    assert dict(card.rows) == {
        "id": short(made.id),
        "top layer": f"{short(top.id)}, the last of 2 layers",
        "also named": "web:2",
        "command": "sh -c 'a b'",
        "user": "bob",
        "size": "8 B",
        "created": "2024-02-02 03:04:05 UTC",
        "last step": 'CMD ["sh"]',
        "starts in": "/srv",
        "ports": "80/tcp",
    }
    lower = card_of_layer(shelf, bottom)
    assert (lower.kind, lower.title) == ("layer", short(bottom.id))
    assert dict(lower.rows) == {
        "id": short(bottom.id),
        "parent": "none: there is nothing below",
        "made by": "ADD file:1 in /",
        "created": "2024-01-02 03:04:05 UTC",
        "size": "5 B",
        "diff id": bottom.diff_id,
        "part of": "1 image",
        "first seen": "a test",
        "its files": shelf.layers.folder(bottom.id),
    }
    upper = dict(card_of_layer(shelf, top).rows)
    assert upper["parent"] == f"{short(bottom.id)} (ADD file:1 in /)"
    assert upper["names"] == "web:1, web:2"


def test_a_poor_image_has_a_short_card(shelf: Shelf) -> None:
    made = image(shelf, ImageConfig())
    card = card_of_image(shelf, made)
    assert card.title == short(made.id)
    assert card.rows == (
        ("id", short(made.id)), ("top layer", "none: there is nothing below"), ("command", "none: name one"),
        ("user", "root"), ("size", "0 B"), ("platform", "linux"),
    )  # fmt: skip


def test_a_layer_that_no_image_has_still_has_a_card(shelf: Shelf) -> None:
    with shelf.store.shared():
        layer = shelf.layers.unpack(io.BytesIO(tar(Item("a"))), None)
    rows = dict(card_of_layer(shelf, layer).rows)
    assert rows["part of"] == "0 images"
    assert "made by" not in rows


def test_a_story_of_many_lines_is_told_in_one(shelf: Shelf) -> None:
    history = (HistoryEntry(created_by="RUN a \\\n\t && b\r\n"),)
    made = image(shelf, ImageConfig(Config(user="x\ny"), history), Item("a"))
    rows = dict(card_of_image(shelf, made).rows)
    assert rows["last step"] == "RUN a \\ && b"
    assert rows["user"] == "x y"
