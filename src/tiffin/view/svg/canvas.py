"""What a drawing is written on: elements in the order in which they cover each other, and texts that fit.

Nobody knows the reader's fonts, and they differ by a tenth in width. So texts are measured with a wide one (the widths
of DejaVu Sans, in hundredths of the size) and cut where they would be too long; the whole is then in their title.
"""

from __future__ import annotations

from unicodedata import category, east_asian_width

from tiffin.record import NamedTuple
from tiffin.view.svg.palette import style
from tiffin.view.svg.signs import SIGNS
from tiffin.view.words import ELLIPSIS, MARKS, harmless

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Box(NamedTuple):
    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height


class Type(NamedTuple):
    """`name` is its class in the style sheet, `size` in pixels."""

    name: str
    size: float
    is_bold: bool = False
    is_mono: bool = False


PAGE = Type("h1", 24, True)
HEADING = Type("h2", 16, True)
PLAIN = Type("", 13)
BOLD = Type("b", 13, True)
SMALL = Type("s", 12)
SMALL_BOLD = Type("sb", 12, True)
CAPTION = Type("c", 11)
CAPTION_BOLD = Type("cb", 11, True)
CODE = Type("m", 11.5, False, True)
CODE_BOLD = Type("mb", 11.5, True, True)
COMMAND = Type("command", 14, True, True)

ID = "\ue000"
"""stands for the id of a drawing until it is done; no foreign text has it, for `harmless` writes it as a number"""

# of the letters from the blank to the tilde
REGULAR = (
    32, 40, 46, 84, 64, 95, 78, 27, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34, 34,
    84, 84, 84, 53, 100, 68, 69, 70, 77, 63, 58, 77, 75, 29, 29, 66, 56, 86, 75, 79, 60, 79, 69, 63, 61, 73, 68, 99,
    69, 61, 69, 39, 34, 39, 84, 50, 50, 61, 63, 55, 63, 62, 35, 63, 63, 28, 28, 58, 28, 97, 63, 61, 63, 63, 41, 52,
    39, 63, 59, 82, 59, 59, 52, 64, 34, 64, 84,
)  # fmt: skip
HEAVY = (
    35, 46, 52, 84, 70, 100, 87, 31, 46, 46, 52, 84, 38, 42, 38, 37, 70, 70, 70, 70, 70, 70, 70, 70, 70, 70, 40, 40,
    84, 84, 84, 58, 100, 77, 76, 73, 83, 68, 68, 82, 84, 37, 37, 77, 64, 100, 84, 85, 73, 85, 77, 72, 68, 81, 77,
    110, 77, 72, 73, 46, 37, 46, 84, 50, 50, 67, 72, 59, 72, 68, 44, 72, 71, 34, 34, 67, 34, 104, 71, 69, 72, 72, 49,
    60, 48, 71, 65, 92, 65, 65, 58, 71, 37, 71, 84,
)  # fmt: skip
MONO_WIDTH = 60.2
OTHER_WIDTH = 86.0  # a letter from beyond ASCII: no alphabet is wider on the average
WIDE_WIDTH = 120.4  # two columns of a mono font; in others such a letter is as wide as high


def measure(text: str, type: Type) -> float:
    """Pixels of a harmless text."""
    if type.is_mono and text.isascii():
        return len(text) * MONO_WIDTH * type.size / 100
    table = HEAVY if type.is_bold else REGULAR
    return sum(_letter(letter, type, table) for letter in text) * type.size / 100


def fit(text: str, type: Type, room: float) -> str:
    """The text, its end cut off with … where it has more than `room` pixels; nothing if not even … has room."""
    if measure(text, type) <= room:
        return text
    table = HEAVY if type.is_bold else REGULAR
    left = room * 100 / type.size - _letter(ELLIPSIS, type, table)
    for place, letter in enumerate(text):
        left -= _letter(letter, type, table)
        if left < 0:
            return text[:place].rstrip() + ELLIPSIS if place else ""
    return text


