"""The union view of a picture, and what a read-write layer holds: the kernel's overlay is the judge."""

from __future__ import annotations

import io
import os
import random
import stat
import tempfile
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tests.conftest import Roots
from tests.engine.stores import Shelf
from tests.layers import worlds
from tests.layers.test_delta import act
from tests.layers.trees import Item, folder, hard_link, mounted, symlink, tar
from tests.runtime.killing import until
from tiffin.engine import Engine
from tiffin.engine.pictures import unions
from tiffin.engine.pictures.unions import AT_LEAST, Written, union_view, wrote
from tiffin.errors import BadArchive
from tiffin.layers.changes import changes, differences
from tiffin.layers.overlay import new_upper
from tiffin.store.deletion import delete
from tiffin.view.picture import Changes, Row, View

pytestmark = pytest.mark.root
OF = "c0ffee"
EVERYTHING = 100_000


class Stack:
    """Layers with ids in a store, and a read-write layer on them."""

    def __init__(self, shelf: Shelf, place: str) -> None:
        self.shelf = shelf
        self.place = place
        self.top: str | None = None
        self.upper = f"{place}/upper"

    def add(self, *items: Item) -> str:
        with self.shelf.store.shared():
            self.top = self.shelf.layers.unpack(io.BytesIO(tar(*items)), self.top).id
        return self.top

    @property
    def lowers(self) -> list[str]:
        return self.shelf.layers.folders(self.top)

    def write(self, deed: Callable[[str], object]) -> None:
        """Do something in the union view as the kernel makes it."""
        if not os.path.exists(self.upper):
            new_upper(self.upper, self.lowers)
        with mounted(self.lowers, self.place, upper=self.upper) as merged:
            deed(merged)

    def view(self, most: int = 40) -> View:
        return union_view(self.shelf, top=self.top, upper=self.upper, of=OF, most=most)

    def image(self, most: int = 40) -> View:
        assert self.top is not None
        return union_view(self.shelf, top=self.top, upper=None, of=self.top, most=most)

    def wrote(self, **more: int) -> Written:
        return wrote(self.shelf, top=self.top, upper=self.upper, **more)


@pytest.fixture
def stack(engine_root: Roots) -> Iterator[Stack]:
    place = os.path.dirname(engine_root.root)
    yield Stack(Shelf(engine_root), place)
    delete(f"{place}/upper")
    delete(f"{place}/work")


def make(path: str, text: str = "more") -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "a", encoding="ascii") as file:
        file.write(text)


def paths(view: View) -> dict[str, Row]:
    """The rows by their paths; `…` for what is not listed."""
    found: dict[str, Row] = {}
    way: list[str] = []
    for row in view.rows:
        del way[row.depth :]
        assert row.depth == len(way)
        way.append("…" if row.kind == "more" else row.name)
        path = "/".join(way)
        assert path not in found
        found[path] = row
    return found


def lines(view: View, **names: str) -> list[str]:
    """The view in a few words per row."""
    known = {id: name for name, id in names.items()} | {OF: "rw", "": ""}
    told = []
    for row in view.rows:
        words = [row.name + {"folder": "/"}.get(row.kind, ""), known[row.layer]]
        words += [("removes " if row.is_removed else "hides ") + known[row.hides]] if row.hides else []
        words += [f"-> {row.target}"] if row.target else []
        words += [str(row.number)] if row.number else []
        words += [row.kind] if row.kind in ("more", "device") else []
        told.append("  " * row.depth + " ".join(filter(None, words)))
    return told


def test_a_container_that_changed_nothing_has_only_closed_folders(stack: Stack) -> None:
    one = stack.add(Item("etc/motd"), Item("etc/passwd"), folder("tmp"), symlink("bin", "usr/bin"), Item("usr/bin/ls"))
    two = stack.add(Item("etc/hosts"))
    stack.write(os.listdir)
    assert lines(stack.view(), one=one, two=two) == ["bin one -> usr/bin", "etc/ 3", "tmp/ one", "usr/ one 1"]
    assert stack.view().is_writable


