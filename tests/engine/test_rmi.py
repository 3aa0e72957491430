"""rmi, image prune and the collection of what nobody needs: the rule in docs/rmi.md, row by row."""

from __future__ import annotations

import os

import pytest

from tests.conftest import Roots
from tests.engine.stores import EMPTY, Shelf
from tests.images.archives import BOTTOM, TOP, digest, docker_20, image, layout
from tiffin.engine.removal import Pruned, Removed, collect, image_prune, plan_image_prune, plan_rmi, rmi
from tiffin.errors import BadName, Conflict, ImageInUse, NoSuchImage, StoreBusy
from tiffin.images.reference import parse
from tiffin.model.nouns import Container, State, chain_id
from tiffin.store import events

pytestmark = pytest.mark.root
BASE, CHILD = image(BOTTOM), image(BOTTOM, TOP)
LAYER, UPPER_LAYER = digest(BOTTOM), chain_id(digest(BOTTOM), digest(TOP))
CONTAINER = Container("c" * 64, "box", CHILD.id, UPPER_LAYER)


@pytest.fixture
def shelf(engine_root: Roots) -> Shelf:
    """base:1 and child:1, which was made from it."""
    shelf = Shelf(engine_root)
    shelf.load(docker_20(BASE, "base:1"))
    shelf.load(docker_20(CHILD, "child:1"))
    shelf.images.adopt(CHILD.id, BASE.id)
    return shelf


def untagged(*names: str) -> list[Removed]:
    return [Removed("Untagged", name) for name in names]


def deleted(*ids: str) -> list[Removed]:
    return [Removed("Deleted", id) for id in ids]


def kept(shelf: Shelf) -> tuple[set[str], set[str]]:
    """The images and the layers that are left."""
    return {image.id for image in shelf.images.all()}, {layer.id for layer in shelf.layers.all()}


def test_the_last_name_takes_the_image_along_and_the_layers_that_nothing_else_needs(shelf: Shelf):
    assert rmi(shelf, "child:1") == untagged("child:1") + deleted(CHILD.id, UPPER_LAYER)
    assert kept(shelf) == ({BASE.id}, {LAYER})
    assert rmi(shelf, "base:1") == untagged("base:1") + deleted(BASE.id, LAYER)
    assert shelf.left() == EMPTY


def test_a_name_goes_alone_while_there_are_others(shelf: Shelf):
    shelf.load(docker_20(CHILD, "child:2"))
    assert rmi(shelf, "child:1") == untagged("child:1")
    assert kept(shelf)[0] == {BASE.id, CHILD.id}


def test_an_image_that_others_were_made_from_loses_its_name_only(shelf: Shelf):
    assert rmi(shelf, "base:1") == untagged("base:1")
    assert kept(shelf)[0] == {BASE.id, CHILD.id}


def test_nameless_parents_go_along_with_the_last_that_was_made_from_them(shelf: Shelf):
    rmi(shelf, "base:1")
    assert rmi(shelf, "child:1") == untagged("child:1") + deleted(CHILD.id, BASE.id, UPPER_LAYER, LAYER)
    assert shelf.left() == EMPTY


def test_nameless_parents_stay_where_one_asks_for_it(shelf: Shelf):
    rmi(shelf, "base:1")
    assert rmi(shelf, "child:1", prune=False) == untagged("child:1") + deleted(CHILD.id, UPPER_LAYER)


def test_the_last_name_of_an_image_under_a_container_is_refused(shelf: Shelf):
    shelf.told = [CONTAINER]
    refusal = (
        r'unable to remove repository reference "child:1" \(must force\) - container cccccccccccc '
        f"is using its referenced image {CHILD.id[7:19]}"
    )
    with pytest.raises(ImageInUse, match=refusal):
        rmi(shelf, "child:1")
    assert shelf.image("child:1").id == CHILD.id


@pytest.mark.parametrize("state", [State.EXITED, State.RUNNING])
def test_forced_a_name_goes_and_the_image_stays_under_its_container(shelf: Shelf, state: str):
    shelf.told = [CONTAINER._replace(state=state)]
    assert rmi(shelf, "child:1", force=True) == untagged("child:1")
    assert CHILD.id in kept(shelf)[0]


def test_an_id_takes_the_only_name_along(shelf: Shelf):
    assert rmi(shelf, CHILD.id[7:19]) == untagged("child:1") + deleted(CHILD.id, UPPER_LAYER)


