from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.kernel.children import in_child
from tiffin.kernel import cgroups
from tiffin.kernel.cgroups import DeviceRule, Group, Hierarchy, Layout, Limits, detect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MIB = 1 << 20
NOTHING_BUT_NULL = (DeviceRule(False, "a", None, None, "rwm"), DeviceRule(True, "c", 1, 3, "rw"))


def v1_alone() -> Layout:
    return detect()._replace(v2=None)


def v2_alone() -> Layout:
    return detect()._replace(v1=())


LAYOUTS = [pytest.param(layout, id=layout.__name__) for layout in (detect, v1_alone, v2_alone) if any(layout())]
each_layout = pytest.mark.parametrize("group", LAYOUTS, indirect=True)
needs_v1 = pytest.mark.skipif(not detect().v1, reason="needs cgroup v1")
needs_v2_memory = pytest.mark.skipif(not detect().v2_of("memory"), reason="needs the memory controller on cgroup v2")


@pytest.fixture
def group(request: pytest.FixtureRequest) -> Iterator[Group]:
    layout: Callable[[], Layout] = getattr(request, "param", detect)
    parent = f"/tiffin-test-{os.getpid()}"
    group = Group(layout(), f"{parent}/leaf")
    yield group
    group.kill()
    group.remove()
    Group(detect(), parent).remove()


def read(folder: str, file: str) -> str:
    with open(f"{folder}/{file}", encoding="ascii") as opened:
        return opened.read().strip()


def folders(group: Group) -> list[str]:
    return [group.folder(hierarchy) for hierarchy in (*group.layout.v1, group.layout.v2) if hierarchy]


def v1_folder(group: Group, controller: str) -> str:
    hierarchy = group.layout.v1_of(controller)
    assert hierarchy is not None
    return group.folder(hierarchy)


@contextlib.contextmanager
def member(group: Group, act: Callable[[], object] = signal.pause) -> Iterator[int]:
    """A child process in the group; it is reaped afterwards."""
    ready, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            group.join()
            os.write(told, b"1")
            os.close(told)
            act()
        finally:
            os._exit(0)
    os.close(told)
    try:
        assert os.read(ready, 1) == b"1"
        yield pid
    finally:
        os.close(ready)
        with contextlib.suppress(FileNotFoundError):  # the test has removed the group
            group.thaw()
        with contextlib.suppress(ProcessLookupError, ChildProcessError):  # the test has waited itself
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def fork_and_pause() -> None:
    os.fork()
    signal.pause()


@pytest.mark.root
@each_layout
def test_a_group_stands_in_every_hierarchy_until_it_is_removed(group: Group) -> None:
    group.create(Limits())
    assert all(os.path.isdir(folder) for folder in folders(group))
    group.remove()
    assert not any(os.path.exists(folder) for folder in folders(group))


@pytest.mark.root
@each_layout
def test_a_group_that_is_there_is_not_made_again_and_not_removed_by_trying(group: Group) -> None:
    group.create(Limits())
    with pytest.raises(FileExistsError):
        group.create(Limits())
    assert all(os.path.isdir(folder) for folder in folders(group))


@pytest.mark.root
def test_removing_and_killing_a_group_that_is_not_there_is_fine(group: Group) -> None:
    group.kill()
    group.remove()
    assert group.processes() == []


@pytest.mark.parametrize("path", ["tiffin", "/tiffin/../../etc", ".."])
def test_a_path_that_leads_out_of_the_hierarchy_is_refused(path: str) -> None:
    with pytest.raises(OSError, match="goes only down"):
        Group(Layout((), None), path).create(Limits())


@pytest.mark.root
@needs_v1
def test_v1_limits_are_in_force(group: Group) -> None:
    group.create(
        Limits(memory=64 * MIB, memory_swap=96 * MIB, cpu_quota=50_000, cpu_period=100_000, cpu_shares=512, pids=50)
    )
    memory, cpu = v1_folder(group, "memory"), v1_folder(group, "cpu")
    assert read(memory, "memory.limit_in_bytes") == str(64 * MIB)
    assert read(memory, "memory.memsw.limit_in_bytes") == str(96 * MIB)
    files = ("cpu.shares", "cpu.cfs_quota_us", "cpu.cfs_period_us")
    assert [read(cpu, file) for file in files] == ["512", "50000", "100000"]
    assert read(v1_folder(group, "pids"), "pids.max") == "50"


@pytest.mark.root
@needs_v2_memory
def test_v2_limits_are_in_force(group: Group) -> None:
    group.create(Limits(memory=64 * MIB, memory_swap=64 * MIB, cpu_quota=50_000, cpu_period=100_000, pids=50))
    [folder] = folders(group)
    files = ("memory.max", "memory.swap.max", "cpu.max", "pids.max")
    assert [read(folder, file) for file in files] == [str(64 * MIB), "0", "50000 100000", "50"]
    assert group.usage().pids == 0


