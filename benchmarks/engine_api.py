"""A small client of Docker's Engine API, which podman speaks as well: HTTP on a unix socket."""

from __future__ import annotations

import http.client
import json
import socket
import struct
import threading
import urllib.parse
from pathlib import Path
from typing import Any, BinaryIO

from benchmarks.contest import Refused

VERSION = "/v1.41"
PATIENCE = 300.0  # seconds
PIECE = 1 << 20


class Connection(http.client.HTTPConnection):
    """To a socket file."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=PATIENCE, blocksize=PIECE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(self._path)


class Api:
    """One engine. Each thread has a connection of its own, which stays open."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._own = threading.local()

    def get(self, path: str) -> Any:
        return json.loads(self.call("GET", path))

    def post(self, path: str, body: object = None) -> Any:
        answer = self.call("POST", path, body)
        return json.loads(answer) if answer else None

    def delete(self, path: str) -> None:
        self.call("DELETE", path)

    def call(self, method: str, path: str, body: object = None) -> bytes:
        """The body of the answer. A body that is a file goes out as a tar, anything else as JSON. Raises Refused."""
        connection = self._connection()
        try:
            self.ask(connection, method, path, body)
            return self.answer(connection).read()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self.hang_up()  # it closed a connection that had been idle
        connection = self._connection()
        self.ask(connection, method, path, body)
        return self.answer(connection).read()

    def send(self, path: str, file: BinaryIO, method: str = "POST") -> None:
        """Send a tar; an error may come in the midst of the answer. Raises Refused."""
        for line in self.call(method, path, file).splitlines():
            message = json.loads(line)
            if "error" in message:
                raise Refused(message["error"])

    def fetch(self, path: str, target: BinaryIO) -> None:
        """Write the answer to a file."""
        connection = self._connection()
        self.ask(connection, "GET", path)
        answer, buffer = self.answer(connection), bytearray(PIECE)
        while count := answer.readinto(buffer):
            target.write(memoryview(buffer)[:count])

    def hijack(self, path: str, body: object = None) -> socket.socket:
        """A connection that becomes a stream (attach, exec): both sides speak no HTTP any more."""
        text = json.dumps(body).encode() if body is not None else b""
        stream = socket.socket(socket.AF_UNIX)
        stream.settimeout(PATIENCE)
        stream.connect(self.path)
        head = (
            f"POST {VERSION}{path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
        )
        stream.sendall(head.encode() + text)
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            byte = stream.recv(1)
            if not byte:
                break
            answer += byte
        if answer.split(b" ")[1:2] not in ([b"101"], [b"200"]):
            raise Refused(f"{path}: {answer.splitlines()[:1]}")
        return stream

    def pid(self) -> int:
        """Of the process that listens."""
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect(self.path)
            pid, _, _ = struct.unpack("3i", caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        return int(pid)

    def hang_up(self) -> None:
        connection = getattr(self._own, "connection", None)
        if connection:
            connection.close()
            self._own.connection = None

    # the two halves of a call

    def ask(self, connection: Connection, method: str, path: str, body: object = None) -> None:
        headers = {"Content-Type": "application/json"}
        if body is not None and hasattr(body, "seek"):
            headers = {"Content-Type": "application/x-tar", "Content-Length": str(body.seek(0, 2))}
            body.seek(0)
            connection.request(method, VERSION + path, body, headers)  # type: ignore[arg-type]
        else:
            text = b"" if body is None else json.dumps(body).encode()
            connection.request(method, VERSION + path, text, headers)

    def answer(self, connection: Connection) -> http.client.HTTPResponse:
        answer = connection.getresponse()
        if answer.status >= 400:
            text = answer.read().decode(errors="replace").strip()
            raise Refused(f"{answer.status} {text[:200]}")
        return answer

    def _connection(self) -> Connection:
        connection = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = Connection(self.path)
        return connection


def query(**words: object) -> str:
    return "?" + urllib.parse.urlencode(words)


def is_there(path: Path) -> bool:
    """Whether an engine answers on this socket."""
    try:
        Api(str(path)).call("GET", "/_ping")
    except (OSError, Refused, http.client.HTTPException):
        return False
    return True
