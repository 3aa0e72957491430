"""Blobs by digest."""

from __future__ import annotations

import io
import os
from hashlib import sha256
from pathlib import Path

import pytest

from tiffin.errors import BadArchive, BadParameter, StoreDamaged
from tiffin.store import Store
from tiffin.store.content import Content, hex_of


@pytest.fixture
def content(tmp_path: Path) -> Content:
    return Content(Store(str(tmp_path / "root"), str(tmp_path / "run")).open())


def digest(blob: bytes) -> str:
    return "sha256:" + sha256(blob).hexdigest()


def test_a_blob_is_found_by_what_it_contains(content: Content) -> None:
    assert content.put(b"{}") == content.put(b"{}") == digest(b"{}")
    assert content.read(digest(b"{}")) == b"{}"
    assert content.size(digest(b"{}")) == 2
    assert list(content.all()) == [digest(b"{}")]
    assert os.stat(content.path(digest(b"{}"))).st_mode & 0o777 == 0o400


def test_a_stream_is_kept_when_it_is_what_was_expected(content: Content) -> None:
    blob = bytes(3 << 20)
    assert content.put_stream(io.BytesIO(blob), digest(blob)) == digest(blob)
    with content.open(digest(blob)) as file:
        assert file.read() == blob


def test_another_stream_is_refused_and_nothing_of_it_stays(content: Content) -> None:
    with pytest.raises(BadArchive, match="the archive is damaged"):
        content.put_stream(io.BytesIO(b"evil"), digest(b"good"))
    assert content.all() == {}
    assert os.listdir(content.store.path("tmp")) == []


def test_a_blob_that_was_changed_or_deleted_is_damage(content: Content) -> None:
    content.put(b"{}")
    path = content.path(digest(b"{}"))
    os.chmod(path, 0o600)
    Path(path).write_bytes(b"[]")
    with pytest.raises(StoreDamaged, match="not what its name says"):
        content.read(digest(b"{}"))
    os.unlink(path)
    with pytest.raises(StoreDamaged, match="is missing"):
        content.read(digest(b"{}"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sha256:",
        "sha256:../../../etc/passwd",
        "sha256:" + "A" * 64,
        "sha256:" + "a" * 63,
        "md5:" + "a" * 64,
        "a" * 64,
    ],
)
def test_only_a_digest_leads_to_a_path(content: Content, text: str) -> None:
    with pytest.raises(BadParameter, match="no digest"):
        hex_of(text)
    with pytest.raises(BadParameter, match="no digest"):
        content.path(text)
