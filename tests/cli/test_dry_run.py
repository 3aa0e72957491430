"""--dry-run: what would change is listed, nothing is done, and the exit code is the verb's own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import pytest

from tests.cli.stage import Stage, furnished
from tiffin.cli import spellings
from tiffin.cli.options import DRY_RUN
from tiffin.model.verbs import VERBS

pytestmark = pytest.mark.root

UNDONE = "Nothing was done.\n"


@pytest.fixture(scope="module")
def stage(workshop: str) -> Iterator[Stage]:
    with furnished(tempfile.mkdtemp(prefix="", dir=workshop)) as made:
        yield made


def test_every_verb_that_changes_something_has_it_and_no_other():
    without = {"attach", "wait"}  # they change nothing themselves
    for spelling in spellings.MODULES:
        has = DRY_RUN in spellings.load(spelling).COMMAND.options
        assert has == (not VERBS[spelling].only_looks and VERBS[spelling].name not in without), spelling


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (("create", "--name", "new", "mood", "true"), ["new container new 0 B created; on mood"]),
        (("create", "mood", "true"), ["new container (a name will be made up) 0 B created; on mood"]),
        (("run", "-d", "--name", "new", "mood", "true"),
         ["new container new 0 B created; on mood", "changes container new created -> running"]),
        (("run", "--rm", "--name", "new", "mood", "true"),
         ["new container new 0 B created; on mood", "changes container new created -> running", "goes container new"]),
        (("start", "fresh"), ["changes container fresh created -> running"]),
        (("start", "running"), ["Nothing would change."]),
        (("restart", "running"),
         ["changes container running running -> exited", "changes container running exited -> running"]),
        (("restart", "done"), ["changes container done exited -> running"]),
        (("stop", "running", "held", "done"),
         ["changes container running running -> exited", "changes container held paused -> exited"]),
        (("kill", "running"), ["changes container running running -> exited"]),
        (("kill", "-s", "USR1", "running"), ["Nothing would change."]),
        (("pause", "running"), ["changes container running running -> paused"]),
        (("unpause", "held"), ["changes container held paused -> running"]),
        (("exec", "running", "true"), ["Nothing would change."]),
        (("rename", "done", "gone"), ["changes container done done -> gone"]),
        (("bootstrap",), ["new layer new on the ground; base:latest"]),
        (("tag", "mood", "mood"), ["Nothing would change."]),
        (("load", "-i", "{archive}"), ["Nothing would change."]),
    ],
)  # fmt: skip
def test_what_would_change_is_listed_and_nothing_is_done(stage: Stage, words: tuple[str, ...], lines: list[str]):
    verb, *rest = (word.format(archive=stage.archive) for word in words)
    before = stage.disk()
    out = stage.shell.ok(verb, "--dry-run", *rest)
    assert stage.disk() == before
    assert out.endswith(UNDONE)
    assert [" ".join(line.split()) for line in out.removesuffix(UNDONE).splitlines()] == lines


@pytest.mark.parametrize(
    ("words", "beginnings"),
    [
        (("tag", "mood", "happy"), ["changes layer ", "names: +happy:latest"]),
        (("commit", "done", "happy"), ["changes layer ", "names: +happy:latest"]),
        (("commit", "fresh"), ["changes layer ", "one more image ends with it"]),
        (("import", "{flat}", "flat"), ["new layer ", "on the ground; flat:latest"]),
        (("rm", "-f", "running", "done"), ["goes container running ", "goes container done ", "would be free"]),
        (("rmi", "-f", "mood"), ["goes name mood:latest ", "stays image mood:latest ", "container running (running)"]),
        (("image", "prune"), ["Nothing would go."]),
        (("image", "prune", "-a"), ["stays image mood:latest", "is made from it"]),
    ],
)  # fmt: skip
def test_what_would_go_is_listed_with_what_stays_and_why(
    stage: Stage, words: tuple[str, ...], beginnings: list[str]
):
    spelling = ("image", "prune") if words[0] == "image" else words[:1]
    rest = [word.format(flat=stage.flat) for word in words[len(spelling) :]]
    before = stage.disk()
    out = " ".join(stage.shell.ok(*spelling, "--dry-run", *rest).split())
    assert stage.disk() == before
    assert out.endswith(UNDONE.strip())
    assert all(beginning in out for beginning in beginnings), out


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("rm", "running"), 1, "container is running"),
        (("rm", "nosuch"), 1, "No such container: nosuch"),
        (("rm", "-f", "nosuch"), 0, "No such container: nosuch"),
        (("rmi", "mood"), 1, "container"),
        (("create", "busybox"), 1, "no command specified"),
        (("run", "busybox"), 125, "no command specified"),
        (("run", "nosuch", "true"), 125, "No such image: nosuch"),
        (("exec", "done", "true"), 1, "is not running"),
        (("pause", "held"), 1, "already paused"),
        (("rename", "done", "held"), 1, "already in use"),
        (("tag", "mood", "A:b:c"), 1, "invalid reference format"),
        (("load",), 1, "give a file with -i"),
        (("import", "-"), 1, "give a file"),
        (("bootstrap", "nosuch"), 1, "can't make 'nosuch'"),
    ],
)
def test_what_would_be_refused_is_told_with_the_verbs_own_code(
    stage: Stage, words: tuple[str, ...], code: int, why: str
):
    before = stage.disk()
    verb, *rest = words
    said = stage.shell(verb, "--dry-run", *rest)
    assert stage.disk() == before
    assert (said.code, said.out) == (code, "")
    assert why in said.err
    if verb not in ("load", "import"):  # which wait for their input
        assert stage.shell(*words).code == code


def test_of_several_names_those_that_fit_are_listed_beside_the_others(stage: Stage):
    said = stage.shell("stop", "--dry-run", "running", "nosuch", "held")
    assert said.code == 1
    assert said.err == "tiffin: No such container: nosuch\n"
    assert [" ".join(line.split()) for line in said.out.splitlines()] == [
        "changes container running running -> exited",
        "changes container held paused -> exited",
        UNDONE.strip(),
    ]
