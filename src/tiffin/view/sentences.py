"""A picture in plain sentences: for screen readers, for --plain, and for whoever reads JSON.

    web runs. Its read-write layer holds 2.3 kB and stands on 8 read-only layers. From the top: COPY site, 1.2 MB, ...

They say what the drawing says, in the same order: what it is and does, what it stands on, what one sees from above.
"""

from __future__ import annotations

from itertools import islice

from tiffin.model.nouns import State
from tiffin.view import signs
from tiffin.view.picture import Picture, Process, Slab, Tray, is_new, short
from tiffin.view.words import amount, harmless, many

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tiffin.view.explanation import Explanation

MOST = 12  # of one kind that are told one by one; nobody listens to more
LONGEST = 120  # characters of one name


def title(picture: Picture) -> str:
    """What it is a picture of, as a heading."""
    name = _name(picture.title)
    if picture.about == "host":
        return f"{_capital(name or 'this host')}: {_stock(picture)}"
    if picture.about == "container" and picture.trays:
        return f"Container {name}, {signs.word(picture.trays[-1])}"
    layers = many(len(picture.slabs), "read-only layer")
    return f"{_capital(picture.about)} {name}, {layers}"


def describe(picture: Picture) -> str:
    """The whole picture in sentences, in one line."""
    return " ".join(of_picture(picture))


def of_picture(picture: Picture) -> Iterator[str]:
    """The sentences one by one."""
    return _of_host(picture) if picture.about == "host" else _of_stack(picture)


def describe_explanation(explanation: Explanation) -> str:
    """What a command takes, its steps with their reasons, what it gives, and what came of it, in one line."""
    return " ".join(of_explanation(explanation))


def of_tray(tray: Tray, ground: str = "") -> str:
    """What a container does, in one sentence; with `ground`, as " on web:1", also where."""
    does = _ended(tray) if tray.state == State.EXITED else _DOES.get(tray.state, f"is {_name(tray.state)}")
    because = f": {_name(tray.reason)}" if tray.reason else ""
    return f"{_called(tray)}{ground and f',{ground},'} {does}{because}."


_DOES = {
    State.CREATED: "has been created and has not run yet",
    State.RUNNING: "runs",
    State.PAUSED: "is paused",
    State.RESTARTING: "has ended and will be started again",
    State.REMOVING: "is being removed",
    State.DEAD: "could not be removed wholly",
}


def _ended(tray: Tray) -> str:
    if tray.is_out_of_memory:
        return "was ended, as it was out of memory"
    return "ends with its program's code" if tray.exit_code is None else f"has ended with code {tray.exit_code}"


def of_explanation(explanation: Explanation) -> Iterator[str]:
    """The sentences one by one."""
    yield f"Input: {_said(explanation.takes_words)}"
    yield from _of_side(explanation.input)
    yield _said(explanation.sentence)
    if explanation.is_refused:
        yield _refusal(explanation)
    else:
        yield from _of_steps(explanation)
        yield f"Output: {_said(explanation.gives_words)}"
        yield from _of_side(explanation.output)
        yield from map(_said, explanation.remarks)
    yield from _verdict(explanation)


def _of_side(picture: Picture) -> Iterator[str]:
    if picture.slabs or picture.trays:
        yield from islice(_of_host(picture), 1, None)  # how much there is on the whole host is not what it is about
    yield from _of_cards(picture)
    if not (picture.slabs or picture.trays or picture.cards):
        yield "Nothing."


def _of_steps(explanation: Explanation) -> Iterator[str]:
    number = 1
    for one in explanation.parts or (explanation,):
        if explanation.parts:
            yield f"{_capital(_name(one.command))}: {_said(one.sentence)}"
        if one.refusal:
            yield _refusal(one)
            continue
        for step in one.steps:
            made = f" It made {many(len(step.calls), 'system call')}." if step.calls else ""
            yield f"Step {number}: {_said(f'{step.does}: {step.why}' if step.why else step.does)}{made}"
            number += 1


def _refusal(explanation: Explanation) -> str:
    return f"It {'would be' if explanation.truth is None else 'was'} refused: {_said(explanation.refusal)}"


def _verdict(explanation: Explanation) -> Iterator[str]:
    if explanation.truth is None:
        yield "Nothing would be done." if explanation.is_refused else "Nothing has been done."
    elif explanation.differences:
        yield "Not all came as it was foretold."
        yield from map(_said, explanation.differences)
    elif explanation.is_refused:
        yield "It was refused, as foretold, and nothing was done."
    else:
        yield "It was done, and all came as it was foretold."


def _said(text: str) -> str:
    """As a sentence: it ends with a full stop."""
    said = harmless(text).rstrip(" .")
    return f"{said}."


def _of_host(picture: Picture) -> Iterator[str]:
    yield f"{_capital(_name(picture.title) or 'this host')} has {_stock(picture)}."
    known = {slab.id: slab for slab in picture.slabs}
    grounds = [slab for slab in picture.slabs if slab.parent not in known]
    if grounds:
        yield f"On the ground: {_list(map(_slab, grounds), len(grounds), '; ')}."
    named = [slab for slab in picture.slabs if slab.names and slab.parent in known]
    if named:
        yield f"Images on other layers: {_list(map(_slab, named), len(named), '; ')}."
    if picture.ground_names:
        yield f"Without any layer: {_list(map(_name, picture.ground_names), len(picture.ground_names))}."
    for tray in picture.trays[:MOST]:
        yield of_tray(tray, f" on {_name(tray.image)}" if tray.image else _ground(known.get(tray.on or "")))
        processes = (tray.space.processes if tray.space else None) or ()
        if fresh := [process for process in processes if process.is_new]:
            yield f"New in its process space: {_list((_name(process.name) for process in fresh), len(fresh), '; ')}."
    if len(picture.trays) > MOST:
        yield f"And {many(len(picture.trays) - MOST, 'more container')}."


