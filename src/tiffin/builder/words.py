"""Words in instructions: quotes, backslashes, `$variables`, and JSON arrays.

Dockerfile reference, "Environment replacement": $name, ${name}, ${name:-word}, ${name:+word} and ${name:?word}, the
colon left out where only unset, not also empty, counts.
"""

from __future__ import annotations

from tiffin import json
from tiffin.errors import BadParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

BLANKS = " \t\r\n\v\f"


def json_words(text: str) -> tuple[str, ...] | None:
    """The strings of a JSON array, or None where the text is none: then it is meant for a shell."""
    if not text.lstrip().startswith("["):
        return None
    try:
        words = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return tuple(words) if all(isinstance(word, str) for word in words) else None


def pieces(text: str) -> list[str]:
    """Split at blanks outside of quotes. Quotes and backslashes stay in."""
    found: list[str] = []
    piece, quote, at = "", "", 0
    while at < len(text):
        character = text[at]
        if character == "\\" and quote != "'" and at + 1 < len(text):
            piece += text[at : at + 2]
            at += 2
            continue
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        if character in BLANKS and not quote:
            if piece:
                found.append(piece)
            piece = ""
        else:
            piece += character
        at += 1
    return [*found, piece] if piece else found


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Put in the variables, and take quotes and backslashes away. Raises BadParameter where a quote never ends."""
    return _Reader(text, variables).read("")


def expand_words(text: str, variables: Mapping[str, str]) -> list[str]:
    """The same, but a variable outside of quotes may hold several words."""
    return [word for piece in pieces(text) for word in _split(piece, expand(piece, variables))]


def _split(piece: str, value: str) -> list[str]:
    return [value] if any(quote in piece for quote in "'\"\\") else value.split()


class _Reader:
    def __init__(self, text: str, variables: Mapping[str, str]) -> None:
        self._text, self._at, self._variables = text, 0, variables

    def read(self, end: str) -> str:
        """Up to the character `end`, or to the end of the text where that is empty."""
        words: list[str] = []
        while self._at < len(self._text):
            character = self._next()
            if character == end:
                return "".join(words)
            if character == "'":
                words.append(self._literal())
            elif character == '"':
                words.append(self._quoted())
            elif character == "\\":
                words.append(self._next())
            elif character == "$":
                words.append(self._variable())
            else:
                words.append(character)
        if end:
            raise BadParameter(f"unexpected end of statement while looking for matching {end} in: {self._text}")
        return "".join(words)

    def _literal(self) -> str:
        end = self._text.find("'", self._at)
        if end < 0:
            raise BadParameter(f"unexpected end of statement while looking for matching single-quote: {self._text}")
        literal, self._at = self._text[self._at : end], end + 1
        return literal

    def _quoted(self) -> str:
        words: list[str] = []
        while (character := self._next()) != '"':
            if not character:
                raise BadParameter(f"unexpected end of statement while looking for matching double-quote: {self._text}")
            if character == "$":
                words.append(self._variable())
            elif character == "\\" and self._peek() in ('"', "$", "\\"):
                words.append(self._next())
            else:
                words.append(character)
        return "".join(words)

    def _variable(self) -> str:
        if self._peek() != "{":
            name = self._name()
            return self._variables.get(name, "") if name else "$"
        self._next()
        name, operator = self._name(), self._next()
        if not name:
            raise BadParameter(f"bad substitution in: {self._text}")
        value = self._variables.get(name)
        if operator == "}":
            return value or ""
        if operator == ":":
            value, operator = value or None, self._next()
        if operator not in ("-", "+", "?"):
            raise BadParameter(f"unsupported modifier ({operator}) in substitution: {self._text}")
        word = self.read("}")
        if operator == "+":
            return word if value is not None else ""
        if value is None and operator == "?":
            raise BadParameter(f"{name}: {word or 'not allowed to be unset'}")
        return word if value is None else value

    def _name(self) -> str:
        start = self._at
        if self._peek() in tuple("*#@!?-0123456789"):  # the shell's own variables are one character
            self._at += 1
        else:
            while self._peek().isalnum() or self._peek() == "_":
                self._at += 1
        return self._text[start : self._at]

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next(self) -> str:
        character = self._peek()
        self._at += 1
        return character
