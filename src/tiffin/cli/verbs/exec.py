"""exec: one more process in the process space of a running container."""

from __future__ import annotations

from tiffin.cli import settings
from tiffin.cli.options import Command, Given, switch, text
from tiffin.cli.terminal import DEFAULT_KEYS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine, ExecConfig, RunningContainer

DETACH = switch("detach", "do not stay with the command", "d")
PRIVILEGED = switch("privileged", "give the command all capabilities")
KEYS = text("detach-keys", "keys that let go of the command and leave it running", default=DEFAULT_KEYS)

COMMAND = Command(
    "exec",
    "CONTAINER COMMAND [ARG...]",
    (
        DETACH, KEYS, PRIVILEGED, settings.ENV, settings.ENV_FILE, settings.INTERACTIVE, settings.TTY, settings.USER,
        settings.WORKDIR,
    ),
    least=2,
    options_first=True,
)  # fmt: skip


def act(engine: Engine, given: Given) -> int:
    name, *argv = given.arguments
    running = engine.container(name).running()
    if given[DETACH]:
        running.exec(argv, config=_config(given))
        return 0
    return _stay(running, argv, given)


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
