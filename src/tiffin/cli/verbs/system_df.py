"""system df: what lies on the disk, each layer counted once."""

from __future__ import annotations

from tiffin.cli import units
from tiffin.cli.listing import FORMAT, Columns, Row, lines
from tiffin.cli.options import Command, Given

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine
    from tiffin.engine.images import Usage
    from tiffin.view.explanation import Explanation

COMMAND = Command(
    "system df",
    "",
    (FORMAT,),
    most=0,
    details="Each layer counts once, whatever images have it. Compressed layers are the forms in which layers came, "
    "kept so that they can go out as they came in.",
)

COLUMNS = Columns(
    {
        "Type": "TYPE",
        "TotalCount": "TOTAL",
        "Active": "ACTIVE",
        "Size": "SIZE",
        "Reclaimable": "RECLAIMABLE",
    },
    ("Type", "TotalCount", "Active", "Size", "Reclaimable"),
)


def act(engine: Engine, given: Given) -> int:
    usage = engine.system_df()
    rows = [
        _row("Images", usage.images),
        _row("Containers", usage.containers),
        _row("Compressed layers", usage.blobs),
    ]
    for line in lines(COLUMNS, rows, given[FORMAT]):
        print(line)
    return 0


def _row(kind: str, usage: Usage) -> Row:
    share = f" ({usage.reclaimable * 100 // usage.size}%)" if usage.size else ""
    return {
        "Type": kind,
        "TotalCount": str(usage.total),
        "Active": str(usage.active),
        "Size": units.size(usage.size),
        "Reclaimable": f"{units.size(usage.reclaimable)}{share}",
    }


def explained(engine: Engine, given: Given) -> Explanation:
    return engine.explain.look_around("system df", "system df")
