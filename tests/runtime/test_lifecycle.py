"""A container's life by the library: every verb of the article that puts, changes or takes away a process space."""

from __future__ import annotations

import io
import itertools
import os

import pytest

from tests import busybox
from tiffin.engine import Config, Engine, HostConfig, Streams
from tiffin.errors import (
    CommandNotExecutable,
    CommandNotFound,
    ContainerNotPaused,
    ContainerNotRunning,
    ContainerPaused,
    ContainerRunning,
    NameInUse,
    NoSuchContainer,
    NotModified,
    StartFailed,
)
from tiffin.layers.changes import Change

pytestmark = pytest.mark.root
FOR_EVER = ("sleep", "1000000")


def test_a_created_container_is_a_folder_and_nothing_runs(engine: Engine) -> None:
    with engine.create("busybox", ["true"], name="lonely") as container:
        assert container.state().status == "created"
        assert os.listdir(container.folder) == []
        assert [summary.name for summary in engine.ps()] == []
        assert [summary.name for summary in engine.ps(all=True)] == ["lonely"]


def test_a_program_leaves_its_exit_code_its_output_and_its_files(engine: Engine) -> None:
    with engine.create("busybox", ["sh", "-c", "echo out; echo err >&2; touch /happiness.txt; exit 7"]) as container:
        assert container.start().wait() == 7
        state = container.state()
        assert (state.status, state.exit_code, state.reason, state.oom_killed) == ("exited", 7, "", False)
        assert state.finished >= state.started > 0
        assert container.output() == b"out\n"
        assert {(line.stream, line.text) for line in container.logs()} == {("stdout", b"out\n"), ("stderr", b"err\n")}
        assert os.listdir(container.folder) == ["happiness.txt"]
        assert container.diff() == [Change("A", "/happiness.txt")]


def test_a_container_starts_again_on_the_same_layer(engine: Engine) -> None:
    with engine.create("busybox", ["sh", "-c", "echo again >> /count; wc -l < /count"]) as container:
        for _ in range(3):
            container.start().wait()
        assert container.output() == b"1\n2\n3\n"


def test_an_end_by_a_signal_is_told_as_128_and_its_number(engine: Engine) -> None:
    with engine.create("busybox", ["sh", "-c", "kill -SEGV $$"], host=HostConfig(init=True)) as container:
        assert container.start().wait() == 128 + 11


def test_exec_puts_one_more_process_into_the_space(engine: Engine) -> None:
    with engine.create("busybox", FOR_EVER) as container:
        running = container.start()
        result = running.execute(["sh", "-c", "cat; echo err >&2; exit 5"], stdin=b"input")
        assert (result.exit_code, result.stdout, result.stderr) == (5, b"input", b"err\n")
        assert b"sleep 1000000" in running.execute(["ps"]).stdout
        running.execute(["sh", "-c", "echo there > /there"])
        assert os.listdir(container.folder) == ["there"]


def test_kill_ends_a_container_with_137(engine: Engine) -> None:
    with engine.create("busybox", FOR_EVER) as container:
        running = container.start()
        assert engine.container(container.name).state().pid == running.pid
        running.kill()
        assert container.state().exit_code == 137
        assert running.wait() == 137
        with pytest.raises(ContainerNotRunning):
            running.kill()


def test_another_signal_is_the_programs_to_answer(engine: Engine) -> None:
    script = "trap 'echo hup; exit 3' HUP; echo ready; while true; do sleep 0.02; done"
    with engine.create("busybox", ["sh", "-c", script]) as container:
        running = container.start()
        next(running.logs(follow=True))
        running.kill("HUP")
        assert running.wait() == 3
        assert container.output() == b"ready\nhup\n"


def test_stop_asks_first(engine: Engine) -> None:
    script = "trap 'exit 9' TERM; echo ready; while true; do sleep 0.02; done"
    with engine.create("busybox", ["sh", "-c", script]) as container:
        running = container.start()
        next(running.logs(follow=True))
        stopped = running.stop()
        assert stopped.state().exit_code == 9
        with pytest.raises(NotModified):
            running.stop()


