"""Capabilities: root's power in 41 pieces, and the sets of them that a process carries (capabilities(7)).

    bounding      what any program started from here on can ever get
    permitted     what this process may use
    effective     what it uses now; the kernel checks this one
    inheritable   what may survive an execve, if the file agrees
    ambient       what survives an execve of an ordinary file

Capabilities are numbers here and sets of them are bit masks, as in the kernel. The functions that change the calling
process (drop_bounding and all below it) import nothing and open no file, so they may be called inside a container.
All of them raise OSError.
"""

from __future__ import annotations

import ctypes
import errno

from tiffin.kernel.libc import SYS, caller, syscall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# The place is the number (linux/capability.h).
NAMES = (
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
    "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN",
    "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
)

PR_SET_KEEPCAPS = 8
PR_CAPBSET_READ = 23
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
PR_CAP_AMBIENT_CLEAR_ALL = 4

CAPABILITY_VERSION_3 = 0x20080522

_prctl = caller("prctl", *[ctypes.c_ulong] * 5)


def parse(names: Iterable[str]) -> frozenset[int]:
    """The numbers of capabilities as users spell them: `NET_ADMIN`, `cap_net_admin`, `ALL`. Raises ValueError."""
    numbers: set[int] = set()
    for name in names:
        numbers.update(range(len(NAMES)) if name.upper() in ("ALL", "CAP_ALL") else (_number(name),))
    return frozenset(numbers)


def names(numbers: Iterable[int]) -> list[str]:
    """Their names as OCI writes them (`CAP_CHOWN`), sorted by number; one newer than this list is `CAP_<number>`."""
    return [NAMES[number] if number < len(NAMES) else f"CAP_{number}" for number in sorted(numbers)]


def mask(numbers: Iterable[int]) -> int:
    return sum(1 << number for number in set(numbers))


def members(mask: int) -> frozenset[int]:
    return frozenset(number for number in range(mask.bit_length()) if mask >> number & 1)


def bounding() -> frozenset[int]:
    """The bounding set of this process: no program that it starts can have more."""
    with open("/proc/thread-self/status", "rb", buffering=0) as file:  # prctl(2) would be asked forty times
        return members(int(file.read(8192).partition(b"CapBnd:")[2].split(None, 1)[0], 16))


def last_cap() -> int:
    """The highest capability of the running kernel, which may be newer or older than `NAMES`."""
    number = len(NAMES) - 1
    while _known(number + 1):
        number += 1
    while not _known(number):
        number -= 1
    return number


def drop_bounding(keep: int) -> None:
    """Take all but the mask `keep` out of the bounding set. Needs CAP_SETPCAP, unless nothing is to go."""
    for number in range(last_cap() + 1):
        if not keep >> number & 1:
            try:
                _prctl(PR_CAPBSET_DROP, number, 0, 0, 0)
            except PermissionError:
                if _bounded(number):
                    raise


def set_capabilities(effective: int, permitted: int, inheritable: int) -> None:
    """Set three sets of the calling thread at once, given as masks (capset(2))."""
    sets = _Sets()
    for word, shift in zip(sets, (0, 32), strict=True):  # the kernel wants the low halves first
        word.effective = effective >> shift & 0xFFFFFFFF
        word.permitted = permitted >> shift & 0xFFFFFFFF
        word.inheritable = inheritable >> shift & 0xFFFFFFFF
    syscall(SYS.capset, ctypes.byref(_Header(CAPABILITY_VERSION_3, 0)), ctypes.byref(sets))


def clear_ambient() -> None:
    _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)


def raise_ambient(mask: int) -> None:
    """Add to the ambient set; the kernel refuses what is not both permitted and inheritable."""
    for number in members(mask):
        _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0)


def set_keepcaps(keep: bool) -> None:
    """Whether the permitted set survives the next change from user 0 to another; the effective set never does."""
    _prctl(PR_SET_KEEPCAPS, int(keep), 0, 0, 0)


def set_no_new_privs() -> None:
    """From here on execve gives no more rights: set-uid bits and file capabilities count for nothing. For good."""
    _prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Word(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


_Sets = _Word * 2


def _number(name: str) -> int:
    full = name.upper() if name.upper().startswith("CAP_") else f"CAP_{name.upper()}"
    if full not in NAMES:
        raise ValueError(f"no capability is named {name}; names are as in capabilities(7), such as NET_ADMIN, or ALL")
    return NAMES.index(full)


def _bounded(number: int) -> bool:
    return _prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 1


def _known(number: int) -> bool:
    try:
        _bounded(number)
    except OSError as error:
        if error.errno == errno.EINVAL:
            return False
        raise
    return True
