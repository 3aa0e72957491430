"""Whether what was foretold has come true: two pictures of one host compared, what nobody could know left out.

Everything must be there and nothing more. Objects that were still to be made had no id then: they are matched with
those that nobody knew, by their place. Of each object every field counts that was foretold, that is, is not None; what
a clock or a program decides (times, processes, use) is never foretold.
"""

from __future__ import annotations

from tiffin.view.explanation import Explanation
from tiffin.view.marks import marked
from tiffin.view.picture import NEW_ID, Picture, Slab, Tray, is_new, short

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SLAB_FIELDS = ("label", "size", "names", "settings")
TRAY_FIELDS = ("name", "image", "command", "state", "exit_code", "is_out_of_memory", "size", "changes", "uses",
               "networks", "ports", "is_thrown_away")  # fmt: skip

WRITTEN = ("size", "changes")
"""what a process may change at any moment"""


def compared(explanation: Explanation, truth: Picture) -> Explanation:
    """The explanation of what has been done since, with the truth beside what was foretold."""
    known = matched(explanation.gives, truth)
    focus = explanation.focus | {known[id] for id in explanation.focus if id in known}
    return explanation._replace(
        truth=marked(explanation.takes, truth)[1]._replace(cards=explanation.gives.cards),
        differences=differences(explanation.gives, truth),
        focus=focus,
    )


def differences(foretold: Picture, true: Picture) -> tuple[str, ...]:
    """Sentences about what came otherwise; none if all came as it was foretold."""
    known = matched(foretold, true)
    ground = _of_fields("the ground", ("ground_names",), foretold, true)
    return (*ground, *_of_slabs(foretold, true, known), *_of_trays(foretold, true, known))


def matched(foretold: Picture, true: Picture) -> dict[str, str]:
    """What was foretold -> what it is now, by id; from the ground up, so that parents are known first."""
    old = {slab.id for slab in foretold.slabs}
    known: dict[str, str] = {}
    fresh = [slab for slab in true.slabs if slab.id not in old]
    for slab in foretold.slabs:
        wanted = known.get(slab.parent, slab.parent) if slab.parent else None
        fitting = [other for other in fresh if other.parent == wanted]
        if is_new(slab.id) and fitting:
            known[slab.id] = fitting[0].id
            fresh.remove(fitting[0])
    old = {tray.id for tray in foretold.trays}
    unknown = [tray for tray in true.trays if tray.id not in old]
    for tray in foretold.trays:
        fitting_trays = [other for other in unknown if tray.name in (None, other.name)]
        if is_new(tray.id) and fitting_trays:
            known[tray.id] = fitting_trays[0].id
            unknown.remove(fitting_trays[0])
    return known


def _of_slabs(foretold: Picture, true: Picture, known: Mapping[str, str]) -> Iterator[str]:
    there = {slab.id: slab for slab in true.slabs}
    for slab in foretold.slabs:
        now = there.pop(known.get(slab.id, slab.id), None)
        if now is None:
            yield f"layer {short(slab.id)} is not there"
            continue
        parent = known.get(slab.parent, slab.parent) if slab.parent else None
        if now.parent != parent:
            yield f"layer {short(now.id)} lies on {short(now.parent or 'the ground')}, not on {short(parent or 'it')}"
        if not _same_images(slab, now):
            yield f"layer {short(now.id)} is the top of {_ids(now.images)}, not of {_ids(slab.images)}"
        yield from _of_fields(f"layer {short(now.id)}", SLAB_FIELDS, slab, now)
    yield from (f"layer {short(id)} is there, which was not foretold" for id in there)


def _of_trays(foretold: Picture, true: Picture, known: Mapping[str, str]) -> Iterator[str]:
    there = {tray.id: tray for tray in true.trays}
    for tray in foretold.trays:
        now = there.pop(known.get(tray.id, tray.id), None)
        if now is None:
            yield f"container {tray.name or short(tray.id)} is not there"
            continue
        if now.on != (known.get(tray.on, tray.on) if tray.on else None):
            yield f"container {now.name} stands on another layer"
        fields = [field for field in TRAY_FIELDS if not (tray.is_alive and field in WRITTEN)]
        yield from _of_fields(f"container {now.name}", fields, tray, now)
    yield from (f"container {tray.name} is there, which was not foretold" for tray in there.values())


def _same_images(foretold: Slab, now: Slab) -> bool:
    """The ids of images to come are not known; how many there are is."""
    certain = {id for id in foretold.images if not id.startswith(NEW_ID)}
    return certain <= set(now.images) and len(foretold.images) == len(now.images)


def _of_fields(what: str, fields: Iterable[str], foretold: Slab | Tray | Picture, now: object) -> Iterator[str]:
    for field in fields:
        before, after = getattr(foretold, field), getattr(now, field)
        if before is not None and before != after:
            yield f"{what}: {field.replace('_', ' ')} is {after!r}, and {before!r} was foretold"


def _ids(ids: Iterable[str]) -> str:
    return ", ".join(map(short, ids)) or "no image"
