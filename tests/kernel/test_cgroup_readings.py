"""Use and limits, read back: from trees of plain files that look like v1 and v2, and from the machine's own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tiffin.kernel import cgroup_readings as readings
from tiffin.kernel.cgroup_readings import Reading
from tiffin.kernel.cgroups import Group, Hierarchy, Layout, Limits, detect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIB = 1 << 20
PATH = "/tiffin/web"
NOTHING = Reading(None, None)


def planted(mount: Path, files: dict[str, str]) -> str:
    """A hierarchy with one group in it."""
    folder = mount / PATH[1:]
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(f"{text}\n")
    return str(mount)


def v2(place: Path, controllers: str, files: dict[str, str]) -> Group:
    return Group(Layout((), Hierarchy(tuple(controllers.split()), planted(place, files), "/")), PATH)


def v1(place: Path, files: dict[str, dict[str, str]], unified: dict[str, str] | None = None) -> Group:
    """With one hierarchy per controller, and an empty v2 beside them where `unified` is given."""
    trees = tuple(Hierarchy((name,), planted(place / name, files[name]), "/") for name in files)
    beside = None if unified is None else Hierarchy((), planted(place / "unified", unified), "/")
    return Group(Layout(trees, beside), PATH)


def all_of(group: Group) -> dict[str, Reading]:
    return {
        "memory": readings.memory(group), "swap": readings.swap(group), "pids": readings.pids(group),
        "cpu": readings.cpu(group),
    }  # fmt: skip


V2_FILES = {
    "memory.current": "14680064", "memory.max": "268435456", "memory.swap.current": "4096",
    "memory.swap.max": "1048576", "pids.current": "3", "pids.max": "100", "cpu.max": "150000 100000",
    "cpu.stat": "usage_usec 2500\nuser_usec 2000\nsystem_usec 500",
}  # fmt: skip
V1_FILES = {
    "memory": {
        "memory.usage_in_bytes": "14680064", "memory.limit_in_bytes": "268435456",
        "memory.memsw.usage_in_bytes": "14684160", "memory.memsw.limit_in_bytes": "269484032",
    },
    "pids": {"pids.current": "3", "pids.max": "100"},
    "cpu": {"cpu.cfs_quota_us": "150000", "cpu.cfs_period_us": "100000"},
    "cpuacct": {"cpuacct.usage": "2500000"},
}  # fmt: skip
READ = {
    "memory": Reading(14680064, 268435456), "swap": Reading(4096, 1048576), "pids": Reading(3, 100),
    "cpu": Reading(2_500_000, 1500),
}  # fmt: skip


def test_v2_files_are_read(tmp_path: Path) -> None:
    assert all_of(v2(tmp_path, "cpu memory pids", V2_FILES)) == READ


def test_v1_files_are_read(tmp_path: Path) -> None:
    assert all_of(v1(tmp_path, V1_FILES)) == READ


def test_beside_v1_an_empty_v2_does_not_matter(tmp_path: Path) -> None:
    assert all_of(v1(tmp_path, V1_FILES, unified={"cpu.stat": "usage_usec 9"})) == READ


def test_a_v2_beside_v1_counts_the_time_where_no_v1_controller_does(tmp_path: Path) -> None:
    group = v1(tmp_path, {"pids": V1_FILES["pids"]}, unified={"cpu.stat": "usage_usec 9"})
    assert all_of(group) == {"memory": NOTHING, "swap": NOTHING, "pids": Reading(3, 100), "cpu": Reading(9000, None)}


def test_no_limit_is_none_on_v2(tmp_path: Path) -> None:
    unlimited = dict.fromkeys(("memory.max", "memory.swap.max", "pids.max"), "max") | {"cpu.max": "max 100000"}
    found = all_of(v2(tmp_path, "cpu memory pids", V2_FILES | unlimited))
    assert found == {name: reading._replace(limit=None) for name, reading in READ.items()}


def test_no_limit_is_none_on_v1(tmp_path: Path) -> None:
    most = str((1 << 63) - 4096)
    files = {
        "memory": V1_FILES["memory"] | {"memory.limit_in_bytes": most, "memory.memsw.limit_in_bytes": most},
        "pids": V1_FILES["pids"] | {"pids.max": "max"},
        "cpu": V1_FILES["cpu"] | {"cpu.cfs_quota_us": "-1"},
        "cpuacct": V1_FILES["cpuacct"],
    }
    assert all_of(v1(tmp_path, files)) == {name: reading._replace(limit=None) for name, reading in READ.items()}


def test_a_limit_of_nothing_is_a_limit(tmp_path: Path) -> None:
    assert readings.swap(v2(tmp_path, "memory", V2_FILES | {"memory.swap.max": "0"})) == Reading(4096, 0)


def test_swap_that_the_kernel_does_not_count_is_unknown(tmp_path: Path) -> None:
    files = {name: text for name, text in V1_FILES["memory"].items() if "memsw" not in name}
    group = v1(tmp_path, {"memory": files})
    assert readings.swap(group) == NOTHING
    assert readings.memory(group) == READ["memory"]


def test_a_controller_that_was_not_passed_down_says_nothing(tmp_path: Path) -> None:
    group = v2(tmp_path, "cpu memory pids", {"cpu.stat": "usage_usec 1"})
    assert all_of(group) == {"memory": NOTHING, "swap": NOTHING, "pids": NOTHING, "cpu": Reading(1000, None)}


@pytest.mark.parametrize("version", [1, 2])
def test_a_group_that_has_gone_says_nothing(tmp_path: Path, version: int) -> None:
    group = v1(tmp_path, V1_FILES) if version == 1 else v2(tmp_path, "cpu memory pids", V2_FILES)
    assert set(all_of(group._replace(path="/tiffin/gone")).values()) == {NOTHING}


@pytest.fixture
def group() -> Iterator[Group]:
    parent = f"/tiffin-test-{os.getpid()}-readings"
    group = Group(detect(), f"{parent}/leaf")
    yield group
    group.remove()
    Group(detect(), parent).remove()


@pytest.mark.root
def test_what_was_put_in_force_is_read_back(group: Group) -> None:
    limits = Limits(memory=64 * MIB, memory_swap=96 * MIB, cpu_quota=150_000, cpu_period=100_000, pids=50)
    group.create(limits)
    layout = group.layout
    if layout.v1_of("memory") or layout.v2_of("memory"):
        assert readings.memory(group).limit == 64 * MIB
        assert readings.swap(group).limit in (32 * MIB, None)  # None: a kernel that does not count swap
    assert readings.pids(group) == Reading(0, 50)
    assert readings.cpu(group).limit == 1500
    assert readings.cpu(group).used is not None


@pytest.mark.root
def test_where_nothing_was_put_in_force_nothing_is_read_back(group: Group) -> None:
    group.create(Limits())
    assert {reading.limit for reading in all_of(group).values()} == {None}
