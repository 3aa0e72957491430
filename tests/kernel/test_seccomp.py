from __future__ import annotations

import ctypes
import errno
import functools
import itertools
import mmap
import os
import signal
import struct
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tiffin
from tests.kernel.children import in_child
from tests.kernel.seccomp_reference import TABLES, TOKENS, Reference, applicable, run, unknown_architecture
from tiffin.kernel import capabilities, seccomp, syscall_table
from tiffin.kernel.libc import SYS, syscall
from tiffin.kernel.seccomp_profile import (
    ALLOW,
    COMPARISONS,
    ERRNO,
    KILL_PROCESS,
    KILL_THREAD,
    LOG,
    TRACE,
    Comparison,
    Profile,
    Rule,
)

if TYPE_CHECKING:
    from collections.abc import Callable

DOCKERS_CAPABILITIES = frozenset(capabilities.names(capabilities.members(0x00000000A80425FB)))
ALL_CAPABILITIES = frozenset(capabilities.NAMES)
NO_CAPABILITIES: frozenset[str] = frozenset()

KERNEL = (6, 1)
EPERM, ENOSYS = ERRNO | errno.EPERM, ERRNO | errno.ENOSYS
X86 = ("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32")
ARM = ("SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM")



def i386_call() -> Callable[[int, int], int]:
    """Machine code that makes an i386 system call from a 64-bit process: int 0x80, with number and first argument."""
    code = bytes.fromhex("53 89f8 89f3 cd80 5b c3")
    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    start = ctypes.c_char.from_buffer(page)
    function = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int)(ctypes.addressof(start))

    def call(number: int, argument: int) -> int:
        assert start.value == code[:1]  # also: the page stays mapped as long as something points to it
        return int(function(number, argument))

    return call


def runs_i386() -> bool:
    """Has this kernel i386's calls? Asked in a child, for it may die of it."""
    if os.uname().machine != "x86_64":
        return False
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(i386_call()(TABLES["i386"]["getpid"], 0) != os.getpid())
        finally:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0


needs_i386 = pytest.mark.skipif(not runs_i386(), reason="needs a kernel that runs i386 programs")


@functools.cache
def dockers() -> Profile:
    with open(os.path.join(os.path.dirname(tiffin.__file__), "runtime", "seccomp.json"), "rb") as file:
        return seccomp.parse(file.read())


@functools.cache
def dockers_filter(held: frozenset[str] = DOCKERS_CAPABILITIES, arch: str = "x86_64") -> bytes:
    return seccomp.compile(dockers(), capabilities=held, arch=arch, kernel_version=KERNEL)


def compiled(profile: Profile, arch: str = "x86_64") -> bytes:
    return seccomp.compile(profile, capabilities=NO_CAPABILITIES, arch=arch, kernel_version=KERNEL)


def answer(program: bytes, name: str, *arguments: int, arch: str = "x86_64") -> int:
    return run(program, TOKENS[arch], TABLES[arch][name], (*arguments, 0, 0, 0, 0, 0, 0)[:6])


def numbers_to_try(arch: str) -> list[int]:
    """All calls, the numbers around them, and the ends of what a register holds."""
    first = syscall_table.X32_BIT if arch == "x32" else 0
    near = {number + step for number in TABLES[arch].values() for step in (-1, 0, 1)}
    ends = {first + 1023, first + 0xFFFFF, first + 0x3FFFFFFF, 0xFFFFFFFE}
    if arch == "x86_64":  # where x32's begin
        ends.remove(0xFFFFFFFE)
    return sorted(number for number in near | ends if number >= first)


def interesting_arguments(profile: Profile) -> list[int]:
    """What the profile compares with, what lies around it, and the same in the upper half of a word."""
    values = {
        value
        for rule in profile.rules
        for comparison in rule.comparisons
        for value in (comparison.value, comparison.value_two)
    }
    around = {(value + step) % (1 << 64) for value in values | {0, 1 << 32} for step in (-1, 0, 1)}
    return sorted(around | {value << 32 & (1 << 64) - 1 for value in values})


