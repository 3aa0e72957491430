"""What to do about a run whose shim ended without finishing: killed, or stopped with the machine.

Every verb that meets such a run calls this. With no tiffin process alive nothing happens by itself.
"""

from __future__ import annotations

import os
import time

from tiffin.kernel import process
from tiffin.kernel.cgroups import Group, Layout, detect
from tiffin.runtime.record import GROUPS, LastRun, RunFolder, RunRecord, delete, read_record
from tiffin.store import Store, events, sweep
from tiffin.store.locks import is_held, try_lock

SUPERVISOR_KILLED = "supervisor killed"
MACHINE_STOPPED = "machine stopped"
KILLED = 137


def recover_all(store: Store) -> None:
    """Finish every run of this runroot that has lost its shim."""
    for id in _names(store.run_path("run")):
        if not RunFolder(store, id).is_running():
            recover(store, id)
    for name in _names(store.run_path("ended")):
        _put_away(store, name)
    for name in _names(store.run_path("groups")):
        _remove_abandoned(store.run_path("groups", name))


def recover(store: Store, id: str, *, auto_remove: bool = False) -> None:
    """Finish one run: kill what is left of it, write down how it ended, and let a `--rm` container go.

    `auto_remove` is for who knows the container: the record of a run is lost with the machine's memory.

    Nothing happens if a shim holds the run, or if it was finished properly.
    """
    folder = RunFolder(store, id)
    held = folder.hold()
    if held is None:
        return
    with held:
        record, last = folder.read(), folder.read_last()
        known = record or last
        same_boot = known is not None and known.boot == process.boot_id()
        if record and same_boot:
            _remove_group(record)
        if record and record.pid and (last is None or last.started != record.started):
            last = LastRun(record.boot, record.started)  # it had only just begun
        is_unfinished = last is not None and not last.finished
        if last and is_unfinished:
            _tell_end(folder, last, SUPERVISOR_KILLED if same_boot else MACHINE_STOPPED)
        if (record and record.auto_remove) or (is_unfinished and auto_remove):
            _throw_away(store, id)
        folder.clear()


def _tell_end(folder: RunFolder, last: LastRun, reason: str) -> None:
    try:
        folder.write_last(last._replace(finished=time.time(), exit_code=KILLED, reason=reason))
    except FileNotFoundError:  # the container is gone: its shim, which had told the end, threw it away
        return
    events.emit(folder.store, "container", "die", folder.id, {"exitCode": str(KILLED), "reason": reason})


def _put_away(store: Store, name: str) -> None:
    """Of a run whose end is written down, but whose shim did not come further."""
    ended, id = store.run_path("ended", name), name.partition(".")[0]
    if is_held(f"{ended}/lock"):
        return
    folder = RunFolder(store, id)
    held = folder.hold()
    if held:  # else there is a next run, which has put the group away and made its own
        with held:
            record = read_record(ended)
            if record and record.boot == process.boot_id():
                _remove_group(record)
                if record.auto_remove:
                    sweep.free_names(store)
            folder.clear()
    delete(ended)


def remove_empty_groups(layout: Layout, claims: str, family: str) -> None:
    """Remove the groups of one spawner's shims that nobody has claimed and nobody is in.

    Shims that were killed have left them; and the folder of claims, by which others would find them, may be gone.
    """
    above = Group(layout, GROUPS)
    for name in above.names_below():
        if name.startswith(f"{family}-") and not is_held(f"{claims}/{name}"):  # claimed first, then made
            Group(layout, f"{GROUPS}/{name}").remove_if_empty()


def _remove_abandoned(claim: str) -> None:
    """The group of a shim that was killed, be it before its run had begun."""
    try:
        held = try_lock(claim)
    except FileNotFoundError:
        return
    if held:
        with held:
            group = Group(detect(), f"{GROUPS}/{os.path.basename(claim)}")
            group.kill()
            group.remove()
            os.unlink(claim)


def _remove_group(record: RunRecord) -> None:
    if record.group:
        group = Group(Layout.from_json(record.layout), record.group)
        group.kill()
        group.remove()


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


def _throw_away(store: Store, id: str) -> None:
    try:
        store.trash(store.path("containers", id), durable=False)
    except FileNotFoundError:  # its shim had come that far
        sweep.free_names(store)
    else:
        sweep.free_names(store)
        events.emit(store, "container", "destroy", id, {})
