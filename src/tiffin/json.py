"""JSON (RFC 8259) as the module json of the standard library reads and writes it, without what that one loads.

Half the time of a short command would go into json's regular expressions and their enumerations, 6 ms. The work is done
by its C half in any case; here that is called directly, and json itself only to say what is wrong with a text.
"""

from __future__ import annotations

from _json import encode_basestring, encode_basestring_ascii, make_encoder, make_scanner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

BLANKS = " \t\n\r"


class _Rules:
    """Of reading, as json's."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int = float, int
    parse_constant = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}.__getitem__


_scan = make_scanner(_Rules)  # type: ignore[arg-type]  # it takes anything that has them


def loads(text: str | bytes) -> Any:
    """Raises ValueError that says what is wrong, and where."""
    try:
        content = (text if isinstance(text, str) else text.decode()).strip(BLANKS)
        value, end = _scan(content, 0)
        if end == len(content):
            return value
    except (StopIteration, UnicodeDecodeError):
        pass
    except (ImportError, SystemError):  # what the C half raises where it finds no json to make an error with
        pass
    return _explain(text)


def dumps(
    value: object,
    *,
    indent: int | None = None,
    sort_keys: bool = False,
    ensure_ascii: bool = True,
    separators: tuple[str, str] = (", ", ": "),
) -> str:
    """In one line, or over several for `indent`; then all keys must be strings.

    Raises TypeError for what is no JSON, ValueError for what holds itself.
    """
    string = encode_basestring_ascii if ensure_ascii else encode_basestring
    between, after = separators
    encode = make_encoder({}, _refuse, string, None, after, between, sort_keys, False, True)
    if indent is None:
        return "".join(encode(value, 0))

    def laid_out(value: object, margin: str) -> str:
        inner = margin + " " * indent
        if value and isinstance(value, dict):
            pairs = sorted(value.items()) if sort_keys else value.items()
            lines = [f"{inner}{string(key)}: {laid_out(item, inner)}" for key, item in pairs]
            return f"{{{','.join(lines)}{margin}}}"
        if value and isinstance(value, (list, tuple)):
            lines = [f"{inner}{laid_out(item, inner)}" for item in value]
            return f"[{','.join(lines)}{margin}]"
        return "".join(encode(value, 0))

    return laid_out(value, "\n")


def _explain(text: str | bytes) -> Any:
    try:
        from json import loads  # only to say what is wrong
    except ImportError:  # importing is off in whatever enters a container
        raise ValueError("not JSON") from None
    return loads(text)


def _refuse(value: object) -> NoReturn:
    raise TypeError(f"{type(value).__name__} is no JSON")
