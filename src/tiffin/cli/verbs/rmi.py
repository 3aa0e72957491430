"""rmi: the name goes, and with the last name the layers that nothing else needs."""

from __future__ import annotations

from tiffin.cli.failures import each
from tiffin.cli.options import DRY_RUN, Command, Given, switch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine, Removal
    from tiffin.view.explanation import Explanation

FORCE = switch("force", "also one with several names, or under a container that does not run", "f")
NO_PRUNE = switch("no-prune", "keep the images without a name that it was made from")

COMMAND = Command(
    "rmi",
    "IMAGE [IMAGE...]",
    (DRY_RUN, FORCE, NO_PRUNE),
    least=1,
)


def act(engine: Engine, given: Given) -> int:
    def rmi(name: str) -> None:
        for removed in engine.rmi(name, force=given[FORCE], prune=not given[NO_PRUNE]):
            print(f"{removed.kind}: {removed.id}")

    return each(given.arguments, rmi, missing_is_fine=given[FORCE])


def dry_run(engine: Engine, given: Given) -> int:
    from tiffin.cli import removal_list  # only when asked

    def plan(name: str, after: Removal | None) -> Removal:
        return engine.plan_rmi(name, force=given[FORCE], prune=not given[NO_PRUNE], after=after)

    return removal_list.dry_run(given.arguments, plan, missing_is_fine=given[FORCE])


def explained(engine: Engine, given: Given) -> Explanation:
    return engine.explain.rmi(*given.arguments, force=given[FORCE], prune=not given[NO_PRUNE])
