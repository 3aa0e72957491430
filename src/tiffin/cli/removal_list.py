"""What a removal takes away and what stays, as lines: for `--dry-run`, and for whoever is asked before.

goes    name    web:1                                you named it
goes    image   web:1    77ab03e91f42                its last name goes
goes    layer            77ab03e91f42      30.1MB    nothing else needs it
stays   layer            4fd03ab18c77      7.81MB    image alpine:3.20 stands on it
"""

from __future__ import annotations

from tiffin.cli import units
from tiffin.cli.failures import each
from tiffin.cli.table import short_id, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tiffin.engine import Goes, Removal, Stays

GAP = 3


def lines(plan: Removal) -> Iterator[str]:
    """A line for each thing, and one for the sum. What goes comes first, in the order in which it goes."""
    rows = [*(_row("goes", one) for one in plan.goes), *(_row("stays", one) for one in plan.stays)]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(5)]
    for word, kind, label, id, size, why in rows:
        left = (word.ljust(widths[0]), kind.ljust(widths[1]), label.ljust(widths[2]), id.ljust(widths[3]))
        blank = " " * GAP
        yield blank.join((*left, size.rjust(widths[4]), why))
    yield f"{units.size(plan.freed)} would be free." if plan.goes else "Nothing would go."


def tell(plan: Removal) -> None:
    """For `--dry-run`."""
    *rows, total = lines(plan)
    for row in rows:
        print(row)
    print(f"{total} Nothing was done.")


def dry_run(
    names: Iterable[str], plan: Callable[[str, Removal | None], Removal], *, missing_is_fine: bool = False
) -> int:
    """Tell what a verb would do for these names, each planned as after those before it. The exit code of the verb."""
    so_far: Removal | None = None

    def add(name: str) -> None:
        nonlocal so_far
        planned = plan(name, so_far)
        so_far = so_far.then(planned) if so_far else planned

    code = each(names, add, missing_is_fine=missing_is_fine)
    if so_far:
        tell(so_far)
    return code


def _row(word: str, one: Goes | Stays) -> tuple[str, str, str, str, str, str]:
    id = "" if one.kind == "name" else short_id(one.id)
    label = "" if one.label == id else visible(one.label)
    return word, one.kind, label, id, units.size(one.size) if one.size else "", visible(one.why)
