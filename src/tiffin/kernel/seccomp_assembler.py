"""Classic BPF, written from the end to the beginning: the language of seccomp filters (linux/filter.h, seccomp(2)).

A filter only jumps forward, so whoever writes it backward always knows where a jump leads. A place is named by the
number of instructions from there to the end.

A conditional jump reaches 255 instructions and no further; it gets to a farther place by an unconditional one. Answers
are written again where the last one of their kind is too far away.
"""

from __future__ import annotations

import struct

REACH = 250  # of 255: leaves room for the jumps that are put in between

LOAD = 0x20  # a 32-bit word of struct seccomp_data into the accumulator
JUMP = 0x05
EQUAL = 0x15
GREATER = 0x25
GREATER_OR_EQUAL = 0x35
AND = 0x54
RETURN = 0x06

MOST_INSTRUCTIONS = 4096  # BPF_MAXINSNS
INSTRUCTION = struct.Struct("=HBBI")  # struct sock_filter


class Assembler:
    def __init__(self) -> None:
        self._backward: list[tuple[int, int, int, int]] = []
        self._answers: dict[int, int] = {}  # answer -> the last place where it was written

    def __len__(self) -> int:
        return len(self._backward)

    def answer(self, value: int) -> int:
        """The place of an instruction that ends the filter with this answer."""
        place = self._answers.get(value)
        if place is None or len(self) - place > REACH:
            place = self._answers[value] = self._write(RETURN, value)
        return place

    def branch(self, test: int, value: int, yes: int, no: int) -> int:
        """Go to the place `yes` if the accumulator passes the test, else to `no`."""
        yes = self._within_reach(yes)
        no = self._within_reach(no)
        return self._write(test, value, len(self) - yes, len(self) - no)

    def load(self, offset: int, mask: int = 0xFFFFFFFF) -> int:
        """Put a word in front of what was written last."""
        if mask != 0xFFFFFFFF:
            self._write(AND, mask)
        return self._write(LOAD, offset)

    def program(self) -> bytes:
        if len(self) > MOST_INSTRUCTIONS:
            raise ValueError(f"the filter needs {len(self)} instructions, but the kernel takes {MOST_INSTRUCTIONS}")
        return b"".join(INSTRUCTION.pack(*instruction) for instruction in reversed(self._backward))

    def _within_reach(self, place: int) -> int:
        distance = len(self) - place
        return place if distance <= REACH else self._write(JUMP, distance)

    def _write(self, operation: int, value: int, yes: int = 0, no: int = 0) -> int:
        self._backward.append((operation, yes, no, value))
        return len(self)