def test_an_id_with_several_names_is_refused_and_forced_takes_them_all(shelf: Shelf):
    shelf.load(docker_20(CHILD, "child:2"))
    with pytest.raises(ImageInUse, match=r"\(must be forced\) - image is referenced in multiple repositories"):
        rmi(shelf, CHILD.id)
    assert rmi(shelf, CHILD.id, force=True) == untagged("child:1", "child:2") + deleted(CHILD.id, UPPER_LAYER)


def test_an_id_in_the_middle_of_a_stack_is_refused(shelf: Shelf):
    with pytest.raises(ImageInUse, match=r"unable to delete .* \(must be forced\) - image has dependent child images"):
        rmi(shelf, BASE.id)


def test_forced_an_image_in_the_middle_goes_and_what_was_made_from_it_keeps_its_layers(shelf: Shelf):
    assert rmi(shelf, BASE.id, force=True) == untagged("base:1") + deleted(BASE.id)
    assert kept(shelf) == ({CHILD.id}, {LAYER, UPPER_LAYER})
    assert shelf.images.get(CHILD.id).parent is None


def test_an_id_under_a_stopped_container_is_refused_and_forced_leaves_it_its_layers(shelf: Shelf):
    shelf.told = [CONTAINER._replace(state=State.EXITED)]
    with pytest.raises(ImageInUse, match=r"\(must be forced\) - image is being used by stopped container cccccccccccc"):
        rmi(shelf, CHILD.id)
    assert rmi(shelf, CHILD.id, force=True) == untagged("child:1") + deleted(CHILD.id)
    assert kept(shelf) == ({BASE.id}, {LAYER, UPPER_LAYER})


@pytest.mark.parametrize("state", [State.RUNNING, State.PAUSED, State.RESTARTING])
def test_an_id_under_a_running_container_cannot_be_forced(shelf: Shelf, state: str):
    shelf.told = [CONTAINER._replace(state=state)]
    with pytest.raises(ImageInUse, match=r"\(cannot be forced\) - image is being used by running container"):
        rmi(shelf, CHILD.id, force=True)
    assert shelf.image("child:1").id == CHILD.id


@pytest.mark.parametrize("force", [False, True])
def test_a_layer_in_a_stack_is_refused_even_forced(shelf: Shelf, force: bool):
    with pytest.raises(ImageInUse, match=r"\(cannot be forced\) - it is in the stack of image (base|child):1"):
        rmi(shelf, LAYER, force=force)


def test_a_layer_under_a_container_is_refused(shelf: Shelf):
    shelf.told = [CONTAINER._replace(image=None)]
    rmi(shelf, "child:1")
    with pytest.raises(ImageInUse, match=r"it is in the stack of container cccccccccccc"):
        rmi(shelf, UPPER_LAYER)


def test_a_layer_that_nothing_needs_goes(shelf: Shelf):
    shelf.told = [CONTAINER._replace(image=None)]
    rmi(shelf, "child:1")
    shelf.told = []
    assert rmi(shelf, UPPER_LAYER) == deleted(UPPER_LAYER)


def test_what_is_not_there_cannot_be_removed(shelf: Shelf):
    with pytest.raises(NoSuchImage, match="No such image: nothing:latest"):
        rmi(shelf, "nothing")
    with pytest.raises(BadName, match="invalid reference format"):
        rmi(shelf, "No Name")


def test_a_name_that_comes_to_be_meanwhile_does_not_take_its_image_along(shelf: Shelf, monkeypatch: pytest.MonkeyPatch):
    named = shelf.images.named

    def not_yet(text: str) -> str | None:
        id = named(text)
        shelf.images.names.put(parse("late:1"), CHILD.id)
        return id

    monkeypatch.setattr(shelf.images, "named", not_yet)
    with pytest.raises(NoSuchImage, match="No such image: late:1"):
        rmi(shelf, "late:1")
    assert [name.familiar() for name in shelf.images.names_of(CHILD.id)] == ["child:1", "late:1"]


def test_the_name_goes_at_once_while_somebody_adds_things_and_the_rest_later(shelf: Shelf):
    with shelf.store.shared():
        assert rmi(shelf, "child:1") == untagged("child:1") + deleted(CHILD.id)
        assert kept(shelf) == ({BASE.id}, {LAYER, UPPER_LAYER})
        with pytest.raises(NoSuchImage):
            shelf.image(CHILD.id)
        with pytest.raises(StoreBusy, match="somebody is adding"):
            rmi(shelf, UPPER_LAYER)
    assert collect(shelf).removed == deleted(CHILD.id, UPPER_LAYER)
    assert kept(shelf) == ({BASE.id}, {LAYER})


