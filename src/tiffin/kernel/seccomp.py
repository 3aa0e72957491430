"""Seccomp filters: small programs that the kernel runs before every system call of a process (seccomp(2)).

    profile (JSON) ── parse ── Profile ── compile ── program (bytes) ── load ── in force, for good

Compiling is done once per profile and set of capabilities, and the program kept. Whoever only loads one gets no
more than this module.
"""

from __future__ import annotations

import ctypes

from tiffin.kernel.libc import SYS, syscall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.kernel.seccomp_profile import Profile

SECCOMP_SET_MODE_FILTER = 1
INSTRUCTION_SIZE = 8  # struct sock_filter


def parse(text: bytes) -> Profile:
    """Read a profile in Docker's or OCI's form. Raises ValueError that names the place and what is wrong there."""
    from tiffin.kernel import seccomp_profile  # shims never parse

    return seccomp_profile.parse(text)


def compile(profile: Profile, *, capabilities: frozenset[str], arch: str, kernel_version: tuple[int, int]) -> bytes:
    """The filter, as an array of struct sock_filter, for a container with these capabilities (CAP_SYS_ADMIN).

    `arch` is named as by `uname -m`. Raises ValueError for one that is not known here and for a profile that needs
    more instructions than the kernel takes.
    """
    from tiffin.kernel import seccomp_compiler  # shims never compile

    return seccomp_compiler.compile(profile, capabilities, arch, kernel_version)


def load(program: bytes, *, flags: int = 0) -> None:
    """Put the calling thread, and all that it will start, under the filter, for good.

    `flags` are those of the profile. Needs no_new_privs or CAP_SYS_ADMIN. Raises OSError. Imports nothing and opens
    no file, so that it may be called inside a container.
    """
    prepared = _Program(len(program) // INSTRUCTION_SIZE, program)
    syscall(SYS.seccomp, SECCOMP_SET_MODE_FILTER, flags, ctypes.byref(prepared))


class _Program(ctypes.Structure):
    """struct sock_fprog"""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))
