"""The article's commands as pure functions: what each makes of a host, and what it says."""

from __future__ import annotations

import pytest

from tiffin.errors import (
    AmbiguousId,
    BadParameter,
    ContainerRunning,
    ImageInUse,
    NameInUse,
    NoSuchContainer,
    NoSuchImage,
    NotModified,
)
from tiffin.model import transitions as t
from tiffin.model.nouns import Container, Host, Image, Layer, State

LOW, TOP = "sha256:" + "a" * 64, "sha256:" + "b" * 64
BASE, CHILD = Image("sha256:" + "1" * 64, (LOW,)), Image("sha256:" + "2" * 64, (LOW, TOP), "sha256:" + "1" * 64)
LAYERS = {LOW: Layer(LOW, None, "sha256:" + "d" * 64, 10), TOP: Layer(TOP, LOW, "sha256:" + "e" * 64, 5)}
EMPTY = Host({}, {}, {}, {})
HOST = Host(LAYERS, {BASE.id: BASE, CHILD.id: CHILD}, {"base:latest": BASE.id, "child:latest": CHILD.id}, {})
WEB, JOB = "c0" * 32, "c1" * 32


def host_with(image: Image = CHILD, state: str = State.CREATED, *, auto_remove: bool = False) -> Host:
    return HOST._replace(containers={WEB: Container(WEB, "web", image.id, image.top, state, auto_remove)})


def test_create_adds_a_read_write_layer_and_runs_nothing():
    after, said = t.create(HOST, "base", id=WEB, name="web")
    assert after == HOST._replace(containers={WEB: Container(WEB, "web", BASE.id, LOW)})
    assert said == "web is a read-write layer on top of base; nothing runs"


def test_run_is_create_then_start():
    created = t.create(HOST, "base", id=WEB, name="web").after
    assert t.run(HOST, "base", id=WEB, name="web") == (
        t.start(created, "web").after,
        "web is a read-write layer on top of base; there is a process space around web now",
    )


def test_a_verb_changes_nothing_of_the_host_that_it_was_given():
    before = host_with()
    t.rmi(t.commit(t.start(before, "web").after, "web", id="sha256:" + "3" * 64, layer=None, name="new").after, "new")
    assert before == host_with()


def test_a_bare_layer_can_be_run():
    after, _ = t.create(HOST, LOW, id=WEB, name="web")
    assert after.containers[WEB] == Container(WEB, "web", None, LOW)
    assert t.create(HOST, "sha256:aaa", id=WEB, name="web").after == after
    assert t.create(HOST, "aaa", id=WEB, name="web").after == after


def test_a_container_that_ended_stays_unless_it_was_made_with_rm():
    assert t.stop(host_with(state=State.RUNNING), "web").after == host_with(state=State.EXITED)
    assert t.stop(host_with(state=State.RUNNING, auto_remove=True), "web").after == HOST
    assert t.wait(host_with(state=State.RUNNING, auto_remove=True), "web").after == HOST


def test_restart_does_not_throw_a_rm_container_away():
    running = host_with(state=State.RUNNING, auto_remove=True)
    assert t.restart(running, "web").after == running


def test_a_signal_need_not_end_a_program():
    running = host_with(state=State.RUNNING)
    assert t.kill(running, "web", ends=False).after == running
    assert t.kill(running, "web").after == host_with(state=State.EXITED)


def test_a_refused_verb_raises_the_error_of_the_table():
    with pytest.raises(NotModified):
        t.start(host_with(state=State.RUNNING), "web")
    with pytest.raises(ContainerRunning):
        t.rm(host_with(state=State.RUNNING), "web")
    with pytest.raises(NoSuchContainer):
        t.start(HOST, "web")


def test_names_of_containers_are_taken_once():
    with pytest.raises(NameInUse):
        t.create(host_with(), "base", id=JOB, name="web")
    two = t.create(host_with(), "base", id=JOB, name="job").after
    with pytest.raises(NameInUse):
        t.rename(two, "job", "web")
    with pytest.raises(BadParameter):
        t.rename(two, "job", "job")
    assert t.rename(two, "job", "batch").after.containers[JOB].name == "batch"


def test_a_container_is_found_by_id_then_by_name_then_by_the_beginning_of_its_id():
    host = t.create(host_with(), "base", id=JOB, name="c0").after
    assert t.find_container(host, WEB).name == "web"
    assert t.find_container(host, "c0").id == JOB
    assert t.find_container(host, "c0c0").id == WEB
    with pytest.raises(AmbiguousId):
        t.find_container(host, "c")


def test_commit_burns_the_read_write_layer_and_names_the_image():
    burnt = Layer("sha256:" + "f" * 64, TOP, "sha256:" + "9" * 64, 1)
    made = Image("sha256:" + "3" * 64, (LOW, TOP, burnt.id), CHILD.id)
    after, said = t.commit(host_with(), "web", id=made.id, layer=burnt, name="new")
    assert after == host_with()._replace(
        layers={**LAYERS, burnt.id: burnt},
        images={**HOST.images, made.id: made},
        names={**HOST.names, "new:latest": made.id},
    )
    assert said == "the read-write layer of web is burnt into a read-only one on top of its image: new"


