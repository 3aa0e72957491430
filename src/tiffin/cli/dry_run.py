"""--dry-run: what a verb would change, a line for each thing, and nothing done.

    new       container   web                         on base:latest; created
    changes   container   db                          running -> exited
    new       layer       02f85085e391      14 B      on af4a17711113; web:2

The verbs that remove have lists of their own, which also tell what stays (`removal_list`). `tiffin explain` tells the
same in pictures, with the steps and their reasons.
"""

from __future__ import annotations

import sys

from tiffin.cli.options import Command, Given
from tiffin.cli.table import visible
from tiffin.view.picture import Mark, Picture, Slab, Tray, short
from tiffin.view.words import amount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tiffin.cli.spellings import Verb
    from tiffin.engine import Engine
    from tiffin.view.explanation import Explanation

GAP = "   "
UNNAMED = "(a name will be made up)"


def tell(verb: Verb, command: Command, engine: Engine, given: Given) -> int:
    """Print it, and give the exit code that the verb would have where it would be refused."""
    own = getattr(verb, "dry_run", None)
    if own is not None:
        code: int = own(engine, given)
        return code
    explanation = verb.explained(engine, given)
    for refusal in dict.fromkeys(one.refusal for one in explanation.parts or (explanation,) if one.refusal):
        print(f"tiffin: {visible(refusal)}", file=sys.stderr)
    if not explanation.is_refused:
        for line in lines(explanation):
            print(line)
        print("Nothing was done.")
    return command.failure if explanation.refusal else 0


def lines(explanation: Explanation) -> Iterator[str]:
    """In the order of the stack, layers before containers; what goes comes first. Of a compound verb part by part."""
    rows = list[tuple[str, str, str, str, str]]()
    for part in explanation.parts or (explanation,):
        rows += (*_going(part.takes), *_coming(part.takes, part.gives))
    if not rows:
        yield "Nothing would change."
    widths = [max(len(row[column]) for row in rows) for column in range(4)] if rows else []
    for *columns, text in rows:
        cells = [cell.ljust(width) for cell, width in zip(columns[:3], widths[:3], strict=True)]
        yield GAP.join((*cells, columns[3].rjust(widths[3]), text)).rstrip()


def _going(picture: Picture) -> Iterator[tuple[str, str, str, str, str]]:
    for tray in picture.trays:
        if tray.mark == Mark.GOING:
            yield "goes", "container", visible(tray.name or UNNAMED), _size(tray.size), ""
    for slab in picture.slabs:
        if slab.mark == Mark.GOING:
            yield "goes", "layer", short(slab.id), _size(slab.size), ", ".join(map(visible, slab.names))


def _coming(before: Picture, after: Picture) -> Iterator[tuple[str, str, str, str, str]]:
    slabs, trays = {slab.id: slab for slab in before.slabs}, {tray.id: tray for tray in before.trays}
    for slab in after.slabs:
        if slab.mark == Mark.NEW:
            where = f"on {short(slab.parent)}" if slab.parent else "on the ground"
            yield "new", "layer", short(slab.id), _size(slab.size), "; ".join((where, *map(visible, slab.names)))
        elif slab.mark == Mark.CHANGED:
            yield "changes", "layer", short(slab.id), "", _names(slabs[slab.id], slab)
    for tray in after.trays:
        if tray.mark == Mark.NEW:
            yield "new", "container", visible(tray.name or UNNAMED), _size(tray.size), f"{tray.state}; on {tray.image}"
        elif tray.mark == Mark.CHANGED:
            before_it = trays[tray.id]
            yield "changes", "container", visible(before_it.name or UNNAMED), "", _changes(before_it, tray)


def _names(before: Slab, after: Slab) -> str:
    come = [f"+{visible(name)}" for name in after.names if name not in before.names]
    go = [f"-{visible(name)}" for name in before.names if name not in after.names]
    return "names: " + " ".join((*come, *go)) if come or go else "one more image ends with it"


def _changes(before: Tray, after: Tray) -> str:
    pairs = ((before.name, after.name), (before.state, after.state))
    told = [f"{old} -> {new}" for old, new in pairs if old != new]
    return ", ".join(map(visible, told))


def _size(size: int | None) -> str:
    return "" if size is None else amount(size)
