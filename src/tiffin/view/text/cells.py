"""A sheet of character cells: texts are put to places on it, and read off as lines for a terminal.

    light    ─ │ ┌ ┐ └ ┘    a read-only layer
    double   ═ ║ ╚ ╝        a read-write layer
    heavy    ━ ┃ ┏ ┓ ┗ ┛    a process space

The three kinds of line never change their meaning; light ones are also what rules and trees are drawn with. Colours are
the terminal's own, and only repeat what form, sign or word say. Where the terminal has no UTF-8, the lines become
`+-|`, `=` and `#`, one for one; foreign texts are written with numbers for what is not ASCII.
"""

from __future__ import annotations

from types import MappingProxyType

from tiffin.record import NamedTuple
from tiffin.view import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Style(NamedTuple):
    """What the terminal can show."""

    colour: bool
    utf8: bool


class Pen:
    """Parameters of SGR (ECMA-48, 8.3.117), foreground only."""

    PLAIN = ""
    BOLD = "1"
    DIM = "2"
    RW = "33"
    RW_BOLD = "1;33"
    RUN = "32"
    RUN_BOLD = "1;32"
    ICE = "94"
    ICE_BOLD = "1;94"
    BAD = "31"
    BAD_BOLD = "1;31"
    VOLUME = "35"


def bold(pen: str) -> str:
    """The same colour, bold."""
    return f"1;{pen}" if pen and not pen.startswith("1") and pen != Pen.DIM else pen or Pen.BOLD


class Run(NamedTuple):
    """A text written with one pen."""

    text: str
    pen: str = Pen.PLAIN


_ASCII = str.maketrans({
    "─": "-", "│": "|", **dict.fromkeys("╌┄", "."), "╎": ":", **dict.fromkeys("┌┐└┘├┤┬┴┼╲", "+"),
    **dict.fromkeys("═║╔╗╚╝╒╞", "="), **dict.fromkeys("━┅┃┇┏┓┗┛┍┝", "#"),
    "▔": "_", "▾": "v", "◁": "<", "●": "*", "■": "*", "□": ".", "…": "~", "–": "-", "−": "-", "·": ",",
    "→": ">", "×": "x", "✕": "x", "↓": "v", "↑": "^", "‖": "=", "▶": ">", "○": "o", "✓": "v", "✗": "X", "↻": "@",
    "†": "!", "µ": "u", "▒": ":", "✎": "w",
})  # fmt: skip
"""what we draw, one for one: so nothing moves"""

LEAST = 8  # columns that a text at the left needs beside one at the right
_TOKENS = MappingProxyType({"▒": "[ro]", "✎": "[rw]"})


class Sheet:
    """Rows from the top, columns from the left, as many as are used. Texts put to it must be harmless."""

    def __init__(self, style: Style) -> None:
        self.style = style
        self._rows = list[list[tuple[int, str, str]]]()

    @property
    def height(self) -> int:
        return len(self._rows)

    def put(self, row: int, column: int, text: str, pen: str = Pen.PLAIN) -> int:
        """Returns the column after it."""
        while len(self._rows) <= row:
            self._rows.append([])
        if text:
            self._rows[row].append((column, text, pen))
        return column + words.width(text)

    def put_all(self, row: int, column: int, runs: Iterable[Run]) -> int:
        """One after the other; returns the column after them."""
        for run in runs:
            column = self.put(row, column, run.text, run.pen)
        return column

    def put_right(self, row: int, end: int, runs: Iterable[Run]) -> int:
        """So that they end before `end`; returns the column of the first."""
        listed = list(runs)
        column = end - length(listed)
        self.put_all(row, column, listed)
        return column

    def paste(self, row: int, column: int, other: Sheet) -> int:
        """All of another sheet; returns the row below it."""
        for number, pieces in enumerate(other._rows):
            self.put(row + number, 0, "")
            self._rows[row + number] += [(column + at, text, pen) for at, text, pen in pieces]
        return row + other.height

    def trimmed(self) -> Sheet:
        """Without empty rows above and below."""
        used = [number for number, pieces in enumerate(self._rows) if any(text.strip() for _, text, _ in pieces)]
        sheet = Sheet(self.style)
        sheet._rows = [list(pieces) for pieces in self._rows[used[0] : used[-1] + 1]] if used else []
        return sheet

    def say(self, text: str, longest: int = words.LONGEST) -> str:
        """A foreign text as it can be put here."""
        shown = words.harmless(text, longest)
        if self.style.utf8 or shown.isascii():
            return shown
        return shown.translate(_ASCII).encode("ascii", "backslashreplace").decode()

    def token(self, sign: str) -> str:
        """▒ or [ro], ✎ or [rw]."""
        return sign if self.style.utf8 else _TOKENS[sign]

    def lines(self) -> Iterator[str]:
        """Without blanks at their ends."""
        for pieces in self._rows:
            yield self._line(pieces)

    def __str__(self) -> str:
        return "".join(line + "\n" for line in self.lines())

    def _line(self, pieces: list[tuple[int, str, str]]) -> str:
        line, at, last = "", 0, Pen.PLAIN
        for column, text, pen in sorted(pieces, key=lambda piece: piece[0]):
            text = text.rstrip(" ")
            if column < at or not text:  # it would move all that follows, or colour blanks
                continue
            shown = text if self.style.utf8 or text.isascii() else text.translate(_ASCII)
            wanted = pen if self.style.colour else Pen.PLAIN
            if wanted != last:  # blanks between take no colour
                line += ("\x1b[0m" if last else "") + " " * (column - at) + (f"\x1b[{wanted}m" if wanted else "")
            else:
                line += " " * (column - at)
            line, at, last = line + shown, column + words.width(text), wanted
        return line + ("\x1b[0m" if last else "")


def both_sides(sheet: Sheet, row: int, start: int, end: int, left: list[Run], right: list[Run]) -> None:
    """One at the left and one at the right of [start, end). The left one is cut; where little is left of it, the right
    one is dropped."""
    room = end - start
    if right and length(right) + (1 + min(length(left), LEAST) if left else 0) > room:
        right = []
    sheet.put_all(row, start, fit(left, room - (length(right) + 1 if right else 0)))
    sheet.put_right(row, end, right)


def length(runs: Iterable[Run]) -> int:
    """The columns that they take."""
    return sum(words.width(run.text) for run in runs)


def fit(runs: Iterable[Run], columns: int) -> list[Run]:
    """As many as go into so many columns, the last one cut."""
    fitted = list[Run]()
    for run in runs:
        if words.width(run.text) > columns:
            return [*fitted, Run(words.cut(run.text, columns), run.pen)] if columns > 0 else fitted
        fitted.append(run)
        columns -= words.width(run.text)
    return fitted


def wrapped(text: str, columns: int, most: int = 0) -> list[str]:
    """Lines of at most so many columns, broken at blanks, else anywhere; with `most`, at most so many lines."""
    lines, line = list[str](), ""
    for word in text.split(" "):
        if line and words.width(line) + 1 + words.width(word) > columns:
            lines.append(line)
            line = ""
        while words.width(word) > max(columns, 2):
            first = words.beginning(word, max(columns, 2))
            first = first[: first.rfind("/", columns // 2) + 1] or first  # a path breaks best at a folder
            lines.append(first)
            word = word[len(first) :]
        line = f"{line} {word}" if line else word
    lines.append(line)
    if most and len(lines) > most:
        beginning = words.beginning(f"{lines[most - 1]} {lines[most]}", columns - 1)
        return [*lines[: most - 1], beginning + words.ELLIPSIS]
    return lines


def flow(pieces: Iterable[list[Run]], columns: int, between: str) -> list[list[Run]]:
    """Lines of whole pieces, `between` them; only a piece that is wider than a line is cut."""
    lines = list[list[Run]]()
    for piece in pieces:
        if lines and length(lines[-1]) + words.width(between) + length(piece) <= columns:
            lines[-1] += [Run(between), *piece]
        else:
            lines.append(fit(piece, columns))
    return lines
