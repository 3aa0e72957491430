"""diff: what lies in the read-write layer, as changes to the layers below."""

from __future__ import annotations

import sys

from tiffin.cli.options import Command, Given
from tiffin.cli.table import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine
    from tiffin.view.explanation import Explanation

COMMAND = Command(
    "diff",
    "CONTAINER",
    least=1,
    most=1,
)


def act(engine: Engine, given: Given) -> int:
    for_terminal = sys.stdout.isatty()
    for change in engine.container(given.arguments[0]).diff():
        print(change.kind, visible(change.path) if for_terminal else change.path)
    return 0


def explained(engine: Engine, given: Given) -> Explanation:
    return engine.explain.look("diff", given.arguments[0])
