"""look: containers in every state, images and layers, in every form and on every kind of terminal."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.cli.shell import Screen, Shell
from tests.cli.stage import FOR_EVER, Stage, drawn, furnished
from tests.images import archives
from tiffin.view.as_json import from_json
from tiffin.view.words import width

pytestmark = pytest.mark.root

SGR = re.compile(r"\x1b\[[0-9;]*m")
HEADS = {
    "running": r"running  ▶ running .* on image mood\n",
    "held": r"held  ‖ paused .* on image busybox\n",
    "fresh": r"fresh  ○ created +on image mood\n",
    "done": r"done  ✓ exited 0, .* on image busybox\n",
    "failed": r"failed  ✗ exited 3, .* on image mood\n",
    "killed": r"killed  ✗ exited 137, .* on image busybox\n",
    "starved": r"starved  ✗ out of memory, \d+ s ago +on image busybox\n",
    "lost": r'lost  ○ created +exec: "nosuch": executable file not found in \$PATH\non image busybox\n',
    "narrow": r"narrow  ▶ running .* on image busybox   network host   removed when it ends\n",
    "orphan": r"orphan  ○ created +on image brief\n",
    "void": r"void  ○ created +on image empty:1\n",
}
"""container -> how its picture begins"""


@pytest.fixture(scope="module")
def stage(workshop: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tempfile.mkdtemp(prefix="", dir=workshop)
    with furnished(folder) as made:
        shell, empty = made.shell, tmp_path_factory.mktemp("empty") / "empty.tar"
        shell.ok("run", "-d", "--name", "killed", "busybox", *FOR_EVER)
        shell.ok("kill", "killed")
        shell("run", "--name", "starved", "-m", "8m", "busybox", "sh", "-c", "tail -c 100000000 /dev/zero")
        shell("run", "--name", "lost", "busybox", "nosuch")
        shell.ok(
            "run", "-d", "--name", "narrow", "--rm", "--read-only", "--network", "host", "-m", "32m", "--cpus", "0.5",
            "--pids-limit", "20", "-v", "/etc:/host:ro", "--tmpfs", "/scratch", "busybox", "sh", "-c",
            f"{' '.join(FOR_EVER)} & exec {' '.join(FOR_EVER)}",
        )  # fmt: skip
        shell.ok("import", made.flat, "brief")
        shell.ok("create", "--name", "orphan", "brief", "true")
        shell.ok("rmi", "-f", "brief")
        empty.write_bytes(without_layers())
        shell.ok("load", "-i", str(empty))
        shell.ok("create", "--name", "void", "empty:1")
        yield made


def without_layers() -> bytes:
    return archives.tar(archives.docker_20(archives.image(), "empty:1"))


# what there is to see


@pytest.mark.parametrize("name", HEADS)
def test_a_container_in_any_state_has_its_picture(stage: Stage, name: str):
    before = stage.disk()
    out = stage.shell.ok("look", name)
    assert stage.disk() == before
    assert re.match(HEADS[name], out), out
    assert f"\n┌ container {name} ─" in out
    assert ("process space" in out) == (name in ("running", "held", "narrow"))
    assert max(map(width, out.splitlines())) <= 80


def test_a_running_container_shows_what_is_in_its_process_space_and_what_holds_it_back(stage: Stage):
    out = " ".join(stage.shell.ok("look", "narrow").split())
    (outer,) = re.findall(r"● 1 sleep 1000000 host (\d+)", out)
    assert Path(f"/proc/{outer}/comm").read_text() == "sleep\n"
    assert re.search(r"└─ ● \d+ sleep 1000000 host \d+", out)
    assert re.search(r"memory .* of 33.6 MB", out)
    assert "processes 2 of 20" in out
    assert re.search(r"cpus [\d.]+ of 0.5", out)
    assert "its own mounts, processes, ipc, host name, cgroups" in out
    assert f"the host's network, users{', clocks' * os.path.exists('/proc/self/ns/time')}" in out
    assert re.search(r"cgroup /tiffin/", out)
    assert "capabilities 14 of 41: chown, " in out
    assert "system calls filtered" in out
    assert "root folder read-only" in out
    assert "folder /etc → /host, read-only" in out
    assert "memory → /scratch" in out


def test_what_is_too_much_to_be_looked_at_is_told_as_the_least(stage: Stage):
    stage.shell.ok("run", "--rm", "-d", "--name", "much", "busybox", "sh", "-c", "touch $(seq 3100); exec sleep 999")
    stage.shell.ok("exec", "much", "sh", "-c", "until [ -e 3100 ]; do :; done")
    try:
        assert "at least " in stage.shell.ok("look", "much")
        assert "at least " in stage.shell.ok("look", "--plain", "much")
        assert json.loads(stage.shell.ok("look", "--json", "much"))["picture"]["trays"][0]["is_least"] is True
        assert "at least " not in stage.shell.ok("look", "done")
    finally:
        stage.shell.ok("rm", "-f", "much")


def test_an_image_without_layers_a_bare_layer_and_an_image_are_drawn(stage: Stage):
    assert stage.shell.ok("look", "empty:1").startswith("empty:1   image, no layers\n")
    assert stage.shell.ok("look", "mood").startswith("mood   image, 2 read-only layers ")
    orphan = json.loads(stage.shell.ok("inspect", "orphan"))[0]["Layer"]
    beginning = orphan.removeprefix("sha256:")[:7]
    assert stage.shell.ok("look", beginning).startswith(f"layer {orphan.removeprefix('sha256:')[:12]}   ")


def test_without_a_name_the_whole_host_is_drawn_with_what_stands_on_what(stage: Stage):
    out = stage.shell.ok("look")
    assert drawn(out) == set(HEADS)
    assert all(name in out for name in ("◁ mood:latest", "◁ busybox:latest", "◁ empty:1"))
    assert "▶ 2 running" in out.splitlines()[1]


def test_with_several_names_only_they_and_what_they_stand_on_are_drawn(stage: Stage):
    out = stage.shell.ok("look", "running", "done", "orphan")
    assert drawn(out) == {"running", "done", "orphan"}
    assert "◁ empty:1" not in out
    assert "◁ empty:1" in stage.shell.ok("look", "running", "empty:1")


def test_what_is_not_there_is_told_in_a_sentence(stage: Stage):
    for names in (("nosuch",), ("running", "nosuch")):
        said = stage.shell("look", *names)
        assert (said.code, said.out) == (1, "")
        assert said.err == "tiffin: No such object: nosuch; see what there is: tiffin look\n"


# forms


@pytest.mark.parametrize("names", [(), ("running",), ("mood",), ("running", "mood")])
def test_every_form_has_the_same_picture(stage: Stage, names: tuple[str, ...]):
    shell = stage.shell
    svg = ElementTree.fromstring(shell.ok("look", "--svg", *names))
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
    assert shell.ok("look", "--svg", "--theme", "dark", *names) != shell.ok("look", "--svg", "--theme", "light", *names)
    page = shell.ok("look", "--html", *names)
    assert page.lower().startswith("<!doctype html>")
    assert "<svg" in page
    value = json.loads(shell.ok("look", "--json", *names))
    picture = from_json(value)
    assert {tray.name for tray in picture.trays} >= {name for name in names if name == "running"}
    plain = shell.ok("look", "--plain", *names)
    assert all(line.endswith(".") for line in plain.splitlines())
    assert plain.count("\n") > 1
    assert not any(letter in plain for letter in "│┌▶")


@pytest.mark.parametrize(
    ("options", "code", "why"),
    [
        (("--svg", "--html"), 1, "conflicting options: --svg and --html"),
        (("--json", "--plain"), 1, "conflicting options: --json and --plain"),
        (("--width", "0"), 125, "a number of columns, 1000 at most"),
        (("--width", "1001"), 125, "a number of columns, 1000 at most"),
        (("--theme", "red"), 125, "there are auto, light, dark"),
    ],
)
def test_forms_that_do_not_fit_are_refused(stage: Stage, options: tuple[str, ...], code: int, why: str):
    said = stage.shell("look", *options, "running")
    assert (said.code, said.out) == (code, "")
    assert why in said.err


# terminals


@pytest.mark.parametrize(
    ("options", "environment", "widest"),
    [
        (("--width", "44"), {}, 44),
        (("--width", "120"), {"COLUMNS": "50"}, 120),
        ((), {"COLUMNS": "100"}, 100),
        ((), {"COLUMNS": "what"}, 80),
        (("--width", "1"), {}, 40),
    ],
)
@pytest.mark.parametrize("names", [(), ("running",), ("mood",)])
def test_it_is_as_wide_as_is_asked(
    stage: Stage, names: tuple[str, ...], options: tuple[str, ...], environment: dict[str, Any], widest: int
):
    lines = stage.shell.ok("look", *options, *names, **environment).splitlines()
    assert max(map(width, lines)) <= widest


@pytest.mark.parametrize(
    ("environment", "has_colour"),
    [
        ({}, False),
        ({"CLICOLOR_FORCE": "1"}, True),
        ({"CLICOLOR_FORCE": "0"}, False),
        ({"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_a_pipe_has_colour_only_by_force(stage: Stage, environment: dict[str, Any], has_colour: bool):
    assert bool(SGR.search(stage.shell.ok("look", "running", **environment))) == has_colour


@pytest.mark.parametrize("environment", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}])
def test_where_only_ascii_is_understood_it_is_drawn_with_that(stage: Stage, environment: dict[str, Any]):
    for words in (("look",), ("look", "running"), ("explain", "rm", "done"), ("ps", "--tree")):
        out = stage.shell.ok(*words, **environment)
        assert out.isascii()
        assert "running" in out or "exited" in out


@pytest.mark.parametrize(
    ("columns", "environment", "has_colour"),
    [
        (100, {"TERM": "xterm"}, True),
        (44, {"TERM": "xterm"}, True),
        (100, {"TERM": "dumb"}, False),
        (100, {"TERM": "xterm", "NO_COLOR": "1"}, False),
    ],
)
def test_a_terminal_gets_colour_and_its_own_width(
    stage: Stage, columns: int, environment: dict[str, Any], has_colour: bool
):
    shown = on_terminal(stage.shell, columns, environment, "look", "running")
    assert bool(SGR.search(shown)) == has_colour
    lines = SGR.sub("", shown).replace("\r", "").splitlines()
    assert columns - 8 <= max(map(width, lines)) <= columns


def on_terminal(shell: Shell, columns: int, environment: dict[str, Any], *words: str) -> str:
    """All that it shows on one so wide."""
    program = (
        f"import os, sys, termios; termios.tcsetwinsize(0, (30, {columns})); "  # before it looks
        f"os.execv(sys.executable, [sys.executable, '-m', 'tiffin', *{list(words)!r}])"
    )
    given = {name: value for name, value in shell.environment.items() if name not in ("NO_COLOR", "CLICOLOR_FORCE")}
    screen = Screen([sys.executable, "-c", program], given | environment)
    shown = screen.see("its files")
    assert screen.end() == 0
    return shown + screen.seen.decode()


def test_who_reads_only_the_beginning_is_no_trouble(stage: Stage):
    reading, writing = os.pipe()
    os.close(reading)
    for form in ("--width=80", "--svg", "--json", "--plain"):
        command = [sys.executable, "-m", "tiffin", "look", form]
        done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, env=stage.shell.environment)
        assert (done.returncode, done.stderr) == (141, b"")
    os.close(writing)
