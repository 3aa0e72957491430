"""The caller's terminal: raw while a program inside has it, always given back as it was; its size; the detach keys.

In raw mode every key goes to the program inside, whose own terminal echoes it, edits lines and makes signals of
ctrl-c (termios(3), "Raw mode"). A few keys in a row, ctrl-p and ctrl-q unless chosen otherwise, let go of it.
"""

from __future__ import annotations

import os
import termios
from termios import (
    BRKINT,
    CS8,
    CSIZE,
    ECHO,
    ECHONL,
    ICANON,
    ICRNL,
    IEXTEN,
    IGNBRK,
    IGNCR,
    INLCR,
    ISIG,
    ISTRIP,
    IXON,
    OPOST,
    PARENB,
    PARMRK,
    VMIN,
    VTIME,
)  # fmt: skip

from tiffin.errors import BadParameter

DEFAULT_KEYS = "ctrl-p,ctrl-q"
CONTROL = "@abcdefghijklmnopqrstuvwxyz[\\]^_"  # in the order of their codes, from 0

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Attributes = list[Any]  # what termios.tcgetattr gives


class RawMode:
    """`with RawMode(0):` raw inside, and as it was afterwards, however it ends. `RawMode(None)` changes nothing."""

    def __init__(self, descriptor: int | None) -> None:
        self.descriptor = descriptor

    def __enter__(self) -> RawMode:
        if self.descriptor is not None:
            self.before = termios.tcgetattr(self.descriptor)
            # NOW rather than FLUSH: what was typed ahead is for the program; and a stuck terminal must not hold us up
            termios.tcsetattr(self.descriptor, termios.TCSANOW, raw(self.before))
        return self

    def __exit__(self, *_: object) -> None:
        if self.descriptor is None:
            return
        try:
            termios.tcsetattr(self.descriptor, termios.TCSANOW, self.before)
        except termios.error:  # the terminal itself is gone
            pass


def raw(before: Attributes) -> Attributes:
    """The attributes of a terminal that passes everything on, as cfmakeraw(3) makes them."""
    iflag, oflag, cflag, lflag, ispeed, ospeed, characters = before
    iflag &= ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON)
    oflag &= ~OPOST
    lflag &= ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN)
    cflag = cflag & ~(CSIZE | PARENB) | CS8
    characters = list(characters)
    characters[VMIN], characters[VTIME] = 1, 0
    return [iflag, oflag, cflag, lflag, ispeed, ospeed, characters]


def size(descriptors: Sequence[int] = (1, 0, 2)) -> tuple[int, int] | None:
    """Rows and columns of the first of these that is a terminal."""
    for descriptor in descriptors:
        try:
            columns, rows = os.get_terminal_size(descriptor)
        except OSError:
            continue
        return rows, columns
    return None


def parse_keys(text: str) -> bytes:
    """ "ctrl-p,ctrl-q" -> b"\\x10\\x11". Raises BadParameter for what is no key."""
    return bytes(_key(name) for name in (text or DEFAULT_KEYS).split(","))


def _key(name: str) -> int:
    if len(name) == 1 and name.isascii():
        return ord(name)
    letter = name.removeprefix("ctrl-")
    if letter != name and len(letter) == 1 and letter in CONTROL:
        return CONTROL.index(letter)
    raise BadParameter(
        f"'{name}' is no detach key: a letter, or ctrl- and one of a-z @ [ \\ ] ^ _, several with commas"
    )


class KeyWatch:
    """Looks for the detach keys in what is typed, across reads."""

    def __init__(self, keys: bytes) -> None:
        self.keys = keys
        self.held = b""
        self.found = False

    def pass_on(self, typed: bytes) -> bytes:
        """What goes to the program. The beginning of the keys is held back until it is clear what it was."""
        typed, self.held = self.held + typed, b""
        at = typed.find(self.keys)
        if at >= 0:
            self.found = True
            return typed[:at]
        for length in range(min(len(typed), len(self.keys) - 1), 0, -1):
            if self.keys.startswith(typed[-length:]):
                self.held = typed[-length:]
                return typed[:-length]
        return typed

    def rest(self) -> bytes:
        """What was held back, when nothing more will be typed."""
        held, self.held = self.held, b""
        return held
