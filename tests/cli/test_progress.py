"""One line that tells how far a long piece of work has come."""

from __future__ import annotations

from tiffin.cli import progress


def test_the_picture_shows_what_is_done_and_what_there_is_to_do():
    assert progress.picture("Loading", 0, 200) == "Loading  [>                       ]  0B/200B"
    assert progress.picture("Loading", 100, 200) == "Loading  [============>           ]  100B/200B"
    assert progress.picture("Loading", 200, 200) == "Loading  [========================]  200B/200B"
    assert progress.picture("Loading", 300, 200) == "Loading  [========================]  300B/200B"


def test_without_a_known_end_there_is_no_bar():
    assert progress.picture("Importing", 12_300_000, None) == "Importing  12.3MB"


def test_the_line_is_drawn_now_and_then_and_taken_away_at_the_end():
    written: list[str] = []
    with progress.Line(written.append) as told:
        for done in range(1000):
            told("Loading", done, 1000)
    assert 2 <= len(written) < 100
    assert written[0].startswith("\rLoading  [>")
    assert written[-1] == "\r\x1b[K"


def test_work_that_was_never_told_of_draws_nothing():
    written: list[str] = []
    with progress.Line(written.append):
        pass
    assert written == []


def test_where_no_terminal_looks_on_there_is_silence():
    with progress.line() as told:  # pytest has the standard error
        assert told is None
