"""Deleting what has left its place."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Roots
from tiffin.store import Store
from tiffin.store import sweep as sweeping
from tiffin.store.locks import Lock, lock
from tiffin.store.sweep import delete_if_free, free_names, sweep


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "root"), str(tmp_path / "run")).open()


def test_trash_and_dead_drafts_go_and_living_drafts_stay(store: Store) -> None:
    os.makedirs(store.path("trash", "one", "diff", "etc"))
    os.makedirs(store.path("tmp", "dead", "diff"))
    with store.draft("living") as draft:
        sweep(store)
        assert os.listdir(store.path("trash")) == []
        assert os.listdir(store.path("tmp")) == ["living"]
        assert os.path.isdir(draft.path)
    assert os.listdir(store.path("tmp")) == []


def test_a_read_write_layer_that_is_mounted_yet_stays_until_it_is_not(store: Store) -> None:
    os.makedirs(store.path("trash", "one", "diff", "etc"))
    with lock(store.path("trash", "one", "diff")):
        sweep(store)
        assert os.path.isdir(store.path("trash", "one", "diff", "etc"))
    sweep(store)
    assert os.listdir(store.path("trash")) == []


def test_a_file_in_the_trash_goes_too(store: Store) -> None:
    Path(store.path("trash", "blob")).write_bytes(b"x")
    os.symlink("nowhere", store.path("trash", "link"))
    sweep(store)
    assert os.listdir(store.path("trash")) == []


def test_links_are_not_followed(tmp_path: Path, store: Store) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("keep")
    os.makedirs(store.path("trash", "one"))
    os.symlink(precious, store.path("trash", "one", "link"))
    os.symlink(precious, store.path("trash", "two"))
    sweep(store)
    assert os.listdir(store.path("trash")) == []
    assert (precious / "file").read_text() == "keep"


def test_two_sweepers_at_once_leave_nothing_and_do_not_fail(store: Store) -> None:
    for number in range(20):
        os.makedirs(store.path("trash", f"{number}", "a", "b", "c"))
        for name in range(20):
            Path(store.path("trash", f"{number}", "a", f"{name}")).write_text("x")
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                sweep(store)
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    sweep(store)
    assert os.listdir(store.path("trash")) == []


def test_what_is_gone_already_is_gone(store: Store) -> None:
    assert delete_if_free(store.path("trash", "nothing")) == 0


def test_a_sweep_tells_what_is_free_again(store: Store, tmp_path: Path) -> None:
    layer = Path(store.path("trash", "one", "diff"))
    (layer / "empty").mkdir(parents=True)
    (layer / "file").write_bytes(bytes(10_000))
    os.link(layer / "file", layer / "the same")
    (layer / "kept").write_bytes(bytes(50_000))
    os.link(layer / "kept", tmp_path / "elsewhere")
    Path(store.path("tmp", "blob")).write_bytes(bytes(20_000))
    with store.draft("living") as draft:
        Path(draft.path, "file").write_bytes(bytes(70_000))
        files = (layer / "file", Path(store.path("tmp", "blob")))
        folders = (layer, layer / "empty", layer.parent)
        size = sum(path.stat().st_blocks * 512 for path in (*files, *folders))
        assert sweep(store) == size > 30_000


def test_names_that_lead_nowhere_are_free(store: Store) -> None:
    os.makedirs(store.path("containers", "1234"))
    names = store.path("containers", "names")
    for name, target in {"there": "1234", "gone": "5678", "other": "9999"}.items():
        os.symlink(f"../{target}", f"{names}/{name}")
    free_names(store, ["gone", "there", "never"])
    assert sorted(os.listdir(names)) == ["other", "there"]
    free_names(store)
    assert os.listdir(names) == ["there"]


def test_a_name_that_is_just_being_given_stays(store: Store) -> None:
    names = store.path("containers", "names")
    with lock(names):
        os.symlink("../1234", f"{names}/new")
        free_names(store)
        assert os.listdir(names) == ["new"]


@pytest.fixture
def immutable(engine_root: Roots) -> Iterator[str]:
    """A folder in the trash of a store with a file that even root cannot delete, as a privileged container makes it."""
    store = Store(*engine_root).open()
    os.makedirs(store.path("trash", "a-stuck", "diff"))
    path = store.path("trash", "a-stuck", "diff", "file")
    Path(path).write_text("x")
    subprocess.run(["chattr", "+i", path], check=True)
    yield path
    subprocess.run(["chattr", "-i", path], check=True)


@pytest.mark.root
def test_what_cannot_be_deleted_keeps_nothing_else_from_going(engine_root: Roots, immutable: str) -> None:
    store = Store(*engine_root)
    for name in ("0", "z"):
        os.makedirs(store.path("trash", name))
    os.makedirs(store.path("tmp", "dead"))
    os.symlink("../5678", store.path("containers", "names", "gone"))
    sweep(store)
    assert os.listdir(store.path("trash")) == ["a-stuck"]
    assert os.listdir(store.path("tmp")) == []
    assert os.listdir(store.path("containers", "names")) == []
    assert os.path.exists(immutable)


def test_a_draft_that_is_made_again_under_the_sweepers_hands_stays(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another sweeper had taken the empty folder away; its owner then makes it anew, with the same name."""

    def gone(path: str) -> Lock | None:
        os.mkdir(path)
        raise FileNotFoundError(path)

    monkeypatch.setattr(sweeping, "try_lock", gone)
    sweeping.delete_if_free(store.path("tmp", "draft"))
    assert os.path.isdir(store.path("tmp", "draft"))
