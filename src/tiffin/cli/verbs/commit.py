"""commit: the read-write layer of a container is burnt into a read-only layer: an image."""

from __future__ import annotations

from tiffin.cli.options import DRY_RUN, Command, Given, many, switch, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine
    from tiffin.view.explanation import Explanation

AUTHOR = text("author", "who made it", "a")
CHANGE = many("change", "apply an instruction of a Dockerfile to the settings, as in 'CMD [\"sh\"]'", "c")
MESSAGE = text("message", "what for", "m")
PAUSE = switch("pause", "freeze the processes meanwhile", "p", default=True)

COMMAND = Command(
    "commit",
    "CONTAINER [REPOSITORY[:TAG]]",
    (DRY_RUN, AUTHOR, CHANGE, MESSAGE, PAUSE),
    least=1,
    most=2,
)


def act(engine: Engine, given: Given) -> int:
    container, *names = given.arguments
    changes = given[CHANGE]
    image = engine.container(container).commit(
        names[0] if names else None,
        changes=changes,
        message=given[MESSAGE],
        author=given[AUTHOR],
        pause=given[PAUSE],
    )
    print(image.id)
    return 0


def explained(engine: Engine, given: Given) -> Explanation:
    container, *names = given.arguments
    changes = given[CHANGE]
    return engine.explain.commit(
        container,
        names[0] if names else None,
        changes=changes,
        message=given[MESSAGE],
        pause=given[PAUSE],
    )
