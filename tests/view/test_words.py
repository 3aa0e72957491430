"""Foreign texts made harmless, and fitted to a width."""

from __future__ import annotations

from unicodedata import category, east_asian_width

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.view.pictures import HOSTILE
from tiffin.view.words import UNSEEN, age, amount, cut, cut_middle, harmless, many, pad, width

anything = st.text() | st.sampled_from(HOSTILE)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("web:1", "web:1"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\u202egpj.exe", "a\\u202egpj.exe"),
        ("line\nbreak", "line\\x0abreak"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
        ("no\u00a0break", "no break"),
        ("e\u0301", "e\u0301"),
        ("\u0301", "\\u0301"),
        ("z\u0301\u0302\u0303", "z\u0301\u0302\\u0303"),
        ("漢字", "漢字"),
    ],
)
def test_what_cannot_be_seen_is_a_number(text: str, shown: str):
    assert harmless(text) == shown


def test_far_too_long_texts_are_cut():
    assert harmless("x" * 10_000) == "x" * 1000 + "…"
    assert harmless("x" * 20, 5) == "xxxxx…"


@given(anything)
def test_no_harmless_text_holds_what_is_unseen(text: str):
    assert not [letter for letter in harmless(text) if category(letter) in UNSEEN]


@given(anything)
def test_a_width_is_that_of_its_letters(text: str):
    columns = {"W": 2, "F": 2}
    shown = harmless(text)
    marks = ("Mn", "Me")
    assert width(shown) == sum(
        0 if category(letter) in marks else columns.get(east_asian_width(letter), 1) for letter in shown
    )


def test_lines_and_wide_letters_are_measured():
    assert (width("┌──┐"), width("漢字"), width("漢│x…"), width("e\u0301")) == (4, 4, 5, 1)


def test_ends_and_middles_are_cut():
    assert (cut("abcdef", 6), cut("abcdef", 4), cut("漢字漢", 4), cut("abc", 0)) == ("abcdef", "abc…", "漢…", "")
    assert cut_middle("usr/share/nginx/html/index.html", 20) == "usr/share…index.html"
    assert cut_middle("abcdef", 4) == "abc…"
    assert (pad("ab", 4), pad("漢字", 3)) == ("ab  ", "漢…")


@given(anything, st.integers(0, 30))
def test_what_was_cut_fits(text: str, columns: int):
    shown = harmless(text)
    assert width(cut(shown, columns)) <= columns
    assert width(cut_middle(shown, columns)) <= columns
    assert width(pad(shown, columns)) == columns


def test_amounts_have_one_decimal_and_a_unit():
    assert [amount(size) for size in (None, 0, 999, 1000, 2300, 999_949, 999_951, 116_600_000, 10**18)] == [
        "?", "0 B", "999 B", "1.0 kB", "2.3 kB", "999.9 kB", "1.0 MB", "116.6 MB", "1.0 EB",
    ]  # fmt: skip


def test_times_are_told_in_at_most_two_units():
    assert [age(seconds) for seconds in (-1, 0.4, 59, 60, 3599, 3600, 9780, 86400, 300_000)] == [
        "0 s", "0 s", "59 s", "1 min", "59 min", "1 h", "2 h 43 min", "1 d", "3 d",
    ]  # fmt: skip


def test_one_and_many():
    assert (many(1, "layer"), many(2, "layer"), many(2, "process", "processes")) == (
        "1 layer", "2 layers", "2 processes",
    )  # fmt: skip
