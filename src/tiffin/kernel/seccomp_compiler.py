"""From a profile to the program that the kernel runs before every system call.

    architecture ── x86_64 ──  number < 160 ? ── number < 57 ? ── allow
                 │                  │                 └─────────── compare arguments ── allow
                 │                  └────────── …                              └─────── EPERM
                 ├─ i386 ───── …
                 └─ other ──── kill

Numbers next to each other that have the same verdict form an interval, and intervals are searched as a binary tree: a
filter of Docker's size answers after some eight comparisons. The kernel walks through it once per number when it
is loaded, to remember what is always allowed, so short ways also make loading fast.

Rules combine as libseccomp and runc combine them:

- a rule without comparisons is the verdict of its calls, whatever other rules compare; the first such rule counts;
- else the first rule whose comparisons all hold; comparisons of the same argument in one rule are alternatives;
- a rule with the default action says nothing;
- calls newer than any that the profile names get ENOSYS instead of a refusal, so that programs try an older call;
- an architecture that the profile doesn't name is killed.
"""

from __future__ import annotations

import errno

from tiffin.kernel import seccomp_assembler as bpf
from tiffin.kernel import syscall_table
from tiffin.kernel.seccomp_profile import (
    ALLOW,
    ERRNO,
    KILL_PROCESS,
    LOG,
    TRACE,
    Circumstances,
    Comparison,
    Profile,
    Rule,
)
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# struct seccomp_data
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16

LAST_NUMBER = 0xFFFFFFFF
PRIVATE_CALLS = 0xF0000  # arm's own (cacheflush, set_tls) say nothing about the age of a kernel


class Architecture(NamedTuple):
    """What the kernel can run natively, under its AUDIT_ARCH number (linux/audit.h)."""

    token: int
    docker: str  # how Docker's profiles call it
    beside: tuple[str, ...]  # what else it can run


ARCHITECTURES = {
    "x86_64": Architecture(0xC000003E, "amd64", ("i386", "x32")),
    "aarch64": Architecture(0xC00000B7, "arm64", ("arm",)),
    "i386": Architecture(0x40000003, "x86", ()),
    "arm": Architecture(0x40000028, "arm", ()),
}
IN_PROFILES = {
    "SCMP_ARCH_X86_64": "x86_64",
    "SCMP_ARCH_X86": "i386",
    "SCMP_ARCH_X32": "x32",
    "SCMP_ARCH_AARCH64": "aarch64",
    "SCMP_ARCH_ARM": "arm",
}
WIDE = ("x86_64", "aarch64")  # have arguments of 64 bits; of the others the lower half counts, as in libseccomp


class Case(NamedTuple):
    """An answer under conditions."""

    comparisons: tuple[Comparison, ...]
    action: int
    wide: bool  # whole arguments are compared, not only their lower halves


Verdict = int | tuple[Case, ...]  # an answer; or the answer of the first case that fits, else the default


class Interval(NamedTuple):
    start: int  # it ends where the next one starts
    verdict: Verdict


def compile(profile: Profile, capabilities: frozenset[str], arch: str, kernel_version: tuple[int, int]) -> bytes:
    """See `seccomp.compile`."""
    if arch not in ARCHITECTURES:
        raise ValueError(f"no seccomp filters for {arch} here, only for {', '.join(ARCHITECTURES)}")
    docker_arch = ARCHITECTURES[arch].docker
    rules = [rule for rule in profile.rules if _counts(rule, capabilities, docker_arch, kernel_version)]
    numbers = syscall_table.read()
    named = _architectures(profile, arch)
    code = bpf.Assembler()
    starts = {
        name: _Filter(code, profile.default).write(intervals)
        for name, intervals in reversed(list(_programs(profile.default, rules, named, numbers)))
    }
    entry = code.answer(KILL_PROCESS)
    for name, start in starts.items():
        entry = code.branch(bpf.EQUAL, ARCHITECTURES[name].token, start, entry)
    code.load(ARCHITECTURE)
    return code.program()


def _counts(rule: Rule, capabilities: frozenset[str], arch: str, kernel_version: tuple[int, int]) -> bool:
    include, exclude = rule.includes, rule.excludes
    return (
        (not include.architectures or arch in include.architectures)
        and include.capabilities <= capabilities
        and (include.minimum_kernel is None or kernel_version >= include.minimum_kernel)
        and not _excluded(exclude, capabilities, arch, kernel_version)
    )


