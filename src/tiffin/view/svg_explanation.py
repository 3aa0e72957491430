"""What a command does, as one sheet: the command, Input, the sentence with its steps, Output, and what came of it.

Input and Output are drawn to the same places, so that the eye finds what changes.
"""

from __future__ import annotations

from tiffin.record import NamedTuple
from tiffin.view import sentences
from tiffin.view.layout import Layout, lay_out_both
from tiffin.view.picture import Picture
from tiffin.view.svg_boxes import card, union_view
from tiffin.view.svg_canvas import BOLD, COMMAND, PAGE, PLAIN, SMALL, Canvas, number, wrap
from tiffin.view.svg_far import draw_far, far_width
from tiffin.view.svg_host import MOST_COLUMNS
from tiffin.view.svg_slabs import GAP, Style, numbers
from tiffin.view.svg_stack import BETWEEN, CARD, SIDE, VIEW, draw_stack, plan
from tiffin.view.svg_steps import draw_steps
from tiffin.view.svg_towers import draw_towers, ground_for, host_style, towers_width

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tiffin.view.explanation import Explanation

EDGE = 40.0
LABEL = 150.0
"""width of the column with the words Input and Output"""
TEXT = 1160.0
"""width of all that is text"""
WIDEST, NARROWEST_FULL = 310.0, 210.0
"""columns of towers with all details"""


class Scene(NamedTuple):
    """How to draw a picture from a corner on; it tells where it ends below."""

    width: float
    before: Callable[[float, float], float]
    after: Callable[[float, float], float]


def draw_sheet(canvas: Canvas, explanation: Explanation) -> None:
    """All of it, from the upper left corner on."""
    scene = _scene(canvas, explanation)
    right = EDGE + max(TEXT, LABEL + scene.width)
    y = _bar(canvas, 32, right, explanation) + 36
    y = _section(canvas, y, "Input", explanation.takes_words, scene.before) + 28
    band = y
    y = draw_steps(canvas, EDGE, y + 30, right - EDGE, explanation) + 24
    place = Canvas(canvas.id)
    place.rect(0, band, right + EDGE, y - band, "paper")
    place.path(f"M0 {number(band)}H{number(right + EDGE)}M0 {number(y)}H{number(right + EDGE)}", "rule")
    place.right = right  # the margin is no reason for another margin
    canvas.behind(0, place)
    after = scene.after if not explanation.refusal else lambda x, y: _say(canvas, x, y, "Nothing changes.")
    y = _section(canvas, y + 32, "Output", explanation.gives_words, after) + 24
    _end(canvas, y, right, explanation)
    canvas.cover(right, 0)


def _bar(canvas: Canvas, y: float, right: float, explanation: Explanation) -> float:
    """The command, and whether it was done."""
    canvas.rect(EDGE, y, right - EDGE, 44, "panel", r=6)
    if explanation.truth is not None:
        said = "Done."
    else:
        said = "Refused. Nothing would be done." if explanation.refusal else "Foretold. Nothing has been done."
    used = canvas.text(right - 18, y + 26.5, said, PLAIN, "bad" if explanation.refusal else "muted", anchor="end")
    prompt = canvas.text(EDGE + 18, y + 27, "$", COMMAND._replace(name="m", size=11.5), "muted")
    left = EDGE + 18 + prompt + 9
    canvas.text(left, y + 27, f"tiffin explain {explanation.command}", COMMAND, "ink", room=right - used - 48 - left)
    return y + 44


def _section(canvas: Canvas, y: float, word: str, words: str, draw: Callable[[float, float], float]) -> float:
    canvas.text(EDGE, y + 24, word, PAGE, "ink")
    below = y + 28
    for line in wrap(words, SMALL, LABEL - 26, 6):
        below += 18
        canvas.text(EDGE, below, line, SMALL, "muted")
    return max(draw(EDGE + LABEL, y), below)


