"""Whatever a picture holds: its text has the width that was asked for, closes its boxes, and moves no cursor."""

from __future__ import annotations

import re
from unicodedata import category

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.view import pictures
from tests.view.arbitrary import explanations, stacks
from tests.view.arbitrary import pictures as any_picture
from tiffin.view import text, words
from tiffin.view.explanation import Explanation
from tiffin.view.picture import Picture

SGR = re.compile(r"\x1b\[[0-9;]+m")
STYLES = [text.Style(colour, utf8) for colour in (False, True) for utf8 in (False, True)]
PLAIN = text.Style(colour=False, utf8=True)


def drawn(value: Picture | Explanation, width: int, style: text.Style) -> str:
    draw = text.draw_explanation if isinstance(value, Explanation) else text.draw
    return draw(value, width=width, style=style)  # type: ignore[arg-type]


def check(value: Picture | Explanation, width: int) -> None:
    for style in STYLES:
        whole = drawn(value, width, style)
        bare = SGR.sub("", whole)
        assert not [letter for letter in bare if letter != "\n" and category(letter) in words.UNSEEN]
        assert [line for line in bare.split("\n") if words.width(line) > max(width, 40)] == []
        assert [line for line in bare.split("\n") if line != line.rstrip()] == []
        assert bare == drawn(value, width, style._replace(colour=False))
        assert style.utf8 or bare.isascii()
        assert whole == bare or style.colour
        assert whole.endswith("\n")


@given(any_picture, st.integers(1, 200))
@settings(max_examples=60)
def test_every_line_fits_and_moves_no_cursor(picture: Picture, width: int):
    check(picture, width)


@given(explanations(), st.integers(1, 200))
@settings(max_examples=60)
def test_so_does_every_line_of_an_explanation(explanation: Explanation, width: int):
    check(explanation, width)


@pytest.mark.parametrize("name", pictures.HOSTILE)
def test_hostile_names_are_harmless_everywhere(name: str):
    for width in (40, 79, 80, 112, 200):
        check(pictures.hostile(name), width)
        check(pictures.hostile(name)._replace(about="host"), width)


def test_nothing_crashes_at_any_width():
    values = (pictures.web(), pictures.web_image(), pictures.host(), pictures.crowd(30), pictures.explain_commit(),
              pictures.explain_run(), pictures.explain_rm(), pictures.explain_exec(),
              pictures.explain_refused())  # fmt: skip
    for value in values:
        for width in range(1, 201):
            drawn(value, width, PLAIN)


def test_what_is_narrower_than_forty_columns_is_drawn_for_forty():
    assert drawn(pictures.web(), 1, PLAIN) == drawn(pictures.web(), 40, PLAIN)


def test_on_a_very_wide_terminal_the_picture_stays_together():
    assert drawn(pictures.web(), 500, PLAIN) == drawn(pictures.web(), 112, PLAIN)


# --- boxes close


def cells(line: str) -> list[str]:
    """A list with one entry for each column."""
    found = list[str]()
    for letter in line:
        columns = words.width(letter)
        found += [letter, *["?"] * (columns - 1)] if columns else []
    return found


def assert_boxes_close(drawing: str) -> None:
    rows = [cells(line) for line in drawing.split("\n")]

    def at(row: int, column: int) -> str:
        return rows[row][column] if row < len(rows) and column < len(rows[row]) else " "

    ends = {"┌": ("┐╲", "│├╎┤", "└", "┘"), "┏": ("┓", "┃┇", "┗", "┛")}
    corners = ((row, column) for row, line in enumerate(rows) for column, letter in enumerate(line) if letter in ends)
    for row, column in corners:
        line, letter = rows[row], rows[row][column]
        if letter == "┏" and at(row + 1, column) not in ("┃", "┇"):  # only corners are left of it
            continue
        right_corners, walls, left_end, right_end = ends[letter]
        right = next(n for n in range(column + 1, len(line)) if line[n] in right_corners)
        below = row + 1
        while at(below, column) in walls:
            assert at(below, right) in walls, (below, right, drawing)
            below += 1
        assert (at(below, column), at(below, right)) == (left_end, right_end), (below, drawing)


@given(stacks(), st.integers(40, 130))
@settings(max_examples=100)
@example(pictures.web(), 80)
def test_every_box_and_frame_closes_where_it_should(picture: Picture, width: int):
    assert_boxes_close(drawn(picture, width, PLAIN))


# --- many


def steps_of(picture: Picture) -> int:
    """How many functions are called to draw it."""
    import sys

    calls = 0

    def count(frame: object, event: str, value: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        drawn(picture, 100, text.Style(True, True))
    finally:
        sys.setprofile(before)
    return calls


def test_five_hundred_layers_with_a_container_on_each_are_drawn():
    for about in ("host", "image"):
        assert drawn(pictures.comb(500)._replace(about=about), 100, PLAIN).count("RUN step") == 500


def test_a_stack_of_five_hundred_layers_is_folded():
    picture = Picture("image", "deep", pictures.stack(*(f"RUN step {n}" for n in range(500))))
    assert "497 more layers" in drawn(picture, 80, PLAIN)


def test_twice_as_many_things_take_twice_as_long():
    assert steps_of(pictures.comb(400)) < 2.5 * steps_of(pictures.comb(200))
    assert steps_of(pictures.crowd(400)) < 2.5 * steps_of(pictures.crowd(200))
