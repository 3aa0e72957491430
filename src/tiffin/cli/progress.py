"""One line that tells how far a long piece of work has come; nothing where no terminal looks on."""

from __future__ import annotations

import sys
import time

from tiffin.cli.terminal import size as terminal_size
from tiffin.cli.units import size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

BETWEEN = 0.1  # seconds between two pictures of the line
BAR = 24


class Line:
    """`with progress.line() as told:` and give `told` to the engine."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self.write = write
        self.drawn = 0.0
        self.shown = False

    def __enter__(self) -> Callable[[str, int, int | None], None]:
        return self.tell

    def __exit__(self, *_: object) -> None:
        if self.shown:
            self.write("\r\x1b[K")

    def tell(self, what: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if now - self.drawn < BETWEEN:
            return
        self.drawn, self.shown = now, True
        width = (terminal_size((2,)) or (0, 80))[1]
        self.write("\r" + picture(what, done, total)[: width - 1] + "\x1b[K")


class Silence:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


def line(*, quiet: bool = False) -> Line | Silence:
    """Of this process's stderr, where that is a terminal."""
    return Line(_to_stderr) if sys.stderr.isatty() and not quiet else Silence()


def picture(what: str, done: int, total: int | None) -> str:
    """ "sha256:ab12 [=======>      ] 12.3MB/211MB"; a total of None is not known."""
    if not total:
        return f"{what}  {size(done)}"
    filled = min(BAR, BAR * done // total)
    bar = ("=" * filled + ">" * (filled < BAR)).ljust(BAR)
    return f"{what}  [{bar}]  {size(done)}/{size(total)}"


def _to_stderr(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
