"""rename: the container gets another name."""

from __future__ import annotations

from tiffin.cli.options import DRY_RUN, Command, Given

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine
    from tiffin.view.explanation import Explanation

COMMAND = Command("rename", "CONTAINER NEW_NAME", (DRY_RUN,), least=2, most=2)


def act(engine: Engine, given: Given) -> int:
    old, new = given.arguments
    engine.container(old).rename(new)
    return 0


def explained(engine: Engine, given: Given) -> Explanation:
    return engine.explain.rename(*given.arguments)
