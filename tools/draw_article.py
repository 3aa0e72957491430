"""Draws what docs/visualizing.md and README.md show, by a real engine that goes through the story of `tools.story`.

    python -m tools.draw_article     as root, from the checkout, with src on the path

A test draws all of it again and compares.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from tiffin.view import svg, text
from tiffin.view.picture import Picture
from tiffin.view.text.cells import Style
from tools.story import Piece, told

CHECKOUT = Path(__file__).resolve().parent.parent
ARTICLE = CHECKOUT / "docs/visualizing.md"
README = CHECKOUT / "README.md"
PICTURES = CHECKOUT / "docs/pictures"
PLAIN = Style(colour=False, utf8=True)
COLUMNS = 88
FIRST, LAST, CARD = "\nOUTPUT ", "Nothing has been done.", "\n┌ "
AGAIN = "draw them again, as root: python -m tools.draw_article"

FILES = (
    "layer", "image", "container", "running", "create", "start", "run", "pause", "commit", "rm", "share", "rmi",
)  # fmt: skip
"""what is drawn as docs/pictures/visualizing-NAME.svg"""

COMMANDS: Mapping[str, str] = MappingProxyType({
    "happiness": "tiffin look happy", "find": "find /var/lib/tiffin -name happiness.txt", "exec": "tiffin look joy",
    "wait": "tiffin wait happy", "ps": "tiffin ps -a --tree", "logs": "tiffin logs change",
    "diff": "tiffin diff change", "images": "tiffin images --tree", "layers": "tiffin images -a",
    "history": "tiffin history note", "look": "tiffin look", "inspect": "tiffin look joy", "readme": "tiffin look joy",
    "system df": "tiffin system df", "events": "tiffin events",
})  # fmt: skip
"""what was typed to see it, where that is not `explain`"""

INPUT_ONLY = ("attach", "refused")
"""explanations of which the Output is the Input"""


def pages(pieces: Mapping[str, Piece]) -> dict[Path, str]:
    """Every file that shows something of the story, and what should be in it."""
    found = {PICTURES / f"visualizing-{name}.svg": _svg(pieces[name]) for name in FILES}
    return found | {page: redrawn(page.read_text(), pieces) for page in (ARTICLE, README)}


def redrawn(page: str, pieces: Mapping[str, Piece]) -> str:
    """The page with new blocks between `<!-- picture: NAME -->` and `<!-- /picture -->`."""
    return re.sub(
        r"(?s)<!-- picture: ([\w ]+) -->\n.*?<!-- /picture -->",
        lambda found: f"<!-- picture: {found[1]} -->\n{block(found[1], pieces)}\n<!-- /picture -->",
        page,
    )


def block(name: str, pieces: Mapping[str, Piece]) -> str:
    """One picture in characters, below the command that shows it."""
    piece = pieces[name]
    if isinstance(piece, str):
        drawn, command = piece, COMMANDS[name]
    elif isinstance(piece, Picture):
        drawn, command = str(text.draw(piece, width=COLUMNS, style=PLAIN)), COMMANDS[name]
    else:
        drawn = str(text.draw_explanation(piece, width=COLUMNS, style=PLAIN))
        command = f"tiffin explain {piece.command}"
        command = command.replace("explain", "explain --do") if piece.truth else command
        drawn = drawn.partition(LAST)[0]
    if name == "inspect":
        drawn = CARD.lstrip("\n") + drawn.partition(CARD)[2]
    if name in INPUT_ONLY:
        drawn = drawn.partition(FIRST)[0]
    lines = (line.rstrip() for line in drawn.strip("\n").split("\n"))
    return "\n".join(("```text", f"# {command}", *lines, "```"))


def _svg(piece: Piece) -> str:
    if isinstance(piece, str):
        raise TypeError("a text is no drawing")
    return svg.draw(piece) if isinstance(piece, Picture) else svg.draw_explanation(piece)


def main() -> int:
    """Write everything."""
    # overlay can't have its upper folder on overlay or tmpfs: /tmp often is one of these
    with tempfile.TemporaryDirectory(prefix="tf-", dir="/var/tmp", ignore_cleanup_errors=True) as folder:
        pieces = told(folder)
    for path, content in pages(pieces).items():
        path.write_text(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
