"""NamedTuple, quick to define.

Same use and same meaning as typing.NamedTuple, which type checkers take it for. But typing compiles each annotation
and evaluates a constructor for each class: 0.2 ms of every start, times the hundred plain records of a command line
that is to be over in forty. Here a class costs a twentieth of that, and an instance half a microsecond.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:
    from _collections import _tuplegetter  # what collections.namedtuple reads its fields with

    class _RecordType(type):
        def __new__(meta, name, bases, space):
            fields = tuple(space.get("__annotations__", ()))
            defaults = {field: space.pop(field) for field in fields if field in space}
            if tuple(defaults) != fields[len(fields) - len(defaults) :]:
                raise TypeError(f"{name}: a field without a default follows one with a default")
            space.update((field, _tuplegetter(index, f"field {index}")) for index, field in enumerate(fields))
            space.update(__slots__=(), __match_args__=fields, _fields=fields, _field_defaults=defaults)
            return type.__new__(meta, name, bases, space)

    class NamedTuple(tuple, metaclass=_RecordType):
        """A tuple whose places have names."""

        def __new__(cls, *values, **named):
            if named or len(values) != len(cls._fields):
                values = cls._filled(values, named)
            return tuple.__new__(cls, values)

        @classmethod
        def _filled(cls, values, named):
            """All values, in order. Raises TypeError for too many, too few and unknown ones."""
            rest = cls._fields[len(values) :]
            if len(values) > len(cls._fields) or not named.keys() <= set(rest):
                raise TypeError(f"{cls.__name__}({', '.join(cls._fields)}) was given {values!r} and {named!r}")
            try:
                later = [named[field] if field in named else cls._field_defaults[field] for field in rest]
            except KeyError as error:
                raise TypeError(f"{cls.__name__} lacks its field {error}") from None
            return (*values, *later)

        @classmethod
        def _make(cls, values):
            return cls(*values)

        def _replace(self, **named):
            if not named.keys() <= set(self._fields):
                raise TypeError(f"{type(self).__name__} has no field {', '.join(named.keys() - set(self._fields))}")
            return self._make(named.get(field, value) for field, value in zip(self._fields, self, strict=True))

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def __getnewargs__(self):
            return tuple(self)

        def __repr__(self):
            shown = ", ".join(f"{field}={value!r}" for field, value in zip(self._fields, self, strict=True))
            return f"{type(self).__name__}({shown})"
