"""export: the flat union view of a container in one tar: no layers, no metadata."""

from __future__ import annotations

from tiffin.cli.options import Command, Given
from tiffin.cli.output import OUTPUT, output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine
    from tiffin.view.explanation import Explanation

COMMAND = Command(
    "export",
    "CONTAINER",
    (OUTPUT,),
    least=1,
    most=1,
)


def act(engine: Engine, given: Given) -> int:
    container = engine.container(given.arguments[0])
    with output(given[OUTPUT]) as target:
        container.export(target)
    return 0


def explained(engine: Engine, given: Given) -> Explanation:
    return engine.explain.export(given.arguments[0], given[OUTPUT] or None)
