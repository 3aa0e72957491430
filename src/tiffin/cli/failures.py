"""What the reader sees when something goes wrong, and the exit code that the shell sees. Never a traceback, unless
TIFFIN_DEBUG=1 asks for one."""

from __future__ import annotations

import io
import os
import sys
from errno import EDQUOT, EFBIG, ENOSPC

from tiffin.cli.options import Command, Unfit, UsageError, usage_line
from tiffin.errors import CommandNotExecutable, CommandNotFound, ExecFailed, NotFound, TiffinError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

FULL = (ENOSPC, EDQUOT, EFBIG)
BROKEN_PIPE = 141


def complain(error: Exception, command: Command) -> int:
    """Tell what went wrong on stderr, and give the exit code."""
    if os.environ.get("TIFFIN_DEBUG"):
        raise error
    _flush_stdout()
    print(sentence(error) + (_hint(error.command or command) if isinstance(error, UsageError) else ""), file=sys.stderr)
    return exit_code(error, command)


def _hint(command: Command) -> str:
    return f"\n\nUsage:  {usage_line(command)}\n\nRun '{command.full_name} --help' for more information"


def exit_code(error: Exception, command: Command) -> int:
    """Docker's: of the words for what could not be read, of the program where the verb ends as that does."""
    if isinstance(error, UsageError | Unfit):
        return error.exit_code
    if command.ends_as_program and isinstance(error, CommandNotFound | CommandNotExecutable | ExecFailed):
        return error.exit_code
    return command.failure


def sentence(error: Exception) -> str:
    """What to print for an error. Names in it come from strangers; nothing of them is a command to the terminal."""
    from tiffin.cli.table import visible  # only in trouble

    return "\n".join(map(visible, _sentence(error).split("\n")))


def _sentence(error: Exception) -> str:
    if isinstance(error, TiffinError):
        return f"tiffin: {error}"
    if isinstance(error, OSError):
        place = f"{_text(error.filename)}: " if error.filename is not None else ""
        if error.errno in FULL and not place:  # what is written elsewhere has a name
            place = "the standard output: "
        return f"tiffin: {place}{error.strerror or error}"
    kind = type(error).__name__
    return f"tiffin: unexpected {kind}: {error}. This is a mistake in tiffin; TIFFIN_DEBUG=1 shows where"


def each(names: Iterable[str], act: Callable[[str], None], *, missing_is_fine: bool = False) -> int:
    """Do it for every name, going on after errors and telling each; 1 if there were any.

    `missing_is_fine`: with -f it is told too that a thing is not there, but is no failure, as with rm(1).
    """
    code = 0
    for name in names:
        try:
            act(name)
        except BrokenPipeError:
            raise
        except (TiffinError, OSError) as error:
            _flush_stdout()
            print(sentence(error), file=sys.stderr)
            if not (missing_is_fine and isinstance(error, NotFound)):
                code = 1
    return code


def prepare_streams() -> None:
    """Let descriptors 0, 1 and 2 be what everybody takes them for, and let any name be printed."""
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(descriptor)
        except OSError:  # closed by the caller: the next file that is opened would take its place
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            mode = "r" if descriptor == 0 else "w"
            setattr(sys, name, open(descriptor, mode, closefd=False))  # for good
    for stream in (sys.stdout, sys.stderr):
        # names of files need not be UTF-8
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="surrogateescape" if stream.encoding == "utf-8" else "backslashreplace")


def give_up_stdout() -> None:
    """What is still buffered has nowhere to go; without this Python would try, and complain, when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC), 1)


def _flush_stdout() -> None:
    try:
        sys.stdout.flush()
    except OSError:
        give_up_stdout()


def _text(name: object) -> str:
    return os.fsdecode(name) if isinstance(name, bytes | str) else str(name)
