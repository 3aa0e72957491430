"""Where and how pictures are shown: as text on a terminal or in a pipe, as SVG, HTML or JSON."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager

from tiffin import json
from tiffin.cli.options import Given, Unfit, parsed, switch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tiffin.view.explanation import Explanation
    from tiffin.view.picture import Picture
    from tiffin.view.text import Style

THEMES = ("auto", "light", "dark")
USUAL_WIDTH = 80  # columns, where there is no terminal to ask


def _read_theme(word: str) -> str:
    if word not in THEMES:
        raise ValueError(f"there are {', '.join(THEMES)}")
    return word


def _read_width(word: str) -> int:
    if not word.isdecimal() or not 1 <= int(word) <= 1000:
        raise ValueError("a number of columns, 1000 at most")
    return int(word)


SVG = switch("svg", "as a drawing in SVG")
HTML = switch("html", "as a page of HTML, with the same drawing and its description")
JSON = switch("json", "as JSON: the picture as a value, and a description in sentences")
PLAIN = switch("plain", "as sentences, without a drawing")
THEME = parsed("string", "theme", "colours of SVG and HTML: auto, light or dark", "", _read_theme, "auto")
WIDTH = parsed("int", "width", "columns of the text (default: as wide as the terminal)", "", _read_width, 0)

FORMS = (SVG, HTML, JSON, PLAIN, THEME, WIDTH)


def show(drawn: Picture | Explanation, given: Given) -> None:
    """Print it in the form that was asked for. Raises Unfit for two forms at once."""
    _FORMS[chosen_form(given)](drawn, given)


def chosen_form(given: Given) -> str:
    """svg, html, json or plain; empty for text. Raises Unfit for two at once."""
    chosen = [option.name for option in (SVG, HTML, JSON, PLAIN) if given[option]]
    if len(chosen) > 1:
        raise Unfit(f"conflicting options: --{chosen[0]} and --{chosen[1]}")
    return chosen[0] if chosen else ""


def is_for_a_file(given: Given) -> bool:
    """Whether what is drawn must stand alone: an SVG with other lines before it is none."""
    return given[SVG] or given[HTML] or given[JSON]


@contextmanager
def aside() -> Iterator[None]:
    """What is written to the standard output meanwhile goes to the standard error, that of programs too."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def show_text(drawn: Picture | Explanation, columns: int) -> None:
    """Print the drawing in characters."""
    from tiffin.view import text  # not for the other forms
    from tiffin.view.picture import Picture  # loaded by now

    style = style_of(sys.stdout)
    if isinstance(drawn, Picture):
        print(text.draw(drawn, width=columns, style=style), end="")
    else:
        print(text.draw_explanation(drawn, width=columns, style=style), end="")


def _show_svg(drawn: Picture | Explanation, given: Given) -> None:
    from tiffin.view import svg  # only for this form
    from tiffin.view.picture import Picture  # loaded by now

    draw = svg.draw(drawn, theme=given[THEME]) if isinstance(drawn, Picture) else None
    print(draw or svg.draw_explanation(drawn, theme=given[THEME]))  # type: ignore[arg-type]


def _show_html(drawn: Picture | Explanation, given: Given) -> None:
    from tiffin.view import html  # only for this form

    print(html.page(drawn, theme=given[THEME]))


def _show_json(drawn: Picture | Explanation, _: Given) -> None:
    from tiffin.view.as_json import to_json  # only for this form

    print(json.dumps(to_json(drawn), indent=2))


def _show_sentences(drawn: Picture | Explanation, _: Given) -> None:
    from tiffin.view import sentences  # only for this form
    from tiffin.view.picture import Picture  # loaded by now

    for line in sentences.of_picture(drawn) if isinstance(drawn, Picture) else sentences.of_explanation(drawn):
        print(line)


def _show_text(drawn: Picture | Explanation, given: Given) -> None:
    show_text(drawn, given[WIDTH] or width())


_FORMS = {"": _show_text, "svg": _show_svg, "html": _show_html, "json": _show_json, "plain": _show_sentences}


def width() -> int:
    """Columns of the terminal; COLUMNS, or 80, where the output is none."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or USUAL_WIDTH
    except (OSError, ValueError):
        given = os.environ.get("COLUMNS", "")
        return int(given) if given.isdecimal() and 0 < int(given) <= 1000 else USUAL_WIDTH


def style_of(stream: object) -> Style:
    """Colour on a terminal, unless NO_COLOR or TERM=dumb says no (https://no-color.org), or CLICOLOR_FORCE says yes.
    Signs beyond ASCII where the stream can take them, unless LC_ALL=C.
    """
    from tiffin.view.text import Style  # loaded by now

    is_terminal = bool(getattr(stream, "isatty", lambda: False)())
    wanted = is_terminal and os.environ.get("TERM", "") not in ("", "dumb")
    forced = os.environ.get("CLICOLOR_FORCE", "0") not in ("", "0")
    colour = (wanted or forced) and not os.environ.get("NO_COLOR")
    encoding = str(getattr(stream, "encoding", "") or "").lower().replace("-", "")
    # Python writes UTF-8 there all the same (PEP 540); who says LC_ALL=C wants bytes that anything can show
    is_plain = os.environ.get("LC_ALL") in ("C", "POSIX")
    return Style(colour=colour, utf8=encoding == "utf8" and not is_plain)
