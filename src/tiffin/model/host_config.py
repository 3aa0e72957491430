"""What a container asks of this host, typed. It turns from and to Docker's JSON here and nowhere else."""

from __future__ import annotations

from tiffin.model import fields
from tiffin.model.config import NOTHING
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from tiffin.model.fields import JSON


class LogConfig(NamedTuple):
    """Where the output goes: `json-file` or `none`. `max_size` in bytes; 0 means no rotation."""

    driver: str = "json-file"
    max_size: int = 10 * 1024 * 1024
    max_file: int = 3

    def to_json(self) -> JSON:
        options = {}
        if self.driver == "json-file":
            options = {"max-size": str(self.max_size), "max-file": str(self.max_file)}
        return {"Type": self.driver, "Config": options}

    @classmethod
    def from_json(cls, form: JSON | None) -> LogConfig:
        plain, options = cls(), (form or {}).get("Config") or {}
        return cls(
            driver=fields.text(form or {}, "Type") or plain.driver,
            max_size=int(options.get("max-size", plain.max_size)),
            max_file=int(options.get("max-file", plain.max_file)),
        )


class HostConfig(NamedTuple):
    """Sizes in bytes; `nano_cpus` in 10^-9 of a CPU; 0 means no limit."""

    binds: tuple[str, ...] = ()
    """SOURCE:TARGET[:OPTIONS], as after `-v`"""
    tmpfs: Mapping[str, str] = NOTHING
    """target -> options in mount(8)'s form"""
    network_mode: str = "none"
    """none or host"""
    memory: int = 0
    nano_cpus: int = 0
    pids_limit: int = 0
    privileged: bool = False
    readonly_rootfs: bool = False
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    auto_remove: bool = False
    init: bool = False
    cgroup_parent: str = ""
    log: LogConfig = LogConfig()

    def to_json(self) -> JSON:
        """Docker's form, as in `inspect`."""
        form = {docker: kind.write(getattr(self, field)) for docker, field, kind in FIELDS}
        return {**form, "LogConfig": self.log.to_json()}

    @classmethod
    def from_json(cls, form: JSON | None) -> HostConfig:
        """Docker's form; fields that are absent, null or empty have their defaults. Raises BadParameter."""
        form = form or {}
        given = {field: kind.read(form, docker) for docker, field, kind in FIELDS if form.get(docker) not in (None, "")}
        return cls(**given, log=LogConfig.from_json(form.get("LogConfig")))


class _Kind(NamedTuple):
    """How a field of one kind is read from Docker's JSON, and written there."""

    read: Callable[[JSON, str], Any]
    write: Callable[[Any], object]


_TEXT = _Kind(fields.text, lambda value: value)
_FLAG = _Kind(fields.flag, lambda value: value)
_NUMBER = _Kind(lambda form, key: fields.number(form, key, 0), lambda value: value)
_LIMIT = _Kind(_NUMBER.read, lambda value: value or None)
_WORDS = _Kind(fields.words, lambda value: list(value) or None)
_LABELS = _Kind(fields.labels, lambda value: dict(value) or None)

FIELDS = (
    ("Binds", "binds", _WORDS),
    ("Tmpfs", "tmpfs", _LABELS),
    ("NetworkMode", "network_mode", _TEXT),
    ("Memory", "memory", _NUMBER),
    ("NanoCpus", "nano_cpus", _NUMBER),
    ("PidsLimit", "pids_limit", _LIMIT),
    ("Privileged", "privileged", _FLAG),
    ("ReadonlyRootfs", "readonly_rootfs", _FLAG),
    ("CapAdd", "cap_add", _WORDS),
    ("CapDrop", "cap_drop", _WORDS),
    ("AutoRemove", "auto_remove", _FLAG),
    ("Init", "init", _FLAG),
    ("CgroupParent", "cgroup_parent", _TEXT),
)
"""name in Docker's JSON, field here, kind"""
