"""look: the picture of a container, an image or a layer, or of all that stands on this host."""

from __future__ import annotations

from tiffin.cli.drawing import FORMS, show
from tiffin.cli.options import Command, Given

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine
    from tiffin.view.explanation import Explanation

COMMAND = Command(
    "look",
    "[NAME|ID...]",
    FORMS,
    details="Without a name: the whole host, with layers that are shared drawn once. With one: its stack in full. With "
    "several: how they share layers.",
)


def act(engine: Engine, given: Given) -> int:
    show(engine.picture(*given.arguments), given)
    return 0


def explained(engine: Engine, given: Given) -> Explanation:
    if given.arguments:
        return engine.explain.look("look", *given.arguments)
    return engine.explain.look_around("look", "look")
