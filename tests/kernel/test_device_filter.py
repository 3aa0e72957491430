from __future__ import annotations

import os
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiffin.kernel import device_filter
from tiffin.kernel.cgroup_limits import DeviceRule

kinds = st.sampled_from("bc")
numbers = st.sampled_from([0, 1, 3, 5, 1_048_575])
accesses = st.sets(st.sampled_from("rwm"), min_size=1).map(lambda letters: "".join(sorted(letters)))
rules = st.lists(
    st.builds(DeviceRule, st.booleans(), kinds | st.just("a"), numbers | st.none(), numbers | st.none(), accesses),
    max_size=12,
)


def allowed(rules: list[DeviceRule], kind: str, major: int, minor: int, access: str) -> bool:
    """What the rules mean: for each access the last rule that fits decides."""
    return all(_allowed(rules, kind, major, minor, letter) for letter in access)


def _allowed(rules: list[DeviceRule], kind: str, major: int, minor: int, letter: str) -> bool:
    for rule in reversed(rules):
        fits = rule.kind in ("a", kind) and rule.major in (None, major) and rule.minor in (None, minor)
        if fits and letter in rule.access:
            return rule.allow
    return True


def run(program: bytes, kind: str, major: int, minor: int, access: str) -> bool:
    """An interpreter for the few eBPF instructions that the filter uses."""
    wanted = sum(device_filter.ACCESSES[letter] for letter in access)
    context = {0: wanted << 16 | device_filter.KINDS[kind], 4: major, 8: minor}
    registers = [0] * 11
    instructions = list(struct.iter_unpack("=BBhi", program))
    place = 0
    while True:
        operation, both, offset, value = instructions[place]
        to, source = both & 15, both >> 4
        place += 1
        match operation:
            case device_filter.LOAD:
                registers[to] = context[offset]
            case device_filter.COPY:
                registers[to] = registers[source]
            case device_filter.MOVE:
                registers[to] = value
            case device_filter.AND:
                registers[to] &= value
            case device_filter.SHIFT_RIGHT:
                registers[to] >>= value
            case device_filter.JUMP:
                place += offset
            case device_filter.JUMP_IF_NOT_EQUAL:
                place += offset * (registers[to] != value)
            case device_filter.JUMP_IF_ANY_BIT:
                place += offset * (registers[to] & value != 0)
            case device_filter.EXIT:
                return bool(registers[0])
            case _:
                raise AssertionError(operation)


@given(rules, kinds, numbers, numbers, accesses)
def test_the_program_decides_as_the_rules_say(
    rules: list[DeviceRule], kind: str, major: int, minor: int, access: str
) -> None:
    program = device_filter.build(rules)
    assert run(program, kind, major, minor, access) == allowed(rules, kind, major, minor, access)


@pytest.mark.root
@given(rules)
def test_the_kernel_takes_every_program(rules: list[DeviceRule]) -> None:
    os.close(device_filter.load(device_filter.build(rules)))


def test_an_access_that_two_rules_allow_in_parts_is_allowed() -> None:
    nothing = DeviceRule(False, "a", None, None, "rwm")
    program = device_filter.build([nothing, DeviceRule(True, "c", 1, 3, "r"), DeviceRule(True, "c", 1, 3, "w")])
    assert run(program, "c", 1, 3, "rw")
    assert not run(program, "c", 1, 3, "rwm")
