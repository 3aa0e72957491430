"""The numbers of system calls by name, for each architecture that seccomp profiles may speak of on our machines."""

from __future__ import annotations

import os

X32_BIT = 0x40000000  # set in the numbers of x32 calls, which otherwise look like x86_64's (asm/unistd.h)

# i386 has single calls in which others are packed, chosen by the first argument (linux/net.h, linux/ipc.h).
SOCKETCALL = (
    "socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom shutdown "
    "setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg"
).split()
PACKED: dict[str, tuple[str, int]] = {name: ("socketcall", number) for number, name in enumerate(SOCKETCALL, 1)}
PACKED |= {name: ("ipc", number) for number, name in enumerate(("semop", "semget", "semctl", "semtimedop"), 1)}
PACKED |= {name: ("ipc", number) for number, name in enumerate(("msgsnd", "msgrcv", "msgget", "msgctl"), 11)}
PACKED |= {name: ("ipc", number) for number, name in enumerate(("shmat", "shmdt", "shmget", "shmctl"), 21)}


def read() -> dict[str, dict[str, int]]:
    """For each architecture (x86_64, i386, x32, aarch64, arm) the numbers by name; x32's carry X32_BIT."""
    with open(os.path.join(os.path.dirname(__file__), "syscalls.txt"), encoding="ascii") as file:
        rows = [line.split() for line in file if not line.startswith("#")]
    architectures, *calls = rows
    tables: dict[str, dict[str, int]] = {}
    for column, architecture in enumerate(architectures[1:], 1):
        bit = X32_BIT if architecture == "x32" else 0
        tables[architecture] = {call[0]: int(call[column]) | bit for call in calls if call[column] != "-"}
    return tables
