"""The trace of a start or an exec: for each step of its plan the system calls that it made.

    caller ── page (a file in memory) ──> launcher, which maps it and closes it
       |                                     |  each call is written there twice: before it is made, and with its result
       `──────────── reads it <──────────────`  no system call is needed for that, in no step

So the caller reads what happened up to the last moment, whether the program has begun, a step failed, or the launcher
was killed on the way; and neither the shim nor the channel carry any of it. The mapping ends with execve, and no
descriptor of it gets into the container. This module is loaded only where a trace was asked for: by a launcher,
before the first step, and by the caller.

What is recorded of a step, and what isn't, says `kernel.recording`. Its time contains that of recording. The new
namespaces of a start are older than its trace: a launcher waits in them for its caller (`runtime.spawner`).
"""

from __future__ import annotations

import os
import time
from errno import EINVAL

from tiffin import json
from tiffin.kernel.files import MFD_CLOEXEC
from tiffin.kernel.recording import MOST_CALLS, Call, Recorder, left_out
from tiffin.kernel.shared_memory import SharedMemory
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tiffin.errors import StartFailed
    from tiffin.runtime.steps import Step

__all__ = ["OUTSIDE", "Call", "Page", "StepTrace", "Tracer", "of_failure"]

OUTSIDE = -1
SIZE = 2 << 20
HEAD = 8  # bytes that say how many are written after them
ROOM_FOR_STEPS = 64 << 10  # kept free of calls: what a step is, and that it is over, can always be written
LONGEST = 4096  # of the arguments of one call; each of them is much shorter, but a command may have many
MFD_NOEXEC_SEAL = 8  # asked for where vm.memfd_noexec is 2 (kernel 6.3)


class StepTrace(NamedTuple):
    """What one step did.

    `step` is its place in the plan: in `Plan.steps`, and of an exec in `entering + steps`. `OUTSIDE` is what the
    launcher does around the steps: locks, limits, pipes, the fork of an exec.

    The last one of a start that came off is the step that executes the program: its last call is an execve whose
    result is "begun". The last one of a start that failed is the step that failed, with the call that failed, mostly,
    at its end.
    """

    step: int
    calls: tuple[Call, ...]
    nanoseconds: int
    """until it was over; of one that never was, until its last call"""


def of_failure(error: StartFailed) -> tuple[StepTrace, ...]:
    """What was recorded before a start or an exec failed; nothing where no trace was asked for."""
    return tuple(step for step in error.trace if isinstance(step, StepTrace))


class Page:
    """The caller's side: a file in memory that a launcher writes its trace to."""

    def __init__(self) -> None:
        try:
            self.descriptor = os.memfd_create("tiffin-trace", MFD_CLOEXEC | MFD_NOEXEC_SEAL)
        except OSError as error:
            if error.errno != EINVAL:
                raise
            self.descriptor = os.memfd_create("tiffin-trace", MFD_CLOEXEC)  # the kernel is older than the flag
        os.write(self.descriptor, bytes(SIZE))  # so that its pages are ours, and not counted as the container's

    def __del__(self) -> None:
        os.close(self.descriptor)

    def read(self) -> tuple[StepTrace, ...]:
        """What is written there by now."""
        written = int.from_bytes(os.pread(self.descriptor, HEAD, 0), "little")
        return tuple(_steps(os.pread(self.descriptor, min(written, SIZE - HEAD), HEAD).splitlines()))


def _steps(lines: list[bytes]) -> Iterator[StepTrace]:
    step, calls, nanoseconds = OUTSIDE, list[Call](), 0
    for line in [*lines, b'["step",%d]' % OUTSIDE]:
        kind, *fields = json.loads(line)
        if kind == "call":
            *words, nanoseconds = fields
            calls.append(Call(*words))
        elif kind == "end":
            nanoseconds, missing = fields
            calls += [left_out(missing)] if missing else []
        else:
            if calls or step != OUTSIDE:
                yield StepTrace(step, tuple(calls), nanoseconds)
            (step,), calls, nanoseconds = fields, [], 0


class Tracer:
    """The launcher's side: begun before the first step, it goes along with the child that becomes the program."""

    def __init__(self, page: int) -> None:
        """`page` is a descriptor of the caller's; it is closed."""
        self._book = _Book(SharedMemory(page, SIZE))
        os.close(page)
        self._recorder = Recorder(self._book, follow=True)
        self._recorder.begin()
        self._next = 0

    def each(self, steps: Iterable[Step]) -> Iterator[Step]:
        """The next steps, to be taken one after the other. Call `stop` when one fails."""
        for step in steps:
            self._book.turn_to(self._next)
            self._next += 1
            yield step
            self._book.turn_to(OUTSIDE)

    def stop(self) -> None:
        """Record no more: what follows tells of a failure and is no part of it."""
        self._book.turn_to(OUTSIDE)
        self._recorder.stop()


class _Book:
    """The calls as lines in shared memory. How many bytes count is written last, so a reader finds whole lines only."""

    def __init__(self, memory: SharedMemory) -> None:
        self._memory = memory
        self._end = HEAD
        self._calls = self._left_out = 0
        self._began = time.monotonic_ns()

    def turn_to(self, step: int) -> None:
        """What follows belongs to that step."""
        now = time.monotonic_ns()
        self._put(self._end, ["end", now - self._began, self._left_out])
        self._put(self._end, ["step", step])
        self._began, self._left_out = now, 0

    def begun(self, call: Call) -> int:
        place = self._end
        if self._calls < MOST_CALLS and place < SIZE - ROOM_FOR_STEPS:
            self._calls += 1
            self._put(place, self._line(call))
            return place
        self._left_out += 1
        return -1

    def ended(self, place: int, call: Call) -> None:
        if place >= 0:
            self._put(place, self._line(call))

    def dropped(self, place: int) -> None:
        if place >= 0:
            self._calls -= 1
            self._mark(place)

    def close(self) -> None:
        self._memory.close()  # and write nothing: the one that is recorded may be our child by now

    def _line(self, call: Call) -> list[object]:
        arguments = call.arguments if len(call.arguments) <= LONGEST else f"{call.arguments[:LONGEST]}..."
        return ["call", call.name, arguments, call.result, time.monotonic_ns() - self._began]

    def _put(self, place: int, line: list[object]) -> None:
        content = json.dumps(line).encode() + b"\n"
        if place + len(content) <= SIZE:
            self._memory.write(place, content)
            self._mark(place + len(content))

    def _mark(self, end: int) -> None:
        self._end = end
        self._memory.write(0, (end - HEAD).to_bytes(HEAD, "little"))