def test_stop_kills_after_the_grace_time(engine: Engine) -> None:
    # pid 1 takes no signal that it has no handler for
    with engine.create("busybox", FOR_EVER) as container:
        assert container.start().stop(timeout=0.1).state().exit_code == 137


def test_the_stop_signal_and_timeout_of_the_settings_hold(engine: Engine) -> None:
    script = "trap 'echo int' INT; echo ready; while true; do sleep 0.02; done"
    config = Config(stop_signal="SIGINT", stop_timeout=1)
    with engine.create("busybox", ["sh", "-c", script], config=config) as container:
        running = container.start()
        next(running.logs(follow=True))
        assert running.stop().state().exit_code == 137
        assert container.output() == b"ready\nint\n"


def test_pause_freezes_and_unpause_thaws(engine: Engine) -> None:
    with engine.create("busybox", ["sh", "-c", "while true; do date +%s%N > /now; done"]) as container:
        running = container.start()
        running.pause()
        assert container.state().status == "paused"
        assert [summary.state for summary in engine.ps()] == ["paused"]
        with open(f"/proc/{running.pid}/wchan") as file:
            assert "freez" in file.read() or _is_frozen(running.pid)
        with pytest.raises(ContainerPaused):
            running.pause()
        with pytest.raises(ContainerPaused):
            running.execute(["true"])
        running.unpause()
        assert container.state().status == "running"
        with pytest.raises(ContainerNotPaused):
            running.unpause()