def _excluded(exclude: Circumstances, capabilities: frozenset[str], arch: str, version: tuple[int, int]) -> bool:
    return (
        arch in exclude.architectures
        or bool(exclude.capabilities & capabilities)
        or (exclude.minimum_kernel is not None and version >= exclude.minimum_kernel)
    )


def _architectures(profile: Profile, native: str) -> list[str]:
    """The native one always, and of those beside it what the profile names."""
    families = [family for family in profile.families if IN_PROFILES.get(family[0]) == native]
    named = {IN_PROFILES.get(name) for names in (profile.architectures, *families) for name in names}
    return [native, *(name for name in ARCHITECTURES[native].beside if name in named)]


def _programs(
    default: int, rules: Sequence[Rule], named: list[str], numbers: Mapping[str, Mapping[str, int]]
) -> Iterator[tuple[str, list[Interval]]]:
    for name in named:
        if name == "x32":
            continue  # has x86_64's token, so it is a part of that program
        intervals = _intervals(default, rules, name, numbers[name])
        if name == "x86_64":
            newer = intervals[-1].verdict
            intervals += (
                _intervals(default, rules, "x32", numbers["x32"], first=syscall_table.X32_BIT)
                if "x32" in named
                # -1 is what a debugger writes to skip a call (seccomp(2), SECCOMP_RET_TRACE): no x32
                else [Interval(syscall_table.X32_BIT, KILL_PROCESS), Interval(LAST_NUMBER, newer)]
            )
        yield name, intervals


def _intervals(
    default: int, rules: Sequence[Rule], arch: str, numbers: Mapping[str, int], first: int = 0
) -> list[Interval]:
    verdicts = _verdicts(default, rules, arch, numbers)
    newest = _newest(default, rules, numbers)
    newer = default if newest is None else ERRNO | errno.ENOSYS
    changes = {first, *verdicts, *(number + 1 for number in verdicts)}
    if newest is not None:
        changes.add(newest + 1)
    intervals: list[Interval] = []
    for start in sorted(changes):
        verdict = verdicts.get(start, newer if newest is not None and start > newest else default)
        if not intervals or intervals[-1].verdict != verdict:
            intervals.append(Interval(start, verdict))
    return intervals


def _verdicts(default: int, rules: Sequence[Rule], arch: str, numbers: Mapping[str, int]) -> dict[int, Verdict]:
    cases: dict[int, list[Case]] = {}
    for rule in rules:
        if rule.action == default:
            continue
        alternatives = _alternatives(rule)
        for name in rule.names:
            if name in numbers:
                several = [Case(comparisons, rule.action, arch in WIDE) for comparisons in alternatives]
                cases.setdefault(numbers[name], []).extend(several)
            if arch == "i386" and name in syscall_table.PACKED and not rule.comparisons:
                packed, selector = syscall_table.PACKED[name]
                chosen = (Comparison(0, "EQ", selector),)
                cases.setdefault(numbers[packed], []).append(Case(chosen, rule.action, wide=False))
    return {number: _verdict(several) for number, several in cases.items()}


def _verdict(cases: list[Case]) -> Verdict:
    return next((case.action for case in cases if not case.comparisons), tuple(cases))


def _alternatives(rule: Rule) -> list[tuple[Comparison, ...]]:
    arguments = [comparison.argument for comparison in rule.comparisons]
    if len(arguments) == len(set(arguments)):
        return [rule.comparisons]
    return [(comparison,) for comparison in rule.comparisons]  # runc: matchCall in seccomp_linux.go


def _newest(default: int, rules: Sequence[Rule], numbers: Mapping[str, int]) -> int | None:
    """The newest call that the profile names, if those after it are to get ENOSYS."""
    if default in (ALLOW, LOG) or default & 0xFFFF0000 == TRACE:
        return None
    known = {numbers[name] for rule in rules for name in rule.names if name in numbers}
    return max((number for number in known if number < PRIVATE_CALLS or number & syscall_table.X32_BIT), default=None)


