"""What a program inside sees and may do: at most what Docker allows by default."""

from __future__ import annotations

import os
import re
import stat

import pytest

from tests.runtime.inside import inside
from tiffin.engine import Config, Engine, HostConfig, RunningContainer
from tiffin.kernel import capabilities
from tiffin.runtime import defaults

pytestmark = pytest.mark.root
SPACES = ("mnt", "pid", "ipc", "uts", "net", "cgroup")
DOCKERS_CAPABILITIES = 0xA80425FB


def status(engine: Engine, *, config: Config = Config(), host: HostConfig = HostConfig()) -> dict[str, str]:
    lines = inside(engine, "cat /proc/self/status", config=config, host=host).splitlines()
    return {key: text.strip() for key, _, text in (line.partition(":") for line in lines)}


def test_a_program_holds_dockers_capabilities_and_a_filter(engine: Engine) -> None:
    found = status(engine)
    most = capabilities.mask(capabilities.bounding())
    assert {found[key] for key in ("CapEff", "CapPrm", "CapBnd")} == {f"{DOCKERS_CAPABILITIES & most:016x}"}
    assert {found["CapInh"], found["CapAmb"]} == {"0" * 16}
    assert found["Seccomp"] == "2"
    assert found["NoNewPrivs"] == "0"


def test_a_program_lives_in_spaces_of_its_own(engine: Engine) -> None:
    with engine.create("busybox", ["sleep", "1000000"]) as container:
        running = container.start()
        for space in SPACES:
            assert os.readlink(f"/proc/{running.pid}/ns/{space}") != os.readlink(f"/proc/self/ns/{space}"), space
        listed = running.execute(["sh", "-c", "for s in /proc/self/ns/*; do readlink $s; done"]).stdout.decode().split()
        first = [os.readlink(f"/proc/{running.pid}/ns/{name}") for name in os.listdir("/proc/self/ns")]
        assert sorted(listed) == sorted(first)


def test_the_host_is_out_of_sight(engine: Engine) -> None:
    assert inside(engine, "echo /proc/[0-9]*") == "/proc/1\n"
    assert inside(engine, "hostname; cat /etc/hostname", config=Config(hostname="inside")) == "inside\ninside\n"
    assert inside(engine, "ls /sys/class/net; cat /sys/class/net/lo/operstate") == "lo\nunknown\n"
    assert inside(engine, "cat /proc/1/cgroup | cut -d: -f3 | sort -u") == "/\n"


def test_dev_is_dockers(engine: Engine) -> None:
    listed = inside(engine, "cd /dev; for f in *; do echo $f $(stat -c '%F %a %t:%T %u:%g %N' $f); done").splitlines()
    expected = {
        "core symbolic link 777 0:0 0:0 'core' -> '/proc/kcore'",
        "fd symbolic link 777 0:0 0:0 'fd' -> '/proc/self/fd'",
        "ptmx symbolic link 777 0:0 0:0 'ptmx' -> 'pts/ptmx'",
        "stdin symbolic link 777 0:0 0:0 'stdin' -> '/proc/self/fd/0'",
        "stdout symbolic link 777 0:0 0:0 'stdout' -> '/proc/self/fd/1'",
        "stderr symbolic link 777 0:0 0:0 'stderr' -> '/proc/self/fd/2'",
        "mqueue directory 1777 0:0 0:0 mqueue",
        "pts directory 755 0:0 0:0 pts",
        "shm directory 1777 0:0 0:0 shm",
        *(
            f"{path[5:]} character special file 666 {major:x}:{minor:x} 0:0 {path[5:]}"
            for path, _, major, minor in defaults.DEVICES
        ),
    }
    assert set(listed) == expected


