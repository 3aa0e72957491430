"""Messages between engine, spawner and shim: four bytes of length, JSON, and descriptors beside them."""

from __future__ import annotations

import os
import select
import time

from tiffin import json
from tiffin.errors import TiffinError
from tiffin.kernel import unix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Sequence
    from typing import Any, TypeAlias

Message: TypeAlias = "dict[str, Any]"  # the border: what json.loads gives
LONGEST = 16 << 20
CHUNK = 64 << 10
PATIENCE = 30.0  # seconds that a call may take when nothing is said about it


class ChannelClosed(TiffinError):
    """The other side ended."""


class Channel:
    """One end. Passing the time limit of a call (seconds) raises TimeoutError, the end of the stream ChannelClosed."""

    def __init__(self, end: socket) -> None:
        self.socket = end

    def fileno(self) -> int:
        return self.socket.fileno()

    def send(self, message: Message, descriptors: tuple[int, ...] = ()) -> None:
        self.send_raw(json.dumps(message, separators=(",", ":")).encode(), descriptors)

    def send_raw(self, content: bytes, descriptors: tuple[int, ...] = ()) -> None:
        """Send a message that is JSON already. Raises TiffinError for one that is too long."""
        if len(content) > LONGEST:
            raise TiffinError(f"a request of {len(content)} bytes is too long: at most {LONGEST} go")
        view = memoryview(len(content).to_bytes(4, "big") + content)
        until = time.monotonic() + PATIENCE
        while view:
            self._wait(select.POLLOUT, until)
            try:
                sent = unix.send(self.socket, bytes(view[:CHUNK]), descriptors, wait=False)
            except BlockingIOError:  # less room than for a whole piece
                continue
            except (BrokenPipeError, ConnectionResetError) as error:
                raise ChannelClosed("the other side of a channel ended") from error
            view, descriptors = view[sent:], ()

    def receive(self, seconds: float | None = PATIENCE) -> tuple[Message, list[int]]:
        content, descriptors = self.receive_raw(seconds)
        return json.loads(content), descriptors

    def receive_raw(self, seconds: float | None = PATIENCE) -> tuple[bytes, list[int]]:
        """A message as it came."""
        until = None if seconds is None else time.monotonic() + seconds
        head, descriptors = self._exactly(4, until)
        length = int.from_bytes(head, "big")
        if length > LONGEST:
            raise ChannelClosed(f"a message of {length} bytes: the other side speaks something else")
        return self._exactly(length, until, descriptors)

    def close(self) -> None:
        self.socket.close()

    def _exactly(self, size: int, until: float | None, descriptors: Sequence[int] = ()) -> tuple[bytes, list[int]]:
        """So many bytes, and the descriptors that came beside them, after those that came before."""
        content, received = b"", list(descriptors)
        try:
            while len(content) < size:
                self._wait(select.POLLIN, until)
                chunk, more = unix.receive(self.socket, size - len(content))
                received += more
                if not chunk:
                    raise ConnectionResetError
                content += chunk
        except BaseException as error:
            for descriptor in received:
                os.close(descriptor)
            if isinstance(error, ConnectionResetError):
                raise ChannelClosed("the other side of a channel ended") from error
            raise
        return content, received

    def _wait(self, event: int, until: float | None) -> None:
        poll = select.poll()
        poll.register(self.socket.fileno(), event)
        left = None if until is None else max(0, int((until - time.monotonic()) * 1000))
        if not poll.poll(left):
            raise TimeoutError("the other side of a channel does not answer")


def connect(path: str) -> Channel:
    """Raises FileNotFoundError and ConnectionRefusedError where nobody listens."""
    return Channel(unix.connect(path))
