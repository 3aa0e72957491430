"""Containers as folders: names, ids, records; nothing runs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiffin.containers import ContainerRecord, Containers
from tiffin.containers.names import suggest
from tiffin.errors import AmbiguousId, BadName, BadParameter, NameInUse, NoSuchContainer, StoreDamaged
from tiffin.model.config import Config
from tiffin.model.host_config import HostConfig
from tiffin.store import Store


@pytest.fixture
def containers(tmp_path: Path) -> Containers:
    return Containers(Store(str(tmp_path / "root"), str(tmp_path / "run")).open())


def record(name: str, id: str = "", *, created: float = 1.0) -> ContainerRecord:
    config = Config(cmd=("true",), env=("A=b",), labels={"a": "b"})
    return ContainerRecord(id or os.urandom(32).hex(), name, created, "sha256:1", "sha256:2", config, HostConfig())


def add(containers: Containers, name: str, id: str = "", *, created: float = 1.0) -> ContainerRecord:
    made = record(name, id, created=created)
    containers.create(made, root_like=None)
    return made


def test_a_container_is_what_was_written_down(containers: Containers) -> None:
    made = add(containers, "box")
    assert containers.get(made.id) == made
    assert sorted(os.listdir(containers.folder(made.id))) == ["diff", "json", "work"]
    assert os.readlink(containers.store.path("containers", "names", "box")) == f"../{made.id}"


def test_a_read_write_layer_has_the_mode_of_the_root_below(containers: Containers, tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below").chmod(0o1751)
    made = record("box")
    containers.create(made, root_like=str(tmp_path / "below"))
    assert os.stat(f"{containers.folder(made.id)}/diff").st_mode & 0o7777 == 0o1751


def test_a_name_id_and_prefix_lead_to_it_in_this_order(containers: Containers) -> None:
    one = add(containers, "abc", "1" * 63 + "a")
    other = add(containers, "1" * 12, "abc" + "2" * 61)
    assert containers.resolve("abc") == one  # the name, though it begins an id as well
    assert containers.resolve("/abc") == one
    assert containers.resolve("1" * 12) == other
    assert containers.resolve(one.id) == one
    assert containers.resolve("abc2") == other
    assert containers.resolve("11") == one


def test_a_prefix_that_fits_several_is_refused(containers: Containers) -> None:
    for last in "abc":
        add(containers, f"box-{last}", "1" * 63 + last)
    with pytest.raises(AmbiguousId, match="fits 3 containers"):
        containers.resolve("111")


@pytest.mark.parametrize("reference", ["", "nobody", "../etc", "names", "a" * 64, "f", "A" * 64, "\0", "x" * 5000])
def test_what_is_not_there_is_not_there(containers: Containers, reference: str) -> None:
    add(containers, "box", "1" * 64)
    with pytest.raises(NoSuchContainer):
        containers.resolve(reference)


def test_an_empty_name_is_told_as_such(containers: Containers) -> None:
    with pytest.raises(NoSuchContainer, match="an empty name names none"):
        containers.resolve("")


def test_a_name_belongs_to_one(containers: Containers) -> None:
    first = add(containers, "box")
    with pytest.raises(NameInUse, match=first.id):
        add(containers, "box")
    assert containers.ids() == [first.id]
    assert os.listdir(containers.store.path("tmp")) == []
    containers.remove(first)
    second = add(containers, "box")
    assert containers.resolve("box") == second


@pytest.mark.parametrize("name", ["", "a", "-a", ".a", "_a", "a b", "a/b", "a:b", "ä1", "a\n", "x" * 201, "..", "a\0"])
def test_names_that_are_none_are_refused_and_leave_nothing(containers: Containers, name: str) -> None:
    with pytest.raises(BadName, match="Invalid container name"):
        add(containers, name)
    assert containers.ids() == []
    assert os.listdir(containers.store.path("tmp")) == []


def test_a_name_whose_owner_never_came_or_calls_itself_otherwise_is_free(containers: Containers) -> None:
    other = add(containers, "other")
    for name, target in {"one": "../" + "1" * 64, "two": f"../{other.id}", "three": "/etc"}.items():
        os.symlink(target, containers.store.path("containers", "names", name))
        assert add(containers, name).name == name
        assert containers.resolve(name).name == name


def test_a_renamed_container_has_its_new_name_alone(containers: Containers) -> None:
    made = add(containers, "before")
    renamed = containers.rename(made.id, "after")
    assert renamed == made._replace(name="after")
    assert containers.resolve("after") == renamed
    assert os.listdir(containers.store.path("containers", "names")) == ["after"]
    with pytest.raises(NoSuchContainer):
        containers.resolve("before")
    with pytest.raises(BadParameter):
        containers.rename(made.id, "after")
    add(containers, "before")
    with pytest.raises(NameInUse):
        containers.rename(made.id, "before")
    containers.remove(made)  # by what was known of it before it was renamed
    assert os.listdir(containers.store.path("containers", "names")) == ["before"]


def test_what_is_removed_is_gone_at_once(containers: Containers) -> None:
    made = add(containers, "box")
    containers.remove(made)
    for act in (containers.remove, lambda record: containers.get(record.id), lambda record: containers.hold(record.id)):
        with pytest.raises(NoSuchContainer):
            act(made)
    assert containers.all() == []
    assert len(os.listdir(containers.store.path("trash"))) == 1


def test_the_newest_comes_first(containers: Containers) -> None:
    for number in (2, 3, 1):
        add(containers, f"box{number}", created=float(number))
    assert [made.name for made in containers.all()] == ["box3", "box2", "box1"]


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"Id": "1"}',
        {"Config": [1]},
        {"Config": {"Tty": 1}},
        {"Config": {"Env": [1]}},
        {"HostConfig": {"LogConfig": {"Config": {"max-size": "x"}}}},
        {"HostConfig": {"Memory": "1"}},
    ],
    ids=str,
)
def test_a_damaged_record_is_told_with_its_file(containers: Containers, damage: bytes | dict[str, Any]) -> None:
    made = add(containers, "box")
    path = Path(containers.folder(made.id), "json")
    path.write_bytes(
        damage if isinstance(damage, bytes) else json.dumps(json.loads(path.read_bytes()) | damage).encode()
    )
    with pytest.raises(StoreDamaged, match=str(path)):
        containers.get(made.id)


@given(hostname=st.text(), env=st.lists(st.text()), tty=st.booleans())
def test_a_record_is_the_same_after_writing_and_reading(hostname: str, env: list[str], tty: bool) -> None:
    made = record("box")._replace(config=Config(hostname=hostname, env=tuple(env), tty=tty))
    assert ContainerRecord.from_bytes(made.to_bytes(), "path") == made


def test_suggested_names_are_names(containers: Containers) -> None:
    for _ in range(100):
        add(containers, suggest())
    assert len(containers.all()) == 100
    assert containers.free_name() not in {made.name for made in containers.all()}