def fit_middle(text: str, type: Type, room: float) -> str:
    """The same for paths: their ends tell the most."""
    if measure(text, type) <= room:
        return text
    first = fit(text, type, room / 2).removesuffix(ELLIPSIS)
    last = fit(text[::-1], type, room - measure(first, type)).removesuffix(ELLIPSIS)[::-1]
    return first + ELLIPSIS + last if first and last else fit(text, type, room)


def wrap(text: str, type: Type, room: float, most: int = 8) -> list[str]:
    """Lines of at most `room` pixels. A word that has no room in a line, and what is after `most` lines, is cut."""
    lines, line = list[str](), ""
    for word in harmless(text).split():
        longer = f"{line} {word}" if line else word
        if line and measure(longer, type) > room:
            lines.append(line)
            line = word
        else:
            line = longer
    lines.append(line)
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1] + " " + ELLIPSIS]
    return [fit(line, type, room) for line in lines]


def escape(text: str) -> str:
    """Foreign text made harmless and fit for XML, in elements and attributes."""
    plain = harmless(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return plain.replace('"', "&quot;").replace("'", "&#39;")


def number(value: float) -> str:
    """With at most one decimal."""
    text = f"{value:.1f}"
    return text[:-2] if text.endswith(".0") else text


class Canvas:
    """Elements as text; all colours come from the style sheet."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.classes: set[str] = set()
        self.signs: set[str] = set()
        self.patterns: set[str] = set()
        self.right = 0.0
        self.bottom = 0.0

    def text(self, x: float, y: float, text: str, type: Type = PLAIN, ink: str = "", *, room: float = 0,
             anchor: str = "", title: str = "", is_gone: bool = False, is_path: bool = False) -> float:  # fmt: skip
        """One line with its baseline at y; its width. `anchor` is the class `end` or `mid`; without `room` all of it
        is shown. What was cut is in the title, before it `title`."""
        whole = harmless(text)
        shown = whole if not room else fit_middle(whole, type, room) if is_path else fit(whole, type, room)
        if not shown.strip():
            return 0
        told = ": ".join(part for part in (title, whole if shown != whole else "") if part)
        classes = self._use(type.name, f"k-{ink}" if ink else "", anchor, "gone" if is_gone else "")
        inner = (f"<title>{escape(told)}</title>" if told else "") + escape(shown)
        self.parts.append(f'<text x="{number(x)}" y="{number(y)}"{classes}>{inner}</text>')
        width = measure(shown, type)
        self.cover(x + (0 if anchor == "end" else width / 2 if anchor == "mid" else width), y)
        return width

    def lines(self, x: float, y: float, text: str, type: Type, ink: str, *, room: float, pitch: float,
              most: int = 8) -> float:  # fmt: skip
        """Several lines, the first with its baseline at y; where that of the next one would be."""
        found, whole = wrap(text, type, room, most), " ".join(harmless(text).split())
        for line in found:
            self.text(x, y, line, type, ink, title="" if " ".join(found) == whole else whole)
            y += pitch
        return y

    def rect(self, x: float, y: float, width: float, height: float, kind: str, *, r: float = 0) -> None:
        round = f' rx="{number(r)}"' if r else ""
        box = f'x="{number(x)}" y="{number(y)}" width="{number(max(width, 0))}" height="{number(max(height, 0))}"'
        self.parts.append(f"<rect {box}{round}{self._use(kind)}/>")
        self.cover(x + width, y + height)

    def label(self, place: Box, title: str) -> None:
        """A title for a place on which there may be no room for words."""
        box = (
            f'x="{number(place.x)}" y="{number(place.y)}" width="{number(place.width)}" height="{number(place.height)}"'
        )
        self.parts.append(f"<rect {box}{self._use('unseen')}><title>{escape(title)}</title></rect>")

    def path(self, d: str, kind: str) -> None:
        self.parts.append(f'<path d="{d}"{self._use(kind)}/>')

    def circle(self, x: float, y: float, r: float, kind: str) -> None:
        self.parts.append(f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(r)}"{self._use(kind)}/>')
        self.cover(x + r, y + r)

    def texture(self, d: str, pattern: str) -> None:
        """A shape filled with the pattern `hatch` or `frost`."""
        self.patterns.add(pattern)
        self._use(PATTERNS[pattern][1])
        self.parts.append(f'<path d="{d}" fill="url(#{ID}-{pattern})"/>')

    def sign(self, name: str, x: float, y: float, ink: str, title: str, *, size: float = 16) -> None:
        """A sign with its upper left corner at x, y. Its title is the word for it."""
        self.signs.add(name)
        at = f"translate({number(x)} {number(y)})" + (f" scale({round(size / 16, 3):g})" if size != 16 else "")
        use = f'<use href="#{ID}-{name}" transform="{at}"{self._use(f"k-{ink}")}>'
        self.parts.append(f"{use}<title>{escape(title)}</title></use>")
        self.cover(x + size, y + size)

    def cover(self, x: float, y: float) -> None:
        """Make the drawing large enough for this point."""
        self.right, self.bottom = max(self.right, x), max(self.bottom, y)

    def behind(self, place: int, other: Canvas) -> None:
        """Put what was drawn on another canvas before the element at `place`."""
        self.parts[place:place] = other.parts
        self.classes |= other.classes
        self.signs |= other.signs
        self.patterns |= other.patterns
        self.cover(other.right, other.bottom)

    def finish(self, title: str, description: str, *, theme: str, margin: float) -> str:
        """The whole drawing, with a margin to the right and below. Its id is a digest of all that is in it: as good as
        unique in a page that shows several drawings."""
        from hashlib import sha256  # costs 2 ms

        width, height = number(self.right + margin), number(self.bottom + margin)
        ground = f'<rect width="{width}" height="{height}"{self._use("bg")}/>'
        drawn = (
            f'<svg xmlns="http://www.w3.org/2000/svg" id="{ID}" role="img" viewBox="0 0 {width} {height}"'
            f' width="{width}" height="{height}" aria-labelledby="{ID}-title {ID}-desc">'
            f'<title id="{ID}-title">{escape(title)}</title><desc id="{ID}-desc">{escape_long(description)}</desc>'
            f"<style>{style(ID, theme, self.classes)}</style>"
            f"<defs>{''.join((*self._symbols(), *self._patterns()))}</defs>{ground}{''.join(self.parts)}</svg>\n"
        )
        return drawn.replace(ID, "t" + sha256(drawn.encode()).hexdigest()[:12])

    def _use(self, *names: str) -> str:
        used = [name for name in names if name]
        self.classes.update(used)
        return f' class="{" ".join(used)}"' if used else ""

    def _symbols(self) -> Iterable[str]:
        for name in sorted(self.signs):
            yield f'<g id="{ID}-{name}" stroke-linecap="round" stroke-linejoin="round">{SIGNS[name]}</g>'

    def _patterns(self) -> Iterable[str]:
        for name in sorted(self.patterns):
            step, kind, turn = PATTERNS[name]
            yield (
                f'<pattern id="{ID}-{name}" width="{step}" height="{step}" patternUnits="userSpaceOnUse"'
                f' patternTransform="rotate({turn})"><path d="M0 0V{step}" class="{kind}"/></pattern>'
            )


PATTERNS = {"hatch": (5, "hatching", 45), "frost": (9, "frosting", -45)}
"""pitch, class of the line, angle"""


def escape_long(text: str) -> str:
    """As `escape`, for texts of our own that may be long: foreign words in them are cut already."""
    return "".join(escape(text[at : at + 1000]) for at in range(0, len(text), 1000))


def _letter(letter: str, type: Type, table: tuple[int, ...]) -> float:
    if " " <= letter <= "~":
        return MONO_WIDTH if type.is_mono else table[ord(letter) - 32]
    if category(letter) in MARKS:
        return 0
    if east_asian_width(letter) in "WF":
        return WIDE_WIDTH
    if type.is_mono:
        return MONO_WIDTH
    return 100.0 if letter == ELLIPSIS else OTHER_WIDTH
