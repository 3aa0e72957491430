"""exec: one more process in the process space of a running container."""

from __future__ import annotations

from tiffin.cli import settings
from tiffin.cli.failures import each
from tiffin.cli.options import DRY_RUN, Command, Given, switch, text
from tiffin.cli.terminal import DEFAULT_KEYS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine, ExecConfig, RunningContainer
    from tiffin.view.explanation import Explanation

DETACH = switch("detach", "do not stay with the command", "d")
PRIVILEGED = switch("privileged", "give the command all capabilities")
KEYS = text("detach-keys", "keys that let go of the command and leave it running", default=DEFAULT_KEYS)

COMMAND = Command(
    "exec",
    "CONTAINER COMMAND [ARG...]",
    (
        DETACH, DRY_RUN, KEYS, PRIVILEGED, settings.ENV, settings.ENV_FILE, settings.INTERACTIVE, settings.TTY,
        settings.USER, settings.WORKDIR,
    ),
    least=2,
    options_first=True,
    ends_as_program=True,
)  # fmt: skip


def act(engine: Engine, given: Given) -> int:
    name, *argv = given.arguments
    if given[DETACH]:  # nobody waits for the command: what keeps it from starting is a failure of the verb's own
        return each([name], lambda name: _leave(engine.container(name).running(), argv, given))
    return _stay(engine.container(name).running(), argv, given)


def _leave(running: RunningContainer, argv: list[str], given: Given) -> None:
    running.exec(argv, config=_config(given))


def _stay(running: RunningContainer, argv: list[str], given: Given) -> int:
    from tiffin.cli.join import Wishes, join  # not with -d

    wishes = Wishes(stdin=given[settings.INTERACTIVE], tty=given[settings.TTY], keys=given[KEYS])
    code = join(lambda streams: running.exec(argv, config=_config(given), streams=streams), wishes)
    return 1 if code is None else code


def _config(given: Given) -> ExecConfig:
    from tiffin.engine import ExecConfig  # loaded by now

    return ExecConfig(
        tty=given[settings.TTY],
        env=settings.environment(given),
        user=given[settings.USER],
        working_dir=given[settings.WORKDIR],
        privileged=given[PRIVILEGED],
    )


def explained(engine: Engine, given: Given) -> Explanation:
    name, *argv = given.arguments
    return engine.explain.exec(name, argv, _config(given))
