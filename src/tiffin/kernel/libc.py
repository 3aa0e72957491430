"""The door to the C library: the only module that loads it.

Everything is looked up when this module is imported, so that a call needs no import and opens no file: most
callers stand inside a container's file system, where neither may happen.
"""

from __future__ import annotations

import ctypes
import os

from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _ctypes import _CArgObject
    from collections.abc import Callable
    from ctypes import Array, _Pointer, _SimpleCData
    from typing import Any

    Argument = int | bytes | None | Array[Any] | _CArgObject | _Pointer[Any] | _SimpleCData[Any]


class Numbers(NamedTuple):
    """Numbers of the system calls that we make by number: no C library has functions for all of them."""

    bpf: int
    capget: int
    capset: int
    clone: int
    execveat: int
    keyctl: int
    memfd_create: int
    mknodat: int
    mount: int
    name_to_handle_at: int
    pivot_root: int
    prctl: int
    prlimit64: int
    renameat2: int
    rt_sigaction: int
    seccomp: int
    setdomainname: int
    setgroups: int
    sethostname: int
    setns: int
    setresgid: int
    setresuid: int
    syncfs: int
    umount2: int
    unshare: int
    waitid: int
    # From 424 on every architecture has the same numbers.
    pidfd_send_signal: int = 424
    open_tree: int = 428
    move_mount: int = 429
    fsopen: int = 430
    fsconfig: int = 431
    fsmount: int = 432
    fspick: int = 433
    pidfd_open: int = 434
    clone3: int = 435
    close_range: int = 436
    openat2: int = 437
    pidfd_getfd: int = 438
    faccessat2: int = 439
    mount_setattr: int = 442
    fchmodat2: int = 452
    statmount: int = 457
    listmount: int = 458


def numbers(machine: str) -> Numbers:
    """The numbers of an architecture, named as by `uname -m`. Raises OSError for one that tiffin does not know."""
    if machine == "x86_64":
        return Numbers(
            bpf=321, capget=125, capset=126, clone=56, execveat=322, keyctl=250, memfd_create=319, mknodat=259,
            mount=165, name_to_handle_at=303, pivot_root=155, prctl=157, prlimit64=302, renameat2=316, rt_sigaction=13,
            seccomp=317, setdomainname=171, setgroups=116, sethostname=170, setns=308, setresgid=119, setresuid=117,
            syncfs=306, umount2=166, unshare=272, waitid=247,
        )
    if machine == "aarch64":
        return Numbers(
            bpf=280, capget=90, capset=91, clone=220, execveat=281, keyctl=219, memfd_create=279, mknodat=33,
            mount=40, name_to_handle_at=264, pivot_root=41, prctl=167, prlimit64=261, renameat2=276, rt_sigaction=134,
            seccomp=277, setdomainname=162, setgroups=159, sethostname=161, setns=268, setresgid=149, setresuid=147,
            syncfs=267, umount2=39, unshare=97, waitid=95,
        )
    raise OSError(f"tiffin knows the system calls of x86_64 and aarch64, not of {machine}")


SYS = numbers(os.uname().machine)
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long  # an address or a 64-bit count may come back


def check(result: int, what: str) -> int:
    """The result of a C function, or an OSError that carries errno and names what was tried."""
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
    return result


def syscall(number: int, *arguments: Argument) -> int:
    """Make the system call of that number; raises OSError, which names the call where `SYS` knows it."""
    # ctypes passes a bare int as a C int, which would cut flags, lengths and offsets down to 32 bits.
    words = [ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments]
    result: int = libc.syscall(ctypes.c_long(number), *words)
    return check(result, _name(number)) if result == -1 else result


def caller(name: str, *types: type[_SimpleCData[Any]] | type[_Pointer[Any]]) -> Callable[..., int]:
    """A function for one system call with fixed types of arguments: four times as quick as `syscall`."""
    number = getattr(SYS, name)
    raw = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_long, *types, use_errno=True)(("syscall", libc))

    def call(*arguments: Argument) -> int:
        result: int = raw(number, *arguments)
        return check(result, name) if result == -1 else result

    call.__name__ = name
    return call


CALL = "caller.<locals>.call"
"""the qualified name of all functions that `caller` made: by it `kernel.recording` knows them"""


def _name(number: int) -> str:
    return next((name for name, known in zip(SYS._fields, SYS, strict=True) if known == number), f"syscall {number}")
