"""The process space as it is shown is the one that the kernel and procps see from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tiffin.engine import Config, Engine, ExecConfig, HostConfig, RunningContainer
from tiffin.engine.pictures import observing
from tiffin.kernel import capabilities
from tiffin.kernel.cgroups import Group, Layout, detect
from tiffin.runtime.record import RunFolder
from tiffin.view.picture import Gauge, Process, Space
from tiffin.view.words import harmless

pytestmark = pytest.mark.root
MIB = 1 << 20
SPACES = ["mnt", "pid", "net", "ipc", "uts", "cgroup", "user"] + ["time"] * os.path.exists("/proc/self/ns/time")
"""kinds of namespaces; not every kernel has those of clocks"""
OWN = ["mnt", "pid", "net", "ipc", "uts", "cgroup"]


@contextmanager
def running(
    engine: Engine, script: str, *, host: HostConfig = HostConfig(), config: Config = Config()
) -> Iterator[RunningContainer]:
    """A container whose shell script has come as far as its `echo ready`."""
    with engine.create("busybox", ["sh", "-c", script], host=host, config=config) as container:
        started = container.start()
        wait_until(lambda: b"ready" in container.output())
        yield started


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "it did not come about in twenty seconds"
        time.sleep(0.005)


def space_of(container: RunningContainer) -> Space:
    found = observing.space(container._parts, container.id)
    assert found is not None
    return found


def processes_of(container: RunningContainer) -> tuple[Process, ...]:
    found = space_of(container).processes
    assert found is not None
    return found


def names_of(container: RunningContainer) -> set[str]:
    return {process.name for process in processes_of(container)}


def protections_of(container: RunningContainer) -> dict[str, str]:
    return {protection.name: protection.text for protection in space_of(container).protections}


def seen_by_ps(first: int) -> set[tuple[int, int, int]]:
    """Of the processes in the pid namespace of a process: pid inside, pid outside, parent outside."""
    listed = subprocess.run(
        ["ps", "-e", "-o", "pid=,ppid=,pidns="], check=True, capture_output=True, text=True
    ).stdout.split("\n")  # fmt: skip
    rows = [tuple(map(int, line.split())) for line in listed if len(line.split()) == 3 and "-" not in line]
    [space] = {space for pid, _, space in rows if pid == first}
    return {(pid_inside(pid), pid, parent) for pid, parent, there in rows if there == space}


def pid_inside(pid: int) -> int:
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        [line] = [line for line in file if line.startswith("NSpid:")]
    return int(line.split()[-1])


def test_the_processes_are_those_that_ps_sees(engine: Engine) -> None:
    with running(engine, "sleep 1001 & (sleep 1002 & sleep 1003) & echo ready; wait") as container:
        wait_until(lambda: {f"sleep {number}" for number in (1001, 1002, 1003)} <= names_of(container))
        found = processes_of(container)
        outside = {process.pid: process.host_pid for process in found}
        told = {(process.pid, process.host_pid, process.parent) for process in found}
        assert {
            (inside, pid, pid_inside(parent) if parent in outside.values() else 0)
            for inside, pid, parent in seen_by_ps(container.pid)
        } == told
        assert [process.pid for process in found] == sorted(process.pid for process in found if process.pid)
        assert found[0] == (1, container.pid, 0, "sh -c sleep 1001 & (sleep 1002 & sleep 1003) & echo ready; wait")


def test_what_exec_brings_in_has_its_parent_outside(engine: Engine) -> None:
    with running(engine, "echo ready; exec sleep 1000") as container:
        more = container.exec(["sh", "-c", "sleep 1001; true"])
        wait_until(lambda: "sleep 1001" in names_of(container))
        brought, child = processes_of(container)[1:]
        assert (brought.parent, brought.name) == (0, "sh -c sleep 1001; true")
        assert (child.parent, child.name) == (brought.pid, "sleep 1001")
        assert child.host_pid
        os.kill(child.host_pid, signal.SIGKILL)
        assert more.wait() == 0


def test_a_zombie_says_so(engine: Engine) -> None:
    # it ends when the shell, which would reap it, is a shell no more
    with running(engine, "sleep 0.5 & echo ready; exec sleep 1000") as container:
        wait_until(lambda: names_of(container) == {"sleep 1000", "sleep (zombie)"})
        assert processes_of(container)[1].parent == 1


def test_a_hostile_name_is_taken_as_it_is_and_moves_nothing(engine: Engine) -> None:
    rename = r"printf 'x\n) Z 1 1\nSeccomp:\t0' > /proc/self/comm"
    script = rf"""{rename}; sh -c 'echo ready; sleep 1000; :' "$(printf '\033[31m\377\n1 2')" & wait"""
    with running(engine, script) as container:
        wait_until(lambda: "sleep 1000" in names_of(container))
        first, second, third = processes_of(container)
        assert (first.parent, second.parent, third.parent) == (0, first.pid, second.pid)
        assert second.name == "sh -c echo ready; sleep 1000; : \x1b[31m\ufffd 1 2"
        assert "\x1b" not in harmless(second.name)
        assert protections_of(container)["system calls"].startswith("filtered")


def test_only_the_beginning_of_a_command_line_is_taken(engine: Engine) -> None:
    with running(engine, "echo ready; sleep 1000; : " + "x" * 100_000) as container:
        assert len(processes_of(container)[0].name) == observing.LONGEST_COMMAND


def test_the_namespaces_are_those_of_the_links_in_proc(engine: Engine) -> None:
    with running(engine, "echo ready; exec sleep 1000") as container:
        found = space_of(container).namespaces
        assert [space.kind for space in found] == SPACES
        for kind, number, is_own in found:
            assert os.readlink(f"/proc/{container.pid}/ns/{kind}") == f"{kind}:[{number}]"
            assert is_own == (kind in OWN)


def test_a_container_on_the_network_of_the_host_shares_it(engine: Engine) -> None:
    with running(engine, "echo ready; exec sleep 1000", host=HostConfig(network_mode="host")) as container:
        shared = [space.kind for space in space_of(container).namespaces if not space.is_own]
        assert shared == [kind for kind in SPACES if kind in ("net", "user", "time")]


def test_use_and_limits_are_those_of_the_group(engine: Engine) -> None:
    host = HostConfig(memory=64 * MIB, pids_limit=50, nano_cpus=750_000_000)
    with running(engine, "sleep 1001 & echo ready; wait", host=host) as container:
        found = space_of(container)
        gauges = {gauge.name: gauge for gauge in found.gauges}
        assert (gauges["memory"].limit, gauges["processes"].limit, gauges["cpus"].limit) == (64 * MIB, 50, 750)
        assert gauges["processes"].used == 2
        assert gauges["memory"].used is not None
        assert 0 < gauges["memory"].used < 64 * MIB
        assert gauges["cpus"].used is not None
        assert 0 <= gauges["cpus"].used < 1000 * (os.cpu_count() or 1) + 1000
        with open(f"/proc/{container.pid}/cgroup", encoding="utf-8") as file:
            assert all(line.rstrip("\n").endswith(found.cgroup) for line in file)


def test_without_limits_there_are_none_and_no_word_of_swap(engine: Engine) -> None:
    with running(engine, "echo ready; exec sleep 1000") as container:
        limits = {gauge.name: gauge.limit for gauge in space_of(container).gauges}
        assert limits == {"memory": None, "processes": None, "cpus": None}


def test_the_mean_use_of_the_processors_grows_with_work(engine: Engine) -> None:
    with running(engine, "echo ready; while :; do :; done") as container:

        def busy() -> bool:
            [cpus] = [gauge for gauge in space_of(container).gauges if gauge.name == "cpus"]
            return cpus.used is not None and cpus.used >= 100  # a tenth of one, on a busy machine too

        wait_until(busy)


def most() -> int:
    return capabilities.last_cap() + 1


def test_the_default_protections_are_told(engine: Engine) -> None:
    with running(engine, "echo ready; exec sleep 1000") as container:
        found = protections_of(container)
        assert found["capabilities"].startswith(f"14 of {most()}: chown, dac_override, fowner, fsetid, kill, setgid, ")
        assert found["system calls"] == "filtered (1 seccomp program)"
        assert found["new privileges"] == "set-user-id programs give them, within the capabilities"
        assert found["user"] == "0:0; the same as on the host"
        assert found["root folder"] == "read-write"
        assert "/proc/keys" in found["masked paths"]
        assert "/proc/sys," in found["read-only paths"]
        assert "/sys," in found["read-only paths"]
        assert found["label"]
        assert found["out of memory"] == "killed as any other (score 0)"


def test_what_is_masked_is_empty_inside_and_what_is_read_only_cannot_be_written(engine: Engine) -> None:
    with running(engine, "echo ready; exec sleep 1000", host=HostConfig(cap_add=("SYS_ADMIN",))) as container:
        found = protections_of(container)
        masked, readonly = (listed(found[name]) for name in ("masked paths", "read-only paths"))
        look = "for p in " + " ".join(masked) + "; do if [ -d $p ]; then ls -A $p; else cat $p; fi; done"
        assert container.execute(["sh", "-c", look]).stdout == b""
        table = container.execute(["cat", "/proc/mounts"]).stdout.decode().splitlines()
        options = {line.split()[1]: line.split()[3].split(",") for line in table}
        assert all("ro" in options[path] for path in readonly)
        kernels = {path for path in options if path.startswith(("/proc/", "/sys/")) and "cgroup/" not in path}
        assert kernels == {*masked, *readonly} - {"/sys"}


def listed(text: str) -> list[str]:
    number, _, paths = text.partition(": ")
    assert int(number) == len(paths.split(", "))
    return paths.split(", ")


def test_capabilities_that_were_dropped_and_added_are_told(engine: Engine) -> None:
    host = HostConfig(cap_drop=("ALL",), cap_add=("NET_ADMIN", "KILL"), readonly_rootfs=True)
    with running(engine, "echo ready; exec sleep 1000", host=host) as container:
        found = protections_of(container)
        assert found["capabilities"] == f"2 of {most()}: kill, net_admin"
        assert found["root folder"] == "read-only"


def test_a_program_without_root_holds_nothing_and_could_get_the_rest(engine: Engine) -> None:
    with running(engine, "echo ready; exec sleep 1000", config=Config(user="alice")) as container:
        found = protections_of(container)
        assert found["capabilities"].startswith(f"none of {most()}; at most 14 of {most()}: chown, ")
        assert found["user"] == "1000:1001, in the groups 2000, 2001; the same as on the host"


def test_a_privileged_container_is_told_plainly(engine: Engine) -> None:
    with running(engine, "echo ready; exec sleep 1000", host=HostConfig(privileged=True)) as container:
        found, held = protections_of(container), len(capabilities.bounding())
        assert found["capabilities"].startswith(f"all {most()}" if held == most() else f"{held} of {most()}: all but ")
        assert found["system calls"] == "not filtered"
        assert found["masked paths"] == "none"
        assert "/proc" not in found["read-only paths"]


def test_a_paused_container_is_seen_as_a_running_one(engine: Engine) -> None:
    with running(engine, "sleep 1001 & echo ready; wait") as container:
        wait_until(lambda: len(processes_of(container)) == 2)
        before = space_of(container)
        container.pause()
        after = space_of(container)
        container.unpause()
        assert after._replace(gauges=()) == before._replace(gauges=())


def test_what_does_not_run_has_no_space(engine: Engine) -> None:
    with engine.create("busybox", ["true"]) as container:
        assert observing.space(container._parts, container.id) is None
        container.start().wait()
        wait_until(lambda: observing.space(container._parts, container.id) is None)
    assert observing.space(container._parts, container.id) is None


def test_a_record_whose_pid_belongs_to_a_stranger_is_not_believed(engine: Engine) -> None:
    with running(engine, "echo ready; exec sleep 1000") as container:
        folder = RunFolder(container._parts.store, container.id)
        record = folder.read()
        assert record is not None
        folder.write(record._replace(pid=os.getpid()))
        try:
            assert observing.space(container._parts, container.id) is None
            folder.write(record._replace(pid=2**22 + 1))  # more than any kernel gives
            assert observing.space(container._parts, container.id) is None
        finally:
            folder.write(record)


def test_a_process_in_a_pid_namespace_of_its_own_has_the_pid_that_the_container_sees(engine: Engine) -> None:
    script = "unshare -fp sleep 1001 & echo ready; wait"
    with running(engine, script, host=HostConfig(privileged=True)) as container:
        wait_until(lambda: any(process.name == "sleep 1001" for process in processes_of(container)))
        [inner] = [process for process in processes_of(container) if process.name == "sleep 1001"]
        assert inner.host_pid
        assert pid_inside(inner.host_pid) == 1
        listed = container.execute(["ps", "-o", "pid,args"], config=ExecConfig()).stdout.decode().splitlines()
        assert f"{inner.pid} sleep 1001" in [" ".join(line.split()) for line in listed]


@pytest.fixture
def group() -> Iterator[Group]:
    parent = f"/tiffin-test-{os.getpid()}-observing"
    group = Group(detect(), f"{parent}/leaf")
    yield group
    group.kill()
    group.remove()
    Group(detect(), parent).remove()


@contextmanager
def member(group: Group, program: str, argv: list[str]) -> Iterator[int]:
    """A child of ours in the group, which reads from a pipe until it is killed."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            group.join()
            os.dup2(reader, 0)
            os.execv(program, argv)
        finally:
            os._exit(1)
    try:
        name = os.path.basename(program)
        wait_until(lambda: open_text(f"/proc/{pid}/comm") == f"{name}\n")
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(reader)
        os.close(writer)


