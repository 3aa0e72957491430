"""A program that cannot begin is told in the words of who asked for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tiffin.engine import Config, Engine, ExecConfig, HostConfig
from tiffin.errors import BadParameter, ExecFailed, StartFailed
from tiffin.kernel.mounts import MS_PRIVATE
from tiffin.runtime.failures import CANNOT, failure_of
from tiffin.runtime.steps import KINDS, Bind, MakeFolder

ONTO = "Are you trying to mount a directory onto a file (or vice-versa)?"


def test_every_step_has_words_of_its_own() -> None:
    assert CANNOT.keys() == KINDS.keys()
    for name, kind in KINDS.items():
        fields: tuple[str, ...] = kind._fields  # type: ignore[attr-defined]  # every step is a record
        assert failure_of(kind(*fields), OSError(2, "No such file")).text.startswith("cannot "), name


def test_a_step_is_named_for_us_and_not_for_the_reader() -> None:
    failure = failure_of(MakeFolder("/{path}"), NotADirectoryError(20, "Not a directory", "openat2"))
    assert failure == ("step", "MakeFolder", 20, "cannot make the working directory /{path}: Not a directory")
    bind = Bind("/a", "/b", False, True, MS_PRIVATE, "")
    assert failure_of(bind, OSError(20, "Not a directory")).text == f"cannot mount /a at /b: Not a directory; {ONTO}"
    assert failure_of(None, ValueError("odd")).text == "cannot begin: ValueError: odd"


@pytest.mark.root
@pytest.mark.parametrize(
    ("host", "complaint"),
    [
        (HostConfig(binds=("{}/file:/etc",)), f"cannot mount {{}}/file at /etc: Is a directory; {ONTO}"),
        (HostConfig(binds=("{}:/etc/passwd",)), f"cannot mount {{}} at /etc/passwd: Not a directory; {ONTO}"),
        (
            HostConfig(binds=("{}/file:/etc/passwd/x",)),
            f"cannot mount {{}}/file at /etc/passwd/x: Not a directory; {ONTO}",
        ),
        (HostConfig(binds=("{}/gone:/x",)), "cannot mount {}/gone at /x: No such file or directory"),
        (
            HostConfig(binds=("{}/gone:/x:rshared",)),
            "cannot have mounts of its own: {}/gone: No such file or directory",
        ),
        (HostConfig(binds=("{}:/proc/x",)), "cannot mount {} at /proc/x: No such file or directory"),
        (HostConfig(binds=("{}:/proc/fs",)), "cannot mount {} at /proc/fs: nothing may be mounted inside /proc"),
        (HostConfig(binds=("{}:/sys/x",)), "cannot mount {} at /sys/x: Read-only file system"),
        (HostConfig(tmpfs={"/bin/sh": ""}), f"cannot mount a tmpfs at /bin/sh: Not a directory; {ONTO}"),
        (HostConfig(tmpfs={"/x": "size=much"}), "cannot mount a tmpfs at /x: Invalid argument"),
    ],
)
def test_a_mount_that_cannot_be_made_is_told(engine: Engine, tmp_path: Path, host: HostConfig, complaint: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "gone").symlink_to("nowhere")
    host = host._replace(binds=tuple(bind.format(tmp_path) for bind in host.binds))
    assert refused(engine, Config(), host) == complaint.format(tmp_path)


@pytest.mark.root
@pytest.mark.parametrize(
    ("folder", "why"),
    [
        ("/etc/passwd", "Not a directory"),
        ("/etc/passwd/x", "Not a directory"),
        ("/proc/1/x", "No such file or directory"),
    ],
)
def test_a_working_directory_that_cannot_be_made_is_told(engine: Engine, folder: str, why: str) -> None:
    complaint = refused(engine, Config(working_dir=folder), HostConfig())
    assert complaint == f"cannot make the working directory {folder}: {why}"


def refused(engine: Engine, config: Config, host: HostConfig) -> str:
    """Why a container with these settings does not start."""
    with engine.create("busybox", ["true"], config=config, host=host) as container:
        with pytest.raises(StartFailed) as caught:
            container.start()
        start, complaint = str(caught.value).split(": ", 1)
        assert (start, container.state().reason) == (f"container {container.id[:12]} could not start", complaint)
        return complaint


@pytest.mark.root
def test_a_source_that_cannot_be_made_is_told(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    source = f"{tmp_path}/file/below"
    with engine.create("busybox", ["true"], host=HostConfig(binds=(f"{source}:/x",))) as container:
        with pytest.raises(BadParameter) as caught:
            container.start()
        assert str(caught.value) == f"error while creating mount source path '{source}': Not a directory"


@pytest.mark.root
def test_an_exec_that_cannot_begin_is_told(engine: Engine) -> None:
    with engine.run("busybox", ["sleep", "1000000"], host=HostConfig(pids_limit=1)) as running:
        begun = f"the program could not start in container {running.id[:12]}: "
        with pytest.raises(ExecFailed) as caught:
            running.exec(["true"], config=ExecConfig(working_dir="/etc/passwd"))
        assert str(caught.value) == f"{begun}cannot begin: Resource temporarily unavailable"
    with engine.run("busybox", ["sleep", "1000000"]) as running:
        begun = f"the program could not start in container {running.id[:12]}: "
        with pytest.raises(ExecFailed) as caught:
            running.exec(["true"], config=ExecConfig(working_dir="/etc/passwd"))
        assert str(caught.value) == f"{begun}cannot enter the working directory /etc/passwd: Not a directory"
