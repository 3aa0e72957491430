"""Docker's grammar of options, as declared values and one parser.

    tiffin [OPTIONS] VERB [OPTIONS] ARGUMENT...

    --name web   --name=web          a value
    -e A=1   -eA=1   -e=A=1          the same with one letter
    -it   -itd   -itu 1000           switches combine; the last may take a value
    --rm   --rm=false                a switch
    --                               the rest are arguments

Where a program follows (run, create, exec) the options end at the first argument; elsewhere they may stand anywhere.
This is the grammar of POSIX utilities with GNU's long options, as the flag library of Docker's client has it.

An option is a value that carries its type, so that what was given is asked for by the option itself:

    FORCE = switch("force", "kill a container that runs first", "f")
    if given[FORCE]: ...
"""

from __future__ import annotations

from tiffin.cli.units import read_moment
from tiffin.errors import BadParameter, TiffinError
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Generic, TypeVar

    T = TypeVar("T")
else:  # typing costs 2 ms

    class Generic:
        __slots__ = ()
        __class_getitem__ = classmethod(lambda cls, _: cls)

    T = None

TRUE = frozenset(("1", "t", "T", "true", "TRUE", "True"))
FALSE = frozenset(("0", "f", "F", "false", "FALSE", "False"))
LONGEST_NUMBER = 18  # digits that 64 bits hold for sure
TIFFIN = "A container engine that shows what it does"


class UsageError(TiffinError):
    """The words could not be read. Exit code 125, whatever the verb."""

    exit_code = 125
    command: Command | None = None
    """whose words they are, where that is known"""


class WrongArguments(UsageError):
    """The options could be read, but there are too few or too many arguments, or there is no such verb."""

    exit_code = 1


class Unfit(TiffinError):
    """The words could be read, but do not fit each other or the streams here. Exit code 1, also with `run`."""


class Option(NamedTuple, Generic[T]):
    """`read` turns a text, and the value so far, into the new value; it raises ValueError with a reason.

    `kind` is what the help calls the value: string, list, bytes. A switch has none and takes no value but after =.
    """

    name: str
    short: str
    kind: str
    help: str
    default: T
    read: Callable[[str, T], T]
    also: str = ""
    """a second long name, not shown"""
    is_refused: bool = False
    """it is Docker's, and cannot act here: it is in no help, and `help` says why it is refused"""

    @property
    def spelling(self) -> str:
        """As Docker names it in messages: "-m, --memory"."""
        return f"-{self.short}, --{self.name}" if self.short else f"--{self.name}"


class Given:
    """What stood on a command line: the options' values and the arguments."""

    def __init__(self, values: dict[str, Any], arguments: Sequence[str]) -> None:
        self._values = values
        self.arguments = arguments

    def __getitem__(self, option: Option[T]) -> T:
        value: T = self._values.get(option.name, option.default)
        return value

    def __contains__(self, option: Option[Any]) -> bool:
        return option.name in self._values


class Command(NamedTuple):
    """One verb: its name, what follows it, its options. What it does is said by the table of verbs."""

    name: str
    usage: str
    options: tuple[Option[Any], ...] = ()
    least: int = 0
    most: int | None = None
    options_first: bool = False
    """options end at the first argument, because the rest belongs to a program"""
    details: str = ""
    """more for the help: what the sentence can't say"""
    failure: int = 1
    """exit code when tiffin itself fails"""
    ends_as_program: bool = False
    """the exit code is the program's, and tells also that it could not be executed (126) or found (127)"""

    @property
    def sentence(self) -> str:
        from tiffin.model.verbs import sentence  # only for help and errors

        return sentence(self.name) if self.name else TIFFIN

    @property
    def full_name(self) -> str:
        return f"tiffin {self.name}".rstrip()


def switch(name: str, help: str, short: str = "", *, default: bool = False) -> Option[bool]:
    return Option(name, short, "", help, default, _read_switch)


def text(name: str, help: str, short: str = "", *, default: str = "", also: str = "") -> Option[str]:
    return Option(name, short, "string", help, default, lambda word, _: word, also)


def many(
    name: str, help: str, short: str = "", *, also: str = "", read: Callable[[str], str] = str
) -> Option[tuple[str, ...]]:
    """An option that may be repeated."""
    return Option(name, short, "list", help, (), lambda word, before: (*before, read(word)), also)


def number(name: str, help: str, short: str = "") -> Option[int | None]:
    return Option(name, short, "int", help, None, lambda word, _: _read_number(word))


def parsed(kind: str, name: str, help: str, short: str, read: Callable[[str], T], default: T) -> Option[T]:
    """An option whose text has a form of its own."""
    return Option(name, short, kind, help, default, lambda word, _: read(word))


