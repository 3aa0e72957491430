"""Lists of things: the plain table, the chosen format, the bare ids."""

from __future__ import annotations

from tiffin import json
from tiffin.cli import table, template
from tiffin.cli.options import Given, Unfit, switch, text
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import TypeAlias

    from tiffin.engine import Engine

Row: TypeAlias = "Mapping[str, str]"

FORMAT = text(
    "format", "show as: table, json, or a text with fields in it, as in '{{.ID}}' or 'table {{.ID}}\\t{{.Size}}'"
)

TREE = switch("tree", "draw them, on the layers that they share")


class Columns(NamedTuple):
    """What a list can show: field -> header of its column, and the fields of the plain table."""

    headers: Mapping[str, str]
    plain: tuple[str, ...]


def lines(columns: Columns, rows: Sequence[Row], form: str = "") -> Iterator[str]:
    """One line for each row, in the form that was asked for; tables have a header."""
    if form == "json":
        return _json_lines(rows)
    if form in ("", "table"):
        return _table(columns, [template.Template((template.Field((field,)),)) for field in columns.plain], rows)
    # as in Docker, \t and \n may be written with a backslash here
    form = form.replace("\\t", "\t").replace("\\n", "\n")
    if form.startswith("table "):
        return _table(columns, [template.parse(cell) for cell in form[6:].strip(" ").split("\t")], rows)
    chosen = template.parse(form)
    return (chosen.render(row) for row in rows)


def show_tree(engine: Engine, ids: Iterable[str], given: Given) -> int:
    """The picture of these containers and layers, on what they stand on. Gives the exit code."""
    from tiffin.cli import drawing  # only for this
    from tiffin.view.picture import part  # only for this

    if given[FORMAT]:
        raise Unfit("conflicting options: --tree and --format")
    drawing.show_text(part(engine.picture(), frozenset(ids)), drawing.width())
    return 0


def _table(columns: Columns, cells: Sequence[template.Template], rows: Iterable[Row]) -> Iterator[str]:
    return table.layout([[table.visible(cell.render(row)) for cell in cells] for row in (columns.headers, *rows)])


def _json_lines(rows: Iterable[Row]) -> Iterator[str]:
    return (json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
