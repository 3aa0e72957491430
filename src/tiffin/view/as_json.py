"""A picture as JSON: every field by its name, tuples as lists, and the description in sentences beside them.

    {"picture": {"about": "container", "title": "web", "slabs": [{"id": "sha256:…", …}], …},
     "description": "web runs. …"}

    {"explanation": {"command": "rm web", "takes": {…}, …}, "description": "…"}

`from_json` reads what `to_json` wrote, from wherever it comes: fields that it does not know are left out, those that
are missing have their defaults, and what is of another type is an error.
"""

from __future__ import annotations

from types import MappingProxyType, NoneType

from tiffin.errors import BadParameter
from tiffin.record import NamedTuple
from tiffin.view import sentences
from tiffin.view.explanation import Explanation
from tiffin.view.picture import (
    Card,
    Changes,
    Gauge,
    Joined,
    Namespace,
    Network,
    Picture,
    Process,
    Protection,
    Row,
    Slab,
    Space,
    Tray,
    Use,
    View,
    Volume,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeVar

    T = TypeVar("T")


class Form(NamedTuple):
    """What a field may hold: values of one of these types, alone or in a list; `pairs`: lists of two texts."""

    types: tuple[type, ...]
    is_list: bool = False
    is_pairs: bool = False


TEXT, NUMBER, FLAG = Form((str,)), Form((int,)), Form((bool,))
TEXT_OR_NONE, NUMBER_OR_NONE, TIME = Form((str, NoneType)), Form((int, NoneType)), Form((float, int))
TEXTS, PAIRS = Form((str,), is_list=True), Form((list,), is_list=True, is_pairs=True)


def _list_of(type: type) -> Form:
    return Form((type,), is_list=True)


def _maybe(type: type) -> Form:
    return Form((type, NoneType))


def _rows(fields: str, form: Form) -> dict[str, Form]:
    return dict.fromkeys(fields.split(), form)


FORMS: Mapping[type, Mapping[str, Form]] = MappingProxyType({
    Slab: _rows("id label mark", TEXT) | {"parent": TEXT_OR_NONE, "size": NUMBER_OR_NONE}
    | _rows("names images settings", TEXTS),
    Changes: _rows("added changed removed", NUMBER),
    Process: _rows("pid host_pid", NUMBER_OR_NONE) | {"parent": NUMBER, "name": TEXT},
    Namespace: {"kind": TEXT, "number": NUMBER, "is_own": FLAG},
    Gauge: {"name": TEXT} | _rows("used limit", NUMBER_OR_NONE),
    Protection: _rows("name text", TEXT),
    Space: {"processes": Form((Process, NoneType), is_list=True), "namespaces": _list_of(Namespace), "cgroup": TEXT,
            "gauges": _list_of(Gauge), "protections": _list_of(Protection)},
    Use: _rows("source target", TEXT) | {"is_readonly": FLAG},
    Joined: _rows("network address", TEXT),
    Tray: _rows("id image command state reason mark", TEXT) | _rows("name on", TEXT_OR_NONE)
    | _rows("exit_code size", NUMBER_OR_NONE) | _rows("is_out_of_memory is_thrown_away is_least", FLAG)
    | _rows("files ports", TEXTS) | {"since": TIME, "changes": _maybe(Changes), "space": _maybe(Space),
                                     "uses": _list_of(Use), "networks": _list_of(Joined)},
    Row: _rows("name kind layer hides target", TEXT) | _rows("depth number", NUMBER) | {"is_removed": FLAG},
    View: {"of": TEXT, "rows": _list_of(Row), "is_writable": FLAG},
    Card: {"kind": TEXT, "title": TEXT, "rows": PAIRS},
    Volume: {"name": TEXT, "size": NUMBER_OR_NONE},
    Network: _rows("name subnet", TEXT),
    Picture: _rows("about title", TEXT) | _rows("ground_images ground_names", TEXTS) | {
        "slabs": _list_of(Slab), "trays": _list_of(Tray), "view": _maybe(View), "cards": _list_of(Card),
        "volumes": _list_of(Volume), "networks": _list_of(Network), "at": TIME},
})  # fmt: skip


def to_json(content: Picture | Explanation) -> dict[str, object]:
    """Only dicts with text keys, lists, texts, numbers, true, false and null."""
    if isinstance(content, Picture):
        return {"picture": _plain(content), "description": sentences.describe(content)}
    return {"explanation": _plain(content), "description": sentences.describe_explanation(content)}


def from_json(value: Mapping[str, object]) -> Picture:
    """The picture that `to_json` was given. Raises BadParameter for anything else."""
    return _read(Picture, value.get("picture"), "picture")


def _plain(value: object) -> object:
    if hasattr(value, "_asdict"):
        return {name: _plain(one) for name, one in value._asdict().items()}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value


def _read(type: type[T], value: object, where: str) -> T:
    if not isinstance(value, dict):
        raise BadParameter(f"{where} is no {type.__name__.lower()} in JSON")
    fields = {name: _field(form, value[name], f"{where}.{name}") for name, form in FORMS[type].items() if name in value}
    try:
        return type(**fields)
    except TypeError as error:
        raise BadParameter(f"{where}: {error}") from error


def _field(form: Form, value: object, where: str) -> object:
    if not form.is_list or (value is None and NoneType in form.types):
        return _one(form, value, where)
    if not isinstance(value, list):
        raise BadParameter(f"{where} is no list")
    return tuple(_one(form, one, f"{where}[{place}]") for place, one in enumerate(value))


def _one(form: Form, value: object, where: str) -> object:
    known = form.types[0]
    if known in FORMS and value is not None:
        return _read(known, value, where)
    if form.is_pairs and isinstance(value, list) and [type(one) for one in value] == [str, str]:
        return tuple(value)
    if form.is_pairs or type(value) not in form.types:
        raise BadParameter(f"{where} is {type(value).__name__}, not {known.__name__}")
    return value
