"""Ways out of a container that have been found in the field, and some that the design invites."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import suppress
from fcntl import fcntl

import pytest

from tests import busybox
from tests.runtime.killing import waiting
from tiffin.engine import Config, Engine, ExecConfig
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
        mounts = [line for line in file if " - overlay" not in line]  # other sessions make and unmake theirs
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
