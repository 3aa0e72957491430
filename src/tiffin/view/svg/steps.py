"""The sentence about a command and the steps of its plan, each with its reason; of a compound verb part by part.

run = create + start        run makes a container on the image debian (create) and ...

1 create                    2 start
  (what stands then)          (what stands then)
1  find debian              4  make a cgroup
   it is here                  so that its memory is counted
"""

from __future__ import annotations

from tiffin.view.layout import Layout, lay_out
from tiffin.view.svg.canvas import BOLD, CODE, HEADING, PAGE, PLAIN, SMALL, Canvas, number
from tiffin.view.svg.slabs import Style
from tiffin.view.svg.towers import draw_towers, ground_for, towers_width
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
LONG = 9
"""steps of a part; more are not put into a third of the width"""


def draw_steps(canvas: Canvas, x: float, y: float, width: float, explanation: Explanation) -> float:
    """From the corner x, y on; where it ends below."""
    y = _sentence(canvas, x, y, width, explanation) + 20
    if explanation.is_refused:
        return _refused(canvas, x, y, width, explanation)
    if explanation.parts:
        return _parts(canvas, x, y, width, explanation.parts)
    return draw_list(canvas, x, y, width, explanation.steps, 1)


def _sentence(canvas: Canvas, x: float, y: float, width: float, explanation: Explanation) -> float:
    """The verb, of a compound one its parts, and beside it what it does."""
    left = x + canvas.text(x, y + 10, explanation.verb, PAGE, "ink", room=300)
    others = () if explanation.is_one_by_one else explanation.parts
    for sign, one in zip("=" + "+" * len(others), others, strict=False):
        left += 16
        left += canvas.text(left, y + 10, sign, PAGE, "muted") + 16
        left += canvas.text(left, y + 10, one.verb, PAGE, "ink", room=240)
    left = max(x + 150, left + 40)
    room = min(width - (left - x), 760)
    return canvas.lines(left, y + 2, explanation.sentence, PLAIN, "ink", room=room, pitch=20) - 2


def _parts(canvas: Canvas, x: float, y: float, width: float, parts: Sequence[Explanation]) -> float:
    """Side by side, in rows of three; the steps below each, or, where they are many, below all."""
    is_long = any(len(one.steps) > LONG or any(step.calls for step in one.steps) for one in parts)
    first = 1
    for start in range(0, len(parts), MOST_SIDE_BY_SIDE):
        row = parts[start : start + MOST_SIDE_BY_SIDE]
        room = (width - GUTTER * (len(row) - 1)) / len(row)
        low = drawn = _small_pictures(canvas, x, y + 22, room, row)
        for place, one in enumerate(row):
            left = x + (room + GUTTER) * place
            canvas.text(left, y + 8, f"{start + place + 1} {_called(one, parts)}", HEADING, "ink", room=room)
            if one.refusal:
                low = max(low, _refused(canvas, left, drawn, room, one))
            elif not is_long:
                low = max(low, _list(canvas, left, drawn, room, one.steps, first))
                first += len(one.steps)
        for place in range(1, len(row)):
            line = x + (room + GUTTER) * place - GUTTER / 2
            canvas.path(f"M{number(line)} {number(y - 6)}V{number(low)}", "rule")
        y = low + 24
    return _long_parts(canvas, x, y, width, parts) if is_long else y - 24


def _long_parts(canvas: Canvas, x: float, y: float, width: float, parts: Sequence[Explanation]) -> float:
    """The steps of each part below its name, in columns that are read downwards."""
    first = 1
    for place, one in enumerate(parts):
        canvas.path(f"M{number(x)} {number(y)}H{number(x + width)}", "rule")
        canvas.text(x, y + 30, f"{place + 1} {_called(one, parts)}", HEADING, "ink", room=width)
        if one.refusal:
            y = _refused(canvas, x, y + 46, width, one) + 18
            continue
        y = draw_list(canvas, x, y + 46, width, one.steps, first) + 18
        first += len(one.steps)
    return y - 18


def _called(one: Explanation, parts: Sequence[Explanation]) -> str:
    """Its verb; of one verb for several names also the name."""
    is_one_by_one = all(other.verb == one.verb for other in parts)
    return harmless(one.command if is_one_by_one else one.verb)


def _refused(canvas: Canvas, x: float, y: float, width: float, one: Explanation) -> float:
    canvas.sign("failed", x, y - 5, "bad", "refused")
    return canvas.lines(x + 26, y + 8, one.refusal, BOLD, "bad", room=width - 30, pitch=LINE)


def draw_list(canvas: Canvas, x: float, y: float, width: float, steps: Sequence[PlannedStep], first: int) -> float:
    """In one column, where there are few or they show their calls; else in two or three."""
    columns = 1 if len(steps) < 4 or any(step.calls for step in steps) else 2 if len(steps) < 9 else 3
    room = (width - GUTTER * (columns - 1)) / columns
    each, low = -(-len(steps) // columns), y
    for turn in range(columns):
        some = steps[each * turn : each * (turn + 1)]
        low = max(low, _list(canvas, x + (room + GUTTER) * turn, y, room, some, first + each * turn))
    return low


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
    y = canvas.lines(left, y + 12, step.does, BOLD, "ink", room=min(room, WIDEST), pitch=LINE, most=3) - 12
    why = " · ".join(part for part in (step.why, _time(step.nanoseconds)) if part)
    if why:
        y = canvas.lines(left, y + 11, why, SMALL, "muted", room=min(room, WIDEST), pitch=LINE - 1, most=4) - 11
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
