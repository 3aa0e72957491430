"""restart: stop, then start. The read-write layer stays."""

from __future__ import annotations

from tiffin.cli.failures import each
from tiffin.cli.options import DRY_RUN, Command, Given
from tiffin.cli.verbs.stop import SIGNAL, TIME, TIMEOUT, timeout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine
    from tiffin.view.explanation import Explanation

COMMAND = Command(
    "restart",
    "CONTAINER [CONTAINER...]",
    (DRY_RUN, SIGNAL, TIMEOUT, TIME),
    least=1,
)


def act(engine: Engine, given: Given) -> int:
    engine.warm_up()

    def restart(name: str) -> None:
        engine.container(name).restart(timeout=timeout(given), signal=given[SIGNAL] or None)
        print(name)

    return each(given.arguments, restart)


def explained(engine: Engine, given: Given) -> Explanation:
    return engine.explain.restart(*given.arguments, timeout=timeout(given), signal=given[SIGNAL] or None)
