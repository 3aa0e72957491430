"""Each setting of `create` has its effect inside."""

from __future__ import annotations

import glob
import io
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import busybox
from tests.runtime.inside import inside
from tests.runtime.killing import kill, shim_of, until
from tiffin.engine import Config, Engine, ExecConfig, HostConfig
from tiffin.errors import BadParameter, StartFailed

pytestmark = pytest.mark.root
MEGABYTE = 1 << 20


@pytest.mark.parametrize(
    ("user", "answer"),
    [
        ("", "0 0 0 /root"),
        ("root", "0 0 0 /root"),
        ("alice", "1000 1001 1001 2000 2001 /home/alice"),
        ("1000", "1000 1001 1001 2000 2001 /home/alice"),
        ("alice:bob", "1000 1002 1002 /home/alice"),
        ("alice:5000", "1000 5000 5000 /home/alice"),
        ("1000:2000", "1000 2000 2000 /home/alice"),
        ("4321", "4321 0 0 /"),
        ("4321:8765", "4321 8765 8765 /"),
        (":friends", "0 2000 2000 /root"),
    ],
)
def test_a_program_runs_as_the_user_that_is_asked_for(engine: Engine, user: str, answer: str) -> None:
    script = "echo $(id -u) $(id -g) $(grep Groups /proc/self/status | cut -f 2) $HOME"
    assert inside(engine, script, config=Config(user=user)) == answer + "\n"
    with engine.create("busybox", ["sleep", "1000000"]) as container:
        result = container.start().execute(["sh", "-c", script], config=ExecConfig(user=user))
        assert result.stdout.decode() == answer + "\n"


@pytest.mark.parametrize(
    ("user", "complaint"),
    [
        ("nobody-there", "unable to find user nobody-there: no matching entries in passwd file"),
        ("alice:nobody-there", "unable to find group nobody-there: no matching entries in group file"),
        ("4294967295", "no user or group id"),
        ("-1", "unable to find user -1"),
        ("²", "unable to find user"),
        ("99999999999999999999", "no user or group id"),
    ],
)
def test_a_user_who_is_not_there_is_a_clear_error(engine: Engine, user: str, complaint: str) -> None:
    with engine.create("busybox", ["true"], config=Config(user=user)) as container:
        with pytest.raises(StartFailed, match=complaint):
            container.start()
        assert container.state().status == "created"
    with engine.create("busybox", ["sleep", "1000000"]) as container, pytest.raises(StartFailed, match=complaint):
        container.start().execute(["true"], config=ExecConfig(user=user))


def test_the_working_folder_is_made_and_used(engine: Engine) -> None:
    assert inside(engine, "pwd", config=Config(working_dir="/srv/app")) == "/srv/app\n"
    with engine.create("busybox", ["sleep", "1000000"]) as container:
        running = container.start()
        assert running.execute(["pwd"], config=ExecConfig(working_dir="/tmp")).stdout == b"/tmp\n"
        complaint = r"cannot enter the working directory /nowhere: No such file or directory"
        with pytest.raises(StartFailed, match=complaint):
            running.execute(["pwd"], config=ExecConfig(working_dir="/nowhere"))


def test_the_environment_decides_where_programs_are_sought(engine: Engine) -> None:
    with engine.create("busybox", ["echo", "found"], config=Config(env=("PATH=/nowhere:/bin",))) as container:
        assert container.start().wait() == 0


def test_a_read_only_root_refuses_writes_and_volumes_do_not(engine: Engine, tmp_path: Path) -> None:
    host = HostConfig(readonly_rootfs=True, binds=(f"{tmp_path}:/data",), tmpfs={"/run": ""})
    script = "touch /file; touch /data/file && touch /run/file && touch /dev/shm/file && echo fine > /dev/null"
    assert inside(engine, script, host=host) == "touch: /file: Read-only file system\n"
    assert os.listdir(tmp_path) == ["file"]


