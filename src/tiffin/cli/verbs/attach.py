"""attach: the terminal is joined to the first process of a running container."""

from __future__ import annotations

from tiffin.cli.join import Wishes, join
from tiffin.cli.options import Command, Given, switch, text
from tiffin.cli.terminal import DEFAULT_KEYS
from tiffin.errors import ContainerNotRunning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine
    from tiffin.view.explanation import Explanation

NO_STDIN = switch("no-stdin", "leave the input alone")
SIGNALS = switch(
    "sig-proxy", "pass the signals that come here on to the program, unless that has a terminal", default=True
)
KEYS = text("detach-keys", "keys that let go of the container and leave it running", default=DEFAULT_KEYS)

COMMAND = Command(
    "attach",
    "CONTAINER",
    (NO_STDIN, SIGNALS, KEYS),
    least=1,
    most=1,
)


def act(engine: Engine, given: Given) -> int:
    container = engine.container(given.arguments[0])
    try:
        running = container.running()
    except ContainerNotRunning as error:
        raise ContainerNotRunning("You cannot attach to a stopped container, start it first") from error
    wishes = Wishes(
        stdin=running.config.open_stdin and not given[NO_STDIN],
        tty=running.config.tty,
        keys=given[KEYS],
        pass_signals=given[SIGNALS],
        redraw=True,
    )
    code = join(running.attach, wishes)
    return 1 if code is None else code


def explained(engine: Engine, given: Given) -> Explanation:
    return engine.explain.attach(given.arguments[0])