def _is_frozen(pid: int) -> bool:
    with open(f"/proc/{pid}/cgroup") as file:
        group = file.read().strip().splitlines()[-1].split(":", 2)[2]
    top = next(top for top in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup") if os.path.exists(f"{top}/cgroup.procs"))
    with open(f"{top}{group}/cgroup.events") as file:
        return "frozen 1" in file.read()


@pytest.mark.parametrize("verb", ["kill", "stop", "remove"])
def test_a_paused_container_can_be_ended(engine: Engine, verb: str) -> None:
    with engine.create("busybox", FOR_EVER) as container:
        running = container.start()
        running.pause()
        if verb == "kill":
            running.kill()
        elif verb == "stop":
            running.stop(timeout=0.1)
        else:
            running.remove(force=True)
            return
        assert container.state().exit_code == 137


def test_restart_is_stop_then_start(engine: Engine) -> None:
    script = "echo run; trap exit TERM; while true; do sleep 0.02; done"
    with engine.create("busybox", ["sh", "-c", script]) as container:
        first = container.start()
        next(first.logs(follow=True))
        second = first.restart()
        assert second.pid != first.attachment.pid
        assert len(list(itertools.islice(second.logs(follow=True), 2))) == 2
        second.stop()
        assert container.output() == b"run\nrun\n"


def test_start_of_a_running_container_changes_nothing(engine: Engine) -> None:
    with engine.create("busybox", FOR_EVER) as container:
        running = container.start()
        pid = running.pid
        with pytest.raises(NotModified):
            container.start()
        assert running.pid == pid


def test_rm_of_a_running_container_is_refused_unless_forced(engine: Engine) -> None:
    container = engine.create("busybox", FOR_EVER)
    container.start()
    with pytest.raises(ContainerRunning):
        container.remove()
    container.remove(force=True)
    with pytest.raises(NoSuchContainer):
        container.state()
    with pytest.raises(NoSuchContainer):
        container.remove()


def test_rename_moves_the_name_and_nothing_else(engine: Engine) -> None:
    with engine.create("busybox", FOR_EVER, name="before") as container:
        container.start()
        renamed = container.rename("after")
        assert engine.container("after").id == container.id
        assert renamed.state().status == "running"
        with pytest.raises(NoSuchContainer):
            engine.container("before")
        with engine.create("busybox", ["true"], name="before") as other, pytest.raises(NameInUse):
            other.rename("after")


def test_a_rm_container_is_gone_with_its_end(engine: Engine) -> None:
    with engine.run("busybox", ["sh", "-c", "exit 4"], name="fleeting", host=HostConfig(auto_remove=True)) as running:
        assert running.wait() == 4
        assert running.wait() == 4
        with pytest.raises(NoSuchContainer):
            engine.container("fleeting")


def test_a_run_that_cannot_begin_leaves_a_container_only_to_who_does_not_own_it(engine: Engine) -> None:
    with pytest.raises(CommandNotFound):
        engine.run("busybox", ["nothing-there"])
    assert engine.ps(all=True) == []
    with pytest.raises(CommandNotFound):
        engine.run("busybox", ["nothing-there"], name="left", owned=False)
    with engine.container("left") as left:
        assert left.state().status == "created"


def test_wait_from_elsewhere_gives_the_same_exit_code(engine: Engine) -> None:
    with engine.create("busybox", ["sh", "-c", "read line; exit $line"], config=Config(open_stdin=True)) as container:
        reading, writing = os.pipe()
        running = container.start(Streams(stdin=reading))
        other = Engine(engine.root, engine.runroot).container(container.id)
        os.write(writing, b"6\n")
        assert [other.wait(), other.wait(), running.wait()] == [6, 6, 6]
        os.close(writing)


def test_a_missing_program_is_127_and_one_that_cannot_run_is_126(engine: Engine) -> None:
    with engine.create("busybox", ["nothing-there"]) as container:
        with pytest.raises(CommandNotFound, match='exec: "nothing-there": executable file not found'):
            container.start()
        state = container.state()
        assert (state.status, state.exit_code) == ("created", 127)
    with engine.create("busybox", ["/etc/passwd"]) as container, pytest.raises(CommandNotExecutable):
        container.start()
    with engine.create("busybox", ["/tmp"]) as container, pytest.raises(CommandNotExecutable):
        container.start()


def test_an_exec_of_a_missing_program_leaves_the_container_alone(engine: Engine) -> None:
    with engine.create("busybox", FOR_EVER) as container:
        running = container.start()
        with pytest.raises(CommandNotFound):
            running.execute(["nothing-there"])
        with pytest.raises(CommandNotExecutable):
            running.execute(["/etc/group"])
        assert running.execute(["echo", "fine"]).stdout == b"fine\n"


def test_an_exec_ends_though_what_it_left_behind_holds_its_output(engine: Engine) -> None:
    with engine.create("busybox", FOR_EVER) as container:
        result = container.start().execute(["sh", "-c", "sleep 1000000 & echo started"])
        assert (result.exit_code, result.stdout) == (0, b"started\n")


def test_a_program_that_cannot_run_says_why(fresh_engine: Engine) -> None:
    programs: dict[str, busybox.Content] = {
        "bin/no-interpreter": b"#!/not/there\n",
        "bin/no-format": b"\x7fELF and no more",
        "bin/loop": busybox.Link("loop"),
    }
    fresh_engine.import_(io.BytesIO(busybox.tar(programs)), "odd")
    expected = {
        "/bin/no-interpreter": (CommandNotFound, "is there, but its interpreter or loader is not"),
        "/bin/no-format": (CommandNotExecutable, "exec format error"),
        "/bin/loop": (CommandNotExecutable, "symbolic links"),
        "/etc/passwd/x": (CommandNotFound, "no such file or directory"),
        "": (CommandNotFound, "executable file not found"),
    }
    for program, (error, words) in expected.items():
        with fresh_engine.create("odd", [program]) as container, pytest.raises(error, match=words):
            container.start()
    with fresh_engine.create("odd", FOR_EVER) as container:
        running = container.start()
        for program, (error, words) in expected.items():
            with pytest.raises(error, match=words):
                running.execute([program])


def test_arguments_and_variables_may_be_long_and_of_any_bytes(engine: Engine) -> None:
    word, variable = "x" * 100_000, "V=" + "y" * 100_000
    config = Config(env=(variable, "ODD=\udcff\u20ac"))
    with engine.create("busybox", ["sh", "-c", 'echo ${#1} ${#V} "$ODD"', "sh", word], config=config) as container:
        assert container.start().wait() == 0
        assert container.output() == b"100000 100000 \xff\xe2\x82\xac\n".decode("utf-8", "replace").encode()
    with engine.create("busybox", ["true", "x" * 3_000_000]) as container, pytest.raises(StartFailed, match="too long"):
        container.start()
