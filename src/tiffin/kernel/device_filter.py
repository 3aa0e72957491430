"""Device rules on cgroup v2: there the kernel asks a small eBPF program of the group instead of reading a file.

The program gets the kind of the device, its numbers and the accesses that are wanted together (an `open` may want
to read and write). It goes through the rules from the last to the first and settles each access by the first rule
that it meets; what no rule speaks of is allowed, as in a new v1 group. See kernel: Documentation/admin-guide/
cgroup-v2.rst "Device controller", and linux/bpf.h, struct bpf_cgroup_dev_ctx.
"""

from __future__ import annotations

import ctypes
import os
import struct

from tiffin.kernel.libc import SYS, syscall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from tiffin.kernel.cgroup_limits import DeviceRule

BPF_PROG_LOAD = 5
BPF_PROG_ATTACH = 8
BPF_PROG_TYPE_CGROUP_DEVICE = 15
BPF_CGROUP_DEVICE = 6
BPF_F_ALLOW_MULTI = 2  # leaves room for the filters of groups above and below

KINDS = {"b": 1, "c": 2}
ACCESSES = {"m": 1, "r": 2, "w": 4}

# eBPF operations (linux/bpf.h): load a word, and arithmetic and jumps with a constant, on 64 bits
LOAD = 0x61
MOVE = 0xB7
AND = 0x57
SHIFT_RIGHT = 0x77
COPY = 0xBF
JUMP = 0x05
JUMP_IF_NOT_EQUAL = 0x55
JUMP_IF_ANY_BIT = 0x45
EXIT = 0x95

# registers: 0 is the answer, 1 the context
WANTED, KIND, MAJOR, MINOR = 2, 3, 4, 5


def attach(rules: Iterable[DeviceRule], directory: int) -> None:
    """Load the rules and attach them to the group whose directory is open as `directory`. Raises OSError."""
    program = load(build(rules))
    try:
        attributes = struct.pack("=IIII", directory, program, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI)
        syscall(SYS.bpf, BPF_PROG_ATTACH, attributes, len(attributes))
    finally:
        os.close(program)  # the group holds it from now on, until it is removed


def load(program: bytes) -> int:
    """Hand a program to the kernel's verifier; gives its (close-on-exec) descriptor."""
    code = ctypes.create_string_buffer(program, len(program))
    licence = ctypes.create_string_buffer(b"Apache-2.0")
    fields = (BPF_PROG_TYPE_CGROUP_DEVICE, len(program) // 8, ctypes.addressof(code), ctypes.addressof(licence))
    attributes = struct.pack("=IIQQIIQ", *fields, 0, 0, 0)  # the zeros: no log of the verifier
    return syscall(SYS.bpf, BPF_PROG_LOAD, attributes, len(attributes))


def build(rules: Iterable[DeviceRule]) -> bytes:
    """The program, as an array of struct bpf_insn."""
    program = [
        _instruction(LOAD, to=WANTED, source=1, offset=0),  # accesses in the upper half, kind in the lower
        _instruction(COPY, to=KIND, source=WANTED),
        _instruction(AND, to=KIND, value=0xFFFF),
        _instruction(SHIFT_RIGHT, to=WANTED, value=16),
        _instruction(LOAD, to=MAJOR, source=1, offset=4),
        _instruction(LOAD, to=MINOR, source=1, offset=8),
    ]
    for rule in reversed(tuple(rules)):
        verdict = _verdict(rule)
        conditions = _conditions(rule)
        for place, (register, value) in enumerate(conditions):
            to_next_rule = len(conditions) - place - 1 + len(verdict)
            program.append(_instruction(JUMP_IF_NOT_EQUAL, to=register, value=value, offset=to_next_rule))
        program += verdict
        if not conditions and set(rule.access) == set(ACCESSES):
            return b"".join(program)  # settles all; the verifier refuses code that is never reached
    return b"".join([*program, *_answer(allow=True)])


def _conditions(rule: DeviceRule) -> list[tuple[int, int]]:
    wanted = ((KIND, KINDS.get(rule.kind)), (MAJOR, rule.major), (MINOR, rule.minor))
    return [(register, value) for register, value in wanted if value is not None]


def _verdict(rule: DeviceRule) -> list[bytes]:
    bits = sum(ACCESSES[letter] for letter in set(rule.access))
    answer = _answer(allow=rule.allow)
    if set(rule.access) == set(ACCESSES):
        return answer
    if rule.allow:  # these accesses are settled; go on while others are open
        settle = _instruction(AND, to=WANTED, value=~bits)
        return [settle, _instruction(JUMP_IF_NOT_EQUAL, to=WANTED, value=0, offset=len(answer)), *answer]
    refuse = _instruction(JUMP_IF_ANY_BIT, to=WANTED, value=bits, offset=1)
    return [refuse, _instruction(JUMP, offset=len(answer)), *answer]


def _answer(*, allow: bool) -> list[bytes]:
    return [_instruction(MOVE, to=0, value=int(allow)), _instruction(EXIT)]


def _instruction(operation: int, *, to: int = 0, source: int = 0, offset: int = 0, value: int = 0) -> bytes:
    return struct.pack("=BBhi", operation, to | source << 4, offset, value)