def test_a_read_only_root_has_its_three_files_read_only_and_those_of_the_caller_as_asked(
    engine: Engine, tmp_path: Path
) -> None:
    script = "for name in hosts hostname resolv.conf; do (echo 1.2.3.4 more >> /etc/$name) && echo written; done"
    assert inside(engine, script).count("written") == 3
    assert inside(engine, script, host=HostConfig(readonly_rootfs=True)).count("Read-only file system") == 3
    (tmp_path / "hosts").write_text("")
    mine = HostConfig(readonly_rootfs=True, binds=(f"{tmp_path}/hosts:/etc/hosts",))
    assert inside(engine, script, host=mine).count("Read-only file system") == 2
    assert (tmp_path / "hosts").read_text() == "1.2.3.4 more\n"


def test_memory_folders_take_options(engine: Engine) -> None:
    host = HostConfig(tmpfs={"/run": "size=1m,mode=700,exec", "/var/tmp": ""})
    found = inside(engine, "grep -E ' (/run|/var/tmp) ' /proc/mounts", host=host)
    assert "tmpfs /run tmpfs rw,nosuid,nodev,relatime,size=1024k,mode=700" in found
    assert "tmpfs /var/tmp tmpfs rw,nosuid,nodev,noexec,relatime" in found
    assert inside(engine, "head -c 2000000 /dev/zero 2>&- > /run/file; stat -c %s /run/file", host=host) == "1048576\n"
    assert inside(engine, "stat -c %a /tmp", host=HostConfig(tmpfs={"/tmp": ""})) == "1777\n"


def test_a_memory_folder_that_the_image_lacks_is_for_all_to_use(engine: Engine) -> None:
    host = HostConfig(tmpfs={"/deep/new": "", "/home": "", "/chosen": "mode=700"})
    found = ["755 /deep", "1777 /deep/new", "755 /home", "700 /chosen"]
    command = ["stat", "-c", "%a %n", "/deep", "/deep/new", "/home", "/chosen"]
    with engine.create("busybox", command, host=host) as container:
        container.start().wait()
        assert container.output().decode().splitlines() == found
        container.start().wait()  # now the folders are there
        assert container.output().decode().splitlines() == 2 * found


