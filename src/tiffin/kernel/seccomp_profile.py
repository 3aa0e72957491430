"""A seccomp profile: which system calls a container may make, as Docker and OCI write it in JSON.

Both forms are read by one reader: OCI's (runtime-spec config-linux.md, Seccomp), which is final, and Docker's
(docs.docker.com/engine/security/seccomp), whose rules depend on capabilities, architecture and kernel.
"""

from __future__ import annotations

from tiffin import json
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

# What a filter answers, the strictest first (linux/seccomp.h); the lower 16 bits carry an errno.
KILL_PROCESS = 0x80000000
KILL_THREAD = 0x00000000
TRAP = 0x00030000
ERRNO = 0x00050000
TRACE = 0x7FF00000
LOG = 0x7FFC0000
ALLOW = 0x7FFF0000

EPERM = 1
COMPARISONS = ("NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ")
FLAGS = {
    "SECCOMP_FILTER_FLAG_TSYNC": 0,  # we load while there is one thread, so there is nothing to bring in step
    "SECCOMP_FILTER_FLAG_LOG": 2,
    "SECCOMP_FILTER_FLAG_SPEC_ALLOW": 4,
}


class Comparison(NamedTuple):
    """Compare one argument of the call, as an unsigned number of 64 bits."""

    argument: int  # 0 to 5
    operation: str  # out of COMPARISONS; MASKED_EQ is `argument & value == value_two`
    value: int
    value_two: int = 0


class Circumstances(NamedTuple):
    """Where a rule of Docker's form counts, or does not."""

    capabilities: frozenset[str] = frozenset()
    architectures: frozenset[str] = frozenset()  # Docker's names: amd64, x86, x32, arm64, arm
    minimum_kernel: tuple[int, int] | None = None


class Rule(NamedTuple):
    names: tuple[str, ...]
    action: int  # what the filter answers
    comparisons: tuple[Comparison, ...] = ()
    includes: Circumstances = Circumstances()
    excludes: Circumstances = Circumstances()


class Profile(NamedTuple):
    default: int  # what the filter answers where no rule fits
    rules: tuple[Rule, ...]
    architectures: tuple[str, ...] = ()  # OCI's form: SCMP_ARCH_X86_64
    families: tuple[tuple[str, ...], ...] = ()  # Docker's form: a native architecture and those that run beside it
    flags: int = 0  # for `load`


def parse(text: bytes) -> Profile:
    """Read a profile. Raises ValueError that names the place and what is wrong there."""
    try:
        top = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the seccomp profile is not JSON: {error}") from error
    profile = _Reader(top, "the profile")
    architectures = profile.many("architectures", _architecture)
    families = profile.many("archMap", _family)
    if architectures and families:
        raise ValueError("the seccomp profile has both architectures and archMap; only one of them can be meant")
    return Profile(
        default=_action(profile, "defaultAction", "defaultErrnoRet"),
        rules=profile.many("syscalls", _rule),
        architectures=architectures,
        families=families,
        flags=sum(set(profile.many("flags", _flag))),
    )


class _Reader:
    """A JSON object, and where it stands in the profile."""

    def __init__(self, value: object, place: str) -> None:
        if not isinstance(value, dict):
            raise ValueError(f"seccomp: {place} must be an object, not {json.dumps(value)[:40]}")
        self.fields: dict[str, object] = value
        self.place = place

    def wrong(self, key: str, problem: str) -> ValueError:
        return ValueError(f"seccomp: {key} of {self.place} {problem}")

    def text(self, key: str) -> str:
        value = self.fields.get(key)
        if not isinstance(value, str) or not value:
            raise self.wrong(key, "must be a name" if key in self.fields else "is missing")
        return value

    def number(self, key: str, *, below: int, default: int | None = None) -> int:
        value = self.fields.get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < below:
            problem = f"must be a whole number from 0 to {below - 1}" if key in self.fields else "is missing"
            raise self.wrong(key, problem)
        return value

    def many(self, key: str, read: Callable[[object, str], T]) -> tuple[T, ...]:
        values = self.fields.get(key)
        if values is None:
            return ()
        if not isinstance(values, list):
            raise self.wrong(key, "must be a list")
        inside = "" if self.place == "the profile" else f"{self.place}."
        return tuple(read(value, f"{inside}{key}[{index}]") for index, value in enumerate(values))

    def circumstances(self, key: str) -> Circumstances:
        if not self.fields.get(key):
            return Circumstances()
        inner = _Reader(self.fields[key], f"{self.place}.{key}")
        return Circumstances(
            capabilities=frozenset(inner.many("caps", _name)),
            architectures=frozenset(inner.many("arches", _name)),
            minimum_kernel=_kernel_version(inner) if inner.fields.get("minKernel") else None,
        )


