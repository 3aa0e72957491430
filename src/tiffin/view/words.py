"""Foreign texts made harmless and fitted to a width; amounts and times in a reader's words.

Names of images, files and processes come from anywhere. What could move the cursor, turn the direction of a line, or
be nothing at all is written as its number: `\\x1b`, `\\u202e`. So a line has the width that was counted for it.
"""

from __future__ import annotations

from types import MappingProxyType
from unicodedata import category, east_asian_width

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

UNSEEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
"""categories of Unicode: controls, formats (among them the marks of direction), what is assigned to nobody"""
MARKS = frozenset(("Mn", "Me"))
MOST_MARKS = 2  # on one letter; more pile up over other lines
LONGEST = 1000  # characters of one text that anybody will read
ELLIPSIS = "…"

_NARROW = MappingProxyType(dict.fromkeys(range(0x2500, 0x25F0)) | {ord(ELLIPSIS): None})
"""lines, blocks and shapes: one column each, without looking them up"""

STEP = 1000
UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")


def harmless(text: str, longest: int = LONGEST) -> str:
    """What can be printed as it is; the rest as numbers. Cut at `longest` characters."""
    cut = text[:longest] + (ELLIPSIS if len(text) > longest else "")
    if cut.isascii() and cut.isprintable():
        return cut
    return "".join(_letters(cut))


def width(text: str) -> int:
    """The columns that a harmless text takes in a terminal."""
    if text.isascii():
        return len(text)
    rest = text.translate(_NARROW)  # most of what is measured is our own lines
    return len(text) - len(rest) + (len(rest) if rest.isascii() else sum(map(_columns, rest)))


def cut(text: str, columns: int) -> str:
    """At most so many columns, with … where the end was cut off."""
    if width(text) <= columns:
        return text
    return beginning(text, columns - 1) + ELLIPSIS if columns > 0 else ""


def cut_middle(text: str, columns: int) -> str:
    """The same for paths: their ends tell the most."""
    if width(text) <= columns:
        return text
    if columns < 5:
        return cut(text, columns)
    first = (columns - 1) // 2
    end = beginning(text[::-1], columns - 1 - first)[::-1]
    return beginning(text, first) + ELLIPSIS + end


def beginning(text: str, columns: int) -> str:
    """The first letters, as many as go into so many columns."""
    taken, used = "", 0
    for letter in text:
        used += _columns(letter)
        if used > columns:
            break
        taken += letter
    return taken


def pad(text: str, columns: int) -> str:
    """Cut or filled with blanks to just so many columns."""
    fitted = cut(text, columns)
    return fitted + " " * (columns - width(fitted))


def amount(size: int | None) -> str:
    """Bytes with one decimal and a unit, in steps of 1000: "2.3 kB". A question mark where nobody knows."""
    if size is None:
        return "?"
    value, unit = float(size), 0
    while value >= STEP - 0.05 and unit < len(UNITS) - 1:
        value, unit = value / STEP, unit + 1
    return f"{size} B" if unit == 0 else f"{value:.1f} {UNITS[unit]}"


def age(seconds: float) -> str:
    """ "40 s", "5 min", "2 h 43 min", "3 d"."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86400:
        minutes = whole % 3600 // 60
        return f"{whole // 3600} h" + (f" {minutes} min" if minutes else "")
    return f"{whole // 86400} d"


def many(number: int, one: str, more: str = "") -> str:
    """ "1 layer", "2 layers", "2 processes" with `more` given."""
    return f"{number} {one}" if number == 1 else f"{number} {more or one + 's'}"


def _letters(text: str) -> Iterator[str]:
    marks = MOST_MARKS  # a mark on nothing would stand on the frame
    for letter in text:
        kind = category(letter)
        if kind in MARKS:
            marks += 1
            if marks <= MOST_MARKS:
                yield letter
                continue
        else:
            marks = 0
        if kind in UNSEEN or kind in MARKS:
            code = ord(letter)
            yield f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
        else:
            yield " " if kind == "Zs" else letter


def _columns(letter: str) -> int:
    if category(letter) in MARKS:
        return 0
    return 2 if east_asian_width(letter) in "WF" else 1
