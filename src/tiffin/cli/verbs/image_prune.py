"""image prune: images without a name go, with -a all that no container needs."""

from __future__ import annotations

import sys

from tiffin.cli import units
from tiffin.cli.options import DRY_RUN, Command, Given, switch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine, Removal
    from tiffin.view.explanation import Explanation

ALL = switch("all", "also images with a name, unless a container needs them", "a")
FORCE = switch("force", "do not ask first", "f")

COMMAND = Command("image prune", "", (ALL, DRY_RUN, FORCE), most=0)
DANGLING = "WARNING! This will remove all dangling images."
UNUSED = "WARNING! This will remove all images without at least one container associated to them."


def act(engine: Engine, given: Given) -> int:
    shown = None
    if not given[FORCE]:
        print(UNUSED if given[ALL] else DANGLING)
        shown = _shown(engine, given) if sys.stdin.isatty() else None
        if not _agreed():
            return 0
    pruned = engine.image_prune(all=given[ALL], agreed=shown)
    if pruned.removed:
        print("Deleted Images:")
        for removed in pruned.removed:
            print(f"{removed.kind.lower()}: {removed.id}")
        print()
    print(f"Total reclaimed space: {units.size(pruned.size)}")
    return 0


def dry_run(engine: Engine, given: Given) -> int:
    from tiffin.cli.removal_list import tell  # only when asked

    tell(engine.plan_image_prune(all=given[ALL]))
    return 0


def _shown(engine: Engine, given: Given) -> Removal:
    """What would go, for a person to look at; a script is asked in Docker's words alone."""
    from tiffin.cli.removal_list import lines  # only to ask

    plan = engine.plan_image_prune(all=given[ALL])
    print("", *lines(plan), "", sep="\n")
    return plan


def _agreed() -> bool:
    print("Are you sure you want to continue? [y/N] ", end="", flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def explained(engine: Engine, given: Given) -> Explanation:
    return engine.explain.image_prune(all=given[ALL])
