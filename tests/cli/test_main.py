"""The front as a whole: which words are which verb, help, exit codes, and what a reader sees when something fails."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import IO

import pytest

import tiffin
from tiffin.cli import main, spellings
from tiffin.cli.options import HELP

TOP_VERBS = [spelling for spelling in spellings.MODULES if " " not in spelling]


def python_m_tiffin(*words: str, stdout: int | IO[str]) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "tiffin", *words]
    return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, env=environment, timeout=60)


@pytest.mark.parametrize("spelling", spellings.MODULES)
def test_every_spelling_leads_to_a_verb_with_a_help(spelling, capsys):
    assert main([*spelling.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    command = spellings.load(spelling).COMMAND
    assert shown.startswith(f"Usage:  tiffin {spelling}")
    assert f"\n\n{command.sentence}.\n\n" in shown
    assert all(f"--{option.name}" in shown and option.help for option in (*command.options, HELP))


@pytest.mark.parametrize("spelling", spellings.MODULES)
def test_options_of_a_verb_have_one_meaning(spelling):
    options = spellings.load(spelling).COMMAND.options
    names = [name for option in options for name in (option.name, option.also) if name]
    letters = [option.short for option in options if option.short]
    assert len(set(names)) == len(names)
    assert len(set(letters)) == len(letters)


def test_every_verb_is_in_one_section_of_the_overview():
    assert sorted(verb for verbs in spellings.SECTIONS.values() for verb in verbs) == sorted(TOP_VERBS)


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
def test_the_overview_names_every_verb(words, capsys):
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert all(f"\n  {verb} " in shown for verb in (*TOP_VERBS, *spellings.GROUPS))


@pytest.mark.parametrize("words", [["container"], ["container", "--help"], ["help", "container"]])
def test_a_group_names_its_verbs(words, capsys):
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "\n  ls " in shown
    assert not any(f"\n  {other} " in shown for other in ("list", "ps", "remove"))  # of one verb
    assert "\n  images " not in shown


def test_the_help_of_a_verb_names_its_other_spellings(capsys):
    main(["help", "ps"])
    assert "tiffin container list, tiffin container ls, tiffin container ps, tiffin ps\n" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["help", "run", "base"], ["--help", "run", "base"], ["run", "--help", "base"]])
def test_who_asks_for_the_help_of_a_verb_runs_nothing(words, capsys):
    assert main(words) == 0
    assert capsys.readouterr().out.startswith("Usage:  tiffin run [OPTIONS] IMAGE")


@pytest.mark.parametrize("words", [["-v"], ["--version"], ["-v", "ps"]])
def test_the_version_is_told(words, capsys):
    assert main(words) == 0
    assert capsys.readouterr().out == f"tiffin version {tiffin.__version__}\n"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["nosuch"], 1, "unknown command: tiffin nosuch"),
        (["nosuch", "--all"], 1, "unknown command: tiffin nosuch"),
        (["help", "nosuch"], 1, "unknown command: tiffin nosuch"),
        (["image", "nosuch"], 1, "unknown command: tiffin image nosuch"),
        (["strat", "web"], 1, "unknown command: tiffin strat; did you mean tiffin start or tiffin restart?"),
        (["image", "lss"], 1, "unknown command: tiffin image lss; did you mean tiffin image ls?"),
        (["imagse"], 1, "unknown command: tiffin imagse; did you mean tiffin image or tiffin images?"),
        (["--nosuch", "ps"], 125, "unknown flag: --nosuch"),
        (["image", "--nosuch"], 125, "unknown flag: --nosuch"),
        (["ps", "--nosuch"], 125, "unknown flag: --nosuch"),
        (["run", "--nosuch"], 125, "unknown flag: --nosuch"),
        (["run", "-e", "=x", "base"], 125,
         'invalid argument "=x" for "-e, --env" flag: invalid environment variable: =x'),
        (["ps", "web"], 1, "'tiffin ps' accepts no arguments"),
        (["container", "ls", "web"], 1, "'tiffin container ls' accepts no arguments"),
        (["tag", "web"], 1, "'tiffin tag' requires exactly 2 arguments"),
        (["run"], 1, "'tiffin run' requires at least 1 argument"),
    ],
)  # fmt: skip
def test_words_that_make_no_sense_are_told_with_what_to_try(words, code, message, capsys):
    assert main(words) == code
    out, err = capsys.readouterr()
    complaint, usage, hint = err.split("\n\n")
    assert (out, complaint) == ("", f"tiffin: {message}")
    assert usage.startswith("Usage:  tiffin")
    assert re.fullmatch(r"Run 'tiffin .*--help' for more information\n", hint)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["logs", "--since", "bogus", "web"],
         'invalid value for "since": "bogus" is not a time, like 2026-01-31T12:00:00Z, nor a time ago, like 10m'),
        (["inspect", "--type", "bogus", "web"], 'unknown type: "bogus": must be one of container, image, layer'),
    ],
)  # fmt: skip
def test_a_value_that_the_parser_takes_fails_as_the_verb_does(words, message, capsys):
    assert main(words) == 1
    assert capsys.readouterr() == ("", f"tiffin: {message}\n")


@pytest.mark.parametrize(("words", "code"), [(["ps"], 1), (["images"], 1), (["bootstrap"], 1), (["run", "base"], 125)])
def test_an_ordinary_user_is_told_that_it_needs_root(words, code, monkeypatch, capsys):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert main(words) == code
    assert capsys.readouterr() == (
        "", "tiffin: this needs root for now: try the same with sudo in front, or as root\n"
    )  # fmt: skip


@pytest.fixture
def broken(monkeypatch):
    """Makes every verb fail with a given error."""

    def break_with(error: BaseException) -> None:
        def fail(*_: object) -> int:
            raise error

        monkeypatch.delenv("TIFFIN_DEBUG", raising=False)
        monkeypatch.setattr("tiffin.cli._engine", fail)

    return break_with


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (tiffin.errors.NoSuchContainer("No such container: x"), "tiffin: No such container: x\n"),
        (tiffin.errors.BadArchive("no \x1b[31mred\ntry: x"), "tiffin: no \\x1b[31mred\ntry: x\n"),
        (PermissionError(13, "Permission denied", "/var/lib/tiffin"), "tiffin: /var/lib/tiffin: Permission denied\n"),
        (OSError(28, "No space left on device"), "tiffin: the standard output: No space left on device\n"),
        (TimeoutError("nobody answers"), "tiffin: nobody answers\n"),
        (
            KeyError("x"),
            "tiffin: unexpected KeyError: 'x'. This is a mistake in tiffin; TIFFIN_DEBUG=1 shows where\n",
        ),
    ],
)
def test_an_error_is_a_sentence_and_an_exit_code(error, message, broken, capsys):
    broken(error)
    assert main(["ps"]) == 1
    assert main(["run", "x"]) == 125
    assert capsys.readouterr() == ("", message * 2)


def test_a_program_that_cannot_be_run_has_dockers_codes(broken):
    broken(tiffin.errors.CommandNotFound("exec: nosuch"))
    assert main(["run", "x"]) == 127
    assert main(["start", "-a", "x"]) == 1
    broken(tiffin.errors.CommandNotExecutable("exec: /etc"))
    assert main(["exec", "x", "y"]) == 126


def test_an_interrupt_is_no_error_to_tell_of(broken, capsys):
    broken(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        main(["ps"])
    assert capsys.readouterr() == ("", "")


def test_debugging_shows_the_traceback(broken, monkeypatch):
    broken(KeyError("x"))
    monkeypatch.setenv("TIFFIN_DEBUG", "1")
    with pytest.raises(KeyError):
        main(["ps"])


def test_a_reader_who_leaves_is_no_error():
    reader, writer = os.pipe()
    os.close(reader)
    done = python_m_tiffin("--help", stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_full_disk_behind_the_output_is_told():
    with open("/dev/full", "w") as full:
        done = python_m_tiffin("--help", stdout=full)
    assert (done.returncode, done.stderr) == (1, b"tiffin: the standard output: No space left on device\n")


def test_closed_streams_are_not_mistaken_for_files(tmp_path):
    script = f'exec "{sys.executable}" -m tiffin --version <&- >&- 2>&-'
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run(["sh", "-c", script], env=environment, timeout=60).returncode == 0