@pytest.mark.parametrize("holder", ["name", "container", "child"])
def test_an_image_that_is_needed_again_before_it_was_deleted_stays(shelf: Shelf, holder: str):
    with shelf.store.shared():
        rmi(shelf, "child:1")
    grandchild = image(BOTTOM, TOP, author="grandchild")
    if holder == "name":
        shelf.load(docker_20(CHILD, "child:2"))
    elif holder == "container":
        shelf.told = [CONTAINER]
    else:
        with shelf.store.shared():
            shelf.images.add(grandchild.config, parent=CHILD.id)
    collect(shelf)
    assert CHILD.id in kept(shelf)[0]


def test_a_forced_removal_that_had_to_wait_is_done_under_a_container_too(shelf: Shelf):
    shelf.told = [CONTAINER._replace(state=State.EXITED)]
    with shelf.store.shared():
        rmi(shelf, CHILD.id, force=True)
    assert collect(shelf).removed == deleted(CHILD.id)
    assert kept(shelf) == ({BASE.id}, {LAYER, UPPER_LAYER})


def test_what_a_dead_load_left_is_collected(shelf: Shelf):
    rmi(shelf, "child:1")
    os.mkdir(shelf.store.path("tmp", "dead"))
    with shelf.store.shared():
        shelf.content.put(b"of nobody")
    before = sum(shelf.content.all().values())
    dead, blob = on_disk(shelf.store.path("tmp", "dead")), on_disk(shelf.content.path(digest(b"of nobody")))
    assert collect(shelf) == Pruned([], dead + blob)
    assert sum(shelf.content.all().values()) == before - len(b"of nobody")
    assert shelf.left()["tmp"] == []


def test_prune_takes_nameless_images_that_nothing_uses(shelf: Shelf):
    shelf.unname(CHILD.id)
    layer, record = shelf.layers._path(UPPER_LAYER), shelf.images._folder(CHILD.id)
    freed = on_disk(layer) + on_disk(record) + on_disk(shelf.content.path(CHILD.id))
    marked = on_disk(f"{record}/json")  # as is the file that marks it before it goes
    pruned = image_prune(shelf)
    assert pruned.removed == deleted(CHILD.id, UPPER_LAYER)
    assert freed <= pruned.size <= freed + marked
    assert kept(shelf) == ({BASE.id}, {LAYER})


def test_prune_counts_what_was_thrown_away_before(shelf: Shelf):
    shelf.store.trash(shelf.layers._path(UPPER_LAYER))
    (taken,) = (shelf.store.path("trash", name) for name in shelf.left()["trash"])
    size = on_disk(taken)
    assert size > 0
    assert image_prune(shelf) == Pruned([], size)
    last = [event for event in events.read(shelf.store) if isinstance(event, events.Event)][-1]
    assert last[2:] == ("image", "prune", "", {"reclaimed": str(size)})


def on_disk(path: str) -> int:
    """The bytes of the disk that a file or a folder takes."""
    inside = [os.path.join(folder, name) for folder, folders, files in os.walk(path) for name in (*folders, *files)]
    return sum(os.lstat(there).st_blocks * 512 for there in (path, *inside))


def test_prune_keeps_what_has_a_name_a_container_or_a_child(shelf: Shelf):
    shelf.told = [CONTAINER]
    for id in (CHILD.id, BASE.id):
        shelf.unname(id)
    assert image_prune(shelf) == Pruned([], 0)


def test_prune_all_takes_every_image_that_no_container_uses(shelf: Shelf):
    pruned = image_prune(shelf, all=True)
    assert pruned.removed == untagged("child:1") + deleted(CHILD.id) + untagged("base:1") + deleted(
        BASE.id, UPPER_LAYER, LAYER)  # fmt: skip
    assert shelf.left() == EMPTY


def test_prune_all_keeps_the_images_of_containers(shelf: Shelf):
    shelf.told = [CONTAINER]
    assert image_prune(shelf, all=True) == Pruned([], 0)
    shelf.told = [CONTAINER._replace(image=BASE.id, top=LAYER)]
    assert image_prune(shelf, all=True).removed == untagged("child:1") + deleted(CHILD.id, UPPER_LAYER)


def test_prune_may_drop_the_compressed_forms(shelf: Shelf):
    shelf.load(layout(CHILD, "docker.io/library/child:1", packed="gzip"))
    blobs = {blob for id in shelf.images.ids() for blob in shelf.images.record(id).kept()} - {CHILD.id, BASE.id}
    size = sum(on_disk(shelf.content.path(blob)) for blob in blobs)
    assert image_prune(shelf, blobs=True) == Pruned([], size)
    assert {BASE.id, CHILD.id} == set(shelf.content.all())


