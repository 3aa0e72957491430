"""wait: until the containers have ended; then their exit codes."""

from __future__ import annotations

from tiffin.cli.failures import each
from tiffin.cli.options import Command, Given

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine
    from tiffin.view.explanation import Explanation

COMMAND = Command("wait", "CONTAINER [CONTAINER...]", least=1)


def act(engine: Engine, given: Given) -> int:
    return each(given.arguments, lambda name: print(engine.container(name).wait(), flush=True))


def explained(engine: Engine, given: Given) -> Explanation:
    return engine.explain.wait(*given.arguments)