@pytest.mark.root
@needs_v1
def test_a_v1_cpuset_is_filled_on_all_levels_also_for_the_second_group(group: Group) -> None:
    group.create(Limits())
    second = group._replace(path=f"{group.path}-second")
    second.create(Limits())
    top = detect().v1_of("cpuset")
    assert top is not None
    for file in ("cpuset.cpus", "cpuset.mems"):
        whole = read(top.mount, file)
        assert read(v1_folder(group, "cpuset"), file) == read(v1_folder(second, "cpuset"), file) == whole != ""
    second.remove()


@pytest.mark.root
@needs_v1
def test_a_cpuset_that_was_asked_for_is_in_force(group: Group) -> None:
    group.create(Limits(cpuset_cpus="0", cpuset_mems="0"))
    assert read(v1_folder(group, "cpuset"), "cpuset.cpus") == "0"


@pytest.mark.root
@needs_v1
def test_a_refused_limit_names_its_file_and_leaves_no_group(group: Group) -> None:
    with pytest.raises(OSError, match=r"memory\.memsw\.limit_in_bytes"):
        group.create(Limits(memory=64 * MIB, memory_swap=32 * MIB))
    assert not any(os.path.exists(folder) for folder in folders(group))


@pytest.mark.root
@pytest.mark.parametrize(
    ("limits", "controller"),
    [
        (Limits(memory=MIB), "memory"),
        (Limits(cpu_shares=2), "cpu"),
        (Limits(cpuset_cpus="0"), "cpuset"),
        (Limits(pids=10), "pids"),
        (Limits(devices=NOTHING_BUT_NULL), "devices"),
    ],
)
def test_a_limit_without_its_controller_is_an_error_naming_it(group: Group, limits: Limits, controller: str) -> None:
    others = tuple(hierarchy for hierarchy in group.layout.v1 if controller not in hierarchy.controllers)
    with pytest.raises(OSError, match=f"no {controller} controller"):
        group._replace(layout=Layout(others, None)).create(limits)
    assert not any(os.path.exists(folder) for folder in folders(group))


@pytest.mark.root
@each_layout
def test_a_process_joins_all_hierarchies_and_is_listed(group: Group) -> None:
    group.create(Limits())
    with member(group) as pid:
        assert group.processes() == [pid]
        with open(f"/proc/{pid}/cgroup", encoding="ascii") as file:
            positions = [line.strip().split(":")[2] for line in file]
        assert positions.count(group.path) == len(folders(group))


@pytest.mark.root
@needs_v1
def test_joining_falls_back_to_cgroup_procs_where_tasks_cannot_be_written(group: Group) -> None:
    group.create(Limits())
    folder = v1_folder(group, "freezer")

    def join() -> str:
        cgroups.join([f"{folder}/no-such-file"])
        return read(folder, "cgroup.procs")

    assert str(in_child(join)).isdigit()


@pytest.mark.root
def test_the_directory_for_clone_is_that_of_v2(group: Group) -> None:
    group.create(Limits())
    directory = group.open_directory()
    if group.layout.v2 is None:
        assert directory is None
    else:
        assert directory is not None
        assert os.readlink(f"/proc/self/fd/{directory}") == group.folder(group.layout.v2)
        os.close(directory)


@pytest.mark.root
@each_layout
def test_a_frozen_process_does_nothing_until_it_is_thawed(group: Group) -> None:
    group.create(Limits())
    reader, writer = os.pipe()

    def chatter() -> None:
        while True:
            os.write(writer, b".")

    with member(group, chatter):
        assert os.read(reader, 1) == b"."
        group.freeze()
        assert group.is_frozen()
        os.set_blocking(reader, False)
        with contextlib.suppress(BlockingIOError):
            while os.read(reader, 65536):
                pass
        with pytest.raises(BlockingIOError):
            os.read(reader, 1)
        group.thaw()
        assert not group.is_frozen()
        os.set_blocking(reader, True)
        assert os.read(reader, 1) == b"."
        os.close(writer)
    os.close(reader)


def test_a_group_that_does_not_freeze_is_thawed_and_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "PATIENCE", 0.05)
    (tmp_path / "stuck").mkdir()
    (tmp_path / "stuck/cgroup.freeze").write_text("0")
    (tmp_path / "stuck/cgroup.events").write_text("populated 1\nfrozen 0\n")
    with pytest.raises(TimeoutError):
        Group(Layout((), Hierarchy((), str(tmp_path), "/")), "/stuck").freeze()
    assert (tmp_path / "stuck/cgroup.freeze").read_text() == "0"


