"""run: create, then start, as `git pull` is fetch, then merge; and stay with the program until it ends."""

from __future__ import annotations

from tiffin.cli import settings
from tiffin.cli.join import Wishes, join
from tiffin.cli.options import DRY_RUN, Command, Given, Option, Unfit, switch, text
from tiffin.cli.terminal import DEFAULT_KEYS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine, RunningContainer, Streams
    from tiffin.runtime.plan import Plan
    from tiffin.view.explanation import Explanation

STREAMS = ("stdin", "stdout", "stderr")


def _read_stream(word: str, before: tuple[str, ...]) -> tuple[str, ...]:
    if word.lower() not in STREAMS:
        raise ValueError("valid streams are STDIN, STDOUT and STDERR")
    return (*before, word.lower())


DETACH = switch("detach", "do not stay: print the container's id and leave it running", "d")
ATTACH: Option[tuple[str, ...]] = Option(
    "attach", "a", "list", "join only these: stdin, stdout, stderr", (), _read_stream
)
SIGNALS = switch(
    "sig-proxy", "pass the signals that come here on to the program, unless that has a terminal", default=True
)
KEYS = text("detach-keys", "keys that let go of the container and leave it running", default=DEFAULT_KEYS)

COMMAND = Command(
    "run",
    "IMAGE [COMMAND] [ARG...]",
    (DRY_RUN, *settings.OPTIONS, DETACH, ATTACH, SIGNALS, KEYS),
    least=1,
    options_first=True,
    details="Without --network a container has only a loopback network of its own.",
    failure=125,
    ends_as_program=True,
)


def act(engine: Engine, given: Given) -> int:
    engine.warm_up()
    wishes = _wishes(given)
    name = given[settings.NAME] or None
    config = settings.config(given, stdin_once=wishes.stdin and not given[DETACH])
    host = settings.host_config(given)

    def run(streams: Streams | None) -> RunningContainer:
        image, *command = given.arguments
        return engine.run(image, command, name=name, config=config, host=host, streams=streams, owned=False)

    if given[DETACH]:
        print(run(None).id)
        return 0
    return join(lambda streams: run(streams).attachment, wishes) or 0


def _wishes(given: Given) -> Wishes:
    streams = given[ATTACH]
    if given[DETACH] and streams:
        raise Unfit("conflicting options: cannot specify both --attach and --detach")
    streams = streams or STREAMS
    return Wishes(
        stdin=given[settings.INTERACTIVE] and "stdin" in streams,
        stdout="stdout" in streams,
        stderr="stderr" in streams,
        tty=given[settings.TTY],
        keys=given[KEYS],
        pass_signals=given[SIGNALS],
    )


def explained(engine: Engine, given: Given) -> Explanation:
    return engine.explain.run(
        given.arguments[0],
        given.arguments[1:],
        name=given[settings.NAME] or None,
        config=settings.config(given, stdin_once=_wishes(given).stdin and not given[DETACH]),
        host=settings.host_config(given),
        stays=not given[DETACH],
    )


def plan(engine: Engine, given: Given) -> Plan:
    """By which the process space would be made."""
    return engine.explain.plan_of_run(
        given.arguments[0],
        given.arguments[1:],
        name=given[settings.NAME] or None,
        config=settings.config(given, stdin_once=False),
        host=settings.host_config(given),
    )
