"""version: of tiffin, of what it runs on, and where it keeps its things."""

from __future__ import annotations

import os
import sys

from tiffin import __version__
from tiffin.cli import template
from tiffin.cli.options import Command, Given, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine
    from tiffin.view.explanation import Explanation

FORMAT = text("format", "show as: json, or a text with fields in it, as in '{{.Version}}'", "f")

COMMAND = Command("version", "", (FORMAT,), most=0)


def act(engine: Engine, given: Given) -> int:
    machine = os.uname()
    form = "{{json .}}" if given[FORMAT] == "json" else given[FORMAT]
    facts = {
        "Version": __version__,
        "Python": ".".join(map(str, sys.version_info[:3])),
        "Os": machine.sysname.lower(),
        "Arch": machine.machine,
        "KernelVersion": machine.release,
        "Root": engine.root,
        "Runroot": engine.runroot,
    }
    if form:
        print(template.parse(form).render(facts))
        return 0
    for name, value in facts.items():
        print(f"{name + ':':<15}{value}")
    return 0


def explained(engine: Engine, given: Given) -> Explanation:
    return engine.explain.look_around("version", "version")