def test_freezing_without_any_freezer_is_an_error_that_says_so() -> None:
    with pytest.raises(OSError, match="no freezer controller"):
        Group(Layout((), None), "/tiffin").freeze()


@pytest.mark.root
@each_layout
def test_kill_ends_all_processes_also_frozen_ones_and_those_of_groups_below(group: Group) -> None:
    group.create(Limits())
    below = group._replace(path=f"{group.path}/below")
    for folder in folders(below):
        os.mkdir(folder)  # as a container would: no controllers, so that its own group may hold processes too
    with member(group, fork_and_pause) as one, member(below) as other:
        group.freeze()
        group.kill()
        assert group.processes() == []
        assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in (one, other)] == [-9, -9]


@pytest.mark.root
@needs_v1
def test_kill_finds_a_process_that_was_cut_off_before_it_was_in_all_hierarchies(group: Group) -> None:
    group.create(Limits())
    with member(group._replace(layout=v1_alone())) as pid:
        group.kill()
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -9


@pytest.mark.root
@each_layout
def test_remove_takes_the_groups_below_along(group: Group) -> None:
    group.create(Limits())
    for folder in folders(group):
        os.makedirs(f"{folder}/system.slice/inner")
    group.remove()
    assert not any(os.path.exists(folder) for folder in folders(group))


@pytest.mark.root
@each_layout
def test_remove_waits_for_the_dying(group: Group) -> None:
    group.create(Limits())
    with member(group) as pid:
        os.kill(pid, signal.SIGKILL)
        group.remove()
    assert not any(os.path.exists(folder) for folder in folders(group))


@pytest.mark.root
def test_a_group_in_use_is_not_removed(group: Group) -> None:
    group.create(Limits())
    with member(group):
        with pytest.raises(TimeoutError):
            group.remove(patience=0.05)
        group.remove_if_empty()
        assert all(os.path.exists(folder) for folder in folders(group))


@pytest.mark.root
@each_layout
def test_an_empty_group_is_found_and_removed_without_waiting(group: Group) -> None:
    group.create(Limits())
    above = group._replace(path=os.path.dirname(group.path))
    assert os.path.basename(group.path) in above.names_below()
    group.remove_if_empty()
    group.remove_if_empty()
    assert not any(os.path.exists(folder) for folder in folders(group))
    assert group.names_below() == set()


@pytest.mark.root
def test_a_process_that_eats_too_much_is_killed_and_counted(group: Group) -> None:
    group.create(Limits(memory=16 * MIB, memory_swap=16 * MIB))
    assert group.oom_kills() == 0
    with member(group, lambda: bytes([1]) * (64 * MIB)) as pid:
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -9
    assert group.oom_kills() == 1


@pytest.mark.root
def test_usage_counts_memory_time_and_processes(group: Group) -> None:
    group.create(Limits())

    def work() -> None:
        kept = bytearray(os.urandom(4 * MIB))
        until = time.process_time() + 0.02
        while time.process_time() < until:
            pass
        os.write(writer, b"1")
        signal.pause()
        kept.clear()

    reader, writer = os.pipe()
    with member(group, work):
        os.read(reader, 1)
        usage = group.usage()
    os.close(reader)
    os.close(writer)
    assert usage.cpu is not None
    assert 20_000_000 <= usage.cpu < 10_000_000_000
    assert usage.pids in (1, None)
    assert usage.memory is None or usage.memory >= 4 * MIB


def test_usage_is_unknown_where_nothing_counts() -> None:
    group = Group(Layout((), None), "/tiffin")
    assert group.usage() == (None, None, None)
    assert group.oom_kills() == 0


def attempts() -> dict[str, bool]:
    """Which devices can be opened?"""
    return {device: _opens(device) for device in ("/dev/null", "/dev/zero", "/dev/full")}


def _opens(device: str) -> bool:
    try:
        os.close(os.open(device, os.O_RDWR))
    except PermissionError:
        return False
    return True


@pytest.mark.root
@each_layout
def test_device_rules_are_in_force_on_v1_and_v2(group: Group) -> None:
    group.create(Limits(devices=NOTHING_BUT_NULL))

    def act() -> dict[str, bool]:
        group.join()
        return attempts()

    assert in_child(act) == {"/dev/null": True, "/dev/zero": False, "/dev/full": False}


@pytest.mark.root
@each_layout
def test_without_device_rules_all_devices_open(group: Group) -> None:
    group.create(Limits())

    def act() -> dict[str, bool]:
        group.join()
        return attempts()

    assert set(in_child(act).values()) == {True}