def test_a_bind_shows_a_folder_of_the_host(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("from outside\n")
    host = HostConfig(binds=(f"{tmp_path}:/data",))
    assert inside(engine, "cat /data/file; echo from inside > /data/other", host=host) == "from outside\n"
    assert (tmp_path / "other").read_text() == "from inside\n"
    assert "Read-only" in inside(engine, "touch /data/new", host=HostConfig(binds=(f"{tmp_path}:/data:ro",)))


def test_a_bind_of_a_file_and_of_a_source_that_is_missing(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("one file\n")
    host = HostConfig(binds=(f"{file}:/etc/deep/er/file:ro", f"{tmp_path}/new:/new", f"{file}:/etc/hosts"))
    assert inside(engine, "cat /etc/deep/er/file /etc/hosts; ls -d /new", host=host) == "one file\none file\n/new\n"
    assert (tmp_path / "new").is_dir()


def test_a_read_only_bind_covers_what_is_mounted_below(engine: Engine, mounted: Path) -> None:
    host = HostConfig(binds=(f"{mounted}:/data:ro",))
    assert "Read-only" in inside(engine, "ls /data/below; touch /data/below/new", host=host)


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A shared mount, in which another one lies."""
    place = tmp_path / "mounted"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tiffin-test", place], check=True)
    subprocess.run(["mount", "--make-shared", place], check=True)
    (place / "below").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tiffin-test", place / "below"], check=True)
    yield place
    subprocess.run(["umount", "-R", place], check=True)


@pytest.mark.parametrize(("propagation", "is_seen"), [("rslave", True), ("rshared", True), ("rprivate", False)])
def test_a_later_mount_of_the_host_shows_inside_where_asked_for(
    engine: Engine, mounted: Path, propagation: str, is_seen: bool
) -> None:
    host = HostConfig(binds=(f"{mounted}:/data:{propagation}",))
    with engine.create("busybox", ["sleep", "1000000"], host=host) as container:
        running = container.start()
        (mounted / "later").mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "tiffin-test", mounted / "later"], check=True)
        assert (b" /data/later " in running.execute(["cat", "/proc/mounts"]).stdout) == is_seen
        running.kill()


@pytest.mark.parametrize(("propagation", "is_seen"), [("rslave", False), ("rshared", True), ("rprivate", False)])
def test_a_mount_made_inside_shows_on_the_host_where_asked_for(
    engine: Engine, mounted: Path, propagation: str, is_seen: bool
) -> None:
    host = HostConfig(binds=(f"{mounted}:/data:{propagation}",), privileged=True)
    with engine.create("busybox", ["sleep", "1000000"], host=host) as container:
        running = container.start()
        made = running.execute(["sh", "-c", "mkdir /data/inside && mount -t tmpfs tiffin-test /data/inside"])
        assert made.exit_code == 0
        assert os.path.ismount(mounted / "inside") == is_seen
        running.kill()


def test_deeper_targets_are_mounted_later(engine: Engine, tmp_path: Path) -> None:
    for name in ("outer", "inner"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_text("")
    host = HostConfig(binds=(f"{tmp_path}/inner:/data/in/side", f"{tmp_path}/outer:/data"))
    assert inside(engine, "ls /data /data/in/side", host=host) == "/data:\nin\nouter\n\n/data/in/side:\ninner\n"


def test_more_memory_than_allowed_is_told_as_that(engine: Engine) -> None:
    script = "exec tail /dev/zero"
    with engine.create("busybox", ["sh", "-c", script], host=HostConfig(memory=16 * MEGABYTE)) as container:
        assert container.start().wait() == 137
        state = container.state()
        assert (state.oom_killed, state.reason) == (True, "out of memory")


def test_limits_stand_in_the_group(engine: Engine) -> None:
    host = HostConfig(memory=64 * MEGABYTE, nano_cpus=500_000_000, pids_limit=20)
    with engine.create("busybox", ["sleep", "1000000"], host=host) as container:
        running = container.start()
        on_v1 = ("memory/memory.limit_in_bytes", "cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us", "pids/pids.max")
        files = on_v1 if os.path.exists("/sys/fs/cgroup/memory") else ("memory.max", "cpu.max", "pids.max")
        script = "cd /sys/fs/cgroup; cat " + " ".join(files)
        found = running.execute(["sh", "-c", script]).stdout.split()
        assert found == [b"67108864", b"50000", b"100000", b"20"]
        forks = running.execute(["sh", "-c", "for i in $(seq 30); do sleep 5 & done"])
        assert b"can't fork" in forks.stderr


def test_failing_execs_use_up_no_processes(engine: Engine) -> None:
    with engine.create("busybox", ["sleep", "1000000"], host=HostConfig(pids_limit=10)) as container:
        running = container.start()
        for _ in range(20):
            with pytest.raises(StartFailed):
                running.execute(["nothing-there"])
        assert running.execute(["echo", "fine"]).stdout == b"fine\n"


@pytest.mark.parametrize(
    ("host", "complaint"),
    [
        (HostConfig(memory=1), "Minimum memory limit allowed is 6MB"),
        (HostConfig(memory=2**62 + 1), "Maximum memory limit allowed is 4EB"),
        (HostConfig(nano_cpus=10**12), r"Range of CPUs is from 0\.01 to \d+\.00, as there are only \d+ CPUs available"),
        (HostConfig(nano_cpus=9_999_999), r"Range of CPUs is from 0\.01 to"),
        (HostConfig(pids_limit=4_194_305), "Maximum pids limit allowed is 4194304"),
        (HostConfig(network_mode="bridge"), "network bridge not found"),
        (HostConfig(binds=("x",)), "invalid volume specification"),
        (HostConfig(binds=("/a:/x", "/b://x/./")), "Duplicate mount point: /x"),
        (HostConfig(binds=("/a:/x",), tmpfs={"/y/../x": ""}), "Duplicate mount point: /x"),
        (HostConfig(tmpfs={"/x/y": "", "/x/y/": ""}), "Duplicate mount point: /x/y"),
        (HostConfig(tmpfs={"x": ""}), "invalid mount path: 'x'"),
        (HostConfig(tmpfs={"//": ""}), "invalid mount path: '//'"),
        (HostConfig(tmpfs={"/x\0": ""}), "invalid mount path"),
        (HostConfig(tmpfs={"/x": "nonsense"}), "invalid tmpfs option 'nonsense'"),
    ],
)
def test_settings_that_make_no_sense_are_refused_and_leave_nothing(
    engine: Engine, host: HostConfig, complaint: str
) -> None:
    with pytest.raises(BadParameter, match=complaint):
        engine.create("busybox", ["true"], host=host)


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        (Config(hostname="a\nb"), "invalid hostname 'a\\\\nb'"),
        (Config(hostname="two words"), "invalid hostname"),
        (Config(hostname="-x"), "invalid hostname"),
        (Config(hostname="a/b"), "invalid hostname"),
        (Config(hostname="a" * 65), "64 at most"),
        (Config(domainname="a\nb"), "invalid domain name"),
        (Config(env=("=x",)), "invalid environment variable: =x"),
        (Config(env=("A=x\0",)), "NUL"),
        (Config(cmd=("true", "\0")), "NUL"),
        (Config(entrypoint=("\0",)), "NUL"),
        (Config(user="\0"), "NUL"),
        (Config(working_dir="/\0"), "NUL"),
        (Config(working_dir="x"), "needs to be an absolute path"),
    ],
)
def test_words_that_make_no_sense_are_refused_and_leave_nothing(engine: Engine, config: Config, complaint: str) -> None:
    with pytest.raises(BadParameter, match=complaint):
        engine.create("busybox", config=config._replace(cmd=config.cmd or ("true",)))


@pytest.mark.parametrize("name", ["a" * 64, "my_box", "a.b-c", "x."])
def test_a_name_may_be_what_host_names_are(engine: Engine, name: str) -> None:
    assert inside(engine, "hostname", config=Config(hostname=name)) == f"{name}\n"


@pytest.mark.parametrize(
    ("argv", "config", "complaint"),
    [
        ("\0", ExecConfig(), "NUL"),
        ("true", ExecConfig(env=("A=\0",)), "NUL"),
        ("true", ExecConfig(env=("=x",)), "invalid environment variable"),
        ("true", ExecConfig(working_dir="x"), "needs to be an absolute path"),
    ],
)
def test_an_exec_with_words_that_make_no_sense_is_refused(
    engine: Engine, argv: str, config: ExecConfig, complaint: str
) -> None:
    with engine.run("busybox", ["sleep", "1000000"]) as running, pytest.raises(BadParameter, match=complaint):
        running.execute([argv], config=config)


def test_an_init_reaps_orphans_passes_signals_on_and_gives_the_exit_code(engine: Engine) -> None:
    script = "trap 'exit 7' TERM; (sleep 0.01 &) ; echo ready; while true; do sleep 0.02; done"
    with engine.create("busybox", ["sh", "-c", script], host=HostConfig(init=True)) as container:
        running = container.start()
        next(running.logs(follow=True))
        assert running.execute(["cat", "/proc/1/comm"]).stdout != b"sh\n"
        listed = running.execute(["sh", "-c", "sleep 0.1; ps -o pid,stat,comm"]).stdout.decode()
        assert " Z" not in listed
        running.kill("TERM")
        assert running.wait() == 7


def test_the_hosts_network_is_used_where_asked_for(engine: Engine) -> None:
    host = HostConfig(network_mode="host")
    with engine.create("busybox", ["sleep", "1000000"], host=host) as container:
        running = container.start()
        assert os.readlink(f"/proc/{running.pid}/ns/net") == os.readlink("/proc/self/ns/net")
        assert running.execute(["hostname"]).stdout.decode().strip() == os.uname().nodename
        with open("/etc/hosts", "rb") as file:
            assert running.execute(["cat", "/etc/hosts"]).stdout == file.read()


def test_the_names_inside_lead_to_the_loopback(engine: Engine) -> None:
    found = inside(engine, "cat /etc/hosts; ping -c 1 -W 1 127.0.0.1 | grep received", config=Config(hostname="box"))
    assert "127.0.0.1\tbox\n" in found
    assert "1 packets received" in found


@pytest.mark.parametrize("link", ["../run/systemd/resolve/stub.conf", "/nowhere", "lost/../../../../../nowhere"])
def test_what_a_link_leads_to_is_made_inside_to_be_mounted_on(fresh_engine: Engine, link: str) -> None:
    members: dict[str, busybox.Content] = {"etc/resolv.conf": busybox.Link(link), "srv": busybox.Link("/lost/folder")}
    fresh_engine.import_(io.BytesIO(busybox.tar(members)), "leading")
    script = "cat /etc/resolv.conf; cd -P /srv; pwd"
    config, host = Config(working_dir="/srv"), HostConfig(tmpfs={"/srv": ""})
    with fresh_engine.run("leading", ["sh", "-c", script], config=config, host=host) as container:
        assert container.wait() == 0
        machines = Path("/etc/resolv.conf")  # where there is no network, there may be none
        assert container.output() == (machines.read_bytes() if machines.exists() else b"") + b"/lost/folder\n"
    assert not os.path.lexists("/nowhere")
    assert not os.path.lexists("/lost")


def test_a_link_around_in_a_circle_is_a_clear_error(fresh_engine: Engine) -> None:
    fresh_engine.import_(io.BytesIO(busybox.tar({"etc/hosts": busybox.Link("hosts")})), "leading")
    container = fresh_engine.create("leading", ["true"])
    with pytest.raises(StartFailed, match="at /etc/hosts: Too many levels of symbolic links"):
        container.start()


@pytest.mark.parametrize("target", ["/proc", "/proc/sys/kernel", "/proc/1/attr", "/lead/sys"])
@pytest.mark.parametrize("kind", ["bind", "tmpfs"])
def test_nothing_is_mounted_over_what_the_kernel_tells(
    fresh_engine: Engine, tmp_path: Path, target: str, kind: str
) -> None:
    fresh_engine.import_(io.BytesIO(busybox.tar({"lead": busybox.Link("/proc")})), "leading")
    host = HostConfig(binds=(f"{tmp_path}:{target}",)) if kind == "bind" else HostConfig(tmpfs={target: ""})
    container = fresh_engine.create("leading", ["true"], host=host)
    with pytest.raises(StartFailed, match="nothing may be mounted inside /proc"):
        container.start()


def test_some_files_of_proc_may_be_shown_otherwise(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "uptime").write_text("1 1\n")
    host = HostConfig(binds=(f"{tmp_path}/uptime:/proc/uptime",))
    assert inside(engine, "cat /proc/uptime", host=host) == "1 1\n"


def test_a_group_may_lie_elsewhere(engine: Engine, elsewhere: str) -> None:
    with engine.create("busybox", ["sleep", "1000000"], host=HostConfig(cgroup_parent=elsewhere)) as container:
        for end in ("kill", "shim"):
            running = container.start()
            with open(f"/proc/{running.pid}/cgroup", encoding="utf-8") as file:
                assert {line.strip().split(":", 2)[2] for line in file} == {f"{elsewhere}/{container.id}"}
            assert running.execute(["cat", "/proc/self/cgroup"]).stdout.count(b":/\n") >= 1
            running.pause()
            running.unpause()
            if end == "kill":
                running.kill()
            else:
                kill(shim_of(engine, container.id))
            assert running.wait() == 137
            until(lambda: not _groups(f"{elsewhere}/{container.id}"))


@pytest.mark.parametrize("auto_remove", [False, True])
def test_a_group_that_cannot_be_made_is_told_and_a_rm_container_goes(
    engine: Engine, elsewhere: str, auto_remove: bool
) -> None:
    host = HostConfig(cgroup_parent=f"{elsewhere}/\n", auto_remove=auto_remove)  # which no group may have in its name
    container = engine.create("busybox", ["true"], name="hopeless", host=host)
    with pytest.raises(StartFailed, match=r"could not start: its control group cannot be made: Invalid argument"):
        container.start()
    if auto_remove:
        assert engine.ps(all=True) == []
        assert not os.path.exists(container.folder)
    else:
        assert container.state().status == "created"
        container.remove()


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """The path of a group that the container's may lie below."""
    path = f"/tiffin-test-{os.getpid()}"
    yield path
    for group in _groups(path):
        os.rmdir(group)


def _groups(path: str) -> list[str]:
    tops = {"/sys/fs/cgroup", *glob.glob("/sys/fs/cgroup/*")}
    return [f"{top}{path}" for top in tops if os.path.isdir(f"{top}{path}")]
