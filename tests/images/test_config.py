"""Configs of images: read as they come, written so that equal things are equal bytes, and merged as Docker does."""

from __future__ import annotations

import json

import pytest

from tiffin.errors import BadArchive
from tiffin.images.config import HistoryEntry, ImageConfig, merge
from tiffin.model.config import Config, Healthcheck
from tiffin.model.nouns import chain_id

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
DOCKERS = {
    "architecture": "amd64",
    "config": {"Hostname": "", "Env": ["PATH=/bin"], "Cmd": ["sh"], "Labels": None, "Volumes": {"/data": {}}},
    "container": "1234",
    "container_config": {"Cmd": ["/bin/sh", "-c", "#(nop) CMD"]},
    "created": "2026-11-24T01:02:03.123456789Z",
    "docker_version": "20.10.24",
    "history": [{"created": "2026-11-24T01:02:03Z", "created_by": "ADD", "empty_layer": False},
                {"created": "2026-11-24T01:02:04Z", "created_by": "CMD", "empty_layer": True}],
    "os": "linux",
    "rootfs": {"type": "layers", "diff_ids": [A]},
}  # fmt: skip


def test_a_config_as_docker_writes_it_is_read():
    config = ImageConfig.from_bytes(json.dumps(DOCKERS).encode())
    assert config == ImageConfig(
        Config(env=("PATH=/bin",), cmd=("sh",), volumes=("/data",)),
        (HistoryEntry("2026-11-24T01:02:03Z", "ADD"), HistoryEntry("2026-11-24T01:02:04Z", "CMD", empty_layer=True)),
        (A,),
        "2026-11-24T01:02:03.123456789Z",
        "",
        "amd64",
    )


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"null", b"{}", b'{"rootfs": null}', b'{"rootfs": {"type": "windows"}}', b"\xff", b"[" * 100_000,
     b'{"rootfs": {"type": "layers", "diff_ids": ["md5:00"]}}', b'{"rootfs": {"type": "layers", "diff_ids": "x"}}',
     b'{"rootfs": {"type": "layers"}, "history": {}}', b'{"rootfs": {"type": "layers"}, "config": {"Env": 3}}',
     b'{"rootfs": {"type": "layers"}, "created": 7}'],
)  # fmt: skip
def test_what_is_no_config_is_refused(content: bytes):
    with pytest.raises(BadArchive):
        ImageConfig.from_bytes(content)


def test_half_a_character_in_a_config_can_be_written_again():
    config = ImageConfig.from_bytes(b'{"rootfs": {"type": "layers"}, "author": "\\ud83d\\ude00 \\ud83d"}')
    assert config.author == "\U0001f600 \ufffd"


def test_what_is_written_is_read_the_same():
    config = ImageConfig(
        Config(env=("A=ü<&>",), cmd=("sh",), entrypoint=("e",), labels={"b": "1", "a": "2"}, exposed_ports=("80/tcp",),
               healthcheck=Healthcheck(("CMD", "x"), retries=3)),
        (HistoryEntry("2026-11-24T00:00:00Z", "made"),),
        (A,), "2026-11-24T00:00:00Z", "me", "arm64", "linux", "v8",
    )  # fmt: skip
    assert ImageConfig.from_bytes(config.to_bytes()) == config


def test_equal_configs_are_equal_bytes_whatever_the_order_of_their_labels():
    first = ImageConfig(Config(labels={"a": "1", "b": "2"}))
    second = ImageConfig(Config(labels={"b": "2", "a": "1"}))
    assert first.to_bytes() == second.to_bytes()


def test_only_what_is_set_is_written():
    assert ImageConfig(diff_ids=(A,)).to_bytes() == (
        b'{"os":"linux","rootfs":{"diff_ids":["' + A.encode() + b'"],"type":"layers"}}'
    )


def test_layers_are_named_by_what_they_lie_on():
    assert ImageConfig(diff_ids=(A, B)).layers() == (A, chain_id(A, B))


def test_a_step_adds_its_layer_and_its_history():
    made = HistoryEntry("2026-11-24T00:00:00Z", "touch happiness.txt")
    child = ImageConfig(history=(HistoryEntry(),), diff_ids=(A,), author="me").with_step(made, B, Config(user="7"))
    assert child == ImageConfig(Config(user="7"), (HistoryEntry(), made), (A, B), "2026-11-24T00:00:00Z", "me")


def test_a_step_without_a_layer_says_so():
    parent = ImageConfig(diff_ids=(A,), history=(HistoryEntry(),))
    child = parent.with_step(HistoryEntry(created_by="CMD"), None, Config())
    assert (child.diff_ids, child.history[1]) == ((A,), HistoryEntry(created_by="CMD", empty_layer=True))


def test_a_step_on_layers_without_history_still_meets_its_own_layer():
    child = ImageConfig(diff_ids=(A, B)).with_step(HistoryEntry(created_by="made"), A, Config())
    assert [entry.created_by for entry in child.history] == ["", "", "made"]


IMAGE = Config(
    user="u", env=("PATH=/bin", "A=image"), cmd=("c",), entrypoint=("e",), working_dir="/w", volumes=("/v",),
    exposed_ports=("80/tcp",), labels={"a": "image", "b": "image"}, stop_signal="SIGINT", shell=("/bin/ash", "-c"),
    healthcheck=Healthcheck(("CMD", "x"), 5, 6),
)  # fmt: skip


def test_who_asks_for_nothing_gets_the_image_s_settings():
    assert merge(IMAGE, Config()) == IMAGE


def test_what_was_asked_for_goes_before_the_image():
    asked = Config(user="me", working_dir="/x", stop_signal="SIGHUP", env=("A=asked", "B"), labels={"a": "asked"},
                   volumes=("/y",), exposed_ports=("80/tcp", "81/udp"))  # fmt: skip
    merged = merge(IMAGE, asked)
    assert (merged.user, merged.working_dir, merged.stop_signal) == ("me", "/x", "SIGHUP")
    assert merged.env == ("A=asked", "B", "PATH=/bin")
    assert merged.labels == {"a": "asked", "b": "image"}
    assert (merged.volumes, merged.exposed_ports) == (("/y", "/v"), ("80/tcp", "81/udp"))


@pytest.mark.parametrize(
    ("asked", "argv"),
    [
        (Config(), ("e", "c")),
        (Config(cmd=("x",)), ("e", "x")),
        (Config(entrypoint=("n",)), ("n",)),
        (Config(entrypoint=("n",), cmd=("x",)), ("n", "x")),
        (Config(entrypoint=("",)), ()),
        (Config(entrypoint=("",), cmd=("x",)), ("x",)),
        (Config(entrypoint=()), ("c",)),
    ],
)
def test_an_entrypoint_that_was_asked_for_drops_the_image_s_command(asked: Config, argv: tuple[str, ...]):
    assert merge(IMAGE, asked).argv == argv


def test_a_health_check_is_merged_field_by_field():
    merged = merge(IMAGE, Config(healthcheck=Healthcheck((), 9)))
    assert merged.healthcheck == Healthcheck(("CMD", "x"), 9, 6)
