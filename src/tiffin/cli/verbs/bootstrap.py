"""bootstrap: an image to begin with, made on this machine."""

from __future__ import annotations

from tiffin.cli import progress
from tiffin.cli.options import Command, Given
from tiffin.kernel import signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

    from tiffin.engine import Engine

COMMAND = Command(
    "bootstrap",
    "[base|debian[:SUITE]]",
    most=1,
)


def act(engine: Engine, given: Given) -> int:
    what = given.arguments[0] if given.arguments else "base"
    for number in (signals.SIGTERM, signals.SIGHUP):
        if signals.getsignal(number) != signals.SIG_IGN:
            signals.signal(number, _end)
    with progress.line() as told:
        image = engine.bootstrap(what, progress=told)
    print(image.id)
    return 0


def _end(number: int, _: FrameType | None) -> NoReturn:
    """As after Ctrl-C, what was begun is taken back."""
    raise SystemExit(128 + number)
