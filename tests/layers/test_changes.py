"""`docker diff`: what is new, changed and gone, seen through the kernel's overlay."""

from __future__ import annotations

import os
import random
import stat
import tempfile
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tests.layers import worlds
from tests.layers.test_delta import act
from tests.layers.trees import Item, Stack, folder, look, mounted, symlink, tar
from tiffin.errors import BadArchive
from tiffin.layers.changes import changes
from tiffin.layers.overlay import new_upper
from tiffin.store.deletion import delete

pytestmark = pytest.mark.root


@pytest.fixture
def after(stack: Stack) -> Callable[[Callable[[str], object]], list[str]]:
    """The changes that something makes in a container, as lines of `docker diff`."""
    stack.add(
        tar(
            folder("."),
            Item("etc/motd", b"hello"),
            Item("etc/conf/a"),
            Item("etc/conf/b"),
            Item("etc/conf/sub/c"),
            Item("etc-old/x"),
            folder("tmp", mode=0o1777),
            symlink("lib", "etc"),
        )
    )
    upper = f"{stack.folder}/upper"
    new_upper(upper, stack.lowers)

    def told(deed: Callable[[str], object]) -> list[str]:
        with mounted(stack.lowers, stack.folder, upper=upper) as merged:
            deed(merged)
        return [f"{change.kind} {change.path}" for change in changes(upper, stack.lowers)]

    return told


Told = Callable[[Callable[[str], object]], list[str]]


def write(path: str) -> None:
    with open(path, "a", encoding="ascii") as file:
        file.write("more")


def test_nothing_done_is_nothing_told(after: Told) -> None:
    assert after(os.listdir) == []


def test_a_new_file_is_added_and_its_folder_changed(after: Told) -> None:
    assert after(lambda top: write(f"{top}/tmp/new")) == ["C /tmp", "A /tmp/new"]


def test_a_file_in_the_root_changes_no_folder(after: Told) -> None:
    assert after(lambda top: write(f"{top}/happiness.txt")) == ["A /happiness.txt"]


def test_a_written_file_is_changed_and_all_folders_above(after: Told) -> None:
    assert after(lambda top: write(f"{top}/etc/conf/sub/c")) == [
        "C /etc", "C /etc/conf", "C /etc/conf/sub", "C /etc/conf/sub/c",
    ]  # fmt: skip


def test_a_removed_file_is_gone(after: Told) -> None:
    assert after(lambda top: os.unlink(f"{top}/etc/motd")) == ["C /etc", "D /etc/motd"]


def test_a_removed_folder_is_told_once(after: Told) -> None:
    assert after(lambda top: delete(f"{top}/etc/conf")) == ["C /etc", "D /etc/conf"]


def test_a_new_folder_is_added_with_everything_in_it(after: Told) -> None:
    def deed(top: str) -> None:
        os.makedirs(f"{top}/srv/a")
        write(f"{top}/srv/a/file")

    assert after(deed) == ["A /srv", "A /srv/a", "A /srv/a/file"]


def test_a_replaced_folder_tells_what_is_gone_from_it(after: Told) -> None:
    def deed(top: str) -> None:
        delete(f"{top}/etc/conf")
        os.mkdir(f"{top}/etc/conf")
        write(f"{top}/etc/conf/b")
        write(f"{top}/etc/conf/new")

    assert after(deed) == [
        "C /etc", "C /etc/conf", "D /etc/conf/a", "C /etc/conf/b", "A /etc/conf/new", "D /etc/conf/sub",
    ]  # fmt: skip


def test_a_folder_in_the_place_of_a_file_is_changed(after: Told) -> None:
    def deed(top: str) -> None:
        os.unlink(f"{top}/etc/motd")
        os.mkdir(f"{top}/etc/motd")
        write(f"{top}/etc/motd/x")

    assert after(deed) == ["C /etc", "C /etc/motd", "A /etc/motd/x"]


def test_a_file_in_the_place_of_a_folder_is_changed(after: Told) -> None:
    def deed(top: str) -> None:
        delete(f"{top}/etc/conf")
        write(f"{top}/etc/conf")

    assert after(deed) == ["C /etc", "C /etc/conf"]


def test_a_folder_with_another_mode_is_changed_and_one_only_touched_is_not(after: Told) -> None:
    def deed(top: str) -> None:
        os.chmod(f"{top}/tmp", 0o700)
        os.utime(f"{top}/etc/conf")

    assert after(deed) == ["C /tmp"]


def test_what_came_and_went_is_not_told(after: Told) -> None:
    def deed(top: str) -> None:
        write(f"{top}/tmp/passing")
        os.unlink(f"{top}/tmp/passing")

    assert after(deed) == []


def test_what_is_in_a_folder_comes_right_after_it(after: Told) -> None:
    def deed(top: str) -> None:
        write(f"{top}/etc-old/y")
        write(f"{top}/etc/y")

    assert after(deed) == ["C /etc", "A /etc/y", "C /etc-old", "A /etc-old/y"]


@settings(max_examples=80, deadline=None)
@given(worlds.layers(), some.integers(0, 10**6), some.integers(1, 20))
def test_what_is_told_is_the_difference_of_two_trees(workshop: str, items: list[Item], seed: int, deeds: int) -> None:
    place, chance = tempfile.mkdtemp(prefix="changes-", dir=workshop), random.Random(seed)
    try:
        stack = Stack(place)
        try:
            stack.add(tar(folder("."), *items))
        except BadArchive:
            return
        before = look(stack.lowers[0])
        upper = f"{place}/upper"
        new_upper(upper, stack.lowers)
        with mounted(stack.lowers, place, upper=upper) as merged:
            for _ in range(deeds):
                act(merged, chance)
            after = look(merged)
        told = {change.path[1:]: change.kind for change in changes(upper, stack.lowers)}
        assert {path for path, kind in told.items() if kind == "A"} == set(after) - set(before)
        gone = set(before) - set(after)
        # not what was in a folder that is gone, or is no folder any more
        tops = {path for path in gone if os.path.dirname(path) in after and after[os.path.dirname(path)].kind == "d"}
        assert {path for path, kind in told.items() if kind == "D"} == tops
        kept = [path for path in set(before) & set(after) if path]
        for path in kept:
            if before[path]._replace(links=()) != after[path]._replace(links=()) and before[path].kind != "d":
                assert told[path] == "C"
        assert all(stat.S_ISDIR(os.lstat(f"{upper}/{path}").st_mode) for path, kind in told.items()
                   if kind == "C" and before[path] == after[path] and after[path].kind == "d")  # fmt: skip
    finally:
        delete(place)
