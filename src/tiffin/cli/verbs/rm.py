"""rm: the read-write layer goes. The layers below stay."""

from __future__ import annotations

from tiffin.cli.failures import each
from tiffin.cli.options import DRY_RUN, Command, Given, switch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine, Removal
    from tiffin.view.explanation import Explanation

FORCE = switch("force", "a container that runs is killed first", "f")
VOLUMES = switch("volumes", "also remove anonymous volumes; there are none yet", "v")

COMMAND = Command(
    "rm",
    "CONTAINER [CONTAINER...]",
    (DRY_RUN, FORCE, VOLUMES),
    least=1,
)


def act(engine: Engine, given: Given) -> int:
    def rm(name: str) -> None:
        engine.container(name).remove(force=given[FORCE])
        print(name)

    return each(given.arguments, rm, missing_is_fine=given[FORCE])


def dry_run(engine: Engine, given: Given) -> int:
    from tiffin.cli import removal_list  # only when asked

    def plan(name: str, after: Removal | None) -> Removal:
        return engine.container(name).plan_remove(force=given[FORCE], after=after)

    return removal_list.dry_run(given.arguments, plan, missing_is_fine=given[FORCE])


def explained(engine: Engine, given: Given) -> Explanation:
    return engine.explain.rm(*given.arguments, force=given[FORCE])
