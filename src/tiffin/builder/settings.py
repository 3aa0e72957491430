"""The instructions that change settings only: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, STOPSIGNAL,
USER, VOLUME and WORKDIR: what Docker takes as `--change`.
"""

from __future__ import annotations

import posixpath
from types import MappingProxyType

from tiffin.builder.words import expand, expand_words, json_words, pieces
from tiffin.errors import BadParameter
from tiffin.kernel import signals
from tiffin.model.config import Config, Healthcheck, as_words
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

SHELL = ("/bin/sh", "-c")
PROTOCOLS = ("tcp", "udp", "sctp")
UNITS: Mapping[str, int] = MappingProxyType(
    {"ns": 1, "us": 1000, "µs": 1000, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
)
SHORTEST = 10**6  # nanoseconds: Docker's smallest interval of a health check


class Instruction(NamedTuple):
    """One instruction: its name in capitals, and the text behind it."""

    name: str
    text: str


def changed(config: Config, changes: Iterable[str]) -> Config:
    """The settings after the instructions, one or more lines each.

    Raises BadParameter, in Docker's words, for what is no instruction or none of those that may stand here.
    """
    changes, explicit_cmd = as_words(changes, "changes"), False
    instructions = parse(changes)
    if changes and not instructions:
        raise BadParameter("file with no instructions")
    for instruction in instructions:
        config = _CHANGES[instruction.name](config, instruction.text)
        if instruction.name == "ENTRYPOINT" and not explicit_cmd:
            config = config._replace(cmd=())  # a command was made for the entrypoint that it came with
        explicit_cmd |= instruction.name == "CMD"
    return config


def parse(changes: Iterable[str]) -> list[Instruction]:
    """The instructions, lines that a backslash continues joined, comments and empty lines left out."""
    found: list[Instruction] = []
    line = ""
    for part in "\n".join(changes).split("\n"):
        if part.lstrip().startswith("#") or (line and not part.strip()):
            continue
        line += part.rstrip() if line else part.strip()
        if line.endswith("\\"):
            line = line[:-1]
            continue
        if line:
            found.append(_instruction(line))
        line = ""
    return [*found, _instruction(line)] if line.strip() else found


def _instruction(line: str) -> Instruction:
    name, _, text = line.replace("\t", " ", 1).partition(" ")
    if name.upper() not in _CHANGES:
        some = ", ".join(_CHANGES)
        raise BadParameter(f"{name[:50]} is not a valid change command; these are: {some}")
    return Instruction(name.upper(), text.strip())


def _cmd(config: Config, text: str) -> Config:
    return config._replace(cmd=_command(config, text))


def _entrypoint(config: Config, text: str) -> Config:
    return config._replace(entrypoint=_command(config, text) or None)


def _command(config: Config, text: str) -> tuple[str, ...]:
    words = json_words(text)
    if words is not None:
        return words
    return (*(config.shell or SHELL), text) if text else ()


def _env(config: Config, text: str) -> Config:
    variables = dict(variable.partition("=")[::2] for variable in config.env)
    for name, value in _pairs("ENV", text, variables):
        variables[name] = value
    return config._replace(env=tuple(f"{name}={value}" for name, value in variables.items()))


def _label(config: Config, text: str) -> Config:
    return config._replace(labels={**config.labels, **dict(_pairs("LABEL", text, _variables(config)))})


def _pairs(instruction: str, text: str, variables: Mapping[str, str]) -> list[tuple[str, str]]:
    """`name=value name="another value"`, or the old form `name all the rest`."""
    words = pieces(text)
    if not words:
        raise BadParameter(f"{instruction} requires at least one argument")
    if "=" not in words[0]:
        name, *rest = text.split(None, 1)
        if not rest:
            raise BadParameter(f"{instruction} must have two arguments")
        pairs = [(name, rest[0])]
    else:
        pairs = []
        for word in words:
            name, equals, value = word.partition("=")
            if not equals:
                raise BadParameter(f'Syntax error - can\'t find = in "{word}". Must be of the form: name=value')
            pairs.append((name, value))
    known = dict(variables)  # all values of one instruction see the variables as they were before it
    pairs = [(expand(name, known), expand(value, known)) for name, value in pairs]
    if not all(name for name, _ in pairs):
        raise BadParameter(f"{instruction} names can not be blank")
    return pairs


def _expose(config: Config, text: str) -> Config:
    words = expand_words(text, _variables(config))
    if not words:
        raise BadParameter("EXPOSE requires at least one argument")
    ports = dict.fromkeys((*config.exposed_ports, *(port for word in words for port in _ports(word))))
    return config._replace(exposed_ports=tuple(ports))


def _ports(word: str) -> list[str]:
    numbers, _, protocol = word.partition("/")
    protocol = (protocol or "tcp").lower()
    if protocol not in PROTOCOLS:
        raise BadParameter(f"Invalid proto: {protocol}")
    first, dash, last = numbers.rpartition(":")[2].partition("-")  # what stands before a colon is for publishing
    if not _is_number(first) or (dash and not _is_number(last)):
        raise BadParameter(f"Invalid containerPort: {numbers[:50]}")
    start, end = int(first), int(last or first)
    if not 0 <= start <= end <= 65535:
        raise BadParameter(f"Invalid containerPort: {numbers}")
    return [f"{number}/{protocol}" for number in range(start, end + 1)]


def _user(config: Config, text: str) -> Config:
    words = pieces(text)
    if len(words) != 1:
        raise BadParameter("USER requires exactly one argument")
    return config._replace(user=expand(words[0], _variables(config)))


def _volume(config: Config, text: str) -> Config:
    words = json_words(text)
    paths = [expand(word, _variables(config)) for word in words] if words is not None else []
    if words is None:
        paths = expand_words(text, _variables(config))
    if not paths:
        raise BadParameter("VOLUME requires at least one argument")
    if not all(path.strip() for path in paths):
        raise BadParameter("VOLUME specified can not be an empty string")
    return config._replace(volumes=tuple(dict.fromkeys((*config.volumes, *paths))))


def _workdir(config: Config, text: str) -> Config:
    if not text:
        raise BadParameter("WORKDIR requires exactly one argument")
    path = posixpath.join("/", config.working_dir, expand(text, _variables(config)))
    return config._replace(working_dir="/" + posixpath.normpath(path).lstrip("/"))


def _stopsignal(config: Config, text: str) -> Config:
    words = pieces(text)
    if len(words) != 1:
        raise BadParameter("STOPSIGNAL requires exactly one argument")
    word = expand(words[0], _variables(config))
    name = "SIG" + word.upper().removeprefix("SIG").partition("+")[0].partition("-")[0]  # RTMIN+3 is one, too
    if not (_is_number(word) and 0 < int(word) <= 64) and name not in signals.numbers():
        raise BadParameter(f"Invalid signal: {word}")
    return config._replace(stop_signal=word)


def _onbuild(config: Config, text: str) -> Config:
    trigger = text.split(None, 1)[0].upper() if text else ""
    if not trigger:
        raise BadParameter("ONBUILD requires at least one argument")
    if trigger == "ONBUILD":
        raise BadParameter("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
    if trigger in ("FROM", "MAINTAINER"):
        raise BadParameter(f"{trigger} isn't allowed as an ONBUILD trigger")
    return config._replace(on_build=(*config.on_build, text))


def _healthcheck(config: Config, text: str) -> Config:
    options: dict[str, str] = {}
    while text.startswith("--"):
        option, _, text = text.partition(" ")
        name, equals, value = option[2:].partition("=")
        if name not in _OPTIONS:
            raise BadParameter(f"Unknown flag: {name}")
        if not equals:
            raise BadParameter(f"Missing a value on flag: {name}")
        options[name] = value
        text = text.lstrip()
    kind, _, command = text.partition(" ")
    return config._replace(healthcheck=_health(kind.upper(), command.strip(), options))


_OPTIONS = ("interval", "timeout", "start-period", "start-interval", "retries")


def _health(kind: str, command: str, options: Mapping[str, str]) -> Healthcheck:
    if not kind:
        raise BadParameter("HEALTHCHECK requires at least one argument")
    if kind == "NONE":
        if command:
            raise BadParameter("HEALTHCHECK NONE takes no arguments")
        return Healthcheck(("NONE",))
    if kind != "CMD":
        raise BadParameter(f'Unknown type "{kind}" in HEALTHCHECK (try CMD)')
    words = json_words(command)
    test = ("CMD-SHELL", command) if words is None else ("CMD", *words)
    if not command or len(test) == 1:
        raise BadParameter("Missing command after HEALTHCHECK CMD")
    interval, timeout, period, start_interval = (_duration(name, options.get(name, "")) for name in _OPTIONS[:4])
    retries = options.get("retries") or "0"
    if not _is_number(retries.removeprefix("-")):
        raise BadParameter(f"--retries must be a number, not {retries[:50]}")
    if int(retries) < 0:
        raise BadParameter(f"--retries cannot be negative ({retries})")
    return Healthcheck(test, interval, timeout, period, start_interval, int(retries))


def _duration(name: str, text: str) -> int:
    """Nanoseconds of Go's form: 1m30s."""
    total, rest = 0.0, text
    while rest:
        number = rest[: len(rest) - len(rest.lstrip("0123456789."))]
        rest = rest[len(number) :]
        unit = rest[: len(rest) - len(rest.lstrip("nuµmsh"))]
        # "1m30s": the letters of one unit end where the next number begins, so they are exactly a unit
        if unit not in UNITS or number.count(".") > 1 or not number.strip(".") or len(number) > 20:
            raise BadParameter(f'invalid duration "{text}" of --{name}; one looks like 30s or 1m30s')
        total += float(number) * UNITS[unit]
        rest = rest[len(unit) :]
    if 0 < total < SHORTEST:
        raise BadParameter(f'Interval "{name}" cannot be less than 1ms')
    return int(total)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _variables(config: Config) -> dict[str, str]:
    return dict(variable.partition("=")[::2] for variable in config.env)


_CHANGES: Mapping[str, Callable[[Config, str], Config]] = MappingProxyType(
    {
        "CMD": _cmd,
        "ENTRYPOINT": _entrypoint,
        "ENV": _env,
        "EXPOSE": _expose,
        "HEALTHCHECK": _healthcheck,
        "LABEL": _label,
        "ONBUILD": _onbuild,
        "STOPSIGNAL": _stopsignal,
        "USER": _user,
        "VOLUME": _volume,
        "WORKDIR": _workdir,
    }
)
