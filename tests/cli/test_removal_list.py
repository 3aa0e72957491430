"""What a removal takes and leaves, as a reader sees it: with --dry-run, and before an answer."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator

import pytest

from tests.cli.shell import Said, Screen, Shell
from tiffin.cli.removal_list import dry_run, lines
from tiffin.engine import Engine, Goes, Removal, Stays
from tiffin.errors import ImageInUse, NoSuchImage

WEB, TOP, LOW = "sha256:" + "1" * 64, "sha256:" + "a" * 64, "sha256:" + "b" * 64
PLAN = Removal(
    (
        Goes("name", "web:1", "web:1", 0, "you named it"),
        Goes("image", WEB, "web:1", 0, "its last name goes"),
        Goes("layer", TOP, "a" * 12, 30_100_000, "nothing else needs it"),
    ),
    (Stays("layer", LOW, "b" * 12, 7_810_000, "image alpine:3.20 stands on it"),),
)


def test_what_goes_and_what_stays_is_told_in_columns_with_the_sum():
    assert list(lines(PLAN)) == [
        "goes    name    web:1                           you named it",
        "goes    image   web:1   111111111111            its last name goes",
        "goes    layer           aaaaaaaaaaaa   30.1MB   nothing else needs it",
        "stays   layer           bbbbbbbbbbbb   7.81MB   image alpine:3.20 stands on it",
        "30.1MB would be free.",
    ]


def test_where_nothing_goes_that_is_told():
    assert list(lines(Removal())) == ["Nothing would go."]
    assert list(lines(Removal(stays=PLAN.stays)))[-1] == "Nothing would go."


def test_nothing_in_a_list_is_a_command_to_the_terminal():
    hostile = Goes("container", "c" * 64, "\x1b[2J\u202eweb", 0, "container \x07 stands on it")
    (line, _) = lines(Removal((hostile,)))
    assert line.isprintable()
    assert "\\x1b[2J" in line


def test_a_dry_run_goes_on_after_an_error_and_plans_each_as_after_those_before(capsys):
    asked: list[tuple[str, Removal | None]] = []

    def plan(name: str, after: Removal | None) -> Removal:
        asked.append((name, after))
        if name == "none":
            raise NoSuchImage("No such image: none")
        if name == "busy":
            raise ImageInUse("conflict")
        return PLAN._replace(goes=PLAN.goes[:1], stays=()) if after is None else PLAN._replace(goes=PLAN.goes[1:])

    assert dry_run(["none", "one", "busy", "two"], plan) == 1
    out, err = capsys.readouterr()
    assert out == "\n".join(lines(PLAN)) + " Nothing was done.\n"
    assert err == "tiffin: No such image: none\ntiffin: conflict\n"
    assert [after and len(after.goes) for _, after in asked] == [None, None, 1, 1]
    assert dry_run(["none"], plan, missing_is_fine=True) == 0
    assert capsys.readouterr().out == ""


# on real images and containers


@pytest.fixture
def tiffin(fresh_engine: Engine) -> Iterator[Shell]:
    """`happy`, made from busybox in the container `one`, and its name taken away."""
    shell = Shell(fresh_engine)
    shell.ok("run", "--name", "one", "busybox", "sh", "-c", "echo yes >/happiness.txt")
    shell.ok("commit", "one")
    yield shell
    shell("rm", "-f", *shell.ok("ps", "-aq").split() or ["none"])


def dry(tiffin: Shell, root: str, *words: str) -> Said:
    """What it says. Nothing on the disk may have changed by it."""
    before = snapshot(root)
    said = tiffin(*words, "--dry-run")
    assert snapshot(root) == before
    return said


def snapshot(root: str) -> dict[str, tuple[int, int]]:
    found = [root]
    for folder, folders, files in os.walk(root):
        found += [os.path.join(folder, name) for name in (*folders, *files)]
    return {path: (os.lstat(path).st_ino, os.lstat(path).st_mtime_ns) for path in found}


@pytest.mark.root
def test_rm_tells_the_container_that_would_go_and_why_its_image_stays(tiffin: Shell, fresh_engine: Engine):
    container, image = fresh_engine.container("one").id[:12], fresh_engine.image("busybox").id[7:19]
    goes, stays, total = dry(tiffin, fresh_engine.root, "rm", "one").out.splitlines()
    why = "its read-write layer is thrown away"
    assert re.split(" {3,}", goes) == ["goes", "container", "one", container, "4B", why]
    assert re.split(" {3,}", stays) == ["stays", "image", "busybox:latest", image, "it is called busybox:latest"]
    assert total == "4B would be free. Nothing was done."


@pytest.mark.root
def test_rm_of_a_running_container_is_refused_and_forced_tells_that_it_is_killed(tiffin: Shell, fresh_engine: Engine):
    tiffin.ok("run", "-d", "--name", "two", "busybox", "sleep", "1000000")
    said = dry(tiffin, fresh_engine.root, "rm", "two", "nobody", "one")
    assert said.code == 1
    assert 'cannot remove container "two": container is running' in said.err
    assert "No such container: nobody" in said.err
    assert said.out.startswith("goes    container   one")
    forced = dry(tiffin, fresh_engine.root, "rm", "-f", "two", "nobody")
    assert forced.code == 0
    assert "it is killed first; then its read-write layer is thrown away" in forced.out
    assert fresh_engine.container("two").state().is_alive
    said = dry(tiffin, fresh_engine.root, "rm", "one", "one")
    assert (said.code, said.err) == (1, "tiffin: No such container: one\n")


@pytest.mark.root
def test_rmi_tells_what_would_go_with_the_exit_code_that_it_would_have(tiffin: Shell, fresh_engine: Engine):
    (image,) = tiffin.ok("images", "-q", "-f", "dangling=true").split()
    said = dry(tiffin, fresh_engine.root, "rmi", image)
    assert said.code == 0
    assert [line.split()[:2] for line in said.out.splitlines()[:-1]] == [
        ["goes", "image"], ["goes", "layer"], ["goes", "blob"], ["stays", "image"], ["stays", "layer"],
    ]  # fmt: skip
    assert said.out.endswith("would be free. Nothing was done.\n")
    for wrong in (("nothing",), ("busybox",), ("busybox:latest", "nothing")):
        really = wrong[-1:] if wrong[-1] == "nothing" else wrong
        said = dry(tiffin, fresh_engine.root, "rmi", *wrong)
        assert (said.code, said.err.splitlines()[-1:]) == (1, tiffin("rmi", *really).err.splitlines()[-1:])
    assert dry(tiffin, fresh_engine.root, "rmi", "-f", "nothing").code == 0


@pytest.mark.root
def test_prune_tells_what_would_go(tiffin: Shell, fresh_engine: Engine):
    (image,) = tiffin.ok("images", "-q", "-f", "dangling=true").split()
    said = dry(tiffin, fresh_engine.root, "image", "prune")
    assert said.code == 0
    assert said.out.splitlines()[0].split()[:3] == ["goes", "image", image]
    tiffin.ok("image", "prune", "-f")
    assert dry(tiffin, fresh_engine.root, "image", "prune").out == "Nothing would go. Nothing was done.\n"


def asked(tiffin: Shell, *words: str) -> Screen:
    screen = tiffin.screen("image", "prune", *words)
    screen.see("WARNING! This will remove all dangling images.")
    assert "would be free." in screen.see("Are you sure you want to continue? [y/N] ")
    return screen


@pytest.mark.root
def test_a_person_sees_what_would_go_and_says_yes(tiffin: Shell, fresh_engine: Engine):
    screen = asked(tiffin)
    screen.type("y\r")
    screen.see("Total reclaimed space:")
    assert screen.end() == 0
    assert tiffin.ok("images", "-q", "-f", "dangling=true") == ""


@pytest.mark.root
@pytest.mark.parametrize(
    ("keys", "code"), [("n\r", 0), ("\r", 0), ("yellow\r", 0), ("\x04", 0), ("\x03", -signal.SIGINT)]
)
def test_whoever_says_no_or_nothing_or_goes_away_keeps_everything(
    tiffin: Shell, fresh_engine: Engine, keys: str, code: int
):
    before = snapshot(fresh_engine.root)
    screen = asked(tiffin)
    screen.type(keys)
    assert screen.end() == code
    assert snapshot(fresh_engine.root) == before


@pytest.mark.root
def test_what_came_while_a_person_was_reading_is_not_removed(tiffin: Shell, fresh_engine: Engine):
    screen = asked(tiffin)
    tiffin.ok("commit", "-m", "meanwhile", "one")
    before = fresh_engine.host()
    screen.type("y\r")
    screen.see("nothing was removed: since it was shown what would go, this came to it: image")
    assert screen.end() == 1
    assert fresh_engine.host() == before


@pytest.mark.root
def test_a_script_is_asked_in_dockers_words_alone(tiffin: Shell):
    assert tiffin.ok("image", "prune", "-a", stdin=b"n\n") == (
        "WARNING! This will remove all images without at least one container associated to them.\n"
        "Are you sure you want to continue? [y/N] "
    )
    assert tiffin.ok("image", "prune", stdin=b"").endswith("[y/N] ")
    said = tiffin.ok("image", "prune", stdin=b"y\n")
    assert said.startswith("WARNING! This will remove all dangling images.\nAre you sure")
    assert "Deleted Images:\n" in said
