"""images: the images of this host; with -a every read-only layer, since a layer is an image."""

from __future__ import annotations

import time

from tiffin.cli import units
from tiffin.cli.filters import chooser, filters, has_label
from tiffin.cli.listing import FORMAT, TREE, Columns, Row, lines, show_tree
from tiffin.cli.options import FALSE, TRUE, Command, Given, Unfit, switch
from tiffin.cli.table import short_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tiffin.cli.filters import Test
    from tiffin.engine import Engine, ImageSummary
    from tiffin.view.explanation import Explanation

ALL = switch("all", "every read-only layer, with the layer that it lies on", "a")
NO_TRUNC = switch("no-trunc", "print ids in full")
QUIET = switch("quiet", "print ids only", "q")
DIGESTS = switch("digests", "add the digest of the manifest that the image came with")
FILTER = filters("only those with dangling=true|false, label=, reference=PATTERN, before=IMAGE, since=IMAGE")

COMMAND = Command(
    "images",
    "[REPOSITORY[:TAG]]",
    (ALL, NO_TRUNC, QUIET, DIGESTS, FILTER, FORMAT, TREE),
    most=1,
)

COLUMNS = Columns(
    {
        "Repository": "REPOSITORY",
        "Tag": "TAG",
        "ID": "IMAGE ID",
        "CreatedSince": "CREATED",
        "Size": "SIZE",
        "CreatedAt": "CREATED AT",
        "Digest": "DIGEST",
        "Layer": "LAYER",
        "Containers": "CONTAINERS",
        "SharedSize": "SHARED SIZE",
        "UniqueSize": "UNIQUE SIZE",
    },
    ("Repository", "Tag", "ID", "CreatedSince", "Size"),
)
WITH_DIGESTS = COLUMNS._replace(plain=("Repository", "Tag", "Digest", "ID", "CreatedSince", "Size"))
LAYER_COLUMNS = Columns(
    {"ID": "LAYER ID", "Parent": "PARENT", "Images": "IMAGES", "Size": "SIZE"}, ("ID", "Parent", "Images", "Size")
)
NONE = "<none>"
NAMELESS = f"{NONE}:{NONE}"


def act(engine: Engine, given: Given) -> int:
    chosen = bool(given.arguments or given[FILTER])
    if given[ALL] and not given[QUIET] and not given[TREE] and given[FORMAT] in ("", "table"):
        if chosen:
            raise Unfit("-a lists every layer: to choose among them, choose the fields as well, with --format or -q")
        return _show(LAYER_COLUMNS, _layers(engine, full=given[NO_TRUNC]), given)
    found = _found(engine, given)
    if given[TREE]:
        return show_tree(engine, _tops(found), given)
    if given[QUIET]:
        for id in dict.fromkeys(summary.id for summary in found):
            print(_id(id, full=given[NO_TRUNC]))
        return 0
    rows = [row for summary in found for row in _rows(summary, time.time(), full=given[NO_TRUNC])]
    return _show(WITH_DIGESTS if given[DIGESTS] else COLUMNS, rows, given)


def _found(engine: Engine, given: Given) -> list[ImageSummary]:
    fits = chooser(given[FILTER], _tests(engine), {"dangling": sorted(TRUE | FALSE)})
    found = list(filter(fits, engine.images(all=given[ALL])))
    wanted = [*given.arguments, *(value for key, value in given[FILTER] if key == "reference")]
    if not wanted:
        return found
    return [summary._replace(names=names) for summary in found if (names := _called(summary, wanted))]


def _tops(found: Sequence[ImageSummary]) -> list[str]:
    return [summary.layer or summary.id for summary in found]  # an image without layers stands for itself


def _show(columns: Columns, rows: Sequence[Row], given: Given) -> int:
    for line in lines(columns, rows, given[FORMAT]):
        print(line)
    return 0


def _rows(summary: ImageSummary, now: float, *, full: bool) -> Iterator[Row]:
    """One for each name."""
    digests = {digest.rpartition("@")[0]: digest.rpartition("@")[2] for digest in summary.digests}
    for name in summary.names or (NAMELESS,):
        repository, _, tag = name.rpartition(":")
        yield {
            "Repository": repository,
            "Tag": tag,
            "ID": _id(summary.id, full=full),
            "CreatedSince": units.ago(summary.created, now) if summary.created else "N/A",
            "Size": units.size(summary.size),
            "CreatedAt": units.local_time(summary.created) if summary.created else "N/A",
            "Digest": digests.get(repository, NONE),
            "Layer": _id(summary.layer, full=full),
            "Containers": str(summary.containers),
            "SharedSize": units.size(summary.shared_size),
            "UniqueSize": units.size(summary.size - summary.shared_size),
        }


def _layers(engine: Engine, *, full: bool) -> list[Row]:
    """Every layer once, right above the one that it lies on, where that was not listed already."""
    tops: dict[str, list[ImageSummary]] = {}
    for summary in engine.images(all=True):
        if summary.layer:
            tops.setdefault(summary.layer, []).append(summary)
    below = {summaries[0].parent for summaries in tops.values()}
    rows: dict[str, Row] = {}
    for top in tops:
        at = None if top in below else top
        while at is not None and at not in rows:
            rows[at] = _layer_row(at, tops[at], full=full)
            at = tops[at][0].parent
    return list(rows.values())


def _layer_row(id: str, on_top: Sequence[ImageSummary], *, full: bool) -> Row:
    """`on_top` are the images of which this layer is the topmost, or the bare layer itself."""
    names = [name for summary in on_top for name in summary.names or (() if summary.is_layer else (NONE,))]
    return {
        "ID": _id(id, full=full),
        "Parent": _id(on_top[0].parent, full=full),
        "Images": ", ".join(names),
        "Size": units.size(on_top[0].layer_size),
    }


def _id(id: str | None, *, full: bool) -> str:
    return NONE if id is None else id if full else short_id(id)


def _called(summary: ImageSummary, patterns: Sequence[str]) -> tuple[str, ...]:
    """Those of its names that fit REPOSITORY or REPOSITORY:TAG, either of which may be a pattern as in a shell."""
    from fnmatch import fnmatchcase  # only for this

    return tuple(
        name
        for name in summary.names
        if any(fnmatchcase(name, wanted) or fnmatchcase(name.rpartition(":")[0], wanted) for wanted in patterns)
    )


def _tests(engine: Engine) -> Mapping[str, Test[ImageSummary]]:
    def created(wanted: str) -> float:
        id = engine.image(wanted).id
        return next(summary.created for summary in engine.images(all=True) if summary.id == id)

    return {
        "dangling": lambda summary, wanted: summary.is_dangling == (wanted in TRUE),
        "label": lambda summary, wanted: has_label(summary.labels, wanted),
        "reference": lambda summary, wanted: bool(_called(summary, [wanted])),
        "before": lambda summary, wanted: summary.created < created(wanted),
        "since": lambda summary, wanted: summary.created > created(wanted),
    }


def explained(engine: Engine, given: Given) -> Explanation:
    return engine.explain.look_around("images", "images", _tops(_found(engine, given)))
