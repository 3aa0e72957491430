"""Draws what docs/pictures.md shows: its SVG files, and its examples in characters and tables, which stand in the page.

    python -m tools.draw_docs        from the checkout, with src on the path

The pictures are the samples of the tests. A test draws all of them again and compares.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

from tests.view import pictures
from tiffin.model.nouns import State
from tiffin.view import svg, text
from tiffin.view.explanation import Explanation
from tiffin.view.picture import Mark, Picture, Slab
from tiffin.view.svg.canvas import HEADING, SMALL, Canvas
from tiffin.view.svg.palette import COLOURS
from tiffin.view.text.cells import Style

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = DOCS / "pictures.md"
PLAIN = Style(colour=False, utf8=True)
COLUMNS = 100

SIGNS = (
    ("lock", "layS", "read-only"), ("pencil", "rwS", "read-write"), ("eye", "ink", "union view"),
    ("settings", "layS", "only settings"), ("dot", "fr", "process"), ("running", "fr", "running"),
    ("paused", "ice", "paused"), ("restarting", "ice", "restarting"), ("created", "ink", "created"),
    ("exited", "ink", "exited 0"), ("failed", "bad", "exited 3, removed"), ("memory", "bad", "out of memory"),
    ("unknown", "ink", "how it ends is not known"), ("removing", "rwT", "going away"), ("down", "rwS", "being made"),
    ("dead", "bad", "could not be removed"), ("folder", "muted", "folder"), ("file", "muted", "file"),
    ("link", "muted", "link"), ("device", "muted", "device"), ("block", "fr", "running, from afar"),
    ("tray", "rwS", "exited, from afar"),
)  # fmt: skip
USES = {
    "bg": "the page", "paper": "union view, cards, tags", "ink": "text, union view", "muted": "ids, sizes, captions",
    "lay": "read-only layer", "layS": "its line", "rw": "read-write layer", "rwS": "its line", "rwT": "text on it",
    "fr": "process space", "frF": "its tint", "ice": "paused, restarting", "iceF": "its tint", "iceH": "frost",
    "lit": "new, pointed at", "litF": "its fill", "bad": "failure, whiteout", "vol": "volume", "volF": "its fill",
    "net": "network", "ghost": "hidden, was here", "hatch": "hatching", "line": "rules",
}  # fmt: skip


def states() -> Picture:
    """A container in every state, on one image."""
    slabs = pictures.stack("debian bookworm", "COPY app /app")
    trays = tuple(
        tray._replace(id=f"{place:064x}", name=name.replace(" ", "-"), command=name, on=slabs[-1].id)
        for place, (name, tray) in enumerate(pictures.states().items())
    )
    named = slabs[-1]._replace(names=("app:1",), images=("app",))
    return Picture("host", "all states", (slabs[0], named), trays, at=pictures.NOW)


def marks() -> Picture:
    """What is being made, what goes away, what is new, what has changed."""
    base, *_ = pictures.stack("debian bookworm")
    kinds = {"comes": Mark.MAKING, "goes": Mark.GOING, "fresh": Mark.NEW, "other": Mark.CHANGED}
    trays = tuple(
        pictures.in_state(State.CREATED, id=f"{place:064x}", name=name, command=name, on=base.id, mark=mark)
        for place, (name, mark) in enumerate(kinds.items())
    )
    slabs = tuple(
        Slab(f"sha256:{place:064x}", base.id, f"COPY {name}", 1_000, (f"{name}:1",), (name,), mark=mark)
        for place, (name, mark) in enumerate(kinds.items())
    )
    named = base._replace(names=("debian:12",), images=("debian",))
    return Picture("host", "being made, going away", (named, *slabs), trays, at=pictures.NOW)


def many() -> Picture:
    """A hundred images and five hundred containers."""
    slabs = list[Slab]()
    for place in range(100):
        below = slabs[place // 3].id if place > 4 else None
        slabs.append(Slab(f"sha256:{place:064x}", below, f"step {place}", 1_000_000 + place * 10_000, (f"app:{place}",),
                          (f"image-{place}",)))  # fmt: skip
    kinds = (*[State.RUNNING] * 12, State.PAUSED, State.RESTARTING, *[State.EXITED] * 5)
    trays = tuple(
        pictures.in_state(kinds[n * 7 % 19], id=f"{n:064x}", name=f"app-{n}", on=slabs[n * n * n % 97].id,
                          exit_code=n % 5 // 4 if kinds[n * 7 % 19] == State.EXITED else None)
        for n in range(500)
    )  # fmt: skip
    return Picture("host", "a full host", tuple(slabs), trays, at=pictures.NOW)


def tall() -> Picture:
    """A paused container on forty layers."""
    return pictures.one(pictures.in_state(State.PAUSED), *(f"RUN step {n + 1} of a long build" for n in range(40)))


def signs() -> str:
    """All signs with their words."""
    canvas = Canvas()
    canvas.text(28, 42, "The signs", HEADING, "ink")
    for place, (name, ink, word) in enumerate(SIGNS):
        x, y = 28 + 200 * (place % 4), 64 + 30 * (place // 4)
        canvas.sign(name, x, y, ink, word)
        canvas.text(x + 26, y + 12, word, SMALL, "ink")
    words = ", ".join(word for _, _, word in SIGNS)
    return canvas.finish("The signs", f"Signs for: {words}.", theme="auto", margin=28)


def palette() -> str:
    """The colours as a table."""
    rows = [f"| `{name}` | {USES[name]} | `{colour.light}` | `{colour.dark}` |" for name, colour in COLOURS.items()]
    return "\n".join(("| | for | light | dark |", "|---|---|---|---|", *rows))


def characters(content: Picture | Explanation, columns: int = COLUMNS) -> str:
    """A picture in characters, as a block of the page."""
    drawn = (text.draw(content, width=columns, style=PLAIN) if isinstance(content, Picture)
             else text.draw_explanation(content, width=columns, style=PLAIN))  # fmt: skip
    return "```\n" + "\n".join(line.rstrip() for line in drawn.rstrip("\n").split("\n")) + "\n```"


FILES: dict[str, Callable[[], str]] = {
    "web-light": lambda: svg.draw(pictures.web(), theme="light"),
    "web-dark": lambda: svg.draw(pictures.web(), theme="dark"),
    "image": lambda: svg.draw(pictures.web_image()),
    "states": lambda: svg.draw(states()),
    "marks": lambda: svg.draw(marks()),
    "host": lambda: svg.draw(pictures.host()),
    "crowd": lambda: svg.draw(pictures.crowd(30)),
    "many": lambda: svg.draw(many()),
    "tall": lambda: svg.draw(tall()),
    "run": lambda: svg.draw_explanation(pictures.explain_run()),
    "commit": lambda: svg.draw_explanation(pictures.explain_commit()),
    "rm": lambda: svg.draw_explanation(pictures.explain_rm()),
    "signs": signs,
}
"""name -> what is in docs/pictures/NAME.svg"""

BLOCKS: dict[str, Callable[[], str]] = {
    "web": lambda: characters(pictures.web()),
    "image": lambda: characters(pictures.web_image()),
    "states": lambda: characters(states()),
    "marks": lambda: characters(marks()),
    "host": lambda: characters(pictures.host()),
    "tall": lambda: characters(tall(), 60),
    "commit": lambda: characters(pictures.explain_commit()),
    "palette": palette,
}
"""name -> what is in docs/pictures.md between `<!-- drawn: NAME -->` and `<!-- end -->`"""


def drawn_page(page: str) -> str:
    """The page with all its blocks drawn again."""
    return re.sub(
        r"(?s)<!-- drawn: (\w+) -->\n.*?<!-- end -->",
        lambda found: f"<!-- drawn: {found[1]} -->\n{BLOCKS[found[1]]()}\n<!-- end -->",
        page,
    )


def main() -> int:
    """Write everything."""
    (DOCS / "pictures").mkdir(exist_ok=True)
    for name, draw in FILES.items():
        (DOCS / "pictures" / f"{name}.svg").write_text(draw())
    PAGE.write_text(drawn_page(PAGE.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
