"""The record that stands in for typing.NamedTuple."""

from __future__ import annotations

import copy
import pickle

import pytest

from tiffin.record import NamedTuple


class Point(NamedTuple):
    """A place."""

    x: int
    y: int = 2

    @property
    def sum(self) -> int:
        return self.x + self.y

    @classmethod
    def origin(cls) -> Point:
        return cls(0, 0)


def test_fields_are_given_by_place_and_by_name() -> None:
    assert Point(1) == Point(1, 2) == Point(x=1, y=2) == (1, 2)
    assert (Point(1).x, Point(1).y, Point(1).sum, Point.origin()) == (1, 2, 3, (0, 0))


def test_a_record_shows_its_fields() -> None:
    assert repr(Point(1)) == "Point(x=1, y=2)"
    assert Point(1)._asdict() == {"x": 1, "y": 2}
    assert Point._fields == ("x", "y")


def test_replace_makes_a_new_record() -> None:
    first = Point(1)
    assert first._replace(y=5) == (1, 5)
    assert first == (1, 2)
    with pytest.raises(TypeError, match="no field z"):
        first._replace(z=1)  # type: ignore[call-arg]


@pytest.mark.parametrize(("values", "named"), [((), {}), ((1, 2, 3), {}), ((1,), {"z": 1}), ((1,), {"x": 1})])
def test_wrong_values_are_refused(values: tuple[int, ...], named: dict[str, int]) -> None:
    with pytest.raises(TypeError):
        Point(*values, **named)


def test_a_field_without_a_default_cannot_follow_one_with_a_default() -> None:
    space: dict[str, object] = {}
    text = "class Wrong(NamedTuple):\n    a: int = 1\n    b: int\n"
    with pytest.raises(TypeError, match="without a default"):
        exec(text, {"NamedTuple": NamedTuple, "__name__": __name__}, space)


def test_a_record_has_no_room_for_more() -> None:
    with pytest.raises(AttributeError):
        Point(1).z = 1  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        Point(1).x = 1  # type: ignore[misc]


def test_a_record_can_be_matched_hashed_copied_and_pickled() -> None:
    match Point(1):
        case Point(x, y):
            assert (x, y) == (1, 2)
    assert {Point(1): "here"}[Point(1, 2)] == "here"
    assert copy.copy(Point(1)) == Point(1)
    assert pickle.loads(pickle.dumps(Point(1))) == Point(1)
