"""ps: the running containers of this host; with -a all of them."""

from __future__ import annotations

import time

from tiffin.cli import units
from tiffin.cli.filters import chooser, filters, has_label
from tiffin.cli.listing import FORMAT, TREE, Columns, Row, lines, show_tree
from tiffin.cli.options import Command, Given, number, switch
from tiffin.cli.table import quoted, short_id, shorten
from tiffin.errors import BadParameter, NotFound
from tiffin.model.nouns import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tiffin.cli.filters import Test
    from tiffin.engine import ContainerSummary, Engine
    from tiffin.view.explanation import Explanation

ALL = switch("all", "also those that don't run", "a")
LAST = number("last", "the newest ones, this many, running or not", "n")
LATEST = switch("latest", "the newest one, running or not", "l")
NO_TRUNC = switch("no-trunc", "print ids and commands in full")
QUIET = switch("quiet", "print ids only", "q")
SIZE = switch("size", "add the sizes: of the read-write layer, and with all layers below", "s")
FILTER = filters(
    "only those with name=, id=, status=, label=, ancestor=IMAGE, exited=CODE, before=CONTAINER, since=CONTAINER"
)

COMMAND = Command(
    "ps",
    "",
    (ALL, LAST, LATEST, NO_TRUNC, QUIET, SIZE, FILTER, FORMAT, TREE),
    most=0,
)

COLUMNS = Columns(
    {
        "ID": "CONTAINER ID",
        "Image": "IMAGE",
        "Command": "COMMAND",
        "RunningFor": "CREATED",
        "Status": "STATUS",
        "Ports": "PORTS",
        "Names": "NAMES",
        "CreatedAt": "CREATED AT",
        "Labels": "LABELS",
        "Size": "SIZE",
        "State": "STATE",
    },
    ("ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names"),
)
WITH_SIZE = COLUMNS._replace(plain=(*COLUMNS.plain, "Size"))

STATES = ("created", "running", "paused", "restarting", "removing", "exited", "dead")

STATUS_WORDS: Mapping[str, str] = {
    State.CREATED: "Created",
    State.DEAD: "Dead",
    State.REMOVING: "Removal In Progress",
}


def act(engine: Engine, given: Given) -> int:
    found = _found(engine, given)
    if given[TREE]:
        return show_tree(engine, [summary.id for summary in found], given)
    if given[QUIET]:
        for summary in found:
            print(summary.id if given[NO_TRUNC] else short_id(summary.id))
        return 0
    rows = [_row(summary, time.time(), full=given[NO_TRUNC]) for summary in found]
    for line in lines(WITH_SIZE if given[SIZE] else COLUMNS, rows, given[FORMAT]):
        print(line)
    return 0


def _found(engine: Engine, given: Given) -> list[ContainerSummary]:
    newest = 1 if given[LATEST] else given[LAST]
    chosen = given[FILTER]
    everything = given[ALL] or newest is not None or any(key == "status" for key, _ in chosen)
    fits = chooser(chosen, _tests(engine), {"status": STATES})
    found = list(filter(fits, engine.ps(all=everything, size=given[SIZE])))
    return found[:newest] if newest is not None and newest >= 0 else found


def status(summary: ContainerSummary, now: float) -> str:
    """ "Up 3 seconds (Paused)", "Exited (0) 2 minutes ago", ..."""
    if summary.state in (State.RUNNING, State.PAUSED):
        paused = " (Paused)" if summary.state == State.PAUSED else ""
        return f"Up {units.duration(max(0.0, now - summary.started))}{paused}"
    if summary.state in (State.EXITED, State.RESTARTING):
        word = "Exited" if summary.state == State.EXITED else "Restarting"
        return f"{word} ({summary.exit_code}) {units.ago(summary.finished, now)}"
    return STATUS_WORDS[summary.state]


def _row(summary: ContainerSummary, now: float, *, full: bool) -> Row:
    return {
        "ID": summary.id if full else short_id(summary.id),
        "Image": summary.image,
        "Command": quoted(summary.command if full else shorten(summary.command, 20)),
        "RunningFor": units.ago(summary.created, now),
        "Status": status(summary, now),
        "Ports": "",
        "Names": summary.name,
        "CreatedAt": units.local_time(summary.created),
        "Labels": ",".join(f"{key}={value}" for key, value in summary.labels.items()),
        "Size": _sizes(summary),
        "State": summary.state,
    }


def _sizes(summary: ContainerSummary) -> str:
    if summary.size < 0:  # not asked for
        return ""
    return f"{units.size(summary.size)} (virtual {units.size(summary.size_root)})"


def _tests(engine: Engine) -> Mapping[str, Test[ContainerSummary]]:
    return {
        "name": lambda summary, wanted: _fits(wanted, summary.name),
        "id": lambda summary, wanted: summary.id.startswith(wanted),
        "status": lambda summary, wanted: summary.state == wanted,
        "label": lambda summary, wanted: has_label(summary.labels, wanted),
        "exited": lambda summary, wanted: summary.exit_code == _code(wanted) and summary.state == State.EXITED,
        "ancestor": lambda summary, wanted: _descends(engine, summary.image_id, wanted),
        "before": lambda summary, wanted: summary.created < engine.container(wanted).record.created,
        "since": lambda summary, wanted: summary.created > engine.container(wanted).record.created,
    }


def _code(wanted: str) -> int:
    if not wanted.isdecimal():
        raise BadParameter(f"invalid filter 'exited={wanted}': not an exit code, like 0")
    return int(wanted)


def _descends(engine: Engine, id: str | None, wanted: str) -> bool:
    """Whether an image is the wanted one, or was made from it."""
    try:
        ancestor = engine.image(wanted).id
        while id and id != ancestor:
            id = engine.image(id).parent
    except NotFound:
        return False
    return id is not None


def _fits(pattern: str, name: str) -> bool:
    import re  # only for this filter

    try:
        return re.search(pattern, name) is not None or re.search(pattern, f"/{name}") is not None
    except re.error as error:
        raise BadParameter(f"invalid filter 'name={pattern}': no regular expression: {error}") from error


def explained(engine: Engine, given: Given) -> Explanation:
    return engine.explain.look_around("ps", "ps", [summary.id for summary in _found(engine, given)])
