"""The layers of a store: each appears whole or not at all, and is found again by its id."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import zstandard

from tests.conftest import Roots
from tests.layers.trees import Item, folder, look, tar
from tiffin.errors import BadArchive, NoSuchLayer, StoreDamaged, StoreFull, TiffinError, Unsupported
from tiffin.layers import layers as module
from tiffin.layers.layers import Layers
from tiffin.layers.overlay import new_upper
from tiffin.layers.space import Room
from tiffin.model.nouns import Layer, chain_id
from tiffin.store import Store

pytestmark = pytest.mark.root

BOTTOM = tar(folder("."), Item("a", b"bottom"), Item("d/b", b"b" * 5000))
TOP = tar(Item("a", b"top"), Item(".wh.d"))


@pytest.fixture
def layers(engine_root: Roots) -> Layers:
    return Layers(Store(engine_root.root, engine_root.runroot).open())


def digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def drafts(layers: Layers) -> list[str]:
    return os.listdir(layers.store.path("tmp"))


def test_a_layer_is_named_by_its_chain_id(layers: Layers) -> None:
    bottom = layers.unpack(io.BytesIO(BOTTOM), None)
    assert bottom == Layer(digest(BOTTOM), None, digest(BOTTOM), 5006)
    top = layers.unpack(io.BytesIO(TOP), bottom.id)
    assert top == Layer(chain_id(bottom.id, digest(TOP)), bottom.id, digest(TOP), 3)
    assert layers.stack(top.id) == [top, bottom]
    assert layers.folders(top.id) == [layers.folder(top.id), layers.folder(bottom.id)]
    assert layers.all() == sorted([top, bottom])
    assert layers.children(bottom.id) == [top]
    assert layers.get(top.id) == top
    assert drafts(layers) == []


def test_the_same_delta_on_another_parent_is_another_layer(layers: Layers) -> None:
    alone = layers.unpack(io.BytesIO(TOP), None)
    on_bottom = layers.unpack(io.BytesIO(TOP), layers.unpack(io.BytesIO(BOTTOM), None).id)
    assert alone.diff_id == on_bottom.diff_id
    assert alone.id != on_bottom.id


def test_a_packed_layer_is_the_same_layer(layers: Layers) -> None:
    plain = layers.unpack(io.BytesIO(BOTTOM), None)
    for packed in (gzip.compress(BOTTOM), zstandard.ZstdCompressor().compress(BOTTOM)):
        layers.remove(plain.id)
        assert layers.unpack(io.BytesIO(packed), None) == plain


def test_a_layer_goes_out_as_it_came(layers: Layers) -> None:
    layer = layers.unpack(io.BytesIO(BOTTOM), None)
    assert b"".join(layers.pack(layer.id)) == BOTTOM
    assert layers.tar_size(layer.id) == len(BOTTOM)


def test_a_layer_comes_through_a_pipe(layers: Layers) -> None:
    archive = tar(Item("big", os.urandom(3_000_000)))
    reading, writing = os.pipe()
    with ThreadPoolExecutor() as pool, open(reading, "rb", buffering=0) as pipe:
        pool.submit(_fill, writing, archive)
        assert layers.unpack(pipe, None).diff_id == digest(archive)


def _fill(writing: int, content: bytes) -> None:
    with open(writing, "wb") as file:
        file.write(content)


def test_what_is_there_already_is_not_read_again(layers: Layers) -> None:
    layer = layers.unpack(io.BytesIO(BOTTOM), None, origin="first")
    assert layers.unpack(io.BytesIO(b"never looked at"), None, expected=layer.diff_id) == layer
    assert layers.unpack(io.BytesIO(BOTTOM), None, origin="second") == layer
    assert layers.origin(layer.id) == "first"


def test_several_may_make_the_same_layer_at_once(layers: Layers) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: layers.unpack(io.BytesIO(BOTTOM), None), range(8)))
    assert made == [layers.get(digest(BOTTOM))] * 8
    assert drafts(layers) == []


def test_a_layer_that_is_not_the_expected_one_is_refused(layers: Layers) -> None:
    with pytest.raises(BadArchive, match="should be sha256:.* and is sha256:"):
        layers.unpack(io.BytesIO(BOTTOM), None, expected=digest(TOP))
    assert layers.all() == []
    assert drafts(layers) == []


@pytest.mark.parametrize("archive", [
    b"", BOTTOM[:3000], gzip.compress(BOTTOM)[:-5], tar(Item("a"), Item("../x")), b"x" * 600,
])  # fmt: skip
def test_a_bad_archive_leaves_nothing(archive: bytes, layers: Layers) -> None:
    with pytest.raises(BadArchive):
        layers.unpack(io.BytesIO(archive), None)
    assert layers.all() == []
    assert drafts(layers) == []


def test_a_reader_that_breaks_leaves_nothing(layers: Layers) -> None:
    class Breaking(io.BytesIO):
        def readinto(self, buffer: object) -> int:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        layers.unpack(Breaking(), None)
    assert drafts(layers) == []


def test_a_layer_on_nothing_known_is_refused(layers: Layers) -> None:
    with pytest.raises(NoSuchLayer):
        layers.unpack(io.BytesIO(TOP), digest(b"unknown"))


@pytest.mark.parametrize("id", ["", "sha256:", "sha256:../../etc", "sha256:" + "A" * 64, "md5:" + "a" * 64, "../x"])
def test_what_is_no_id_is_no_layer(id: str, layers: Layers) -> None:
    with pytest.raises(NoSuchLayer):
        layers.get(id)
    with pytest.raises(NoSuchLayer):
        layers.folder(id)


def test_a_read_write_layer_is_burnt_on_its_parent(layers: Layers, engine_root: Roots) -> None:
    bottom = layers.unpack(io.BytesIO(BOTTOM), None)
    upper = f"{engine_root.root}/upper"
    new_upper(upper, layers.folders(bottom.id))
    with open(f"{upper}/happiness.txt", "wb") as file:
        file.write(b"happy")
    os.utime(f"{upper}/happiness.txt", ns=(10**18, 10**18))
    layer = layers.burn(upper, bottom.id, origin="commit")
    assert (layer.parent, layer.size) == (bottom.id, 5)
    assert look(layers.folder(layer.id))["happiness.txt"] == look(upper)["happiness.txt"]
    assert layers.burn(upper, bottom.id) == layer, "the same once more"
    archive = b"".join(layers.pack(layer.id))
    layers.remove(layer.id)
    assert layers.unpack(io.BytesIO(archive), bottom.id) == layer, "and from its tar"


def test_a_removed_layer_is_gone_at_once(layers: Layers) -> None:
    layer = layers.unpack(io.BytesIO(BOTTOM), None)
    layers.remove(layer.id)
    assert not layers.has(layer.id)
    assert layers.all() == []
    with pytest.raises(NoSuchLayer):
        layers.remove(layer.id)


def test_the_disk_usage_counts_blocks_and_links_once(layers: Layers) -> None:
    layer = layers.unpack(io.BytesIO(tar(Item("a", os.urandom(1 << 20)))), None)
    assert 1 << 20 <= layers.disk_usage(layer.id) < (1 << 20) + 100_000


def test_a_damaged_record_is_named(layers: Layers) -> None:
    layer = layers.unpack(io.BytesIO(BOTTOM), None)
    path = f"{os.path.dirname(layers.folder(layer.id))}/json"
    for content in ("{", "[]", "{}", '{"parent": null}'):
        with open(path, "w", encoding="ascii") as file:
            file.write(content)
        with pytest.raises(StoreDamaged, match="json"):
            layers.get(layer.id)


def test_no_more_layers_than_an_overlay_takes(layers: Layers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TALLEST", 2)
    top = None
    for number in range(2):
        top = layers.unpack(io.BytesIO(tar(Item(str(number)))), top).id
    with pytest.raises(Unsupported, match="at most 2 layers"):
        layers.unpack(io.BytesIO(tar(Item("one more"))), top)


# Room on the disk


@pytest.fixture
def small(place: str) -> Iterator[Layers]:
    """A store on a disk of 16 MB."""
    os.mkdir(f"{place}/disk")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", f"{place}/disk"], check=True)
    try:
        yield Layers(Store(f"{place}/disk/root", f"{place}/run").open())
    finally:
        subprocess.run(["umount", f"{place}/disk"], check=True)


@pytest.mark.parametrize("archive", [
    tar(Item("big", bytes(20 << 20))),
    tar(*(Item(f"f{number}", os.urandom(2_000_000)) for number in range(9))),
    gzip.compress(tar(Item("x", b"1" * (50 << 20)))),
    tar(Item("x", os.urandom(9_000_000)), Item("x", os.urandom(7_000_000)), Item("x", b"1")),
    tar(Item("a")) + os.urandom(18 << 20),
], ids=["one file", "many files", "a bomb", "the same again and again", "after the end"])  # fmt: skip
def test_what_does_not_fit_is_refused_and_leaves_nothing(archive: bytes, small: Layers) -> None:
    fine = small.unpack(io.BytesIO(BOTTOM), None)
    with pytest.raises(StoreFull, match="disk"):
        small.unpack(io.BytesIO(archive), None)
    assert small.all() == [fine]
    assert drafts(small) == []
    assert b"".join(small.pack(fine.id)) == BOTTOM


def test_a_reserve_stays_free(place: str) -> None:
    status = os.statvfs(place)
    free = status.f_bavail * status.f_frsize
    with pytest.raises(StoreFull, match="do not fit on the disk"):
        Room(place).expect(free)
    Room(place).expect(1000)


def test_every_refusal_is_one_of_our_errors() -> None:
    assert issubclass(StoreFull, TiffinError)
    assert StoreFull.status == 507
