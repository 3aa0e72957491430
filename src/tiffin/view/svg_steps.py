"""The sentence about a command and the steps of its plan, each with its reason; of a compound verb part by part.

run = create + start        run makes a container on the image debian (create) and ...

1 create                    2 start
  (what stands then)          (what stands then)
1  find debian              4  make a cgroup
   it is here                  so that its memory is counted
"""

from __future__ import annotations

from tiffin.view.layout import Layout, lay_out
from tiffin.view.svg_canvas import BOLD, CODE, HEADING, PAGE, PLAIN, SMALL, Canvas, measure, number, wrap
from tiffin.view.svg_slabs import Style
from tiffin.view.svg_towers import draw_towers, ground_for, towers_width
from tiffin.view.words import harmless

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tiffin.view.explanation import Explanation, PlannedStep

GUTTER = 40.0
LINE = 18
MOST_CALLS = 60
MOST_SIDE_BY_SIDE = 3
NARROWEST = 120
WIDEST = 820.0


def draw_steps(canvas: Canvas, x: float, y: float, width: float, explanation: Explanation) -> float:
    """From the corner x, y on; where it ends below."""
    y = _sentence(canvas, x, y, width, explanation) + 20
    if explanation.refusal:
        canvas.sign("failed", x, y - 5, "bad", "refused")
        for line in wrap(explanation.refusal, BOLD, width - 30):
            canvas.text(x + 26, y + 8, line, BOLD, "bad")
            y += LINE
        return y + 8
    if explanation.parts:
        return _parts(canvas, x, y, width, explanation.parts)
    steps = explanation.steps
    if len(steps) < 4 or any(step.calls for step in steps):
        return _list(canvas, x, y, min(width, WIDEST), steps, 1)
    half, room = -(-len(steps) // 2), (width - GUTTER) / 2
    left = _list(canvas, x, y, room, steps[:half], 1)
    return max(left, _list(canvas, x + room + GUTTER, y, room, steps[half:], half + 1))


def verb(explanation: Explanation) -> str:
    """The first word of its command."""
    return explanation.command.split(" ")[0]


def _sentence(canvas: Canvas, x: float, y: float, width: float, explanation: Explanation) -> float:
    """The verb, of a compound one its parts, and beside it what it does."""
    left = x + canvas.text(x, y + 10, verb(explanation), PAGE, "ink", room=300)
    for sign, one in zip("=" + "+" * len(explanation.parts), explanation.parts, strict=False):
        left += 16
        left += canvas.text(left, y + 10, sign, PAGE, "muted") + 16
        left += canvas.text(left, y + 10, verb(one), PAGE, "ink", room=240)
    left = max(x + 150, left + 40)
    for line in wrap(explanation.sentence, PLAIN, min(width - (left - x), 760)):
        canvas.text(left, y + 2, line, PLAIN, "ink")
        y += 20
    return y


def _parts(canvas: Canvas, x: float, y: float, width: float, parts: Sequence[Explanation]) -> float:
    """Side by side, in rows of three."""
    first = 1
    for start in range(0, len(parts), MOST_SIDE_BY_SIDE):
        row = parts[start : start + MOST_SIDE_BY_SIDE]
        room = (width - GUTTER * (len(row) - 1)) / len(row)
        drawn = _small_pictures(canvas, x, y + 22, room, row)
        bottom = drawn
        for place, one in enumerate(row):
            left = x + (room + GUTTER) * place
            canvas.text(left, y + 8, f"{start + place + 1} {verb(one)}", HEADING, "ink", room=room)
            bottom = max(bottom, _list(canvas, left, drawn, room, one.steps, first))
            first += len(one.steps)
        for place in range(1, len(row)):
            line = x + (room + GUTTER) * place - GUTTER / 2
            canvas.path(f"M{number(line)} {number(y - 6)}V{number(bottom)}", "rule")
        y = bottom + 24
    return y - 24


def _small_pictures(canvas: Canvas, x: float, y: float, room: float, parts: Sequence[Explanation]) -> float:
    """What stands after each part, all on the same ground; where that ends."""
    pictures = [one.output for one in parts]
    layouts = [lay_out(picture) for picture in pictures]
    columns = max(layout.columns for layout in layouts)
    if not columns or room / columns < NARROWEST:
        return y + 6
    column = min(room / columns, 240)
    style = Style(column=column, free=8, slab=30, fold=30, gap=7, is_full=False)
    bottom = y
    for place, (picture, layout) in enumerate(zip(pictures, layouts, strict=True)):
        left = x + (room + GUTTER) * place + _indent(layout, style, room)
        ground = ground_for(layouts, style, left, y)
        draw_towers(canvas, picture, layout, ground)
        bottom = max(bottom, ground.y)
    return bottom + 30


def _indent(layout: Layout, style: Style, room: float) -> float:
    return max(min((room - towers_width(layout, style)) / 2, 60), 14)


def _list(canvas: Canvas, x: float, y: float, width: float, steps: Sequence[PlannedStep], first: int) -> float:
    for place, step in enumerate(steps):
        y = _step(canvas, x, y, width, step, first + place)
    return y


def _step(canvas: Canvas, x: float, y: float, width: float, step: PlannedStep, place: int) -> float:
    """What it does, why, and the calls that it made."""
    canvas.text(x + 16, y + 12, str(place), PLAIN, "muted", anchor="end")
    left, room = x + 28, width - 28
    time = _time(step.nanoseconds)
    if time:
        canvas.text(x + width, y + 12, time, SMALL, "muted", anchor="end")
    for line in wrap(step.does, BOLD, room - (measure(time, SMALL) + 12 if time else 0), 3):
        canvas.text(left, y + 12, line, BOLD, "ink")
        y += LINE
    for line in wrap(step.why, SMALL, room, 4) if step.why else ():
        canvas.text(left, y + 11, line, SMALL, "muted")
        y += LINE - 1
    for call in step.calls[:MOST_CALLS]:
        canvas.text(left, y + 12, harmless(call), CODE, "muted", room=room)
        y += LINE - 2
    if len(step.calls) > MOST_CALLS:
        canvas.text(left, y + 12, f"{len(step.calls) - MOST_CALLS} more calls", SMALL, "muted")
        y += LINE
    return y + 6


def _time(nanoseconds: int) -> str:
    if not nanoseconds:
        return ""
    return f"{nanoseconds / 1_000_000:.1f} ms" if nanoseconds >= 1_000_000 else f"{nanoseconds / 1000:.0f} µs"