def open_text(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def make(group: Group) -> None:
    from tiffin.kernel.cgroups import Limits

    group.create(Limits())


def test_a_process_that_hides_its_arguments_is_called_as_the_kernel_does(group: Group) -> None:
    make(group)
    with member(group, "/bin/cat", [" "]) as pid:
        assert observing.processes(group, 1) == (Process(pid, pid, 0, "cat"),)


def test_no_more_processes_are_looked_at_than_anybody_will_read(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    make(group)
    with member(group, "/bin/cat", ["cat"]) as one, member(group, "/bin/cat", ["cat"]) as two:
        assert len(observing.processes(group, 1)) == 2
        monkeypatch.setattr(observing, "MOST_PROCESSES", 1)
        assert [process.pid for process in observing.processes(group, 1)] == [min(one, two)]


def test_what_goes_while_it_is_looked_at_is_left_out(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    make(group)
    gone = os.fork()
    if gone == 0:
        os._exit(0)
    os.waitpid(gone, 0)
    with member(group, "/bin/cat", ["cat"]) as pid:
        there = Group.processes
        monkeypatch.setattr(Group, "processes", lambda self: [*there(self), gone])
        assert [process.pid for process in observing.processes(group, 1)] == [pid]


def test_a_pid_that_is_a_strangers_by_now_is_left_out(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    make(group)
    with member(group, "/bin/cat", ["cat"]) as pid:
        answers = iter([[pid, os.getpid()], [pid]])
        monkeypatch.setattr(Group, "processes", lambda self: next(answers))
        assert [process.pid for process in observing.processes(group, 1)] == [pid]
        monkeypatch.undo()


def test_a_group_that_is_not_there_has_no_processes() -> None:
    assert observing.processes(Group(Layout((), None), "/nowhere"), 1) == ()


def test_swap_is_told_where_it_is_limited(engine: Engine) -> None:
    layout = detect()
    with running(engine, "echo ready; exec sleep 1000", host=HostConfig(memory=64 * MIB)) as container:
        gauges = {gauge.name: gauge for gauge in space_of(container).gauges}
        v1 = layout.v1_of("memory")
        counts = os.path.exists(f"{v1.mount}/memory.memsw.limit_in_bytes") if v1 else bool(layout.v2_of("memory"))
        assert ("swap" in gauges) == counts
        if counts:
            assert gauges["swap"] == Gauge("swap", 0, 64 * MIB)


def test_a_container_that_starts_and_ends_processes_all_the_time_can_be_looked_at(engine: Engine) -> None:
    script = "echo ready; n=0; while [ $n -lt 400 ]; do sh -c 'true & sleep 0 & wait' & sleep 0; n=$((n+1)); done"
    with running(engine, script) as container:
        looks = 0
        while (found := observing.space(container._parts, container.id)) is not None:
            looks += 1
            pids = [process.pid for process in found.processes or ()]
            assert len(pids) == len(set(pids))
            assert {process.parent for process in found.processes or ()} <= {0, *pids}
            assert len(found.protections) in (0, 9)  # none where it has just ended
        assert looks > 1
