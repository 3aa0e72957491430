r"""What stands after --format: the small honest part of Go's templates.

    {{.Names}}   {{.State.Status}}   {{json .Config}}   {{.}}      fields of what is shown, as text or as JSON
    table {{.ID}}\t{{.Names}}                                      in columns, with headers
    json                                                           everything, as JSON

Anything else of Go's templates (range, if, index, pipes) is refused with a sentence rather than guessed at.
"""

from __future__ import annotations

from tiffin import json
from tiffin.errors import BadParameter
from tiffin.record import NamedTuple

FREE = ("Attributes", "Labels", "Tmpfs")  # anybody may choose the keys: one that is not there just has no value


class Field(NamedTuple):
    """{{.State.Status}} has the path State, Status; {{.}} an empty one."""

    path: tuple[str, ...]
    as_json: bool = False


class Template(NamedTuple):
    """Literal texts and fields, in the order in which they are written."""

    parts: tuple[str | Field, ...]

    def render(self, value: object) -> str:
        """Raises BadParameter for a field that is not there."""
        return "".join(part if isinstance(part, str) else _show(part, value) for part in self.parts)


def parse(text: str) -> Template:
    """Raises BadParameter for what is not understood."""
    parts: list[str | Field] = []
    while text:
        before, opening, text = text.partition("{{")
        if before:
            parts.append(before)
        if opening:
            body, closing, text = text.partition("}}")
            if not closing:
                raise BadParameter(f"the format has {{{{ without }}}}: {opening}{body}")
            parts.append(_field(body.strip()))
    return Template(tuple(parts))


def go_text(value: object) -> str:
    """A value as Go's templates write it: <no value> for nothing, [a b] for lists, map[a:1 b:2] for objects."""
    if value is None:
        return "<no value>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{go_text(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, (list, tuple)):
        return "[" + " ".join(go_text(item) for item in value) + "]"
    return str(value)


def _field(body: str) -> Field:
    words = body.split()
    as_json = words[:1] == ["json"]
    words = words[1:] if as_json else words
    path = words[0] if len(words) == 1 else ""
    names = path[1:].split(".") if path != "." else []
    if not path.startswith(".") or not all(name.isidentifier() for name in names):
        raise BadParameter(
            f"the format {{{{{body}}}}} is not understood: only fields like {{{{.Name}}}} and {{{{json .Name}}}} are, "
            "and the words table and json"
        )
    return Field(tuple(names), as_json)


def _show(field: Field, value: object) -> str:
    above = ""
    for name in field.path:
        if not isinstance(value, dict) or (name not in value and above not in FREE):
            raise BadParameter(f"there is no field {name} in {{{{.{'.'.join(field.path)}}}}}{_known(value)}")
        above, value = name, value.get(name)
    if not field.as_json:
        return go_text(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _known(value: object) -> str:
    return "; there are " + ", ".join(value) if isinstance(value, dict) and value else ""
