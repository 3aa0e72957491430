"""The plan of a run and of an exec: complete data, on its way from the engine to the launcher."""

from __future__ import annotations

from tiffin.kernel.cgroups import DeviceRule, Limits
from tiffin.record import NamedTuple
from tiffin.runtime.channel import Message
from tiffin.runtime.steps import Step, from_json, to_json


class Plan(NamedTuple):
    """How one container is to run."""

    id: str
    root: str
    runroot: str
    layout: str
    """`kernel.cgroups.Layout` as JSON"""
    group: str
    """of its own, or empty for the one that the launcher was born in"""
    limits: Limits
    steps: tuple[Step, ...]
    terminal: bool = False
    open_stdin: bool = False
    stdin_once: bool = False
    log_driver: str = "json-file"
    log_largest: int = 0
    log_files: int = 1
    auto_remove: bool = False
    files: dict[str, str] = {}  # noqa: RUF012
    """what the shim writes into the run's folder before the first step: hosts, hostname, resolv.conf"""
    attributes: dict[str, str] = {}  # noqa: RUF012  # of the events: name, image, labels
    trace: bool = False
    """whether the caller is told which system calls each step made (`runtime.tracing`)"""

    def to_json(self) -> Message:
        return _without_default({**self._asdict(), "steps": to_json(self.steps), "limits": self.limits})

    @classmethod
    def from_json(cls, form: Message) -> Plan:
        limits = Limits(*form["limits"])
        rules = tuple(DeviceRule(*rule) for rule in limits.devices)
        return cls(**{**form, "steps": from_json(form["steps"]), "limits": limits._replace(devices=rules)})


class ExecPlan(NamedTuple):
    """How one more process enters a process space: `entering` by the launcher, then `steps` by the new process."""

    id: str
    entering: tuple[Step, ...]
    steps: tuple[Step, ...]
    terminal: bool = False
    open_stdin: bool = False
    trace: bool = False

    def to_json(self) -> Message:
        return _without_default(
            {**self._asdict(), "entering": to_json(self.entering), "steps": to_json(self.steps)}
        )  # fmt: skip

    @classmethod
    def from_json(cls, form: Message) -> ExecPlan:
        return cls(**{**form, "entering": from_json(form["entering"]), "steps": from_json(form["steps"])})


def _without_default(form: Message) -> Message:
    """A shim of an older tiffin, which may be asked for an exec, knows no trace."""
    if not form["trace"]:
        del form["trace"]
    return form
