"""The command line as a program of its own: the process is its, and ends with it."""

from __future__ import annotations

import gc

gc.disable()  # before the imports: collecting while classes are made costs 2 ms, and there is little to collect

import os  # noqa: E402
import sys  # noqa: E402

from tiffin.cli import main  # noqa: E402


def run() -> None:
    """Do what the words say, and end the process with the exit code, without tearing the interpreter down (2 ms)."""
    code = main()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # nobody reads it any more; `main` has told the exit code for that
            pass
    os._exit(code)
