"""A picture as text: one stack in full, a host as a tree that grows upwards, an explanation as before and after.

    draw               stack, or tree for a host      boxes, inside, view: what they are put together from
    draw_explanation   explanation, towers            cells: the sheet that all is written on
"""

from __future__ import annotations

from tiffin.view.text.cells import Style as Style

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.view.explanation import Explanation
    from tiffin.view.picture import Picture

NARROWEST = 40


def draw(picture: Picture, *, width: int, style: Style) -> str:
    """Lines of at most `width` columns, or 40 where that is less."""
    columns = max(width, NARROWEST)
    if picture.about == "host" or _stacks(picture) > 1:
        from tiffin.view.text.tree import draw_tree  # only for hosts

        return str(draw_tree(picture, columns, style))
    from tiffin.view.text.stack import draw_stack  # only for stacks

    return str(draw_stack(picture, columns, style))


def draw_explanation(explanation: Explanation, *, width: int, style: Style) -> str:
    """The same of what a command takes and gives."""
    from tiffin.view.text.explanation import draw_explanation as drawn  # only for explanations

    return str(drawn(explanation, max(width, NARROWEST), style))


def _stacks(picture: Picture) -> int:
    """How many tops there are: trays, and slabs on which nothing stands."""
    below = {slab.parent for slab in picture.slabs} | {tray.on for tray in picture.trays}
    return len(picture.trays) + sum(slab.id not in below for slab in picture.slabs)
