"""The options of `create` and `run`, and the settings that they make: what to run (Config), and what it may ask of this
host (HostConfig)."""

from __future__ import annotations

import os

from tiffin.cli import confinement, log_options, mounts, refused, resources
from tiffin.cli.options import Given, Option, UsageError, many, number, switch, text
from tiffin.errors import BadParameter
from tiffin.model.config import Config
from tiffin.model.host_config import HostConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

NETWORKS = ("none", "host")
BLANKS = " \t\v\f"


def _read_label(word: str) -> str:
    if not word.partition("=")[0]:
        raise ValueError(f"invalid label '{word}': empty name")
    return word


def _read_variable(word: str) -> str:
    key, equals, _ = word.partition("=")
    if not key:
        raise ValueError(f"invalid environment variable: {word}")
    return word if equals or key not in os.environ else f"{key}={os.environ[key]}"


NAME = text("name", "name of the container; one is made up otherwise")
HOSTNAME = text("hostname", "host name inside (default: the first twelve digits of the id)", "h")
ENTRYPOINT = text("entrypoint", "program to run in place of the image's ENTRYPOINT; empty for none")
STOP_SIGNAL = text("stop-signal", "signal that asks the program to end (default: the image's, or SIGTERM)")
STOP_TIMEOUT = number("stop-timeout", "seconds from that signal until SIGKILL (default: 10)")
LABEL = many("label", "a KEY=VALUE to keep with the container", "l", read=_read_label)
INTERACTIVE = switch("interactive", "keep the program's input open", "i")
TTY = switch("tty", "give the program a terminal", "t")
REMOVE = switch("rm", "remove the container, and so its read-write layer, when it ends")
ENV = many("env", "set a variable, KEY=VALUE; KEY alone takes it from here", "e", read=_read_variable)
ENV_FILE = many("env-file", "set the variables of a file, one KEY=VALUE a line")
WORKDIR = text("workdir", "folder inside in which the program starts", "w")
USER = text("user", "name or number of the user, and :GROUP", "u")

INIT = switch("init", "let a small init be the first process: it passes signals on and reaps orphans")
NETWORK = many("network", "none (loopback only; the default) or host; bridges come later", also="net")

PARTS = (mounts, resources, confinement, log_options)
"""each has OPTIONS, and `on_host`, which puts what was given into a HostConfig"""
OPTIONS: tuple[Option[Any], ...] = (
    NAME, HOSTNAME, ENTRYPOINT, STOP_SIGNAL, STOP_TIMEOUT, LABEL, INTERACTIVE, TTY, REMOVE, ENV, ENV_FILE, WORKDIR,
    USER, INIT, NETWORK, *(option for part in PARTS for option in part.OPTIONS), *refused.OPTIONS,
)  # fmt: skip


def config(given: Given, *, stdin_once: bool) -> Config:
    """What to run and how. `stdin_once`: the end of the first attached input is the end of the program's input.

    Raises UsageError.
    """
    return Config(
        hostname=given[HOSTNAME],
        user=given[USER],
        tty=given[TTY],
        open_stdin=given[INTERACTIVE],
        stdin_once=stdin_once,
        env=environment(given),
        cmd=tuple(given.arguments[1:]),
        entrypoint=_entrypoint(given),
        image=given.arguments[0],
        working_dir=given[WORKDIR],
        labels=labels(given[LABEL]),
        stop_signal=given[STOP_SIGNAL],
        stop_timeout=given[STOP_TIMEOUT],
    )


def host_config(given: Given) -> HostConfig:
    """What it asks of this host. Raises BadParameter for what is refused."""
    host = HostConfig(network_mode=_network(given[NETWORK]), auto_remove=given[REMOVE], init=given[INIT])
    for part in PARTS:
        host = part.on_host(given, host)
    return host


def environment(given: Given) -> tuple[str, ...]:
    """The variables of --env-file, then those of -e. KEY alone, unset here, stays: it takes the image's away."""
    from_files = [variable for path in given[ENV_FILE] for variable in read_env_file(path)]
    return (*from_files, *given[ENV])


def read_env_file(path: str) -> Iterator[str]:
    """KEY=VALUE lines as they stand, without quoting; # begins a comment line; KEY alone is taken from here if set.

    Raises UsageError.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:
            content = file.read()
    except OSError as error:
        raise UsageError(f"open {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"the variables of {path} are not UTF-8") from error
    for line in content.split("\n"):
        line = line.removesuffix("\r").lstrip(BLANKS)
        if not line or line.startswith("#"):
            continue
        key, equals, _ = line.partition("=")
        if not key:
            raise UsageError(f"no variable name on the line '{line}' of {path}")
        if any(blank in key for blank in BLANKS):
            raise UsageError(f"the variable '{key}' of {path} contains blanks")
        if equals:
            yield line
        elif key in os.environ:
            yield f"{key}={os.environ[key]}"


def labels(words: tuple[str, ...]) -> Mapping[str, str]:
    """KEY=VALUE, or KEY for an empty value."""
    return {key: value for key, _, value in (word.partition("=") for word in words)}


def _entrypoint(given: Given) -> tuple[str, ...] | None:
    if ENTRYPOINT not in given:
        return None
    return (given[ENTRYPOINT],)  # ("",) drops the image's


def _network(modes: tuple[str, ...]) -> str:
    for mode in modes:
        if mode not in NETWORKS:
            raise BadParameter(
                f"--network {mode}: bridges and named networks come later; there are none (loopback only, the default) "
                "and host"
            )
    if len(modes) > 1:
        raise BadParameter(f"Container cannot be connected to network endpoints: {', '.join(modes)}")
    return modes[0] if modes else "none"
