"""save: images with all their layers and metadata in one tar, for another host."""

from __future__ import annotations

from tiffin.cli import progress
from tiffin.cli.options import Command, Given
from tiffin.cli.output import OUTPUT, output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine
    from tiffin.view.explanation import Explanation

COMMAND = Command(
    "save",
    "IMAGE [IMAGE...]",
    (OUTPUT,),
    least=1,
)


def act(engine: Engine, given: Given) -> int:
    with output(given[OUTPUT]) as target, progress.line() as told:
        engine.save(given.arguments, target, progress=told)
    return 0


def explained(engine: Engine, given: Given) -> Explanation:
    return engine.explain.save(given.arguments, given[OUTPUT] or None)
