"""What may stand after `-v`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tiffin.engine.binds import parse, sources_made
from tiffin.errors import BadParameter
from tiffin.model.mount import BindMount


@pytest.mark.parametrize(
    ("text", "bind"),
    [
        ("/a:/b", BindMount("/a", "/b", False, propagation="rprivate")),
        ("/a:/b:ro", BindMount("/a", "/b", True, propagation="rprivate")),
        ("/a:/b:rw,rslave,z", BindMount("/a", "/b", False, propagation="rslave")),
        ("/a/../c//d/:/b/./e", BindMount("/c/d", "/b/e", False, propagation="rprivate")),
        ("/:/host:ro", BindMount("/", "/host", True, propagation="rprivate")),
        ("//a:///b", BindMount("/a", "/b", False, propagation="rprivate")),
    ],
)
def test_source_target_and_options(text: str, bind: BindMount) -> None:
    assert parse(text) == bind


@pytest.mark.parametrize(
    "text",
    [
        "", "/a", ":", "/a:", ":/b", "a:/b", "/a:b", "/a:/", "/a://", "/a:/b/..", "/a:/b:what", "/a:/b:ro:rw", "./a:/b",
        "/a:/b:ro,rw", "/a:/b:slave,shared",
        "/a\0:/b", "/a:/b\0",
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(BadParameter, match="invalid"):
        parse(text)


def test_a_missing_source_becomes_a_folder_and_no_other_is_touched(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("nowhere")
    sources_made(tuple(BindMount(str(tmp_path / name), "/b", False) for name in ("file", "link", "new/deep")))
    assert sorted(os.listdir(tmp_path)) == ["file", "link", "new"]
    assert (tmp_path / "new" / "deep").is_dir()
    assert (tmp_path / "file").read_text() == "x"
