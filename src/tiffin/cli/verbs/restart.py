"""restart: stop, then start. The read-write layer stays."""

from __future__ import annotations

from tiffin.cli.failures import each
from tiffin.cli.options import Command, Given, number, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine

SIGNAL = text("signal", "signal that asks the program to end (default: the container's, or SIGTERM)", "s")
TIMEOUT = number("timeout", "seconds until SIGKILL; -1 waits for ever (default: the container's, or 10)", "t")
TIME = number("time", "the older word for --timeout")

COMMAND = Command(
    "restart",
    "CONTAINER [CONTAINER...]",
    (SIGNAL, TIMEOUT, TIME),
    least=1,
)


def act(engine: Engine, given: Given) -> int:
    engine.warm_up()

    def restart(name: str) -> None:
        engine.container(name).restart(timeout=_timeout(given), signal=given[SIGNAL] or None)
        print(name)

    return each(given.arguments, restart)


def _timeout(given: Given) -> int | None:
    return given[TIMEOUT] if given[TIMEOUT] is not None else given[TIME]
