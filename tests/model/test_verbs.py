"""The table of verbs has a row for everything that the command line understands, and every row can be followed."""

from __future__ import annotations

from tiffin.cli import spellings
from tiffin.model import transitions
from tiffin.model.states import TABLE
from tiffin.model.verbs import LOOKING, ROWS, VERBS, sentence


def test_every_command_has_its_row_and_every_row_its_command():
    assert set(VERBS) == set(spellings.MODULES)


def test_no_spelling_stands_in_two_rows():
    assert len(VERBS) == sum(1 + len(row.also) for row in ROWS)


def test_what_changes_the_host_is_told_by_a_function():
    changing = {row.name for row in ROWS} - LOOKING - {"bootstrap"}  # which is an import
    functions = {"image prune": "image_prune", "import": "import_"}
    missing = {verb for verb in changing if not hasattr(transitions, functions.get(verb, verb))}
    assert missing == set()


def test_what_takes_a_container_has_its_rule_for_each_state():
    assert {row.name for row in ROWS if "container" in " ".join(row.takes)} - {"inspect", "look"} <= set(TABLE)


def test_sentences_have_one_form():
    for row in ROWS:
        assert row.sentence[0].isupper() or row.sentence.startswith(tuple(VERBS)), row
        assert not row.sentence.endswith("."), row
        assert len(row.sentence) < 110, row


def test_a_sentence_is_found_by_every_spelling():
    assert sentence("container ls") == sentence("ps")
