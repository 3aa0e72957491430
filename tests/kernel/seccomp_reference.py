"""What a seccomp profile means, the slow and obvious way, and an interpreter for the filters made of it."""

from __future__ import annotations

import struct

from tiffin.kernel import syscall_table
from tiffin.kernel.seccomp_profile import ALLOW, ERRNO, KILL_PROCESS, LOG, TRACE, Comparison, Profile, Rule

TABLES = syscall_table.read()
TOKENS = {"x86_64": 0xC000003E, "x32": 0xC000003E, "i386": 0x40000003, "aarch64": 0xC00000B7, "arm": 0x40000028}
ENOSYS = 38

Arguments = tuple[int, ...]


class Reference:
    """The applicable rules of a profile on one of the architectures that it names."""

    def __init__(self, default: int, rules: list[Rule], arch: str) -> None:
        self.default = default
        self.rules = rules
        self.arch = arch
        self.numbers = TABLES[arch]
        named = {self.numbers[name] for rule in rules for name in rule.names if name in self.numbers}
        self.newest = max((number for number in named if number not in range(0xF0000, 0xFFFFF)), default=1 << 32)

    def answer(self, number: int, arguments: Arguments) -> int:
        saying = [rule for rule in self.rules if rule.action != self.default]
        direct = [rule for rule in saying if number in {self.numbers.get(name) for name in rule.names}]
        for rule in direct:
            if not rule.comparisons:
                return rule.action
        for rule in saying:
            if rule in direct and self.fits(rule, arguments):
                return rule.action
            if self.packs(rule, number, arguments):
                return rule.action
        permissive = self.default in (ALLOW, LOG) or self.default & 0xFFFF0000 == TRACE
        named = {self.numbers.get(name) for rule in self.rules for name in rule.names}
        return ERRNO | ENOSYS if number > self.newest and number not in named and not permissive else self.default

    def fits(self, rule: Rule, arguments: Arguments) -> bool:
        held = [self.holds(comparison, arguments) for comparison in rule.comparisons]
        indexes = {comparison.argument for comparison in rule.comparisons}
        return all(held) if len(indexes) == len(held) else any(held)

    def holds(self, comparison: Comparison, arguments: Arguments) -> bool:
        word = (1 << 64) - 1 if self.arch in ("x86_64", "aarch64") else (1 << 32) - 1
        argument = arguments[comparison.argument] & word
        value, value_two = comparison.value & word, comparison.value_two & word
        return {
            "NE": argument != value,
            "LT": argument < value,
            "LE": argument <= value,
            "EQ": argument == value,
            "GE": argument >= value,
            "GT": argument > value,
            "MASKED_EQ": argument & value == value_two,
        }[comparison.operation]

    def packs(self, rule: Rule, number: int, arguments: Arguments) -> bool:
        """Is it i386's socketcall or ipc with a call in it that the rule names?"""
        packed = [syscall_table.PACKED[name] for name in rule.names if name in syscall_table.PACKED]
        calls = {(self.numbers[call], selector) for call, selector in packed} if self.arch == "i386" else set()
        return not rule.comparisons and (number, arguments[0] & 0xFFFFFFFF) in calls


def applicable(profile: Profile, capabilities: frozenset[str], arch: str, kernel: tuple[int, int]) -> list[Rule]:
    """The rules whose circumstances are given; `arch` in Docker's spelling."""
    rules = []
    for rule in profile.rules:
        include, exclude = rule.includes, rule.excludes
        if include.architectures and arch not in include.architectures:
            continue
        if include.capabilities - capabilities:
            continue
        if include.minimum_kernel and kernel < include.minimum_kernel:
            continue
        if arch in exclude.architectures or exclude.capabilities & capabilities:
            continue
        if exclude.minimum_kernel and kernel >= exclude.minimum_kernel:
            continue
        rules.append(rule)
    return rules


def run(program: bytes, token: int, number: int, arguments: Arguments) -> int:
    """The answer of a filter to a system call."""
    call = struct.pack("=IIQ6Q", number, token, 0, *arguments)
    instructions = list(struct.iter_unpack("=HBBI", program))
    accumulator = place = 0
    while True:
        operation, yes, no, value = instructions[place]
        place += 1
        match operation:
            case 0x20:  # load
                accumulator = int.from_bytes(call[value : value + 4], "little")
            case 0x05:  # jump
                place += value
            case 0x06:  # return
                return int(value)
            case 0x54:  # and
                accumulator &= value
            case 0x15:
                place += yes if accumulator == value else no
            case 0x25:
                place += yes if accumulator > value else no
            case 0x35:
                place += yes if accumulator >= value else no
            case _:
                raise AssertionError(f"instruction {operation:#x}")


def unknown_architecture(program: bytes) -> int:
    return run(program, 0x12345678, 0, (0,) * 6)


__all__ = ["KILL_PROCESS", "TABLES", "TOKENS", "Reference", "applicable", "run", "unknown_architecture"]