def _rule(value: object, place: str) -> Rule:
    rule = _Reader(value, place)
    names = rule.many("names", _name)
    if rule.fields.get("name"):  # the form of Docker before 1.12, still in use
        if names:
            raise rule.wrong("name", "stands beside names; only one of them can be meant")
        names = (rule.text("name"),)
    if not names:
        raise rule.wrong("names", "is missing")
    return Rule(
        names=names,
        action=_action(rule, "action", "errnoRet"),
        comparisons=rule.many("args", _comparison),
        includes=rule.circumstances("includes"),
        excludes=rule.circumstances("excludes"),
    )


def _comparison(value: object, place: str) -> Comparison:
    comparison = _Reader(value, place)
    operation = comparison.text("op").removeprefix("SCMP_CMP_")
    if operation not in COMPARISONS:
        raise comparison.wrong("op", f"is {operation}, which is not one of SCMP_CMP_{'/'.join(COMPARISONS)}")
    return Comparison(
        argument=comparison.number("index", below=6),
        operation=operation,
        value=comparison.number("value", below=1 << 64, default=0),  # Go leaves out zeros
        value_two=comparison.number("valueTwo", below=1 << 64, default=0),
    )


def _action(reader: _Reader, key: str, errno_key: str) -> int:
    name = reader.text(key)
    errno = reader.number(errno_key, below=1 << 16, default=EPERM)
    match name:
        case "SCMP_ACT_ALLOW":
            return ALLOW
        case "SCMP_ACT_ERRNO":
            return ERRNO | errno
        case "SCMP_ACT_KILL" | "SCMP_ACT_KILL_THREAD":
            return KILL_THREAD
        case "SCMP_ACT_KILL_PROCESS":
            return KILL_PROCESS
        case "SCMP_ACT_LOG":
            return LOG
        case "SCMP_ACT_TRACE":
            return TRACE | errno
        case "SCMP_ACT_TRAP":
            return TRAP
        case "SCMP_ACT_NOTIFY":
            raise reader.wrong(key, "is SCMP_ACT_NOTIFY, which needs an agent that answers; tiffin runs none")
    raise reader.wrong(key, f"is {name}, which is not an action of seccomp")


def _family(value: object, place: str) -> tuple[str, ...]:
    family = _Reader(value, place)
    return (_architecture(family.text("architecture"), place), *family.many("subArchitectures", _architecture))


def _architecture(value: object, place: str) -> str:
    name = _name(value, place)
    if not name.startswith("SCMP_ARCH_"):
        raise ValueError(f"seccomp: {place} is {name}, but architectures are called as in SCMP_ARCH_X86_64")
    return name


def _flag(value: object, place: str) -> int:
    name = _name(value, place)
    if name not in FLAGS:
        raise ValueError(f"seccomp: {place} is {name}; the flags that tiffin knows are {', '.join(FLAGS)}")
    return FLAGS[name]


def _name(value: object, place: str) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"seccomp: {place} must be a name, not {json.dumps(value)[:40]}")
    return value


def _kernel_version(reader: _Reader) -> tuple[int, int]:
    major, _, minor = reader.text("minKernel").partition(".")
    if not (major.isdecimal() and minor.isdecimal()):
        raise reader.wrong("minKernel", "must be a version of the form 4.8")
    return int(major), int(minor)
