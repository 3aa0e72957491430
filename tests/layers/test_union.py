"""The union view in Python shows what the kernel's overlay shows: entry by entry, for any stack."""

from __future__ import annotations

import os
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tests.layers import worlds
from tests.layers.trees import Item, Seen, Stack, folder, look, mounted, symlink, tar
from tiffin.errors import BadArchive, NoSuchPath
from tiffin.layers.union import Sight, UnionView
from tiffin.store.deletion import delete

pytestmark = pytest.mark.root


def shown(view: UnionView) -> dict[str, Seen]:
    """The view in the form in which `look` gives a tree, without hard links: overlay breaks some of them."""
    trees = {layer: look(layer) for layer in view.folders}
    return {sight.path: trees[sight.layer][sight.path]._replace(links=()) for sight in view.walk()}


def by_the_kernel(lowers: list[str], place: str) -> dict[str, Seen]:
    with mounted(lowers, place) as merged:
        return {path: seen._replace(links=()) for path, seen in look(merged).items()}


@settings(max_examples=150, deadline=None)
@given(some.lists(worlds.layers(), min_size=1, max_size=5))
def test_the_view_is_the_kernels(workshop: str, deltas: list[list[Item]]) -> None:
    place = tempfile.mkdtemp(prefix="union-", dir=workshop)
    try:
        stack = Stack(place)
        for items in deltas:
            try:
                stack.add(tar(*items))
            except BadArchive:  # a path through a file, or out by a link
                return
        view = UnionView(stack.lowers)
        kernels = by_the_kernel(stack.lowers, place)
        assert shown(view) == kernels
        for path in kernels:
            found = view.lookup(path)
            assert found is not None
            assert (found.path, found.layer, found.layers) in {(s.path, s.layer, s.layers) for s in view.walk()}
        for path in ("a/b/c/d", "b/a", "d/d/d", "nowhere"):
            assert (view.lookup(path) is not None) == (path in kernels)
        for folder in (sight for sight in view.walk() if sight.is_folder):
            children = view.children(folder)
            assert sorted(view.stream(folder), key=lambda sight: os.fsencode(sight.path)) == children
            assert view.count(folder, 100) == len(children)
            names = [os.path.basename(child.path) for child in children]
            assert view.hidden(folder, names) == {
                name: below for name, child in zip(names, children, strict=True) if (below := hidden(view, child))
            }
    finally:
        delete(place)


def hidden(view: UnionView, sight: Sight) -> str | None:
    """The layer of what is seen in its place without those that give it, and all above: by looking once more."""
    found = UnionView(view.folders[view.folders.index(sight.layers[-1]) + 1 :]).lookup(sight.path)
    return found.layer if found else None


def test_folders_are_merged_from_the_top_down(stack: Stack) -> None:
    stack.add(tar(Item("a", b"bottom"), Item("d/y"), Item("d/z")))
    stack.add(tar(Item("a", b"middle"), Item("d/x")))
    stack.add(tar(Item("a", b"top")))
    view = UnionView(stack.lowers)
    assert [sight.path for sight in view.walk()] == ["", "a", "d", "d/x", "d/y", "d/z"]
    found = view.lookup("a")
    assert found is not None
    assert found.layer == stack.lowers[0]
    assert view.names("d") == ["x", "y", "z"]


def test_a_file_in_between_ends_the_merging(stack: Stack) -> None:
    stack.add(tar(Item("d/old")))
    stack.add(tar(Item("d")))
    stack.add(tar(Item("d/new")))
    assert UnionView(stack.lowers).names("d") == ["new"]


def test_names_in_what_is_no_folder_are_none(stack: Stack) -> None:
    stack.add(tar(Item("file")))
    assert UnionView(stack.lowers).names("file") == []
    assert UnionView(stack.lowers).names("nowhere") == []


def test_an_empty_stack_shows_nothing() -> None:
    view = UnionView([])
    assert list(view.walk()) == []
    assert view.lookup("") is None
    with pytest.raises(NoSuchPath):
        view.resolve("/")


@pytest.fixture
def linked(stack: Stack) -> UnionView:
    stack.add(tar(Item("etc/passwd", b"below"), Item("usr/lib/libc", b"libc"), symlink("lib", "usr/lib")))
    stack.add(
        tar(
            Item("etc/passwd", b"above"),
            symlink("out", "../../../etc/passwd"),
            symlink("abs", "/etc"),
            symlink("loop", "loop"),
            symlink("usr/up", ".././abs/"),
            symlink("dangling", "/nowhere"),
        )
    )
    return UnionView(stack.lowers)


