"""Rows and columns."""

from __future__ import annotations

from tiffin.cli import table


def test_columns_are_as_wide_as_their_longest_cell_and_a_gap():
    rows = [["NAME", "SIZE"], ["a-long-name-indeed", "1kB"]]
    assert list(table.layout(rows)) == ["NAME                 SIZE", "a-long-name-indeed   1kB"]


def test_narrow_columns_are_ten_wide_and_the_last_is_as_it_is():
    assert list(table.layout([["ID", "X"], ["a", "b"]])) == ["ID        X", "a         b"]


def test_a_shortened_text_ends_with_an_ellipsis_within_its_width():
    assert table.shorten("sh -c 'while true; do", 20) == "sh -c 'while true; …"
    assert table.shorten("exactly twenty chars", 20) == "exactly twenty chars"


def test_what_a_terminal_would_obey_is_made_visible():
    assert table.visible("a\x1b[31mb\nc\x9b") == "a\\x1b[31mb\\nc\\x9b"
    assert table.visible("überall …") == "überall …"


def test_a_quoted_text_can_be_read_back():
    assert table.quoted('say "hi"\t\\') == '"say \\"hi\\"\\t\\\\"'


def test_a_short_id_has_twelve_digits():
    assert table.short_id("sha256:" + "ab" * 32) == "abababababab"
