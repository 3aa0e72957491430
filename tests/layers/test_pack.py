"""From tar to layer and back: the same tree as GNU tar makes, and the very same bytes."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tests.layers import worlds
from tests.layers.trees import Item, Stack, folder, hard_link, look, tar
from tiffin.errors import BadArchive, StoreDamaged
from tiffin.layers.headers import HeaderStream
from tiffin.layers.pack import pack
from tiffin.layers.unpack import unpack
from tiffin.store.deletion import delete

pytestmark = pytest.mark.root

FORMS = {
    "gnu": ["--format=gnu"],
    "gnu, sparse": ["--format=gnu", "-S"],
    "pax": ["--format=pax", "--xattrs", "--xattrs-include=*"],
    "pax, sparse": ["--format=pax", "--xattrs", "--xattrs-include=*", "-S"],
    "ustar": ["--format=ustar"],
    "v7": ["--format=v7"],
}


def repacked(place: str) -> bytes:
    return b"".join(pack(f"{place}/diff", f"{place}/headers"))


@settings(max_examples=120, deadline=None)
@given(worlds.trees(), some.sampled_from(sorted(FORMS)))
def test_a_tar_of_gnu_tar_gives_the_tree_and_the_bytes_back(
    workshop: str, tree: dict[str, worlds.Node], form: str
) -> None:
    place = tempfile.mkdtemp(prefix="pack-", dir=workshop)
    try:
        os.mkdir(f"{place}/source")
        worlds.plant(f"{place}/source", tree)
        # v7 and ustar cannot hold everything: GNU tar leaves that out and says so
        command = ["tar", "-C", f"{place}/source", "--numeric-owner", *FORMS[form], "-cf", "-", "."]
        archive = subprocess.run(command, check=False, capture_output=True).stdout
        made = unpack(io.BytesIO(archive), place)
        assert made.diff_id == "sha256:" + hashlib.sha256(archive).hexdigest()
        assert repacked(place) == archive
        os.mkdir(f"{place}/extracted")
        command = ["tar", "-C", f"{place}/extracted", "--numeric-owner", "--xattrs", "--xattrs-include=*", "-xpf", "-"]
        subprocess.run(command, check=True, input=archive, capture_output=True)
        assert look(f"{place}/diff") == look(f"{place}/extracted")
        if form.startswith("pax"):
            assert look(f"{place}/diff") == look(f"{place}/source")
    finally:
        delete(place)


@settings(max_examples=200, deadline=None)
@given(worlds.layers(), some.binary(max_size=600), some.integers(0, 3))
def test_any_order_and_repetition_goes_out_as_it_came(
    workshop: str, items: list[Item], junk: bytes, links: int
) -> None:
    place = tempfile.mkdtemp(prefix="pack-", dir=workshop)
    try:
        names = [item.name for item in items if item.kind is None and item.content is not None]
        more = [hard_link(f"link{number}", name) for number, name in enumerate(names[:links])]
        archive = tar(*items, *more, *items[:2]) + junk
        try:
            unpack(io.BytesIO(archive), place)
        except BadArchive:
            return
        assert repacked(place) == archive
        assert sorted(os.listdir(place)) == ["diff", "headers"]
    finally:
        delete(place)


def test_padding_that_is_not_zero_and_a_tape_filled_up_come_back(stack: Stack) -> None:
    archive = bytearray(tar(Item("a", b"12345"), Item("b", b"1")) + os.urandom(5000))
    archive[512 + 5 : 1024] = os.urandom(512 - 5)
    stack.unpack(bytes(archive))
    assert repacked(f"{stack.folder}/0") == archive


def test_a_big_layer_comes_back(stack: Stack) -> None:
    archive = tar(*(Item(f"d{number % 7}/f{number}", os.urandom(number * 1000)) for number in range(100)))
    stack.unpack(archive)
    assert repacked(f"{stack.folder}/0") == archive
    assert HeaderStream(f"{stack.folder}/0/headers").size == len(archive)


@pytest.fixture
def kept(stack: Stack) -> str:
    stack.unpack(tar(folder("d"), Item("d/file", b"content"), Item("d/empty"), hard_link("other", "d/file")))
    return f"{stack.folder}/0"


def write(path: str, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("d/file", b"CONTENT", "its content is not"),
        ("d/file", b"longer content", "its size is not"),
        ("d/file", b"", "its size is not"),
        ("d/empty", b"x", "its size is not"),
    ],
)
def test_a_file_changed_by_hand_is_named(name: str, content: bytes, why: str, kept: str) -> None:
    write(f"{kept}/diff/{name}", content)
    with pytest.raises(StoreDamaged, match=f"{name} was changed by hand: {why}"):
        repacked(kept)


def test_a_file_removed_by_hand_or_replaced_by_a_link_is_named(kept: str) -> None:
    os.unlink(f"{kept}/diff/d/empty")
    with pytest.raises(StoreDamaged, match="d/empty was changed by hand: No such file"):
        repacked(kept)
    os.symlink("/etc/hostname", f"{kept}/diff/d/empty")
    with pytest.raises(StoreDamaged, match="d/empty was changed by hand"):
        repacked(kept)


def test_a_damaged_header_stream_says_so(kept: str) -> None:
    with open(f"{kept}/headers", "rb") as file:
        whole = file.read()
    for content in (b"", whole[:50], b"X" + whole[1:], whole[:-20], whole[:100] + os.urandom(40) + whole[140:]):
        write(f"{kept}/headers", content)
        with pytest.raises(StoreDamaged):
            repacked(kept)


def test_a_header_stream_of_another_layer_is_noticed(stack: Stack, kept: str) -> None:
    stack.unpack(
        tar(folder("d", mode=0o700), Item("d/file", b"content"), Item("d/empty"), hard_link("other", "d/file"))
    )
    with open(f"{kept}/headers", "rb") as mine, open(f"{stack.folder}/1/headers", "rb") as others:
        mixed = mine.read(96) + others.read()[96:]
    write(f"{kept}/headers", mixed)
    with pytest.raises(StoreDamaged, match="does not give its tar"):
        repacked(kept)
