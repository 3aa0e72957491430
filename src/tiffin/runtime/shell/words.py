"""Any text as one word of a shell, or as a comment: nothing in it is ever taken for more than a text.

All is made to be shown on a terminal, too: what a terminal would obey, or what would turn a line around, is written by
its number in a word, and left out of a comment.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WIDTH = 118
PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%")


def word(text: str) -> str:
    r"""One word for a POSIX shell, whose value is the bytes of `text`: plain, or 'quoted', with "$(printf '\033')".

    Line ends and tabs stay what they are, within quotes.
    """
    if text and PLAIN.issuperset(text):
        return text
    pieces = [_quoted(run) if is_harmless else _by_number(run) for is_harmless, run in _runs(text)]
    return "".join(pieces) or "''"


def words(texts: Iterable[str]) -> str:
    return " ".join(map(word, texts))


def wrapped(text: str, *, indent: str = "") -> str:
    """Plain words of a command on as many lines as it takes."""
    lines = [indent]
    for piece in text.split(" "):
        if lines[-1].strip() and len(lines[-1]) + 1 + len(piece) > WIDTH - 2:
            lines.append(f"{indent}    ")
        lines[-1] += piece if not lines[-1].strip() else f" {piece}"
    return " \\\n".join(lines)


def remark(text: str) -> str:
    """A text on one line that is harmless on a terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def comment(text: str) -> str:
    """As many lines as it takes; a word is never cut."""
    lines = ["#"]
    for piece in remark(text).split(" "):
        if lines[-1] != "#" and len(lines[-1]) + 1 + len(piece) > WIDTH:
            lines.append("#")
        lines[-1] += f" {piece}"
    return "\n".join(lines)


def title(text: str) -> str:
    return f"# ---- {text} ".ljust(WIDTH, "-")


def _runs(text: str) -> Iterator[tuple[bool, str]]:
    """The text in pieces that are harmless, or not."""
    run, was_harmless = "", True
    for character in text:
        is_harmless = character in "\n\t" or character.isprintable()
        if run and is_harmless != was_harmless:
            yield was_harmless, run
            run = ""
        run, was_harmless = run + character, is_harmless
    if run:
        yield was_harmless, run


def _quoted(text: str) -> str:
    """'…', within which a shell takes nothing for special but the quote itself."""
    return "'" + text.replace("'", "'\\''") + "'"


def _by_number(text: str) -> str:
    # $(…) takes line ends off at the end, and there are none in here
    return "\"$(printf '" + "".join(f"\\{byte:03o}" for byte in os.fsencode(text)) + "')\""
