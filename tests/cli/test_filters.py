"""--filter."""

from __future__ import annotations

import pytest

from tiffin.cli.filters import chooser, filters, has_label
from tiffin.cli.options import Command, UsageError, parse
from tiffin.errors import BadParameter

FILTER = filters("")
COMMAND = Command("ps", "", (FILTER,))
THINGS = [("web", {"tier": "front", "keep": ""}), ("db", {"tier": "back"}), ("cache", {"tier": "back", "keep": ""})]
TESTS = {"name": lambda thing, value: value in thing[0], "label": lambda thing, value: has_label(thing[1], value)}


def names(*words: str) -> list[str]:
    chosen = parse(COMMAND, [part for word in words for part in ("--filter", word)])[FILTER]
    return [name for name, _ in filter(chooser(chosen, TESTS), THINGS)]


def test_without_filters_all_are_there():
    assert names() == ["web", "db", "cache"]


def test_the_same_key_again_widens_the_choice():
    assert names("name=web", "name=db") == ["web", "db"]


def test_another_key_narrows_it():
    assert names("name=e", "label=tier=back") == ["cache"]


def test_every_label_must_fit():
    assert names("label=tier=back", "label=keep") == ["cache"]


def test_an_unknown_key_is_refused_with_those_that_there_are():
    with pytest.raises(BadParameter, match="invalid filter 'colour'; there are name, label"):
        names("colour=red")


def test_a_filter_without_a_value_is_refused():
    with pytest.raises(UsageError, match="bad format of filter"):
        names("name")


def test_a_value_that_a_key_never_has_is_refused():
    values = {"status": ("running", "exited")}
    tests = {"status": lambda thing, wanted: thing == wanted}
    assert chooser((("status", "exited"),), tests, values)("exited")
    with pytest.raises(BadParameter, match="invalid filter 'status=bogus'; there are running, exited"):
        chooser((("status", "bogus"),), tests, values)
