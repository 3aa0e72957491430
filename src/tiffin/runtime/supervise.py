"""What a shim does before there is anything to do: it waits for its launcher to become a program, and sleeps.

A forked Python pays for each page that it touches, in time and, for as long as it lives, in memory. So this code
touches little: it reads a note, and leaves the rest of the handover unread until something happens in the run.
"""

from __future__ import annotations

import marshal
import os
import select
import time

from tiffin import json
from tiffin.kernel import process, signals, unix
from tiffin.kernel.cgroups import Group, Layout
from tiffin.runtime import thrown_away
from tiffin.runtime.failures import Failure
from tiffin.runtime.launch import await_begin
from tiffin.runtime.record import LastRun, RunFolder, RunRecord
from tiffin.runtime.shim import ENDING_PATIENCE, KILLED, Shim
from tiffin.runtime.starter import Handover
from tiffin.store import Store, events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket

LEFT = select.POLLHUP | select.POLLERR


def supervise(launcher: int, status: socket) -> bool:
    """Watch over what becomes of a launcher: a program, until the end of its run, or nothing: False."""
    note, descriptors = unix.receive(status, 1 << 20)
    if not note:
        os.waitpid(launcher, 0)
        return False
    process.set_name("tiffin-shim")
    pidfd = os.pidfd_open(launcher)
    events_folder, event, caller, stirring, may_sleep, rest = marshal.loads(note)  # from ourselves
    more, failure = await_begin(status)
    if failure is not None:
        os.kill(launcher, signals.SIGKILL)  # it may still be at its steps
        os.waitpid(launcher, 0)
        _give_up(*_read(rest, descriptors), failure)
        return True
    events.append(events_folder, event)
    _tell(descriptors[caller], b'{"started":%d}' % launcher)
    if may_sleep:
        others = [descriptors[index] for index in stirring]
        _sleep(descriptors[caller], [pidfd, *others, *([more["terminal"]] if "terminal" in more else [])])
    handover, handed = _read(rest, descriptors)
    Shim(handover, {**handed, **more, "pidfd": pidfd}).run()
    return True


def _sleep(caller: int, others: list[int]) -> None:
    """Until something happens in the run. That the caller leaves, as it mostly does, is nothing."""
    poll = select.poll()
    poll.register(caller, select.POLLIN)
    for descriptor in others:
        poll.register(descriptor, select.POLLIN)
    while True:
        for descriptor, happened in poll.poll():
            if descriptor != caller or not happened & LEFT:
                return
            poll.unregister(caller)


def _tell(caller: int, content: bytes) -> None:
    """A message of `runtime.channel`, without loading more of it than this."""
    try:
        os.write(caller, len(content).to_bytes(4, "big") + content)
    except OSError:  # gone
        pass


def _read(rest: bytes, descriptors: list[int]) -> tuple[Handover, dict[str, int]]:
    handover = Handover(*marshal.loads(rest))  # from ourselves
    return handover, dict(zip(handover.descriptors, descriptors, strict=True))


def _give_up(handover: Handover, handed: dict[str, int], failure: Failure) -> None:
    """Leave nothing of a start that failed, and say why."""
    store, record = Store(handover.root, handover.runroot), RunRecord(*handover.record)  # type: ignore[arg-type]
    folder = RunFolder(store, handover.id)
    group = Group(Layout.from_json(record.layout), record.group)
    group.kill(ENDING_PATIENCE)
    group.remove(ENDING_PATIENCE)
    code = {"missing": 127, "denied": 126, "killed": KILLED}.get(failure.kind, 128)
    folder.write_failure(LastRun("", 0.0, time.time(), code, failure.text))
    taken = thrown_away.throw_away(store, handover.id, handover.attributes) if record.auto_remove else None
    folder.clear()
    os.close(handed["run_lock"])
    os.close(handed["layer_lock"])
    _tell(handed["caller"], json.dumps({"failed": failure}).encode())
    if taken:
        thrown_away.delete(store, taken, handover.attributes["name"])
