"""The walk of ./demo, with the command of this checkout; what installing does differently, test_checks.py tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
WALK = """
import runpy, sys
demo = runpy.run_path(sys.argv[1])
go = demo["Walker"](*sys.argv[2:])
demo["walk"](go)
go.leave()
"""


@pytest.mark.root
def test_the_demo_shows_the_file_in_the_read_write_layer_and_leaves_nothing(tmp_path: Path, workshop: str):
    program, folder = tmp_path / "tiffin", Path(workshop, "demo")
    program.write_text(f'#!/bin/sh\nPYTHONPATH={CHECKOUT}/src exec {sys.executable} -m tiffin "$@"\n')
    program.chmod(0o755)
    folder.mkdir()
    command = [sys.executable, "-c", WALK, str(CHECKOUT / "demo"), str(program), str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert re.search(rf"^{folder}/root/containers/[0-9a-f]{{64}}/diff/happiness.txt$", done.stdout, re.MULTILINE)
    assert "    container lunch: running\n    . process space ..." in done.stdout
    assert not folder.exists()
