"""history: the layers of an image from the top down, each with its real ids: a layer is an image."""

from __future__ import annotations

import time

from tiffin.cli import units
from tiffin.cli.listing import FORMAT, Columns, Row, lines
from tiffin.cli.options import Command, Given, switch
from tiffin.cli.table import short_id, shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine, HistoryStep
    from tiffin.view.explanation import Explanation

NO_TRUNC = switch("no-trunc", "print ids and commands in full")
QUIET = switch("quiet", "print ids only: of the image where there is one, else of the layer", "q")
HUMAN = switch("human", "round sizes and times", "H", default=True)

COMMAND = Command(
    "history",
    "IMAGE",
    (NO_TRUNC, QUIET, HUMAN, FORMAT),
    least=1,
    most=1,
    details="A step that only changed settings shows the layer that it left on top, in parentheses.",
)

COLUMNS = Columns(
    {
        "ID": "IMAGE",
        "Layer": "LAYER",
        "CreatedSince": "CREATED",
        "CreatedBy": "CREATED BY",
        "Size": "SIZE",
        "Comment": "COMMENT",
        "CreatedAt": "CREATED AT",
    },
    ("ID", "Layer", "CreatedSince", "CreatedBy", "Size", "Comment"),
)
EXACT = COLUMNS._replace(plain=("ID", "Layer", "CreatedAt", "CreatedBy", "Size", "Comment"))
NO_IMAGE = "<none>"


def act(engine: Engine, given: Given) -> int:
    steps = engine.history(given.arguments[0])
    full = given[NO_TRUNC]
    if given[QUIET]:
        for step in steps:
            print(_id(step.image or step.layer or NO_IMAGE, full=full))
        return 0
    rows = [_row(step, time.time(), full=full, human=given[HUMAN]) for step in steps]
    for line in lines(COLUMNS if given[HUMAN] else EXACT, rows, given[FORMAT]):
        print(line)
    return 0


def _row(step: HistoryStep, now: float, *, full: bool, human: bool) -> Row:
    layer = _id(step.layer, full=full) if step.layer else NO_IMAGE
    at = units.rfc3339(int(step.created) * 10**9, fraction=False) if step.created else "N/A"
    return {
        "ID": _id(step.image, full=full) if step.image else NO_IMAGE,
        "Layer": f"({layer})" if step.is_empty else layer,
        "CreatedSince": units.ago(step.created, now) if step.created and human else at,
        "CreatedBy": step.created_by if full else shorten(" ".join(step.created_by.split()), 45),
        "Size": units.size(step.size) if human else str(step.size),
        "Comment": step.comment,
        "CreatedAt": at,
    }


def _id(id: str, *, full: bool) -> str:
    return id if full else short_id(id)


def explained(engine: Engine, given: Given) -> Explanation:
    return engine.explain.look("history", given.arguments[0])
