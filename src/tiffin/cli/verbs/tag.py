"""tag: one more name for an image."""

from __future__ import annotations

from tiffin.cli.options import DRY_RUN, Command, Given

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine
    from tiffin.view.explanation import Explanation

COMMAND = Command("tag", "IMAGE NAME[:TAG]", (DRY_RUN,), least=2, most=2)


def act(engine: Engine, given: Given) -> int:
    image, name = given.arguments
    engine.tag(image, name)
    return 0


def explained(engine: Engine, given: Given) -> Explanation:
    return engine.explain.tag(*given.arguments)
