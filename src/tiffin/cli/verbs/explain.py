"""explain: what a command takes, what it does step by step and why, and what it gives. Nothing is done, unless --do."""

from __future__ import annotations

import sys
from contextlib import nullcontext

from tiffin.cli import spellings
from tiffin.cli.drawing import FORMS, aside, chosen_form, is_for_a_file, show
from tiffin.cli.failures import complain
from tiffin.cli.options import DRY_RUN, HELP, Command, Given, Unfit, WrongArguments, parse, switch
from tiffin.errors import TiffinError, Unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tiffin.engine import Engine
    from tiffin.view.explanation import Explanation

DO = switch("do", "do it, and compare what is true then with what was foretold; exit code 1 where they differ")
TRACE = switch("trace", "with --do: the system calls that each step made")
AS_SHELL = switch("as-shell", "write a shell script that makes the same container without tiffin")

COMMAND = Command(
    "explain",
    "COMMAND [ARG...]",
    (DO, TRACE, AS_SHELL, *FORMS),
    least=1,
    options_first=True,
    details="With --do the exit code is the verb's own where all came as foretold. To explain a start may leave in the "
    "runroot what every start finds there: empty folders, the compiled filter of system calls.",
)


class Asked:
    """The command that is to be explained, as it was written."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = list(words)
        self.spelling, rest = _split(self.words)
        self.verb = spellings.load(self.spelling)
        self.command = self.verb.COMMAND._replace(name=self.spelling)
        self.given = parse(self.command, rest)

    def explained(self, engine: Engine) -> Explanation:
        return self.verb.explained(engine, self.given)._replace(command=" ".join(self.words))


def act(engine: Engine, given: Given) -> int:
    if given[TRACE] and not given[DO]:
        raise Unfit("system calls are recorded while they are made: --trace comes with --do")
    form = chosen_form(given)
    asked = Asked(given.arguments)
    if asked.given[HELP]:
        from tiffin.cli import help  # only when asked

        print(help.of_verb(asked.command))
        return 0
    if given[AS_SHELL]:
        other = "do" if given[DO] else form
        if other:
            raise Unfit(f"conflicting options: --as-shell and --{other}")
        return _write_script(engine, asked)
    if asked.given[DRY_RUN] and DRY_RUN in asked.command.options:
        raise Unfit("explain does nothing but with --do: leave --dry-run away")
    explanation = asked.explained(engine)
    if not given[DO]:
        show(explanation, given)
        return 1 if explanation.refusal else 0
    return _do(engine, asked, explanation, given)


def _do(engine: Engine, asked: Asked, explanation: Explanation, given: Given) -> int:
    with aside() if is_for_a_file(given) else nullcontext():
        if given[TRACE]:
            with engine.recorded(explanation) as holder:
                code = _act(engine, asked)
            explanation = holder[0]
        else:
            code = _act(engine, asked)
        sys.stdout.flush()
    whole = engine.done(explanation)
    show(whole, given)
    return 1 if whole.differences else code


def _act(engine: Engine, asked: Asked) -> int:
    """What fails is told as the verb tells it; then comes what is true now."""
    try:
        return asked.verb.act(engine, asked.given)
    except BrokenPipeError:
        raise
    except (TiffinError, OSError) as error:
        return complain(error, asked.command)


def _write_script(engine: Engine, asked: Asked) -> int:
    from tiffin.runtime.shell import script  # only for this

    plan = getattr(asked.verb, "plan", None)
    if plan is None:
        raise Unsupported(f"--as-shell writes what starts a container: run or start, and not {asked.spelling}")
    print(script(plan(engine, asked.given)), end="")
    return 0


def _split(words: Sequence[str]) -> tuple[str, Sequence[str]]:
    most = 2 if words[0] in spellings.GROUPS else 1
    spelling = " ".join(words[:most])
    if spelling in spellings.GROUPS:
        raise WrongArguments(f"tiffin {spelling} is a group of commands: name one of them")
    if spelling == "help":
        raise Unfit("help prints a text, and looks at nothing: tiffin help")
    if spelling not in spellings.MODULES:
        from tiffin.cli import help  # only for this

        raise WrongArguments(f"unknown command: tiffin {spelling}{help.did_you_mean(spelling)}")
    if spelling == "explain":
        raise Unfit("explain is explained by tiffin explain --help")
    return spelling, words[most:]
