"""What to do about a run whose shim ended without finishing: killed, or stopped with the machine.

Every verb that meets such a run calls this. With no tiffin process alive nothing happens by itself.
"""

from __future__ import annotations

import os
import time

from tiffin.kernel import process
from tiffin.kernel.cgroups import Group, Layout
from tiffin.runtime.record import RunFolder
from tiffin.store import Store, events

SUPERVISOR_KILLED = "supervisor killed"
MACHINE_STOPPED = "machine stopped"
KILLED = 137


def recover_all(store: Store) -> None:
    """Finish every run of this runroot that has lost its shim."""
    try:
        ids = os.listdir(store.run_path("run"))
    except FileNotFoundError:
        return
    for id in ids:
        if not RunFolder(store, id).is_running():
            recover(store, id)


def recover(store: Store, id: str) -> None:
    """Finish one run: kill what is left of it, write down how it ended, and let a `--rm` container go.

    Nothing happens if a shim holds the run, or if it was finished properly.
    """
    folder = RunFolder(store, id)
    held = folder.hold()
    if held is None:
        return
    try:
        record, last = folder.read(), folder.read_last()
        same_boot = record is not None and record.boot == process.boot_id()
        if record and same_boot:
            group = Group(Layout.from_json(record.layout), record.group)
            group.kill()
            group.remove()
        if last and not last.finished:
            reason = SUPERVISOR_KILLED if same_boot else MACHINE_STOPPED
            folder.write_last(last._replace(finished=time.time(), exit_code=KILLED, reason=reason))
            events.emit(store, "container", "die", id, {"exitCode": str(KILLED), "reason": reason})
        if record and record.auto_remove:
            _throw_away(store, id)
        folder.clear()
    finally:
        held.release()


def _throw_away(store: Store, id: str) -> None:
    try:
        store.trash(store.path("containers", id), durable=False)
    except FileNotFoundError:  # its shim had come that far
        return
    events.emit(store, "container", "destroy", id, {})
