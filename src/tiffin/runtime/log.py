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
        self._rest = {"stdout": b"", "stderr": b""}
        self._descriptor = -1
        self._open()

    def write(self, stream: str, chunk: bytes) -> None:
        """Keep a piece of output. A full disk loses log lines, never the container."""
        *pieces, self._rest[stream] = cut(self._rest[stream] + chunk)
        for piece in pieces:
            self._append(encode(piece, stream, timestamp()))

    def end(self, stream: str) -> None:
        """No more comes of this stream: a line without its end waits no longer."""
        rest, self._rest[stream] = self._rest[stream], b""
        if rest:
            self._append(encode(rest, stream, timestamp()))

    def close(self) -> None:
        for stream in self._rest:
            self.end(stream)
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def _append(self, content: bytes) -> None:
        try:
            if self._descriptor < 0:
                self._open()
            if self.largest and self._size and self._size + len(content) > self.largest:
                self._rotate()
            self._write(memoryview(content))
        except OSError:
            pass

    def _write(self, view: memoryview) -> None:
        """All or nothing, so that the next line stays a line."""
        size = len(view)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError:
            if len(view) < size:
                os.ftruncate(self._descriptor, self._size)
            raise
        self._size += size

    def _rotate(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)
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


def cut(text: bytes) -> list[bytes]:
    """Runs of whole lines, and the parts of lines that are too long; the last piece, maybe empty, has no end yet."""
    pieces = list[bytes]()
    begin = line = 0
    while len(text) - line >= LONGEST_LINE:
        found = text.rfind(b"\n", line, line + LONGEST_LINE)
        if found >= 0:
            line = found + 1
            continue
        if begin < line:
            pieces.append(text[begin:line])
        begin = _border(text, line + LONGEST_LINE)
        pieces.append(text[line:begin])
        line = begin
    whole = text.rfind(b"\n", begin) + 1 or begin
    if begin < whole:
        pieces.append(text[begin:whole])
    return [*pieces, text[whole:]]


def _border(text: bytes, place: int) -> int:
    """Not in the midst of a character of UTF-8 (which has at most three bytes that continue it)."""
    for border in range(place, place - 4, -1):
        if border == len(text) or text[border] & 0xC0 != 0x80:
            return border
    return place


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
