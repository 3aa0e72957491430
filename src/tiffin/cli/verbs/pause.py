"""pause: the processes are frozen by the cgroup freezer, not by signals."""

from __future__ import annotations

from tiffin.cli.failures import each
from tiffin.cli.options import DRY_RUN, Command, Given

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine
    from tiffin.view.explanation import Explanation

COMMAND = Command(
    "pause",
    "CONTAINER [CONTAINER...]",
    (DRY_RUN,),
    least=1,
)


def act(engine: Engine, given: Given) -> int:
    def pause(name: str) -> None:
        engine.container(name).running().pause()
        print(name)

    return each(given.arguments, pause)


def explained(engine: Engine, given: Given) -> Explanation:
    return engine.explain.pause(*given.arguments)
