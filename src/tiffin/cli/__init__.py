"""The command line `tiffin`: a thin front on the engine, with Docker's verbs, options, columns and exit codes.

    tiffin [OPTIONS] VERB [OPTIONS] ARGUMENT...

    words --options--> Given --verbs/<verb>--> Engine --> listing, join, ... --> terminal

    spellings   which words name which verb           listing, table, template   what is printed
    options     Docker's grammar, and its parser      units, filters             how it is written and chosen
    settings    the options of create and run, with   join, flow, signals,       a terminal or pipes joined to the
                mounts, resources, confinement,       terminal                   program inside
                log_options, and those refused        removal_list               what a removal would take away
    help        texts made from the options

Each verb is a module of `verbs` with a COMMAND (its options and a sentence) and `act(engine, given)`, which prints and
gives the exit code. Only the verb that was called is loaded, and the engine only when the words made sense: what
`tiffin ps` does not need it does not pay for.

Exit codes are Docker's: 125 when tiffin itself failed in `run` or could not read an option; of `run` and `exec` 126 and
127 when the program could not be executed or found; 1 for other failures; else the program's own. `failures` has the
rule. With several arguments a verb goes on after an error and tells each.
"""

from __future__ import annotations

import os
import sys

from tiffin.cli import spellings
from tiffin.cli.failures import BROKEN_PIPE, complain, give_up_stdout, prepare_streams
from tiffin.cli.options import DRY_RUN, HELP, Command, Given, WrongArguments, parse, switch, text
from tiffin.errors import Unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tiffin.engine import Engine

__all__ = ["main"]

ROOT = text("root", "folder of images and containers (default: $TIFFIN_ROOT, or /var/lib/tiffin for root)")
RUNROOT = text(
    "runroot", "folder of what lives until the next boot (default: $TIFFIN_RUNROOT, or /run/tiffin for root)"
)
VERSION = switch("version", "print the version", "v")
TIFFIN = Command("", "COMMAND", (ROOT, RUNROOT, VERSION), options_first=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the words (by default this process's) say, and give the exit code. Raises only KeyboardInterrupt."""
    prepare_streams()
    command = TIFFIN
    try:
        given = parse(TIFFIN, sys.argv[1:] if argv is None else argv)
        spelling, words = _split(given)
        if given[VERSION]:
            code = _tell_version()
        elif spelling in spellings.MODULES:
            verb = spellings.load(spelling)
            command = verb.COMMAND._replace(name=spelling)  # told of in the reader's own words
            code = _perform(verb, command, parse(command, words), given)
        else:
            command = spellings.place_of(spelling) or TIFFIN
            code = _without_verb(command, spelling, words)
        sys.stdout.flush()
    except BrokenPipeError:  # as with `| head`
        give_up_stdout()
        return BROKEN_PIPE
    except Exception as error:  # noqa: BLE001  # the outermost line
        return complain(error, command)
    return code


def _split(given: Given) -> tuple[str, Sequence[str]]:
    """The words that name the verb, and those that are its own. `help VERB` and `--help VERB` are `VERB --help`."""
    words, asks = list(given.arguments), given[HELP]
    if words[:1] == ["help"]:
        words, asks = words[1:], True
    most = 2 if words and words[0] in spellings.GROUPS else 1
    names = 0
    while names < min(most, len(words)) and not words[names].startswith("-"):
        names += 1
    return " ".join(words[:names]), [*["--help"] * asks, *words[names:]]


def _tell_version() -> int:
    from tiffin import __version__

    print(f"tiffin version {__version__}")
    return 0


def _perform(verb: spellings.Verb, command: Command, chosen: Given, given: Given) -> int:
    if chosen[HELP]:
        from tiffin.cli import help  # only when asked

        print(help.of_verb(command))
        return 0
    if chosen[DRY_RUN] and DRY_RUN in command.options:
        from tiffin.cli.dry_run import tell  # only when asked

        return tell(verb, command, _engine(given), chosen)
    return verb.act(_engine(given), chosen)


def _engine(given: Given) -> Engine:
    if os.geteuid() != 0:
        raise Unsupported("this needs root for now: try the same with sudo in front, or as root")
    from tiffin.engine import Engine  # not for help texts

    return Engine(given[ROOT] or None, given[RUNROOT] or None)


def _without_verb(place: Command, spelling: str, words: Sequence[str]) -> int:
    from tiffin.cli import help  # only when asked

    if spelling != place.name:
        raise WrongArguments(f"unknown command: tiffin {spelling}{help.did_you_mean(spelling)}")
    parse(place, words)  # there may be options that it does not have
    print(help.of_all(place) if place is TIFFIN else help.of_group(spelling))
    return 0
