"""start: a process space is put around the union view of a container."""

from __future__ import annotations

from tiffin.cli.failures import each
from tiffin.cli.options import DRY_RUN, Command, Given, Unfit, switch, text
from tiffin.cli.terminal import DEFAULT_KEYS
from tiffin.errors import NotModified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Attachment, Container, Engine, Streams
    from tiffin.runtime.plan import Plan
    from tiffin.view.explanation import Explanation

ATTACH = switch("attach", "stay: show the output, pass signals on, and end with the program's exit code", "a")
INTERACTIVE = switch("interactive", "stay, and pass the input on", "i")
KEYS = text("detach-keys", "keys that let go of the container and leave it running", default=DEFAULT_KEYS)

COMMAND = Command(
    "start",
    "CONTAINER [CONTAINER...]",
    (DRY_RUN, ATTACH, INTERACTIVE, KEYS),
    least=1,
)


def act(engine: Engine, given: Given) -> int:
    engine.warm_up()
    if not _stays(given):
        return each(given.arguments, lambda name: _start(engine, name))
    return _stay(engine.container(given.arguments[0]), given)


def _stays(given: Given) -> bool:
    """Whether the caller stays until the program has ended."""
    stays = given[ATTACH] or given[INTERACTIVE]
    if stays and len(given.arguments) > 1:
        raise Unfit("you cannot start and attach multiple containers at once")
    return stays


def _start(engine: Engine, name: str) -> None:
    try:
        engine.container(name).start()
    except NotModified:  # it runs: so be it
        pass
    print(name)


def _stay(container: Container, given: Given) -> int:
    from tiffin.cli.join import Wishes, join  # only with -a

    wishes = Wishes(
        stdin=given[INTERACTIVE] and container.config.open_stdin,
        tty=container.config.tty,
        keys=given[KEYS],
        pass_signals=True,
    )
    return join(lambda streams: _joined(container, streams), wishes) or 0


def _joined(container: Container, streams: Streams) -> Attachment:
    if container.state().is_alive:
        return container.running().attach(streams)
    return container.start(streams).attachment


def explained(engine: Engine, given: Given) -> Explanation:
    return engine.explain.start(*given.arguments, stays=_stays(given))


def plan(engine: Engine, given: Given) -> Plan:
    """By which the process space would be made."""
    if len(given.arguments) > 1:
        raise Unfit("one script is for one container: name only one")
    return engine.explain.plan_of_start(given.arguments[0])
