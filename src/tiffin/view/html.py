"""A picture as a page of its own, or as a figure in somebody else's: the drawing, and the same in sentences.

No script, and nothing that is fetched: the page says so itself to the browser.
"""

from __future__ import annotations

from tiffin.view import sentences, svg
from tiffin.view.picture import Picture
from tiffin.view.svg.canvas import escape, escape_long
from tiffin.view.svg.palette import COLOURS, SANS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.view.explanation import Explanation

NOTHING_ELSE = "default-src 'none'; style-src 'unsafe-inline'"
"""what the browser may load: nothing; the style sheets are in the page"""


def page(content: Picture | Explanation, *, theme: str = "auto") -> str:
    """One file that needs no other. `theme` is light, dark, or auto: as the reader's system is set."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{NOTHING_ELSE}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(_title(content))}</title>\n<style>{_style(theme)}</style>\n</head>\n<body>\n<main>\n"
        f'<div class="drawing">{_drawing(content, theme).strip()}</div>\n'
        f"<h2>In words</h2>\n<p>{escape_long(_words(content))}</p>\n</main>\n</body>\n</html>\n"
    )


def figure(content: Picture | Explanation, *, theme: str = "auto") -> str:
    """For a notebook: the drawing as wide as it is, the sentences folded below it."""
    words = f"<details><summary>In words</summary>{escape_long(_words(content))}</details>"
    return (
        f'<figure style="margin:0"><div style="overflow-x:auto">{_drawing(content, theme).strip()}</div>'
        f"<figcaption>{words}</figcaption></figure>\n"
    )


def _drawing(content: Picture | Explanation, theme: str) -> str:
    if isinstance(content, Picture):
        return svg.draw(content, theme=theme)
    return svg.draw_explanation(content, theme=theme)


def _title(content: Picture | Explanation) -> str:
    if isinstance(content, Picture):
        return sentences.title(content)
    return f"tiffin explain {content.command}"


def _words(content: Picture | Explanation) -> str:
    return sentences.describe(content) if isinstance(content, Picture) else sentences.describe_explanation(content)


def _style(theme: str) -> str:
    """Of the page around the drawing."""
    shape = (
        f"body{{margin:0;font:14px/1.6 {SANS}}}main{{padding:0 0 40px}}.drawing{{overflow-x:auto}}"
        ".drawing svg{display:block}h2{font-size:16px;margin:24px 28px 4px}p{max-width:76ch;margin:0 28px}"
    )
    light, dark = _colours("light"), _colours("dark")
    if theme == "auto":
        return f":root{{color-scheme:light dark}}{shape}{light}@media (prefers-color-scheme:dark){{{dark}}}"
    return f":root{{color-scheme:{theme}}}{shape}{dark if theme == 'dark' else light}"


def _colours(theme: str) -> str:
    ground, ink, muted = (getattr(COLOURS[name], theme) for name in ("bg", "ink", "muted"))
    return f"body{{background:{ground};color:{ink}}}p{{color:{muted}}}"
