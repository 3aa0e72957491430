"""create: a read-write layer is put on top of an image. Nothing runs yet."""

from __future__ import annotations

from tiffin.cli import settings
from tiffin.cli.options import DRY_RUN, Command, Given

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine
    from tiffin.view.explanation import Explanation

COMMAND = Command(
    "create",
    "IMAGE [COMMAND] [ARG...]",
    (DRY_RUN, *settings.OPTIONS),
    least=1,
    options_first=True,
    details="Without --network a container has only a loopback network of its own.",
)


def act(engine: Engine, given: Given) -> int:
    container = engine.create(
        given.arguments[0],
        given.arguments[1:],
        name=given[settings.NAME] or None,
        config=settings.config(given, stdin_once=given[settings.INTERACTIVE]),
        host=settings.host_config(given),
    )
    print(container.id)
    return 0


def explained(engine: Engine, given: Given) -> Explanation:
    return engine.explain.create(
        given.arguments[0],
        given.arguments[1:],
        name=given[settings.NAME] or None,
        config=settings.config(given, stdin_once=given[settings.INTERACTIVE]),
        host=settings.host_config(given),
    )
