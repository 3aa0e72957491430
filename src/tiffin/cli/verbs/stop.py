"""stop: SIGTERM, then SIGKILL after the grace time. A container that does not run is left."""

from __future__ import annotations

from tiffin.cli.failures import each
from tiffin.cli.options import DRY_RUN, Command, Given, number, text
from tiffin.errors import ContainerNotRunning, NotModified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine
    from tiffin.view.explanation import Explanation

SIGNAL = text("signal", "signal that asks the program to end (default: the container's, or SIGTERM)", "s")
TIMEOUT = number("timeout", "seconds until SIGKILL; -1 waits for ever (default: the container's, or 10)", "t")
TIME = number("time", "the older word for --timeout")

COMMAND = Command(
    "stop",
    "CONTAINER [CONTAINER...]",
    (DRY_RUN, SIGNAL, TIMEOUT, TIME),
    least=1,
)


def act(engine: Engine, given: Given) -> int:
    def stop(name: str) -> None:
        try:
            engine.container(name).running().stop(timeout=timeout(given), signal=given[SIGNAL] or None)
        except (ContainerNotRunning, NotModified):  # so be it
            pass
        print(name)

    return each(given.arguments, stop)


def timeout(given: Given) -> int | None:
    """The grace time in seconds, by either word; None for the container's own."""
    return given[TIMEOUT] if given[TIMEOUT] is not None else given[TIME]


def explained(engine: Engine, given: Given) -> Explanation:
    return engine.explain.stop(*given.arguments, timeout=timeout(given), signal=given[SIGNAL] or None)
