"""Which place each item has."""

from __future__ import annotations

from hypothesis import given

from tests.view.arbitrary import explanations
from tests.view.pictures import explain_commit, host, id_of, in_state, stack
from tiffin.view.explanation import Explanation
from tiffin.view.layout import Layout, lay_out, lay_out_both, leaves
from tiffin.view.picture import Picture, Slab


def placed(layout: Layout) -> dict[str, tuple[int, int, int, str]]:
    return {place.item.id: (place.column, place.span, place.level, place.number) for place in layout.places}


def test_a_layer_is_as_wide_as_all_that_stands_on_it():
    below, left = stack("base", "COPY left")
    right = Slab(id_of(9), below.id, "COPY right")
    trays = (in_state("created", id="a", on=left.id), in_state("created", id="b", on=left.id))
    layout = lay_out(Picture("host", "this host", (below, left, right), trays))
    assert placed(layout) == {
        below.id: (0, 3, 0, "1"),
        left.id: (0, 2, 1, "2"),
        "a": (0, 1, 2, "rw"),
        "b": (1, 1, 2, "rw"),
        right.id: (2, 1, 1, "2"),
    }
    assert (layout.columns, layout.levels) == (3, 3)
    assert [place.item.id for place in leaves(layout.places)] == ["a", "b", right.id]


def test_each_ground_begins_at_a_gap():
    picture = Picture("host", "this host", (Slab("a", None), Slab("b", None), Slab("c", None)))
    assert lay_out(picture).gaps == (1, 2)


def test_a_fold_has_the_numbers_of_its_layers():
    layout = lay_out(Picture("image", "app", stack(*(f"s{n}" for n in range(8)))))
    assert [place.number for place in layout.places] == ["1", "2–6", "7", "8"]


def test_what_is_made_leaves_its_place_empty_before():
    told = explain_commit()
    before, after = lay_out_both(told.input, told.output)
    assert before.columns == after.columns == 2
    new = placed(after).pop("new:layer")
    assert new == (1, 1, 3, "9")
    assert "new:layer" not in placed(before)


def test_an_empty_picture_has_no_place():
    assert lay_out(Picture("host", "this host")) == Layout((), 0, 0, ())


@given(explanations())
def test_what_is_in_both_has_the_same_place(explanation: Explanation):
    before, after = (placed(layout) for layout in lay_out_both(explanation.input, explanation.output))
    trays = {tray.id: tray for tray in explanation.input.trays}
    for tray in explanation.output.trays:
        if tray.id in trays:
            assert before[tray.id] == after[tray.id]


def test_the_places_of_a_host_do_not_overlap():
    taken = set[tuple[int, int]]()
    for place in lay_out(host()).places:
        for column in range(place.column, place.column + place.span):
            assert (column, place.level) not in taken
            taken.add((column, place.level))
