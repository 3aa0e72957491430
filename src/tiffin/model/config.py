"""The settings of images and containers, typed, in Docker's names where they are written down.

`Config` goes with an image as well as with a container (OCI image-spec, config.md, "config"); `HostConfig` is what a
container asks of this host. Both turn from and to Docker's JSON here and nowhere else.
"""

from __future__ import annotations

from types import MappingProxyType

from tiffin.errors import BadParameter
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, TypeAlias

JSON: TypeAlias = "dict[str, Any]"  # the border: what json.loads gives
NOTHING: Mapping[str, str] = MappingProxyType({})


class Healthcheck(NamedTuple):
    """Durations in nanoseconds, as Docker has them; 0 means the default."""

    test: tuple[str, ...] = ()
    interval: int = 0
    timeout: int = 0
    start_period: int = 0
    start_interval: int = 0
    retries: int = 0


class Config(NamedTuple):
    """What to run and how: the part of the settings that an image carries too."""

    hostname: str = ""
    domainname: str = ""
    user: str = ""
    tty: bool = False
    open_stdin: bool = False
    stdin_once: bool = False
    env: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] | None = None
    image: str = ""
    """the name by which the image was asked for"""
    working_dir: str = ""
    volumes: tuple[str, ...] = ()
    exposed_ports: tuple[str, ...] = ()
    labels: Mapping[str, str] = NOTHING
    stop_signal: str = ""
    stop_timeout: int | None = None
    shell: tuple[str, ...] | None = None
    on_build: tuple[str, ...] = ()
    healthcheck: Healthcheck | None = None

    @property
    def argv(self) -> tuple[str, ...]:
        """The program and its arguments: entrypoint, then command (image-spec, config.md)."""
        return (self.entrypoint or ()) + self.cmd

    def to_json(self) -> JSON:
        """Docker's form, as in `inspect` and in an image's config."""
        form: JSON = {
            "Hostname": self.hostname,
            "Domainname": self.domainname,
            "User": self.user,
            "Tty": self.tty,
            "OpenStdin": self.open_stdin,
            "StdinOnce": self.stdin_once,
            "Env": list(self.env),
            "Cmd": list(self.cmd) or None,
            "Image": self.image,
            "Volumes": {path: {} for path in self.volumes} or None,
            "WorkingDir": self.working_dir,
            "Entrypoint": None if self.entrypoint is None else list(self.entrypoint),
            "OnBuild": list(self.on_build) or None,
            "Labels": dict(self.labels),
        }
        if self.exposed_ports:
            form["ExposedPorts"] = {port: {} for port in self.exposed_ports}
        if self.stop_signal:
            form["StopSignal"] = self.stop_signal
        if self.stop_timeout is not None:
            form["StopTimeout"] = self.stop_timeout
        if self.shell is not None:
            form["Shell"] = list(self.shell)
        if self.healthcheck is not None:
            form["Healthcheck"] = _health_to_json(self.healthcheck)
        return form

    @classmethod
    def from_json(cls, form: JSON | None) -> Config:
        """Docker's form; fields that are absent or null have their defaults.

        Raises BadParameter where a field has another type than it must.
        """
        form = form or {}
        entrypoint, shell, health = form.get("Entrypoint"), form.get("Shell"), form.get("Healthcheck")
        return cls(
            hostname=_text(form, "Hostname"),
            domainname=_text(form, "Domainname"),
            user=_text(form, "User"),
            tty=_flag(form, "Tty"),
            open_stdin=_flag(form, "OpenStdin"),
            stdin_once=_flag(form, "StdinOnce"),
            env=_words(form, "Env"),
            cmd=_words(form, "Cmd"),
            entrypoint=None if entrypoint is None else _words(form, "Entrypoint"),
            image=_text(form, "Image"),
            working_dir=_text(form, "WorkingDir"),
            volumes=_keys(form, "Volumes"),
            exposed_ports=_keys(form, "ExposedPorts"),
            labels=_labels(form, "Labels"),
            stop_signal=_text(form, "StopSignal"),
            stop_timeout=_number(form, "StopTimeout", None),
            shell=None if shell is None else _words(form, "Shell"),
            on_build=_words(form, "OnBuild"),
            healthcheck=None if health is None else _health_from_json(health),
        )


class LogConfig(NamedTuple):
    """Where the output goes: `json-file` or `none`. `max_size` in bytes; 0 means no rotation."""

    driver: str = "json-file"
    max_size: int = 10 * 1024 * 1024
    max_file: int = 3