@pytest.mark.parametrize("held", [NO_CAPABILITIES, DOCKERS_CAPABILITIES, ALL_CAPABILITIES], ids=["none", "some", "all"])
@pytest.mark.parametrize(
    ("native", "docker_arch", "arch"),
    [
        ("x86_64", "amd64", "x86_64"),
        ("x86_64", "amd64", "i386"),
        ("x86_64", "amd64", "x32"),
        ("aarch64", "arm64", "aarch64"),
        ("aarch64", "arm64", "arm"),
    ],
)
def test_dockers_filter_answers_every_call_as_the_profile_says(
    native: str, docker_arch: str, arch: str, held: frozenset[str]
) -> None:
    program = dockers_filter(held, native)
    reference = Reference(dockers().default, applicable(dockers(), held, docker_arch, KERNEL), arch)
    compared = {TABLES[arch].get(name) for rule in dockers().rules if rule.comparisons for name in rule.names}
    for number in numbers_to_try(arch):
        for value in interesting_arguments(dockers()) if number in compared else (0, (1 << 64) - 1):
            arguments = (value, value, 0, 0, 0, 0)
            expected = reference.answer(number, arguments)
            assert run(program, TOKENS[arch], number, arguments) == expected, (number, value)


def test_dockers_filter_is_small_and_answers_after_few_steps() -> None:
    assert len(dockers_filter()) // 8 < 500


def test_some_facts_that_dockers_filter_is_known_for() -> None:
    program = dockers_filter()
    new_user_namespace, thread = 0x10000000, 0x3D0F00
    assert answer(program, "read") == answer(program, "clone", thread) == ALLOW
    assert answer(program, "clone", new_user_namespace | signal.SIGCHLD) == EPERM
    assert answer(program, "clone3") == ENOSYS
    assert [answer(program, name) for name in ("keyctl", "unshare", "mount", "bpf", "io_uring_setup")] == [EPERM] * 5
    assert [answer(program, "socket", family) for family in (2, 38, 39, 40, 41)] == [ALLOW, EPERM, ALLOW, EPERM, ALLOW]
    assert [answer(program, "personality", persona) for persona in (8, 0x40000)] == [ALLOW, EPERM]
    assert answer(program, "ptrace") == ALLOW
    assert answer(program, "open_tree_attr") == ENOSYS


def test_capabilities_open_the_calls_that_need_them() -> None:
    program = dockers_filter(DOCKERS_CAPABILITIES | {"CAP_SYS_ADMIN"})
    assert [answer(program, name, 0x10000000) for name in ("clone", "clone3", "unshare", "mount")] == [ALLOW] * 4
    assert answer(program, "reboot") == EPERM


def test_an_old_kernel_is_not_let_use_ptrace() -> None:
    old = seccomp.compile(dockers(), capabilities=NO_CAPABILITIES, arch="x86_64", kernel_version=(4, 7))
    assert answer(old, "ptrace") == EPERM


def test_an_architecture_that_the_profile_does_not_name_is_killed() -> None:
    only_native = compiled(Profile(ALLOW, ()))
    assert unknown_architecture(dockers_filter()) == KILL_PROCESS
    assert answer(only_native, "getpid") == ALLOW
    assert [answer(only_native, "getpid", arch=arch) for arch in ("i386", "x32")] == [KILL_PROCESS, KILL_PROCESS]
    assert run(only_native, TOKENS["x86_64"], 0xFFFFFFFF, (0,) * 6) == ALLOW  # a debugger that skips a call


def test_ocis_list_of_architectures_names_them_too() -> None:
    program = compiled(Profile(ALLOW, (), architectures=("SCMP_ARCH_X86",)))
    assert [answer(program, "getpid", arch=arch) for arch in ("x86_64", "i386", "x32")] == [ALLOW, ALLOW, KILL_PROCESS]


def test_a_rule_without_comparisons_wins_over_those_with() -> None:
    compare = Rule(("getpid",), ERRNO | 5, (Comparison(0, "EQ", 1),))
    for rules in ((compare, Rule(("getpid",), ALLOW)), (Rule(("getpid",), ALLOW), compare)):
        assert answer(compiled(Profile(ERRNO | 1, rules)), "getpid", 1) == ALLOW


def test_of_rules_with_comparisons_the_first_that_fits_counts() -> None:
    one = Rule(("dup",), ERRNO | 5, (Comparison(0, "EQ", 1),))
    many = Rule(("dup",), ALLOW, (Comparison(0, "GE", 1),))
    one_first, many_first = compiled(Profile(EPERM, (one, many))), compiled(Profile(EPERM, (many, one)))
    assert [answer(one_first, "dup", value) for value in (0, 1, 2)] == [EPERM, ERRNO | 5, ALLOW]
    assert [answer(many_first, "dup", value) for value in (0, 1, 2)] == [EPERM, ALLOW, ALLOW]


