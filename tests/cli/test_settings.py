"""The options of create and run become settings."""

from __future__ import annotations

import os
import re

import pytest

from tiffin.cli import refused, settings
from tiffin.cli.options import Command, Given, Option, UsageError, parse
from tiffin.errors import BadParameter
from tiffin.model.config import Config
from tiffin.model.host_config import HostConfig, LogConfig

COMMAND = Command("create", "IMAGE", settings.OPTIONS, least=1, options_first=True)


def given(*words: str) -> Given:
    return parse(COMMAND, [*words, "image"])


def config(*words: str) -> Config:
    return settings.config(given(*words), stdin_once=False)


def host(*words: str) -> HostConfig:
    return settings.host_config(given(*words))


def test_without_options_there_are_only_the_image_and_the_command():
    bare = settings.config(parse(COMMAND, ["image", "ls", "-l"]), stdin_once=False)
    assert bare == Config(image="image", cmd=("ls", "-l"))
    assert host() == HostConfig()


def test_what_to_run_is_taken_over():
    assert config(
        "-it", "-h", "web", "-u", "1000:5", "-w", "/srv", "-l", "a=1", "--label", "b", "--stop-signal", "INT",
        "--stop-timeout", "3", "--entrypoint", "sh",
    ) == Config(
        image="image", hostname="web", user="1000:5", tty=True, open_stdin=True, working_dir="/srv",
        labels={"a": "1", "b": ""}, stop_signal="INT", stop_timeout=3, entrypoint=("sh",),
    )  # fmt: skip


def test_what_is_asked_of_the_host_is_taken_over():
    assert host(
        "--read-only", "-v", "/a:/b:ro", "--tmpfs", "/run:size=1m", "--tmpfs", "/tmp", "-m", "64m", "--cpus", "1.5",
        "--pids-limit", "10", "--privileged", "--cap-add", "NET_ADMIN", "--cap-drop", "ALL", "--init", "--net", "host",
        "--rm", "--log-opt", "max-size=1m", "--log-opt", "max-file=2",
    ) == HostConfig(
        binds=("/a:/b:ro",), tmpfs={"/run": "size=1m", "/tmp": ""}, network_mode="host", memory=64 << 20,
        nano_cpus=15 * 10**8, pids_limit=10, privileged=True, readonly_rootfs=True, cap_add=("NET_ADMIN",),
        cap_drop=("ALL",), auto_remove=True, init=True, log=LogConfig("json-file", 1_000_000, 2),
    )  # fmt: skip


def test_no_limit_of_processes_is_minus_one_or_zero():
    assert host("--pids-limit", "-1").pids_limit == 0
    assert host("--pids-limit", "0").pids_limit == 0


def test_a_variable_without_a_value_is_taken_from_here(monkeypatch):
    monkeypatch.setenv("HERE", "a=b")
    assert config("-e", "HERE", "-e", "A=1").env == ("HERE=a=b", "A=1")


def test_a_variable_that_is_not_set_here_stays_bare_to_take_the_images_away(monkeypatch):
    monkeypatch.delenv("GONE", raising=False)
    assert config("-e", "GONE").env == ("GONE",)


def test_an_empty_entrypoint_is_not_the_same_as_none():
    assert config().entrypoint is None
    assert config("--entrypoint", "").entrypoint == ("",)


def test_a_file_of_variables_comes_before_the_single_ones(tmp_path, monkeypatch):
    monkeypatch.setenv("HERE", "set")
    monkeypatch.delenv("GONE", raising=False)
    path = tmp_path / "env"
    path.write_bytes(b'\xef\xbb\xbf# a comment\n\nA=1\r\n  B="quoted" # kept\nHERE\nGONE\nC=\n')
    assert config("-e", "A=2", "--env-file", str(path)).env == ("A=1", 'B="quoted" # kept', "HERE=set", "C=", "A=2")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"=x\n", "no variable name"), (b"A B=x\n", "contains blanks"), (b"A=\xff\n", "UTF-8"), (None, "No such file")],
)
def test_a_file_of_variables_that_makes_no_sense_is_refused(tmp_path, content, message):
    path = tmp_path / "env"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        config("--env-file", str(path))


def test_a_folder_given_relatively_is_this_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert host("-v", "./x:/x:ro").binds == (f"{os.path.realpath(tmp_path)}/x:/x:ro",)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-v", "data:/x"), "named volumes come later"),
        (("-v", "/data"), "named volumes come later"),
        (("-v", "/a:b"), "must be an absolute path"),
        (("--tmpfs", "run"), "must be an absolute path"),
        (("--network", "bridge"), "come later"),
        (("--network", ""), "come later"),
        (("--network", "none", "--net", "host"), "cannot be connected to network endpoints: none, host"),
        (("--network", "none", "--network", "none"), "cannot be connected to network endpoints: none, none"),
        (("--log-driver", "syslog"), "json-file and none"),
        (("--log-driver", "none", "--log-opt", "max-size=1m"), "no log to rotate"),
        (("--log-opt", "compress=true"), "max-size and max-file"),
        (("--log-opt", "max-size=x"), "invalid size"),
        (("--log-opt", "max-size=0"), "at least 1"),
        (("--log-opt", "max-file=x"), "max-file=x"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence(words, message):
    with pytest.raises(BadParameter, match=message):
        host(*words)


@pytest.mark.parametrize("words", [("-l", "=x"), ("-e", "=x"), ("-e", "")])
def test_a_key_without_a_name_is_refused(words):
    with pytest.raises(UsageError, match="invalid"):
        config(*words)


WITH_VALUE = [option for option in refused.OPTIONS if option.kind]


@pytest.mark.parametrize("option", WITH_VALUE, ids=lambda option: option.name)
def test_what_cannot_act_here_is_refused_with_the_reason(option: Option[None]):
    with pytest.raises(UsageError, match=re.escape(f'"{option.spelling}" flag: {option.help}')):
        parse(COMMAND, [f"--{option.name}", "80", "image"])


@pytest.mark.parametrize("word", ["--publish-all=false", "--userns=host", "--isolation=default"])
def test_what_asks_for_nothing_else_than_there_is_is_no_error(word: str):
    assert parse(COMMAND, [word, "image"]).arguments == ["image"]
