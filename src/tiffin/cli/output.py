"""Where save and export write: a file, or the standard output unless that is a terminal."""

from __future__ import annotations

import os
import sys

from tiffin.cli.failures import FULL
from tiffin.cli.options import Unfit, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

OUTPUT = text("output", "write to this file; otherwise to the standard output", "o")


class output:  # used like open()
    """`with output(path) as file:` A new file appears when all of it is written; after a failure there is none."""

    def __init__(self, path: str) -> None:
        path = "" if path == "/dev/stdout" else path
        if not path and sys.stdout.isatty():
            raise Unfit("an archive is no text for a terminal: give a file with -o, or redirect with > or |")
        # a device or a pipe is written as it is, a file is replaced whole
        self.path = path if not path or _is_special(path) else os.path.realpath(path)
        self.draft = f"{self.path}.{os.getpid()}" if path and not _is_special(path) else ""

    def __enter__(self) -> BinaryIO:
        if not self.path:
            return sys.stdout.buffer
        try:
            self.file: BinaryIO = open(self.draft or self.path, "xb" if self.draft else "wb", opener=_private)
        except OSError as error:
            error.filename = self.path  # the one that the reader knows
            raise
        except KeyboardInterrupt:  # as soon as the file was there: nobody has it to leave it
            self._take_away()
            raise
        return self.file

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        try:
            if self.path and isinstance(error, OSError) and error.errno in FULL and error.filename is None:
                error.filename = self.path
            if self.path:
                self._finish(is_whole=error is None)
        finally:
            self._take_away()

    def _finish(self, *, is_whole: bool) -> None:
        try:
            self.file.close()
            if self.draft and is_whole:
                os.replace(self.draft, self.path)
        except OSError as error:
            error.filename, error.filename2 = self.path, None
            raise

    def _take_away(self) -> None:
        if self.draft and os.path.exists(self.draft):
            os.unlink(self.draft)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)  # as Docker's: there may be secrets in it


def _is_special(path: str) -> bool:
    return os.path.exists(path) and not os.path.isfile(path)
