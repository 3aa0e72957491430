"""All verbs of the command line, on real containers."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.shell import Shell
from tiffin.engine import Engine, Event

pytestmark = pytest.mark.root
ID = re.compile(r"[0-9a-f]{64}\n")
SHORT = r"[0-9a-f]{12}"
MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)"
FOR_EVER = ("sleep", "1000000")


@pytest.fixture
def tiffin(engine: Engine) -> Iterator[Shell]:
    shell = Shell(engine)
    yield shell
    left = shell.ok("ps", "-aq").split()
    if left:
        shell.ok("rm", "-f", *left)


# from an image to a container


def test_the_article_step_by_step(tiffin: Shell, engine: Engine, tmp_path: Path):
    assert ID.fullmatch(tiffin.ok("create", "--name", "lunch", "busybox", *FOR_EVER))
    assert tiffin.ok("start", "lunch") == "lunch\n"
    assert "lunch" in tiffin.ok("ps")
    assert tiffin.ok("run", "--name", "happy", "busybox", "touch", "happiness.txt") == ""
    assert tiffin.ok("diff", "happy") == "A /happiness.txt\n"
    assert os.path.exists(f"{engine.container('happy').folder}/happiness.txt")
    assert tiffin.ok("stop", "-t", "0", "lunch") == "lunch\n"
    assert tiffin.ok("ps", "-q") == ""
    image = tiffin.ok("commit", "-m", "joy", "-a", "me", "happy", "mood").strip()
    exact = tiffin.ok("history", "-H=false", "mood").splitlines()
    assert re.match(r"IMAGE +LAYER +CREATED AT +CREATED BY", exact[0])
    assert re.search(rf" {MOMENT} .* \d+ +joy", exact[1])
    steps = tiffin.ok("history", "--no-trunc", "--format", "{{.ID}} {{.Comment}}", "mood").splitlines()
    assert steps[0] == f"{image} joy"
    assert tiffin.ok("run", "--rm", "mood", "ls", "/happiness.txt") == "/happiness.txt\n"
    archive, flat = tmp_path / "mood.tar", tmp_path / "flat.tar"
    tiffin.ok("save", "-o", str(archive), "mood")
    tiffin.ok("export", "-o", str(flat), "happy")
    with tarfile.open(flat) as tar:
        assert "happiness.txt" in tar.getnames()
    assert tiffin.ok("rm", "lunch", "happy") == "lunch\nhappy\n"
    assert tiffin.ok("rmi", "mood").startswith(f"Untagged: mood:latest\nDeleted: {image}\n")
    assert tiffin.ok("load", "-i", str(archive)) == "Loaded image: mood:latest\n"
    assert tiffin.ok("images", "-q", "--no-trunc", "mood").strip() == image
    tiffin.ok("rmi", "mood")


def test_run_shows_both_outputs_and_ends_as_the_program_did(tiffin: Shell):
    assert tiffin("run", "--rm", "busybox", "sh", "-c", "echo out; echo err >&2; exit 7") == (7, "out\n", "err\n")
    assert tiffin("run", "--rm", "busybox", "sh", "-c", "kill -9 $$; sleep 5", "x").code in (0, 137)


def test_run_reads_piped_input_to_its_end(tiffin: Shell):
    assert tiffin.ok("run", "--rm", "-i", "busybox", "cat", stdin=b"one\ntwo") == "one\ntwo"
    assert tiffin.ok("run", "--rm", "busybox", "cat", stdin=b"not for you") == ""


def test_run_carries_much_in_both_directions(tiffin: Shell):
    text = bytes(range(32, 127)) * 20000
    assert tiffin.ok("run", "--rm", "-i", "--log-driver", "none", "busybox", "cat", stdin=text) == text.decode()


def test_run_detached_prints_the_id_and_goes_on(tiffin: Shell):
    id = tiffin.ok("run", "-d", "busybox", *FOR_EVER)
    assert ID.fullmatch(id)
    assert tiffin.ok("ps", "-q", "--no-trunc") == id


def test_run_joins_only_the_streams_that_were_asked_for(tiffin: Shell):
    script = ("busybox", "sh", "-c", "echo out; echo err >&2")
    assert tiffin("run", "--rm", "-a", "stderr", *script) == (0, "", "err\n")
    assert tiffin("run", "--rm", "-a", "stdout", *script) == (0, "out\n", "")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("nosuch:image", "true"), 125, "No such image: nosuch:image"),
        (("busybox", "nosuch"), 127, "executable file not found"),
        (("busybox", "/etc"), 126, "permission denied"),
        (("--workdir", "relative", "busybox", "true"), 125, "absolute path"),
        (("-v", "/etc:/x:zz", "busybox", "true"), 125, "invalid mode"),
        (("--memory", "1k", "busybox", "true"), 125, "Minimum memory limit"),
        (("--cpus", "0.001", "busybox", "true"), 125, "Range of CPUs is from 0.01 to"),
        (("--pids-limit", "9999999999", "busybox", "true"), 125, "Maximum pids limit"),
        (("--stop-signal", "NOSUCH", "busybox", "true"), 125, "invalid signal"),
        (("--cap-add", "NOSUCH", "busybox", "true"), 125, "apabilit"),
        (("--network", "bridge", "busybox", "true"), 125, "come later"),
        (("-d", "-a", "stdout", "busybox", "true"), 1, "conflicting options"),
        (("-u", "nosuchuser", "busybox", "true"), 125, "nosuchuser"),
    ],
)
def test_run_fails_with_dockers_codes_and_a_sentence(tiffin: Shell, words, code, message):
    said = tiffin("run", "--rm", *words)
    assert (said.code, said.out) == (code, "")
    assert message in said.err
    assert "Traceback" not in said.err
    assert tiffin.ok("ps", "-aq") == ""


def test_a_reader_who_leaves_ends_run_quietly(tiffin: Shell):
    with tiffin.begin("run", "--name", "endless", "busybox", "yes") as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.read(10)
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait(20) == 141
    tiffin.ok("rm", "-f", "endless")


LISTENING = "trap 'exit 9' TERM; echo ready; while :; do sleep 0.1; done"


def test_signals_are_passed_to_the_program(tiffin: Shell):
    with tiffin.begin("run", "--rm", "busybox", "sh", "-c", LISTENING) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"ready\n"
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == 9


# the options of create and run


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_input_ends_with_the_command_that_fed_it(tiffin: Shell, number: int):
    command = ("run", "--name", "fed", "--sig-proxy=false", "-i", "busybox", "sh", "-c", "cat; echo the end")
    with tiffin.begin(*command) as feeding:
        assert feeding.stdin is not None
        assert feeding.stdout is not None
        feeding.stdin.write(b"some input\n")
        feeding.stdin.flush()
        assert feeding.stdout.readline() == b"some input\n"
        feeding.send_signal(number)
        feeding.wait(20)
    assert tiffin.ok("wait", "fed") == "0\n"
    assert tiffin.ok("logs", "fed") == "some input\nthe end\n"


def test_input_of_an_exec_ends_with_the_command_that_fed_it(tiffin: Shell):
    tiffin.ok("run", "-d", "--name", "host", "busybox", "sh", "-c", "mkfifo /told; cat /told")
    script = "cat; until test -p /told; do :; done; echo the end > /told"
    with tiffin.begin("exec", "-i", "host", "sh", "-c", script) as feeding:
        assert feeding.stdin is not None
        assert feeding.stdout is not None
        feeding.stdin.write(b"some input\n")
        feeding.stdin.flush()
        assert feeding.stdout.readline() == b"some input\n"
        feeding.kill()
        feeding.wait(20)
    assert tiffin.ok("wait", "host") == "0\n"
    assert tiffin.ok("logs", "host") == "the end\n"


def test_what_runs_has_the_settings_that_were_given(tiffin: Shell, tmp_path: Path):
    (tmp_path / "env").write_text("B=2\n")
    script = 'echo "$(hostname) $(pwd) $(id -u):$(id -g) $A $B $C"'
    said = tiffin.ok(
        "run", "--rm", "-h", "web", "-w", "/etc", "-u", "5:6", "-e", "A=1", "--env-file", str(tmp_path / "env"),
        "-e", "C", "busybox", "sh", "-c", script, C="3",
    )  # fmt: skip
    assert said == "web /etc 5:6 1 2 3\n"


def test_the_entrypoint_can_be_replaced(tiffin: Shell):
    assert tiffin.ok("run", "--rm", "--entrypoint", "echo", "busybox", "hello", "-n") == "hello -n\n"


def test_binds_and_memory_file_systems_are_there(tiffin: Shell, tmp_path: Path):
    (tmp_path / "file").write_text("from the host")
    said = tiffin(
        "run", "--rm", "-v", f"{tmp_path}:/in:ro", "--tmpfs", "/mem:size=1m", "busybox",
        "sh", "-c", "cat /in/file; touch /mem/x && ls /mem; touch /in/new",
    )  # fmt: skip
    assert said.out == "from the hostx\n"
    assert "Read-only file system" in said.err
    assert said.code == 1


def test_a_read_only_view_takes_no_files(tiffin: Shell):
    said = tiffin("run", "--rm", "--read-only", "busybox", "touch", "/x")
    assert (said.code, "Read-only" in said.err) == (1, True)


def test_capabilities_and_limits_are_as_asked(tiffin: Shell):
    script = "grep CapEff /proc/self/status"
    assert tiffin.ok("run", "--rm", "--cap-drop", "ALL", "busybox", "sh", "-c", script).split()[1] == "0" * 16
    inspected = tiffin.ok("create", "--name", "limited", "-m", "64m", "--cpus", "0.5", "--pids-limit", "20",
                          "--label", "a=b", "--stop-timeout", "3", "busybox", "true")  # fmt: skip
    assert ID.fullmatch(inspected)
    host = json.loads(tiffin.ok("inspect", "-f", "{{json .HostConfig}}", "limited"))
    assert (host["Memory"], host["NanoCpus"], host["PidsLimit"]) == (64 << 20, 5 * 10**8, 20)
    assert tiffin.ok("inspect", "-f", "{{.Config.Labels.a}} {{.Config.StopTimeout}}", "limited") == "b 3\n"


def test_a_network_of_its_own_has_only_a_loopback(tiffin: Shell):
    script = ("sh", "-c", "ls /sys/class/net | tr '\\n' ' '")
    assert tiffin.ok("run", "--rm", "busybox", *script) == "lo "
    assert tiffin.ok("run", "--rm", "--network", "host", "busybox", "hostname") == f"{os.uname().nodename}\n"


def test_an_init_is_the_first_process_when_asked_for(tiffin: Shell):
    assert tiffin.ok("run", "--rm", "--init", "busybox", "sh", "-c", "echo $$").strip() != "1"


def test_without_a_log_there_are_no_logs(tiffin: Shell):
    tiffin.ok("run", "--name", "silent", "--log-driver", "none", "busybox", "echo", "hi")
    said = tiffin("logs", "silent")
    assert (said.code, said.out) == (1, "")
    assert "does not support reading" in said.err


# terminals


def test_an_interactive_shell_works_as_on_a_terminal(tiffin: Shell):
    screen = tiffin.screen("run", "--rm", "-it", "busybox", "sh")
    screen.see("# ")
    assert screen.is_raw()
    screen.type("stty size; tty\r")
    assert "30 90\r\n/dev/pts/0" in screen.see("/dev/pts/0")
    screen.type("trap 'echo interrupted' INT; sleep 1000\r")
    screen.see("sleep 1000\r\n")
    time.sleep(0.3)  # until the shell waits for the sleep; nothing tells when
    screen.type("\x03")
    screen.see("interrupted")
    screen.type("exit 5\r")
    assert screen.end() == 5


def test_a_changed_window_is_told_inside(tiffin: Shell):
    screen = tiffin.screen(
        "run", "--rm", "-it", "busybox", "sh", "-c", "trap 'stty size' WINCH; echo ready; while :; do sleep 0.1; done"
    )
    screen.see("ready")
    screen.resize(40, 120)
    screen.see("40 120")
    screen.type("\x03")
    assert screen.end() == 130


def test_the_detach_keys_leave_it_running_and_attach_comes_back(tiffin: Shell):
    screen = tiffin.screen("run", "--name", "kept", "-it", "busybox", "sh")
    screen.see("# ")
    screen.type("X=remembered\r\x10\x11")
    screen.see("read escape sequence")
    assert screen.end() == 0
    assert tiffin.ok("inspect", "-f", "{{.State.Status}}", "kept") == "running\n"
    again = tiffin.screen("attach", "--detach-keys", "ctrl-a,d", "kept")
    again.type("echo it was $X\r")
    again.see("it was remembered")
    again.type("\x01d")
    again.see("read escape sequence")
    assert again.end() == 1
    last = tiffin.screen("attach", "kept")
    last.type("exit 6\r")
    assert last.end() == 6


def test_the_terminal_is_given_back_after_a_failure(tiffin: Shell):
    screen = tiffin.screen("run", "--rm", "-it", "busybox", "nosuch")
    screen.see("executable file not found")
    assert not screen.is_raw()
    assert screen.end() == 127


def test_a_terminal_needs_a_terminal(tiffin: Shell):
    said = tiffin("run", "--rm", "-it", "busybox", "true")
    assert said == (1, "", "tiffin: the input device is not a TTY\n")
    assert tiffin.ok("ps", "-aq") == ""


# in a running container


def test_exec_runs_one_more_process(tiffin: Shell):
    tiffin.ok("run", "-d", "--name", "host", "-e", "A=1", "busybox", *FOR_EVER)
    assert tiffin("exec", "host", "sh", "-c", "echo $A; echo err >&2; exit 3") == (3, "1\n", "err\n")
    assert tiffin.ok("exec", "-i", "host", "cat", stdin=b"in") == "in"
    said = tiffin.ok("exec", "-e", "B=2", "-w", "/etc", "-u", "7", "host", "sh", "-c", 'echo "$A $B $(pwd) $(id -u)"')
    assert said == "1 2 /etc 7\n"
    assert tiffin.ok("exec", "-d", "host", "touch", "/made") == ""
    screen = tiffin.screen("exec", "-it", "host", "sh")
    screen.see("# ")
    screen.type("tty; exit 4\r")
    screen.see("/dev/pts/")
    assert screen.end() == 4
    assert "A /made" in tiffin.ok("diff", "host")


def test_exec_fails_with_dockers_codes(tiffin: Shell):
    tiffin.ok("run", "-d", "--name", "host", "busybox", *FOR_EVER)
    tiffin.ok("create", "--name", "still", "busybox", "true")
    assert tiffin("exec", "host", "nosuch").code == 127
    assert tiffin("exec", "host", "/etc").code == 126
    assert tiffin("exec", "-d", "host", "nosuch").code == 1
    assert tiffin("exec", "-it", "host", "true") == (1, "", "tiffin: the input device is not a TTY\n")
    assert "is no detach key" in tiffin("exec", "--detach-keys", "ctrl-", "host", "true").err
    for option in (("-u", "nobody-there"), ("-w", "/nowhere")):
        said = tiffin("exec", *option, "host", "true")
        assert (said.code, "could not start in container" in said.err) == (126, True)
    assert tiffin("exec", "nosuch", "true").code == 1
    assert "is not running" in tiffin("exec", "still", "true").err
    tiffin.ok("pause", "host")
    assert "is paused, unpause" in tiffin("exec", "host", "true").err
    assert tiffin.ok("kill", "host") == "host\n"


def test_pause_freezes_and_unpause_thaws(tiffin: Shell):
    tiffin.ok("run", "-d", "--name", "host", "busybox", *FOR_EVER)
    assert tiffin.ok("pause", "host") == "host\n"
    assert "(Paused)" in tiffin.ok("ps")
    assert tiffin("pause", "host").code == 1
    assert tiffin.ok("unpause", "host") == "host\n"
    assert "(Paused)" not in tiffin.ok("ps")


def test_a_signal_by_name_reaches_the_program(tiffin: Shell):
    tiffin.ok("run", "-d", "--name", "host", "busybox", "sh", "-c", "trap 'exit 3' USR1; while :; do sleep 0.1; done")
    assert tiffin.ok("kill", "-s", "SIGUSR1", "host") == "host\n"
    assert tiffin.ok("wait", "host") == "3\n"
    assert "is not running" in tiffin("kill", "host").err


def test_restart_keeps_the_read_write_layer(tiffin: Shell):
    tiffin.ok("run", "-d", "--name", "host", "busybox", "sh", "-c", "echo x >> /count; exec sleep 1000000")
    assert tiffin.ok("restart", "-t", "0", "host") == "host\n"
    tiffin.ok("stop", "-t", "0", "host")
    assert tiffin.ok("restart", "host") == "host\n"
    assert tiffin.ok("exec", "host", "cat", "/count") == "x\nx\nx\n"


def test_stop_and_start_of_what_is_so_already_is_fine(tiffin: Shell):
    tiffin.ok("create", "--name", "host", "busybox", *FOR_EVER)
    assert tiffin.ok("stop", "host") == "host\n"
    assert tiffin.ok("start", "host") == "host\n"
    assert tiffin.ok("start", "host") == "host\n"


def test_start_can_stay_with_the_program(tiffin: Shell):
    tiffin.ok("create", "-i", "--name", "echo", "busybox", "sh", "-c", "read line; echo got $line; exit 8")
    assert tiffin("start", "-ai", "echo", stdin=b"it\n") == (8, "got it\n", "")
    assert tiffin("start", "-a", "echo", "echo").code == 1
    tiffin.ok("create", "--name", "lost", "busybox", "nosuch")
    assert tiffin("start", "-a", "lost").code == 1


def test_attach_joins_the_output_and_the_end(tiffin: Shell):
    tiffin.ok("run", "-d", "-i", "--name", "host", "busybox", "sh", "-c", "read x; echo got $x; exit 5")
    assert tiffin("attach", "host", stdin=b"that\n") == (5, "got that\n", "")
    assert "You cannot attach to a stopped container" in tiffin("attach", "host").err


def test_wait_prints_every_exit_code(tiffin: Shell):
    for code in ("0", "3"):
        tiffin("run", "--name", f"ended{code}", "busybox", "sh", "-c", f"exit {code}")
    assert tiffin("wait", "ended3", "nosuch", "ended0") == (1, "3\n0\n", "tiffin: No such container: nosuch\n")


# looking


def test_logs_show_what_was_written(tiffin: Shell):
    tiffin("run", "--name", "talker", "busybox", "sh", "-c", "echo one; echo two; echo oops >&2; printf three")
    assert tiffin("logs", "talker") == (0, "one\ntwo\nthree", "oops\n")
    assert tiffin.ok("logs", "--tail", "1", "talker") == "three"
    assert tiffin.ok("logs", "--tail", "0", "talker") == ""
    assert re.fullmatch(r"(?:\d{4}-\d\d-\d\dT[\d:.]+Z \w+\n?){3}", tiffin("logs", "-t", "talker").out)
    assert tiffin("logs", "--since", "1h", "talker").out == "one\ntwo\nthree"
    assert tiffin("logs", "--until", "1h", "talker") == (0, "", "")


def test_logs_can_follow_until_the_end(tiffin: Shell):
    tiffin.ok("run", "-d", "-i", "--name", "talker", "busybox", "sh", "-c", "echo first; read x; echo last")
    with tiffin.begin("logs", "-f", "talker") as following:
        assert following.stdout is not None
        assert following.stdout.readline() == b"first\n"
        tiffin("attach", "talker", stdin=b"\n")
        assert following.stdout.read() == b"last\n"
        assert following.wait(20) == 0


def test_ps_has_dockers_columns(tiffin: Shell):
    tiffin.ok(
        "run", "-d", "--name", "web", "--label", "tier=front", "busybox", "sh", "-c", "while true; do sleep 1; done"
    )
    header, row = tiffin.ok("ps").splitlines()
    assert re.fullmatch("CONTAINER ID   IMAGE     COMMAND                  CREATED +STATUS +PORTS     NAMES", header)
    pattern = rf'{SHORT}   busybox   "sh -c \'while true; …"   .+ ago +Up .+ +web'
    assert re.fullmatch(pattern, row), row


def test_ps_tells_how_each_ended(tiffin: Shell):
    tiffin.ok("create", "--name", "made", "busybox", "true")
    tiffin("run", "--name", "ended", "busybox", "sh", "-c", "exit 4")
    shown = tiffin.ok("ps", "-a", "--format", "{{.Names}}: {{.Status}}").splitlines()
    assert shown[0].startswith("ended: Exited (4) ")
    assert shown[1] == "made: Created"
    assert tiffin.ok("ps", "-l", "--format", "{{.Names}}") == "ended\n"
    assert tiffin.ok("ps", "-n", "2", "--format", "{{.Names}}") == "ended\nmade\n"


def test_ps_can_choose(tiffin: Shell):
    tiffin.ok("create", "--name", "web1", "--label", "tier=front", "busybox", "true")
    tiffin.ok("create", "--name", "db1", "--label", "tier=back", "busybox", "true")
    tiffin("run", "--name", "ended", "busybox", "sh", "-c", "exit 4")

    def names(*filters: str) -> list[str]:
        words = [word for text in filters for word in ("-f", text)]
        return sorted(tiffin.ok("ps", "-a", "--format", "{{.Names}}", *words).split())

    assert names("name=web") == ["web1"]
    assert names("label=tier") == ["db1", "web1"]
    assert names("label=tier=back") == ["db1"]
    assert names("status=exited") == ["ended"]
    assert names("exited=4") == ["ended"]
    assert names("ancestor=busybox") == ["db1", "ended", "web1"]
    assert names("ancestor=nosuch") == []
    assert tiffin("ps", "-f", "colour=red").code == 1
    assert names("before=db1") == ["web1"]
    assert names("since=db1") == ["ended"]
    assert "no regular expression" in tiffin("ps", "-a", "-f", "name=(").err
    assert "not an exit code" in tiffin("ps", "-a", "-f", "exited=many").err
    assert "No such container" in tiffin("ps", "-a", "-f", "before=nosuch").err


def test_ps_can_tell_sizes(tiffin: Shell):
    tiffin.ok("run", "--name", "big", "busybox", "sh", "-c", "head -c 2000 /dev/zero > /x")
    assert re.match(r"2kB \(virtual .+MB\)\n", tiffin.ok("ps", "-as", "--format", "{{.Size}}"))


def test_inspect_shows_containers_images_and_layers(tiffin: Shell):
    id = tiffin.ok("create", "--name", "web", "busybox", "true").strip()
    (container,) = json.loads(tiffin.ok("inspect", "web"))
    assert (container["Id"], container["State"]["Status"]) == (id, "created")
    (image,) = json.loads(tiffin.ok("inspect", "--type", "image", "busybox"))
    assert tiffin.ok("image", "inspect", "-f", "{{.Id}}", "busybox").strip() == image["Id"]
    layer = tiffin.ok("images", "-a", "--no-trunc").splitlines()[1].split()[0]
    (shown,) = json.loads(tiffin.ok("inspect", "--type", "layer", layer))
    assert shown["Id"] == layer
    assert tiffin.ok("inspect", layer) == tiffin.ok("inspect", "--type", "layer", layer)
    assert os.path.isdir(shown["Folder"])
    (shown,) = json.loads(tiffin.ok("inspect", "--type", "image", layer))
    assert (shown["Id"], len(shown["RootFS"]["Layers"])) == (layer, 1)
    assert tiffin("inspect", "nosuch", "web", "-f", "{{.Name}}") == (1, "/web\n", "tiffin: No such object: nosuch\n")
    assert tiffin("container", "inspect", "busybox").code == 1


def test_rename_moves_the_name(tiffin: Shell):
    tiffin.ok("create", "--name", "before", "busybox", "true")
    tiffin.ok("create", "--name", "other", "busybox", "true")
    assert tiffin.ok("rename", "before", "after") == ""
    assert tiffin("inspect", "before").code == 1
    assert "already in use" in tiffin("rename", "after", "other").err


def test_events_tell_a_life(tiffin: Shell):
    began = str(time.time())
    tiffin("run", "--rm", "--name", "short", "--label", "a=b", "busybox", "sh", "-c", "exit 2")
    ended = str(time.time() + 1)
    lines = tiffin.ok("events", "--since", began, "--until", ended, "-f", "container=short").splitlines()
    actions = [line.split()[2] for line in lines]
    assert actions == ["create", "start", "die", "destroy"]
    assert re.match(r"\S+T\S+ container create [0-9a-f]{64} \(a=b, image=busybox, name=short\)$", lines[0])
    assert tiffin.ok("events", "--until", ended, "-f", "container=short").splitlines() == lines
    die = tiffin.ok("events", "--since", began, "--until", ended, "-f", "event=die", "--format", "json")
    assert json.loads(die)["Actor"]["Attributes"]["exitCode"] == "2"


def test_events_have_dockers_json(tiffin: Shell):
    began = str(time.time())
    id = tiffin.ok("create", "--name", "web", "--label", "a=b", "busybox", "true").strip()
    ended = str(time.time() + 1)
    chosen = ("events", "--since", began, "--until", ended, "-f", "container=web", "--format")
    told = json.loads(tiffin.ok(*chosen, "{{json .}}"))
    assert told.pop("timeNano") // 10**9 == told.pop("time")
    assert told == {
        "status": "create",
        "id": id,
        "from": "busybox",
        "Type": "container",
        "Action": "create",
        "Actor": {"ID": id, "Attributes": {"a": "b", "image": "busybox", "name": "web"}},
        "scope": "local",
    }
    fields = "{{.Status}} {{.ID}} {{.From}} {{.Type}} {{.Scope}}"
    assert tiffin.ok(*chosen, fields) == f"create {id} busybox container local\n"


def test_an_exec_is_told_with_its_words_its_id_and_its_exit_code(tiffin: Shell):
    tiffin.ok("run", "-d", "--name", "host", "--label", "a=b", "busybox", *FOR_EVER)
    began = str(time.time())
    assert tiffin("exec", "host", "sh", "-c", "exit 3").code == 3
    assert tiffin("exec", "host", "/nowhere").code == 127
    ended = str(time.time() + 1)
    chosen = ("events", "--since", began, "--until", ended, "--format", "json")
    told = [json.loads(line) for line in tiffin.ok(*chosen, "-f", "container=host").splitlines()]
    assert [event["Action"] for event in told] == [
        "exec_create: sh -c exit 3", "exec_start: sh -c exit 3", "exec_die", "exec_create: /nowhere",
        "exec_start: /nowhere"]  # fmt: skip
    first, second, last, *_ = (event["Actor"]["Attributes"] for event in told)
    assert first == second == {"a": "b", "image": "busybox", "name": "host", "execID": first["execID"]}
    assert last == {**first, "exitCode": "3"}
    assert len(tiffin.ok(*chosen, "-f", "event=exec_create").splitlines()) == 2
    assert len(tiffin.ok(*chosen, "-f", "event=exec_die").splitlines()) == 1


def test_commit_and_export_are_told_as_docker_does(tiffin: Shell, engine: Engine):
    tiffin.ok("run", "-d", "--name", "host", "--label", "a=b", "busybox", *FOR_EVER)
    began = time.time()
    image = tiffin.ok("commit", "-m", "why", "host", "happy:1").strip()
    tiffin.ok("export", "-o", "/dev/null", "host")
    told = {}
    for event in engine.events(since=began):
        assert isinstance(event, Event)
        told[event.action] = event.attributes
        if {"export", "unpause"} <= set(told):
            break
    host = {"a": "b", "image": "busybox", "name": "host"}
    assert told == {
        "pause": host,
        "tag": {"a": "b", "name": "happy:1"},
        "commit": {**host, "comment": "why", "imageID": image, "imageRef": "happy:1"},
        "unpause": host,
        "export": host,
    }
    tiffin.ok("rmi", "-f", image)


def test_the_older_word_for_the_grace_time_is_understood(tiffin: Shell):
    tiffin.ok("run", "-d", "--name", "patient", "busybox", "sh", "-c", "trap '' TERM; while true; do sleep 1; done")
    began = time.monotonic()
    for verb in ("restart", "stop"):
        assert tiffin.ok(verb, "--time", "0", "patient") == "patient\n"
    assert time.monotonic() - began < 5


# removing, and several at once


def test_a_running_container_is_removed_only_by_force(tiffin: Shell):
    tiffin.ok("run", "-d", "--name", "host", "busybox", *FOR_EVER)
    said = tiffin("rm", "host")
    assert (said.code, said.out) == (1, "")
    assert "stop the container before removing or force remove" in said.err
    assert tiffin.ok("rm", "-f", "host") == "host\n"


def test_a_container_takes_the_layers_along_that_only_it_still_had(tiffin: Shell):
    tiffin.ok("run", "--name", "first", "busybox", "touch", "/mark")
    image = tiffin.ok("commit", "first", "short-lived").strip()
    layer = json.loads(tiffin.ok("inspect", "--format", "{{json .RootFS.Layers}}", "short-lived"))[-1]
    tiffin.ok("create", "--name", "second", "short-lived", "true")
    tiffin.ok("rmi", "-f", image)
    assert layer in _diff_ids(tiffin)
    tiffin.ok("rm", "second")
    assert layer not in _diff_ids(tiffin)
    tiffin.ok("rm", "first")
    assert tiffin("run", "--rm", "busybox", "true").code == 0


def _diff_ids(tiffin: Shell) -> set[str]:
    layers = Path(tiffin.environment["TIFFIN_ROOT"], "layers").glob("*/json")
    return {json.loads(layer.read_text())["diff_id"] for layer in layers}


def test_several_arguments_go_on_after_an_error(tiffin: Shell):
    for name in ("first", "last"):
        tiffin.ok("create", "--name", name, "busybox", "true")
    said = tiffin("rm", "first", "nosuch", "last")
    assert said == (1, "first\nlast\n", "tiffin: No such container: nosuch\n")
    assert tiffin("rm", "-f", "nosuch") == (0, "", "tiffin: No such container: nosuch\n")


def test_long_forms_are_the_same_verbs(tiffin: Shell):
    id = tiffin.ok("container", "create", "--name", "web", "busybox", "true").strip()
    for verb in ("ls", "list", "ps"):
        assert tiffin.ok("container", verb, "-aq", "--no-trunc").strip() == id
    assert tiffin.ok("container", "rm", "web") == "web\n"
    assert "busybox" in tiffin.ok("image", "ls")


# images


def test_images_show_names_and_layers(tiffin: Shell):
    tiffin.ok("tag", "busybox", "lunch:v1")
    header, *rows = tiffin.ok("images").splitlines()
    assert header.split() == ["REPOSITORY", "TAG", "IMAGE", "ID", "CREATED", "SIZE"]
    assert len(rows) == 2
    row = tiffin.ok("images", "lunch").splitlines()[1]
    assert re.fullmatch(rf"lunch +v1 +{SHORT} +.+ +\S+[kM]B", row)
    assert "lunch:v1" in tiffin.ok("images", "-a").splitlines()[1]
    assert tiffin.ok("images", "-f", "reference=lun*:v?", "--format", "{{.Repository}}:{{.Tag}}") == "lunch:v1\n"
    assert tiffin.ok("images", "-q", "-f", "dangling=true") == ""
    assert tiffin.ok("rmi", "lunch:v1") == "Untagged: lunch:v1\n"


def test_every_layer_is_listed_with_the_one_below(tiffin: Shell):
    tiffin.ok("run", "--name", "one", "busybox", "touch", "/one")
    tiffin.ok("commit", "one", "higher")
    header, *rows = [line.split() for line in tiffin.ok("images", "-a").splitlines()]
    assert header == ["LAYER", "ID", "PARENT", "IMAGES", "SIZE"]
    (top,) = [row for row in rows if row[2] == "higher:latest"]
    (bottom,) = [row for row in rows if row[0] == top[1]]
    assert bottom[1] == "<none>"
    tiffin.ok("rm", "one")
    tiffin.ok("rmi", "higher")


def test_archives_go_through_pipes(tiffin: Shell, tmp_path: Path):
    archive = tmp_path / "archive.tar"
    tiffin.ok("tag", "busybox", "packed")
    archive.write_bytes(pipe(tiffin, "save", "packed"))
    assert tiffin.ok("load", stdin=archive.read_bytes()) == "Loaded image: packed:latest\n"
    tiffin.ok("create", "--name", "web", "busybox", "true")
    other = tiffin.ok("commit", "-m", "other", "web", "packed").strip()
    told = f"The image packed:latest already exists, renaming the old one with ID {other} to empty string\n"
    assert tiffin.ok("load", stdin=archive.read_bytes()) == f"{told}Loaded image: packed:latest\n"
    tiffin.ok("rmi", other)
    flat = pipe(tiffin, "export", "web")
    id = tiffin.ok("import", "-c", 'CMD ["echo", "hi"]', "-m", "flat", "-", "flat", stdin=flat).strip()
    assert id == tiffin.ok("images", "-q", "--no-trunc", "flat").strip()
    assert tiffin.ok("run", "--rm", "flat") == "hi\n"
    tiffin.ok("rmi", "flat", "packed")


def pipe(tiffin: Shell, *words: str) -> bytes:
    with tiffin.begin(*words) as running:
        out, err = running.communicate(timeout=30)
    assert (running.returncode, err) == (0, b"")
    return out


def test_the_name_of_the_standard_output_means_it(tiffin: Shell):
    command = [sys.executable, "-m", "tiffin", "save", "-o", "/dev/stdout", "busybox"]
    saved = subprocess.run(command, env=tiffin.environment, stdout=subprocess.PIPE, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(saved)) as tar:
        assert "manifest.json" in tar.getnames()


@pytest.mark.parametrize(
    "words",
    [
        ("ps",), ("save", "busybox"), ("export", "wordy"), ("logs", "wordy"), ("logs", "-f", "wordy"),
        ("inspect", "wordy"), ("run", "--rm", "busybox", "echo", "hello"), ("start", "-a", "wordy"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_full_disk_behind_the_output_is_told_in_one_sentence(tiffin: Shell, words: tuple[str, ...]):
    tiffin.ok("run", "--name", "wordy", "busybox", "sh", "-c", "yes $(seq 3000) | head -c 20000")
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "tiffin", *words]
        done = subprocess.run(command, env=tiffin.environment, stdout=full, stderr=subprocess.PIPE, timeout=30)
    assert done.returncode != 0
    assert done.stderr == b"tiffin: the standard output: No space left on device\n"


def test_an_archive_is_not_written_to_a_terminal(tiffin: Shell):
    screen = tiffin.screen("save", "busybox")
    screen.see("no text for a terminal")
    assert screen.end() == 1


def test_a_save_that_fails_leaves_no_file(tiffin: Shell, tmp_path: Path):
    assert tiffin("save", "-o", str(tmp_path / "x.tar"), "nosuch").code == 1
    assert list(tmp_path.iterdir()) == []


def test_a_broken_archive_is_refused_with_a_sentence(tiffin: Shell):
    said = tiffin("load", stdin=b"this is no archive" * 100)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("tiffin: ")
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("../escape"))
    assert tiffin("import", "-", "bad", stdin=made.getvalue()).code == 1


def test_unused_images_are_pruned(tiffin: Shell):
    tiffin.ok("run", "--name", "one", "busybox", "touch", "/one")
    image = tiffin.ok("commit", "one").strip()
    tiffin.ok("rm", "one")
    assert tiffin("image", "prune", stdin=b"n\n").code == 0
    assert f"deleted: {image}\n" in tiffin.ok("image", "prune", "-f")
    assert "Total reclaimed space: 0B" in tiffin.ok("image", "prune", "-f")


def test_the_disk_is_accounted_for(tiffin: Shell):
    header, *rows = tiffin.ok("system", "df").splitlines()
    assert header.split() == ["TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"]
    assert [row.split("  ")[0] for row in rows] == ["Images", "Containers", "Compressed layers"]


def test_the_version_tells_where_things_are(tiffin: Shell, engine: Engine):
    assert tiffin.ok("version", "-f", "{{.Root}}") == f"{engine.root}\n"
