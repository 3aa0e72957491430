"""docs/pictures.md shows what the code draws: its files and blocks are drawn again, and its links lead somewhere."""

from __future__ import annotations

import re

import pytest

from tests.view.test_svg import check_harmless
from tools import draw_docs


@pytest.mark.parametrize("name", draw_docs.FILES)
def test_a_file_is_as_it_is_drawn_now(name: str) -> None:
    stored = (draw_docs.DOCS / "pictures" / f"{name}.svg").read_text()
    assert stored == draw_docs.FILES[name](), "draw them again: python -m tools.draw_docs"
    check_harmless(stored)


def test_the_blocks_of_the_page_are_as_they_are_drawn_now() -> None:
    page = draw_docs.PAGE.read_text()
    assert set(re.findall(r"<!-- drawn: (\w+) -->", page)) == set(draw_docs.BLOCKS)
    assert page == draw_docs.drawn_page(page), "draw them again: python -m tools.draw_docs"


def test_the_page_shows_every_file_and_no_other() -> None:
    shown = set(re.findall(r"\]\(pictures/([\w-]+)\.svg\)", draw_docs.PAGE.read_text()))
    stored = {path.stem for path in (draw_docs.DOCS / "pictures").iterdir()}
    stored = {name for name in stored if not name.startswith("visualizing-")}  # another page's
    assert shown == stored == set(draw_docs.FILES)
