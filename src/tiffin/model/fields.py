"""Fields of Docker's JSON, by kind: what is absent or null has its default, what has another type is refused.

Each function raises BadParameter.
"""

from __future__ import annotations

from tiffin.errors import BadParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

JSON: TypeAlias = "dict[str, Any]"  # the border: what json.loads gives


def text(form: JSON, key: str) -> str:
    """A string; absent: empty."""
    value = form.get(key)
    if value is not None and not isinstance(value, str):
        raise BadParameter(f"the field {key} must be a string")
    return value or ""


def flag(form: JSON, key: str) -> bool:
    """True or false; absent: false."""
    value = form.get(key)
    if value is not None and not isinstance(value, bool):
        raise BadParameter(f"the field {key} must be true or false")
    return bool(value)


def number(form: JSON, key: str, default: int | None) -> int | None:
    """A whole number."""
    value = form.get(key)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadParameter(f"the field {key} must be a whole number")
    return value


def words(form: JSON, key: str) -> tuple[str, ...]:
    """A list of strings."""
    value = form.get(key)
    if isinstance(value, str):  # old clients and Dockerfiles: one string is one word
        return (value,)
    if value is not None and not (isinstance(value, list) and all(isinstance(word, str) for word in value)):
        raise BadParameter(f"the field {key} must be a list of strings")
    return tuple(value or ())


def keys(form: JSON, key: str) -> tuple[str, ...]:
    """The keys of an object, whose values say nothing."""
    value = form.get(key)
    if value is not None and not isinstance(value, dict):
        raise BadParameter(f"the field {key} must be an object")
    return tuple(value or ())


def labels(form: JSON, key: str) -> dict[str, str]:
    """An object of strings."""
    value = form.get(key)
    if value is not None and not (isinstance(value, dict) and all(isinstance(text, str) for text in value.values())):
        raise BadParameter(f"the field {key} must be an object of strings")
    return dict(value or {})
