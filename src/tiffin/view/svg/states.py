"""What a container is doing: its sign, its word, and what stands around it. Three times the same, none needs colour."""

from __future__ import annotations

from types import MappingProxyType

from tiffin.model.nouns import State
from tiffin.record import NamedTuple
from tiffin.view import signs
from tiffin.view.picture import Tray
from tiffin.view.svg.canvas import CAPTION, SMALL_BOLD, Box, Canvas, Type, fit, measure
from tiffin.view.svg.shapes import corners, frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Look(NamedTuple):
    sign: str
    ink: str


LOOKS = MappingProxyType({
    State.CREATED: Look("created", "ink"),
    State.RUNNING: Look("running", "fr"),
    State.PAUSED: Look("paused", "ice"),
    State.RESTARTING: Look("restarting", "ice"),
    State.EXITED: Look("exited", "ink"),
    signs.FAILED: Look("failed", "bad"),
    signs.UNKNOWN: Look("unknown", "ink"),
    State.REMOVING: Look("removing", "rwT"),
    State.DEAD: Look("dead", "bad"),
})  # fmt: skip
OUT_OF_MEMORY = Look("memory", "bad")


def look(tray: Tray) -> Look:
    """Its sign, and the colour of sign and word."""
    return OUT_OF_MEMORY if tray.is_out_of_memory else LOOKS.get(signs.kind(tray), LOOKS[signs.UNKNOWN])


def state_sign(canvas: Canvas, x: float, y: float, tray: Tray, at: float, size: float = 14) -> None:
    """The sign alone; the word is in its title."""
    sign, ink = look(tray)
    canvas.sign(sign, x, y, ink, signs.word(tray, at), size=size)


def state_width(tray: Tray, at: float, room: float) -> float:
    """Of sign and word."""
    return 20 + min(measure(_word(tray, at, room), SMALL_BOLD), room - 20)


def state(canvas: Canvas, x: float, y: float, tray: Tray, at: float, room: float) -> None:
    """Sign and word; y is the middle of the line."""
    state_sign(canvas, x, y - 7, tray, at)
    canvas.text(x + 20, y + 4.3, _word(tray, at, room), SMALL_BOLD, look(tray).ink, room=room - 20)


def _word(tray: Tray, at: float, room: float) -> str:
    """With its age, where there is room for that."""
    word = signs.word(tray, at)
    return word if measure(word, SMALL_BOLD) <= room - 20 else signs.word(tray)


def has_failed(tray: Tray) -> bool:
    return look(tray).ink == "bad"


def surround(canvas: Canvas, box: Box, tray: Tray, gaps: Sequence[tuple[float, float]] = ()) -> None:
    """The frame of what is alive, the corners of what has ended, nothing for what has not begun."""
    if tray.is_alive:
        frame(canvas, box, tray.state, gaps)
    elif tray.state == State.EXITED:
        corners(canvas, box, is_bad=has_failed(tray))


def trouble(tray: Tray) -> str:
    """What there is to say about its end, or about its next beginning."""
    gauge = full_gauge(tray)
    return gauge or tray.reason


def full_gauge(tray: Tray) -> str:
    """Of what ran out of memory: "64.0 of 64.0 MB"."""
    if not tray.is_out_of_memory or not tray.space:
        return ""
    return next((signs.use(gauge) for gauge in tray.space.gauges if gauge.name.lower().startswith("memory")), "")


def message(canvas: Canvas, x: float, y: float, tray: Tray, room: float, type: Type = CAPTION) -> None:
    """What there is to say; for what ran out of memory with a full gauge before it, or above where room is short."""
    text, ink = trouble(tray), look(tray).ink
    if full_gauge(tray) and room > 150:
        canvas.rect(x, y - 9, 44, 9, "gauge-bad", r=4)
        canvas.rect(x + 2, y - 7, 40, 5, "gauge-fill-bad", r=2)
        x, room = x + 52, room - 52
    if text:
        canvas.text(x, y, text, type, ink, room=room, title="" if fit(text, type, room) == text else "why")
