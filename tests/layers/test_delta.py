"""commit's half: what the kernel's overlay wrote into the upper folder becomes a layer that shows the same."""

from __future__ import annotations

import os
import random
import shutil
import socket
import stat
import tarfile
import tempfile
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tests.layers import worlds
from tests.layers.trees import Item, Seen, Stack, folder, look, mounted, symlink, tar
from tiffin.errors import BadArchive, Conflict, TiffinError
from tiffin.layers.delta import delta
from tiffin.layers.overlay import new_upper
from tiffin.layers.pack import pack
from tiffin.layers.tarwriter import TarStream
from tiffin.layers.unpack import Unpacked, burn, unpack
from tiffin.store.deletion import delete

pytestmark = pytest.mark.root

BASE = tar(
    folder("."),
    Item("etc/motd", b"hello"),
    Item("etc/rc", b"rc"),
    Item("usr/bin/su", b"su", mode=0o4755),
    Item("usr/lib/libc", b"libc" * 1000, uid=3, gid=4),
    symlink("lib", "usr/lib"),
    folder("tmp", mode=0o1777),
    folder("empty"),
)


@pytest.fixture
def upper(stack: Stack) -> str:
    stack.add(BASE)
    path = f"{stack.folder}/upper"
    new_upper(path, stack.lowers)
    return path


def names(upper: str, stack: Stack) -> list[str]:
    with TarStream(delta(upper, stack.lowers)) as stream, tarfile.open(fileobj=BytesIO(stream.readall())) as archive:
        return [member.name for member in archive]


def burnt(upper: str, stack: Stack) -> Unpacked:
    """The delta as one more layer of the stack."""
    place = f"{stack.folder}/{len(stack.lowers)}"
    os.mkdir(place)
    made = burn(delta(upper, stack.lowers), place, stack.lowers)
    stack.lowers.insert(0, f"{place}/diff")
    return made


def view(lowers: list[str], folder: str) -> dict[str, Seen]:
    with mounted(lowers, folder) as merged:
        return look(merged)


def touch(path: str, content: bytes = b"", mtime: int = 10**18) -> None:
    with open(path, "wb") as file:
        file.write(content)
    os.utime(path, ns=(mtime, mtime))


def write(path: str, content: bytes) -> None:
    # not into a FIFO, where nobody reads
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK)
    os.write(descriptor, content)
    os.close(descriptor)


def act(merged: str, chance: random.Random) -> None:
    """One thing that a process in a container may do. No link in here leads out."""
    path = f"{merged}/{'/'.join(chance.choices(worlds.NAMES, k=chance.randint(1, 3)))}"
    other = f"{merged}/{'/'.join(chance.choices(worlds.NAMES, k=chance.randint(1, 3)))}"
    deeds = [
        lambda: os.mkdir(path),
        lambda: os.makedirs(path),
        lambda: write(path, chance.randbytes(chance.randint(0, 2000))),
        lambda: os.utime(path, ns=(0, chance.randrange(10**18)), follow_symlinks=False),
        lambda: os.symlink("a/b", path),
        lambda: os.link(path, other),
        lambda: os.rename(path, other),
        lambda: os.unlink(path),
        lambda: delete(path),
        lambda: os.chmod(path, chance.choice([0o700, 0o4755, 0o644])),
        lambda: os.chown(path, 5, 6, follow_symlinks=False),
        lambda: os.setxattr(path, "trusted.note", chance.randbytes(3), follow_symlinks=False),
        lambda: os.mkfifo(path),
        lambda: os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3)),  # /dev/null: it may be written to
        lambda: os.truncate(path, chance.randint(0, 100_000)),
    ]
    try:
        chance.choice(deeds)()
    except OSError:  # it may not be there, or be another kind of thing
        pass


