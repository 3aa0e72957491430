"""container inspect: as inspect, of containers only."""

from __future__ import annotations

from tiffin.cli.options import Command, Given
from tiffin.cli.verbs.inspect import FORMAT, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine
    from tiffin.view.explanation import Explanation

COMMAND = Command("container inspect", "CONTAINER [CONTAINER...]", (FORMAT,), least=1)


def act(engine: Engine, given: Given) -> int:
    return show(engine, given, "container")


def explained(engine: Engine, given: Given) -> Explanation:
    return engine.explain.look("inspect", *given.arguments, kind="container")
