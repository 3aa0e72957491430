"""The scripts run on this machine, and make the same container as tiffin: they are compared from outside."""

from __future__ import annotations

import io
import os
import select
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests import busybox
from tests.runtime import outside
from tiffin.engine import Config, Container, Engine, HostConfig, spaces
from tiffin.kernel.cgroups import Group, Layout, detect
from tiffin.kernel.mounts import TALLEST
from tiffin.runtime import steps
from tiffin.runtime.plan import Plan
from tiffin.runtime.shell import script

pytestmark = [
    pytest.mark.root,
    *(
        pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")
        for program in ("ip", "nsenter", "setpriv", "unshare")
    ),
]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
WAITS = ("sh", "-c", "echo begun; sleep 1000000; :")
CASES = {
    "plain": (Config(), HostConfig()),
    "read-only": (
        Config(),
        HostConfig(
            binds=("{volume}:/data:ro", "{volume}/it's $(id)\n:/etc/a file", "{volume}/new:/deep/er:rslave"),
            tmpfs={"/tmp": "size=1m", "/fresh": "mode=700,exec", "/bin/../run": ""},
            readonly_rootfs=True,
        ),
    ),
    "a user": (
        Config(
            user="alice", working_dir="/home/alice/new", hostname="a-name", domainname="a.domain",
            env=("A='b'\n$(id)", "a.b=c", "IFS=:", "LD_PRELOAD=/evil.so", "A.B", "PATH=/bin"), open_stdin=True,
        ),
        HostConfig(),
    ),
    "limits": (Config(user="1234:friends"), HostConfig(memory=64 << 20, nano_cpus=5 * 10**8, pids_limit=50)),
    "few capabilities, the host's network": (
        Config(), HostConfig(cap_drop=("ALL",), cap_add=("NET_RAW",), network_mode="host"),
    ),
    "privileged": (Config(), HostConfig(privileged=True)),
    "thrown away": (Config(), HostConfig(auto_remove=True)),
}  # fmt: skip


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    """A folder of the host with another mount in it."""
    place = tmp_path / "a volume"
    (place / "deeper").mkdir(parents=True)
    (place / "it's $(id)\n").write_text("from the host")
    subprocess.run(["mount", "-t", "tmpfs", "tiffin-test", place / "deeper"], check=True)
    yield place
    subprocess.run(["umount", place / "deeper"], check=True)