@settings(max_examples=80, deadline=None)
@given(some.lists(worlds.layers(), max_size=3), some.integers(0, 10**6), some.integers(1, 30))
def test_a_burnt_layer_shows_what_the_container_saw(
    workshop: str, deltas: list[list[Item]], seed: int, deeds: int
) -> None:
    place, chance = tempfile.mkdtemp(prefix="delta-", dir=workshop), random.Random(seed)
    try:
        stack = Stack(place)
        try:
            for items in [[folder(".")], *deltas]:
                stack.add(tar(*items))
        except BadArchive:
            return
        upper = f"{place}/upper"
        new_upper(upper, stack.lowers)
        with mounted(stack.lowers, place, upper=upper) as merged:
            for _ in range(deeds):
                act(merged, chance)
            seen = look(merged)
        layer = burnt(upper, stack)
        now = view(stack.lowers, place)
        # the root folder goes into a layer only if its owner or mode changed, not for its time
        assert {path: seen[path] for path in seen if path} == {path: now[path] for path in now if path}
        assert seen[""][:3] == now[""][:3]
        archive = b"".join(pack(stack.lowers[0], f"{os.path.dirname(stack.lowers[0])}/headers"))
        check_as_a_tar(archive, layer, stack)
        check_that_it_is_the_same_again(archive, upper, stack)
    finally:
        delete(place)


def check_as_a_tar(archive: bytes, layer: Unpacked, stack: Stack) -> None:
    """What another host unpacks is the very tree that was burnt here."""
    place = f"{stack.folder}/elsewhere"
    os.mkdir(place)
    assert unpack(BytesIO(archive), place, stack.lowers[1:]) == layer
    assert look(f"{place}/diff", overlay=True) == look(stack.lowers[0], overlay=True)


def check_that_it_is_the_same_again(archive: bytes, upper: str, stack: Stack) -> None:
    with TarStream(delta(upper, stack.lowers[1:])) as stream:
        assert stream.readall() == archive
    with TarStream(delta(stack.lowers[0], stack.lowers[1:])) as stream:
        assert stream.readall() == archive, "a layer burnt again is the same layer"


def test_nothing_changed_is_an_empty_tar(upper: str, stack: Stack) -> None:
    assert names(upper, stack) == []


def test_the_order_is_a_folder_then_its_files_then_its_folders(upper: str, stack: Stack) -> None:
    for path in ("b", "b/y", "b/y/z", "b-", "a"):
        os.mkdir(f"{upper}/{path}")
    for path in ("c", "b/x", "b/y/z/w", "b/y/1", "a/2"):
        touch(f"{upper}/{path}")
    assert names(upper, stack) == ["c", "a", "a/2", "b", "b/x", "b/y", "b/y/1", "b/y/z", "b/y/z/w", "b-"]


def test_a_new_folder_is_not_opaque_in_the_tar_and_a_replaced_one_is(upper: str, stack: Stack) -> None:
    with mounted(stack.lowers, stack.folder, upper=upper) as merged:
        os.mkdir(f"{merged}/new")
        shutil.rmtree(f"{merged}/etc")
        os.mkdir(f"{merged}/etc")
    os.setxattr(f"{upper}/new", "trusted.overlay.opaque", b"y")  # some kernels do, to save themselves a look below
    assert names(upper, stack) == ["etc", "etc/.wh..wh..opq", "new"]


def test_what_came_and_went_leaves_no_whiteout(upper: str, stack: Stack) -> None:
    with mounted(stack.lowers, stack.folder, upper=upper) as merged:
        touch(f"{merged}/etc/passing")
        os.unlink(f"{merged}/etc/passing")
        os.unlink(f"{merged}/etc/motd")
    assert names(upper, stack) == ["etc", "etc/.wh.motd"]
    os.mknod(f"{upper}/etc/stray", stat.S_IFCHR, 0)
    assert names(upper, stack) == ["etc", "etc/.wh.motd"]


def test_the_root_folder_is_there_only_if_it_was_changed_itself(upper: str, stack: Stack) -> None:
    touch(f"{upper}/file")
    assert names(upper, stack) == ["file"]
    os.chmod(upper, 0o700)
    assert names(upper, stack) == [".", "file"]
    burnt(upper, stack)
    assert look(stack.lowers[0])[""].mode == 0o700


def test_hard_links_stay_links_and_holes_stay_holes(upper: str, stack: Stack) -> None:
    with open(f"{upper}/holes", "wb") as file:
        file.write(b"start")
        file.truncate(50 << 20)
    os.link(f"{upper}/holes", f"{upper}/other")
    burnt(upper, stack)
    assert look(stack.lowers[0])["holes"].links == ("holes", "other")
    assert os.stat(f"{stack.lowers[0]}/holes").st_size == 50 << 20
    assert os.stat(f"{stack.lowers[0]}/holes").st_blocks * 512 < 1 << 20