def test_what_was_added_changed_and_removed_lies_open(stack: Stack) -> None:
    one = stack.add(*(Item(f"etc/{name}") for name in ("a", "b", "c", "d", "e", "f")), Item("usr/lib/x/y"))
    two = stack.add(Item("etc/b", b"newer"), Item("srv/data"))

    def deed(top: str) -> None:
        make(f"{top}/happiness.txt")
        make(f"{top}/etc/a")
        make(f"{top}/etc/b")
        make(f"{top}/etc/conf.d/new")
        os.unlink(f"{top}/etc/c")
        delete(f"{top}/usr/lib/x")

    stack.write(deed)
    assert lines(stack.view(), one=one, two=two) == [
        "etc/",
        "  a rw hides one",
        "  b rw hides two",
        "  c rw removes one",
        "  conf.d/ rw",
        "    new rw",
        "  d one",
        "  e one",
        "  f one",
        "happiness.txt rw",
        "srv/ two 1",
        "usr/",
        "  lib/",
        "    x/ rw removes one 1",
    ]


def test_what_was_left_as_it_was_is_counted_where_it_is_much(stack: Stack) -> None:
    one = stack.add(*(Item(f"etc/{number}") for number in range(9)))
    stack.write(lambda top: make(f"{top}/etc/3"))
    assert lines(stack.view(), one=one) == ["etc/", "  3 rw hides one", "  8 more"]


def test_a_folder_that_took_the_place_of_another_tells_what_it_hides(stack: Stack) -> None:
    one = stack.add(Item("d/a"), Item("d/b"), Item("file"), Item("gone/x"))

    def deed(top: str) -> None:
        delete(f"{top}/d")
        make(f"{top}/d/b")
        make(f"{top}/d/c")
        os.unlink(f"{top}/file")
        make(f"{top}/file/inside")
        delete(f"{top}/gone")
        make(f"{top}/gone")

    stack.write(deed)
    assert lines(stack.view(), one=one) == [
        "d/ rw hides one", "  a rw removes one", "  b rw hides one", "  c rw", "file/ rw hides one", "  inside rw",
        "gone rw hides one",
    ]  # fmt: skip


def test_a_folder_with_another_mode_is_the_read_write_layers(stack: Stack) -> None:
    one = stack.add(Item("tmp/a"), Item("etc/a"))

    def deed(top: str) -> None:
        os.chmod(f"{top}/tmp", 0o700)
        os.utime(f"{top}/etc")

    stack.write(deed)
    assert lines(stack.view(), one=one) == ["etc/ 1", "tmp/ rw hides one 1"]


def test_an_images_topmost_layer_lies_open_on_those_below(stack: Stack) -> None:
    one = stack.add(Item("etc/a"), Item("etc/b"), Item("usr/x"), Item("old"))
    two = stack.add(Item("etc/a", b"newer"), Item(".wh.old"), Item("new"))
    view = stack.image()
    assert lines(view, one=one, two=two) == [
        "etc/", "  a two hides one", "  b one", "new two", "old two removes one", "usr/ one 1",
    ]  # fmt: skip
    assert (view.of, view.is_writable) == (two, False)


def test_an_image_of_one_layer_is_closed(stack: Stack) -> None:
    one = stack.add(Item("etc/a"), Item("bin/sh"))
    assert lines(stack.image(), one=one) == ["bin/ one 1", "etc/ one 1"]


def test_an_image_without_layers_shows_nothing_and_a_container_on_it_what_it_wrote(stack: Stack) -> None:
    assert union_view(stack.shelf, top=None, upper=None, of="x").rows == ()
    os.mkdir(stack.upper)
    make(f"{stack.upper}/a/b")
    assert lines(stack.view()) == ["a/ rw", "  b rw"]
    assert stack.wrote() == Written(4, Changes(2, 0, 0), ("/a/b",), True)


def test_a_container_on_a_bare_layer_tells_deeper_versions_too(stack: Stack) -> None:
    one = stack.add(Item("etc/passwd"), Item("etc/x"))
    two = stack.add(Item("etc/passwd", b"newer"))
    stack.write(lambda top: make(f"{top}/etc/x"))
    assert lines(stack.view(), one=one, two=two) == ["etc/", "  passwd two hides one", "  x rw hides one"]


