"""events: what happens on this host, as it happens."""

from __future__ import annotations

import sys

from tiffin.cli import template
from tiffin.cli.filters import chooser, filters, has_label
from tiffin.cli.options import Command, Given, moment, text
from tiffin.cli.table import short_id, visible
from tiffin.cli.units import rfc3339
from tiffin.store.events import Event, Missed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tiffin.cli.filters import Test
    from tiffin.engine import Engine
    from tiffin.view.explanation import Explanation

SINCE = moment("since", "also what happened since then: a time, or a time ago, as in 10m")
UNTIL = moment("until", "only what happens until then: a time, or a time ago; then end")
FILTER = filters("only those with type=, event=, container=, image=, label=")
FUZZY = ("exec_create", "exec_start")
"""what is followed by the words of the program"""
FORMAT = text("format", "show as: json, or a text with fields in it, as in '{{.Action}} {{.Actor.ID}}'")

COMMAND = Command("events", "", (SINCE, UNTIL, FILTER, FORMAT), most=0)


def act(engine: Engine, given: Given) -> int:
    is_wanted = chooser(given[FILTER], TESTS)
    shown = _shower(given[FORMAT])
    for event in engine.events(since=given[SINCE], until=given[UNTIL]):
        if isinstance(event, Missed):
            print(f"tiffin: {event.lost} events came faster than they were read", file=sys.stderr)
        elif is_wanted(event):
            print(shown(event), flush=True)
    return 0


def line(event: Event) -> str:
    """ "2026-01-31T12:00:00.123456789+01:00 container start 3fa9... (image=base, name=web)"."""
    told = ", ".join(f"{key}={value}" for key, value in sorted(event.attributes.items()))
    return visible(f"{rfc3339(event.time)} {event.kind} {event.action} {event.id} ({told})")


def form(event: Event) -> Mapping[str, object]:
    """Docker's form of an event (Engine API, EventMessage); the first three are those of before API 1.22."""
    image = event.attributes.get("image")
    return {
        "status": event.action,
        "id": event.id,
        **({"from": image} if event.kind == "container" and image else {}),
        "Type": event.kind,
        "Action": event.action,
        "Actor": {"ID": event.id, "Attributes": event.attributes},
        "scope": "local",
        "time": event.time // 10**9,
        "timeNano": event.time,
    }


def fields(event: Event) -> Mapping[str, object]:
    """The same by the names that fields of a format have, as in {{.ID}} or {{.TimeNano}}."""
    named = {"ID" if key == "id" else key[0].upper() + key[1:]: said for key, said in form(event).items()}
    return {"From": "", **named}


def _shower(chosen: str) -> Callable[[Event], str]:
    if not chosen:
        return line
    parsed = template.parse("{{json .}}" if chosen == "json" else chosen)
    is_whole = any(isinstance(part, template.Field) and not part.path for part in parsed.parts)
    names = form if is_whole else fields
    return lambda event: parsed.render(names(event))


def _is_action(event: Event, wanted: str) -> bool:
    return event.action == wanted or (wanted in FUZZY and event.action.startswith(f"{wanted}: "))


def _is_container(event: Event, wanted: str) -> bool:
    return event.kind == "container" and (event.id.startswith(wanted) or event.attributes.get("name") == wanted)


def _is_image(event: Event, wanted: str) -> bool:
    """Also what happens to containers of that image, as in Docker."""
    if event.kind == "image":
        return wanted in (event.id, event.attributes.get("name")) or short_id(event.id) == short_id(wanted)
    return event.attributes.get("image") == wanted


TESTS: Mapping[str, Test[Event]] = {
    "type": lambda event, wanted: event.kind == wanted,
    "event": _is_action,
    "container": _is_container,
    "image": _is_image,
    "label": lambda event, wanted: has_label(event.attributes, wanted),
}


def explained(engine: Engine, given: Given) -> Explanation:
    return engine.explain.look_around("events", "events")
