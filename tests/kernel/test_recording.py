"""Recording system calls: complete, harmless to read, and gone without a trace of its own."""

from __future__ import annotations

import builtins
import fcntl
import importlib
import os
import re
import select
import subprocess
import sys
import threading
from errno import ENOENT
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Roots
from tests.kernel.children import in_child
from tiffin.kernel import capabilities, cgroups, files, libc, mounts, network, process, signals, unix
from tiffin.kernel.call_forms import Descriptors, quoted
from tiffin.kernel.recording import BEGUN, MOST_CALLS, Call, Recorder, recording
from tiffin.kernel.shared_memory import SharedMemory
from tiffin.store import files as store_files
from tiffin.store import locks

HELD = (os, builtins, fcntl, select, libc, files, mounts, process, capabilities, network, signals, unix, cgroups,
        store_files, locks)  # fmt: skip


def written(calls: list[Call]) -> list[str]:
    return [str(call) for call in calls]


def test_a_call_is_written_with_its_arguments_and_its_result(tmp_path: Path) -> None:
    with recording() as calls:
        folder = os.open(tmp_path, os.O_PATH | os.O_DIRECTORY)
        os.mkdir("a", 0o750, dir_fd=folder)
        os.symlink("to", "link", dir_fd=folder)
        os.readlink("link", dir_fd=folder)
        os.mknod("pipe", 0o10600, dir_fd=folder)
        os.umask(os.umask(0))
        os.close(folder)
    assert written(calls)[:5] == [
        f'openat(AT_FDCWD, "{tmp_path}", O_PATH|O_DIRECTORY|O_CLOEXEC) = {folder}',
        f'mkdirat({folder}<"{tmp_path}">, "a", 0750) = 0',
        f'symlinkat("to", {folder}<"{tmp_path}">, "link") = 0',
        f'readlinkat({folder}<"{tmp_path}">, "link") = "to"',
        f'mknodat({folder}<"{tmp_path}">, "pipe", S_IFIFO|0600) = 0',
    ]
    assert calls[6] == Call("umask", calls[5].result, "00")
    assert written(calls)[7] == f'close({folder}<"{tmp_path}">) = 0'


def test_what_fails_has_the_name_of_its_errno_and_fails_as_ever(tmp_path: Path) -> None:
    with recording() as calls, pytest.raises(FileNotFoundError) as caught:
        os.rmdir(tmp_path / "not there")
    assert written(calls) == [f'rmdir("{tmp_path}/not there") = ENOENT']
    assert caught.value.errno == ENOENT
    assert caught.value.filename == f"{tmp_path}/not there"


def test_what_python_refuses_was_no_call() -> None:
    with recording() as calls, pytest.raises(ValueError, match="null"):
        os.mkdir("a\0b")
    assert calls == []


def test_calls_by_number_and_by_prepared_functions_are_recorded(tmp_path: Path) -> None:
    def work() -> list[str]:
        with recording() as calls:
            for attempt in (
                lambda: mounts.mount("from", "/not/there", "tmpfs", mounts.MS_RDONLY | mounts.MS_NOSUID, "size=1k"),
                lambda: process.unshare(1 << 50),
                lambda: process.setns(-1, process.CLONE_NEWNET),
                lambda: files.rename_exclusive("/not/there", "/nor there"),
            ):
                with pytest.raises(OSError, match=r"\["):
                    attempt()
            process.die_with_parent()
            process.die_with_parent(0)
        return written(calls)

    assert in_child(work) == [
        'mount("from", "/not/there", "tmpfs", MS_RDONLY|MS_NOSUID, "size=1k") = ENOENT',
        "unshare(0x4000000000000) = EINVAL",
        "setns(-1, CLONE_NEWNET) = EBADF",
        'renameat2(AT_FDCWD, "/not/there", AT_FDCWD, "/nor there", RENAME_NOREPLACE) = ENOENT',
        "prctl(PR_SET_PDEATHSIG, SIGKILL) = 0",
        "prctl(PR_SET_PDEATHSIG, 0) = 0",
    ]


