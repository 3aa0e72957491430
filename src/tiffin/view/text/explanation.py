"""What a command does, in characters: Input, the sentence, the steps with their reasons, Output.

INPUT     a container; it may run or not

          (the towers)

          commit burns the read-write layer of web into a new read-only layer.

STEPS     1  freeze web            no file may change half-way
          2  read its layer        +1 ~1 −1, 2.3 kB

OUTPUT    an image, beside the container, on the same layers

          (the towers, what stays in the same place)

Nothing has been done. Do it: tiffin explain --do commit web web:2
"""

from __future__ import annotations

from itertools import groupby, zip_longest

from tiffin.view import words
from tiffin.view.layout import lay_out_both
from tiffin.view.picture import Picture
from tiffin.view.text import boxes
from tiffin.view.text.cells import Pen, Run, Sheet, Style, fit, flow, wrapped
from tiffin.view.text.towers import draw_towers
from tiffin.view.text.tree import draw_trees, plot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tiffin.view.explanation import Explanation, PlannedStep

WIDEST = 112
MARGIN = 10  # columns, for the words at the left
WITH_MARGIN = 70  # columns from which on there is room for it
WIDEST_TEXT = 84  # of sentences: longer lines are hard to follow
WIDEST_STEP = 40
MOST_ALIKE = 5  # calls in a row; the JSON has all


class _Page:
    """A sheet that is filled from above, with words in its margin."""

    def __init__(self, style: Style, columns: int) -> None:
        self.sheet, self.columns = Sheet(style), columns
        self.left = MARGIN if columns >= WITH_MARGIN else 0
        self.room = columns - self.left

    def gap(self) -> None:
        if self.sheet.height:
            self.sheet.put(self.sheet.height, 0, "")

    def head(self, word: str, text: str = "", pen: str = Pen.DIM) -> None:
        """A word in the margin, or on a line of its own where there is none, and a text beside it."""
        self.gap()
        row = self.sheet.height
        self.sheet.put(row, 0, words.cut(word, self.left - 1 if self.left else self.columns), Pen.BOLD)
        self.tell(text, pen, row=row if self.left else row + 1)

    def tell(self, text: str, pen: str = Pen.PLAIN, *, indent: int = 0, row: int | None = None) -> None:
        row = self.sheet.height if row is None else row
        for line in wrapped(text, min(self.room - indent, WIDEST_TEXT)) if text else ():
            self.sheet.put(row, self.left + indent, line, pen)
            row += 1

    def show(self, drawn: Sheet) -> None:
        self.gap()
        self.sheet.paste(self.sheet.height, self.left, drawn)


def draw_explanation(explanation: Explanation, width: int, style: Style) -> Sheet:
    """Lines of at most `width` columns."""
    page = _Page(style, min(width, WIDEST))
    say = page.sheet.say
    before, after = _both(explanation, page.room, style)
    page.head("INPUT", say(explanation.takes_words))
    page.show(before)
    page.gap()
    if explanation.parts and not explanation.is_one_by_one:
        verbs = " + ".join(part.verb for part in explanation.parts)
        page.tell(say(f"{explanation.verb} = {verbs}"), Pen.BOLD)
    page.tell(say(explanation.sentence))
    _steps(page, explanation)
    page.head("OUTPUT", say(explanation.gives_words))
    page.show(after)
    page.gap()
    for remark in explanation.remarks:
        page.tell(say(remark), Pen.DIM)
    if explanation.remarks:
        page.gap()
    _end(page, explanation)
    return page.sheet


# --- the pictures


def _both(explanation: Explanation, columns: int, style: Style) -> tuple[Sheet, Sheet]:
    takes, gives = explanation.input, explanation.output
    towers = draw_towers(*lay_out_both(takes, gives), columns, style)
    if towers:
        drawn = _on_ground(takes, towers[0], columns), _on_ground(gives, towers[1], columns)
    else:
        drawn = _trees(takes, gives, columns, style)
    return _whole(takes, drawn[0], columns), _whole(gives, drawn[1], columns)


def _on_ground(picture: Picture, towers: Sheet, columns: int) -> Sheet:
    """With the images that have no layers."""
    sheet = towers.trimmed()
    for name in picture.ground_names:
        runs = [Run(f"◁ {sheet.say(name)}", Pen.BOLD), Run("  no layers", Pen.DIM)]
        sheet.put_all(sheet.height, 2, fit(runs, columns - 2))
    return sheet


def _trees(takes: Picture, gives: Picture, columns: int, style: Style) -> tuple[Sheet, Sheet]:
    """Where towers have no room side by side."""
    sheets = Sheet(style), Sheet(style)
    plots = [plot(picture, columns, style) for picture in (takes, gives)]
    widest = max(planned.columns for planned in plots)
    for sheet, picture, planned in zip(sheets, (takes, gives), plots, strict=True):
        draw_trees(sheet, picture, planned, widest)
    return sheets


