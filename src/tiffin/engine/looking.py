"""The verbs that only look at containers: ps and inspect."""

from __future__ import annotations

from tiffin.containers import ContainerRecord, Containers
from tiffin.engine.state import ContainerState, state_of
from tiffin.errors import NoSuchContainer
from tiffin.model.nouns import State
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeAlias

    from tiffin.engine.parts import Parts

JSON: TypeAlias = "dict[str, Any]"  # the border: Docker's form
NEVER = "0001-01-01T00:00:00Z"


class ContainerSummary(NamedTuple):
    """One row of `ps`. Times in seconds since 1970, 0 where there is none; sizes in bytes, -1 where nobody asked."""

    id: str
    name: str
    image: str
    """as it was asked for"""
    image_id: str
    command: str
    created: float
    state: str
    started: float
    finished: float
    exit_code: int
    labels: Mapping[str, str]
    size: int = -1
    """of the read-write layer"""
    size_root: int = -1
    """of all layers together"""


def ps(parts: Parts, *, all: bool = False, size: bool = False) -> list[ContainerSummary]:
    """The running containers, or all of them, newest first."""
    from tiffin.runtime.recovery import recover_all  # first, so that nothing dead is shown

    recover_all(parts.store)
    found = [(record, state_of(parts.store, record.id)) for record in Containers(parts.store).all()]
    return [
        _summary(parts, record, state, size)
        for record, state in found
        if state.is_alive or (all and state.status != State.REMOVING)
    ]


def inspect(parts: Parts, record: ContainerRecord) -> JSON:
    """A container in Docker's form."""
    state, folder = state_of(parts.store, record.id), Containers(parts.store).folder(record.id)
    lowers = parts.layers.folders(record.top)
    run = parts.store.run_path("run", record.id)
    return {
        "Id": record.id,
        "Created": rfc3339(record.created),
        "Path": record.config.argv[0],
        "Args": list(record.config.argv[1:]),
        "State": _state(state),
        "Image": record.image or record.top or "",
        "ResolvConfPath": f"{run}/resolv.conf",
        "HostnamePath": f"{run}/hostname",
        "HostsPath": f"{run}/hosts",
        "LogPath": f"{folder}/log" if record.host.log.driver == "json-file" else "",
        "Name": f"/{record.name}",
        "RestartCount": 0,
        "Driver": "overlay",
        "Platform": "linux",
        "HostConfig": record.host.to_json(),
        "GraphDriver": {
            "Name": "overlay",
            "Data": {"LowerDir": ":".join(lowers), "UpperDir": f"{folder}/diff", "WorkDir": f"{folder}/work"},
        },
        "Mounts": _mounts(record),
        "Config": record.config.to_json(),
        "Layer": record.top or "",
    }


def rfc3339(seconds: float) -> str:
    """In UTC, with nanoseconds; Docker's zero time for 0."""
    import time  # only here

    if not seconds:
        return NEVER
    whole = int(seconds)
    fraction = f"{int((seconds - whole) * 1_000_000):06d}".rstrip("0")
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + (f".{fraction}" if fraction else "") + "Z"


def _summary(parts: Parts, record: ContainerRecord, state: ContainerState, size: bool) -> ContainerSummary:
    own, whole = _sizes(parts, record) if size else (-1, -1)
    return ContainerSummary(
        record.id, record.name, record.config.image, record.image or record.top or "",
        " ".join(map(_shown, record.config.argv)), record.created, state.status, state.started, state.finished,
        state.exit_code, record.config.labels, own, whole,
    )  # fmt: skip


def _shown(word: str) -> str:
    return f"'{word}'" if " " in word else word  # as Docker does


def _sizes(parts: Parts, record: ContainerRecord) -> tuple[int, int]:
    from tiffin.engine.images import tree_size  # only with --size

    own = tree_size(f"{Containers(parts.store).folder(record.id)}/diff")
    return own, own + sum(layer.size for layer in parts.layers.stack(record.top))


def _state(state: ContainerState) -> JSON:
    return {
        "Status": state.status,
        "Running": state.is_alive,
        "Paused": state.status == State.PAUSED,
        "Restarting": False,
        "OOMKilled": state.oom_killed,
        "Dead": False,
        "Pid": state.pid,
        "ExitCode": state.exit_code,
        "Error": state.reason,
        "StartedAt": rfc3339(state.started),
        "FinishedAt": rfc3339(state.finished),
    }


def _mounts(record: ContainerRecord) -> list[JSON]:
    from tiffin.engine.binds import parse  # only for inspect

    return [
        {
            "Type": "bind",
            "Source": bind.source,
            "Destination": bind.target,
            "Mode": "ro" if bind.readonly else "",
            "RW": not bind.readonly,
            "Propagation": bind.propagation,
        }
        for bind in map(parse, record.host.binds)
    ]


def find(parts: Parts, reference: str) -> ContainerRecord | None:
    """A container, if the reference means one. Raises AmbiguousId."""
    try:
        return Containers(parts.store).resolve(reference)
    except NoSuchContainer:
        return None