def test_odd_things_have_a_kind_and_links_are_not_followed(stack: Stack) -> None:
    stack.add(folder("d"))

    def deed(top: str) -> None:
        os.symlink("/etc/shadow", f"{top}/d/out")
        os.symlink("..", f"{top}/d/ring")
        os.mkfifo(f"{top}/d/pipe")
        os.mknod(f"{top}/d/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        os.symlink("/", f"{top}/host")

    stack.write(deed)
    assert lines(stack.view()) == [
        "d/", "  null rw device", "  out rw -> /etc/shadow", "  pipe rw device", "  ring rw -> ..", "host rw -> /",
    ]  # fmt: skip


def test_a_hostile_name_is_a_name(stack: Stack) -> None:
    stack.add(folder("d"))
    names = [b"\x1b[31m", b"a\nb", b"\xff\xfe", "\u202egnp.exe".encode(), b"<script>", b"z" * 255]

    def deed(top: str) -> None:
        for name in names:
            make(f"{top}/d/{os.fsdecode(name)}")

    stack.write(deed)
    assert [os.fsencode(row.name) for row in stack.view().rows[1:]] == sorted(names)


@pytest.mark.parametrize("most", [6, 10, 17, 40, 100])
def test_there_are_at_most_so_many_rows_and_each_open_folder_has_one(stack: Stack, most: int) -> None:
    stack.add(*(Item(f"{top}/{sub}/{number}") for top in "abcde" for sub in "xyz" for number in range(9)))

    def deed(top: str) -> None:
        for place in "abcdefgh":
            for number in range(5):
                make(f"{top}/{place}/x/y/z/{number}")
        make(f"{top}/zz.txt")

    stack.write(deed)
    view = stack.view(most)
    assert len(view.rows) <= most
    told = paths(view)
    with mounted([stack.upper, *stack.lowers], stack.place) as merged:
        for path, row in told.items():
            if row.kind == "folder":
                here = [other for other in told if os.path.dirname(other) == path]
                below = sum(told[other].number if told[other].kind == "more" else 1 for other in here)
                assert (below or row.number) == len(os.listdir(f"{merged}/{path}")), path
                # nothing is closed that was written to
                assert here or not os.path.exists(f"{stack.upper}/{path}"), path
        there = [row for path, row in told.items() if "/" not in path]
        assert sum(row.number if row.kind == "more" else 1 for row in there) == len(os.listdir(merged))


def test_a_folder_with_very_many_files_is_told_quickly_and_without_a_lie(stack: Stack) -> None:
    stack.add(Item("etc/a"))

    def deed(top: str) -> None:
        os.mkdir(f"{top}/many")
        for number in range(20_000):
            os.mknod(f"{top}/many/{number}", stat.S_IFREG | 0o644)
        make(f"{top}/etc/deep/er/x")

    stack.write(deed)
    rows = paths(stack.view())
    assert rows["etc/deep/er/x"].layer == OF
    more = rows["many/…"]
    assert more.name == AT_LEAST
    assert 5_000 < more.number < 20_000
    found = stack.wrote(most_names=1000)
    assert not found.is_whole
    assert found.changes.added == 1000 - 1  # etc was only passed
    whole = stack.wrote(most_names=100_000)
    assert whole == Written(4, Changes(20_004, 0, 0), ("/many/0", "/many/1", "/many/2"), True)
    delete(f"{stack.upper}/many")  # so that the fixtures need not wait


def test_what_was_written_is_counted_without_the_folders_on_the_way(stack: Stack) -> None:
    stack.add(Item("etc/a"), Item("etc/b"), Item("etc/gone/x"), Item("usr/share/doc/long"), folder("tmp"))

    def deed(top: str) -> None:
        make(f"{top}/etc/a", "12345")
        make(f"{top}/usr/share/doc/long", "123")
        make(f"{top}/new/file", "12")
        os.symlink("file", f"{top}/new/link")
        delete(f"{top}/etc/gone")
        os.unlink(f"{top}/etc/b")
        os.chmod(f"{top}/tmp", 0o700)

    stack.write(deed)
    assert stack.wrote() == Written(
        5 + 3 + 2, Changes(added=3, changed=3, removed=2), ("/etc/a", "/new/file", "/usr/share/doc/long"), True
    )
    assert stack.wrote(most_files=1).files == ("/etc/a",)


def test_the_size_is_that_of_ps(engine: Engine) -> None:
    with engine.create(
        "busybox", ["sh", "-c", "echo happy > /happiness.txt; ln /happiness.txt /tmp/b; rm /bin/ls"]
    ) as made:
        made.start().wait()
        found = wrote(made._parts, top=made.top, upper=made.folder)
        [row] = [row for row in engine.ps(all=True, size=True) if row.id == made.id]
        assert found == Written(row.size, Changes(2, 0, 1), ("/happiness.txt", "/tmp/b"), True)


def test_what_vanishes_meanwhile_is_left_out(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    stack.add(Item("etc/a"), Item("etc/b"))

    def deed(top: str) -> None:
        make(f"{top}/etc/new/x")
        make(f"{top}/etc/file")
        os.symlink("x", f"{top}/link")
        make(f"{top}/gone/deep/x")

    stack.write(deed)
    real, seen = differences, list[str]()

    def meanwhile(upper: str, below: object, path: str, old: object) -> Iterator[object]:
        found = list(real(upper, below, path, old))  # type: ignore[arg-type]
        seen.append(path)
        if path == "":
            delete(f"{upper}/gone")
            os.unlink(f"{upper}/link")
        if path == "etc":
            os.unlink(f"{upper}/etc/file")
            delete(f"{upper}/etc/new")
        return iter(found)

    monkeypatch.setattr(unions, "differences", meanwhile)
    assert set(paths(stack.view())) == {"etc"}
    assert seen == ["", "etc"]


def test_a_folder_that_turns_into_a_link_leads_nowhere(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    stack.add(Item("etc/a"))
    stack.write(lambda top: make(f"{top}/trap/x"))
    real = differences

    def meanwhile(upper: str, below: object, path: str, old: object) -> Iterator[object]:
        if path == "trap":
            delete(f"{upper}/trap")
            os.symlink("/etc", f"{upper}/trap")
        return real(upper, below, path, old)  # type: ignore[arg-type]

    monkeypatch.setattr(unions, "differences", meanwhile)
    view = paths(stack.view())
    assert set(view) == {"etc", "trap"}
    assert view["trap"].number == 0
    assert stack.wrote().is_whole


def test_folders_deeper_than_any_path_do_no_harm(stack: Stack) -> None:
    stack.add(Item("etc/a"))

    def deed(top: str) -> None:
        at = os.open(top, os.O_RDONLY)
        for _ in range(2200):
            os.mkdir("d", dir_fd=at)
            below = os.open("d", os.O_RDONLY, dir_fd=at)
            os.close(at)
            at = below
        os.close(at)
        make(f"{top}/file")

    stack.write(deed)
    view = stack.view(most=30)
    assert len(view.rows) == 30
    assert [row.kind for row in view.rows].count("more") == 1
    found = stack.wrote()
    assert found.files == ("/file",)
    assert not found.is_whole


def test_long_names_in_long_paths_do_no_harm(stack: Stack) -> None:
    stack.add(Item("etc/a"))

    def deed(top: str) -> None:
        at = os.open(top, os.O_RDONLY)
        for _ in range(20):
            os.mkdir("n" * 255, dir_fd=at)
            below = os.open("n" * 255, os.O_RDONLY, dir_fd=at)
            os.close(at)
            at = below
        os.close(at)

    stack.write(deed)
    assert 15 < len(stack.view().rows) <= 21
    assert not stack.wrote().is_whole


def test_a_container_that_writes_all_the_time_can_be_looked_at(engine: Engine) -> None:
    script = """
    while :; do
        mkdir -p /a/b/c /etc/d/e; echo x > /a/b/c/x; echo y > /a/y; ln -s x /a/b/l; echo more >> /etc/passwd
        rm -r /a/b; mv /etc/d /etc/f; rm -r /a /etc/f; rm -rf /usr; mkdir /usr
    done"""
    with engine.create("busybox", ["sh", "-c", script]) as container:
        container.start()
        until(lambda: os.path.exists(f"{container.folder}/etc"))  # which the image has not
        for _ in range(150):
            view = union_view(container._parts, top=container.top, upper=container.folder, of=container.id)
            assert {"bin", "etc"} <= set(paths(view))
            assert wrote(container._parts, top=container.top, upper=container.folder).is_whole


@pytest.fixture(scope="module")
def shelf(workshop: str) -> Iterator[Shelf]:
    place = tempfile.mkdtemp(prefix="unions-", dir=workshop)
    yield Shelf(Roots(f"{place}/root", f"{place}/run"))
    delete(place)


@settings(max_examples=60, deadline=None)
@given(some.lists(worlds.layers(), min_size=1, max_size=3), some.integers(0, 10**6), some.integers(0, 15))
def test_the_view_is_what_the_kernel_shows(shelf: Shelf, deltas: list[list[Item]], seed: int, deeds: int) -> None:
    place, chance = tempfile.mkdtemp(prefix="made-", dir=os.path.dirname(shelf.store.root)), random.Random(seed)
    try:
        stack = Stack(shelf, place)
        for items in deltas:
            try:
                stack.add(folder("."), *items)
            except BadArchive:
                return

        def deed(top: str) -> None:
            for _ in range(deeds):
                act(top, chance)

        stack.write(deed)
        delete(f"{place}/work")
        told = {change.path[1:]: change.kind for change in changes(stack.upper, stack.lowers)}
        for most in (EVERYTHING, 12):
            view = stack.view(most)
            assert len(view.rows) <= most
            with mounted(stack.lowers, place, upper=stack.upper) as merged:
                check(view, merged, told if most == EVERYTHING else None)
            delete(f"{place}/work")
        found = stack.wrote()
        kinds = list(told.values())
        assert found.is_whole
        assert (found.changes.added, found.changes.removed) == (kinds.count("A"), kinds.count("D"))
        assert found.changes.changed <= kinds.count("C")
        assert found.size == sum(
            status.st_size
            for folder, _, names in os.walk(stack.upper)
            for status in (os.lstat(f"{folder}/{name}") for name in names)
            if stat.S_ISREG(status.st_mode)
        )
    finally:
        delete(place)


def check(view: View, merged: str, told: dict[str, str] | None) -> None:
    """Every row against the kernel's view, and every change against the rows, if all are there."""
    rows = paths(view)
    for path, row in rows.items():
        if row.kind == "more":
            continue
        if row.is_removed:
            assert not os.path.lexists(f"{merged}/{path}")
            continue
        status = os.lstat(f"{merged}/{path}")
        assert row.kind == unions._kind(status)
        assert row.target == (os.readlink(f"{merged}/{path}") if row.kind == "link" else "")
        if row.kind == "folder":
            here = [each for other, each in rows.items() if os.path.dirname(other) == path]
            shown = sum(each.number if each.kind == "more" else not each.is_removed for each in here)
            removed = sum(each.is_removed for each in here)
            number = len(os.listdir(f"{merged}/{path}"))
            assert number <= shown + removed if here else number == row.number
    if told is None:
        return
    assert set(told) <= set(rows)
    for path, kind in told.items():
        row = rows[path]
        assert row.is_removed == (kind == "D")
        if kind == "A":
            assert (row.layer, row.hides) == (OF, "")
        if row.kind != "folder" or kind == "D":
            assert row.layer == OF
            assert bool(row.hides) == (kind != "A")
    for path, row in rows.items():
        if path not in told and row.kind not in ("folder", "more"):
            assert row.layer != OF


def test_hard_links_are_files(stack: Stack) -> None:
    one = stack.add(Item("a"), hard_link("b", "a"))
    assert lines(stack.image(), one=one) == ["a one", "b one"]
