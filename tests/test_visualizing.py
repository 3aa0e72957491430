"""docs/visualizing.md and the README show what the engine draws: the story is told again, and its pictures compared."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest

from tests.view.test_svg import check_harmless
from tiffin.model.verbs import ROWS
from tools import draw_article
from tools.draw_article import AGAIN, ARTICLE, PICTURES, README
from tools.steady import Steady, UnknownId, without
from tools.story import Piece, told

SHOWN = r"\]\((?:docs/)?pictures/visualizing-([\w-]+)\.svg\)"
DRAWN = r"<!-- picture: ([\w ]+) -->"


@pytest.fixture(scope="module")
def pieces(workshop: str) -> dict[str, Piece]:
    return told(tempfile.mkdtemp(dir=workshop))


@pytest.mark.root
@pytest.mark.parametrize("path", [ARTICLE, README, *(PICTURES / f"visualizing-{n}.svg" for n in draw_article.FILES)])
def test_a_picture_is_as_it_is_drawn_now(path: Path, pieces: dict[str, Piece]) -> None:
    assert path.read_text() == draw_article.pages(pieces)[path], AGAIN


@pytest.mark.root
def test_all_that_the_story_shows_is_on_a_page(pieces: dict[str, Piece]) -> None:
    pages = ARTICLE.read_text() + README.read_text()
    assert {*re.findall(SHOWN, pages), *re.findall(DRAWN, pages)} == set(pieces)


@pytest.mark.root
def test_a_story_told_twice_is_the_same(pieces: dict[str, Piece], workshop: str) -> None:
    assert told(tempfile.mkdtemp(dir=workshop)) == pieces


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_verb_has_its_section(row: object) -> None:
    sections = re.findall(r"^### `([\w ]+)`$", ARTICLE.read_text(), re.MULTILINE)
    assert sections.count(getattr(row, "name", "")) == 1


def test_the_sections_are_verbs_of_the_table() -> None:
    sections = re.findall(r"^### `([\w ]+)`$", ARTICLE.read_text(), re.MULTILINE)
    assert set(sections) == {row.name for row in ROWS}


def test_the_page_shows_every_file_and_no_other() -> None:
    shown = set(re.findall(SHOWN, ARTICLE.read_text()))
    stored = {path.stem.removeprefix("visualizing-") for path in PICTURES.glob("visualizing-*.svg")}
    assert shown == stored == set(draw_article.FILES)


@pytest.mark.parametrize("name", draw_article.FILES)
def test_a_file_is_a_harmless_drawing(name: str) -> None:
    check_harmless((PICTURES / f"visualizing-{name}.svg").read_text())


@pytest.mark.parametrize("page", [ARTICLE, README])
def test_links_and_pictures_lead_to_files_that_exist(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert [link for link in links if not page.parent.joinpath(link).exists()] == []


def test_ids_are_made_up_alike_wherever_they_stand() -> None:
    steady = Steady({"joy": "sha256:" + "ab" * 32}, {"/tmp/x": "/var/lib/tiffin"})
    whole, part = steady.value(("/tmp/x/" + "ab" * 32, "abab" * 3))
    assert whole == f"/var/lib/tiffin/{whole[-64:]}"
    assert whole[-64:].startswith(part)
    assert "abab" not in whole


def test_an_id_that_the_story_does_not_know_stays_on_no_page() -> None:
    with pytest.raises(UnknownId):
        Steady({}, {}).value("container 0123456789ab")


def test_a_table_loses_the_column_of_a_title() -> None:
    assert without("ID   AGE   NAME\n1    2 s   joy", "AGE") == "ID   NAME\n1    joy"