def test_all_comparisons_of_a_rule_must_hold_but_those_of_one_argument_are_alternatives() -> None:
    both = Rule(("dup",), ALLOW, (Comparison(0, "EQ", 1), Comparison(1, "EQ", 2)))
    either = Rule(("dup",), ALLOW, (Comparison(0, "EQ", 1), Comparison(0, "EQ", 2)))
    arguments = ((1, 2), (1, 0), (2, 2))
    assert [answer(compiled(Profile(EPERM, (both,))), "dup", *pair) for pair in arguments] == [ALLOW, EPERM, EPERM]
    assert [answer(compiled(Profile(EPERM, (either,))), "dup", *pair) for pair in arguments] == [ALLOW, ALLOW, ALLOW]


def test_a_forbidden_socket_is_forbidden_inside_i386s_socketcall_too() -> None:
    program = compiled(Profile(ALLOW, (Rule(("socket", "shmat"), EPERM),), architectures=X86))
    assert [answer(program, "socketcall", call, arch="i386") for call in (1, 2)] == [EPERM, ALLOW]
    assert [answer(program, "ipc", call, arch="i386") for call in (21, 22)] == [EPERM, ALLOW]
    assert answer(program, "socket", arch="i386") == EPERM


def test_a_permissive_profile_lets_new_calls_through() -> None:
    program = compiled(Profile(ALLOW, (Rule(("getpid",), EPERM),)))
    assert run(program, TOKENS["x86_64"], 2000, (0,) * 6) == ALLOW


def test_an_unknown_machine_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="no seccomp filters for sparc64 here, only for x86_64, aarch64"):
        compiled(Profile(ALLOW, ()), arch="sparc64")


def test_a_profile_that_is_too_big_for_the_kernel_is_refused() -> None:
    compare = (Rule(("getpid",), ALLOW, (Comparison(0, "EQ", value << 32 | 1),)) for value in range(2000))
    with pytest.raises(ValueError, match="but the kernel takes 4096"):
        compiled(Profile(EPERM, tuple(compare)))


def test_a_filter_with_far_jumps_answers_right() -> None:
    """More than 255 instructions between a question and what it leads to."""
    rules = tuple(
        Rule((name,), ERRNO | value, (Comparison(0, "EQ", value), Comparison(1, "GT", 1 << 40)))
        for value, name in itertools.product(range(2, 40), ("getpid", "close"))
    )
    program = compiled(Profile(EPERM, rules))
    for value, name in itertools.product((2, 20, 39), ("getpid", "close")):
        assert answer(program, name, value, 1 << 41) == ERRNO | value
        assert answer(program, name, value, 1 << 39) == EPERM
    assert unknown_architecture(program) == KILL_PROCESS


words = st.sampled_from([0, 1, 2, 0x7E020000, 0xFFFFFFFF, 1 << 32, (1 << 32) + 1, 1 << 63, (1 << 64) - 1])
names = st.sampled_from(["read", "write", "open", "socket", "semop", "clone3", "execve", "removexattrat", "nonsense"])
actions = st.sampled_from([ALLOW, EPERM, ERRNO | 5, KILL_THREAD, LOG, TRACE | 1])
comparisons = st.builds(Comparison, st.integers(0, 2), st.sampled_from(COMPARISONS), words, words)
rules = st.tuples(
    st.lists(names, min_size=1, max_size=3).map(tuple),
    actions,
    st.lists(comparisons, max_size=3).map(tuple),
).map(lambda fields: Rule(*fields))
profiles = st.tuples(actions, st.lists(rules, max_size=6).map(tuple), st.just(X86 + ARM)).map(
    lambda fields: Profile(*fields)
)


@given(profiles, st.sampled_from(list(TOKENS)), st.lists(st.tuples(names, st.tuples(words, words, words)), min_size=8))
def test_any_profile_is_answered_as_it_says(
    profile: Profile, arch: str, calls: list[tuple[str, tuple[int, int, int]]]
) -> None:
    program = compiled(profile, arch="aarch64" if arch in ("aarch64", "arm") else "x86_64")
    reference = Reference(profile.default, list(profile.rules), arch)
    extra = ["socketcall", "ipc"] if arch == "i386" else []
    for name, arguments in [*calls, *((name, (1, 0, 0)) for name in extra)]:
        number = TABLES[arch].get(name, 1000 | (syscall_table.X32_BIT if arch == "x32" else 0))
        six = (*arguments, 0, 0, 0)
        assert run(program, TOKENS[arch], number, six) == reference.answer(number, six)


def test_an_architecture_none_of_whose_calls_is_named_gets_the_default_answer() -> None:
    program = compiled(Profile(EPERM, (Rule(("open",), ALLOW, ()),), ARM), arch="aarch64")
    assert answer(program, "read", arch="aarch64") == EPERM
    assert answer(program, "open", arch="arm") == ALLOW


