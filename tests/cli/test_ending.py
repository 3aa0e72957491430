"""A command that is told to end by a signal takes away what is half done, and ends by that signal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.shell import Shell
from tiffin.engine import Engine
from tiffin.kernel.inotify import Watch

pytestmark = pytest.mark.root
ENDING = [signal.SIGHUP, signal.SIGINT, signal.SIGTERM]


@pytest.fixture
def tiffin(engine: Engine) -> Shell:
    return Shell(engine)


def wait_for_a_name_in(folder: str) -> None:
    watch = Watch(folder)
    while not os.listdir(folder):
        assert watch.wait(20)
    watch.close()


@pytest.mark.parametrize("number", ENDING)
def test_a_save_leaves_no_file(tiffin: Shell, engine: Engine, tmp_path: Path, number: signal.Signals):
    held = engine.store.exclusive()
    assert held
    with held, tiffin.begin("save", "-o", str(tmp_path / "x"), "busybox") as saving:
        wait_for_a_name_in(str(tmp_path))
        saving.send_signal(number)
        assert saving.wait(20) == -number
        assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("words", [("load",), ("import", "-")], ids=" ".join)
@pytest.mark.parametrize("number", ENDING)
def test_what_comes_in_leaves_no_draft(tiffin: Shell, engine: Engine, words: tuple[str, ...], number: signal.Signals):
    drafts = engine.store.path("tmp")
    with tiffin.begin(*words) as loading:
        send_half_an_archive(loading)
        wait_for_a_name_in(drafts)
        loading.send_signal(number)
        assert loading.wait(20) == -number
    assert os.listdir(drafts) == []


def test_what_a_killed_load_has_left_goes_with_the_next(tiffin: Shell, engine: Engine, tmp_path: Path):
    tiffin.ok("save", "-o", str(tmp_path / "x"), "busybox")
    drafts = engine.store.path("tmp")
    with tiffin.begin("load") as loading:
        send_half_an_archive(loading)
        wait_for_a_name_in(drafts)
        loading.kill()
        loading.wait(20)
    assert os.listdir(drafts)
    tiffin.ok("load", "-i", str(tmp_path / "x"))
    assert os.listdir(drafts) == []


def test_a_signal_that_is_to_be_ignored_is(tiffin: Shell, engine: Engine, tmp_path: Path):
    tiffin.ok("save", "-o", str(tmp_path / "x"), "busybox")
    archive = (tmp_path / "x").read_bytes()
    command = ["nohup", sys.executable, "-m", "tiffin", "load"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=tiffin.environment, **pipes) as loading:  # type: ignore[call-overload]
        loading.stdin.write(archive[:70000])
        loading.stdin.flush()
        wait_for_a_name_in(engine.store.path("tmp"))
        loading.send_signal(signal.SIGHUP)
        out, _ = loading.communicate(archive[70000:], timeout=20)
        assert (loading.returncode, out) == (0, b"Loaded image: busybox:latest\n")


def send_half_an_archive(loading: subprocess.Popen[bytes]) -> None:
    """The head of a file of a megabyte, and a part of it."""
    assert loading.stdin is not None
    loading.stdin.write(HEAD + bytes(20000))
    loading.stdin.flush()


def _head() -> bytes:
    import tarfile

    member = tarfile.TarInfo("file")
    member.size = 1 << 20
    return member.tobuf()


HEAD = _head()
