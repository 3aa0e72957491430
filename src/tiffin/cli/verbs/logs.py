"""logs: what a container has written so far, and with -f what it writes from now on."""

from __future__ import annotations

import sys

from tiffin.cli.options import Command, Given, moment, parsed, switch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine, LogLine
    from tiffin.view.explanation import Explanation

def _read_tail(word: str) -> int | None:
    return int(word) if word.isdecimal() else None  # as Docker: anything else is all


FOLLOW = switch("follow", "go on with what is written from now on, until the container ends", "f")
TIMESTAMPS = switch("timestamps", "put the time before each line", "t")
TAIL = parsed("string", "tail", "the last lines, this many", "n", _read_tail, None)
SINCE = moment("since", "only what is younger: a time, as in 2026-01-31T12:00:00Z, or a time ago, as in 10m")
UNTIL = moment("until", "only what is older: a time, or a time ago")

COMMAND = Command(
    "logs",
    "CONTAINER",
    (FOLLOW, TIMESTAMPS, TAIL, SINCE, UNTIL),
    least=1,
    most=1,
)


def act(engine: Engine, given: Given) -> int:
    found = engine.container(given.arguments[0]).logs(
        tail=given[TAIL], follow=given[FOLLOW], since=given[SINCE], until=given[UNTIL]
    )
    for line in found:
        _write(line, timestamps=given[TIMESTAMPS], at_once=given[FOLLOW])
    return 0


def _write(line: LogLine, *, timestamps: bool, at_once: bool) -> None:
    stream, other = (sys.stdout, sys.stderr) if line.stream == "stdout" else (sys.stderr, sys.stdout)
    other.flush()  # both may be the same terminal
    stream.buffer.write(f"{line.time} ".encode() + line.text if timestamps else line.text)
    if at_once:
        stream.flush()


def explained(engine: Engine, given: Given) -> Explanation:
    return engine.explain.look("logs", given.arguments[0])