def _end(canvas: Canvas, y: float, right: float, explanation: Explanation) -> None:
    """What else is to be said, how to do it, or how it came."""
    left, room = EDGE + LABEL, right - EDGE - LABEL
    for remark in explanation.remarks:
        for line in wrap(remark, SMALL, min(room, 760)):
            y += 18
            canvas.text(left, y, line, SMALL, "muted")
    y += 26
    if explanation.truth is None and not explanation.refusal:
        used = canvas.text(left, y, "Do it:", BOLD, "ink") + 12
        command = f"tiffin explain --do {explanation.command}"
        canvas.text(
            left + used, y, command, COMMAND._replace(name="m", size=11.5, is_bold=False), "ink", room=room - used
        )
    elif explanation.truth is not None and not explanation.differences:
        canvas.sign("exited", left, y - 12, "fr", "as foretold")
        canvas.text(left + 24, y, "All came as it was foretold.", BOLD, "ink")
    for difference in explanation.differences[:20]:
        canvas.sign("failed", left, y - 11, "bad", "otherwise than foretold", size=14)
        canvas.text(left + 24, y, difference, PLAIN, "ink", room=room - 24)
        y += 22


def _scene(canvas: Canvas, explanation: Explanation) -> Scene:
    takes, gives = explanation.input, explanation.output
    before, after = lay_out_both(takes, gives)
    if max(before.columns, after.columns) > MOST_COLUMNS:
        wide = max(far_width(takes), far_width(gives))
        return Scene(wide, lambda x, y: draw_far(canvas, x, y, takes), lambda x, y: draw_far(canvas, x, y, gives))
    if max(before.columns, after.columns) <= 1 and len(takes.trays) < 2 and len(gives.trays) < 2:
        return _alone(canvas, takes, before, gives, after)
    return _towers(canvas, takes, before, gives, after)


def _alone(canvas: Canvas, takes: Picture, before: Layout, gives: Picture, after: Layout) -> Scene:
    """One stack, with its union view and its card."""
    planned = plan((takes, gives), (before, after))

    def show(picture: Picture, layout: Layout, x: float, y: float) -> float:
        if not layout.places and not picture.cards:
            return _say(canvas, x, y, "nothing")
        return draw_stack(canvas, x, y - 8, picture, layout, planned)

    wide = planned.right + (SIDE + CARD if takes.cards or gives.cards else 0)
    return Scene(wide, lambda x, y: show(takes, before, x, y), lambda x, y: show(gives, after, x, y))


def _towers(canvas: Canvas, takes: Picture, before: Layout, gives: Picture, after: Layout) -> Scene:
    """Several stacks on one ground, or what shares one."""
    cards = SIDE + CARD if takes.cards or gives.cards else 0
    views = BETWEEN + VIEW if takes.view or gives.view else 0
    column = min(WIDEST, (TEXT - LABEL - cards - views) / before.columns)
    style = host_style(before.columns)
    if column >= NARROWEST_FULL:
        style = Style(column=column, free=14, slab=44, fold=34, gap=GAP, is_full=True)
    wide = towers_width(before, style)

    def show(picture: Picture, layout: Layout, x: float, y: float) -> float:
        ground = ground_for((before, after), style, x, y)
        if not layout.places and not picture.ground_names:
            return _say(canvas, x, y, "nothing")
        draw_towers(canvas, picture, layout, ground)
        bottom, left = ground.y, x + wide + BETWEEN
        if picture.view:
            bottom = max(bottom, y + union_view(canvas, left, y, VIEW, picture.view, numbers(layout)).height)
        left, top = x + wide + views + SIDE, y
        for one in picture.cards:
            top += card(canvas, left, top, CARD, one) + 16
        return max(bottom, top)

    return Scene(wide + views + cards, lambda x, y: show(takes, before, x, y), lambda x, y: show(gives, after, x, y))


def _say(canvas: Canvas, x: float, y: float, words: str) -> float:
    """Where there is no picture."""
    canvas.text(x, y + 22, words, PLAIN, "muted")
    return y + 40


def described(explanation: Explanation) -> str:
    """The whole sheet in sentences."""
    steps = [step for one in (explanation.parts or (explanation,)) for step in one.steps]
    told = [f"Takes {explanation.takes_words}.", sentences.describe(explanation.input), explanation.sentence]
    told += [f"Step {place}: {step.does}: {step.why}." for place, step in enumerate(steps, 1)]
    told += [f"Refused: {explanation.refusal}."] if explanation.refusal else []
    told += [f"Gives {explanation.gives_words}.", sentences.describe(explanation.output)]
    if explanation.truth is None:
        told.append("Nothing has been done.")
    else:
        told += explanation.differences or ("All came as it was foretold.",)
    return " ".join(told)
