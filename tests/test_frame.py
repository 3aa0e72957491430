"""The tests' own instruments: would they see what they look for?"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import busybox, leftovers
from tests.conftest import Roots

CHECKOUT = Path(__file__).resolve().parent.parent


def test_a_process_that_works_in_the_folder_is_seen_until_it_ends(tmp_path: Path):
    process = subprocess.Popen(["cat"], cwd=tmp_path, stdin=subprocess.PIPE)
    assert list(leftovers.processes(str(tmp_path))) == [process.pid]
    process.communicate()
    assert list(leftovers.processes(str(tmp_path))) == []


def test_what_a_process_begins_on_its_way_out_is_waited_for(tmp_path: Path):
    with subprocess.Popen(["sh", "-c", "sleep 0.2; sleep 0.2 &"], cwd=tmp_path):
        leftovers.wait_for_processes(str(tmp_path))
        assert list(leftovers.processes(str(tmp_path))) == []


def test_a_process_with_an_open_file_of_the_folder_is_seen(tmp_path: Path):
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(["cat"], cwd="/", stdin=subprocess.PIPE, stdout=log)
    assert list(leftovers.processes(str(tmp_path))) == [process.pid]
    process.communicate()


@pytest.mark.root
def test_a_mount_below_the_folder_is_seen(tmp_path: Path):
    subprocess.run(["mount", "-t", "tmpfs", "tiffin-test", tmp_path], check=True)
    seen = leftovers.mounts(str(tmp_path))
    subprocess.run(["umount", tmp_path], check=True)
    assert len(seen) == 1
    assert leftovers.mounts(str(tmp_path)) == []


@pytest.mark.root
@pytest.mark.parametrize("whose", ["the machine's", "its own"])
def test_a_process_is_seen_by_a_mount_of_its_own_alone(tmp_path: Path, whose: str):
    inside = ["unshare", "--mount", "sh", "-c", "read act; $act; echo there; exec cat"]
    mount = f"mount -t tmpfs tiffin-test {tmp_path}"
    if whose == "the machine's":
        subprocess.run(mount.split(), check=True)
    with subprocess.Popen(inside, cwd="/", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        print(mount if whose == "its own" else "true", file=process.stdin, flush=True)
        process.stdout.readline()
        seen = list(leftovers.processes(str(tmp_path)))
        process.stdin.close()
    if whose == "the machine's":
        subprocess.run(["umount", tmp_path], check=True)
    assert seen == ([process.pid] if whose == "its own" else [])


@pytest.mark.root
def test_a_cgroup_of_a_container_is_seen(engine_root: Roots):
    engine = busybox.engine(*engine_root)
    with engine.run("busybox", ["sleep", "1000"]) as container:
        assert any(_has_member(group, container.pid) for group in leftovers.groups())
        container.kill()
    assert leftovers.of_containers(engine) == []


@pytest.mark.parametrize(("reason", "strict", "status"), [("because", True, 1), ("because", False, 0)])
def test_a_skip_that_nobody_expects_fails_the_run(tmp_path: Path, reason: str, strict: bool, status: int):
    (tmp_path / "test_it.py").write_text(f"import pytest\ndef test_it(): pytest.skip({reason!r})\n")
    program = (
        "import pytest, sys\nfrom tests.skips import SkipWatch\n"
        f"sys.exit(pytest.main(['-q', '-c', '/dev/null', {str(tmp_path)!r}], [SkipWatch(strict={strict})]))"
    )
    path = os.pathsep.join([str(CHECKOUT), *filter(None, sys.path)])
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)
    assert done.returncode == status, done.stdout + done.stderr
    assert "test_it.py::test_it: because" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("1 skipped")


def _has_member(group: str, pid: int) -> bool:
    try:
        with open(f"{group}/cgroup.procs", encoding="ascii") as file:
            return str(pid) in file.read().split()
    except FileNotFoundError:  # of another container, which has just ended
        return False
