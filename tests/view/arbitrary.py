"""Arbitrary pictures for hypothesis: forests of slabs with containers in any state, every text hostile."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.view.pictures import HOSTILE, NOW
from tiffin.model.nouns import State
from tiffin.model.states import ALL
from tiffin.view.explanation import Explanation, PlannedStep
from tiffin.view.picture import (
    Card,
    Changes,
    Gauge,
    Joined,
    Mark,
    Namespace,
    Network,
    Picture,
    Process,
    Protection,
    Row,
    Slab,
    Space,
    Tray,
    Use,
    View,
    Volume,
)

OURS = "".join(chr(number) for number in range(0x2500, 0x2600))
"""lines and blocks: a name made of them would look like a box to the test"""

texts = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_characters=OURS), max_size=30))
few = st.integers(0, 4)
sizes = st.none() | st.integers(0, 10**15)
marks = st.sampled_from((Mark.NONE, Mark.NEW, Mark.MAKING, Mark.GOING, Mark.CHANGED))
listed = st.lists(texts, max_size=3).map(tuple)


@st.composite
def slabs(draw: st.DrawFn, *, is_chain: bool = False, most: int = 9) -> tuple[Slab, ...]:
    found = list[Slab]()
    for number in range(draw(st.integers(0, most))):
        below = number - 1 if is_chain else draw(st.integers(-1, number - 1))
        parent = found[below].id if below >= 0 else None
        images = (f"image-{number}",) if draw(st.booleans()) else ()
        names = draw(listed) if images else ()
        found.append(Slab(f"sha256:{number:064x}", parent, draw(texts), draw(sizes), names, images,
                          draw(listed), draw(marks)))  # fmt: skip
    return tuple(found)


processes = st.builds(Process, st.integers(0, 9), st.integers(0, 2**22), st.integers(0, 9), texts)
spaces = st.builds(
    Space,
    st.none() | st.lists(processes, max_size=15).map(tuple),
    st.lists(st.builds(Namespace, st.sampled_from(("mnt", "pid", "net")) | texts, st.integers(0), st.booleans()),
             max_size=4).map(tuple),
    texts,
    st.lists(st.builds(Gauge, st.sampled_from(("memory", "processes", "cpus")) | texts, sizes, sizes),
             max_size=3).map(tuple),
    st.lists(st.builds(Protection, texts, texts), max_size=2).map(tuple),
)  # fmt: skip


@st.composite
def tray(draw: st.DrawFn, id: str, on: str | None) -> Tray:
    state = draw(st.sampled_from(ALL))
    return Tray(
        id, draw(st.none() | texts), on, draw(texts), draw(texts), state,
        draw(st.none() | st.integers(0, 255)) if state == State.EXITED else None,
        draw(st.booleans()), draw(texts), draw(st.floats(0, NOW)), draw(sizes),
        draw(st.none() | st.builds(Changes, few, few, few)), draw(listed), draw(st.none() | spaces),
        draw(st.lists(st.builds(Use, texts, texts, st.booleans()), max_size=2).map(tuple)),
        draw(st.lists(st.builds(Joined, texts, texts), max_size=2).map(tuple)), draw(listed), draw(st.booleans()),
        draw(st.booleans()), draw(marks),
    )  # fmt: skip


@st.composite
def view(draw: st.DrawFn, picture: Picture) -> View:
    ids = ["", *(slab.id for slab in picture.slabs), *(tray.id for tray in picture.trays)]
    kinds = st.sampled_from(("folder", "file", "link", "device", "more"))
    row = st.builds(Row, st.integers(0, 12), texts, kinds, st.sampled_from(ids), st.sampled_from(ids), st.booleans(),
                    texts, few)  # fmt: skip
    rows = draw(st.lists(row, max_size=8).map(tuple))
    return View(draw(st.sampled_from(ids)), rows, draw(st.booleans()))


@st.composite
def stacks(draw: st.DrawFn) -> Picture:
    """A container, an image or a layer."""
    about = draw(st.sampled_from(("container", "image", "layer")))
    ground = draw(slabs(is_chain=True))
    trays = (draw(tray("7e57" * 16, ground[-1].id if ground else None)),) if about == "container" else ()
    picture = Picture(about, draw(texts), ground, trays, at=NOW)
    rows = st.lists(st.tuples(texts, texts), max_size=3).map(tuple)
    return picture._replace(
        view=draw(st.none() | view(picture)),
        cards=draw(st.lists(st.builds(Card, texts, texts, rows), max_size=2).map(tuple)),
        volumes=draw(st.lists(st.builds(Volume, texts, sizes), max_size=2).map(tuple)),
        networks=draw(st.lists(st.builds(Network, texts, texts), max_size=2).map(tuple)),
    )


@st.composite
def hosts(draw: st.DrawFn) -> Picture:
    """Trees, and containers on any of their layers."""
    ground = draw(slabs())
    ids = [None, *(slab.id for slab in ground)]
    number = draw(st.integers(0, 9))
    trays = tuple(draw(tray(f"{n:064x}", draw(st.sampled_from(ids)))) for n in range(number))
    return Picture("host", draw(texts), ground, trays, ground_names=draw(listed), at=NOW)


pictures = st.one_of(stacks(), hosts())
steps = st.lists(st.builds(PlannedStep, texts, texts, listed, st.integers(0, 10**10)), max_size=3).map(tuple)


@st.composite
def explanations(draw: st.DrawFn) -> Explanation:
    """From any part of a host to any other."""
    whole = draw(hosts())
    chosen = [*(slab.id for slab in whole.slabs), *(tray.id for tray in whole.trays)]
    focus = draw(st.frozensets(st.sampled_from(chosen), max_size=5)) if chosen else frozenset[str]()
    gone = draw(st.integers(0, 3))
    others = whole._replace(slabs=whole.slabs[: len(whole.slabs) - gone])
    there = {slab.id for slab in others.slabs}
    others = others._replace(trays=tuple(tray for tray in whole.trays if tray.on is None or tray.on in there))
    takes, gives = draw(st.permutations((whole, others)))
    told = Explanation(draw(texts), takes, draw(texts), draw(texts), draw(steps), gives, draw(texts), focus)
    part = st.builds(lambda steps: told._replace(steps=steps), steps)
    return told._replace(
        parts=draw(st.lists(part, max_size=2).map(tuple)), refusal=draw(st.just("") | texts),
        truth=draw(st.none() | st.just(gives)), differences=draw(listed),
    )  # fmt: skip