def _whole(picture: Picture, drawn: Sheet, columns: int) -> Sheet:
    """With the cards of the picture, and a word where there is nothing at all."""
    sheet = drawn.trimmed()
    for shown in picture.cards:
        row = sheet.height + 1 if sheet.height else 0
        sheet.paste(row, 0, boxes.card(sheet.style, columns, shown))
    if not sheet.height:
        sheet.put(0, 0, "nothing", Pen.DIM)
    return sheet


# --- the steps


def _steps(page: _Page, explanation: Explanation) -> None:
    say = page.sheet.say
    if explanation.is_refused:
        page.head("REFUSED", say(explanation.refusal), Pen.BAD)
        return
    steps = [step for part in (explanation.parts or (explanation,)) for step in part.steps]
    does = max((words.width(say(step.does)) for step in steps), default=0)
    does, number = min(does, WIDEST_STEP, page.room // 2), 1
    for part in explanation.parts:
        if explanation.is_one_by_one:
            page.head(say(part.verb), say(part.command.partition(" ")[2]), Pen.BOLD)
            page.tell(say(part.sentence.removeprefix(explanation.sentence).strip()))
        else:
            page.head(say(part.verb), say(part.sentence))
        if part.refusal:
            page.tell(say(f"refused: {part.refusal}"), Pen.BAD)
        number = _list(page, page.sheet.height, part.steps, number, does)
    if explanation.steps:
        page.head("STEPS")
        _list(page, page.sheet.height - (1 if page.left else 0), explanation.steps, 1, does)


def _list(page: _Page, row: int, steps: Sequence[PlannedStep], number: int, does: int) -> int:
    """Each with its number, what it does, why, and the calls that it made; returns the next number."""
    sheet = page.sheet
    for step in steps:
        row = _step(page, row, step, number, does)
        number += 1
        for call in _folded(step.calls):
            sheet.put(row, page.left + 4, words.cut(sheet.say(call), page.room - 4), Pen.DIM)
            row += 1
    return number


def _folded(calls: Sequence[str]) -> Iterator[str]:
    """Of many like calls in a row only the first ones, and how many more there are."""
    for name, group in groupby(calls, lambda call: call.partition("(")[0]):
        alike = list(group)
        few = len(alike) <= MOST_ALIKE + 1
        yield from alike if few else alike[:MOST_ALIKE]
        if not few:
            yield f"… {len(alike) - MOST_ALIKE} more of {name}"


def _step(page: _Page, row: int, step: PlannedStep, number: int, does: int) -> int:
    sheet, start = page.sheet, page.left + 4
    why_at = start + does + 3
    room = page.columns - why_at
    time = f"  {_microseconds(step.nanoseconds)}" if step.nanoseconds else ""
    sheet.put(row, page.left, f"{number:>2}", Pen.DIM)
    if room < 24:  # the reason below
        for text, pen in ((sheet.say(step.does), Pen.BOLD), (sheet.say(step.why) + time, Pen.DIM)):
            for line in wrapped(text, page.room - 4) if text else ():
                sheet.put(row, start, line, pen)
                row += 1
        return row
    reasons = wrapped(sheet.say(step.why) + time, min(room, WIDEST_TEXT))
    for text, why in zip_longest(wrapped(sheet.say(step.does), does), reasons, fillvalue=""):
        sheet.put(row, start, text, Pen.BOLD)
        sheet.put(row, why_at, why, Pen.DIM)
        row += 1
    return row


def _microseconds(nanoseconds: int) -> str:
    return f"{nanoseconds / 1_000_000:.1f} ms" if nanoseconds >= 1_000_000 else f"{nanoseconds / 1000:.0f} µs"


# --- the end


def _end(page: _Page, explanation: Explanation) -> None:
    say = page.sheet.say
    page.left, page.room = 0, page.columns
    if explanation.is_refused and explanation.truth is None:
        page.tell("Nothing would be done.", Pen.DIM)
    elif explanation.truth is None:
        command, words_before = f"tiffin explain --do {say(explanation.command)}", "Nothing has been done. Do it:"
        lines = flow([[Run(words_before, Pen.DIM)], [Run(command)]], page.columns, " ")
        if len(lines) > 1:  # whole, so that it can be copied
            lines = [lines[0], *([Run(line)] for line in wrapped(command, page.columns))]
        for line in lines:
            page.sheet.put_all(page.sheet.height, 0, line)
    elif not explanation.differences:
        page.tell("Refused, as foretold." if explanation.is_refused else "Done. As foretold.", Pen.BOLD)
    else:
        page.tell("Not as foretold:" if explanation.is_refused else "Done, and not as foretold:", Pen.BAD_BOLD)
        for difference in explanation.differences:
            page.tell(say(f"· {difference}"), indent=2)
