"""Output kept in Docker's json-file form: one JSON object a line, rotated so that it cannot fill the disk.

    {"log":"hello\\n","stream":"stdout","time":"2026-11-24T08:30:00.123456789Z"}

All lines that one read brings get one time: what Docker measures per line, and a write per line, cost ten times more.
A line without its end waits for it; one longer than 16 KB is cut, as Docker does.
"""

from __future__ import annotations

import os
import time

LONGEST_LINE = 16 * 1024
HEAD = b'{"log":"'
PLAIN = bytes(set(range(0x20, 0x7F)) - set(b'"\\')) + b"\n"
CONTROLS = bytes(set(range(0x20)) - set(b"\n")) + b"\x7f"


class LogFile:
    """The log of one container, written by its shim. `folder` is a descriptor, since the folder may move."""

    def __init__(self, folder: int, largest: int, files: int) -> None:
        self.folder = folder
        self.largest = largest
        self.files = max(1, files)
        self.lost = 0
        """bytes of output that the disk did not take"""
        self._rest = {"stdout": b"", "stderr": b""}
        self._open()

    def write(self, stream: str, chunk: bytes) -> None:
        """Keep a piece of output. A full disk loses log lines, never the container."""
        chunk = self._rest[stream] + chunk
        whole = chunk.rfind(b"\n") + 1
        self._rest[stream] = chunk[whole:]
        if whole:
            self._append(encode(chunk[:whole], stream, timestamp()))
        while len(self._rest[stream]) >= LONGEST_LINE:
            part, self._rest[stream] = self._rest[stream][:LONGEST_LINE], self._rest[stream][LONGEST_LINE:]
            self._append(encode(part, stream, timestamp()))

    def close(self) -> None:
        for stream, rest in self._rest.items():
            if rest:
                self._append(encode(rest, stream, timestamp()))
        os.close(self._descriptor)

    def _append(self, content: bytes) -> None:
        if self.largest and self._size and self._size + len(content) > self.largest:
            self._rotate()
        view = memoryview(content)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError:
            self.lost += len(view)
        self._size += len(content)

    def _rotate(self) -> None:
        os.close(self._descriptor)
        names = ["log", *(f"log.{number}" for number in range(1, self.files))]
        for older, newer in zip(reversed(names), reversed(names[:-1]), strict=False):
            try:
                os.rename(newer, older, src_dir_fd=self.folder, dst_dir_fd=self.folder)
            except FileNotFoundError:
                pass
        if self.files == 1:
            os.unlink("log", dir_fd=self.folder)
        self._open()

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._descriptor = os.open("log", flags, 0o600, dir_fd=self.folder)
        self._size = os.fstat(self._descriptor).st_size


def encode(lines: bytes, stream: str, when: bytes) -> bytes:
    """Lines (or the part of one that has no end) as JSON lines."""
    ended = lines.endswith(b"\n")
    text = escape(lines[:-1] if ended else lines)
    rest = b'","stream":"' + stream.encode() + b'","time":"' + when + b'"}\n'
    return HEAD + text.replace(b"\n", b"\\n" + rest + HEAD) + (b"\\n" if ended else b"") + rest


def escape(text: bytes) -> bytes:
    """What must stand in place of some bytes between JSON's quotation marks; line feeds are left alone."""
    if not text.translate(None, PLAIN):
        return text
    text = text.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    for code in set(text).intersection(CONTROLS):
        text = text.replace(bytes((code,)), b"\\u%04x" % code)
    return text if text.isascii() else text.decode("utf-8", "replace").encode()


def timestamp() -> bytes:
    """Now, in UTC, with nanoseconds (RFC 3339)."""
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    now = time.gmtime(seconds)
    return b"%04d-%02d-%02dT%02d:%02d:%02d.%09dZ" % (*now[:6], nanoseconds)