def test_a_file_with_more_holes_than_the_disk_is_big_can_be_burnt(
    upper: str, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tiffin.layers.space.LEAST", 1 << 62)  # no room but for a twentieth of nothing
    monkeypatch.setattr("tiffin.layers.space.Room.expect", _no_room)
    with open(f"{upper}/holes", "wb") as file:
        file.truncate(10 << 20)
    assert burnt(upper, stack).size == 10 << 20


def _no_room(room: object, size: int) -> None:
    raise AssertionError("a tree's own files need no more room than they have")


def test_sockets_are_left_out(upper: str, stack: Stack) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        folder = os.open(upper, os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{folder}/socket")
        os.close(folder)
    touch(f"{upper}/file")
    assert names(upper, stack) == ["file"]


@pytest.mark.parametrize("name", [".wh.file", ".wh..wh..opq", "d/.wh."])
def test_a_name_that_would_mean_a_whiteout_cannot_be_burnt(name: str, upper: str, stack: Stack) -> None:
    os.makedirs(os.path.dirname(f"{upper}/{name}"), exist_ok=True)
    touch(f"{upper}/{name}")
    with pytest.raises(TiffinError, match="no layer can hold .*wh"):
        burnt(upper, stack)


@pytest.mark.parametrize("name", ["redirect", "metacopy"])
def test_content_that_overlay_keeps_elsewhere_is_named(name: str, upper: str, stack: Stack) -> None:
    os.mkdir(f"{upper}/d")
    touch(f"{upper}/d/file")
    os.setxattr(f"{upper}/d/file", f"trusted.overlay.{name}", b"/etc")
    with pytest.raises(TiffinError, match="file is no plain file"):
        burnt(upper, stack)


def test_overlays_own_notes_do_not_come_along(upper: str, stack: Stack) -> None:
    with mounted(stack.lowers, stack.folder, upper=upper) as merged:
        os.chmod(f"{merged}/etc/motd", 0o600)
    assert any(name.startswith("trusted.overlay.") for name in os.listxattr(f"{upper}/etc/motd"))
    burnt(upper, stack)
    assert look(stack.lowers[0], overlay=True)["etc/motd"].xattrs == ()


def test_a_path_too_long_for_a_layer_is_named(upper: str, stack: Stack) -> None:
    here = os.open(upper, os.O_RDONLY)
    for _ in range(17):
        os.mkdir("d" * 250, dir_fd=here)
        deeper = os.open("d" * 250, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(here)
    with pytest.raises(TiffinError, match="no layer can hold a path of"):
        burnt(upper, stack)


def test_a_file_that_grows_is_cut_and_one_that_shrinks_is_an_error(upper: str, stack: Stack) -> None:
    touch(f"{upper}/a", b"1" * 1000)
    members = []
    for member in delta(upper, stack.lowers):
        touch(f"{upper}/a", b"2" * 5000)
        members.append(member.entry.stored)
        with member.content() as content:
            assert content.readinto(memoryview(bytearray(9000))) == 1000
            assert content.left == 0
    assert members == [1000]
    for member in delta(upper, stack.lowers):
        touch(f"{upper}/a", b"")
        with pytest.raises(Conflict, match="a became shorter"), member.content() as content:
            content.readinto(memoryview(bytearray(9000)))


def test_a_new_upper_folder_looks_like_the_root_below(stack: Stack) -> None:
    stack.add(tar(folder(".", mode=0o711, uid=5, gid=6, mtime=7, pax={"SCHILY.xattr.user.note": "x"})))
    new_upper(f"{stack.folder}/upper", stack.lowers)
    assert look(f"{stack.folder}/upper")[""] == look(stack.lowers[0])[""]


def test_a_new_upper_folder_on_nothing_is_roots_and_open(place: str) -> None:
    new_upper(f"{place}/upper", [])
    assert look(f"{place}/upper")[""][:3] == ("d", 0o755, (0, 0))