class HostConfig(NamedTuple):
    """What a container asks of this host. Sizes in bytes; `nano_cpus` in 10^-9 of a CPU; 0 means no limit."""

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
        log_options = {}
        if self.log.driver == "json-file":
            log_options = {"max-size": str(self.log.max_size), "max-file": str(self.log.max_file)}
        return {
            "Binds": list(self.binds) or None,
            "Tmpfs": dict(self.tmpfs) or None,
            "NetworkMode": self.network_mode,
            "Memory": self.memory,
            "NanoCpus": self.nano_cpus,
            "PidsLimit": self.pids_limit or None,
            "Privileged": self.privileged,
            "ReadonlyRootfs": self.readonly_rootfs,
            "CapAdd": list(self.cap_add) or None,
            "CapDrop": list(self.cap_drop) or None,
            "AutoRemove": self.auto_remove,
            "Init": self.init,
            "CgroupParent": self.cgroup_parent,
            "LogConfig": {"Type": self.log.driver, "Config": log_options},
        }

    @classmethod
    def from_json(cls, form: JSON | None) -> HostConfig:
        """Docker's form; fields that are absent or null have their defaults. Raises BadParameter."""
        form = form or {}
        return cls(
            binds=_words(form, "Binds"),
            tmpfs=_labels(form, "Tmpfs"),
            network_mode=_text(form, "NetworkMode") or "none",
            memory=_number(form, "Memory", 0) or 0,
            nano_cpus=_number(form, "NanoCpus", 0) or 0,
            pids_limit=_number(form, "PidsLimit", 0) or 0,
            privileged=_flag(form, "Privileged"),
            readonly_rootfs=_flag(form, "ReadonlyRootfs"),
            cap_add=_words(form, "CapAdd"),
            cap_drop=_words(form, "CapDrop"),
            auto_remove=_flag(form, "AutoRemove"),
            init=_flag(form, "Init"),
            cgroup_parent=_text(form, "CgroupParent"),
            log=_log_from_json(form.get("LogConfig")),
        )


def as_words(given: Iterable[str], what: str) -> tuple[str, ...]:
    """A list of words as it is kept. Raises TypeError for a text, which to Python is a list of its letters."""
    listed = () if isinstance(given, str) else tuple(given)
    if isinstance(given, str) or not all(isinstance(word, str) for word in listed):
        raise TypeError(f"{what} must be a list of words, as in ['ls', '-l'], and not {given!r}")
    return listed


def _log_from_json(form: JSON | None) -> LogConfig:
    plain, options = LogConfig(), (form or {}).get("Config") or {}
    return LogConfig(
        driver=_text(form or {}, "Type") or plain.driver,
        max_size=int(options.get("max-size", plain.max_size)),
        max_file=int(options.get("max-file", plain.max_file)),
    )


def _health_to_json(health: Healthcheck) -> JSON:
    numbers = {
        "Interval": health.interval,
        "Timeout": health.timeout,
        "StartPeriod": health.start_period,
        "StartInterval": health.start_interval,
        "Retries": health.retries,
    }
    return {"Test": list(health.test)} | {key: number for key, number in numbers.items() if number}


def _health_from_json(form: JSON) -> Healthcheck:
    if not isinstance(form, dict):
        raise BadParameter("the field Healthcheck must be an object")
    names = ("Interval", "Timeout", "StartPeriod", "StartInterval", "Retries")
    return Healthcheck(_words(form, "Test"), *(_number(form, name, 0) or 0 for name in names))


def _text(form: JSON, key: str) -> str:
    value = form.get(key)
    if value is not None and not isinstance(value, str):
        raise BadParameter(f"the field {key} must be a string")
    return value or ""


def _flag(form: JSON, key: str) -> bool:
    value = form.get(key)
    if value is not None and not isinstance(value, bool):
        raise BadParameter(f"the field {key} must be true or false")
    return bool(value)


def _number(form: JSON, key: str, default: int | None) -> int | None:
    value = form.get(key)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadParameter(f"the field {key} must be a whole number")
    return value


def _words(form: JSON, key: str) -> tuple[str, ...]:
    value = form.get(key)
    if isinstance(value, str):  # old clients and Dockerfiles: one string is one word
        return (value,)
    if value is not None and not (isinstance(value, list) and all(isinstance(word, str) for word in value)):
        raise BadParameter(f"the field {key} must be a list of strings")
    return tuple(value or ())


def _keys(form: JSON, key: str) -> tuple[str, ...]:
    value = form.get(key)
    if value is not None and not isinstance(value, dict):
        raise BadParameter(f"the field {key} must be an object")
    return tuple(value or ())


def _labels(form: JSON, key: str) -> dict[str, str]:
    value = form.get(key)
    if value is not None and not (isinstance(value, dict) and all(isinstance(text, str) for text in value.values())):
        raise BadParameter(f"the field {key} must be an object of strings")
    return dict(value or {})