def test_the_mounts_are_dockers(engine: Engine) -> None:
    table = {}
    for line in inside(engine, "cat /proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        kind = after.split()[0]
        table[before.split()[4]] = (kind, frozenset(before.split()[5].split(",")) - {"relatime"}, before.split()[6:])
    safe = frozenset({"nosuid", "nodev", "noexec"})
    assert table["/"][0] == "overlay"
    assert table["/proc"][:2] == ("proc", safe | {"rw"})
    assert table["/dev"][:2] == ("tmpfs", frozenset({"rw", "nosuid"}))
    assert table["/dev/pts"][:2] == ("devpts", frozenset({"rw", "nosuid", "noexec"}))
    assert table["/dev/shm"][:2] == ("tmpfs", safe | {"rw"})
    assert table["/dev/mqueue"][:2] == ("mqueue", safe | {"rw"})
    assert table["/sys"][:2] == ("sysfs", safe | {"ro"})
    assert "ro" in table["/sys/fs/cgroup"][1]
    for point, (kind, flags, spread) in table.items():
        assert spread == [], f"{point} tells other spaces of its mounts"
        if point.startswith(("/sys/fs/cgroup", *defaults.READONLY)):
            assert "ro" in flags, (point, kind)
    assert {"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"} <= set(table)


def test_what_docker_masks_is_masked(engine: Engine) -> None:
    there = [path for path in defaults.MASKED if os.path.exists(path)]
    assert there
    script = "for p in " + " ".join(there) + "; do if [ -d $p ]; then ls -A $p; else cat $p; fi; done"
    assert inside(engine, script) == ""


def test_what_docker_makes_read_only_is_read_only(engine: Engine) -> None:
    assert "Read-only" in inside(engine, "echo 1 > /proc/sys/kernel/domainname")
    if os.path.exists("/proc/sysrq-trigger"):
        assert "Read-only" in inside(engine, "echo h > /proc/sysrq-trigger")
    assert "Read-only" in inside(engine, "mkdir /sys/fs/cgroup/pids/mine || mkdir /sys/fs/cgroup/mine")


def test_mounts_of_its_own_are_refused(engine: Engine) -> None:
    for attempt in ("mount -t tmpfs none /tmp", "mount -o remount,rw /sys", "umount /proc/kcore", "unshare -m true"):
        assert "permitted" in inside(engine, attempt) or "denied" in inside(engine, attempt), attempt


def test_a_device_that_was_not_given_cannot_be_used_though_its_node_can_be_made(engine: Engine) -> None:
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        majors = re.findall(r" (\d+):(\d+) / / ", file.read())
    major, minor = majors[0] if majors and majors[0][0] != "0" else ("7", "0")
    answer = inside(engine, f"mknod /disk b {major} {minor} && ls -l /disk | cut -c1; head -c 1 /disk")
    assert answer.startswith("b\n")
    assert "not permitted" in answer
    kmsg = inside(engine, "mknod /kmsg c 1 11; head -c 1 /kmsg")
    assert "not permitted" in kmsg
    assert inside(engine, "mknod /mynull c 1 3 && echo fine > /mynull") == ""


def test_the_hosts_null_device_cannot_be_changed_through_anything_inside(engine: Engine) -> None:
    """A masked file and an unused input are null devices too: they must be the container's own."""
    before = os.stat("/dev/null")
    try:
        masked = [path for path in defaults.MASKED if os.path.isfile(path)]
        script = "".join(f"chmod 600 {path}; chown 1:1 {path}; " for path in [*masked, "/proc/self/fd/0", "/dev/null"])
        inside(engine, script + "true")
        after = os.stat("/dev/null")
        assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    finally:
        os.chmod("/dev/null", stat.S_IMODE(before.st_mode))
        os.chown("/dev/null", before.st_uid, before.st_gid)


def test_an_execs_input_is_the_containers_own_null_device(engine: Engine) -> None:
    before = os.stat("/dev/null")
    try:
        with engine.create("busybox", ["sleep", "1000000"]) as container:
            running = container.start()
            execution = running.exec(["sh", "-c", "chmod 600 /proc/self/fd/0; test -c /proc/self/fd/0 && ! read line"])
            assert execution.wait() == 0
        assert os.stat("/dev/null").st_mode == before.st_mode
    finally:
        os.chmod("/dev/null", stat.S_IMODE(before.st_mode))


def test_no_descriptor_of_ours_is_there(engine: Engine) -> None:
    assert inside(engine, "ls /proc/self/fd | tr '\\n' ' '") == "0 1 2 3 "  # 3 is the folder that ls reads
    with engine.create("busybox", ["sleep", "1000000"]) as container:
        running = container.start()
        assert sorted(os.listdir(f"/proc/{running.pid}/fd")) == ["0", "1", "2"]
        assert running.execute(["sh", "-c", "ls /proc/self/fd | tr '\\n' ' '"]).stdout == b"0 1 2 3 "
        tty = _exec_with_terminal(running, ["ls", "/proc/self/fd"])
        assert tty.split() == ["0", "1", "2", "3"]


def _exec_with_terminal(running: RunningContainer, argv: list[str]) -> str:
    from tiffin.engine import ExecConfig, Streams

    reading, writing = os.pipe()
    execution = running.exec(argv, config=ExecConfig(tty=True), streams=Streams(stdout=writing))
    execution.wait()
    text = b""
    while chunk := os.read(reading, 4096):
        text += chunk
    os.close(reading)
    return text.decode()


def test_the_environment_is_what_docker_gives(engine: Engine) -> None:
    expected = {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=box", "HOME=/root", "A=b=c", "B="
    }  # fmt: skip
    config = Config(hostname="box", env=("A=b=c", "B="))
    with engine.create("busybox", ["env"], config=config) as container:
        container.start().wait()
        assert set(container.output().decode().splitlines()) == expected


def test_privileged_is_without_these_limits(engine: Engine) -> None:
    host = HostConfig(privileged=True)
    found = status(engine, host=host)
    assert int(found["CapEff"], 16) == capabilities.mask(capabilities.bounding())
    assert found["Seccomp"] == "0"
    assert inside(engine, "mount -t tmpfs none /tmp && echo > /tmp/file && umount /tmp", host=host) == ""
    nodes = {name for name in os.listdir("/dev") if stat.S_ISBLK(os.stat(f"/dev/{name}").st_mode)}
    assert nodes <= set(inside(engine, "ls /dev", host=host).split())
    assert inside(engine, "test -w /sys/fs/cgroup && echo writable", host=host) == "writable\n"
    if nodes:
        node = sorted(nodes)[0]
        assert "not permitted" not in inside(engine, f"head -c 1 /dev/{node} > /dev/null", host=host)


@pytest.mark.parametrize(
    ("add", "drop", "kept"),
    [
        (("NET_ADMIN",), (), DOCKERS_CAPABILITIES | 1 << 12),
        (("cap_net_admin",), ("CHOWN",), DOCKERS_CAPABILITIES & ~1 | 1 << 12),
        ((), ("ALL",), 0),
        (("CHOWN",), ("ALL",), 1),
        (("ALL",), ("MKNOD",), -1 & ~(1 << 27)),
        (("ALL",), (), -1),
    ],
)
def test_capabilities_are_added_and_dropped(
    engine: Engine, add: tuple[str, ...], drop: tuple[str, ...], kept: int
) -> None:
    found = status(engine, host=HostConfig(cap_add=add, cap_drop=drop))
    most = capabilities.mask(capabilities.bounding())
    assert {int(found[key], 16) for key in ("CapEff", "CapPrm", "CapBnd")} == {kept & most}


def test_a_user_who_is_not_root_holds_no_capabilities_but_set_uid_programs_may_have_them(engine: Engine) -> None:
    found = status(engine, config=Config(user="alice"))
    most = capabilities.mask(capabilities.bounding())
    assert {int(found[key], 16) for key in ("CapEff", "CapPrm", "CapInh", "CapAmb")} == {0}
    assert int(found["CapBnd"], 16) == DOCKERS_CAPABILITIES & most
    assert "denied" in inside(engine, "echo > /etc/passwd", config=Config(user="alice"))
