"""image prune: images without a name go, with -a all that no container needs."""

from __future__ import annotations

from tiffin.cli import units
from tiffin.cli.options import Command, Given, switch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine

ALL = switch("all", "also images with a name, unless a container needs them", "a")
FORCE = switch("force", "do not ask first", "f")

COMMAND = Command("image prune", "", (ALL, FORCE), most=0)


def act(engine: Engine, given: Given) -> int:
    what = "all images without a container" if given[ALL] else "all images without a name"
    if not given[FORCE] and not _agreed(f"This removes {what}. Go on? [y/N] "):
        return 0
    pruned = engine.image_prune(all=given[ALL])
    if pruned.removed:
        print("Deleted Images:")
        for removed in pruned.removed:
            print(f"{removed.kind.lower()}: {removed.id}")
        print()
    print(f"Total reclaimed space: {units.size(pruned.size)}")
    return 0


def _agreed(question: str) -> bool:
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        return False