def test_the_tables_agree_with_the_calls_that_we_make_ourselves() -> None:
    table = TABLES[os.uname().machine]
    assert {name: table[name] for name in SYS._fields} == SYS._asdict()


def outcome(call: Callable[[], object]) -> str:
    try:
        call()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "done"


def under_dockers_filter(*calls: Callable[[], object]) -> list[str]:
    program = dockers_filter(arch=os.uname().machine)

    def act() -> list[str]:
        capabilities.set_no_new_privs()
        seccomp.load(program)
        return [outcome(call) for call in calls]

    answers: list[str] = in_child(act)
    return answers


def test_the_kernel_enforces_the_filter() -> None:
    new_user_namespace, vsock, no_randomize = 0x10000000, 40, 0x40000
    table = TABLES[os.uname().machine]
    assert under_dockers_filter(
        os.getpid,
        lambda: syscall(SYS.unshare, new_user_namespace),
        lambda: syscall(SYS.clone3, None, 0),
        lambda: syscall(SYS.clone, new_user_namespace | signal.SIGCHLD, 0, 0, 0, 0),
        lambda: syscall(SYS.keyctl, 0, 0, 0, 0, 0),
        lambda: syscall(table["socket"], vsock, 1, 0),
        lambda: syscall(table["socket"], 1, 1, 0),
        lambda: syscall(table["personality"], no_randomize),
        lambda: syscall(table["personality"], 0xFFFFFFFF),
        lambda: syscall(2000),
    ) == ["done", "EPERM", "ENOSYS", "EPERM", "EPERM", "EPERM", "done", "EPERM", "done", "ENOSYS"]


@pytest.mark.parametrize("command", [["/bin/true"], [sys.executable, "-c", "import threading, socket, ctypes"]])
def test_ordinary_programs_run_under_dockers_filter(command: list[str]) -> None:
    program = dockers_filter(arch=os.uname().machine)
    pid = os.fork()
    if pid == 0:
        try:
            capabilities.set_no_new_privs()
            seccomp.load(program)
            os.execv(command[0], command)
        finally:
            os._exit(127)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.mark.root
def test_an_ordinary_user_needs_no_new_privs_to_load() -> None:
    program = dockers_filter(arch=os.uname().machine)

    def act() -> list[str]:
        os.setresuid(65534, 65534, 65534)
        before = outcome(lambda: seccomp.load(program))
        capabilities.set_no_new_privs()
        return [before, outcome(lambda: seccomp.load(program)), outcome(lambda: syscall(SYS.keyctl, 0, 0, 0, 0, 0))]

    assert in_child(act) == ["EACCES", "done", "EPERM"]


@pytest.mark.root
def test_root_loads_without_no_new_privs() -> None:
    program = dockers_filter(arch=os.uname().machine)
    assert in_child(lambda: outcome(lambda: seccomp.load(program))) == "done"


def test_a_filter_that_the_kernel_refuses_is_an_error() -> None:
    never_returns = struct.pack("=HBBI", 0x20, 0, 0, 0)

    def act() -> str:
        capabilities.set_no_new_privs()
        return outcome(lambda: seccomp.load(never_returns))

    assert in_child(act) == "EINVAL"


def test_loading_imports_nothing_and_opens_nothing() -> None:
    program = dockers_filter(arch=os.uname().machine)

    def act() -> list[str]:
        capabilities.set_no_new_privs()
        seen: list[str] = []
        sys.addaudithook(lambda event, _: seen.append(event) if event in ("import", "open") else None)
        sys.meta_path.clear()
        seccomp.load(program)
        return seen

    assert in_child(act) == []


@needs_i386
def test_i386_calls_have_their_own_numbers() -> None:
    program = dockers_filter()

    def act() -> list[int]:
        call = i386_call()
        capabilities.set_no_new_privs()
        seccomp.load(program)
        i386 = TABLES["i386"]
        return [call(i386["getpid"], 0) - os.getpid(), call(i386["keyctl"], 0), call(i386["clone3"], 0)]

    assert in_child(act) == [0, -errno.EPERM, -errno.ENOSYS]


@needs_i386
def test_the_kernel_kills_a_call_of_an_architecture_that_is_not_named() -> None:
    program = compiled(Profile(ALLOW, ()))
    pid = os.fork()
    if pid == 0:
        try:
            call = i386_call()
            capabilities.set_no_new_privs()
            seccomp.load(program)
            call(TABLES["i386"]["getpid"], 0)
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGSYS
