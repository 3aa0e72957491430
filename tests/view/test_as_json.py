"""Facts about pictures as JSON: all is in it, and it comes back as it was."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from tests.view import arbitrary, pictures
from tiffin.errors import BadParameter
from tiffin.json import dumps, loads
from tiffin.view import sentences
from tiffin.view.as_json import FORMS, from_json, to_json
from tiffin.view.picture import Picture


@given(arbitrary.pictures)
@settings(max_examples=60)
def test_a_picture_comes_back_as_it_was(picture: Picture) -> None:
    assert from_json(loads(dumps(to_json(picture)))) == picture


@pytest.mark.parametrize(
    "picture", [pictures.web(), pictures.host(), pictures.web_image()], ids=("web", "host", "image")
)
def test_sample_pictures_come_back(picture: Picture) -> None:
    assert from_json(loads(dumps(to_json(picture)))) == picture


def test_the_description_is_beside_the_picture() -> None:
    assert to_json(pictures.web())["description"] == sentences.describe(pictures.web())


def test_an_explanation_has_both_pictures_and_its_steps() -> None:
    told = loads(dumps(to_json(pictures.explain_commit())))
    explanation = told["explanation"]
    assert explanation["steps"][0]["does"] == "freeze web"
    assert from_json({"picture": explanation["takes"]}) == pictures.explain_commit().takes
    assert from_json({"picture": explanation["gives"]}) == pictures.explain_commit().gives


def test_the_forms_know_all_fields() -> None:
    for type, fields in FORMS.items():
        assert set(fields) == set(type._fields)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"picture": []},
        {"picture": {"title": "no about"}},
        {"picture": {"about": "host", "title": 7}},
        {"picture": {"about": "host", "title": "x", "slabs": {}}},
        {"picture": {"about": "host", "title": "x", "slabs": [{"id": "a"}]}},
        {"picture": {"about": "host", "title": "x", "trays": [{"id": "a", "name": "b", "on": None, "size": "1"}]}},
        {"picture": {"about": "host", "title": "x", "cards": [{"kind": "a", "title": "b", "rows": [["one"]]}]}},
        {"picture": {"about": "host", "title": "x", "volumes": [{"name": "a", "size": True}]}},
    ],
)
def test_what_is_no_picture_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(BadParameter, match="picture"):
        from_json(bad)


def test_what_a_later_version_adds_is_left_out() -> None:
    value = {"picture": {"about": "host", "title": "x", "weather": "fine"}}
    assert from_json(value) == Picture("host", "x")
