"""import: an image of one layer from a flat tar."""

from __future__ import annotations

import sys

from tiffin.cli import progress
from tiffin.cli.options import DRY_RUN, Command, Given, Unfit, many, text
from tiffin.errors import BadParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine
    from tiffin.view.explanation import Explanation

CHANGE = many("change", "apply an instruction of a Dockerfile to the settings, as in 'CMD [\"sh\"]'", "c")
MESSAGE = text("message", "what for", "m")

COMMAND = Command(
    "import",
    "FILE|- [REPOSITORY[:TAG]]",
    (DRY_RUN, CHANGE, MESSAGE),
    least=1,
    most=2,
)


def act(engine: Engine, given: Given) -> int:
    path, *names = given.arguments
    changes, message = given[CHANGE], given[MESSAGE]
    _check(path)
    with progress.line() as told:
        if path == "-":
            image = engine.import_(sys.stdin.buffer, *names, changes=changes, message=message, progress=told)
        else:
            with open(path, "rb") as file:
                image = engine.import_(file, *names, changes=changes, message=message, progress=told)
    print(image.id)
    return 0


def _check(path: str) -> None:
    if path.startswith(("http://", "https://")):
        raise BadParameter(f"{path}: only files and - are read; fetch it first, and pipe it in")


def explained(engine: Engine, given: Given) -> Explanation:
    path, *names = given.arguments
    _check(path)
    changes = given[CHANGE]
    if path == "-":
        raise Unfit("what comes in can be read only once: to be told what it would do, give a file")
    return engine.explain.import_(path, *names, changes=changes, message=given[MESSAGE])