def test_removals_are_told_as_events(shelf: Shelf):
    after = events.last_number(shelf.store)
    rmi(shelf, "child:1")
    told = [event for event in events.read(shelf.store, after=after) if isinstance(event, events.Event)]
    assert [(event.action, event.id, event.attributes["name"]) for event in told] == [
        ("untag", CHILD.id, "child:1"), ("delete", CHILD.id, CHILD.id)]  # fmt: skip


# plans: tests/engine/test_removal_plan.py has what is in them


def test_a_plan_changes_nothing_and_a_removal_does_what_was_planned(shelf: Shelf):
    before = snapshot(shelf)
    planned = plan_image_prune(shelf, all=True)
    plan_rmi(shelf, "child:1")
    assert snapshot(shelf) == before
    removed = image_prune(shelf, all=True, agreed=planned).removed
    assert [one.id for one in removed] == [one.id for one in planned.goes if one.kind != "blob"]
    assert shelf.left() == EMPTY


def test_what_came_after_the_plan_was_seen_is_not_removed_by_it(shelf: Shelf):
    shelf.unname(CHILD.id)
    seen = plan_image_prune(shelf)
    shelf.unname(BASE.id)
    before = snapshot(shelf)
    with pytest.raises(Conflict, match=f"nothing was removed: .* came to it: image {BASE.id[7:19]}; look again"):
        image_prune(shelf, agreed=seen)
    with pytest.raises(Conflict, match="look again"):
        rmi(shelf, CHILD.id, agreed=seen)
    assert snapshot(shelf) == before
    assert image_prune(shelf, agreed=plan_image_prune(shelf)).removed == deleted(
        CHILD.id, BASE.id, UPPER_LAYER, LAYER)  # fmt: skip


def test_what_went_before_the_plan_was_agreed_to_is_no_conflict(shelf: Shelf):
    seen = plan_image_prune(shelf, all=True)
    rmi(shelf, "child:1")
    assert image_prune(shelf, all=True, agreed=seen).removed == untagged("base:1") + deleted(BASE.id, LAYER)


def test_several_removals_are_planned_as_one_after_the_other(shelf: Shelf):
    first = plan_rmi(shelf, "child:1")
    both = first.then(plan_rmi(shelf, "base:1", after=first))
    assert {one.id for one in both.goes if one.kind in ("image", "layer")} == {CHILD.id, BASE.id, LAYER, UPPER_LAYER}
    for again in ("child:1", CHILD.id, UPPER_LAYER):
        with pytest.raises(NoSuchImage, match="No such image"):
            plan_rmi(shelf, again, after=both)
    with pytest.raises(ImageInUse):
        plan_rmi(shelf, BASE.id)


def test_a_plan_refuses_what_the_removal_refuses(shelf: Shelf):
    with pytest.raises(NoSuchImage, match="No such image: nothing:latest"):
        plan_rmi(shelf, "nothing")
    with pytest.raises(BadName, match="invalid reference format"):
        plan_rmi(shelf, "No Name")
    with pytest.raises(ImageInUse, match="it is in the stack of image"):
        plan_rmi(shelf, LAYER)


def test_who_plans_waits_for_nobody(shelf: Shelf):
    with shelf.store.shared():
        planned = plan_rmi(shelf, "child:1")
    assert [one.id for one in planned.goes if one.kind == "layer"] == [UPPER_LAYER]


def test_a_removal_that_waits_leaves_no_image_that_is_made_from_nothing(shelf: Shelf):
    with shelf.store.shared():
        rmi(shelf, "child:1")
        grandchild = image(BOTTOM, TOP, author="grandchild")
        shelf.images.add(grandchild.config, parent=CHILD.id)
    with pytest.raises(ImageInUse, match="dependent child images"):
        rmi(shelf, BASE.id)
    assert rmi(shelf, "base:1") == untagged("base:1")
    assert {image.id: image.parent for image in shelf.images.all()} == {
        BASE.id: None, CHILD.id: BASE.id, grandchild.id: CHILD.id}  # fmt: skip


def snapshot(shelf: Shelf) -> dict[str, tuple[int, int]]:
    """Every file and folder of the root, with its inode and time."""
    found = [shelf.store.root]
    for folder, folders, files in os.walk(shelf.store.root):
        found += [os.path.join(folder, name) for name in (*folders, *files)]
    return {path: (os.lstat(path).st_ino, os.lstat(path).st_mtime_ns) for path in found}
