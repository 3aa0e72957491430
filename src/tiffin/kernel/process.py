"""Processes and their namespaces: clone3(2), setns(2), prctl(2), pidfds."""

from __future__ import annotations

import ctypes
import os
from errno import ENOSYS, EPERM

from tiffin.kernel.libc import SYS, syscall
from tiffin.kernel.signals import SIGCHLD, SIGKILL

CLONE_PIDFD = 0x1000
CLONE_PARENT = 0x8000
CLONE_NEWTIME = 0x80
CLONE_NEWNS = 0x20000
CLONE_NEWCGROUP = 0x2000000
CLONE_NEWUTS = 0x4000000
CLONE_NEWIPC = 0x8000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
CLONE_INTO_CGROUP = 0x200000000

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NAME = 15
PR_SET_TIMERSLACK = 29
PR_SET_CHILD_SUBREAPER = 36
KEYCTL_JOIN_SESSION_KEYRING = 1
HIDDEN_SIGNALS = (32, 33)
"""The C library keeps them to itself: its functions neither tell of them nor change them (nptl(7))."""
TIMER_SLACK = 50_000  # nanoseconds; what the first process of a machine begins with


_quick = ctypes.PyDLL(None)  # a call through it touches a tenth of the pages, but knows no errno


class _CloneArgs(ctypes.Structure):
    _fields_ = tuple(
        (name, ctypes.c_uint64)
        for name in (
            "flags",
            "pidfd",
            "child_tid",
            "parent_tid",
            "exit_signal",
            "stack",
            "stack_size",
            "tls",
            "set_tid",
            "set_tid_size",
            "cgroup",
        )
    )


def clone(flags: int, cgroup: int | None = None) -> tuple[int, int]:
    """Fork into new namespaces, and into the v2 cgroup of a descriptor: (pid, pidfd), in the child (0, -1).

    With CLONE_PARENT the child is the caller's sibling: its parent reaps it. Only for a process with one thread: what
    Python does around os.fork is left out.
    """
    descriptor = ctypes.c_int(-1)
    signal = 0 if flags & CLONE_PARENT else SIGCHLD  # a sibling's is the caller's own (clone(2))
    arguments = _CloneArgs(flags=flags | CLONE_PIDFD, exit_signal=signal, pidfd=ctypes.addressof(descriptor))
    if cgroup is not None:
        arguments.flags |= CLONE_INTO_CGROUP
        arguments.cgroup = cgroup
    pid = syscall(SYS.clone3, ctypes.byref(arguments), ctypes.sizeof(arguments))
    return pid, descriptor.value if pid else -1


class Fork:
    """A clone3 made ready in advance: what a small process calls to fork must touch little of its memory."""

    def __init__(self, flags: int) -> None:
        self._arguments = _CloneArgs(flags=flags, exit_signal=SIGCHLD)
        self._call = _quick.syscall
        self._pointer, self._size = ctypes.byref(self._arguments), ctypes.sizeof(self._arguments)

    def __call__(self, cgroup: int | None) -> int:
        """The pid of the child, 0 in it."""
        if cgroup is not None:
            self._arguments.cgroup = cgroup
            self._arguments.flags |= CLONE_INTO_CGROUP
        pid: int = self._call(SYS.clone3, self._pointer, self._size)
        if pid < 0:
            raise OSError("cannot make the namespaces of a process space")
        return pid


def setns(descriptor: int, flags: int) -> None:
    """Join namespaces: all that `flags` names, of the process of a pidfd; or the one of a descriptor in /proc."""
    syscall(SYS.setns, descriptor, flags)


def unshare(flags: int) -> None:
    syscall(SYS.unshare, flags)


def set_hostname(name: str) -> None:
    content = name.encode()
    syscall(SYS.sethostname, content, len(content))


def set_domainname(name: str) -> None:
    content = name.encode()
    syscall(SYS.setdomainname, content, len(content))


def take_default_turns() -> None:
    """Share the processors as a process does that nobody has given other rules; so do the children."""
    try:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        os.setpriority(os.PRIO_PROCESS, 0, 0)
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    except PermissionError:  # an ordinary user cannot take back what was taken from him
        pass
    syscall(SYS.prctl, PR_SET_TIMERSLACK, TIMER_SLACK, 0, 0, 0)


def take_default_signals() -> None:
    """Do by default on the hidden signals too: posix_spawn(3) has its children ignore them (glibc: spawni.c)."""
    by_default = bytes(32)  # the kernel's struct sigaction: SIG_DFL, no flags, no mask
    for number in HIDDEN_SIGNALS:
        syscall(SYS.rt_sigaction, number, by_default, None, 8)


def join_new_keyring() -> None:
    """Leave the keys of the session behind (keyctl(2)); where the kernel has none, or we may not, there is nothing."""
    try:
        syscall(SYS.keyctl, KEYCTL_JOIN_SESSION_KEYRING, None)
    except OSError as error:
        if error.errno not in (ENOSYS, EPERM):
            raise


def set_dumpable(dumpable: bool) -> None:
    """Whether others of our user, also inside a container, may look into us through /proc and ptrace. Till execve."""
    syscall(SYS.prctl, PR_SET_DUMPABLE, int(dumpable), 0, 0, 0)


def set_name(name: str) -> None:
    """The name of this process in `ps`, at most 15 bytes."""
    try:
        # a forked child's first call by ctypes costs 90 pages
        descriptor = os.open("/proc/self/comm", os.O_WRONLY | os.O_CLOEXEC)
    except OSError:  # a process that is not dumpable has root's files in /proc
        syscall(SYS.prctl, PR_SET_NAME, ctypes.c_char_p(name.encode()), 0, 0, 0)
        return
    os.write(descriptor, name.encode())
    os.close(descriptor)


def die_with_parent(signal: int = SIGKILL) -> None:
    """Be killed when the parent ends. Forgotten when the user or the capabilities change: so call it after that."""
    syscall(SYS.prctl, PR_SET_PDEATHSIG, signal, 0, 0, 0)


def start_time(pid: int) -> int:
    """When a process began, in clock ticks since boot: with the pid it names a process for good (proc(5), stat 22)."""
    return int(_stat(f"/proc/{pid}")[19])


def parent_of(folder: str) -> int:
    """The parent of a process, given by its folder in /proc, in the pid namespace of that /proc (proc(5), stat 4)."""
    return int(_stat(folder)[1])


def boot_id() -> str:
    with open("/proc/sys/kernel/random/boot_id", "rb", buffering=0) as file:
        return file.read(64).decode().strip()


def _stat(folder: str) -> list[bytes]:
    """The fields after the name, which may have blanks and brackets in it."""
    with open(f"{folder}/stat", "rb", buffering=0) as file:
        text = file.read(4096)
    return text[text.rindex(b")") + 2 :].split()
