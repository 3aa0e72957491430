"""kill: SIGKILL at once, or another signal."""

from __future__ import annotations

from tiffin.cli.failures import each
from tiffin.cli.options import DRY_RUN, Command, Given, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine
    from tiffin.view.explanation import Explanation

SIGNAL = text("signal", "signal to send, by name or number", "s", default="KILL")

COMMAND = Command(
    "kill",
    "CONTAINER [CONTAINER...]",
    (DRY_RUN, SIGNAL,),
    least=1,
)


def act(engine: Engine, given: Given) -> int:
    def kill(name: str) -> None:
        engine.container(name).running().kill(given[SIGNAL])
        print(name)

    return each(given.arguments, kill)


def explained(engine: Engine, given: Given) -> Explanation:
    return engine.explain.kill(*given.arguments, signal=given[SIGNAL])
