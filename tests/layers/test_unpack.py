"""From tar to tree: each kind of entry, in any order, and nothing but what the archive may do."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import struct
import tarfile
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tests.layers.trees import OPAQUE, Item, Stack, folder, hard_link, look, symlink, tar
from tiffin.errors import BadArchive, TiffinError
from tiffin.layers.overlay import is_whiteout
from tiffin.layers.pack import pack
from tiffin.layers.unpack import unpack
from tiffin.store.deletion import delete

pytestmark = pytest.mark.root

# struct vfs_cap_data, version 2: cap_net_raw permitted and effective
CAPABILITY = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)


def text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def repacked(stack: Stack, number: int) -> bytes:
    return b"".join(pack(f"{stack.folder}/{number}/diff", f"{stack.folder}/{number}/headers"))


# Kinds


def test_files_have_their_content_mode_owner_and_time(stack: Stack) -> None:
    tree = stack.add(tar(Item("a", b"hello", mode=0o640, uid=12, gid=34, mtime=99.5, pax={"mtime": "99.123456789"})))
    status = os.lstat(f"{tree}/a")
    assert read(f"{tree}/a") == b"hello"
    assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (0o640, 12, 34)
    assert status.st_mtime_ns == 99_123_456_789


def test_set_uid_bits_and_capabilities_survive_the_change_of_owner(stack: Stack) -> None:
    capability = {"SCHILY.xattr.security.capability": text(CAPABILITY)}
    tree = stack.add(tar(Item("su", b"x", mode=0o6755, uid=5, gid=5), Item("ping", b"x", uid=5, pax=capability)))
    assert stat.S_IMODE(os.lstat(f"{tree}/su").st_mode) == 0o6755
    assert os.getxattr(f"{tree}/ping", "security.capability") == CAPABILITY


def test_links_devices_and_fifos_have_all_their_attributes(stack: Stack) -> None:
    tree = stack.add(
        tar(
            symlink("link", "/nowhere/at all", uid=3, gid=4, mtime=77),
            Item("null", kind=tarfile.CHRTYPE, device=(1, 3), mode=0o666, mtime=78),
            Item("disk", kind=tarfile.BLKTYPE, device=(254, 70_000), mode=0o660, gid=6),
            Item("fifo", kind=tarfile.FIFOTYPE, mode=0o600, uid=9, pax={"SCHILY.xattr.trusted.x": "1"}),
        )
    )
    seen = look(tree)
    assert seen["link"][:5] == ("l", 0, (3, 4), 77 * 10**9, "/nowhere/at all")
    assert seen["null"][:5] == ("c", 0o666, (0, 0), 78 * 10**9, "1:3")
    assert seen["disk"][:5] == ("b", 0o660, (0, 6), 10**18, "254:70000")
    assert seen["fifo"][:3] == ("p", 0o600, (9, 0))
    assert seen["fifo"].xattrs == (("trusted.x", b"1"),)


def test_hard_links_are_one_file_whichever_comes_first_in_the_folders(stack: Stack) -> None:
    tree = stack.add(tar(Item("z/file", b"one"), hard_link("a/other", "z/file"), hard_link("third", "./a/other")))
    assert look(tree)["third"].links == ("a/other", "third", "z/file")


def test_a_symbolic_link_may_have_two_names(stack: Stack) -> None:
    tree = stack.add(tar(symlink("a", "target"), hard_link("b", "a")))
    assert look(tree)["b"].links == ("a", "b")
    assert os.readlink(f"{tree}/b") == "target"


def test_folders_keep_their_times_though_things_are_put_into_them(stack: Stack) -> None:
    tree = stack.add(tar(folder(".", mtime=1), folder("d", mtime=2), folder("d/e", mtime=3), Item("d/e/f"), Item("g")))
    assert [os.lstat(f"{tree}/{path}").st_mtime for path in (".", "d", "d/e")] == [1, 2, 3]


def test_the_time_of_everything_may_lie_before_1970_or_far_away(stack: Stack) -> None:
    tree = stack.add(tar(Item("old", pax={"mtime": "-1.5"}), Item("far", pax={"mtime": "99999999999999"})))
    assert os.lstat(f"{tree}/old").st_mtime_ns == -1_500_000_000
    assert os.lstat(f"{tree}/far").st_mtime > 2**31


def test_a_name_that_is_no_utf8_is_a_name(stack: Stack) -> None:
    tree = stack.add(tar(Item("caf\udce9"), form=tarfile.GNU_FORMAT))
    assert os.listdir(tree.encode()) == [b"caf\xe9"]


# Sparse files


@pytest.mark.parametrize(
    "how", ["--sparse-version=0.0", "--sparse-version=0.1", "--sparse-version=1.0", "--format=gnu"]
)
def test_sparse_files_of_gnu_tar_have_their_holes_and_go_out_as_they_came(how: str, stack: Stack) -> None:
    import subprocess

    source = f"{stack.folder}/source"
    os.mkdir(source)
    with open(f"{source}/sparse", "wb") as file:
        for number in range(40):  # more than fit into an old GNU header
            file.seek(number * 200_000)
            file.write(b"%d" % number * 100)
        file.truncate(10_000_000)
    options = [how] if how == "--format=gnu" else ["--format=pax", how]
    made = subprocess.run(["tar", "-C", source, *options, "-S", "-cf", "-", "sparse"], check=True, capture_output=True)
    assert len(made.stdout) < 1_000_000
    tree = stack.add(made.stdout)
    assert read(f"{tree}/sparse") == read(f"{source}/sparse")
    assert os.lstat(f"{tree}/sparse").st_blocks * 512 < 1_000_000
    assert repacked(stack, 0) == made.stdout


def test_many_zeros_need_no_place(stack: Stack) -> None:
    content = b"a" * 100_000 + bytes(5_000_000) + b"b" * 100_000 + bytes(3_000_000)
    tree = stack.add(tar(Item("zeros", content)))
    assert read(f"{tree}/zeros") == content
    assert os.lstat(f"{tree}/zeros").st_blocks * 512 < 500_000


# Order and repetition


def test_a_child_may_come_before_its_folder(stack: Stack) -> None:
    tree = stack.add(tar(Item("d/e/file", b"x"), folder("d/e", mode=0o700, mtime=5), folder("d", uid=7)))
    seen = look(tree)
    assert (seen["d/e"].mode, seen["d/e"].mtime, seen["d"].owner) == (0o700, 5 * 10**9, (7, 0))
    assert "d/e/file" in seen


def test_a_folder_that_no_entry_names_is_roots_and_open(stack: Stack) -> None:
    tree = stack.add(tar(Item("d/file")))
    assert look(tree)["d"][:3] == ("d", 0o755, (0, 0))


def test_a_folder_that_no_entry_names_looks_as_it_does_below(stack: Stack) -> None:
    stack.add(tar(folder(".", mode=0o711, mtime=3), folder("d", mode=0o1777, uid=5, mtime=9)))
    seen = look(stack.add(tar(Item("d/file"))))
    assert (seen["d"].mode, seen["d"].owner, seen["d"].mtime) == (0o1777, (5, 0), 9 * 10**9)
    assert (seen[""].mode, seen[""].mtime) == (0o711, 3 * 10**9)


def test_the_last_of_several_entries_counts(stack: Stack) -> None:
    archive = tar(Item("a", b"first"), folder("d"), Item("a", b"second", mode=0o600), folder("d", mode=0o700))
    seen = look(stack.add(archive))
    assert read(f"{stack.lowers[0]}/a") == b"second"
    assert (seen["a"].mode, seen["d"].mode) == (0o600, 0o700)
    assert repacked(stack, 0) == archive


def test_a_file_replaces_a_folder_and_a_folder_a_file(stack: Stack) -> None:
    archive = tar(
        folder("a"),
        Item("a/b/c", b"gone"),
        Item("a", b"file"),
        Item("x", b"gone too"),
        folder("x"),
        Item("x/y", b"kept"),
    )
    seen = look(stack.add(archive))
    assert sorted(seen) == ["", "a", "x", "x/y"]
    assert seen["a"].kind == "-"
    assert repacked(stack, 0) == archive


def test_a_link_replaces_a_file_and_a_file_a_link(stack: Stack) -> None:
    archive = tar(Item("a", b"gone"), symlink("a", "b"), symlink("b", "/etc/passwd"), Item("b", b"mine"))
    tree = stack.add(archive)
    assert os.readlink(f"{tree}/a") == "b"
    assert read(f"{tree}/b") == b"mine"
    assert repacked(stack, 0) == archive


def test_a_file_lives_on_under_its_other_name(stack: Stack) -> None:
    archive = tar(Item("a", b"old"), hard_link("d/b", "a"), Item("a", b"new"), hard_link("c", "d/b"))
    tree = stack.add(archive)
    assert (read(f"{tree}/a"), read(f"{tree}/d/b")) == (b"new", b"old")
    assert look(tree)["c"].links == ("c", "d/b")
    assert repacked(stack, 0) == archive
    assert sorted(os.listdir(f"{stack.folder}/0")) == ["diff", "headers"]


def test_a_hard_link_to_itself_changes_nothing(stack: Stack) -> None:
    archive = tar(Item("a", b"x"), hard_link("a", "a"), hard_link("./a", "a"))
    assert read(f"{stack.add(archive)}/a") == b"x"
    assert repacked(stack, 0) == archive


# Links along the path


def test_a_path_leads_through_links_of_the_same_layer(stack: Stack) -> None:
    seen = look(
        stack.add(
            tar(folder("usr/lib"), symlink("lib", "usr/lib"), symlink("abs", "/usr"), Item("lib/x"), Item("abs/y"))
        )
    )
    assert {"usr/lib/x", "usr/y"} <= set(seen)
    assert seen["lib"].kind == "l"


def test_a_link_of_a_layer_below_gives_way_to_a_folder(stack: Stack) -> None:
    stack.add(tar(folder("usr/lib"), symlink("lib", "usr/lib")))
    seen = look(stack.add(tar(Item("lib/x"))))
    assert seen["lib"].kind == "d"
    assert "lib/x" in seen


@pytest.mark.parametrize("target", ["..", "../..", "a/../..", "/..", "/../../etc"])
def test_a_link_that_leads_out_is_never_gone_through(target: str, stack: Stack) -> None:
    with pytest.raises(BadArchive, match="out of the layer"):
        stack.add(tar(folder("a"), symlink("out", target), Item("out/planted", b"x")))
    assert not os.path.exists(f"{stack.folder}/planted")
    assert not os.path.exists("/etc/planted")


def test_a_link_that_leads_out_may_be_there_as_a_link(stack: Stack) -> None:
    assert os.readlink(f"{stack.add(tar(symlink('out', '../../../etc')))}/out") == "../../../etc"


def test_an_absolute_link_leads_within_the_layer(stack: Stack) -> None:
    seen = look(stack.add(tar(symlink("etc", "/var/etc"), Item("etc/passwd", b"x"))))
    assert "var/etc/passwd" in seen


@pytest.mark.parametrize(
    "archive",
    [
        tar(symlink("a", "b"), symlink("b", "a"), Item("a/x")),
        tar(symlink("a", "a"), Item("a/x")),
    ],
)
def test_links_in_a_circle_are_refused(archive: bytes, stack: Stack) -> None:
    with pytest.raises(BadArchive, match="in a circle"):
        stack.add(archive)


def test_a_path_through_a_file_is_refused(stack: Stack) -> None:
    with pytest.raises(BadArchive, match="as a file, and things in it"):
        stack.add(tar(Item("a"), Item("a/b")))


# Names


@pytest.mark.parametrize("name", ["/etc/passwd", "//x", "../x", "a/../../x", "a/..", "..", "./../x"])
def test_names_that_are_absolute_or_lead_upwards_are_refused(name: str, stack: Stack) -> None:
    for item in (Item(name, b"x"), folder(name), symlink(name, "t"), hard_link("fine", name)):
        with pytest.raises(BadArchive, match="absolute name|leads upwards"):
            stack.unpack(tar(Item("fine/x"), item))


@pytest.mark.parametrize("name", ["n" * 256, "a/" * 2100 + "x", "d/" + "n" * 300])
def test_names_longer_than_linux_takes_are_refused(name: str, stack: Stack) -> None:
    with pytest.raises(BadArchive, match="Linux takes"):
        stack.add(tar(Item(name)))


def test_a_path_made_too_long_by_links_is_refused(stack: Stack) -> None:
    deep = "/".join(["d" * 200] * 15)
    with pytest.raises(BadArchive, match="Linux takes"):
        stack.add(tar(folder(deep), symlink("l", deep), symlink(f"{deep}/l", deep[:3000]), Item(f"l/{deep[:1500]}/x")))


def test_dots_and_slashes_too_many_are_nothing(stack: Stack) -> None:
    assert sorted(look(stack.add(tar(folder("./"), Item(".//a/./b"), folder("a//c/"))))) == ["", "a", "a/b", "a/c"]


def test_the_root_can_be_nothing_but_a_folder(stack: Stack) -> None:
    for number, item in enumerate((Item("."), symlink("./", "x"), hard_link(".", "x"))):
        with pytest.raises(BadArchive, match="root of the layer"):
            stack.unpack(tar(Item("x"), item, form=tarfile.GNU_FORMAT) if number else tar(Item(".")))


# Whiteouts


def test_a_whiteout_hides_the_file_below(stack: Stack) -> None:
    stack.add(tar(Item("d/file"), Item("d/kept")))
    tree = stack.add(tar(folder("d"), Item("d/.wh.file")))
    assert os.listdir(f"{tree}/d") == ["file"]
    assert is_whiteout(os.lstat(f"{tree}/d/file"))


def test_a_whiteout_of_nothing_leaves_nothing(stack: Stack) -> None:
    archive = tar(folder("d"), Item("d/.wh.file"), Item(".wh.x", b"content that means nothing"))
    assert sorted(look(stack.add(archive))) == ["", "d"]
    assert repacked(stack, 0) == archive


def test_an_opaque_folder_hides_all_below_but_not_its_own(stack: Stack) -> None:
    stack.add(tar(Item("d/old")))
    for order in ([Item("d/new"), Item("d/.wh..wh..opq")], [Item("d/.wh..wh..opq"), Item("d/new")]):
        tree = stack.add(tar(folder("d"), *order))
        assert os.getxattr(f"{tree}/d", OPAQUE) == b"y"
        assert os.listdir(f"{tree}/d") == ["new"]


def test_a_whiteout_does_not_count_for_its_own_layer(stack: Stack) -> None:
    stack.add(tar(Item("file"), Item("d/old")))
    for number, order in enumerate(([Item(".wh.file"), Item("file")], [Item("file"), Item(".wh.file")])):
        assert look(stack.add(tar(*order)))["file"].kind == "-", number


def test_a_whiteout_beside_a_folder_of_that_name_makes_it_opaque(stack: Stack) -> None:
    stack.add(tar(Item("d/old")))
    tree = stack.add(tar(Item(".wh.d"), Item("d/new")))
    assert os.getxattr(f"{tree}/d", OPAQUE) == b"y"


def test_an_opaque_root_hides_every_name_below(stack: Stack) -> None:
    stack.add(tar(Item("a"), Item("d/b"), Item("e/c")))
    tree = stack.add(tar(Item(".wh..wh..opq"), Item("d/new")))
    assert is_whiteout(os.lstat(f"{tree}/a"))
    assert is_whiteout(os.lstat(f"{tree}/e"))
    assert os.getxattr(f"{tree}/d", OPAQUE) == b"y"


@pytest.mark.parametrize("name", [".wh.", ".wh..", ".wh...", "d/.wh.", ".wh.d/x", "d/.wh.e/x"])
def test_whiteouts_that_make_no_sense_are_refused(name: str, stack: Stack) -> None:
    with pytest.raises(BadArchive, match="whiteout"):
        stack.add(tar(Item(name)))


def test_notes_of_aufs_are_passed_over(stack: Stack) -> None:
    archive = tar(folder(".wh..wh.plnk"), Item(".wh..wh.aufs"), Item("x"))
    assert sorted(look(stack.add(archive))) == ["", "x"]


@pytest.mark.parametrize(
    "item",
    [
        Item("x", pax={"SCHILY.xattr.trusted.overlay.opaque": "y"}),
        folder("x", pax={"SCHILY.xattr.user.overlay.opaque": "y"}),
        folder("x", pax={"SCHILY.xattr.trusted.overlay.redirect": "/etc"}),
        Item("x", kind=tarfile.CHRTYPE, device=(0, 0)),
    ],
)
def test_an_image_cannot_speak_to_overlay(item: Item, stack: Stack) -> None:
    with pytest.raises(BadArchive, match="no image may have that"):
        stack.add(tar(item))


# Hard links to layers below


def test_a_hard_link_to_a_layer_below_copies_the_file_up(stack: Stack) -> None:
    capability = {"SCHILY.xattr.security.capability": text(CAPABILITY)}
    stack.add(tar(folder("d", mode=0o700), Item("d/file", b"below", mode=0o4711, uid=3, mtime=5, pax=capability)))
    stack.add(tar(Item("between")))
    archive = tar(hard_link("link", "d/file"))
    seen = look(stack.add(archive))
    assert seen["link"].links == ("d/file", "link")
    assert seen["link"][:4] == ("-", 0o4711, (3, 0), 5 * 10**9)
    assert seen["link"].xattrs == (("security.capability", CAPABILITY),)
    assert seen["d"].mode == 0o700
    assert read(f"{stack.lowers[0]}/link") == b"below"
    assert repacked(stack, 2) == archive


def test_what_was_copied_up_can_be_replaced_again(stack: Stack) -> None:
    stack.add(tar(Item("file", b"below"), symlink("sym", "there")))
    archive = tar(hard_link("a", "file"), Item("file", b"new"), hard_link("b", "sym"), Item("a", b"newer"))
    tree = stack.add(archive)
    assert (read(f"{tree}/file"), read(f"{tree}/a"), os.readlink(f"{tree}/b")) == (b"new", b"newer", "there")
    assert repacked(stack, 1) == archive


@pytest.mark.parametrize("target", ["nowhere", "d", "d/nowhere", "file/x", "gone"])
def test_a_hard_link_to_nothing_or_to_a_folder_is_refused(target: str, stack: Stack) -> None:
    stack.add(tar(folder("d"), Item("file"), Item("gone")))
    stack.add(tar(Item(".wh.gone")))
    with pytest.raises(BadArchive):
        stack.add(tar(hard_link("link", target)))


def test_too_many_hard_links_are_refused(stack: Stack) -> None:
    archive = tar(
        Item("file"), *(hard_link(f"l{number}", "file") for number in range(65_001)), form=tarfile.USTAR_FORMAT
    )
    with pytest.raises(BadArchive, match="more than 65000 hard links"):
        stack.add(archive)


# Limits


def test_a_link_to_too_long_a_name_or_to_nothing_is_refused(stack: Stack) -> None:
    for target in ("", "t" * 4096):
        with pytest.raises(BadArchive, match="symbolic link"):
            stack.unpack(tar(symlink("x", target)))


def test_an_attribute_that_the_file_system_cannot_keep_is_refused(stack: Stack) -> None:
    with pytest.raises(BadArchive, match="cannot keep the attribute user.big of x"):
        stack.add(tar(Item("x", pax={"SCHILY.xattr.user.big": "v" * 66_000})))


def test_an_absurd_size_is_refused_before_anything_of_it_is_written(stack: Stack) -> None:
    block = bytearray(tar(Item("x"))[:512])
    block[124:136] = b"\x80" + (1 << 60).to_bytes(11, "big")
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    with pytest.raises(TiffinError, match="do not fit on the disk"):
        stack.add(bytes(block) + bytes(100_000))
    assert look(f"{stack.folder}/0/diff").keys() == {""}


def test_a_sparse_file_bigger_than_any_is_refused(stack: Stack) -> None:
    records = {"GNU.sparse.map": "0,0", "GNU.sparse.size": str(1 << 61)}
    with pytest.raises(BadArchive, match="cannot hold"):
        stack.add(tar(Item("x", pax=records)))


def test_millions_of_folders_in_a_small_archive_are_refused(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tiffin.layers.outline.MOST_MEMORY", 1 << 20)
    items = [Item(f"{number}/" + "d/" * 1000 + "x") for number in range(10)]
    with pytest.raises(BadArchive, match="more entries than fit"):
        stack.add(tar(*items))


def test_without_roots_rights_it_is_said(place: str) -> None:
    os.chmod(os.path.dirname(place), 0o711)
    os.chown(place, 65534, 65534)
    child = os.fork()
    if child == 0:
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        try:
            unpack(io.BytesIO(tar(Item("x", uid=5))), place)
        except PermissionError as error:
            os._exit(7 if "root's rights" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


WORDS = ["..", ".", "", "a", "b", "c", ".wh.a", ".wh..", ".wh..wh..opq", "n" * 300]
nasty_names = some.lists(some.sampled_from(WORDS), min_size=1, max_size=4).map("/".join)
nasty_items = some.builds(
    lambda name, kind, link: Item(name, kind=kind, link=link),
    nasty_names,
    some.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE]),
    nasty_names | some.sampled_from(["../../outside", "/", "/a", "a/..", "../a"]),
)


@settings(max_examples=400, deadline=None)
@given(some.lists(nasty_items, min_size=1, max_size=8), some.lists(nasty_items, max_size=4))
def test_whatever_the_names_nothing_is_touched_outside(workshop: str, first: list[Item], second: list[Item]) -> None:
    place = tempfile.mkdtemp(prefix="nasty-", dir=workshop)
    try:
        os.makedirs(f"{place}/deep/er")
        os.mkdir(f"{place}/outside", 0o711)
        before = look(place)
        stack = Stack(f"{place}/deep/er")
        for items in (first, second):
            with contextlib.suppress(BadArchive):  # and no other error
                archive = tar(*items)
                stack.unpack(archive)
                assert repacked(stack, len(stack.lowers) - 1) == archive
        after = {path: seen for path, seen in look(place).items() if not path.startswith("deep/er")}
        assert after == {path: seen for path, seen in before.items() if not path.startswith("deep/er")}
    finally:
        delete(place)


def test_progress_is_told_up_to_the_whole(place: str) -> None:
    archive = tar(Item("x", os.urandom(3_000_000)))
    told: list[int] = []
    made = unpack(io.BytesIO(archive), place, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == made.length == len(archive)


def test_an_error_of_the_reader_passes_as_it_is(place: str) -> None:
    class Broken(io.RawIOBase):
        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        unpack(Broken(), place)
