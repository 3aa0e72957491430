"""The colours of a drawing, light and dark, and the rules of style that use them.

Colour only repeats what a shape, a line, a sign or a word has said already. Every rule begins with the id of its own
drawing, so that several drawings in one page keep to themselves and leave the page alone.
"""

from __future__ import annotations

from types import MappingProxyType

from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

THEMES = ("auto", "light", "dark")


class Colour(NamedTuple):
    light: str
    dark: str


COLOURS: Mapping[str, Colour] = MappingProxyType(
    {
        "bg": Colour("#f6f5f1", "#12161b"),  # the page
        "paper": Colour("#ffffff", "#1a2027"),  # the union view, cards, tags
        "ink": Colour("#1c2229", "#e9edf1"),
        "muted": Colour("#586470", "#9fabb7"),  # ids, sizes, captions
        "lay": Colour("#e8edf2", "#28323d"),  # read-only layers
        "layS": Colour("#5c7084", "#8da2b7"),
        "rw": Colour("#fff0d4", "#40300f"),  # read-write layers, and the files in them
        "rwS": Colour("#ad5a00", "#f0a63a"),
        "rwT": Colour("#8a4700", "#f7c274"),
        "fr": Colour("#0b7257", "#3fc49b"),  # process spaces
        "frF": Colour("#f1f8f5", "#151d1d"),
        "ice": Colour("#2f6ea5", "#7ab8ee"),  # paused, restarting
        "iceF": Colour("#e6f0f9", "#152230"),
        "iceH": Colour("#b5d0e8", "#2f5272"),
        "lit": Colour("#0a58b8", "#74b3ff"),  # new, pointed at
        "litF": Colour("#d8e8fc", "#173a63"),
        "bad": Colour("#b3261e", "#ff8b7d"),  # failures, whiteouts
        "vol": Colour("#75399a", "#c99be8"),
        "volF": Colour("#f5edfa", "#2d2038"),
        "net": Colour("#3d4a56", "#aab6c2"),
        "ghost": Colour("#737e89", "#76828e"),  # lines of what is hidden, or was here
        "hatch": Colour("#a9b7c5", "#4d5d6d"),  # decoration: nothing depends on these two
        "line": Colour("#d3d7db", "#39434e"),
    }
)

SANS = 'system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",Arial,sans-serif'
MONO = (
    'ui-monospace,"SF Mono","Cascadia Mono",Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace'  # the order
)

TYPES = (
    ("text", "font-weight:400;font-size:13px", "ink"),
    (".h1", "font-weight:600;font-size:24px", ""),
    (".h2", "font-weight:600;font-size:16px", ""),
    (".b", "font-weight:600", ""),
    (".s", "font-size:12px", ""),
    (".sb", "font-weight:600;font-size:12px", ""),
    (".c", "font-size:11px", ""),
    (".cb", "font-weight:600;font-size:11px", ""),
    (".m", f"font-size:11.5px;font-family:{MONO}", ""),
    (".mb", f"font-weight:600;font-size:11.5px;font-family:{MONO}", ""),
    (".command", f"font-weight:600;font-size:14px;font-family:{MONO}", ""),
    (".gone", "text-decoration:line-through", ""),
    (".end", "text-anchor:end", ""),
    (".mid", "text-anchor:middle", ""),
)
"""selector, style, fill"""

INKS = ("ink", "muted", "layS", "rwT", "rwS", "fr", "ice", "lit", "bad", "vol", "net")
"""colours of texts (`.k-ink`) and of signs"""

