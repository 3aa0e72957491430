"""--filter KEY=VALUE: the same key again widens the choice, another key narrows it; every label must fit."""

from __future__ import annotations

from types import MappingProxyType

from tiffin.cli.options import Option
from tiffin.errors import BadParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from typing import TypeVar

    T = TypeVar("T")
    Filters = tuple[tuple[str, str], ...]
    Test = Callable[[T, str], bool]

NO_VALUES: Mapping[str, Collection[str]] = MappingProxyType({})


def filters(help: str) -> Option[Filters]:
    """The option itself. `help` names the keys."""
    return Option("filter", "f", "filter", help, (), _read)


def chooser(
    chosen: Filters, tests: Mapping[str, Test[T]], values: Mapping[str, Collection[str]] = NO_VALUES
) -> Callable[[T], bool]:
    """Whether a thing fits what was chosen. Raises BadParameter for a key that is not among `tests`.

    `values`: the keys that take one of a few only.
    """
    for key, value in chosen:
        if key not in tests:
            raise BadParameter(f"invalid filter '{key}'; there are {', '.join(tests)}")
        if key in values and value not in values[key]:
            raise BadParameter(f"invalid filter '{key}={value}'; there are {', '.join(values[key])}")
    return lambda thing: all(_fits(thing, key, chosen, tests[key]) for key, _ in chosen)


def has_label(labels: Mapping[str, str], wanted: str) -> bool:
    """`wanted` is KEY or KEY=VALUE."""
    key, equals, value = wanted.partition("=")
    return key in labels and (not equals or labels[key] == value)


def _fits(thing: T, key: str, chosen: Filters, test: Test[T]) -> bool:
    answers = [test(thing, value) for other, value in chosen if other == key]
    return all(answers) if key == "label" else any(answers)


def _read(word: str, before: Filters) -> Filters:
    key, equals, value = word.partition("=")
    if not equals:
        raise ValueError("bad format of filter (expected name=value)")
    return (*before, (key.strip().lower(), value.strip()))
