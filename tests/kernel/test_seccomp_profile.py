from __future__ import annotations

import json
from typing import Any

import pytest

from tiffin.kernel.seccomp_profile import (
    ALLOW,
    ERRNO,
    KILL_PROCESS,
    KILL_THREAD,
    LOG,
    TRACE,
    TRAP,
    Circumstances,
    Comparison,
    Profile,
    Rule,
    parse,
)


def profile(**fields: Any) -> bytes:
    return json.dumps({"defaultAction": "SCMP_ACT_ERRNO"} | fields).encode()


def rule(**fields: Any) -> bytes:
    return profile(syscalls=[{"names": ["read"], "action": "SCMP_ACT_ALLOW"} | fields])


def test_dockers_form_depends_on_capabilities_architecture_and_kernel() -> None:
    text = profile(
        defaultErrnoRet=38,
        archMap=[
            {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]},
            {"architecture": "SCMP_ARCH_RISCV64", "subArchitectures": None},
        ],
        syscalls=[
            {
                "names": ["clone", "clone3"],
                "action": "SCMP_ACT_ALLOW",
                "args": [{"index": 0, "value": 2114060288, "op": "SCMP_CMP_MASKED_EQ"}],
                "comment": "no new namespaces",
                "includes": {"minKernel": "4.8", "arches": ["amd64"]},
                "excludes": {"caps": ["CAP_SYS_ADMIN"]},
            },
            {"name": "getpid", "action": "SCMP_ACT_LOG", "args": None, "includes": {}, "excludes": None},
        ],
    )
    assert parse(text) == Profile(
        default=ERRNO | 38,
        rules=(
            Rule(
                ("clone", "clone3"),
                ALLOW,
                (Comparison(0, "MASKED_EQ", 2114060288, 0),),
                Circumstances(architectures=frozenset({"amd64"}), minimum_kernel=(4, 8)),
                Circumstances(capabilities=frozenset({"CAP_SYS_ADMIN"})),
            ),
            Rule(("getpid",), LOG),
        ),
        families=(("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"), ("SCMP_ARCH_RISCV64",)),
    )


def test_ocis_form_lists_architectures_and_flags() -> None:
    text = profile(
        architectures=["SCMP_ARCH_X86_64", "SCMP_ARCH_X32"],
        flags=["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC"],
        syscalls=[{"names": ["getcwd"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5}],
    )
    assert parse(text) == Profile(
        ERRNO | 1, (Rule(("getcwd",), ERRNO | 5),), architectures=("SCMP_ARCH_X86_64", "SCMP_ARCH_X32"), flags=6
    )


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("ALLOW", ALLOW),
        ("ERRNO", ERRNO | 1),
        ("KILL", KILL_THREAD),
        ("KILL_THREAD", KILL_THREAD),
        ("KILL_PROCESS", KILL_PROCESS),
        ("LOG", LOG),
        ("TRACE", TRACE | 1),
        ("TRAP", TRAP),
    ],
)
def test_every_action_has_the_kernels_answer(name: str, answer: int) -> None:
    assert parse(profile(defaultAction=f"SCMP_ACT_{name}")).default == answer


MALFORMED = [
    (b"", "not JSON"),
    (b"\xff\xfe", "not JSON"),
    (b"[" * 100_000, "not JSON"),
    (b"[]", "the profile must be an object"),
    (b"{}", "defaultAction of the profile is missing"),
    (profile(defaultAction="ALLOW"), "defaultAction of the profile is ALLOW, which is not an action"),
    (profile(defaultAction=7), "defaultAction of the profile must be a name"),
    (profile(defaultErrnoRet=65536), "defaultErrnoRet of the profile must be a whole number from 0 to 65535"),
    (profile(defaultErrnoRet=True), "defaultErrnoRet"),
    (profile(architectures=["SCMP_ARCH_X86"], archMap=[{"architecture": "SCMP_ARCH_X86"}]), "both architectures and"),
    (profile(architectures=["x86_64"]), r"architectures\[0\] is x86_64"),
    (profile(flags=["SECCOMP_FILTER_FLAG_NEW_LISTENER"]), r"flags\[0\] is SECCOMP_FILTER_FLAG_NEW_LISTENER"),
    (profile(syscalls={}), "syscalls of the profile must be a list"),
    (profile(syscalls=["read"]), r"syscalls\[0\] must be an object"),
    (rule(names=[]), r"names of syscalls\[0\] is missing"),
    (rule(names=[3]), r"syscalls\[0\]\.names\[0\] must be a name, not 3"),
    (rule(name="write"), "stands beside names"),
    (rule(action="SCMP_ACT_NOTIFY"), "needs an agent"),
    (rule(args=[{"index": 6, "op": "SCMP_CMP_EQ"}]), r"index of syscalls\[0\]\.args\[0\] must be .* 0 to 5"),
    (rule(args=[{"op": "SCMP_CMP_EQ"}]), r"index of syscalls\[0\]\.args\[0\] is missing"),
    (rule(args=[{"index": 0, "op": "SCMP_CMP_LIKE"}]), "op of .* is LIKE, which is not one of"),
    (rule(args=[{"index": 0, "op": "SCMP_CMP_EQ", "value": -1}]), "value of"),
    (rule(args=[{"index": 0, "op": "SCMP_CMP_EQ", "value": 1 << 64}]), "value of"),
    (rule(args=[{"index": 0, "op": "SCMP_CMP_EQ", "valueTwo": 0.5}]), "valueTwo of"),
    (rule(includes={"minKernel": "four"}), r"minKernel of syscalls\[0\]\.includes must be a version"),
    (rule(excludes={"caps": "CAP_BPF"}), r"caps of syscalls\[0\]\.excludes must be a list"),
    (rule(includes=["CAP_BPF"]), r"syscalls\[0\]\.includes must be an object"),
]


@pytest.mark.parametrize(("text", "problem"), MALFORMED)
def test_a_malformed_profile_is_refused_with_the_place_of_the_mistake(text: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse(text)
