"""Rows and columns as Docker lays them out: at least ten wide, three blanks between, the last column as it comes."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


SMALLEST = 10
GAP = 3


def layout(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines for rows of equally many cells."""
    if not rows:
        return
    columns = range(len(rows[0]) - 1)
    widths = [max(SMALLEST, GAP + max(len(row[column]) for row in rows)) for column in columns]
    for row in rows:
        yield "".join(row[column].ljust(widths[column]) for column in columns) + row[-1]


def shorten(text: str, width: int) -> str:
    """At most `width` characters; an ellipsis tells that some are missing."""
    return text if len(text) <= width else text[: width - 1] + "…"


def short_id(id: str) -> str:
    """Twelve digits, which are enough to name a thing."""
    return id.removeprefix("sha256:")[:12]


def visible(text: str) -> str:
    """With what a terminal would take as a command made visible: names and labels come from strangers."""
    return text if text.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in text)


def quoted(text: str) -> str:
    """In double quotes, as a word that a shell or Go would read."""
    return '"' + visible(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def _escaped(character: str) -> str:
    return {"\n": "\\n", "\t": "\\t"}.get(character, f"\\x{ord(character):02x}")