def test_a_commit_of_nothing_makes_an_image_of_the_same_layers():
    after, _ = t.commit(host_with(), "web", id="sha256:" + "3" * 64, layer=None)
    assert after.layers == LAYERS
    assert after.images["sha256:" + "3" * 64] == Image("sha256:" + "3" * 64, CHILD.layers, CHILD.id)


def test_the_last_name_takes_the_image_along_and_the_layers_that_nothing_else_needs():
    after = t.rmi(HOST, "child").after
    assert after == Host({LOW: LAYERS[LOW]}, {BASE.id: BASE}, {"base:latest": BASE.id}, {})
    assert t.rmi(after, "base:latest").after == EMPTY


def test_an_image_under_others_loses_its_name_only_and_goes_along_with_the_last_of_them():
    after = t.rmi(HOST, "base").after
    assert after == HOST._replace(names={"child:latest": CHILD.id})
    assert t.rmi(after, "child").after == EMPTY
    assert t.rmi(after, "child", prune=False).after.images == {BASE.id: BASE}


@pytest.mark.parametrize("reference", [BASE.id, CHILD.id, "child", LOW, TOP])
def test_rmi_is_refused_in_the_middle_of_a_stack_and_under_a_container(reference: str):
    with pytest.raises(ImageInUse):
        t.rmi(host_with(), reference)


def test_forced_rmi_in_the_middle_of_a_stack_leaves_the_layers_that_others_need():
    after = t.rmi(HOST, BASE.id, force=True).after
    assert after == Host(LAYERS, {CHILD.id: CHILD._replace(parent=None)}, {"child:latest": CHILD.id}, {})


def test_forced_rmi_takes_an_image_away_from_under_a_container_but_not_while_it_runs():
    after = t.rmi(host_with(), CHILD.id, force=True).after
    assert (after.layers, set(after.images), set(after.containers)) == (LAYERS, {BASE.id}, {WEB})
    with pytest.raises(ImageInUse):
        t.rmi(host_with(state=State.PAUSED), CHILD.id, force=True)


def test_with_a_container_go_the_layers_that_were_kept_for_it_alone():
    after, said = t.rm(t.rmi(host_with(), CHILD.id, force=True).after, "web")
    assert after.layers == {LOW: LAYERS[LOW]}
    assert said == "the read-write layer of web is gone, with the layers that were kept for it alone"
    assert t.rm(host_with(), "web") == (HOST, "the read-write layer of web is gone; what it lay on is as before")


def test_tag_makes_an_image_of_a_bare_layer():
    after = t.tag(HOST, LOW, "low", id="sha256:" + "3" * 64).after
    assert after.images["sha256:" + "3" * 64] == Image("sha256:" + "3" * 64, (LOW,))
    assert t.tag(HOST, "child", "base", id="").after == HOST._replace(names={**HOST.names, "base:latest": CHILD.id})


def test_prune_takes_the_nameless_or_all_that_no_container_needs():
    nameless = HOST._replace(names={"base:latest": BASE.id})
    assert t.image_prune(nameless).after == Host({LOW: LAYERS[LOW]}, {BASE.id: BASE}, {"base:latest": BASE.id}, {})
    assert t.image_prune(HOST).after == HOST
    assert t.image_prune(HOST, all=True).after == EMPTY
    assert t.image_prune(host_with(), all=True).after == host_with()


def test_what_was_saved_can_be_loaded_elsewhere():
    assert t.load(EMPTY, t.saved(HOST, ["base", "child"])).after == HOST
    alone = t.load(EMPTY, t.saved(HOST, [CHILD.id])).after
    assert alone == Host(LAYERS, {CHILD.id: CHILD._replace(parent=None)}, {}, {})


def test_a_name_without_a_tag_saves_all_its_tags():
    host = t.tag(HOST, "base", "child:old", id="").after
    assert t.saved(host, ["child"]).names == {"child:latest": CHILD.id, "child:old": BASE.id}
    assert t.saved(host, ["child:old"]).names == {"child:old": BASE.id}


def test_a_bare_layer_is_not_saved():
    with pytest.raises(NoSuchImage):
        t.saved(HOST, [LOW])


def test_ps_and_images_show_a_part_and_with_all_everything():
    assert t.running(host_with(state=State.PAUSED)) == [host_with(state=State.PAUSED).containers[WEB]]
    assert t.running(host_with(state=State.EXITED)) == []
    nameless = HOST._replace(names={"child:latest": CHILD.id})
    assert t.on_top(nameless) == [CHILD]
    assert t.bare(HOST) == []
    assert t.bare(HOST._replace(images={CHILD.id: CHILD})) == [LAYERS[LOW]]
