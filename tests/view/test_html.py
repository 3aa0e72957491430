"""Facts about pages and figures: all in one file, nothing that runs, the sentences beside the drawing."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings

from tests.view import arbitrary, pictures
from tiffin.view import html, sentences
from tiffin.view.explanation import Explanation
from tiffin.view.picture import Picture

RUNS = {"script", "iframe", "object", "embed", "link", "img", "a", "foreignobject", "base", "form"}


class Reader(HTMLParser):
    """Collects what is in a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags, self.attributes, self.words = set[str](), set[str](), list[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@given(arbitrary.pictures | arbitrary.explanations())
@settings(max_examples=30)
def test_any_page_is_harmless(content: Picture | Explanation) -> None:
    for text in (html.page(content), html.figure(content)):
        found = Reader(text)
        assert not found.tags & RUNS
        assert not [name for name in found.attributes if name.startswith("on") or name in ("src", "srcdoc")]


def test_a_page_has_the_drawing_and_the_same_in_words() -> None:
    found = Reader(html.page(pictures.web()))
    assert {"svg", "h2", "p"} <= found.tags
    assert sentences.describe(pictures.web()) in found.words
    assert sentences.title(pictures.web()) in found.words


def test_a_page_tells_the_browser_to_fetch_nothing() -> None:
    assert "default-src 'none'" in html.page(pictures.web())


@pytest.mark.parametrize("content", [pictures.web(), pictures.explain_run()], ids=("picture", "explanation"))
def test_a_notebook_gets_a_figure(content: Picture | Explanation) -> None:
    assert content._repr_svg_().startswith("<svg ")
    shown = content._repr_html_()
    assert shown.startswith("<figure")
    assert content._repr_svg_().strip() in shown
