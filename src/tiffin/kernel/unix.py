"""Unix sockets that carry descriptors, at paths of any length (unix(7))."""

from __future__ import annotations

import os
import struct
from _socket import (  # the module socket costs 3 ms
    AF_UNIX,
    CMSG_SPACE,
    MSG_CMSG_CLOEXEC,
    MSG_DONTWAIT,
    SCM_RIGHTS,
    SO_PEERCRED,
    SOCK_CLOEXEC,
    SOCK_SEQPACKET,
    SOCK_STREAM,
    SOL_SOCKET,
    socket,
    socketpair,
)

MOST_DESCRIPTORS = 24


def listen(path: str) -> socket:
    """A socket that others connect to, mode 0600."""
    server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC)
    folder, name = _short(path)
    try:
        mask = os.umask(0o177)
        try:
            server.bind(f"/proc/self/fd/{folder}/{name}")
        finally:
            os.umask(mask)
        server.listen(4096)
    except BaseException:
        server.close()
        raise
    finally:
        os.close(folder)
    return server


def connect(path: str) -> socket:
    """Raises FileNotFoundError and ConnectionRefusedError where nobody listens."""
    client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC)
    try:
        folder, name = _short(path)
        try:
            client.connect(f"/proc/self/fd/{folder}/{name}")
        finally:
            os.close(folder)
    except BaseException:
        client.close()
        raise
    return client


def accept(server: socket) -> socket:
    descriptor, _ = server._accept()  # type: ignore[attr-defined]  # what socket.accept calls
    os.set_inheritable(descriptor, False)
    return socket(fileno=descriptor)


def pair() -> tuple[socket, socket]:
    """Two ends that keep the borders of messages."""
    return socketpair(AF_UNIX, SOCK_SEQPACKET)


def send(to: socket, content: bytes, descriptors: tuple[int, ...] = (), *, wait: bool = True) -> int:
    """Send bytes, with descriptors beside the first of them. How many bytes went out.

    Without `wait`, no more than there is room for; raises BlockingIOError where there is none.
    """
    flags = 0 if wait else MSG_DONTWAIT
    if not descriptors:
        return to.send(content, flags)
    rights = [(SOL_SOCKET, SCM_RIGHTS, struct.pack(f"{len(descriptors)}i", *descriptors))]
    return to.sendmsg([content], rights, flags)


def receive(source: socket, size: int) -> tuple[bytes, list[int]]:
    """Bytes and descriptors (close-on-exec); no bytes at the end of the stream."""
    room = CMSG_SPACE(MOST_DESCRIPTORS * 4)
    content, ancillary, _, _ = source.recvmsg(size, room, MSG_CMSG_CLOEXEC)
    descriptors: list[int] = []
    for level, kind, packed in ancillary:
        if level == SOL_SOCKET and kind == SCM_RIGHTS:
            descriptors += struct.unpack(f"{len(packed) // 4}i", packed[: len(packed) // 4 * 4])
    return content, descriptors


def peer_user(of: socket) -> int:
    """The user id of the process at the other end."""
    _, uid, _ = struct.unpack("iii", of.getsockopt(SOL_SOCKET, SO_PEERCRED, 12))
    return int(uid)


def _short(path: str) -> tuple[int, str]:
    # the kernel takes 108 bytes; a descriptor of the folder makes any path short
    folder, name = os.path.split(path)
    return os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC), name