def _of_stack(picture: Picture) -> Iterator[str]:
    for tray in picture.trays:
        yield of_tray(tray)
        yield from _of_tray(tray, len(picture.slabs))
    slabs = picture.slabs[::-1]
    if not picture.trays:
        sizes = [slab.size for slab in slabs]
        total = "" if None in sizes else f", {amount(sum(size or 0 for size in sizes))} in all"
        kind = f"a stack of {many(len(slabs), 'read-only layer')}"
        if picture.about == "layer":
            kind = f"a read-only layer on {many(max(len(slabs) - 1, 0), 'other')}"
        yield f"{_name(picture.title)} is {kind}{total}."
    if slabs:
        yield f"From the top: {_list(map(_slab, slabs), len(slabs), '; ')}."
    yield from _of_view(picture)
    yield from _of_cards(picture)


def _of_cards(picture: Picture) -> Iterator[str]:
    for card in picture.cards:
        rows = (f"{_name(key)} {_name(value)}" for key, value in card.rows)
        yield f"{_capital(_name(card.kind))} {_name(card.title)}: {_list(rows, len(card.rows), '; ')}."


def _of_tray(tray: Tray, layers: int) -> Iterator[str]:
    holds = f"holds {signs.size(tray)} and " if tray.size is not None else ""
    ground = f"on {many(layers, 'read-only layer')}" if layers else "on the ground"
    yield f"Its read-write layer {holds}stands {ground}."
    if tray.changes:
        added, changed, removed = tray.changes
        told = f"adds {many(added, 'path')}, changes {changed} and removes {removed}" if any(tray.changes) else ""
        yield f"It {told or 'changes nothing'}{', or more' * tray.is_least}."
    if tray.files:
        yield f"It wrote {_list(map(_name, tray.files), len(tray.files))}."
    for use in tray.uses:
        yield f"{_name(use.source)} is at {_name(use.target)}{', read-only' if use.is_readonly else ''}."
    for joined in tray.networks:
        yield f"It is in the network {_name(joined.network)}{f' as {_name(joined.address)}' if joined.address else ''}."
    if tray.ports:
        yield f"Ports: {_list(map(_name, tray.ports), len(tray.ports))}."
    yield from _of_space(tray)


def _of_space(tray: Tray) -> Iterator[str]:
    space = tray.space
    if space is None:
        return
    if space.processes is not None:
        told = map(_process, space.processes)
        number = len(space.processes)
        yield f"{many(number, 'process', 'processes')}{': ' if number else ''}{_list(told, number)}."
    for gauge in space.gauges:
        yield f"{_capital(_name(gauge.name))}: {signs.use(gauge)}."
    own = [_name(namespace.kind) for namespace in space.namespaces if namespace.is_own]
    if own:
        yield f"Namespaces of its own: {_list(own, len(own))}."
    for protection in space.protections:
        yield f"{_capital(_name(protection.name))}: {_name(protection.text)}."


def _process(process: Process) -> str:
    """ "22 nginx: worker (on the host 41261)", "ls (new)"."""
    pid = "" if process.pid is None else f"{process.pid} "
    return f"{pid}{_name(process.name)} ({'new' if process.is_new else f'on the host {process.host_pid}'})"


def _of_view(picture: Picture) -> Iterator[str]:
    if picture.view is None:
        return
    paths, path = list[tuple[str, bool]](), list[str]()
    for row in picture.view.rows:
        path = [*path[: row.depth], row.name]
        if row.layer == picture.view.of and picture.view.is_writable and row.kind != "more":
            paths.append(("/" + "/".join(_name(name) for name in path), row.is_removed))
    own = [path for path, is_removed in paths if not is_removed]
    removed = [path for path, is_removed in paths if is_removed]
    yield f"Its union view is {'read-write' if picture.view.is_writable else 'read-only'}."
    if own:
        yield f"The read-write layer gives {_list(own, len(own))}."
    if removed:
        yield f"It removes {_list(removed, len(removed))}."


def _slab(slab: Slab) -> str:
    made = _name(slab.label) or f"layer {short(slab.id)}"
    size = f", {amount(slab.size)}" if slab.size is not None else ""
    names = f", named {' and '.join(map(_name, slab.names))}" if slab.names else ""
    return made + size + names


def _stock(picture: Picture) -> str:
    images = {id for slab in picture.slabs for id in slab.images} | set(picture.ground_images)
    layers, containers = many(len(picture.slabs), "layer"), many(len(picture.trays), "container")
    return f"{many(len(images), 'image')} in {layers}, {containers}"


def _ground(slab: Slab | None) -> str:
    return f" on {_name(slab.label) or 'layer ' + short(slab.id)}" if slab else " on the ground"


def _called(tray: Tray) -> str:
    if tray.name is None:
        return "A new container" if is_new(tray.id) else f"Container {short(tray.id)}"
    return _name(tray.name)


def _list(texts: Iterable[str], number: int, between: str = ", ") -> str:
    told: Sequence[str] = list(islice(texts, MOST))
    return between.join(told) + (f"{between}and {number - MOST} more" if number > MOST else "")


def _name(text: str) -> str:
    return harmless(text, LONGEST)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
