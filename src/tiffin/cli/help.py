"""Help texts, made from the same declared options that the parser reads."""

from __future__ import annotations

from tiffin.cli import spellings
from tiffin.cli.options import HELP, Command, Option, usage_line
from tiffin.model.verbs import sentence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

WIDTH = 100
INDENT = "  "


def of_verb(command: Command) -> str:
    """What `tiffin VERB --help` prints."""
    paragraphs = [f"Usage:  {usage_line(command)}", f"{command.sentence}."]
    if command.details:
        paragraphs.append("\n".join(_wrap(command.details, WIDTH)))
    ways = spellings.all_of(command)
    if len(ways) > 1:
        paragraphs.append(f"Aliases:\n{INDENT}" + ", ".join(f"tiffin {way}" for way in ways))
    return "\n\n".join([*paragraphs, _options("Options", command), *_refused(command)])


def of_group(group: str) -> str:
    """What `tiffin container` prints."""
    verbs: dict[str, str] = {}
    for spelling, module in spellings.MODULES.items():  # of several spellings the shortest
        if _group(spelling) == group and len(spelling) < len(verbs.get(module, spelling + " ")):
            verbs[module] = spelling
    return "\n\n".join(
        [
            f"Usage:  tiffin {group} COMMAND",
            f"{spellings.GROUPS[group]}.",
            _verbs("Commands", sorted(verbs.values()), strip=f"{group} "),
            f"Run 'tiffin {group} COMMAND --help' for more information on a command.",
        ]
    )


def of_all(tiffin: Command) -> str:
    """What `tiffin --help` prints."""
    sections = [_verbs(title, verbs) for title, verbs in spellings.SECTIONS.items()]
    groups = _columns("Groups of commands", spellings.GROUPS.items())
    return "\n\n".join(
        [
            f"Usage:  {usage_line(tiffin)}",
            f"{tiffin.sentence}.",
            *sections,
            groups,
            _options("Global options", tiffin),
            "Run 'tiffin COMMAND --help' for more information on a command.",
        ]
    )


def did_you_mean(spelling: str) -> str:
    """ "; did you mean tiffin stop?", or nothing where no verb is near."""
    from difflib import get_close_matches  # only for this

    group, _, word = spelling.rpartition(" ")
    known = {verb.rpartition(" ")[2]: verb for verb in (*spellings.MODULES, *spellings.GROUPS) if _group(verb) == group}
    near = " or ".join(f"tiffin {known[name]}" for name in get_close_matches(word.lower(), known, 2))
    return f"; did you mean {near}?" if near else ""


def _group(spelling: str) -> str:
    return spelling.rpartition(" ")[0]


def _verbs(title: str, verbs: Iterable[str], strip: str = "") -> str:
    return _columns(title, ((verb.removeprefix(strip), sentence(verb)) for verb in verbs))


def _columns(title: str, rows: Iterable[tuple[str, str]]) -> str:
    lines = [f"{title}:"]
    for name, text in rows:
        first, *more = _wrap(text, WIDTH - len(INDENT) - 12)
        lines += [f"{INDENT}{name.ljust(11)} {first}", *(f"{INDENT}{' ' * 12}{line}" for line in more)]
    return "\n".join(lines)


def _options(title: str, command: Command) -> str:
    return f"{title}:\n" + "\n".join(_option_lines((*command.options, HELP)))


def _refused(command: Command) -> Iterable[str]:
    names = sorted(f"--{option.name}" for option in command.options if option.is_refused)
    if names:
        yield "\n".join(_wrap(f"Refused, each with its reason: {', '.join(names)}.", WIDTH))


def _option_lines(options: Iterable[Option[Any]]) -> Iterable[str]:
    ordered = sorted((option for option in options if not option.is_refused), key=lambda option: option.name)
    heads = [_head(option) for option in ordered]
    width = max(len(head) for head in heads) + 3
    for option, head in zip(ordered, heads, strict=True):
        first, *more = _wrap(option.help + _default(option), WIDTH - len(INDENT) - width)
        yield f"{INDENT}{head.ljust(width)}{first}"
        yield from (f"{INDENT}{' ' * width}{line}" for line in more)


def _head(option: Option[Any]) -> str:
    short = f"-{option.short}, " if option.short else "    "
    return f"{short}--{option.name} {option.kind}".rstrip()


def _default(option: Option[Any]) -> str:
    if option.default in (None, "", (), False, 0):
        return ""
    return f" (default {str(option.default).lower() if option.default is True else option.default})"


def _wrap(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".lstrip()
    return lines
