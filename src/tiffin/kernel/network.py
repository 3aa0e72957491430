"""The one network device that every network namespace has."""

from __future__ import annotations

import struct
from _socket import AF_INET, SOCK_CLOEXEC, SOCK_DGRAM, socket  # the module socket costs 3 ms
from fcntl import ioctl

SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8913, 0x8914
IFF_UP = 0x1


def loopback_up() -> None:
    """Bring `lo` up, with its addresses 127.0.0.1 and ::1 (netdevice(7))."""
    any_socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC)
    try:
        answer = ioctl(any_socket.fileno(), SIOCGIFFLAGS, struct.pack("16sH22x", b"lo", 0))
        flags = struct.unpack_from("H", answer, 16)[0]
        if not flags & IFF_UP:  # to change anything takes the kernel half a millisecond
            ioctl(any_socket.fileno(), SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", flags | IFF_UP))
    finally:
        any_socket.close()
