"""A terminal inside: raw bytes both ways, its size, its signals, and whose it is."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator

import pytest

from tests.runtime.killing import until
from tiffin.engine import Config, Engine, ExecConfig, RunningContainer, Streams

pytestmark = pytest.mark.root
TERMINAL = Config(tty=True, open_stdin=True)
ASKS = b"\x1b[6n"  # busybox's shell asks the terminal where its cursor is


class Keyboard:
    """The far ends of a terminal: keys go in, what is shown comes out."""

    def __init__(self) -> None:
        their_in, self._keys = os.pipe()
        self._screen, their_out = os.pipe()
        self.streams = Streams(stdin=their_in, stdout=their_out)
        self.shown = b""

    def type(self, keys: bytes) -> None:
        os.write(self._keys, keys)

    def shows(self, text: bytes) -> bytes:
        """What is shown up to and with a text; from now on only what comes after counts."""
        while text not in self.shown:
            ready, _, _ = select.select([self._screen], [], [], 20)
            assert ready, f"{text!r} does not come after {self.shown!r}"
            chunk = os.read(self._screen, 65536)
            assert chunk, f"{text!r} did not come before the end, but {self.shown!r}"
            self.shown += chunk.replace(ASKS, b"")
        before, _, self.shown = self.shown.partition(text)
        return before + text

    def rest(self) -> bytes:
        while chunk := os.read(self._screen, 65536):
            self.shown += chunk
        return self.shown

    def close(self) -> None:
        os.close(self._keys)
        os.close(self._screen)


@pytest.fixture
def keyboard() -> Iterator[Keyboard]:
    keyboard = Keyboard()
    yield keyboard
    keyboard.close()


@pytest.fixture
def shell(engine: Engine, keyboard: Keyboard) -> Iterator[RunningContainer]:
    with engine.create("busybox", ["sh"], config=TERMINAL._replace(env=("PS1=ready ",))) as container:
        running = container.start(keyboard.streams)
        keyboard.shows(b"ready ")
        yield running


def test_a_shell_answers_and_ends_with_its_input(shell: RunningContainer, keyboard: Keyboard) -> None:
    keyboard.type(b"echo $((6 * 7)) $TERM\n")
    assert keyboard.shows(b"ready ") == b"echo $((6 * 7)) $TERM\r\n42 xterm\r\nready "  # the terminal echoes
    keyboard.type(b"\x04")
    assert shell.wait() == 0
    assert keyboard.rest().strip() == b""


def test_it_is_a_terminal_of_the_containers_own(shell: RunningContainer, keyboard: Keyboard) -> None:
    keyboard.type(b"tty; ls -1 /dev/pts; stat -c '%U %a' $(tty); test -c /dev/console && echo over$((1))\n")
    shown = keyboard.shows(b"over1\r\n").split(b"\r\n")  # the shell wraps what is typed
    assert shown[-6:] == [b"/dev/pts/0", b"0", b"ptmx", b"root 620", b"over1", b""]
    keyboard.type(b"exit 5\n")
    assert shell.wait() == 5


def test_its_user_owns_it(engine: Engine, keyboard: Keyboard) -> None:
    config = TERMINAL._replace(user="alice")
    with engine.create("busybox", ["sh", "-c", "stat -c '%U %G' $(tty); echo x > $(tty)"], config=config) as container:
        assert container.start(keyboard.streams).wait() == 0
        assert keyboard.rest().startswith(b"alice ")


def test_its_size_changes_and_the_program_is_told(engine: Engine, keyboard: Keyboard) -> None:
    script = "trap 'stty size' WINCH; echo set; while true; do sleep 0.02; done"
    with engine.create("busybox", ["sh", "-c", script], config=TERMINAL) as container:
        running = container.start(keyboard.streams)
        keyboard.shows(b"set\r\n")
        for rows, columns in ((24, 80), (50, 132)):
            running.attachment.resize(rows, columns)
            keyboard.shows(b"%d %d\r\n" % (rows, columns))


def _shows_size(keyboard: Keyboard, size: tuple[int, int]) -> bool:
    keyboard.type(b"stty size\n")
    return b"%d %d\r\n" % size in keyboard.shows(b"\r\n")


@pytest.mark.parametrize(("key", "number"), [(b"\x03", signal.SIGINT), (b"\x1c", signal.SIGQUIT)])
def test_its_keys_send_signals_to_what_runs_in_it(
    engine: Engine, keyboard: Keyboard, key: bytes, number: signal.Signals
) -> None:
    script = f"trap 'echo caught; exit 9' {number.name[3:]}; echo ready; while true; do sleep 0.02; done"
    with engine.create("busybox", ["sh", "-c", script], config=TERMINAL) as container:
        running = container.start(keyboard.streams)
        keyboard.shows(b"ready\r\n")
        keyboard.type(key)
        assert running.wait() == 9
        assert b"caught\r\n" in keyboard.rest()


def test_jobs_can_be_stopped_and_continued(shell: RunningContainer, keyboard: Keyboard) -> None:
    keyboard.type(b"sleep 1000000\n")
    until(lambda: b"sleep" in shell.execute(["ps"]).stdout or None)
    keyboard.type(b"\x1a")
    keyboard.shows(b"Stopped")
    keyboard.type(b"fg\n")
    keyboard.shows(b"sleep 1000000\r\n")
    keyboard.type(b"\x03")
    keyboard.shows(b"ready ")


def test_a_terminal_in_raw_mode_passes_every_byte(engine: Engine, keyboard: Keyboard) -> None:
    script = "stty raw -echo; echo ready; head -c 256 | od -An -v -tx1 | tr -d ' \\n'"
    with engine.create("busybox", ["sh", "-c", script], config=TERMINAL) as container:
        running = container.start(keyboard.streams)
        keyboard.shows(b"ready")
        keyboard.type(bytes(range(256)))
        assert running.wait() == 0
        assert bytes.fromhex(keyboard.rest().decode().strip()) == bytes(range(256))


def test_a_terminals_output_is_logged_as_stdout(engine: Engine, keyboard: Keyboard) -> None:
    with engine.create("busybox", ["sh", "-c", "echo out; echo err >&2; read x"], config=TERMINAL) as container:
        running = container.start(keyboard.streams)
        keyboard.type(b"typed\n")
        assert running.wait() == 0
        assert {line.stream for line in container.logs()} == {"stdout"}
        assert sorted(container.output().split(b"\r\n")) == [b"", b"err", b"out", b"typed"]


def test_who_comes_back_finds_the_same_terminal(shell: RunningContainer, keyboard: Keyboard) -> None:
    keyboard.type(b"here=yes\n")
    keyboard.shows(b"ready ")
    shell.attachment.detach()
    other = Keyboard()
    attachment = shell.attach(other.streams)
    other.type(b"echo $here; exit 4\n")
    assert attachment.wait() == 4
    assert b"yes\r\n" in other.rest()
    other.close()


def test_an_exec_has_a_terminal_of_its_own(engine: Engine, keyboard: Keyboard) -> None:
    with engine.create("busybox", ["sleep", "1000000"]) as container:
        running = container.start()
        execution = running.exec(["sh"], config=ExecConfig(tty=True, env=("PS1=ready ",)), streams=keyboard.streams)
        keyboard.shows(b"ready ")
        execution.resize(40, 100)
        until(lambda: _shows_size(keyboard, (40, 100)))
        keyboard.type(b"sleep 1000000\n")
        until(lambda: running.execute(["ps"]).stdout.count(b"sleep 1000000") == 2)
        keyboard.type(b"\x03")
        keyboard.type(b"exit 6\n")
        assert execution.wait() == 6


def test_the_end_of_the_last_in_it_is_the_end_of_a_terminal(engine: Engine, keyboard: Keyboard) -> None:
    with engine.create("busybox", ["sh", "-c", "sleep 1000000 & echo started"], config=TERMINAL) as container:
        assert container.start(keyboard.streams).wait() == 0
        assert keyboard.rest() == b"started\r\n"


def test_a_container_with_a_terminal_and_nobody_at_it_runs_and_logs(engine: Engine) -> None:
    with engine.create(
        "busybox", ["sh", "-c", "test -t 0 && test -t 1 && echo terminal"], config=TERMINAL
    ) as container:
        for _ in range(3):
            assert container.start().wait() == 0
        assert container.output() == b"terminal\r\n" * 3
