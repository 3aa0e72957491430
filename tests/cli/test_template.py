"""--format."""

from __future__ import annotations

import json

import pytest

from tiffin.cli import template
from tiffin.cli.listing import Columns, lines
from tiffin.errors import BadParameter

THING = {
    "Id": "abc",
    "State": {"Status": "running", "Paused": False, "Pid": 12},
    "Cmd": ["sh", "-c"],
    "Labels": {"b": "2", "a": "1"},
    "Nothing": None,
}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("{{.Id}}", "abc"),
        ("{{ .Id }}-{{.State.Status}}!", "abc-running!"),
        ("{{.State.Paused}} {{.State.Pid}}", "false 12"),
        ("{{.Cmd}}", "[sh -c]"),
        ("{{.Labels}}", "map[a:1 b:2]"),
        ("{{.Labels.a}} {{.Labels.nope}}", "1 <no value>"),
        ("{{.Nothing}}", "<no value>"),
        ("{{json .Cmd}}", '["sh","-c"]'),
        ("{{json .Nothing}}", "null"),
    ],
)
def test_fields_are_shown_as_go_shows_them(text, shown):
    assert template.parse(text).render(THING) == shown


def test_the_dot_is_everything():
    assert json.loads(template.parse("{{json .}}").render(THING)) == THING


@pytest.mark.parametrize(
    "text",
    ["{{.A", "{{}}", "{{range .Cmd}}", "{{index .Cmd 0}}", "{{.A | json}}", "{{A}}", "{{..A}}", "{{.A.}}", "{{json}}"],
)
def test_what_is_not_understood_is_refused(text):
    with pytest.raises(BadParameter, match=r"not understood|without"):
        template.parse(text)


@pytest.mark.parametrize("text", ["{{.Nope}}", "{{.State.Nope}}", "{{.Id.Nope}}", "{{.Nothing.Nope}}"])
def test_a_field_that_is_not_there_is_named(text):
    with pytest.raises(BadParameter, match="there is no field Nope"):
        template.parse(text).render(THING)


COLUMNS = Columns({"ID": "CONTAINER ID", "Names": "NAMES", "Size": "SIZE"}, ("ID", "Names"))
ROWS = [{"ID": "1", "Names": "web", "Size": "3B"}, {"ID": "2", "Names": "db", "Size": "4B"}]


@pytest.mark.parametrize("form", ["", "table"])
def test_the_plain_table_has_a_header_even_without_rows(form):
    assert list(lines(COLUMNS, ROWS, form)) == ["CONTAINER ID   NAMES", "1              web", "2              db"]
    assert list(lines(COLUMNS, [], form)) == ["CONTAINER ID   NAMES"]


def test_a_table_of_chosen_fields_has_their_headers():
    shown = list(lines(COLUMNS, ROWS, r"table {{.Names}}\t{{.Size}}: {{.ID}}"))
    assert shown == ["NAMES     SIZE: CONTAINER ID", "web       3B: 1", "db        4B: 2"]


def test_chosen_fields_without_a_table_are_not_padded():
    assert list(lines(COLUMNS, ROWS, r"{{.ID}}\t{{.Names}}")) == ["1\tweb", "2\tdb"]


@pytest.mark.parametrize("form", ["json", "{{json .}}"])
def test_json_is_one_object_a_line(form):
    assert [json.loads(line) for line in lines(COLUMNS, ROWS, form)] == ROWS


def test_a_name_cannot_break_the_table():
    rows = [{"ID": "1", "Names": "a\nb\x1b[2J", "Size": ""}]
    assert list(lines(COLUMNS, rows))[1] == "1              a\\nb\\x1b[2J"
