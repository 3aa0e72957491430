"""Who stands on whom, folded and crowded."""

from __future__ import annotations

from hypothesis import given

from tests.view.arbitrary import hosts, stacks
from tests.view.pictures import comb, crowd, host, id_of, in_state, stack
from tiffin.view.forest import Crowd, Fold, Item, Tree, grow, in_order, kind, marked, walk
from tiffin.view.picture import Mark, Picture, Slab, Tray


def shape(trees: tuple[Tree, ...]) -> list[str]:
    """Each item in a word, each before what stands on it."""
    return [f"{tree.height}: {word(tree.item)}" for tree in walk(trees)]


def word(item: Item) -> str:
    if isinstance(item, Fold):
        return f"{len(item.slabs)} up to {item.slabs[-1].label}"
    if isinstance(item, Crowd):
        return f"{len(item.trays)} × {item.label}"
    return item.label if isinstance(item, Slab) else item.name or "?"


def image(number: int) -> Picture:
    return Picture("image", "app", stack(*(f"s{n}" for n in range(1, number + 1))))


def test_a_run_of_three_nameless_layers_folds():
    assert shape(grow(image(6))) == ["0: s1", "1: 3 up to s4", "4: s5", "5: s6"]


def test_a_run_of_two_stays_open():
    assert shape(grow(image(5))) == ["0: s1", "1: s2", "2: s3", "3: s4", "4: s5"]


def test_below_a_container_the_top_two_show_too():
    slabs = stack(*(f"s{n}" for n in range(1, 8)))
    picture = Picture("container", "web", slabs, (in_state("created", name="web", on=slabs[-1].id),))
    assert shape(grow(picture)) == ["0: s1", "1: 4 up to s5", "5: s6", "6: s7", "7: web"]


def test_a_name_or_a_mark_ends_a_run():
    slabs = list(stack(*(f"s{n}" for n in range(1, 12))))
    slabs[4] = slabs[4]._replace(names=("app:1",))
    slabs[5] = slabs[5]._replace(mark=Mark.NEW)
    picture = Picture("image", "app", tuple(slabs))
    assert shape(grow(picture)) == ["0: s1", "1: 3 up to s4", "4: s5", "5: s6", "6: 3 up to s9", "9: s10", "10: s11"]


def test_in_a_host_a_run_folds_together_with_the_named_layer_above_it():
    assert shape(grow(host()))[:5] == [
        "0: debian bookworm",
        "1: happy",
        "1: 4 up to RUN step 4",
        "5: RUN pip install -r requirements.txt",
        "6: COPY src /app",
    ]


def test_unfolded_every_layer_is_there():
    assert len(walk(grow(image(50), folded=False))) == 50


def test_more_than_six_of_one_kind_are_a_crowd():
    assert shape(grow(crowd(6), crowded=True))[1:] == [f"1: api-{n}" for n in range(6)]
    assert shape(grow(crowd(7), crowded=True))[1:] == ["1: 7 × api"]
    assert len(shape(grow(crowd(7)))) == 8


def test_a_crowd_is_of_one_mark():
    picture = crowd(14)
    trays = tuple(tray._replace(mark=Mark.GOING if n < 7 else "") for n, tray in enumerate(picture.trays))
    found = [tree.item for tree in walk(grow(picture._replace(trays=trays), crowded=True))[1:]]
    assert [marked(item) for item in found] == [Mark.GOING, Mark.NONE]


def test_a_kind_is_a_name_without_its_number_or_a_command():
    assert kind(in_state("created", name="api-12")) == "api"
    assert kind(in_state("created", name="happy_maple")) == "sleep"
    assert kind(in_state("created", name="12", command="")) == "container"


def test_signs_of_a_crowd_stand_in_the_order_of_their_states():
    states = [tray.state for tray in in_order(crowd(12).trays)]
    assert states == ["running"] * 6 + ["paused"] * 2 + ["exited"] * 4
    assert [tray.exit_code for tray in in_order(crowd(12).trays)[8:]] == [0, 0, 1, 1]


def test_a_layer_whose_parent_is_not_in_the_picture_stands_on_the_ground():
    lonely = Slab(id_of(2), id_of(1), "lonely")
    assert shape(grow(Picture("image", "x", (lonely,)))) == ["0: lonely"]


def test_five_hundred_levels_of_branching_are_no_recursion():
    for about in ("host", "image"):
        assert len(walk(grow(comb(500)._replace(about=about)))) == 1000


@given(stacks() | hosts())
def test_everything_is_there_once_and_on_what_it_stands(picture: Picture):
    parents = {slab.id: slab.parent for slab in picture.slabs} | {tray.id: tray.on for tray in picture.trays}
    seen = list[str]()
    for crowded in (False, True):
        seen.clear()
        for tree in walk(grow(picture, crowded=crowded)):
            ids = parts(tree.item)
            seen += ids
            assert all(parents[child] == ids[-1] for above in tree.children for child in lowest(above.item))
        assert sorted(seen) == sorted(parents)


def parts(item: Item) -> list[str]:
    members: tuple[Slab | Tray, ...] = (
        item.slabs if isinstance(item, Fold) else item.trays if isinstance(item, Crowd) else (item,)
    )
    return [member.id for member in members]


def lowest(item: Item) -> list[str]:
    return parts(item) if isinstance(item, Crowd) else parts(item)[:1]
