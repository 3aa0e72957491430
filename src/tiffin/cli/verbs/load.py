"""load: images, with all their layers, from what `save` wrote, here or elsewhere."""

from __future__ import annotations

import sys

from tiffin.cli import progress
from tiffin.cli.options import DRY_RUN, Command, Given, Unfit, switch, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine
    from tiffin.view.explanation import Explanation

INPUT = text("input", "read this file or folder; otherwise the standard input", "i")
QUIET = switch("quiet", "no progress", "q")

COMMAND = Command(
    "load",
    "",
    (DRY_RUN, INPUT, QUIET),
    most=0,
)


def act(engine: Engine, given: Given) -> int:
    if not given[INPUT] and sys.stdin.isatty():
        raise Unfit("an archive is binary: give a file with -i, or let one come in by < or |")
    with progress.line(quiet=given[QUIET]) as told:
        loaded = engine.load(given[INPUT] or sys.stdin.buffer, progress=told)
    for image in loaded:
        if image.replaced:  # in Docker's words
            old = f"renaming the old one with ID {image.replaced} to empty string"
            print(f"The image {image.name} already exists, {old}")
        print(f"Loaded image: {image.name}" if image.name else f"Loaded image ID: {image.id}")
    return 0


def explained(engine: Engine, given: Given) -> Explanation:
    if not given[INPUT]:
        raise Unfit("what comes in can be read only once: to be told what it would do, give a file with -i")
    return engine.explain.load(given[INPUT])
