"""Ways out of a container that have been found in the field, and some that the design invites."""

from __future__ import annotations

import io
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from fcntl import fcntl
from pathlib import Path

import pytest

from tests import busybox, leftovers
from tests.runtime.killing import parent, until, waiting
from tiffin.engine import Config, Engine, ExecConfig, HostConfig
from tiffin.errors import StartFailed
from tiffin.kernel.files import F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE

pytestmark = pytest.mark.root
F_GET_SEALS = 1034
FOR_EVER = ("sleep", "1000000")


@pytest.fixture(autouse=True)
def the_host_stays_as_it_is() -> Iterator[None]:
    before = _host()
    yield
    assert _host() == before


def _host() -> tuple[object, ...]:
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        # other sessions make and unmake theirs, and systemd those of a service
        mounts = [line for line in file if " - overlay" not in line and " /run/credentials/" not in line]
    devices = [os.stat(f"/dev/{name}")[:6] for name in ("null", "zero", "tty")]
    return sorted(os.listdir("/")), len(mounts), os.uname().nodename, devices, os.stat("/etc/passwd").st_mtime_ns


def _import(engine: Engine, members: dict[str, busybox.Content]) -> None:
    engine.import_(io.BytesIO(busybox.tar(members)), "hostile")


# the program that enters


def test_the_program_that_enters_is_a_sealed_copy(engine: Engine) -> None:
    """CVE-2019-5736: so nobody can write to the host's, and not to this one either."""
    with engine.create("busybox", ["true"]) as container:
        container.start().wait()
        for pid in waiting(engine):
            assert os.readlink(f"/proc/{pid}/exe") == "/memfd:tiffin-spawner (deleted)"
            with open(f"/proc/{pid}/exe", "rb") as file:
                assert fcntl(file, F_GET_SEALS) == F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE
                for change in (lambda: os.fchmod(file.fileno(), 0o4777), lambda: os.fchown(file.fileno(), 1000, 1000)):
                    with pytest.raises(PermissionError):
                        change()


@pytest.mark.parametrize("way", ["link", "script"])
def test_a_program_that_is_what_has_entered_changes_nothing(fresh_engine: Engine, way: str) -> None:
    """CVE-2019-5736 again: the image's program is the one that enters, and the image's loader has the say in it."""
    entering: busybox.Content = busybox.Link("/proc/self/exe") if way == "link" else b"#!/proc/self/exe sh\n"
    with open(busybox.PROGRAM, "rb") as file:
        loader = file.read()
    _import(fresh_engine, {"lib64": None, "lib64/ld-linux-x86-64.so.2": loader, "evil": None, "evil/sh": entering})
    script = "echo x > /proc/self/exe && echo written; chmod 777 /proc/$$/exe && echo changed"
    with fresh_engine.create("hostile", ["sh", "-c", script], config=Config(env=("PATH=/evil:/bin",))) as container:
        with suppress(StartFailed):  # depends on where the interpreter and the loader lie in memory
            container.start().wait()
        assert container.output() == b""


@pytest.mark.parametrize("number", range(3, 16))
def test_no_descriptor_of_the_host_is_a_working_folder(engine: Engine, number: int) -> None:
    """CVE-2024-21626."""
    folder = f"/proc/self/fd/{number}"
    container = engine.create("busybox", ["pwd"], config=Config(working_dir=folder))
    with container, pytest.raises(StartFailed):
        container.start()


def test_no_descriptor_of_the_host_is_an_execs_working_folder(engine: Engine) -> None:
    with engine.create("busybox", FOR_EVER) as container:
        running = container.start()
        for number in range(3, 16):
            for process in ("self", "1", "thread-self"):
                config = ExecConfig(working_dir=f"/proc/{process}/fd/{number}")
                with pytest.raises(StartFailed):
                    running.execute(["pwd"], config=config)


# the files that an image has in the way


@pytest.mark.parametrize(
    "links",
    [
        {"proc": "/tmp/x"},
        {"proc": "/etc"},
        {"dev": "/etc"},
        {"dev": "/proc"},
        {"sys": "/"},
        {"sys": "/proc/1/root"},
        {"etc": "/proc/1/root/etc"},
        {"etc": "/proc/self/cwd"},
        {"dev": "../../../../../../dev"},
        {"proc": "proc"},
        {"dev": "nowhere"},
    ],
    ids=str,
)
def test_links_where_the_kernels_file_systems_belong_lead_nowhere_outside(
    fresh_engine: Engine, links: dict[str, str]
) -> None:
    _import(fresh_engine, {name: busybox.Link(target) for name, target in links.items()})
    container = fresh_engine.create("hostile", ["sh", "-c", "cat /proc/mounts; ls /dev"])
    with suppress(StartFailed):
        assert container.start().wait() in (0, 1)


# who enters, and who is there already

PRY = r"""
while ! test -e /go; do sleep 0.02; done
for place in /proc/[0-9]*; do
    name=$(cat $place/comm 2> /dev/null)
    case $name in ""|sh|sleep|cat|touch) continue;; esac
    (: < $place/mem) 2> /dev/null && echo $name opened mem
    for file in environ maps auxv stack syscall io fdinfo/0; do
        head -c 1 $place/$file > /dev/null 2>&1 && echo $name read $file
    done
    for link in $place/exe $place/cwd $place/root $place/fd/* $place/map_files/*; do
        readlink $link > /dev/null && echo $name followed $link
        (: < $link) 2> /dev/null && echo $name opened $link
    done
    echo $name was there
done
echo over
"""


