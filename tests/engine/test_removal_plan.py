"""Plans of removals, made of inventories that no disk has: what goes, what stays, and why."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tiffin.engine import Goes, Removal, Stays
from tiffin.engine.census import Inventory, Waiting
from tiffin.engine.removal_plan import after, of_container, of_idle, of_image, of_layer, of_leftovers, of_name
from tiffin.errors import ImageInUse, NoSuchImage, StoreBusy
from tiffin.images.records import Blob, Record
from tiffin.images.reference import parse
from tiffin.model.nouns import Container, Image, Layer, State


def id_of(letter: str) -> str:
    return "sha256:" + letter * 64


LOW = Layer(id_of("a"), None, id_of("d"), 1000)
TOP = Layer(id_of("b"), LOW.id, id_of("e"), 50)
BASE = Image(id_of("1"), (LOW.id,))
CHILD = Image(id_of("2"), (LOW.id, TOP.id), BASE.id)
BOX = Container("c" * 64, "box", CHILD.id, TOP.id, State.EXITED)
ON_BASE = Container("f" * 64, "low", BASE.id, LOW.id)
CONFIG = 7  # bytes
NAMES = {"base:1": BASE, "child:1": CHILD}


def name(text: str) -> Goes:
    return Goes("name", text, text, 0, "you named it")


def image(image: Image, label: str, why: str) -> Goes:
    return Goes("image", image.id, label, 0, why)


def layer(layer: Layer) -> Goes:
    return Goes("layer", layer.id, layer.id[7:19], layer.size, "nothing else needs it")


def config(image: Image, label: str) -> Goes:
    return Goes("blob", image.id, f"config of {label}", CONFIG, "nothing else needs it")


def inventory(
    names: dict[str, Image] = NAMES,
    *containers: Container,
    waiting: dict[str, Waiting] | None = None,
    is_quiet: bool = True,
    blobs: dict[str, int] | None = None,
    **records: Record,
) -> Inventory:
    """BASE and CHILD, which was made from it, with their configs."""
    waiting = waiting or {}
    named = {one.id: [parse(text) for text, other in names.items() if other == one] for one in names.values()}
    return Inventory(
        named, {one.id: one for one in (BASE, CHILD) if one.id not in waiting}, containers, {LOW.id: LOW, TOP.id: TOP},
        waiting=waiting, is_quiet=is_quiet, blobs={BASE.id: CONFIG, CHILD.id: CONFIG, **(blobs or {})},
        records={BASE.id: records.get("base", Record(BASE)), CHILD.id: records.get("child", Record(CHILD))},
    )  # fmt: skip


def rmi(census: Inventory, text: str, *, force: bool = False, prune: bool = True) -> Removal:
    return of_name(census, parse(text), NAMES[text].id, force=force, prune=prune)


def test_the_last_name_takes_the_image_its_layer_and_its_config_along_and_tells_what_keeps_the_rest():
    plan = rmi(inventory(), "child:1")
    assert plan == Removal(
        (name("child:1"), image(CHILD, "child:1", "its last name goes"), layer(TOP), config(CHILD, "child:1")),
        (
            Stays("image", BASE.id, "base:1", 0, "it is called base:1"),
            Stays("layer", LOW.id, "a" * 12, 1000, "image base:1 stands on it"),
        ),
    )
    assert plan.freed == TOP.size + CONFIG


def test_planning_changes_nothing_of_the_inventory():
    census = inventory()
    before = vars(census.copy())
    rmi(census, "child:1")
    of_idle(census, all=True, blobs=True)
    after(census, of_idle(census, all=True))
    assert vars(census) == before


def test_of_several_names_one_goes_and_the_others_are_why_the_image_stays():
    plan = rmi(inventory({**NAMES, "child:2": CHILD}), "child:1")
    assert plan == Removal((name("child:1"),), (Stays("image", CHILD.id, "child:2", 0, "it is called child:2"),))


def test_a_name_in_the_middle_of_a_stack_goes_alone():
    plan = rmi(inventory(), "base:1")
    assert plan == Removal((name("base:1"),), (Stays("image", BASE.id, "base:1", 0, "image child:1 was made from it"),))


def test_a_forced_name_under_a_container_goes_alone():
    running = BOX._replace(state=State.RUNNING)
    plan = rmi(inventory(NAMES, running), "child:1", force=True)
    why = "container box (running) is made from it"
    assert plan == Removal((name("child:1"),), (Stays("image", CHILD.id, "child:1", 0, why),))


def test_nameless_parents_go_along_or_stay_where_one_asks_for_it():
    census = inventory({"child:1": CHILD})
    goes = [(one.kind, one.id, one.why) for one in rmi(census, "child:1").goes if one.kind == "image"]
    assert goes == [
        ("image", CHILD.id, "its last name goes"),
        ("image", BASE.id, "it has no name, and nothing else was made from it"),
    ]
    plan = rmi(census, "child:1", prune=False)
    assert [one.id for one in plan.goes if one.kind == "image"] == [CHILD.id]
    assert [(one.id, one.why) for one in plan.stays] == [
        (BASE.id, "you said to keep it"), (LOW.id, f"image {'1' * 12} stands on it")]  # fmt: skip


def test_a_long_line_of_nameless_parents_goes():
    line = [BASE, *(Image("sha256:" + f"{number:064x}", (LOW.id,)) for number in range(2000))]
    line = [line[0], *(one._replace(parent=below.id) for below, one in pairwise(line))]
    records = {one.id: Record(one) for one in line}
    census = Inventory(
        {line[-1].id: [parse("tall:1")]}, {one.id: one for one in line}, (), {LOW.id: LOW},
        waiting={}, records=records, blobs={},
    )  # fmt: skip
    plan = of_name(census, parse("tall:1"), line[-1].id)
    assert [one.id for one in plan.goes if one.kind == "image"] == [one.id for one in reversed(line)]


def test_a_forced_image_leaves_its_layers_to_what_stands_on_them():
    plan = of_image(inventory(NAMES, BOX), CHILD, force=True)
    assert [one.kind for one in plan.goes] == ["name", "image", "blob"]
    assert plan.goes[0].why == "its image goes"
    assert {one.id: one.why for one in plan.stays} == {
        BASE.id: "it is called base:1",
        TOP.id: "container box (exited) stands on it",
        LOW.id: "image base:1 stands on it",
    }


def test_what_is_refused_is_refused_when_it_is_planned():
    with pytest.raises(ImageInUse, match="must force"):
        rmi(inventory(NAMES, BOX), "child:1")
    with pytest.raises(ImageInUse, match="must be forced"):
        of_image(inventory(), BASE)
    with pytest.raises(ImageInUse, match="cannot be forced"):
        of_image(inventory(NAMES, BOX._replace(state=State.PAUSED)), CHILD, force=True)
    with pytest.raises(ImageInUse, match="in the stack of image base:1"):
        of_layer(inventory(), LOW.id)
    with pytest.raises(NoSuchImage, match="it came this very moment"):
        rmi(inventory({"base:1": BASE}), "child:1")


def test_while_somebody_adds_things_only_names_and_images_go():
    plan = rmi(inventory({"child:1": CHILD}, is_quiet=False), "child:1")
    assert [(one.kind, one.id) for one in plan.goes] == [("name", "child:1"), ("image", CHILD.id)]
    assert of_leftovers(inventory(waiting={CHILD.id: Waiting(CHILD)}, is_quiet=False)) == Removal()
    with pytest.raises(StoreBusy):
        of_layer(inventory(is_quiet=False), TOP.id)


def test_prune_takes_what_has_no_name_and_tells_why_another_nameless_one_stays():
    plan = of_idle(inventory({}, ON_BASE))
    assert [(one.kind, one.id) for one in plan.goes] == [("image", CHILD.id), ("layer", TOP.id), ("blob", CHILD.id)]
    assert plan.goes[0].why == "it has no name, and nothing stands on it"
    assert {one.id: one.why for one in plan.stays} == {
        BASE.id: "container low (created) is made from it",
        LOW.id: f"image {'1' * 12} stands on it",
    }
    assert of_idle(inventory()) == Removal()


def test_prune_all_takes_the_named_too():
    plan = of_idle(inventory(), all=True)
    assert [(one.kind, one.label) for one in plan.goes] == [
        ("name", "child:1"), ("image", "child:1"), ("name", "base:1"), ("image", "base:1"), ("layer", "b" * 12),
        ("layer", "a" * 12), ("blob", "config of base:1"), ("blob", "config of child:1")]  # fmt: skip
    assert of_idle(inventory(NAMES, BOX), all=True) == Removal(
        (),
        (
            Stays("image", BASE.id, "base:1", 0, "image child:1 was made from it"),
            Stays("image", CHILD.id, "child:1", 0, "container box (exited) is made from it"),
        ),
    )


@pytest.mark.parametrize("is_quiet", [True, False])
def test_prune_may_take_the_compressed_forms_from_images_that_stay(is_quiet: bool):
    record = Record(CHILD, id_of("8"), (None, Blob(id_of("9"), "application/gzip")))
    plan = of_idle(inventory(child=record, blobs={id_of("8"): 3, id_of("9"): 20}, is_quiet=is_quiet), blobs=True)
    why = "its layers are kept unpacked"
    assert plan.goes == (
        Goes("blob", id_of("8"), "manifest of child:1", 3, why),
        Goes("blob", id_of("9"), f"layer {'b' * 12}, compressed", 20, why),
    )


def test_rm_takes_the_read_write_layer_and_tells_what_keeps_the_image():
    thrown = Goes("container", BOX.id, "box", 42, "its read-write layer is thrown away")
    assert of_container(inventory(NAMES, BOX), BOX, 42) == Removal(
        (thrown,), (Stays("image", CHILD.id, "child:1", 0, "it is called child:1"),)
    )
    nameless = of_container(inventory({}, BOX), BOX, 42)
    assert nameless.stays[0].why == "rm takes no image away"
    twin = BOX._replace(id="e" * 64, name="twin")
    assert of_container(inventory({}, BOX, twin), BOX, 42).stays[0].why == "container twin (exited) is made from it"
    killed = of_container(inventory(NAMES, BOX), BOX._replace(state=State.RUNNING), 42).goes[0]
    assert killed.why == "it is killed first; then its read-write layer is thrown away"


def test_rm_takes_the_layers_that_were_kept_for_the_container_alone():
    census = after(inventory(NAMES, BOX), of_image(inventory(NAMES, BOX), CHILD, force=True))
    plan = of_container(census, BOX, 0)
    assert [(one.kind, one.id) for one in plan.goes] == [("container", BOX.id), ("layer", TOP.id)]
    assert [(one.id, one.why) for one in plan.stays] == [(LOW.id, "image base:1 stands on it")]


@pytest.mark.parametrize(
    ("names", "containers", "forced", "goes"),
    [
        ({"base:1": BASE}, (), False, True),
        ({"base:1": BASE}, (BOX,), False, False),
        ({"base:1": BASE}, (BOX,), True, True),
    ],
)
def test_what_waits_for_its_deletion_goes_unless_it_is_needed_again(names, containers, forced, goes):
    plan = of_leftovers(inventory(names, *containers, waiting={CHILD.id: Waiting(CHILD, forced)}))
    gone = [one.id for one in plan.goes if one.kind == "image"]
    assert gone == [CHILD.id] * goes


def test_what_was_made_from_one_that_waits_and_is_needed_counts_as_made_from_it():
    grandchild = Image(id_of("3"), CHILD.layers, CHILD.id)
    census = inventory({"base:1": BASE}, waiting={CHILD.id: Waiting(CHILD)})
    census.images[grandchild.id], census.records[grandchild.id] = grandchild, Record(grandchild)
    assert of_leftovers(census) == Removal()
    with pytest.raises(ImageInUse, match="dependent child images"):
        of_image(census, BASE)


def test_what_nothing_needs_goes_with_any_removal():
    census = inventory({**NAMES, "child:2": CHILD}, blobs={id_of("7"): 9})
    assert rmi(census, "child:1").goes[1:] == (Goes("blob", id_of("7"), "7" * 12, 9, "nothing else needs it"),)


def test_plans_one_after_the_other_are_as_one():
    census = inventory()
    first = rmi(census, "child:1")
    second = rmi(after(census, first), "base:1")
    both = first.then(second)
    assert [(one.kind, one.id) for one in both.goes if one.kind == "layer"] == [("layer", TOP.id), ("layer", LOW.id)]
    assert both.stays == ()
    assert both.freed == LOW.size + TOP.size + 2 * CONFIG
    assert of_leftovers(after(census, both)) == Removal()


def test_a_plan_says_what_goes_beyond_another():
    one, all = rmi(inventory(), "child:1"), of_idle(inventory(), all=True)
    assert one.beyond(all) == ()
    assert {more.id for more in all.beyond(one)} == {"base:1", BASE.id, LOW.id}
