"""The trace of a start and of an exec: what strace saw, step by step; and a container that is like any other."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest

import tiffin
from tests.kernel.children import in_child
from tests.runtime.killing import parent, until, waiting
from tiffin.containers import Containers
from tiffin.engine import Config, Container, Engine, HostConfig, planning, spaces
from tiffin.engine.filters import default_filter
from tiffin.errors import CommandNotFound, StartFailed
from tiffin.kernel.libc import SYS
from tiffin.kernel.recording import BEGUN, MOST_CALLS, Call
from tiffin.runtime import client
from tiffin.runtime.client import Connection, Streams
from tiffin.runtime.plan import ExecPlan, Plan
from tiffin.runtime.record import RunFolder
from tiffin.runtime.steps import Bind, ExecuteUnderInit, FilterSyscalls, SetHostname, UnshareCgroup
from tiffin.runtime.tracing import OUTSIDE, Page, StepTrace, Tracer, of_failure

FOR_EVER = ("sleep", "1000000")
NOISE = frozenset(
    "brk mmap munmap mremap madvise mprotect futex rt_sigaction rt_sigprocmask rt_sigreturn clock_gettime"
    " clock_nanosleep sched_yield gettid set_robust_list rseq exit_group".split()
)
"""What the interpreter and the C library do on their own (see `kernel.recording`)."""
SAME = {"newfstatat": "fstat", "stat": "fstat", "lstat": "fstat", "dup3": "dup2", "fork": "clone"}
"""Names that depend on the C library, for one and the same question."""
CALL = re.compile(r"(\w+)\(.* = (-?\w+|\?)(?: (E\w+))?(?: \(.*\))?$")
BEGAN = re.compile(r"execve\(.* = 0\n")


class Traced(NamedTuple):
    plan: Plan
    connection: Connection

    @property
    def trace(self) -> tuple[StepTrace, ...]:
        return self.connection.trace


def start(container: Container, *, trace: bool = True) -> Traced:
    parts = container._parts
    plan = spaces.plan(parts, Containers(parts.store).get(container.id))._replace(trace=trace)
    return Traced(plan, client.start(parts.store, plan, Streams(), owned=False))


def execute(container: Container, argv: tuple[str, ...], *, tty: bool = False) -> tuple[ExecPlan, Connection]:
    parts = container._parts
    record = Containers(parts.store).get(container.id)
    settings = record.config._replace(tty=tty)
    keep = planning.kept_capabilities(record.host)
    filter = default_filter(parts.store, keep)
    plan = planning.plan_exec(record.id, argv, settings, record.host, spaces._layout(parts), keep, filter)
    plan = plan._replace(trace=True)
    return plan, client.execute(RunFolder(parts.store, record.id), plan, Streams(), owned=True)


def calls_of(trace: tuple[StepTrace, ...]) -> list[Call]:
    return [call for step in trace for call in step.calls]


def outcomes(trace: tuple[StepTrace, ...]) -> list[str]:
    """The name of each call, and of the errno that came back."""
    return [
        f"{SAME.get(call.name, call.name)} {call.result if call.result[:1] == 'E' else ''}" for call in calls_of(trace)
    ]


@contextmanager
def witness(pid: int, report: Path, *options: str) -> Iterator[None]:
    command = ["strace", "-p", str(pid), "-o", str(report), *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as strace:
        assert strace.stderr is not None
        assert b"attached" in strace.stderr.readline()
        yield
        strace.terminate()


def seen(report: Path) -> list[str]:
    """The same of all that a process did from the first step of its trace, or its birth, until it was the program."""
    lines = [match for line in report.read_text(errors="replace").splitlines() if (match := CALL.match(line))]
    mapped = next((at for at, line in enumerate(lines) if "PROT_WRITE, MAP_SHARED," in line[0]), -1)
    rest = enumerate(lines[mapped + 1 :], mapped + 1)
    begin = next(at for at, line in rest if line[1] == "close") + 1 if mapped >= 0 else 0  # the page's descriptor
    end = next((at for at, line in enumerate(lines) if line[1] == "execve" and line[2] == "0"), len(lines))
    found = [f"{SAME.get(line[1], line[1])} {line[3] or ''}" for line in lines[begin : end + 1] if line[1] not in NOISE]
    assert found
    return found


@pytest.mark.root
@pytest.mark.parametrize(
    ("config", "host"),
    [
        (Config(), HostConfig()),
        (Config(user="1000:1000", working_dir="/made", tty=True, hostname="name"), HostConfig()),
        (
            Config(env=("A=b",)),
            HostConfig(
                binds=("/etc/hosts:/given:ro", "/usr:/shared:rshared"), readonly_rootfs=True, network_mode="host",
                memory=64 << 20, pids_limit=50,
            ),
        ),
        (Config(), HostConfig(privileged=True)),
    ],
    ids=["plain", "user and terminal", "binds, limits and the host's network", "privileged"],
)  # fmt: skip
def test_the_calls_of_the_steps_are_those_that_strace_sees(
    engine: Engine, tmp_path: Path, config: Config, host: HostConfig
) -> None:
    with engine.create("busybox", ["true"]) as warm:
        warm.start().wait()
    with engine.create("busybox", FOR_EVER, config=config, host=host) as container:
        with witness(waiting(engine).launcher, report := tmp_path / "report"):
            traced = start(container)
            until(lambda: BEGAN.search(report.read_text(errors="replace")))
        steps = [step for step in traced.trace if step.step != OUTSIDE]
        assert [step.step for step in steps] == list(range(len(traced.plan.steps)))
        assert outcomes(traced.trace) == seen(report)


@pytest.mark.root
@pytest.mark.parametrize("tty", [False, True], ids=["plain", "terminal"])
def test_the_calls_of_an_exec_are_those_that_strace_sees_in_both_its_processes(
    engine: Engine, tmp_path: Path, tty: bool
) -> None:
    with engine.create("busybox", FOR_EVER) as container:
        running = container.start()
        running.execute(["true"])  # the shim is awake
        with witness(parent(running.pid), tmp_path / "report", "-ff"):
            plan, connection = execute(container, ("true",), tty=tty)
            connection.wait()
        reports = [report for report in tmp_path.iterdir() if "execve(" in report.read_text(errors="replace")]
        mapping = [report for report in tmp_path.iterdir() if "MAP_SHARED, " in report.read_text(errors="replace")]
        (launcher,), (program,) = [path for path in mapping if path not in reports], reports
        in_launcher, in_program = seen(launcher), seen(program)
        clone = in_launcher.index("clone3 ")
        assert outcomes(connection.trace) == [*in_launcher[: clone + 1], *in_program]
        steps = [step.step for step in connection.trace if step.step != OUTSIDE]
        assert steps == list(range(len(plan.entering + plan.steps)))


@pytest.mark.root
def test_under_an_init_of_ours_the_trace_is_that_of_the_child_and_the_init_keeps_nothing_of_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tiffin.engine.inits.found", lambda: None)
    with engine.create("busybox", FOR_EVER, host=HostConfig(init=True)) as container:
        traced = start(container)
        assert isinstance(traced.plan.steps[-1], ExecuteUnderInit)
        last = traced.trace[-1]
        assert last.step == len(traced.plan.steps) - 1
        assert [call.name for call in last.calls if call.name != "execve"][:3] == ["fork", "setsid", "sendto"]
        assert last.calls[0].result == "0"  # we went with the child
        assert last.calls[-1].result == BEGUN
        maps = Path(f"/proc/{traced.connection.pid}/maps").read_text()
        assert "tiffin-trace" not in maps


@pytest.mark.root
def test_the_last_call_of_a_start_is_an_execve_that_has_begun(engine: Engine) -> None:
    with engine.create("busybox", ("sleep", "1000000")) as container:
        last = start(container).trace[-1]
    tried = [call.result for call in last.calls if call.name == "execve"]
    assert set(tried[:-1]) == {"ENOENT"}
    assert last.calls[-1] == Call("execve", '"/bin/sleep", ["sleep", "1000000"], [3 variables]', BEGUN)
    assert last.nanoseconds > 0


@pytest.mark.root
def test_without_being_asked_for_there_is_no_trace_and_nothing_on_the_wire(engine: Engine) -> None:
    with engine.create("busybox", FOR_EVER) as container:
        untraced = start(container, trace=False)
        assert untraced.trace == ()
        assert "trace" not in untraced.plan.to_json()


@pytest.mark.root
def test_a_plan_with_a_trace_comes_back_from_the_wire(engine: Engine) -> None:
    with engine.create("busybox", FOR_EVER) as container:
        plan = spaces.plan(container._parts, Containers(container._parts.store).get(container.id))._replace(trace=True)
    assert Plan.from_json(plan.to_json()) == plan
    member = ExecPlan("id", (), (), trace=True)
    assert ExecPlan.from_json(member.to_json()) == member
    assert ExecPlan.from_json(member._replace(trace=False).to_json()) == member._replace(trace=False)


@pytest.mark.root
def test_a_start_that_fails_at_a_step_shows_its_calls_up_to_the_one_that_failed(engine: Engine) -> None:
    with engine.create("busybox", FOR_EVER, host=HostConfig(binds=("/etc/hosts:/etc/passwd/below",))) as container:
        with pytest.raises(StartFailed) as caught:
            start(container)
        plan = spaces.plan(container._parts, Containers(container._parts.store).get(container.id))
    trace = of_failure(caught.value)
    place = next(at for at, step in enumerate(plan.steps) if isinstance(step, Bind) and "below" in step.target)
    assert [step.step for step in trace if step.step != OUTSIDE] == list(range(place + 1))
    assert trace[-1].step == place
    assert [call.name for call in trace[-1].calls][:2] == ["open_tree", "mount_setattr"]
    assert trace[-1].calls[-1].result == "ENOTDIR"


@pytest.mark.root
def test_a_program_that_is_not_there_shows_where_it_was_sought(engine: Engine) -> None:
    with engine.create("busybox", ("nothing-there",)) as container, pytest.raises(CommandNotFound) as caught:
        start(container)
    last = of_failure(caught.value)[-1]
    assert {call.result for call in last.calls if call.name == "execve"} == {"ENOENT"}
    assert last.calls[-1].name == "execve"


@pytest.mark.root
def test_a_start_that_fails_before_its_steps_shows_what_was_done_until_then(engine: Engine) -> None:
    with engine.create("busybox", FOR_EVER) as container:
        parts = container._parts
        plan = spaces.plan(parts, Containers(parts.store).get(container.id))
        limits = plan.limits._replace(cpuset_cpus="9999")
        with pytest.raises(StartFailed) as caught:
            client.start(parts.store, plan._replace(trace=True, limits=limits), Streams(), owned=False)
    (only,) = of_failure(caught.value)
    assert only.step == OUTSIDE
    last = [(call.name, call.result[:1]) for call in only.calls[-2:]]
    if spaces._layout(parts).v1_of("cpuset") or spaces._layout(parts).v2_of("cpuset"):
        assert last == [("write", "E"), ("close", "0")]
    else:  # nothing was written to a controller that is not there: the last was the record of the run
        assert last[-1] == ("rename", "0")


@pytest.mark.root
def test_a_launcher_that_is_killed_has_told_what_it_had_begun(engine: Engine) -> None:
    """As by a filter that kills: here, what sethostname(2) must not be given after `IsolateMounts`."""
    load, is_it, kill, allow = (0x20, 0, 0, 0), (0x15, 0, 1, SYS.sethostname), (6, 0, 0, 1 << 31), (6, 0, 0, 0x7FFF0000)
    deadly = b"".join(struct.pack("=HBBI", *instruction) for instruction in (load, is_it, kill, allow))
    with engine.create("busybox", FOR_EVER) as container:
        parts = container._parts
        plan = spaces.plan(parts, Containers(parts.store).get(container.id))
        place = next(at for at, step in enumerate(plan.steps) if isinstance(step, SetHostname))
        steps = (*plan.steps[:place], FilterSyscalls(b64encode(deadly).decode()), *plan.steps[place:])
        with pytest.raises(StartFailed) as caught:
            client.start(parts.store, plan._replace(trace=True, steps=steps), Streams(), owned=False)
    last = of_failure(caught.value)[-1]
    assert last.step == place + 1
    assert [call.name for call in last.calls] == ["sethostname"]
    assert last.calls[0].result == BEGUN


@pytest.mark.root
def test_an_exec_that_fails_shows_its_trace_too(engine: Engine) -> None:
    with engine.create("busybox", FOR_EVER) as container:
        container.start()
        with pytest.raises(CommandNotFound) as caught:
            execute(container, ("nothing-there",))
    trace = of_failure(caught.value)
    assert "setns" in [call.name for call in calls_of(trace)]
    assert trace[-1].calls[-1].result == "ENOENT"


@pytest.mark.root
def test_hostile_arguments_of_traced_calls_are_harmless(engine: Engine) -> None:
    hostile = 'a\x1b]0;owned\x07\u202e"\n'
    with engine.create("busybox", ("sleep", "1", hostile), config=Config(working_dir=f"/{hostile}")) as container:
        trace = start(container).trace
    words = [word for call in calls_of(trace) for word in call]
    assert all(word.isascii() and word.isprintable() for word in words)
    assert any('\\x1b]0;owned\\x07\\u202e\\"\\n' in word for word in words)


LOOK = """
cat /proc/self/mountinfo | cut -d' ' -f4- | sed 's/ - / /; s,/run/[0-9a-f]*/,/run/ID/,g' | sed 's/[0-9a-f]\\{64\\}/ID/g'
grep -E '^(Cap|NoNewPrivs|Seccomp|Groups|Uid|Gid|Threads|Umask|SigBlk|SigIgn|SigCgt)' /proc/self/status
for name in /proc/self/ns/*; do readlink $name | sed 's/[0-9]//g'; done
for fd in 0 1 2; do readlink /proc/1/fd/$fd | sed 's/[0-9]//g'; done
ulimit -a; pwd; env; stat -c '%n %a %u %g %t %T' /dev/*
"""


@pytest.mark.root
@pytest.mark.parametrize("tty", [False, True], ids=["plain", "terminal"])
def test_a_traced_container_is_like_any_other(engine: Engine, tty: bool) -> None:
    def look(*, trace: bool) -> str:
        config = Config(tty=tty, hostname="same")
        with engine.create("busybox", ("sh", "-c", LOOK), config=config) as container:
            start(container, trace=trace).connection.wait()
            return container.output().decode()

    traced, other = look(trace=True), look(trace=False)
    assert traced == other
    assert "CapBnd" in traced


@pytest.mark.root
def test_nothing_of_a_trace_is_open_or_mapped_in_a_traced_program(engine: Engine) -> None:
    def look(*, trace: bool) -> tuple[list[str], set[str]]:
        with engine.create("busybox", FOR_EVER) as container:
            pid = start(container, trace=trace).connection.pid
            lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
            files = {line.split(maxsplit=5)[5] for line in lines if "/" in line}
            return [re.sub(r"\d+", "", target) for target in _open_files(pid)], files

    traced, other = look(trace=True), look(trace=False)
    assert traced == other
    assert len(traced[0]) == 3


@pytest.mark.root
def test_a_shim_keeps_no_page_open(engine: Engine) -> None:
    with engine.create("busybox", FOR_EVER) as container:
        running = container.start()
        running.execute(["true"])
        execute(container, ("true",))[1].wait()
        with pytest.raises(CommandNotFound):
            execute(container, ("nothing-there",))
        shim = parent(running.pid)
        until(lambda: not any("tiffin-trace" in target for target in _open_files(shim)))


def _open_files(pid: int) -> list[str]:
    found = []
    for number in os.listdir(f"/proc/{pid}/fd"):
        with suppress(FileNotFoundError):
            found.append(os.readlink(f"/proc/{pid}/fd/{number}"))
    return found


def _as_spawner(program: str) -> list[str]:
    """What a program prints that runs as a spawner does."""
    source = os.path.dirname(os.path.dirname(os.path.abspath(tiffin.__file__)))
    begin = f"import sys; sys.path.insert(0, {source!r}); import tiffin.runtime.spawner as spawner\n"
    command = [sys.executable, "-I", "-S", "-X", "utf8", "-c", begin + program]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout.split()


def test_a_spawner_loads_nothing_of_it() -> None:
    loaded = _as_spawner("print(*sys.modules)")
    assert "tiffin.runtime.launch" in loaded
    for name in ("runtime.tracing", "kernel.recording", "kernel.call_forms", "kernel.python_calls", "kernel.stand_ins"):
        assert f"tiffin.{name}" not in loaded


def test_all_that_is_loaded_for_a_trace_is_there_already_or_ours() -> None:
    """The standard library cannot be imported from any more."""
    loaded = _as_spawner(
        "before = set(sys.modules); spawner._switch_importing_off()\n"
        "from tiffin.runtime.launch import traced; import os; page = os.memfd_create('x'); os.truncate(page, 2 << 20)\n"
        "traced(page); print(*sorted(set(sys.modules) - before))"
    )
    kernel = ("call_forms", "python_calls", "recording", "shared_memory", "stand_ins")
    assert loaded == [*(f"tiffin.kernel.{name}" for name in kernel), "tiffin.runtime.tracing"]


def test_where_tiffin_was_removed_meanwhile_the_start_fails_with_a_sentence() -> None:
    said = _as_spawner(
        "spawner._switch_importing_off(); sys.path_importer_cache.clear()\n"
        "from tiffin.runtime.launch import traced, CannotStart\n"
        "try: traced(5)\n"
        "except CannotStart as error: print(error.failure.text, sys.meta_path)"
    )
    assert " ".join(said).startswith("its system calls cannot be recorded: ModuleNotFoundError: ")
    assert said[-1] == "[]"


def test_a_page_tells_of_steps_that_made_no_call_and_of_those_that_were_too_many() -> None:
    def work() -> list[tuple[int, int, str]]:
        page = Page()
        tracer = Tracer(os.dup(page.descriptor))
        for number, _ in enumerate(tracer.each((UnshareCgroup(),) * 4)):
            for _ in range((0, MOST_CALLS - 1, 5, 0)[number]):
                os.getpid()
        tracer.stop()
        return [(step.step, len(step.calls), str(step.calls[-1:])) for step in page.read()]

    told = in_child(work)
    assert [step[:2] for step in told] == [[0, 0], [1, MOST_CALLS - 1], [2, 2], [3, 0]]
    assert "4 more, not recorded" in told[2][2]


def test_a_page_that_is_full_of_long_calls_still_tells_of_all_steps() -> None:
    def work() -> list[tuple[int, str]]:
        page = Page()
        tracer = Tracer(os.dup(page.descriptor))
        for _ in tracer.each((UnshareCgroup(),) * 60):
            for _ in range(10):
                with suppress(OSError):
                    os.execve("/not/there", ["word" * 100] * 40, {})
        tracer.stop()
        return [(step.step, str(step.calls[-1])) for step in page.read()]

    told = in_child(work)
    assert [step for step, _ in told] == list(range(60))
    assert told[-1][1] == "...() = 10 more, not recorded"
