"""The settings of images and containers, typed, in Docker's names where they are written down.

`Config` goes with an image as well as with a container (OCI image-spec, config.md, "config"). It turns from and to
Docker's JSON here and nowhere else.
"""

from __future__ import annotations

from types import MappingProxyType

from tiffin.errors import BadParameter
from tiffin.model import fields
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tiffin.model.fields import JSON

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
            hostname=fields.text(form, "Hostname"),
            domainname=fields.text(form, "Domainname"),
            user=fields.text(form, "User"),
            tty=fields.flag(form, "Tty"),
            open_stdin=fields.flag(form, "OpenStdin"),
            stdin_once=fields.flag(form, "StdinOnce"),
            env=fields.words(form, "Env"),
            cmd=fields.words(form, "Cmd"),
            entrypoint=None if entrypoint is None else fields.words(form, "Entrypoint"),
            image=fields.text(form, "Image"),
            working_dir=fields.text(form, "WorkingDir"),
            volumes=fields.keys(form, "Volumes"),
            exposed_ports=fields.keys(form, "ExposedPorts"),
            labels=fields.labels(form, "Labels"),
            stop_signal=fields.text(form, "StopSignal"),
            stop_timeout=fields.number(form, "StopTimeout", None),
            shell=None if shell is None else fields.words(form, "Shell"),
            on_build=fields.words(form, "OnBuild"),
            healthcheck=None if health is None else _health_from_json(health),
        )


def as_words(given: Iterable[str], what: str) -> tuple[str, ...]:
    """A list of words as it is kept. Raises TypeError for a text, which to Python is a list of its letters."""
    listed = () if isinstance(given, str) else tuple(given)
    if isinstance(given, str) or not all(isinstance(word, str) for word in listed):
        raise TypeError(f"{what} must be a list of words, as in ['ls', '-l'], and not {given!r}")
    return listed


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
    return Healthcheck(fields.words(form, "Test"), *(fields.number(form, name, 0) or 0 for name in names))
