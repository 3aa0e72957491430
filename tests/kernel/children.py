"""Functions that run in a forked child: for what a process cannot take back."""
from __future__ import annotations

import gc
import json
import os
import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def in_child(function: Callable[[], Any]) -> Any:
    """The (JSON) result of a function that runs in a forked child; what it raises fails the test.

    Nothing that other tests have left is collected there meanwhile: closing it would be calls that nobody made.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        _answer(writer, function)
    os.close(writer)
    with open(reader, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(pid, 0)
    assert answer, f"the child ended without an answer, status {os.waitstatus_to_exitcode(status)}"
    result, trouble = json.loads(answer)
    assert trouble is None, trouble
    return result


def _answer(writer: int, function: Callable[[], Any]) -> None:
    gc.disable()
    try:
        answer = json.dumps((function(), None))
    except BaseException:  # noqa: BLE001 - a test's failure too is told to the parent
        answer = json.dumps((None, traceback.format_exc()))
    try:
        os.write(writer, answer.encode())
    finally:
        os._exit(0)
