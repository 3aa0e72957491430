"""JSON as it comes from outside: in archives, from registries, and in the configs that they bring.

Everything here raises BadArchive with a sentence that says where the trouble is.
"""

from __future__ import annotations

from tiffin import json
from tiffin.errors import BadArchive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

JSON: TypeAlias = "dict[str, Any]"  # the border: what json.loads gives
LARGEST = 16 << 20  # bytes of one document; the registries' own limit is 4 MB


def parse(content: bytes, what: str) -> Any:
    """Any JSON value. `what` is said in the message."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BadArchive(f"{what} is no JSON: {error}") from error
    # half a character ("\ud83d" alone) is valid JSON, but can be written nowhere; Go's decoder replaces it as well
    return _whole(value) if b"\\ud" in content.lower() else value


def parse_object(content: bytes, what: str) -> JSON:
    value = parse(content, what)
    if not isinstance(value, dict):
        raise BadArchive(f"{what} is no JSON object")
    return value


def parse_list(content: bytes, what: str) -> list[JSON]:
    """A list of objects."""
    return objects({"": parse(content, what)}, "", what)


def text(form: JSON, key: str, what: str) -> str:
    """A string, "" where it is absent or null."""
    value = form.get(key)
    if value is not None and not isinstance(value, str):
        raise BadArchive(f"{key} of {what} is no string")
    return value or ""


def texts(form: JSON, key: str, what: str) -> list[str]:
    """A list of strings, empty where it is absent or null."""
    value = form.get(key)
    if value is not None and not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
        raise BadArchive(f"{key} of {what} is no list of strings")
    return value or []


def objects(form: JSON, key: str, what: str) -> list[JSON]:
    """A list of objects, empty where it is absent or null."""
    value = form.get(key)
    if value is not None and not (isinstance(value, list) and all(isinstance(item, dict) for item in value)):
        raise BadArchive(f"{key or 'the content'} of {what} is no list of objects")
    return value or []


def object_in(form: JSON, key: str, what: str) -> JSON:
    """An object, empty where it is absent or null."""
    value = form.get(key)
    if value is not None and not isinstance(value, dict):
        raise BadArchive(f"{key} of {what} is no object")
    return value or {}


def number(form: JSON, key: str, what: str) -> int:
    """A whole number that is not negative, 0 where it is absent or null."""
    value = form.get(key)
    if value is not None and not (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        raise BadArchive(f"{key} of {what} is no size")
    return value or 0


def canonical(value: object) -> bytes:
    """Our own form: keys sorted, no blanks, characters as they are. Equal values give equal bytes, and so equal ids."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return value
