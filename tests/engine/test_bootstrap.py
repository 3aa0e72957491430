from __future__ import annotations

import io
import os
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.conftest import Roots
from tiffin import Engine
from tiffin.engine import bootstrap, elf
from tiffin.errors import BadParameter, TiffinError, Unsupported


def static_busybox() -> str | None:
    path = shutil.which("busybox", path=os.environ["PATH"] + ":/usr/sbin:/bin")
    return path if path and elf.read(path).is_static else None


@pytest.fixture
def without_busybox(tmp_path: Path) -> list[str]:
    """A search path on which everything is that this machine has, but no busybox."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for place in reversed(bootstrap.USUAL_FOLDERS):
        for name in os.listdir(place):
            link = folder / name
            if not name.startswith("busybox"):
                link.unlink(missing_ok=True)
                link.symlink_to(os.path.join(place, name))
    return [str(folder)]


def made(search: Sequence[str] | None) -> bytes:
    file = io.BytesIO()
    bootstrap.rootfs(file, search=search)
    return file.getvalue()


def said_inside(rootfs: bytes, place: Path, command: str) -> str:
    """What a shell in the unpacked tree says."""
    place.mkdir(exist_ok=True)
    subprocess.run(["tar", "--extract", "--preserve-permissions", "--directory", place], input=rootfs, check=True)
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
        preexec_fn=lambda: os.chroot(place),
        cwd="/",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.root
def test_a_tree_from_busybox_runs(tmp_path: Path):
    busybox = static_busybox()
    assert busybox, "the tests need a static busybox: apt-get install busybox-static"
    rootfs = made([os.path.dirname(busybox)])
    said = said_inside(rootfs, tmp_path, "ls / | wc -l; whoami; /usr/bin/env true; readlink /bin/ls")
    names, user, ls = said.split()
    assert int(names) == len(os.listdir(tmp_path))
    assert (user, ls) == ("root", "busybox")


@pytest.mark.root
def test_a_tree_from_coreutils_runs(tmp_path: Path, without_busybox: list[str]):
    place = tmp_path / "tree"
    command = "ls / | wc -l; whoami; /usr/bin/env true; echo a b | awk '{print $2}'"
    said = said_inside(made(without_busybox), place, command)
    names, user, field = said.split()
    assert int(names) == len(os.listdir(place))
    assert (user, field) == ("root", "b")
    assert not (place / "bin/busybox").exists()


@pytest.mark.root
def test_every_program_of_a_tree_from_coreutils_finds_its_libraries(tmp_path: Path, without_busybox: list[str]):
    place = tmp_path / "tree"
    programs = " ".join(bootstrap._programs(bootstrap.COREUTILS, bootstrap.USUAL_FOLDERS))
    # a program whose library is missing ends with 127
    command = f"for p in {programs}; do $p --help >/dev/null 2>&1; echo $? $p; done"
    said = said_inside(made(without_busybox), place, command)
    assert [line for line in said.splitlines() if line.startswith("127 ")] == []


def test_the_same_programs_give_the_same_bytes(without_busybox: list[str]):
    assert made(None) == made(None)
    assert made(without_busybox) == made(without_busybox)


def test_no_program_keeps_a_set_user_id_bit_or_an_owner(without_busybox: list[str]):
    with tarfile.open(fileobj=io.BytesIO(made(without_busybox))) as archive:
        for member in archive:
            assert (member.uid, member.gid, member.uname, member.gname) == (0, 0, "", "")
            assert not member.mode & (stat.S_ISUID | stat.S_ISGID)


def test_all_files_have_the_time_of_the_newest_program(tmp_path: Path):
    shell = tmp_path / "sh"
    shutil.copy(os.path.realpath("/bin/sh"), shell)
    os.utime(shell, (0, 4_000_000_000))
    file = io.BytesIO()
    assert bootstrap.rootfs(file, search=[str(tmp_path)]) == 4_000_000_000
    file.seek(0)
    with tarfile.open(fileobj=file) as archive:
        assert {member.mtime for member in archive} == {4_000_000_000}


def test_a_folder_precedes_what_is_in_it(without_busybox: list[str]):
    seen = {"/"}
    for entry in bootstrap.tree(search=without_busybox):
        assert os.path.dirname(entry.path) in seen
        if entry == bootstrap.Entry(entry.path, entry.mode):
            seen.add(entry.path)


def test_a_dynamic_busybox_is_not_taken_for_a_static_one(tmp_path: Path):
    shutil.copy(os.path.realpath("/bin/sh"), tmp_path / "busybox")
    tree = bootstrap.tree(search=[str(tmp_path), *bootstrap.USUAL_FOLDERS])
    assert str(tmp_path / "busybox") not in {entry.source for entry in tree}


def test_a_program_outside_the_usual_folders_is_reached_from_bin(tmp_path: Path):
    shell = tmp_path / "sh"
    shutil.copy(os.path.realpath("/bin/sh"), shell)
    tree = {entry.path: entry for entry in bootstrap.tree(search=[str(tmp_path)])}
    assert tree[os.path.realpath("/bin") + "/sh"].link == str(shell)
    assert tree[os.path.realpath(shell)].source == os.path.realpath(shell)


def test_without_a_shell_the_reader_is_told_what_to_install(tmp_path: Path):
    with pytest.raises(Unsupported, match="apt-get install busybox-static"):
        made([str(tmp_path)])


def test_a_script_named_busybox_is_not_run(tmp_path: Path):
    script = tmp_path / "busybox"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    script.chmod(0o755)
    with pytest.raises(Unsupported):
        made([str(tmp_path)])
    assert not (tmp_path / "ran").exists()


@pytest.mark.root
def test_the_same_programs_give_the_same_image(engine_root: Roots):
    engine = Engine(*engine_root)
    first = engine.bootstrap()
    assert engine.bootstrap() == first
    assert [summary.names for summary in engine.images()] == [("base:latest",)]


@pytest.mark.parametrize("name", ["alpine", "base:1", "", "debian:--help"])
def test_other_images_are_not_made_on_the_spot(engine_root: Roots, name: str):
    with pytest.raises(BadParameter):
        Engine(*engine_root).bootstrap(name)


@pytest.mark.root
@pytest.mark.slow
@pytest.mark.network
@pytest.mark.timeout(600)
def test_a_real_debian_is_made(debian_tar: str):
    with tarfile.open(debian_tar) as archive:
        names = {name.removeprefix("./") for name in archive.getnames()}
    assert {"etc/debian_version", "usr/bin/apt-get", "var/lib/dpkg/status"} <= names
    assert not [name for name in names if name.startswith("dev/")]


def fake_maker(folder: Path, name: str, script: str) -> None:
    maker = folder / name
    maker.write_text(f"#!/bin/sh\n{script}\n")
    maker.chmod(0o755)


def debian_made(place: Path, suite: str = "bookworm") -> Path:
    """The tar that those makers give which lie in the folder."""
    result = place / "result.tar"
    with result.open("w+b") as file:
        bootstrap.debian(file, suite=suite, search=[str(place)])
    return result


def test_debian_is_made_by_mmdebstrap_where_there_is_one(tmp_path: Path):
    fake_maker(tmp_path, "mmdebstrap", 'echo "$@"')
    fake_maker(tmp_path, "debootstrap", "exit 1")
    assert debian_made(tmp_path, "trixie").read_text() == "--variant=minbase --format=tar --skip=output/dev trixie -\n"


def test_debian_by_debootstrap_has_no_devices(tmp_path: Path):
    make = 'mkdir -p "$3/dev" "$3/etc"; touch "$3/dev/node"; echo "$2" > "$3/etc/suite"'
    fake_maker(tmp_path, "debootstrap", f"PATH=/usr/bin:/bin; {make}")
    with tarfile.open(debian_made(tmp_path)) as archive:
        assert archive.getnames() == ["dev", "etc", "etc/suite"]


def test_what_the_maker_said_is_told_when_it_fails(tmp_path: Path):
    complaints = "echo 'E: no such suite'; echo 'E: gave up'; echo 'I: removing tempdir'"
    fake_maker(tmp_path, "mmdebstrap", f"({complaints}) >&2; exit 1")
    with pytest.raises(TiffinError, match="^mmdebstrap could not make Debian bookworm: no such suite / gave up; is"):
        debian_made(tmp_path)
    (tmp_path / "mmdebstrap").unlink()
    fake_maker(tmp_path, "debootstrap", f"({complaints}); exit 1")  # on its other stream
    with pytest.raises(TiffinError, match="^debootstrap could not make Debian bookworm: no such suite / gave up; is"):
        debian_made(tmp_path)
    fake_maker(tmp_path, "debootstrap", "echo 'something else' >&2; exit 1")
    with pytest.raises(TiffinError, match="Debian bookworm: something else; .* try: tiffin bootstrap debian:bookworm$"):
        debian_made(tmp_path)


STAYING = """
exec 9> {place}/alive
mount -t tmpfs tiffin-test "$TMPDIR" && echo begun >&9
trap '' INT TERM
sleep 1000000 &
wait
"""

INTERRUPTED = """
import signal, sys
from tiffin.engine import bootstrap
signal.signal(signal.SIGINT, signal.default_int_handler)
place = sys.argv[1]
bootstrap.debian(open(f"{place}/result.tar", "w+b"), suite="x", scratch=f"{place}/scratch", search=[place])
"""


@pytest.mark.root
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_maker_that_is_interrupted_leaves_nothing_running_or_mounted(tmp_path: Path, number: signal.Signals):
    (tmp_path / "scratch").mkdir()
    os.mkfifo(tmp_path / "alive")
    fake_maker(tmp_path, "mmdebstrap", STAYING.format(place=tmp_path))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", INTERRUPTED, str(tmp_path)]
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment)
    with open(tmp_path / "alive", "rb") as alive:
        assert alive.readline() == b"begun\n"
        child.send_signal(number)
        assert alive.read() == b""  # to its end: the last process that had it is gone
    assert child.wait() == -number
    assert os.listdir(tmp_path / "scratch") == []
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()


def test_debian_without_its_makers_tells_what_to_install(tmp_path: Path):
    with pytest.raises(Unsupported, match="apt-get install mmdebstrap"):
        debian_made(tmp_path)


@pytest.mark.parametrize("suite", ["", "--help", "../x", "a b", "http://host"])
def test_a_suite_is_a_name_and_nothing_else(tmp_path: Path, suite: str):
    with pytest.raises(BadParameter):
        debian_made(tmp_path, suite)
