"""image inspect: as inspect, of images only."""

from __future__ import annotations

from tiffin.cli.options import Command, Given
from tiffin.cli.verbs.inspect import FORMAT, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine
    from tiffin.view.explanation import Explanation

COMMAND = Command("image inspect", "IMAGE [IMAGE...]", (FORMAT,), least=1)


def act(engine: Engine, given: Given) -> int:
    return show(engine, given, "image")


def explained(engine: Engine, given: Given) -> Explanation:
    return engine.explain.look("inspect", *given.arguments, kind="image")
