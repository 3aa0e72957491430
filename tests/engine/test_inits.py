"""The first process of `--init`: a static one of this machine, or ours."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tiffin.engine import Engine, HostConfig, inits

INIT = HostConfig(init=True)
FOR_EVER = ("sleep", "1000000")


@pytest.fixture(params=["a static program of the machine", "ours"])
def either_init(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "ours":
        monkeypatch.setattr(inits, "FOLDERS", ())
    elif inits.found() is None:
        pytest.skip("tini-static is not installed")
    return str(request.param)


def test_a_dynamic_program_is_no_init(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inits, "FOLDERS", (str(tmp_path),))
    shutil.copy("/bin/sh", tmp_path / "tini")
    (tmp_path / "docker-init").write_text("#!/bin/sh\n")
    assert inits.found() is None


@pytest.mark.root
def test_the_program_is_not_the_first_process(engine: Engine, either_init: str) -> None:
    with engine.create("busybox", ["sh", "-c", "echo $$; exit 7"], host=INIT) as container:
        assert container.start().wait() == 7
        assert container.output() != b"1\n"
        assert os.listdir(container.folder) == []


@pytest.mark.root
def test_signals_reach_the_program(engine: Engine, either_init: str) -> None:
    with engine.create("busybox", ["sh", "-c", "echo begun; exec sleep 1000000"], host=INIT) as container:
        running = container.start()
        assert next(running.logs(follow=True)).text == b"begun\n"  # before it asks for signals it gets none
        running.kill("TERM")
        assert running.wait() == 128 + 15


@pytest.mark.root
def test_orphans_are_reaped(engine: Engine, either_init: str) -> None:
    with engine.create("busybox", FOR_EVER, host=INIT) as container:
        running = container.start()
        orphan = "(sh -c 'exec true' &); true"
        until_reaped = "while grep -q 'State:.Z' /proc/[0-9]*/status; do :; done"
        result = running.execute(["timeout", "20", "sh", "-c", f"{orphan}; {until_reaped}"])
        assert result.exit_code == 0


@pytest.mark.root
def test_its_program_cannot_be_changed_even_by_a_privileged_container(engine: Engine, either_init: str) -> None:
    script = "chmod 777 /proc/1/exe || echo x > /proc/1/exe || echo refused"
    with engine.create("busybox", ["sh", "-c", script], host=HostConfig(init=True, privileged=True)) as container:
        assert container.start().wait() == 0
        assert container.output().endswith(b"refused\n")
