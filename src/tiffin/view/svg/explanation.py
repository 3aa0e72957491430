"""What a command does, as one sheet: the command, Input, the sentence with its steps, Output, and what came of it.

Input and Output are drawn to the same places, so that the eye finds what changes.
"""

from __future__ import annotations

from tiffin.view.layout import lay_out_both
from tiffin.view.svg.canvas import BOLD, COMMAND, PAGE, PLAIN, SMALL, Canvas, number
from tiffin.view.svg.scene import Scene, say, scene
from tiffin.view.svg.steps import draw_steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tiffin.view.explanation import Explanation

EDGE = 40.0
LABEL = 150.0
"""width of the column with the words Input and Output"""
TEXT = 1160.0
"""width of all that is text"""


def draw_sheet(canvas: Canvas, explanation: Explanation) -> None:
    """All of it, from the upper left corner on."""
    both = _both(canvas, explanation)
    right = EDGE + max(TEXT, LABEL + both.width)
    y = _bar(canvas, 32, right, explanation) + 36
    y = _section(canvas, y, "Input", explanation.takes_words, both.draw[0]) + 28
    band = y
    y = draw_steps(canvas, EDGE, y + 30, right - EDGE, explanation) + 24
    place = Canvas()
    place.rect(0, band, right + EDGE, y - band, "paper")
    place.path(f"M0 {number(band)}H{number(right + EDGE)}M0 {number(y)}H{number(right + EDGE)}", "rule")
    place.right = right  # the margin is no reason for another margin
    canvas.behind(0, place)
    after = both.draw[1] if not explanation.is_refused else lambda x, y: say(canvas, x, y, "Nothing changes.")
    y = _section(canvas, y + 32, "Output", explanation.gives_words, after) + 24
    _end(canvas, y, right, explanation)
    canvas.cover(right, 0)


def _bar(canvas: Canvas, y: float, right: float, explanation: Explanation) -> float:
    """The command, and whether it was done."""
    canvas.rect(EDGE, y, right - EDGE, 44, "panel", r=6)
    if explanation.truth is not None:
        said = "Done."
    else:
        said = "Refused. Nothing would be done." if explanation.is_refused else "Foretold. Nothing has been done."
    used = canvas.text(right - 18, y + 26.5, said, PLAIN, "bad" if explanation.is_refused else "muted", anchor="end")
    prompt = canvas.text(EDGE + 18, y + 27, "$", COMMAND._replace(name="m", size=11.5), "muted")
    left = EDGE + 18 + prompt + 9
    canvas.text(left, y + 27, f"tiffin explain {explanation.command}", COMMAND, "ink", room=right - used - 48 - left)
    return y + 44


def _section(canvas: Canvas, y: float, word: str, words: str, draw: Callable[[float, float], float]) -> float:
    canvas.text(EDGE, y + 24, word, PAGE, "ink")
    below = canvas.lines(EDGE, y + 46, words, SMALL, "muted", room=LABEL - 26, pitch=18, most=6) - 18
    return max(draw(EDGE + LABEL, y), below)


def _end(canvas: Canvas, y: float, right: float, explanation: Explanation) -> None:
    """What else is to be said, how to do it, or how it came."""
    left, room = EDGE + LABEL, right - EDGE - LABEL
    for remark in explanation.remarks:
        y = canvas.lines(left, y + 18, remark, SMALL, "muted", room=min(room, 760), pitch=18) - 18
    y += 26
    if explanation.truth is None and not explanation.is_refused:
        used = canvas.text(left, y, "Do it:", BOLD, "ink") + 12
        command = f"tiffin explain --do {explanation.command}"
        canvas.text(
            left + used, y, command, COMMAND._replace(name="m", size=11.5, is_bold=False), "ink", room=room - used
        )
    elif explanation.truth is not None and not explanation.differences:
        canvas.sign("exited", left, y - 12, "fr", "as foretold")
        canvas.text(left + 24, y, "All came as it was foretold.", BOLD, "ink")
    elif explanation.differences:
        canvas.text(left, y, "Not all came as it was foretold:", BOLD, "bad")
        y += 24
    for difference in explanation.differences[:20]:
        canvas.sign("failed", left, y - 11, "bad", "otherwise than foretold", size=14)
        canvas.text(left + 24, y, difference, PLAIN, "ink", room=room - 24)
        y += 22


def _both(canvas: Canvas, explanation: Explanation) -> Scene:
    takes, gives = explanation.input, explanation.output
    return scene(canvas, (takes, gives), lay_out_both(takes, gives), TEXT - LABEL)
