"""Nothing of the caller's own surroundings reaches a program inside."""

from __future__ import annotations

import difflib
import os
import resource
import signal
import subprocess
import sys
import textwrap

import pytest

from tests.conftest import Roots
from tests.runtime.killing import waiting
from tiffin.engine import Engine, HostConfig
from tiffin.kernel import process
from tiffin.kernel.libc import SYS, syscall

pytestmark = pytest.mark.root

LOOK = r"""
umask; pwd; id; env | sort; nice; ls /proc/self/fd
cat /proc/self/limits /proc/self/oom_score_adj /proc/self/timerslack_ns
grep -E '^(SigIgn|SigBlk|SigCgt|SigPnd|ShdPnd|Cpus|Mems|NoNew|Seccomp|Groups|Umask|Cap)' /proc/self/status
cut -d' ' -f4-8,18,19,40,41 /proc/self/stat
cat /proc/self/personality /proc/keys 2>&1 | sed 's/^[0-9a-f]*//'
"""

CALLER = f"""
import sys
from tiffin.engine import Config, Engine
engine = Engine(*sys.argv[1:])
for line in ({LOOK!r}, "cat /proc/self/cgroup"):
    with engine.run("busybox", ["sh", "-c", line], config=Config(hostname="box")) as container:
        container.wait()
        print(container.output().decode())
"""

ODD = """
import os, resource, signal
os.umask(0o077)
os.chdir("/usr/bin")
for number in (signal.SIGINT, signal.SIGUSR1, signal.SIGCHLD, signal.SIGRTMIN + 3):
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGHUP, signal.SIGRTMAX))
for descriptor in (5, 6, 63, 1000):  # systemd's limit is 1,024
    os.dup2(1, descriptor)
for kind, least in (
    (resource.RLIMIT_NOFILE, 512), (resource.RLIMIT_NPROC, 5000), (resource.RLIMIT_STACK, 1 << 20),
    (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 1 << 30), (resource.RLIMIT_CPU, 1000),
    (resource.RLIMIT_AS, 1 << 33), (resource.RLIMIT_DATA, 1 << 33), (resource.RLIMIT_MEMLOCK, 4096),
    (resource.RLIMIT_SIGPENDING, 100), (resource.RLIMIT_MSGQUEUE, 1000), (resource.RLIMIT_NICE, 1),
    (resource.RLIMIT_RTPRIO, 1),
):
    _, most = resource.getrlimit(kind)
    resource.setrlimit(kind, (least if most == resource.RLIM_INFINITY else min(least, most), most))
with open("/proc/self/oom_score_adj", "w") as file:
    file.write("500")
with open("/proc/self/timerslack_ns", "w") as file:
    file.write("123456")
os.nice(7)
os.sched_setaffinity(0, {0})
os.setgroups([7, 8, 9])
os.environ["SECRET"] = os.environ["LC_ALL"] = os.environ["HOME"] = os.environ["PYTHONPATH_"] = "secret"
"""


def look(roots: Roots, before: str, *, called: str = sys.executable) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHOME": sys.base_prefix}
    command = [called, "-c", textwrap.dedent(before) + CALLER, *roots]
    return subprocess.run(
        command, executable=sys.executable, check=True, stdout=subprocess.PIPE, text=True, env=environment
    ).stdout


def test_a_program_cannot_tell_who_has_started_it(fresh_engine: Engine, engine_root: Roots) -> None:
    plain = look(engine_root, "")
    _dismiss(fresh_engine)
    odd = look(engine_root, ODD)  # brings up its own spawner
    usual = look(engine_root, "")  # and the next one uses that
    assert "secret" not in odd
    assert _differences(plain, odd) == []
    assert _differences(plain, usual) == []


def test_a_caller_does_not_get_the_limits_of_the_one_before(fresh_engine: Engine, engine_root: Roots) -> None:
    lower = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))"
    limited = look(engine_root, lower)
    usual = look(engine_root, "")
    of_files = [
        line.split()[3:5] for text in (limited, usual) for line in text.splitlines() if "Max open files" in line
    ]
    assert of_files[0] == ["200", "200"]
    assert int(of_files[1][1]) == resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert fresh_engine.ps(all=True) == []


@pytest.mark.parametrize("called", ["somebody", "ls"])
@pytest.mark.usefixtures("fresh_engine")
def test_the_name_by_which_the_caller_was_called_does_not_matter(engine_root: Roots, called: str) -> None:
    assert "PATH=" in look(engine_root, "", called=called)


@pytest.mark.parametrize("init", [False, True])
def test_a_program_begins_with_no_signal_ignored_blocked_or_pending(engine: Engine, init: bool) -> None:
    look = ["sed", "-n", "/^S[ih][gd][PBIC]/p", "/proc/self/status"]  # itself the program: a shell sets signals up
    none = b"".join(b"%s:\t%016d\n" % (name, 0) for name in (b"SigPnd", b"ShdPnd", b"SigBlk", b"SigIgn", b"SigCgt"))
    with engine.run("busybox", look, host=HostConfig(init=init)) as container:
        container.wait()
        assert container.output() == none
    with engine.run("busybox", ["sleep", "1000000"]) as container:
        assert container.execute(look).stdout == none


def _differences(one: str, other: str) -> list[str]:
    return [line for line in difflib.ndiff(one.splitlines(), other.splitlines()) if line[0] in "+-"]


def _dismiss(engine: Engine) -> None:
    os.kill(waiting(engine).spawner, signal.SIGTERM)


def test_the_keys_of_the_callers_session_stay_out() -> None:
    def session() -> int:
        return syscall(SYS.keyctl, 0, -3, 0)  # KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING

    child = os.fork()
    if child == 0:
        code = 1
        try:
            process.join_new_keyring()
            first = session()
            process.join_new_keyring()
            code = int(session() == first)
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
