"""bootstrap: an image to begin with, made on this machine."""

from __future__ import annotations

from tiffin.cli import progress
from tiffin.cli.options import DRY_RUN, Command, Given

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine
    from tiffin.view.explanation import Explanation

COMMAND = Command(
    "bootstrap",
    "[base|debian[:SUITE]]",
    (DRY_RUN,),
    most=1,
)


def act(engine: Engine, given: Given) -> int:
    what = given.arguments[0] if given.arguments else "base"
    with progress.line() as told:
        image = engine.bootstrap(what, progress=told)
    print(image.id)
    return 0


def explained(engine: Engine, given: Given) -> Explanation:
    return engine.explain.bootstrap(*given.arguments)