@contextmanager
def run_by_shell(plan: Plan, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The script at work, where nothing is known of tiffin. When it has ended, nothing of it is left."""
    file, workshop = folder / "script", folder / "workshop"
    workshop.mkdir(parents=True)
    file.write_text(script(plan), encoding="utf-8")
    environment, pipe = {"PATH": PATH, "TMPDIR": str(workshop)}, subprocess.PIPE
    with subprocess.Popen(["sh", file], env=environment, cwd="/", stdin=pipe, stdout=pipe, stderr=pipe) as process:
        yield process
    assert os.listdir(workshop) == [], "left in the workshop"
    assert not Group(Layout.from_json(plan.layout), f"/tiffin/{plan.id}").is_there()


def by_shell(container: Container, folder: Path) -> AbstractContextManager[subprocess.Popen[bytes]]:
    return run_by_shell(spaces.plan(container._parts, container.record), folder)


def first_process(running: subprocess.Popen[bytes]) -> int:
    """Once it has written a line."""
    assert running.stdout
    assert running.stdout.readline() == b"begun\n"
    return children(children(running.pid)[0])[0]


def children(pid: int) -> list[int]:
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


@pytest.mark.parametrize("case", CASES)
def test_the_script_makes_the_same_container(engine: Engine, tmp_path: Path, volume: Path, case: str) -> None:
    config, host = CASES[case]
    config = config._replace(hostname=config.hostname or "same", cmd=WAITS)
    host = host._replace(binds=tuple(bind.replace("{volume}", str(volume)) for bind in host.binds))
    with engine.create("busybox", config=config, host=host) as container, container.start() as running:
        layout = detect()
        next(running.logs(follow=True))  # it has begun
        expected = outside.look(running.pid, layout)
        changed = container.diff()
    with engine.create("busybox", config=config, host=host) as container, by_shell(container, tmp_path) as made:
        pid = first_process(made)
        seen = outside.look(pid, layout)
        os.kill(pid, 9)
        assert made.wait() == 128 + 9
        assert container.diff() == changed
    for field in outside.Seen._fields:
        assert getattr(seen, field) == getattr(expected, field), field


@pytest.mark.parametrize(
    ("command", "config", "code", "told"),
    [
        (("sh", "-c", "exit 7"), Config(), 7, ""),
        (("no such program",), Config(), 127, "no such program: not found"),
        (("/etc",), Config(), 126, "/etc: Permission denied"),
        (("true",), Config(user="nobody-here"), 125, "unable to find user nobody-here: no matching entries"),
        (("true",), Config(user="alice:strangers"), 125, "unable to find group strangers: no matching entries"),
        (("true",), Config(working_dir="/etc/passwd"), 125, "cannot create directory"),
    ],
)  # fmt: skip
def test_the_exit_code_is_the_programs_and_nothing_is_left_whatever_happens(
    engine: Engine, tmp_path: Path, command: tuple[str, ...], config: Config, code: int, told: str
) -> None:
    with (
        engine.create("busybox", config=config._replace(cmd=command)) as container,
        by_shell(container, tmp_path) as made,
    ):
        errors = made.communicate()[1].decode()
    assert told in errors
    assert made.returncode == code


def test_streams_go_through(engine: Engine, tmp_path: Path) -> None:
    for wanted, heard in ((True, b"[spoken]\n"), (False, b"[]\n")):
        config = Config(cmd=("sh", "-c", "echo [$(cat)]"), open_stdin=wanted)
        with engine.create("busybox", config=config) as container, by_shell(container, tmp_path / heard.hex()) as made:
            assert made.communicate(b"spoken")[0] == heard


def test_signals_are_the_programs(engine: Engine, tmp_path: Path) -> None:
    command = ["sh", "-c", "trap 'echo heard; exit 9' TERM; echo begun; while :; do sleep 1000000 & wait $!; done"]
    with engine.create("busybox", command) as container, by_shell(container, tmp_path) as made:
        first_process(made)
        made.terminate()
        assert made.communicate()[0] == b"heard\n"
        assert made.returncode == 9


def test_the_program_ends_with_a_script_that_is_killed(engine: Engine, tmp_path: Path) -> None:
    with engine.create("busybox", WAITS) as container:
        plan = spaces.plan(container._parts, container.record)
        with pytest.raises(AssertionError, match="workshop"):  # it cannot tidy up
            _kill_script(plan, tmp_path / "first")
        with run_by_shell(plan, tmp_path / "next") as made:  # but the next one does
            os.kill(first_process(made), 9)


def _kill_script(plan: Plan, folder: Path) -> None:
    with run_by_shell(plan, folder) as made:
        pidfd = os.pidfd_open(first_process(made))
        made.kill()
        assert select.select([pidfd], [], [], 10)[0]
        os.close(pidfd)


def test_a_container_that_runs_is_not_run_again(engine: Engine, tmp_path: Path) -> None:
    with engine.create("busybox", WAITS) as container, container.start(), by_shell(container, tmp_path) as made:
        assert b"the container runs, or its layer is still mounted" in made.communicate()[1]
    assert made.returncode == 125


def test_a_container_that_is_not_there_gets_new_files_that_go_with_it(engine: Engine, tmp_path: Path) -> None:
    with engine.create("busybox", ["sh", "-c", "echo spoken >/new; cat /new"]) as container:
        plan = spaces.plan(container._parts, container.record)
    with run_by_shell(plan, tmp_path) as made:
        assert made.communicate()[0] == b"spoken\n"
    assert not os.path.exists(container.folder)


def test_a_link_of_an_image_leads_to_the_same_place_as_with_tiffin_and_never_out(
    fresh_engine: Engine, tmp_path: Path
) -> None:
    far = tmp_path / "outside"
    far.mkdir()
    members = {
        "sys": busybox.Link(f"/../..{far}/sys"),
        "etc/resolv.conf": busybox.Link(f"../../../..{far}/a\nfile\n"),
        "data": busybox.Link(str(far)),
        "dev": busybox.Link("./new//dev/."),
    }
    fresh_engine.import_(io.BytesIO(busybox.tar(members)), "hostile")
    command, host = ["find", str(far), "/new", "-maxdepth", "2"], HostConfig(tmpfs={"/data/deeper": ""})
    with fresh_engine.create("hostile", command, host=host) as container:
        with by_shell(container, tmp_path) as made:
            heard = made.communicate()[0]
        assert f"{far}/a\nfile\n".encode() in heard
        assert container.start().wait() == made.returncode == 0
        assert sorted(container.output().split(b"\n")) == sorted(heard.split(b"\n"))
    assert list(far.iterdir()) == []


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"way": busybox.Link("way")}, "too many links on the way to /way"),
        ({"way": busybox.Link("/proc/self")}, "/proc/self leads nowhere"),
        ({"etc/passwd": busybox.Fifo()}, "unable to find user alice"),
        ({"etc/passwd": b"alice:x:a:b:::\n"}, "unable to find user alice"),
    ],
)
def test_a_hostile_image_is_refused(
    fresh_engine: Engine, tmp_path: Path, members: dict[str, busybox.Content], told: str
) -> None:
    fresh_engine.import_(io.BytesIO(busybox.tar({"way": None, **members})), "hostile")
    with fresh_engine.create("hostile", ["true"], config=Config(user="alice", working_dir="/way")) as container:
        with by_shell(container, tmp_path) as made:
            assert told in made.communicate()[1].decode()
        assert made.returncode == 125


def test_no_program_of_the_host_obeys_a_variable_of_the_image(engine: Engine, tmp_path: Path) -> None:
    listening = tmp_path / "listening"
    listening.mkdir()
    variables = ("LD_DEBUG=files", f"LD_DEBUG_OUTPUT={listening}/what", "a.b=c", f"ENV={tmp_path}/script")
    config = Config(cmd=("true",), env=variables)
    with engine.create("busybox", config=config) as container, by_shell(container, tmp_path) as made:
        made.communicate()
    assert made.returncode == 0
    assert list(listening.iterdir()) == []


def test_nothing_may_be_mounted_inside_proc(engine: Engine, tmp_path: Path) -> None:
    host = HostConfig(tmpfs={"/proc/irq": ""})
    with engine.create("busybox", ["true"], host=host) as container, by_shell(container, tmp_path) as made:
        assert "nothing may be mounted inside /proc" in made.communicate()[1].decode()


def test_a_stack_may_be_taller_than_an_overlay(engine: Engine, tmp_path: Path) -> None:
    tall = [tmp_path / "layers" / str(number) for number in range(TALLEST - 1)]  # and the engine's two
    for layer in tall:
        layer.mkdir(parents=True)
    (tall[0] / "top").touch()
    with engine.create("busybox", ["ls", "/top", "/bin/ls", "/proc/self/exe"]) as container:
        asked = spaces.plan(container._parts, container.record)
        union = next(step for step in asked.steps if isinstance(step, steps.MountUnion))
        higher = union._replace(lowers=(*map(str, tall), *union.lowers))
        taken = tuple(higher if step is union else step for step in asked.steps)
        with run_by_shell(asked._replace(steps=taken), tmp_path) as made:
            assert made.communicate()[0] == b"/bin/ls\n/proc/self/exe\n/top\n"