def test_structures_are_written_field_by_field(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with recording() as calls:
        folder = os.open(tmp_path, os.O_PATH)
        os.close(files.open_in_root(folder, "/file", os.O_RDONLY | os.O_NONBLOCK))
        os.close(folder)
    how = "{flags=O_RDONLY|O_NONBLOCK|O_CLOEXEC, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}"
    assert calls[1].arguments == f'{folder}<"{tmp_path}">, "/file", {how}, 24'
    assert calls[2].arguments.endswith(f'<"{tmp_path}/file">')


def test_capabilities_have_their_names() -> None:
    def work() -> list[str]:
        with recording() as calls:
            capabilities.set_capabilities(0, 0, 0)
            capabilities.clear_ambient()
            capabilities.set_no_new_privs()
        return written(calls)

    assert in_child(work) == [
        "capset({version=0x20080522}, {effective=0, permitted=0, inheritable=0}) = 0",
        "prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL) = 0",
        "prctl(PR_SET_NO_NEW_PRIVS, 1) = 0",
    ]


def test_what_the_store_does_is_recorded_call_by_call(tmp_path: Path) -> None:
    with recording() as calls:
        store_files.replace(f"{tmp_path}/record", b"content")
        with locks.lock(f"{tmp_path}/record"):
            pass
    assert [call.name for call in calls] == [
        "getpid", "openat", "write", "fsync", "close", "rename", "openat", "fsync", "close",
        "openat", "flock", "stat", "fstat", "close",
    ]  # fmt: skip
    assert calls[10].arguments.endswith(", LOCK_EX")


def test_opening_a_file_object_is_an_openat(tmp_path: Path) -> None:
    with recording() as calls, open(tmp_path / "file", "w", encoding="utf-8") as file:
        file.write("text")
    assert written(calls) == [
        f'openat(AT_FDCWD, "{tmp_path}/file", O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0666) = {calls[0].result}'
    ]
    assert (tmp_path / "file").read_text() == "text"


def test_sockets_that_carry_descriptors_are_recorded(tmp_path: Path) -> None:
    with recording() as calls:
        server = unix.listen(f"{tmp_path}/socket")
        client = unix.connect(f"{tmp_path}/socket")
        accepted = unix.accept(server)
        unix.send(client, b"hello", (0,))
        content, (passed,) = unix.receive(accepted, 100)
        os.close(passed)
        for end in (server, client, accepted):
            end.close()
    names = [call.name for call in calls if call.name not in ("umask", "openat")]
    assert names == ["socket", "bind", "listen", "close", "socket", "connect", "close", "accept4", "ioctl", "sendmsg",
                     "recvmsg", "close", "close", "close", "close"]  # fmt: skip
    assert content == b"hello"
    assert any(call.arguments.endswith('"hello", SCM_RIGHTS [0]') for call in calls)


def test_everything_is_put_back() -> None:
    before = [dict(vars(module)) for module in HELD]
    with recording():
        assert builtins.open is not before[1]["open"]
    assert [dict(vars(module)) for module in HELD] == before
    assert all(
        value is earlier[name]
        for module, earlier in zip(HELD, before, strict=True)
        for name, value in vars(module).items()
        if callable(value)
    )


def test_everything_is_put_back_after_an_error() -> None:
    before = os.open
    with pytest.raises(ZeroDivisionError), recording():
        1 / 0  # noqa: B018
    assert os.open is before


def test_a_function_that_was_taken_along_works_as_before(tmp_path: Path) -> None:
    with recording() as calls:
        kept = os.mkdir
    kept(tmp_path / "a")
    assert (tmp_path / "a").is_dir()
    assert calls == []


def test_a_module_that_was_loaded_meanwhile_is_put_back_too() -> None:
    def work() -> list[bool]:
        flock = fcntl.flock
        del sys.modules["tiffin.store.locks"]
        with recording():
            fresh = importlib.import_module("tiffin.store.locks")
            stood_in = fresh.flock is not flock
        return [stood_in, fresh.flock is flock]

    assert in_child(work) == [True, True]


def test_functions_still_count_as_what_they_are() -> None:
    with recording():
        assert os.open in os.supports_dir_fd  # shutil asks so whether it can delete safely
        assert os.stat in os.supports_follow_symlinks
        assert os.scandir in os.supports_fd


def test_only_the_calls_of_the_own_thread_are_recorded(tmp_path: Path) -> None:
    with recording() as calls:
        thread = threading.Thread(target=os.mkdir, args=(tmp_path / "theirs",))
        thread.start()
        thread.join()
        os.mkdir(tmp_path / "ours")
    assert written(calls) == [f'mkdir("{tmp_path}/ours") = 0']
    assert (tmp_path / "theirs").is_dir()


def test_recording_inside_recording_is_refused_and_the_first_goes_on() -> None:
    with recording() as calls:
        with pytest.raises(RuntimeError, match="already"), recording():
            pass
        os.getpid()
    assert [call.name for call in calls] == ["getpid"]


def test_a_forked_child_is_not_recorded_with_its_parent(tmp_path: Path) -> None:
    def work() -> list[str]:
        with recording() as calls:
            child = os.fork()
            if child == 0:
                os.mkdir(tmp_path / "theirs")
                os._exit(len(calls))
            _, status = os.waitpid(child, 0)
        return [call.name for call in calls] + [str(os.waitstatus_to_exitcode(status))]

    assert in_child(work) == ["fork", "wait4", "1"]


def test_of_very_many_calls_the_first_are_kept_and_the_others_counted() -> None:
    with recording() as calls:
        for _ in range(MOST_CALLS + 7):
            os.getpid()
    assert len(calls) == MOST_CALLS + 1
    assert calls[-1] == Call("...", "", "7 more, not recorded")


def test_a_call_that_does_not_come_back_is_seen_as_begun() -> None:
    class Last:
        """A book that ends the world at the first result."""

        def __init__(self) -> None:
            self.calls = list[str]()

        def begun(self, call: Call) -> int:
            self.calls.append(str(call))
            return 0

        def ended(self, place: int, call: Call) -> None:
            raise AssertionError

        def dropped(self, place: int) -> None:
            raise AssertionError

        def close(self) -> None:
            pass

    book = Last()
    recorder = Recorder(book)
    recorder.begin()
    try:
        with pytest.raises(AssertionError):
            os.getpid()
    finally:
        recorder.end()
    assert book.calls == [f"getpid() = {BEGUN}"]


@given(st.text() | st.binary().map(os.fsdecode))
def test_text_of_any_kind_is_printable_ascii_in_quotes(text: str) -> None:
    shown = quoted(text)
    assert shown.isascii()
    assert shown.isprintable()
    assert shown.startswith('"')
    assert '"' not in shown[1:].rstrip(".")[:-1].replace("\\\\", "").replace('\\"', "")


def test_hostile_paths_are_harmless(tmp_path: Path) -> None:
    hostile = f'{tmp_path}/\x1b[31m\u202e"), execve("sh\r\n\udcff'
    with recording() as calls:
        os.mkdir(hostile)
        os.close(folder := os.open(hostile, os.O_RDONLY))
    harmless = f'"{tmp_path}/\\x1b[31m\\u202e\\"), execve(\\"'
    assert calls[0].arguments.startswith(harmless)
    assert calls[0].arguments.endswith('\\x0d\\n\\xff"')
    assert calls[2].arguments.startswith(f"{folder}<{harmless}")


def test_variables_of_a_program_are_counted_and_not_shown() -> None:
    with recording() as calls, pytest.raises(FileNotFoundError):
        os.execve("/not/there", ["program", "word"], {"PASSWORD": "secret"})
    assert written(calls) == ['execve("/not/there", ["program", "word"], [1 variables]) = ENOENT']


def test_a_long_text_is_cut() -> None:
    assert quoted("a" * 100_000) == f'"{"a" * 200}"...'


def test_a_descriptor_is_known_until_it_is_closed_or_another_takes_its_place() -> None:
    known = Descriptors()
    known.opened(3, "/a")
    known.copied(3, 4)
    assert known.shown(4) == '4<"/a">'
    known.copied(9, 4)
    assert known.shown(4) == "4"
    known.closed(3, 1 << 20)
    assert known.shown(3) == "3"


def test_shared_memory_is_seen_through_its_file_and_not_after_it_was_closed() -> None:
    file = os.memfd_create("test")
    os.ftruncate(file, 4096)
    memory = SharedMemory(file, 4096)
    memory.write(10, b"seen")
    with pytest.raises(ValueError, match="not within"):
        memory.write(4090, b"1234567")
    memory.close()
    memory.write(10, b"gone")
    assert os.pread(file, 4, 10) == b"seen"
    os.close(file)


@pytest.mark.parametrize("odd", [None, 3.5, object(), "x", b"\xff", [], -1 << 70])
def test_odd_arguments_are_refused_as_ever(odd: object) -> None:
    def refusals() -> list[str]:
        found = []
        for function in (os.mknod, os.open, os.kill, fcntl.ioctl, fcntl.flock, os.closerange, files.syncfs):
            try:
                function(odd, odd)  # type: ignore[call-arg, arg-type, call-overload]
            except Exception as error:  # noqa: BLE001
                found.append(type(error).__name__)
        return found

    before = refusals()
    with recording():
        assert refusals() == before
    assert len(before) > 4


CHANGING = (
    "mkdir mkdirat mknod mknodat symlink symlinkat link linkat rename renameat renameat2 unlink unlinkat rmdir chmod"
    " fchmod fchmodat chown fchown fchownat lchown utimensat truncate ftruncate setxattr lsetxattr fsetxattr fsync"
    " fdatasync syncfs flock write pwrite64 copy_file_range sendfile"
).split()
VERBS = """
import os, sys
from tests import busybox
from tiffin.kernel.recording import recording
engine = busybox.engine(*sys.argv[1:3])
with recording() as calls:
    container = engine.create("busybox", ["true"])
    engine.commit(container, "new")
    engine.tag("new", "newer")
    container.remove()
    engine.rmi("new")
    engine.image_prune(all=True)
os.write(1, " ".join(call.name for call in calls).encode())
"""


@pytest.mark.root
def test_whatever_verbs_change_is_recorded_as_strace_sees_it(engine_root: Roots, tmp_path: Path) -> None:
    script, report = tmp_path / "verbs.py", tmp_path / "report"
    script.write_text(VERBS)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONDONTWRITEBYTECODE": "1"}
    command = ["strace", "-o", str(report), sys.executable, str(script), engine_root.root, engine_root.runroot]
    said = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True).stdout.split()
    ours = [name for name in said if name in CHANGING]
    seen = re.findall(r"^(\w+)\(", report.read_text(errors="replace"), re.MULTILINE)
    theirs = [name for name in seen if name in CHANGING][:-1]  # the last is what the script says
    assert len(ours) > 50
    assert theirs[-len(ours) :] == ours


def test_a_link_itself_is_asked_by_the_calls_for_links(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    with recording() as calls:
        os.stat(tmp_path / "link", follow_symlinks=False)
        os.listxattr(tmp_path / "link", follow_symlinks=False)
        os.chown(tmp_path / "link", -1, -1, follow_symlinks=False)
        folder = os.open(tmp_path, os.O_RDONLY)
        os.stat("link", dir_fd=folder, follow_symlinks=False)
        os.chmod(folder, 0o700)
        os.listdir(folder)
        os.close(folder)
    assert [call.name for call in calls] == [
        "lstat", "llistxattr", "lchown", "openat", "fstatat", "fchmod", "scandir", "close",
    ]  # fmt: skip
    assert calls[4].arguments.endswith('"link", AT_SYMLINK_NOFOLLOW')