@pytest.mark.parametrize(
    ("path", "real"),
    [
        ("/", ""),
        ("/etc/passwd", "etc/passwd"),
        ("out", "etc/passwd"),
        ("abs/passwd", "etc/passwd"),
        ("/usr/up/passwd", "etc/passwd"),
        ("lib/libc", "usr/lib/libc"),
        ("/../../lib/../lib/./libc", "usr/lib/libc"),
        ("..", ""),
        ("lib/..", "usr"),
    ],
)
def test_links_are_followed_within_the_view(path: str, real: str, linked: UnionView) -> None:
    assert linked.resolve(path).path == real


@pytest.mark.parametrize(
    "path", ["nowhere", "dangling", "etc/passwd/x", "etc/nowhere/x", "loop", "loop/x", "etc/passwd/.."]
)
def test_what_is_not_there_cannot_be_resolved(path: str, linked: UnionView) -> None:
    with pytest.raises(NoSuchPath):
        linked.resolve(path)


def test_a_file_is_read_from_the_layer_that_shows_it(linked: UnionView) -> None:
    with os.fdopen(linked.open(linked.resolve("/out")), "rb") as file:
        assert file.read() == b"above"


def test_a_file_that_became_a_link_or_a_fifo_meanwhile_is_not_opened(linked: UnionView) -> None:
    sight = linked.resolve("/etc/passwd")
    place = f"{sight.layer}/{sight.path}"
    os.unlink(place)
    os.symlink("/etc/passwd", place)
    with pytest.raises(NoSuchPath, match="cannot be read"):
        linked.open(sight)
    os.unlink(place)
    os.mkfifo(place)
    with pytest.raises(NoSuchPath, match="is no plain file"):
        linked.open(sight)


def test_a_folder_that_became_a_link_meanwhile_is_not_entered(linked: UnionView) -> None:
    sight = linked.resolve("/etc/passwd")
    os.rename(f"{sight.layer}/etc", f"{sight.layer}/was")
    os.symlink("/etc", f"{sight.layer}/etc")
    with pytest.raises(NoSuchPath, match="no folder any more"):
        linked.open(sight)


def test_opaque_folders_are_read_in_the_form_of_ordinary_users_too(stack: Stack) -> None:
    stack.add(tar(folder("d"), Item("d/old")))
    top = stack.add(tar(folder("d"), Item("d/new")))
    os.setxattr(f"{top}/d", "user.overlay.opaque", b"y")
    assert UnionView(stack.lowers).names("d") == ["new"]


def test_a_big_folder_is_not_counted_to_the_end(stack: Stack) -> None:
    stack.add(tar(*(Item(f"d/{number}") for number in range(20))))
    view = UnionView(stack.lowers)
    found = view.lookup("d")
    assert found is not None
    assert [view.count(found, most) for most in (5, 19, 20, 21)] == [5, 19, 20, 20]


def test_what_a_layer_hides_is_what_would_be_seen_without_it(stack: Stack) -> None:
    stack.add(tar(Item("a", b"bottom"), Item("d/x"), Item("e/x"), Item("f"), Item("g")))
    stack.add(tar(Item("a", b"middle"), Item("d/y"), Item("e/y"), Item("e/.wh..wh..opq"), Item(".wh.g")))
    stack.add(tar(Item("a", b"top"), Item("f/x"), Item("g")))
    top, middle, bottom = stack.lowers
    view = UnionView(stack.lowers)

    def hidden(path: str) -> str | None:
        above, name = os.path.split(path)
        folder = view.lookup(above)
        assert folder is not None
        return view.hidden(folder, [name, "nowhere"]).get(name)

    assert hidden("a") == middle  # the nearest, not all
    assert hidden("d") is None  # folders are merged, nothing of them is hidden
    assert hidden("d/y") is None
    assert hidden("e") == bottom
    assert hidden("f") == bottom
    assert hidden("g") is None  # it was gone already
    assert view.lookup("a") == view.pick(root(view), ["a", "nowhere"])["a"]
    assert top == view.pick(root(view), ["a"])["a"].layer


def root(view: UnionView) -> Sight:
    found = view.root()
    assert found is not None
    return found


def test_where_a_link_leads_is_told_and_not_followed(stack: Stack) -> None:
    stack.add(tar(symlink("out", "/etc/passwd"), symlink("d/up", "../../../etc")))
    view = UnionView(stack.lowers)
    targets = [view.target(sight) for sight in view.walk() if not sight.is_folder]
    assert targets == ["/etc/passwd", "../../../etc"]
