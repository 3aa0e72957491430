"""Dying at the n-th write: a verb runs in a child of ours, and the child is gone at that very moment.

Every call by which Python changes a file system raises an audit event just before it does so; renameat2 and syncfs go
through `kernel.libc.syscall`. Plain writes into files that are being made raise none, but the calls around them do.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from tiffin.kernel import files

CHANGES = frozenset(
    "os.mkdir os.rename os.remove os.rmdir os.symlink os.link os.chmod os.chown os.utime os.setxattr os.truncate "
    "os.mknod os.mkfifo".split()
)
DONE, DEAD, FAILED = 0, 9, 1


def dies_at(number: int, act: Callable[[], object]) -> bool:
    """Run in a child that ends without a word before its change of that number. False if it was done before."""
    child = os.fork()
    if child == 0:
        _count_down(number)
        try:
            act()
        except BaseException:  # noqa: BLE001  # the child must not become a second pytest
            os._exit(FAILED)
        os._exit(DONE)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (DONE, DEAD), f"the verb failed before its change number {number}"
    return code == DEAD


def _count_down(left: int) -> None:
    def change() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os._exit(DEAD)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        # an open for writing makes or empties a file
        if event in CHANGES or (event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_ACCMODE):
            change()

    syscall = vars(files)["syscall"]

    def counted(*arguments: object) -> object:
        change()
        return syscall(*arguments)

    vars(files)["syscall"] = counted
    sys.addaudithook(hook)
