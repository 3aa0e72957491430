"""explain: every verb in every spelling is told and nothing is done; with --do it is done, and compared."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.shell import Shell
from tests.cli.stage import FOR_EVER, Stage, furnished, words_of
from tiffin.cli import main, spellings
from tiffin.engine import Container, Engine
from tiffin.engine.explaining import doing
from tiffin.model.verbs import sentence

pytestmark = pytest.mark.root

NOTHING = "Nothing has been done. Do it: tiffin explain --do "
FORETOLD = "\nDone. As foretold.\n"
WAYS = {
    "attach": ("running",),
    "bootstrap": (),
    "commit": ("-m", "joy", "-c", "ENV A=1", "running", "mood:2"),
    "container_inspect": ("running", "done"),
    "create": ("--name", "new", "-v", "/etc:/etc/host:ro", "-e", "A=1", "mood", "true"),
    "diff": ("done",),
    "events": ("--until", "0"),
    "exec": ("-e", "A=1", "-w", "/etc", "running", "ls", "-l"),
    "export": ("-o", "/var/tmp/done.tar", "done"),
    "history": ("mood",),
    "image_inspect": ("mood", "busybox"),
    "image_prune": ("-af",),
    "images": ("-a",),
    "import": ("{flat}", "flat:1"),
    "inspect": ("mood", "running"),
    "kill": ("-s", "KILL", "running"),
    "load": ("-i", "{archive}"),
    "logs": ("-f", "running"),
    "look": ("running", "mood"),
    "pause": ("running",),
    "ps": ("-a",),
    "rename": ("done", "gone"),
    "restart": ("-t", "0", "running"),
    "rm": ("-f", "running", "done"),
    "rmi": ("-f", "mood"),
    "run": ("--rm", "-i", "-m", "64m", "--read-only", "mood", "sh", "-c", "exit 7"),
    "save": ("-o", "/var/tmp/mood.tar", "mood"),
    "start": ("done", "failed"),
    "stop": ("-t", "0", "running", "held"),
    "system_df": (),
    "tag": ("mood", "happy:1"),
    "unpause": ("held",),
    "version": (),
    "wait": ("done",),
}
"""module of a verb -> one way to call it"""


@pytest.fixture(scope="module")
def stage(workshop: str) -> Iterator[Stage]:
    """For what changes nothing."""
    with furnished(tempfile.mkdtemp(prefix="", dir=workshop)) as made:
        yield made


@pytest.fixture
def tiffin(engine: Engine) -> Iterator[Shell]:
    """For what does; only its containers go by themselves."""
    shell = Shell(engine)
    yield shell
    left = shell.ok("ps", "-aq").split()
    if left:
        shell.ok("rm", "-f", *left)


def done_by(tiffin: Shell, *words: str, code: int = 0) -> str:
    """What comes before the picture, which must be as foretold."""
    said = tiffin("explain", "--do", *words)
    assert (said.code, said.err) == (code, ""), said
    assert said.out.endswith(FORETOLD), said.out
    printed, _, told = said.out.partition("INPUT ")
    assert "\nOUTPUT " in told
    return printed


# told, and not done


def test_the_ways_are_those_of_all_verbs():
    assert set(WAYS) == set(spellings.MODULES.values()) - {"explain"}


@pytest.mark.parametrize("spelling", [name for name in spellings.MODULES if name != "explain"])
def test_every_spelling_is_explained_and_nothing_is_done(stage: Stage, spelling: str):
    words = [word.format(archive=stage.archive, flat=stage.flat) for word in WAYS[spellings.MODULES[spelling]]]
    before = stage.disk()
    out = words_of(stage.shell.ok("explain", *spelling.split(), *words))
    assert stage.disk() == before
    assert out.startswith("INPUT ")
    assert sentence(spelling) in out
    assert " 1 " in out.partition(sentence(spelling))[2].partition(" OUTPUT ")[0]
    assert out.endswith(words_of(NOTHING + " ".join((spelling, *words))))


@pytest.mark.parametrize(
    ("words", "steps"),
    [
        (("run", "busybox", "true"), ("Create busybox: ", "Start ", "Wait ", "an empty folder", "execute true")),
        (("run", "-d", "busybox", "true"), ("Create ", "Start ")),
        (("restart", "running"), ("Stop running: ", "Start running: ", "send SIGTERM")),
        (("restart", "done"), ("ask the spawner for a child",)),
        (("start", "-a", "done"), ("Start done: ", "Wait done: ")),
        (("start", "running"), ("leave it as it is", "container running is running already")),
        (("stop", "done"), ("leave it as it is",)),
        (("kill", "-s", "USR1", "running"), ("send SIGUSR1", "unless its program ends by that signal")),
        (("rm", "-f", "running"), ("send SIGKILL to the first process", "-f: a process space around it goes first")),
        (("commit", "fresh"), ("nothing is there: the image has the layers of its parent", "adds settings alone")),
        (("commit", "-p=false", "running", "x"), ("write an event",)),
        (("commit", "running", "x"), ("freeze running", "let running go on")),
        (("rmi", "-f", "busybox"), ("take the name busybox:latest away",)),
        (("image", "prune"), ("remove nothing",)),
        (("exec", "-d", "running", "ls"), ("ask the shim to fork", "execute ls", "New in its process space: ls.")),
        (("start", "fresh"), ("execute true", "New in its process space: true.")),
        (("run", "-d", "--init", "busybox", "sleep", "9"), ("New in its process space: init; sleep 9.",)),
        (("wait", "running"), ("ask the shim to tell when the first process ends",)),
        (("save", "mood", "busybox"), ("gather the settings and manifests",)),
        (("look",), ("look at each layer, image and container",)),
        (("images", "--tree", "mood"), ("look at each image's record and names",)),
        (("--", "ps", "--tree", "-f", "name=held"), ("the lock of its run tells whether it runs",)),
    ],
)
def test_each_way_has_its_own_steps(stage: Stage, words: tuple[str, ...], steps: tuple[str, ...]):
    before = stage.disk()
    out = stage.shell.ok("explain", "--plain", *words)
    assert stage.disk() == before
    for step in steps:
        assert step in out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("rm", "running"), "container is running: stop the container before removing or force remove"),
        (("create", "busybox"), "no command specified"),
        (("create", "--name", "a/b", "busybox", "true"), "Invalid container name (a/b)"),
        (("create", "--hostname", "<x>", "busybox", "true"), "invalid hostname '<x>'"),
        (("run", "--name", "held", "busybox", "true"), 'The container name "/held" is already in use'),
        (("run", "-m", "1k", "busybox", "true"), "Minimum memory limit"),
        (("run", "-v", "/etc:/x:zz", "busybox", "true"), "invalid mode: zz"),
        (("exec", "done", "ls"), "is not running"),
        (("exec", "held", "ls"), "is paused, unpause the container before exec"),
        (("attach", "done"), "You cannot attach to a stopped container"),
        (("pause", "held"), "already paused"),
        (("unpause", "running"), "is not paused"),
        (("rename", "done", "held"), 'The container name "/held" is already in use'),
        (("commit", "done", "UPPER"), "must be lowercase"),
        (("commit", "-c", "XX", "done"), "XX is not a valid change command"),
        (("tag", "mood", "A:b:c"), "invalid reference format"),
        (("rmi", "busybox"), "unable to remove repository reference"),
        (("load", "-i", "/etc/passwd"), "this is no tar archive"),
        (("import", "/etc/passwd"), "this is no tar archive"),
        (("stop", "-s", "NOSUCH", "running"), "invalid signal: NOSUCH"),
        (("kill", "-s", "NOSUCH", "running"), "invalid signal: NOSUCH"),
        (("save", "-o", "/nowhere/x.tar", "mood"), "/nowhere/x.tar: No such file or directory"),
        (("export", "-o", "/etc", "done"), "/etc: Is a directory"),
        (("bootstrap", "nosuch"), "can't make 'nosuch' on the spot"),
    ],
)
def test_what_would_be_refused_is_told_with_the_reason(stage: Stage, words: tuple[str, ...], why: str):
    before = stage.disk()
    said = stage.shell("explain", *words)
    assert stage.disk() == before
    assert (said.code, said.err) == (1, "")
    assert "\nREFUSED " in said.out
    assert said.out.endswith("\nNothing would be done.\n")
    assert why in stage.shell("explain", "--plain", *words).out
    really = stage.shell(*words)
    assert really.code != 0
    assert why in words_of(really.err)


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        ((), 1, "'tiffin explain' requires at least 1 argument"),
        (("nosuch",), 1, "unknown command: tiffin nosuch"),
        (("stpo", "x"), 1, "did you mean tiffin stop?"),
        (("container",), 1, "tiffin container is a group of commands"),
        (("container", "nosuch"), 1, "unknown command: tiffin container nosuch"),
        (("explain",), 1, "tiffin explain --help"),
        (("explain", "ps"), 1, "tiffin explain --help"),
        (("help",), 1, "help prints a text"),
        (("help", "rm"), 1, "help prints a text"),
        (("rm",), 1, "'tiffin rm' requires at least 1 argument"),
        (("rm", "-x", "done"), 125, "unknown shorthand flag: 'x' in -x"),
        (("run", "-m", "1x", "busybox", "true"), 125, 'invalid argument "1x"'),
        (("rm", "nosuch"), 1, "No such container: nosuch"),
        (("run", "nosuch", "true"), 1, "No such image: nosuch"),
        (("history", "nosuch"), 1, "No such image: nosuch"),
        (("inspect", "nosuch"), 1, "No such object: nosuch"),
        (("look", "nosuch"), 1, "No such object: nosuch"),
        (("image", "inspect", "running"), 1, "No such image: running"),
        (("container", "inspect", "mood"), 1, "No such container: mood"),
        (("load",), 1, "what comes in can be read only once"),
        (("load", "-i", "/nosuch"), 1, "/nosuch: No such file or directory"),
        (("import", "-"), 1, "what comes in can be read only once"),
        (("import", "http://x/y"), 1, "fetch it first"),
        (("import", "/nosuch"), 1, "/nosuch: No such file or directory"),
        (("start", "-a", "done", "failed"), 1, "cannot start and attach multiple containers at once"),
        (("run", "-d", "-a", "stdout", "busybox", "true"), 1, "conflicting options"),
        (("rm", "--dry-run", "done"), 1, "leave --dry-run away"),
        (("--do", "rm", "--dry-run", "done"), 1, "leave --dry-run away"),
        (("--trace", "rm", "done"), 1, "--trace comes with --do"),
        (("--svg", "--html", "ps"), 1, "conflicting options: --svg and --html"),
        (("--do", "--json", "--plain", "rm", "done"), 1, "conflicting options: --json and --plain"),
        (("--as-shell", "--do", "start", "done"), 1, "conflicting options: --as-shell and --do"),
        (("--as-shell", "--svg", "start", "done"), 1, "conflicting options: --as-shell and --svg"),
        (("--as-shell", "rm", "done"), 1, "run or start, and not rm"),
        (("--as-shell", "start", "done", "failed"), 1, "one script is for one container"),
        (("--width", "0", "ps"), 125, "a number of columns"),
        (("--theme", "red", "ps"), 125, "there are auto, light, dark"),
    ],
)
def test_what_makes_no_sense_is_told_in_a_sentence(stage: Stage, words: tuple[str, ...], code: int, why: str):
    before = stage.disk()
    said = stage.shell("explain", *words)
    assert stage.disk() == before
    assert (said.code, said.out) == (code, "")
    assert why in said.err
    assert "Traceback" not in said.err


def test_words_that_a_verb_does_not_take_are_told_with_its_own_usage(stage: Stage):
    assert "Usage:  tiffin rm [OPTIONS] CONTAINER [CONTAINER...]" in stage.shell("explain", "rm").err


@pytest.mark.parametrize("words", [("--help",), ("-h",), ("rm", "--help"), ("container", "rm", "-h")])
def test_help_is_a_text_and_looks_at_nothing(stage: Stage, words: tuple[str, ...]):
    assert stage.shell.ok("explain", *words).startswith(f"Usage:  tiffin {' '.join(words[:-1]) or 'explain'} ")


def test_a_compound_verb_shows_its_parts(stage: Stage):
    assert "\n          run = create + start + wait\n" in stage.shell.ok("explain", "run", "busybox", "true")
    assert "\n          restart = stop + start\n" in stage.shell.ok("explain", "restart", "running")
    assert " = " not in stage.shell.ok("explain", "stop", "running", "held")


def test_of_several_names_those_that_fit_are_explained_beside_the_others(stage: Stage):
    said = stage.shell("explain", "--width", "200", "rm", "running", "nosuch", "done")
    assert (said.code, said.err) == (1, "")
    out = words_of(said.out)
    assert 'refused: cannot remove container "running"' in out
    assert "refused: No such container: nosuch" in out
    assert "let go of the name done" in out
    assert out.endswith(f"{NOTHING}rm running nosuch done")


def test_only_what_is_asked_for_is_looked_at(stage: Stage):
    assert "held" not in stage.shell.ok("explain", "look", "running", "done").partition("tiffin explain")[0]
    assert "fresh" not in stage.shell.ok("explain", "ps", "-f", "name=held").partition("tiffin explain")[0]
    assert "mood" not in stage.shell.ok("explain", "images", "busybox").partition("tiffin explain")[0]


def test_plain_is_a_sentence_a_line_with_numbered_steps(stage: Stage):
    lines = stage.shell.ok("explain", "--plain", "run", "--name", "new", "mood", "true").splitlines()
    assert lines[0] == "Input: an image."
    assert "Step 3: make the read-write layer, an empty folder: only it will write there." in lines
    assert any(line.startswith("Start ") for line in lines)
    assert lines[-1] == "Nothing has been done."
    refused = stage.shell("explain", "--plain", "rm", "running").out.splitlines()
    assert refused[-2].startswith('It would be refused: cannot remove container "running"')
    assert refused[-1] == "Nothing would be done."


@pytest.mark.parametrize("words", [("run", "-m", "64m", "mood", "true"), ("start", "done")])
def test_a_start_is_written_as_a_script_for_a_shell(stage: Stage, words: tuple[str, ...]):
    before = stage.disk()
    script = stage.shell.ok("explain", "--as-shell", *words)
    assert script.startswith("#!/bin/sh\n")
    assert "unshare" in script
    assert stage.disk() == before


# done, and compared


def test_a_life_comes_as_foretold_and_what_the_verbs_print_comes_first(tiffin: Shell):
    assert len(done_by(tiffin, "create", "--name", "aa", "busybox", *FOR_EVER)) == 65
    assert done_by(tiffin, "start", "aa") == "aa\n"
    assert done_by(tiffin, "exec", "aa", "sh", "-c", "echo hi >/greeting; echo told") == "told\n"
    assert done_by(tiffin, "pause", "aa") == "aa\n"
    assert done_by(tiffin, "unpause", "aa") == "aa\n"
    assert done_by(tiffin, "commit", "aa", "life").startswith("sha256:")
    assert done_by(tiffin, "tag", "life", "life:2") == ""
    assert done_by(tiffin, "rename", "aa", "bb") == ""
    assert done_by(tiffin, "diff", "bb") == "A /greeting\n"
    assert done_by(tiffin, "restart", "-t", "0", "bb") == "bb\n"
    assert done_by(tiffin, "stop", "-t", "0", "bb") == "bb\n"
    assert done_by(tiffin, "wait", "bb") == "137\n"
    assert done_by(tiffin, "start", "bb") == "bb\n"
    assert done_by(tiffin, "kill", "bb") == "bb\n"
    assert done_by(tiffin, "rm", "bb") == "bb\n"
    assert done_by(tiffin, "rmi", "life").startswith("Untagged: life:latest\n")
    assert done_by(tiffin, "rmi", "life:2").startswith("Untagged: life:2\nDeleted: ")


def test_what_comes_in_and_goes_comes_as_foretold(tiffin: Shell, stage: Stage):
    assert done_by(tiffin, "load", "-i", stage.archive) == "Loaded image: mood:latest\n"
    assert done_by(tiffin, "import", stage.flat, "flat:1").startswith("sha256:")
    assert done_by(tiffin, "rmi", "mood", "flat:1").startswith("Untagged: mood:latest\n")
    tiffin.ok("create", "--name", "aa", "busybox", "true")
    tiffin.ok("commit", "aa")
    assert done_by(tiffin, "image", "prune", "-f").startswith("Deleted Images:\n")


def test_a_layer_is_called_as_it_was_foretold_whatever_made_it(tiffin: Shell):
    tiffin.ok("run", "--name", "aa", "busybox", "/bin/sh", "-c", "echo one >/one\n\techo two")
    assert done_by(tiffin, "commit", "aa", "named").startswith("sha256:")
    tiffin.ok("rmi", "named")


def test_a_run_ends_as_its_program_did(tiffin: Shell):
    assert done_by(tiffin, "run", "--rm", "busybox", "sh", "-c", "echo out; exit 3", code=3) == "out\n"
    assert done_by(tiffin, "run", "-d", "busybox", *FOR_EVER)


def test_what_nobody_could_foretell_is_told_and_the_code_is_1(tiffin: Shell):
    said = tiffin("explain", "--do", "run", "--name", "aa", "-u", "nosuch", "busybox", "true")
    assert said.code == 1
    assert "unable to find user nosuch" in said.err
    assert "\nDone, and not as foretold:\n" in said.out
    assert "container aa: state is 'created', and 'exited' was foretold" in words_of(said.out)


def test_a_refusal_comes_as_foretold_with_the_words_and_code_of_the_verb(tiffin: Shell):
    tiffin.ok("run", "-d", "--name", "aa", "busybox", *FOR_EVER)
    said = tiffin("explain", "--do", "rm", "aa")
    assert said.code == 1
    assert 'cannot remove container "aa"' in said.err
    assert said.out.endswith("Refused, as foretold.\n")
    assert tiffin("explain", "--do", "run", "--name", "aa", "busybox", "true").code == 125


def test_where_somebody_comes_in_between_the_differences_are_told(tiffin: Shell, capsys, monkeypatch):
    tiffin.ok("create", "--name", "aa", "busybox", "true")
    tiffin.ok("create", "--name", "bb", "busybox", "true")
    engine = tiffin.environment
    monkeypatch.setenv("TIFFIN_ROOT", engine["TIFFIN_ROOT"])
    monkeypatch.setenv("TIFFIN_RUNROOT", engine["TIFFIN_RUNROOT"])
    monkeypatch.setattr(Container, "remove", lambda self, force: self.rename("cc"))
    assert main(["explain", "--do", "rm", "aa"]) == 1
    told = words_of(capsys.readouterr().out)
    assert "Done, and not as foretold: · container cc is there, which was not foretold" in told


# the system calls of the steps

BY_OTHERS = {
    "wait until all of them are frozen",  # the shim
    "wait for 10 s at most", "send SIGKILL if it still runs", "write down the exit code",
    "unmount the union view, remove the control group", "throw the container away, with its read-write layer",
    "make the control group, without limits", "begin in new pid, network, ipc and uts namespaces",  # the spawner
    "join the container's control group",  # the child was forked into it
    "thaw the processes",
}  # fmt: skip


def steps_of(explanation: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for part in explanation["parts"] or [explanation] for step in part["steps"]]


def test_each_step_that_the_command_does_itself_has_its_calls_and_each_call_a_step(
    tiffin: Shell, stage: Stage, tmp_path, capsys, monkeypatch
):
    """In this process, so that the calls can be counted."""
    recorded: list[list[str]] = []
    with_calls = doing._with_calls

    def counted(explanation: Any, calls: list[str], traces: Any) -> Any:
        recorded.append(calls)
        return with_calls(explanation, calls, traces)

    monkeypatch.setattr(doing, "_with_calls", counted)
    monkeypatch.setenv("TIFFIN_ROOT", tiffin.environment["TIFFIN_ROOT"])
    monkeypatch.setenv("TIFFIN_RUNROOT", tiffin.environment["TIFFIN_RUNROOT"])
    archive = str(tmp_path / "several.tar")

    def check(*words: str) -> None:
        assert main(["explain", "--do", "--trace", "--json", *words]) == 0, capsys.readouterr()
        _, brace, told = capsys.readouterr().out.partition("{\n")  # descriptors are not captured
        steps = steps_of(json.loads(brace + told)["explanation"])
        assert [step["does"] for step in steps if not step["calls"]] == []
        assert [call for step in steps for call in step["calls"]] == recorded[-1]

    check("create", "--name", "aa", "busybox", *FOR_EVER)
    check("rename", "aa", "bb")
    check("commit", "bb", "empty")
    tiffin.ok("start", "bb")
    tiffin.ok("exec", "bb", "touch", "/new")
    check("commit", "bb", "full:1")
    check("tag", "full:1", "full:2")
    layer = tiffin.ok("images", "-aq", "--no-trunc", "--format", "{{.Layer}}", "full").split()[0]
    check("tag", layer, "bare")
    tiffin.ok("save", "-o", archive, "full", "empty")
    check("rm", "-f", "bb")
    tiffin.ok("create", "--name", "cc", "busybox", "true")
    tiffin.ok("create", "--name", "dd", "busybox", "true")
    check("rm", "cc", "dd")
    check("rmi", "bare")
    check("rmi", "-f", tiffin.ok("images", "-q", "--no-trunc", "full:1").strip())  # with both of its names
    check("rmi", "empty")
    check("load", "-i", archive)
    check("load", "-i", archive)
    check("rmi", "full:1", "full:2", "empty")
    check("import", stage.flat, "flat")
    check("rmi", "flat")
    tiffin.ok("create", "--name", "ee", "busybox", "true")
    tiffin.ok("commit", "ee")
    check("image", "prune", "-f")


@pytest.mark.parametrize(
    "words",
    [("run", "-d", "busybox", *FOR_EVER), ("start", "aa"), ("exec", "bb", "true"), ("restart", "-t", "0", "bb")],
)
def test_each_step_on_the_way_to_a_program_has_its_calls(tiffin: Shell, words: tuple[str, ...]):
    tiffin.ok("create", "--name", "aa", "busybox", *FOR_EVER)
    tiffin.ok("run", "-d", "--name", "bb", "busybox", *FOR_EVER)
    said = tiffin("explain", "--do", "--trace", "--json", *words)
    assert said.code == 0
    steps = steps_of(json.loads(said.out)["explanation"])
    assert {step["does"] for step in steps if not step["calls"]} <= BY_OTHERS
    last = steps[-1]
    assert last["does"].startswith("execute ")
    assert last["calls"][-1].startswith("execve")
    assert sum(step["nanoseconds"] for step in steps) > 0


@pytest.mark.parametrize("verb", ["stop", "kill", "pause"])
def test_what_the_shim_does_is_asked_for_by_a_call(tiffin: Shell, verb: str):
    tiffin.ok("run", "-d", "--name", "bb", "busybox", *FOR_EVER)
    options = ("-t", "0") if verb == "stop" else ()
    said = tiffin("explain", "--do", "--trace", "--json", verb, *options, "bb")
    steps = steps_of(json.loads(said.out)["explanation"])
    assert any("sendto(" in call for step in steps for call in step["calls"])
    assert {step["does"] for step in steps if not step["calls"]} <= BY_OTHERS | {"wait for 0 s at most"}


def test_many_like_calls_are_told_as_their_number_in_the_drawing(tiffin: Shell, stage: Stage):
    out = tiffin.ok("explain", "--do", "--trace", "import", stage.flat, "flat")
    assert "more of linkat" in out
    assert out.count("linkat(") < 20
    tiffin.ok("rmi", "flat")


def test_who_reads_only_the_beginning_is_no_trouble(stage: Stage):
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "tiffin", "explain", "rm", "done"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, env=stage.shell.environment)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")
