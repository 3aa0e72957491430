"""Texts on a sheet of cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.view.arbitrary import texts
from tests.view.pictures import HOSTILE
from tiffin.view import words
from tiffin.view.text.cells import Pen, Run, Sheet, Style, bold, both_sides, fit, flow, length, wrapped

PLAIN = Style(colour=False, utf8=True)


def test_texts_stand_where_they_were_put_in_any_order():
    sheet = Sheet(PLAIN)
    sheet.put(1, 4, "right")
    assert sheet.put(1, 0, "a") == 1
    assert str(sheet) == "\na   right\n"


def test_a_wide_letter_takes_two_columns():
    sheet = Sheet(PLAIN)
    sheet.put(0, sheet.put(0, 0, "漢字"), "|")
    sheet.put(1, 4, "|")
    assert str(sheet) == "漢字|\n    |\n"


def test_blanks_between_take_no_colour_and_none_is_left_at_the_end():
    sheet = Sheet(Style(colour=True, utf8=True))
    sheet.put(0, 0, "a", Pen.RUN)
    sheet.put(0, 2, "b", Pen.RUN)
    sheet.put(0, 4, "c ", Pen.BAD)
    assert str(sheet) == "\x1b[32ma b\x1b[0m \x1b[31mc\x1b[0m\n"


def test_what_would_overlap_is_left_out():
    sheet = Sheet(PLAIN)
    sheet.put(0, 0, "abc")
    sheet.put(0, 2, "d")
    assert str(sheet) == "abc\n"


def test_a_sheet_is_pasted_into_another():
    inner, outer = Sheet(PLAIN), Sheet(PLAIN)
    inner.put(1, 1, "x")
    assert outer.paste(1, 2, inner) == 3
    assert str(outer) == "\n\n   x\n"
    assert str(outer.trimmed()) == "   x\n"


def test_without_utf8_lines_stay_lines_and_letters_become_numbers():
    sheet = Sheet(Style(colour=False, utf8=False))
    sheet.put(0, sheet.put(0, 0, "┌─║━▾"), sheet.say("é→…"))
    assert str(sheet) == "+-=#v\\xe9>~\n"
    assert sheet.token("▒") == "[ro]"


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_said_without_utf8_is_ascii(text: str):
    assert Sheet(Style(colour=False, utf8=False)).say(text).isascii()


def test_bold_keeps_the_colour():
    assert (bold(Pen.PLAIN), bold(Pen.RUN), bold(Pen.RUN_BOLD)) == (Pen.BOLD, Pen.RUN_BOLD, Pen.RUN_BOLD)


def test_runs_are_cut_to_a_width():
    runs = [Run("abc"), Run("defgh", Pen.DIM), Run("i")]
    assert fit(runs, 9) == runs
    assert fit(runs, 6) == [Run("abc"), Run("de…", Pen.DIM)]
    assert fit(runs, 3) == [Run("abc")]


def test_the_right_side_goes_where_too_little_is_left_of_the_left_one():
    sheet = Sheet(PLAIN)
    both_sides(sheet, 0, 0, 20, [Run("a long command")], [Run("1.2 MB")])
    both_sides(sheet, 1, 0, 12, [Run("a long command")], [Run("1.2 MB")])
    assert str(sheet) == "a long comma… 1.2 MB\na long comm…\n"


def test_whole_pieces_flow_into_lines():
    pieces = [[Run("one")], [Run("two")], [Run("three")], [Run("longer than a line")]]
    lines = flow(pieces, 10, "  ")
    assert ["".join(run.text for run in line) for line in lines] == ["one  two", "three", "longer th…"]


def test_sentences_are_wrapped_at_blanks_and_long_words_anywhere():
    assert wrapped("one two three", 8) == ["one two", "three"]
    assert wrapped("abcdefghij kl", 4) == ["abcd", "efgh", "ij", "kl"]
    assert wrapped("to /var/lib/tiffin/layers", 12) == ["to", "/var/lib/", "tiffin/", "layers"]
    assert wrapped("one two three four", 8, 2) == ["one two", "three f…"]
    assert wrapped("", 8) == [""]


@given(texts, st.integers(2, 40), st.integers(0, 4))
def test_no_wrapped_line_is_too_wide_and_nothing_is_lost(text: str, columns: int, most: int):
    shown = words.harmless(text)
    lines = wrapped(shown, columns, most)
    assert all(words.width(line) <= columns for line in lines)
    assert not most or len(lines) <= most
    assert most or "".join(lines).replace(" ", "") == shown.replace(" ", "")


@given(st.lists(st.builds(Run, texts.map(words.harmless)), max_size=4), st.integers(0, 40))
def test_what_was_fitted_fits(runs: list[Run], columns: int):
    assert length(fit(runs, columns)) <= columns
