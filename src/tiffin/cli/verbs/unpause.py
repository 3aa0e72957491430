"""unpause: frozen processes go on."""

from __future__ import annotations

from tiffin.cli.failures import each
from tiffin.cli.options import DRY_RUN, Command, Given

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine
    from tiffin.view.explanation import Explanation

COMMAND = Command("unpause", "CONTAINER [CONTAINER...]", (DRY_RUN,), least=1)


def act(engine: Engine, given: Given) -> int:
    def unpause(name: str) -> None:
        engine.container(name).running().unpause()
        print(name)

    return each(given.arguments, unpause)


def explained(engine: Engine, given: Given) -> Explanation:
    return engine.explain.unpause(*given.arguments)
