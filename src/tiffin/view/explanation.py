"""What a command does, told before it is done: what it takes, the steps and their reasons, what it gives.

    tiffin explain commit web web:2

    Input      the host as it stands            `takes`, of which `focus` is shown
    sentence   what happens
    steps      each with its reason             `steps`; of a compound verb `parts`: run = create, start
    Output     the host as it will stand        `gives`, of the same `focus`

After it was done, `truth` is the picture that was true then, and `differences` are sentences about where it is not what
was foretold.
"""

from __future__ import annotations

from tiffin.record import NamedTuple
from tiffin.view.picture import Picture, part

ANYTHING = "…"
"""in `PlannedStep.begins`; no recorded call has it, as all are of ASCII"""


class PlannedStep(NamedTuple):
    """`calls` are the system calls that it made, where it was done and recorded; `nanoseconds` how long that took, with
    the recording.

    By `number` and `begins` they are known: its place in the plan that the new process takes (-1: it is not in it), or
    a text in the first call that belongs to it ("unlink(…/web") = 0"), where the process that asked does it itself.
    """

    does: str
    """as a command: "make the read-write layer" """
    why: str
    calls: tuple[str, ...] = ()
    nanoseconds: int = 0
    number: int = -1
    begins: str = ""


class Explanation(NamedTuple):
    command: str
    """as it was written, without `tiffin`"""
    takes: Picture
    takes_words: str
    """what it takes, in words: "a container; it may run or not" """
    sentence: str
    steps: tuple[PlannedStep, ...]
    gives: Picture
    gives_words: str
    focus: frozenset[str]
    """the ids of slabs and trays that the command is about; the rest of the host is not drawn"""
    parts: tuple[Explanation, ...] = ()
    """of a compound verb, in order; then `steps` is empty"""
    refusal: str = ""
    """why it would be refused; then `gives` is as `takes`"""
    remarks: tuple[str, ...] = ()
    """what else is to be said"""
    truth: Picture | None = None
    differences: tuple[str, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether nothing at all would be done. Of several verbs in a row some may be refused, and others not."""
        return bool(self.refusal) and all(part.refusal for part in self.parts)

    @property
    def verb(self) -> str:
        """The first word of its command."""
        return self.command.split(" ")[0]

    @property
    def is_one_by_one(self) -> bool:
        """Whether its parts are one verb for each of several names, and not other verbs."""
        return bool(self.parts) and all(part.verb == self.verb for part in self.parts)

    @property
    def input(self) -> Picture:
        """What is drawn of what it takes."""
        return part(self.takes, self.focus)

    @property
    def output(self) -> Picture:
        """What is drawn of what it gives, or gave."""
        return part(self.truth or self.gives, self.focus)

    def _repr_svg_(self) -> str:
        """What a notebook shows."""
        from tiffin.view.svg import draw_explanation  # only for drawing

        return draw_explanation(self)

    def _repr_html_(self) -> str:
        """What a notebook shows that can do more: the sentences too."""
        from tiffin.view.html import figure  # only for drawing

        return figure(self)
