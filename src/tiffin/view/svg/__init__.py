"""A picture as SVG: one file that needs nothing else, runs nothing and asks for nothing.

    draw               stack for one stack, host for many      slabs, trays, boxes, ...: what they are put together from
    draw_explanation   explanation: scenes and steps           canvas: elements, escaped; palette: light and dark
"""

from __future__ import annotations

from tiffin.view import sentences
from tiffin.view.layout import lay_out
from tiffin.view.picture import Picture
from tiffin.view.svg.canvas import HEADING, Canvas
from tiffin.view.svg.explanation import EDGE, draw_sheet
from tiffin.view.svg.host import draw_host
from tiffin.view.svg.scene import scene

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.view.explanation import Explanation

MARGIN = 28.0
WIDEST = 1300.0


def draw(picture: Picture, *, theme: str = "auto") -> str:
    """`theme` is light, dark, or auto: as the reader's system is set."""
    canvas = Canvas()
    if picture.about == "host":
        draw_host(canvas, MARGIN, MARGIN, picture)
    else:
        _alone(canvas, picture)
    return canvas.finish(sentences.title(picture), sentences.describe(picture), theme=theme, margin=MARGIN)


def _alone(canvas: Canvas, picture: Picture) -> None:
    """One stack, or few that share layers."""
    layout = lay_out(picture)
    scene(canvas, (picture,), (layout,), WIDEST).draw[0](MARGIN, MARGIN + 44)
    canvas.text(MARGIN, MARGIN + 16, sentences.title(picture), HEADING, "ink", room=max(canvas.right, 360) - MARGIN)


def draw_explanation(explanation: Explanation, *, theme: str = "auto") -> str:
    """Input, what is done and why, and Output, on one sheet."""
    canvas = Canvas()
    draw_sheet(canvas, explanation)
    title = f"tiffin explain {explanation.command}"
    return canvas.finish(title, sentences.describe_explanation(explanation), theme=theme, margin=EDGE)