SHAPES = (
    (".bg", "", "bg", ""),
    (".paper", "", "paper", ""),
    (".panel", "stroke-width:1", "paper", "line"),
    (".slab", "stroke-width:1.25", "lay", "layS"),
    (".edge", "stroke-width:1.25", "", "layS"),
    (".hatching", "stroke-width:2", "", "hatch"),
    (".plain", "", "lay", ""),
    (".slab-new", "stroke-width:2.5", "litF", "lit"),
    (".slab-changed", "stroke-width:2.5", "lay", "lit"),
    (".edge-changed", "stroke-width:1.25", "", "lit"),
    (".edge-new", "stroke-width:1.25", "", "lit"),
    (".plain-new", "", "litF", ""),
    (".slab-ghost", "stroke-width:1.25;stroke-dasharray:4 3", "", "layS"),
    (".wall", "stroke-width:2.2", "", "rwS"),
    (".content", "", "rw", ""),
    (".wall-new", "stroke-width:2.5", "", "lit"),
    (".wall-ghost", "stroke-width:2.2;stroke-dasharray:5 3.5", "", "rwS"),
    (".arrow", "stroke-width:1.25", "", "muted"),
    (".running", "stroke-width:2.6", "", "fr"),
    (".running-in", "", "frF", ""),
    (".paused", "stroke-width:2.6;stroke-dasharray:7 5", "", "ice"),
    (".paused-in", "", "iceF", ""),
    (".frosting", "stroke-width:1", "", "iceH"),
    (".restarting", "stroke-width:2.6", "", "ice"),
    (".restarting-open", "stroke-width:2.6;stroke-dasharray:.1 5", "", "ice"),
    (".restarting-in", "", "bg", ""),
    (".corner", "stroke-width:2", "", "ghost"),
    (".corner-bad", "stroke-width:2", "", "bad"),
    (".capsule", "stroke-width:1.5", "paper", "fr"),
    (".capsule-new", "stroke-width:1.5;stroke-dasharray:4 3", "paper", "lit"),
    (".capsule-ice", "stroke-width:1.5", "paper", "ice"),
    (".joint", "stroke-width:1.5", "", "fr"),
    (".joint-ice", "stroke-width:1.5", "", "ice"),
    (".box", "stroke-width:1.25", "paper", "ink"),
    (".card", "stroke-width:1.25", "paper", "layS"),
    (".box-mark", "stroke-width:1.25", "bg", "ink"),
    (".unseen", "pointer-events:all", "", ""),
    (".rule", "stroke-width:1", "", "line"),
    (".dotted", "stroke-width:1.5;stroke-dasharray:.1 4", "", "layS"),
    (".knob", "", "layS", ""),
    (".mine", "", "rw", ""),
    (".chip", "stroke-width:1.25", "paper", "rwS"),
    (".chip-ghost", "stroke-width:1.25;stroke-dasharray:4 3", "", "ghost"),
    (".chip-bad", "stroke-width:1.25", "paper", "bad"),
    (".chip-own", "stroke-width:1.25", "frF", "fr"),
    (".wire", "stroke-width:1.5", "", "rwS"),
    (".end-dot", "", "rwS", ""),
    (".gauge", "stroke-width:1.25", "bg", "fr"),
    (".gauge-fill", "", "fr", ""),
    (".gauge-bad", "stroke-width:1.25", "bg", "bad"),
    (".gauge-fill-bad", "", "bad", ""),
    (".drum", "stroke-width:1.5", "volF", "vol"),
    (".pipe", "stroke-width:1.75", "", "vol"),
    (".rail", "stroke-width:2.6", "", "net"),
    (".drop", "stroke-width:1.5", "", "net"),
    (".ring", "stroke-width:2", "bg", "net"),
    (".socket", "stroke-width:2.2", "paper", "fr"),
    (".socket-in", "", "fr", ""),
    (".ground", "stroke-width:2", "", "ink"),
)
"""selector, style, fill, stroke; without a colour: none"""

JUPYTER = '[data-jp-theme-light="{}"] '
"""JupyterLab has a theme of its own, whatever the system's is"""
ROUND = ";stroke-linecap:round;stroke-linejoin:round"


def style(id: str, theme: str, used: Iterable[str]) -> str:
    """The style sheet of the drawing `id`: only the rules of the classes that it uses."""
    wanted = {f".{name}" for name in used} | {"text"}
    rules = [f"#{id}{{font-family:{SANS}}}"]
    rules += [_rule(id, f"text{sel}" if sel != "text" else sel, look, theme, fill, "-") for sel, look, fill in TYPES
              if sel in wanted]  # fmt: skip
    rules += [_rule(id, f".k-{ink}", f"color:{_value(ink, theme)}", theme, ink, "-") for ink in INKS
              if f".k-{ink}" in wanted]  # fmt: skip
    for selector, look, fill, stroke in SHAPES:
        if selector in wanted:
            rules.append(_rule(id, selector, look + ROUND * bool(stroke), theme, fill or "none", stroke))
    return "".join((*_variables(id, theme), *rules))


def _rule(id: str, selector: str, look: str, theme: str, fill: str, stroke: str) -> str:
    parts = [look] if look else []
    if fill:
        parts.append("fill:none" if fill == "none" else _both("fill", fill, theme))
    if stroke and stroke != "-":
        parts.append(_both("stroke", stroke, theme))
    return f"#{id} {selector}{{{';'.join(parts)}}}"


def _both(what: str, colour: str, theme: str) -> str:
    """The plain colour first, for programs that know no variables."""
    plain = f"{what}:{COLOURS[colour].dark if theme == 'dark' else COLOURS[colour].light}"
    return f"{plain};{what}:{_value(colour, theme)}" if theme == "auto" else plain


def _value(colour: str, theme: str) -> str:
    if theme == "auto":
        return f"var(--{colour})"
    return COLOURS[colour].dark if theme == "dark" else COLOURS[colour].light


def _variables(id: str, theme: str) -> tuple[str, ...]:
    """As the system is set; a notebook or a page that says what it is goes before."""
    if theme != "auto":
        return ()
    light = ";".join(f"--{name}:{colour.light}" for name, colour in COLOURS.items())
    dark = ";".join(f"--{name}:{colour.dark}" for name, colour in COLOURS.items())
    return (
        f"#{id}{{{light}}}",
        f"@media (prefers-color-scheme:dark){{#{id}{{{dark}}}}}",
        f"{JUPYTER.format('true')}#{id}{{{light}}}",
        f"{JUPYTER.format('false')}#{id}{{{dark}}}",
    )
