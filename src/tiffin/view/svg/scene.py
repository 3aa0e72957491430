"""Pictures that are drawn to the same places: one, or what stands before and after a command.

one stack         in full, its union view and its cards beside it
several           towers on one ground, as wide as there is room
a great many      from afar
"""

from __future__ import annotations

from tiffin.record import NamedTuple
from tiffin.view.layout import Layout
from tiffin.view.picture import Picture
from tiffin.view.svg.boxes import card, union_view
from tiffin.view.svg.canvas import PLAIN, Canvas
from tiffin.view.svg.far import draw_far, far_width
from tiffin.view.svg.slabs import GAP, Style, numbers
from tiffin.view.svg.stack import BETWEEN, CARD, SIDE, VIEW, draw_stack, plan
from tiffin.view.svg.towers import MOST_COLUMNS, draw_towers, ground_for, host_style, towers_width

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Draw = Callable[[float, float], float]

WIDEST, NARROWEST = 310.0, 210.0
"""columns of towers with all details"""


class Scene(NamedTuple):
    """For each picture how to draw it from a corner on; that tells where it ends below."""

    width: float
    draw: Sequence[Draw]


def scene(canvas: Canvas, pictures: Sequence[Picture], layouts: Sequence[Layout], room: float) -> Scene:
    """The layouts have the same places. `room` is how wide it should become at most."""
    columns = max(layout.columns for layout in layouts)
    if columns > MOST_COLUMNS:
        return Scene(max(map(far_width, pictures)), [_far(canvas, picture) for picture in pictures])
    if columns <= 1 and all(len(picture.trays) < 2 for picture in pictures):
        return _alone(canvas, pictures, layouts)
    return _towers(canvas, pictures, layouts, room)


def _far(canvas: Canvas, picture: Picture) -> Draw:
    return lambda x, y: draw_far(canvas, x, y, picture)


def _alone(canvas: Canvas, pictures: Sequence[Picture], layouts: Sequence[Layout]) -> Scene:
    """One stack, with its union view and its card."""
    planned = plan(pictures, layouts)

    def show(picture: Picture, layout: Layout) -> Draw:
        if not layout.places and not picture.cards and not picture.ground_names:
            return lambda x, y: say(canvas, x, y, "nothing")
        return lambda x, y: draw_stack(canvas, x, y - 8, picture, layout, planned, has_panel=len(pictures) == 1)

    wide = planned.right + (SIDE + CARD if any(picture.cards for picture in pictures) else 0)
    return Scene(wide, [show(*both) for both in zip(pictures, layouts, strict=True)])


def _towers(canvas: Canvas, pictures: Sequence[Picture], layouts: Sequence[Layout], room: float) -> Scene:
    """Several stacks on one ground, or what shares one."""
    cards = SIDE + CARD if any(picture.cards for picture in pictures) else 0
    views = BETWEEN + VIEW if any(picture.view for picture in pictures) else 0
    columns = max(layout.columns for layout in layouts)
    column = min(WIDEST, (room - cards - views) / max(columns, 1))
    style = host_style(columns)
    if column >= NARROWEST:
        style = Style(column=column, free=14, slab=44, fold=34, gap=GAP, is_full=True)
    wide = towers_width(layouts[0], style)

    def show(picture: Picture, layout: Layout) -> Draw:
        if not layout.places and not picture.ground_names and not picture.cards:
            return lambda x, y: say(canvas, x, y, "nothing")

        def draw(x: float, y: float) -> float:
            ground = ground_for(layouts, style, x, y)
            draw_towers(canvas, picture, layout, ground)
            bottom, left = ground.y, x + wide + BETWEEN
            if picture.view:
                bottom = max(bottom, y + union_view(canvas, left, y, VIEW, picture.view, numbers(layout)).height)
            return max(bottom, draw_cards(canvas, x + wide + views + SIDE, y, picture))

        return draw

    return Scene(wide + views + cards, [show(*both) for both in zip(pictures, layouts, strict=True)])


def draw_cards(canvas: Canvas, x: float, y: float, picture: Picture) -> float:
    """Below each other; where they end."""
    for one in picture.cards:
        y += card(canvas, x, y, CARD, one) + 16
    return y


def say(canvas: Canvas, x: float, y: float, words: str) -> float:
    """Where there is no picture."""
    canvas.text(x, y + 22, words, PLAIN, "muted")
    return y + 40