def moment(name: str, help: str) -> Option[float | None]:
    """A time, in seconds since 1970; None where it was not given."""
    return Option(name, "", "time", help, None, lambda word, _: _read_moment(name, word))


def refused(name: str, why: str, short: str = "", *, kind: str = "string", but: tuple[str, ...] = ()) -> Option[None]:
    """An option of Docker's that cannot act here. `but` are the values that mean the same as not giving it."""

    def read(word: str, _: None) -> None:
        if word not in but:
            raise ValueError(why)

    return Option(name, short, kind, why, None, read, is_refused=True)


def parse(command: Command, words: Sequence[str]) -> Given:
    """Raises UsageError and WrongArguments in Docker's words."""
    try:
        given = _Parser(command).parse(words)
        if not given[HELP]:
            _check_number(command, len(given.arguments))
    except UsageError as error:
        error.command = command
        raise
    return given


class _Parser:
    def __init__(self, command: Command) -> None:
        options = (*command.options, HELP)
        self.long = {name: option for option in options for name in (option.name, option.also) if name}
        self.short = {option.short: option for option in options if option.short}
        self.short.setdefault("h", HELP)
        self.options_first = command.options_first
        self.values: dict[str, Any] = {}
        self.arguments: list[str] = []
        self.rest: list[str] = []

    def parse(self, words: Sequence[str]) -> Given:
        self.rest = list(words)
        while self.rest:
            word = self.rest.pop(0)
            if word == "--":
                self.arguments += self.rest
                break
            if word.startswith("--"):
                self._long(word)
            elif word.startswith("-") and word != "-":
                self._short(word)
            else:
                self.arguments.append(word)
                if self.options_first:
                    self.arguments += self.rest
                    break
        return Given(self.values, self.arguments)

    def _long(self, word: str) -> None:
        name, equals, value = word[2:].partition("=")
        if not name or name.startswith("-"):
            raise UsageError(f"bad flag syntax: {word}")
        option = self.long.get(name)
        if option is None:
            raise UsageError(f"unknown flag: --{name}")
        if not equals:
            value = self._value_of(option, f"flag needs an argument: --{name}")
        self._set(option, value)

    def _short(self, word: str) -> None:
        letters = word[1:]
        while letters:
            letter, letters = letters[0], letters[1:]
            option = self.short.get(letter)
            if option is None:
                raise UsageError(f"unknown shorthand flag: '{letter}' in {word}")
            if len(letters) > 1 and letters[0] == "=":
                value, letters = letters[1:], ""
            elif letters and option.kind:
                value, letters = letters, ""
            else:
                value = self._value_of(option, f"flag needs an argument: '{letter}' in {word}")
            self._set(option, value)

    def _value_of(self, option: Option[Any], complaint: str) -> str:
        if not option.kind:
            return "true"
        if not self.rest:
            raise UsageError(complaint)
        return self.rest.pop(0)

    def _set(self, option: Option[Any], value: str) -> None:
        try:
            self.values[option.name] = option.read(value, self.values.get(option.name, option.default))
        except ValueError as error:
            raise UsageError(f'invalid argument "{value}" for "{option.spelling}" flag: {error}') from None


def _check_number(command: Command, number: int) -> None:
    least, most = command.least, command.most
    if number >= least and (most is None or number <= most):
        return
    if most == 0:
        complaint = "accepts no arguments"
    elif least == most:
        complaint = f"requires exactly {_arguments(least)}"
    elif number < least:
        complaint = f"requires at least {_arguments(least)}"
    else:
        complaint = f"requires at most {_arguments(most or 0)}"
    raise WrongArguments(f"'{command.full_name}' {complaint}")


def usage_line(command: Command) -> str:
    options = " [OPTIONS]" if command.options else ""
    return f"{command.full_name}{options} {command.usage}".rstrip()


def _arguments(number: int) -> str:
    return "1 argument" if number == 1 else f"{number} arguments"


def _read_switch(word: str, _: bool) -> bool:
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    raise ValueError("a switch is true or false")


def _read_moment(name: str, word: str) -> float:
    import time  # only for this

    try:
        return read_moment(word, time.time())
    except ValueError as error:  # to Docker's parser it is a text like any other: so no UsageError
        raise BadParameter(f'invalid value for "{name}": "{word}" is {error}') from None


def _read_number(word: str) -> int:
    # int() alone takes blanks and underscores too
    if not word.lstrip("+-").isdecimal():
        raise ValueError("not a whole number")
    if len(word) > LONGEST_NUMBER:
        raise ValueError("value out of range")
    return int(word)


HELP = switch("help", "print this text")
DRY_RUN = switch("dry-run", "tell what would be done and why, and do nothing")
