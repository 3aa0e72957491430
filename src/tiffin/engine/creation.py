"""create: a read-write layer on top of an image. Nothing runs."""

from __future__ import annotations

import os
import time

from tiffin.containers import ContainerRecord, Containers
from tiffin.engine import spaces
from tiffin.engine.attributes import attributes
from tiffin.engine.checking import check
from tiffin.engine.parts import Parts
from tiffin.engine.references import Found, find
from tiffin.engine.state import state_of
from tiffin.errors import NameInUse, NoSuchContainer
from tiffin.images.config import merge
from tiffin.model.config import Config
from tiffin.model.host_config import HostConfig
from tiffin.runtime.client import Connection, Streams
from tiffin.runtime.record import RunFolder, RunRecord
from tiffin.store import events


def create(
    parts: Parts, reference: str, config: Config, host: HostConfig, *, name: str | None, id: str | None = None
) -> ContainerRecord:
    """Add a read-write layer to an image or a bare layer. `config` is what the caller asks; the image gives the rest.

    Raises NoSuchImage, AmbiguousId, BadParameter, BadName, NameInUse, StoreFull.
    """
    containers, id = Containers(parts.store), id or new_id()
    with parts.store.writing(), parts.store.shared():  # from finding layers until their record is in place
        record = settled(parts, reference, config, host, name=name or containers.free_name(), id=id)
        top = parts.layers.folder(record.top) if record.top else None
        try:
            containers.create(record, root_like=top, durable=not host.auto_remove)
        except NameInUse:
            _let_go_of_the_dead(parts, record.name)
            containers.create(record, root_like=top, durable=not host.auto_remove)
    events.emit(parts.store, "container", "create", id, attributes(record))
    return record


def settled(
    parts: Parts, reference: str, config: Config, host: HostConfig, *, name: str, id: str
) -> ContainerRecord:
    """The record of the container that `create` makes; nothing is made. Raises as `create` does, but for names."""
    found = find(parts, reference)
    merged = _settings(found, config, host, id)
    check(merged, host)
    return ContainerRecord(id, name, time.time(), found.image.id if found.image else None, found.top, merged, host)


def create_and_start(
    parts: Parts,
    reference: str,
    config: Config,
    host: HostConfig,
    *,
    name: str | None,
    streams: Streams | None,
    owned: bool,
) -> tuple[ContainerRecord, Connection]:
    """The two halves of `run`. Where the second fails, the container of who does not own it stays, as Docker's does.

    A `--rm` container is held from before it is made until its shim has it: if we die in between, the next verb
    removes it.
    """
    id, streams = new_id(), streams or Streams()
    folder = RunFolder(parts.store, id)
    held = folder.hold() if host.auto_remove else None
    if held:
        folder.write(RunRecord("", "", "", auto_remove=True))
    try:
        record = create(parts, reference, config, host, name=name, id=id)
    except BaseException:
        streams.close()
        if held:
            folder.clear()
            held.release()
        raise
    try:
        return record, spaces.start(parts, record, streams, owned=owned, run_lock=held)
    except BaseException:
        if owned and not host.auto_remove:
            spaces.remove(parts, record, force=True)
        raise


def _let_go_of_the_dead(parts: Parts, name: str) -> None:
    """The name may be that of a `--rm` container whose shim was killed: it goes when somebody looks."""
    try:
        state_of(parts.store, Containers(parts.store).resolve(name).id)
    except NoSuchContainer:
        pass


def new_id() -> str:
    return os.urandom(32).hex()


def _settings(found: Found, config: Config, host: HostConfig, id: str) -> Config:
    merged = merge(found.config, config)
    hostname = config.hostname or (os.uname().nodename if host.network_mode == "host" else id[:12])
    return merged._replace(hostname=hostname, image=config.image or found.id)