class _Filter:
    """Writes the program of one architecture."""

    def __init__(self, code: bpf.Assembler, default: int) -> None:
        self._code = code
        self._default = default

    def write(self, intervals: list[Interval]) -> int:
        place = self._search(intervals)
        # a lone answer may have been written for another architecture, so that nothing can be put in front of it
        return place if len(intervals) == 1 else self._code.load(NUMBER)

    def _search(self, intervals: list[Interval]) -> int:
        if len(intervals) == 1:
            return self._answer(intervals[0].verdict)
        middle = _middle(intervals)
        below, above = intervals[:middle], intervals[middle:]
        # A lone answer comes last, so that it is written near, or found near.
        upper = self._search(above) if len(above) > 1 else None
        lower = self._search(below)
        if upper is None:
            upper = self._search(above)
        return self._code.branch(bpf.GREATER_OR_EQUAL, above[0].start, upper, lower)

    def _answer(self, verdict: Verdict) -> int:
        if isinstance(verdict, int):
            return self._code.answer(verdict)
        otherwise = self._code.answer(self._default)
        for case in reversed(verdict):
            fits = self._code.answer(case.action)
            for comparison in reversed(case.comparisons):
                fits = self._compare(comparison, case.wide, fits, otherwise)
            otherwise = fits
        return otherwise

    def _compare(self, comparison: Comparison, wide: bool, yes: int, no: int) -> int:
        match comparison.operation:
            case "EQ":
                return self._equal(comparison, wide, yes, no)
            case "NE":
                return self._equal(comparison, wide, no, yes)
            case "MASKED_EQ":
                return self._masked_equal(comparison, wide, yes, no)
            case "GT":
                return self._greater(bpf.GREATER, comparison, wide, yes, no)
            case "GE":
                return self._greater(bpf.GREATER_OR_EQUAL, comparison, wide, yes, no)
            case "LE":
                return self._greater(bpf.GREATER, comparison, wide, no, yes)
            case _:
                return self._greater(bpf.GREATER_OR_EQUAL, comparison, wide, no, yes)

    def _equal(self, comparison: Comparison, wide: bool, yes: int, no: int) -> int:
        everything = comparison._replace(value=(1 << 64) - 1, value_two=comparison.value)
        return self._masked_equal(everything, wide, yes, no)

    def _masked_equal(self, comparison: Comparison, wide: bool, yes: int, no: int) -> int:
        low, high = _words(comparison.argument)
        mask, wanted = comparison.value, comparison.value_two
        self._code.branch(bpf.EQUAL, wanted & 0xFFFFFFFF, yes, no)
        start = self._code.load(low, mask & 0xFFFFFFFF)
        if wide and (mask >> 32 or wanted >> 32):
            self._code.branch(bpf.EQUAL, wanted >> 32, start, no)
            start = self._code.load(high, mask >> 32)
        return start

    def _greater(self, test: int, comparison: Comparison, wide: bool, yes: int, no: int) -> int:
        """The upper half decides, unless it is equal."""
        low, high = _words(comparison.argument)
        self._code.branch(test, comparison.value & 0xFFFFFFFF, yes, no)
        start = self._code.load(low)
        if wide:
            if comparison.value >> 32:
                start = self._code.branch(bpf.EQUAL, comparison.value >> 32, start, no)
            self._code.branch(bpf.GREATER, comparison.value >> 32, yes, start)
            start = self._code.load(high)
        return start


def _words(argument: int) -> tuple[int, int]:
    """Where the lower and the upper half of an argument stand; all architectures here are little-endian."""
    low = ARGUMENTS + 8 * argument
    return low, low + 4


def _middle(intervals: list[Interval]) -> int:
    """Where to divide, so that about as many numbers lie on either side: wide intervals get the short ways."""
    target = (_weight(intervals[0].start) + _weight(intervals[-1].start)) / 2
    return min(range(1, len(intervals)), key=lambda index: abs(_weight(intervals[index].start) - target))


def _weight(number: int) -> float:
    """Grows with the calls below that number that the kernel walks through when a filter is loaded: x32 has few."""
    if number < syscall_table.X32_BIT:
        return min(number, 512)
    return 512 + min(number - syscall_table.X32_BIT, 1024) / 8
