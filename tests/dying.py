"""Dying at the n-th write: a verb runs in a child of ours, and the child is gone at that very moment.

Most calls by which Python changes a file system raise an audit event just before they do so; so do those by which it
talks to another process. The others are wrapped. A write is cut in half before the child ends.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from tiffin.kernel import files

CHANGES = frozenset(
    "os.mkdir os.rename os.remove os.rmdir os.symlink os.link os.chmod os.chown os.utime os.setxattr os.truncate "
    "os.posix_spawn socket.bind socket.connect socket.sendmsg socket.sendto".split()
)
WRITES = ("write", "pwrite")
SILENT = ("mknod", "mkfifo", "copy_file_range", "sendfile", "fsync")
DONE, DEAD, FAILED = 0, 9, 1


def dies_at(number: int, act: Callable[[], object]) -> bool:
    """Run in a child that ends without a word before its change of that number. False if it was done before."""
    child = os.fork()
    if child == 0:
        _count_down(number)
        try:
            act()
        except BaseException as error:  # noqa: BLE001  # the child must not become a second pytest
            sys.stderr.write(f"in the child: {error!r}\n")
            os._exit(FAILED)
        os._exit(DONE)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (DONE, DEAD), f"the verb failed before its change number {number}"
    return code == DEAD


def _count_down(left: int) -> None:
    def change(halfway: Callable[[], object] = lambda: None) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            halfway()
            os._exit(DEAD)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        # an open for writing makes or empties a file
        if event in CHANGES or (event == "open" and (arguments[2] or 0) & (os.O_ACCMODE | os.O_CREAT)):
            change()

    def wrapped(call: Callable[..., Any], *, cut: bool = False) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            if cut:
                descriptor, content, *rest = arguments
                change(lambda: call(descriptor, memoryview(content)[: len(content) // 2], *rest))
            else:
                change()
            return call(*arguments, **named)

        return counted

    for name in WRITES:
        setattr(os, name, wrapped(getattr(os, name), cut=True))
    for name in SILENT:
        setattr(os, name, wrapped(getattr(os, name)))
    vars(files)["syscall"] = wrapped(vars(files)["syscall"])  # renameat2, syncfs
    sys.addaudithook(hook)
