"""inspect: the metadata of containers, images and layers, as JSON."""

from __future__ import annotations

from tiffin import json
from tiffin.cli import template
from tiffin.cli.failures import each
from tiffin.cli.options import Command, Given, Option, text
from tiffin.errors import BadParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine
    from tiffin.view.explanation import Explanation

KINDS = ("container", "image", "layer")


def _read_kind(word: str, _: str) -> str:
    if word not in KINDS:
        raise BadParameter(f'unknown type: "{word}": must be one of {", ".join(KINDS)}')
    return word


KIND = Option("type", "", "string", "only things of this kind: container, image or layer", "", _read_kind)
FORMAT = text("format", "show as: json, or a text with fields, as in '{{.State.Status}}' or '{{json .Config}}'", "f")

COMMAND = Command(
    "inspect",
    "NAME|ID [NAME|ID...]",
    (FORMAT, KIND),
    least=1,
)


def act(engine: Engine, given: Given) -> int:
    return show(engine, given, given[KIND] or None)


def show(engine: Engine, given: Given, kind: str | None) -> int:
    found: list[object] = []
    code = each(given.arguments, lambda name: found.append(engine.inspect(name, kind)))
    form = given[FORMAT]
    if form in ("", "json"):
        print(json.dumps(found, indent=None if form else 4, ensure_ascii=False))
        return code
    chosen = template.parse(form)
    for thing in found:
        print(chosen.render(thing))
    return code


def explained(engine: Engine, given: Given) -> Explanation:
    return engine.explain.look("inspect", *given.arguments, kind=given[KIND])