@pytest.mark.parametrize("call", ["openat2", "capset", "execve"])
def test_who_enters_cannot_be_looked_into(engine: Engine, tmp_path: Path, call: str) -> None:
    """An exec is stopped on its way, and root inside looks at all that /proc tells of it (what ptrace asks as well)."""
    with engine.create("busybox", ["sh", "-c", PRY]) as container:
        running = container.start()
        running.execute(["true"])

        def enter() -> None:
            with suppress(StartFailed):  # it will be killed, as the container ends before it goes on
                running.execute(["true"])

        thread = threading.Thread(target=enter)
        stopped_at(parent(running.pid), call, str(tmp_path / "trace"), thread.start)
        running.execute(["touch", "/go"])
        said = [line.text.decode().strip() for line in running.logs(follow=True)]
        thread.join()
    assert said in (["tiffin-spawner was there", "over"], ["tiffin-shim was there", "over"])


def stopped_at(shim: int, call: str, report: str, begin: Callable[[], None]) -> None:
    """Until a child of the shim has come to a system call, and stands there."""
    command = ["strace", "-f", "-p", str(shim), "-o", report, "-e", f"inject={call}:signal=STOP:when=1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as strace:
        assert strace.stderr is not None
        assert b"attached" in strace.stderr.readline()
        begin()
        until(lambda: "stopped by SIGSTOP" in Path(report).read_text(errors="replace"))
        strace.terminate()


def test_a_container_cannot_reach_its_shim_nor_its_neighbours(engine: Engine) -> None:
    script = "kill -9 -1; kill -STOP 1 2 3 4 5 6 7 8 9; kill -9 $PPID; ls -d /proc/[0-9]*"
    with engine.create("busybox", ["sleep", "1000000"]) as other, engine.create("busybox", ["sh", "-c", script]) as one:
        others = other.start()
        assert one.start().wait() == 0
        assert one.output() == b"/proc/1\n"
        assert others.execute(["echo", "fine"]).stdout == b"fine\n"


def test_nothing_outlives_the_first_process(engine: Engine) -> None:
    """Neither daemons in sessions of their own, nor execs, nor those who ignore what can be ignored."""
    daemon = "trap '' HUP INT TERM; while true; do sleep 1000000; done"
    with engine.create("busybox", ["sh", "-c", f'setsid sh -c "{daemon}" & {daemon}']) as container:
        running = container.start()
        execution = running.exec(["sh", "-c", daemon])
        group = _group_of(running.pid)
        assert len(until(lambda: pids if len(pids := _members(group)) >= 6 else None)) >= 6
        running.kill()
        assert execution.wait() == 137
        leftovers.wait_for([int(pid) for pid in _members(group)])
        assert _members(group) == []


def _group_of(pid: int) -> str:
    with open(f"/proc/{pid}/cgroup", encoding="utf-8") as file:
        line = next(line for line in file if line.startswith("0::"))
    top = "/sys/fs/cgroup/unified" if os.path.exists("/sys/fs/cgroup/unified") else "/sys/fs/cgroup"
    return top + line.strip().removeprefix("0::")


def _members(group: str) -> list[str]:
    try:
        return Path(f"{group}/cgroup.procs").read_text().split()
    except OSError:
        return []


# what root inside may put in the way of those who come later


@pytest.mark.parametrize(
    "spoil",
    [
        "rm /dev/null; mkfifo /dev/null",
        "rm -r /dev/null; ln -s /proc/self/mem /dev/null",
        "mount -t tmpfs none /proc; mkdir -p /proc/self/fd /proc/self/ns; mkfifo /proc/self/comm /proc/self/ns/mnt",
        "mount -t tmpfs none /dev; mkdir /dev/pts; mkfifo /dev/pts/ptmx /dev/null",
        "rm /etc/passwd /etc/group; mkfifo /etc/passwd /etc/group",
        "mount -t tmpfs none /etc; ln -s /proc/kmsg /etc/passwd; ln -s /dev/zero /etc/group",
        "umount -l /sys/fs/cgroup; umount -l /dev/pts; true",
    ],
)
def test_an_exec_waits_for_nothing_that_was_put_in_its_way(engine: Engine, spoil: str) -> None:
    with engine.create("busybox", FOR_EVER, host=HostConfig(privileged=True)) as container:
        running = container.start()
        assert running.execute(["sh", "-c", spoil]).exit_code == 0
        for config in (ExecConfig(), ExecConfig(tty=True), ExecConfig(user="alice"), ExecConfig(working_dir="/dev")):
            execution = None
            with suppress(StartFailed):
                execution = running.exec(["true"], config=config)
                assert execution.wait() == 0
        running.kill()


def test_a_volume_that_another_container_reshapes_leads_nowhere(engine: Engine, tmp_path: Path) -> None:
    """CVE-2021-30465: the target of a mount is a folder at one moment and a link at the next."""
    shared, inner = tmp_path / "shared", tmp_path / "inner"
    for folder in (shared, inner):
        folder.mkdir()
    (inner / "mark").touch()
    flip = "cd /shared; while true; do mkdir -p sub; rmdir sub; ln -s ../../../../../../.. sub; rm sub; done"
    volume = f"{shared}:/shared"
    with engine.create("busybox", ["sh", "-c", flip], host=HostConfig(binds=(volume,))) as flipping:
        flipping.start()
        for _ in range(15):
            look = ["sh", "-c", "find / -name mark -not -path '/proc/*'"]
            host = HostConfig(binds=(volume, f"{inner}:/shared/sub/deep"))
            with engine.create("busybox", look, host=host) as container:
                with suppress(StartFailed):
                    container.start().wait()
                assert set(container.output().decode().split()) <= {"/deep/mark", "/shared/sub/deep/mark"}
    assert not os.path.exists("/deep")
