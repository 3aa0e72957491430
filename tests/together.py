"""Several processes at once."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable


def together(*acts: Callable[[], object]) -> None:
    """Each in a child of its own; what goes wrong in one is a failure here."""
    children = []
    for act in acts:
        if (child := os.fork()) == 0:
            code = 1
            try:
                act()
                code = 0
            except BaseException:  # noqa: BLE001  # the child must not become a second pytest
                traceback.print_exc()
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * len(acts)


def how_many(times: int, act: Callable[[], bool]) -> int:
    """Of so many at once, how many said yes."""
    reading, writing = os.pipe()
    together(*[lambda: act() and os.write(writing, b".")] * times)
    os.close(writing)
    with open(reading, "rb") as file:
        return len(file.read())
