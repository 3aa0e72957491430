"""A person in a shell of the host, in tmux: a terminal that draws, and tells what is on its screen."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.shell import PATIENCE, Shell
from tiffin.engine import Engine

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
]
TIFFIN = shlex.join((sys.executable, "-m", "tiffin"))


class Window:
    """A tmux server of its own, with one window, in which the host's shell has `host$` as its prompt."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._command = ("tmux", "-S", str(folder / "tmux"), "-f", "/dev/null")
        self._environment = environment
        self._tmux("new-session", "-d", "-x", "80", "-y", "20", "sh")

    def begin(self) -> None:
        """dash takes no prompt from its environment."""
        self.see("#")
        self.type("PS1='host$ '")
        self.see("\nhost$")

    def type(self, line: str) -> None:
        self._tmux("send-keys", "-l", line)
        self._tmux("send-keys", "Enter")

    def press(self, *keys: str) -> None:
        """By tmux's names, as in C-c."""
        self._tmux("send-keys", *keys)

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p").rstrip()

    def see(self, ending: str) -> None:
        """Wait until the screen ends so."""
        until = time.monotonic() + PATIENCE
        while not (seen := self.screen()).endswith(ending.rstrip()):
            assert time.monotonic() < until, f"{ending!r} never came at the end of:\n{seen}"

    def resize(self, columns: int, rows: int) -> None:
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def close(self) -> None:
        self._tmux("kill-server")

    def _tmux(self, *words: str) -> str:
        return subprocess.run(
            [*self._command, *words], env=self._environment, check=True, capture_output=True, text=True
        ).stdout


@pytest.fixture
def window(engine: Engine, tmp_path: Path) -> Iterator[Window]:
    shell = Shell(engine)
    window = Window(tmp_path, shell.environment)
    try:
        window.begin()
        yield window
    finally:
        window.close()
    if left := shell.ok("ps", "-aq").split():
        shell.ok("rm", "-f", *left)


def test_a_shell_inside_feels_as_one_outside(window: Window) -> None:
    window.type(f"{TIFFIN} run --rm -it --name inside busybox sh")
    window.see("/ #")
    window.type("stty size; echo $TERM")
    window.see("20 80\nxterm\n/ #")
    window.resize(100, 30)
    window.type("until stty size | grep '30 100'; do :; done")
    window.see("30 100\n/ #")
    window.type("echo abd")
    window.press("C-p")  # the last line again: also the first of the detach keys
    window.press("BSpace", "c", "Enter")
    window.see("abc\n/ #")
    window.type("sleep 1000")
    window.press("C-c")
    window.see("/ #")
    window.type("vi")
    window.see("1/1 100%")  # it has the screen for itself
    window.type(":q!")
    window.see("/ #")
    window.press("C-d")
    window.see("host$")
    window.type("stty -a | grep -c -w -- '-icanon'")  # lines are edited by the host's terminal again
    window.see("\n0\nhost$")


def test_the_detach_keys_lead_back_to_the_host_and_attach_leads_in_again(window: Window) -> None:
    window.type(f"{TIFFIN} run -it --name inside busybox sh")
    window.see("/ #")
    window.press("C-p", "C-q")
    window.see("host$")
    window.type(f"{TIFFIN} attach inside")
    window.see("/ #")
    window.type("exit 3")
    window.see("host$")
    window.type("echo $?")
    window.see("3\nhost$")
