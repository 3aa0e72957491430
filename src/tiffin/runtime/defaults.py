"""What a container gets when nobody asks for anything else: Docker's defaults, of its version 28.

The facts are from Moby's daemon/pkg/oci/defaults.go and caps/defaults.go, and runc's libcontainer (Apache-2.0).
"""

from __future__ import annotations

import stat

from tiffin.kernel.capabilities import parse
from tiffin.kernel.cgroups import DeviceRule
from tiffin.kernel.mounts import (
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_RDONLY,
    MS_STRICTATIME,
)
from tiffin.runtime.steps import MountKernel, Node

CAPABILITIES = parse((
    "CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP", "SETPCAP",
    "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE",
))  # fmt: skip

MASKED = (
    "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
    "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
    "/sys/devices/virtual/powercap",
)  # fmt: skip
READONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")

MODE = stat.S_IFCHR | 0o666
DEVICES: tuple[Node, ...] = (
    ("/dev/null", MODE, 1, 3),
    ("/dev/zero", MODE, 1, 5),
    ("/dev/full", MODE, 1, 7),
    ("/dev/random", MODE, 1, 8),
    ("/dev/urandom", MODE, 1, 9),
    ("/dev/tty", MODE, 5, 0),
)
LINKS = (
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
    ("/dev/core", "/proc/kcore"),
    ("/dev/ptmx", "pts/ptmx"),
)

SAFE = MS_NOSUID | MS_NODEV | MS_NOEXEC
PROC = MountKernel("proc", "/proc", SAFE, "", "see the processes of this pid namespace, and no others")
DEV = MountKernel("tmpfs", "/dev", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k", "no device of the host in sight")
DEVPTS = MountKernel(
    "devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5", "terminals of its own"
)
SHM = MountKernel("tmpfs", "/dev/shm", SAFE, "mode=1777,size=65536k", "shared memory of its own")
MQUEUE = MountKernel("mqueue", "/dev/mqueue", SAFE, "", "message queues of its own")
SYS = MountKernel("sysfs", "/sys", SAFE | MS_RDONLY, "", "what the kernel tells of devices, to be read only")
SYS_WRITABLE = SYS._replace(flags=SAFE, why="a privileged container may change the kernel's settings")

DEVICE_RULES = (
    DeviceRule(False, "a", None, None, "rwm"),
    DeviceRule(True, "c", None, None, "m"),
    DeviceRule(True, "b", None, None, "m"),
    *(DeviceRule(True, "c", major, minor, "rwm") for _, _, major, minor in DEVICES),
    DeviceRule(True, "c", 136, None, "rwm"),  # /dev/pts/*
    DeviceRule(True, "c", 5, 2, "rwm"),  # /dev/ptmx
    DeviceRule(True, "c", 10, 200, "rwm"),  # /dev/net/tun: runc allows it
)
