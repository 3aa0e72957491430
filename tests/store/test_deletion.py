"""Deleting trees of whatever shape."""

from __future__ import annotations

import os
from pathlib import Path

from tiffin.store.deletion import delete


def test_a_tree_deeper_than_any_path_goes(tmp_path: Path) -> None:
    here = os.open("/", os.O_RDONLY)
    os.chdir(tmp_path)
    for _ in range(5000):
        os.mkdir("a-rather-long-name")
        os.chdir("a-rather-long-name")
    Path("file").write_text("x")
    os.fchdir(here)
    os.close(here)
    delete(str(tmp_path / "a-rather-long-name"))
    assert os.listdir(tmp_path) == []


def test_a_folder_without_rights_goes_where_the_user_is_root(tmp_path: Path) -> None:
    (tmp_path / "top").mkdir()
    (tmp_path / "top" / "closed").mkdir()
    (tmp_path / "top" / "closed" / "file").write_text("x")
    if os.geteuid() == 0:
        (tmp_path / "top" / "closed").chmod(0)
    delete(str(tmp_path / "top"))
    assert os.listdir(tmp_path) == []


def test_names_of_any_bytes_go(tmp_path: Path) -> None:
    top = os.fsencode(tmp_path / "top")
    os.mkdir(top)
    for name in (b"\xff\xfe", b"a\nb", b"-rf", b" "):
        os.mkdir(top + b"/" + name)
        with open(top + b"/" + name + b"/\xffile", "xb"):
            pass
    delete(str(tmp_path / "top"))
    assert os.listdir(tmp_path) == []
