"""The caller's streams joined to a program."""

from __future__ import annotations

import os
import pty
import select
import signal
import termios
import time
from collections.abc import Callable

import pytest

from tests.cli.fakes import Program, in_child
from tiffin.cli.join import Wishes, join
from tiffin.cli.options import Unfit

OUTPUTS = Wishes()
LIMIT = 20  # seconds that anything here may take


def output_of(script: str, wishes: Wishes = OUTPUTS, *, stdin: bytes = b"") -> tuple[bytes, bytes, int]:
    """What a joined program prints on stdout and stderr, and the exit code."""
    given, give = os.pipe()
    out, out_end = os.pipe()
    err, err_end = os.pipe()
    pid = in_child(lambda: join(Program(script).begin, wishes), stdin=given, stdout=out_end, stderr=err_end)
    for end in (given, out_end, err_end):
        os.close(end)
    os.write(give, stdin)
    os.close(give)
    found = read_all(out), read_all(err)
    return (*found, exit_code(pid))


def read_all(descriptor: int) -> bytes:
    with open(descriptor, "rb") as file:
        return file.read()


def read_until(descriptor: int, wanted: bytes) -> bytes:
    found, until = b"", time.monotonic() + LIMIT
    while wanted not in found:
        assert select.select([descriptor], [], [], max(0, until - time.monotonic()))[0], found
        try:
            found += os.read(descriptor, 65536)
        except OSError:  # the other side of the terminal is closed
            pytest.fail(f"{wanted!r} never came: {found!r}")
    return found


def exit_code(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_both_outputs_and_the_exit_code_arrive():
    assert output_of("echo out; echo err >&2; exit 7") == (b"out\n", b"err\n", 7)


def test_a_program_ended_by_a_signal_gives_128_and_its_number():
    assert output_of("kill -9 $$")[2] == 137


def test_output_written_just_before_the_end_is_not_lost():
    out, _, code = output_of("head -c 3000000 /dev/zero; exit 3")
    assert (len(out), code) == (3_000_000, 3)


def test_the_end_of_the_input_arrives():
    assert output_of("cat; echo end", Wishes(stdin=True), stdin=b"in\n") == (b"in\nend\n", b"", 0)


def test_without_stdin_the_program_gets_none_of_it():
    assert output_of("cat; echo end", stdin=b"in\n") == (b"end\n", b"", 0)


def test_an_input_that_the_program_does_not_read_holds_up_nothing():
    assert output_of("exec 0<&-; echo done", Wishes(stdin=True), stdin=b"x" * 60000) == (b"done\n", b"", 0)


def test_streams_that_are_not_wished_for_are_not_joined():
    assert output_of("echo out; echo err >&2", Wishes(stdout=False)) == (b"", b"err\n", 0)
    assert output_of("echo out; echo err >&2", Wishes(stderr=False)) == (b"out\n", b"", 0)


def test_the_exit_is_awaited_though_the_outputs_are_closed():
    assert output_of("exec >&- 2>&-; exit 4") == (b"", b"", 4)


def test_a_closed_output_ends_it_quietly_while_the_program_goes_on():
    out, out_end = os.pipe()
    err, err_end = os.pipe()
    program = Program("while :; do echo x; done")

    def act() -> int:
        code = join(program.begin, Wishes())
        program.end()
        return 100 if not program.detached else code or 0

    pid = in_child(act, stdout=out_end, stderr=err_end)
    os.close(out_end)
    os.close(err_end)
    os.read(out, 1)
    os.close(out)
    assert read_all(err) == b""
    assert exit_code(pid) == 128 + signal.SIGPIPE


def test_who_is_let_go_is_told_at_once_and_stays_until_the_end():
    given, give = os.pipe()
    err, err_end = os.pipe()
    out, out_end = os.pipe()
    program = Program("echo ready; read answer; exit 4")
    program.let_go = "took no output for ten seconds"
    pid = in_child(lambda: join(program.begin, Wishes(stdin=True)), stdin=given, stdout=out_end, stderr=err_end)
    os.close(out_end)
    os.close(err_end)
    told = b"tiffin: the rest of the output does not come here: took no output for ten seconds\n"
    assert read_until(err, b"\n") == told
    os.write(give, b"go on\n")
    assert read_all(err) == b""
    assert exit_code(pid) == 4
    assert read_all(out) == b"ready\n"
    os.close(give)
    os.close(given)


LISTENING = "trap 'echo usr1' USR1; trap 'exit 5' TERM; echo ready; while :; do sleep 0.1; done"


def test_signals_are_passed_on():
    out, out_end = os.pipe()
    pid = in_child(
        lambda: join(Program(LISTENING).begin, Wishes(pass_signals=True)),
        stdout=out_end,
    )
    os.close(out_end)
    read_until(out, b"ready\n")
    os.kill(pid, signal.SIGUSR1)
    read_until(out, b"usr1\n")
    os.kill(pid, signal.SIGTERM)
    assert exit_code(pid) == 5
    os.close(out)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_asks_for_the_end_three_times_gets_away_from_a_program_that_goes_on(number):
    out, out_end = os.pipe()
    err, err_end = os.pipe()
    program = Program("trap 'echo heard' INT TERM; echo ready; while :; do sleep 0.1; done 2>&-")

    def act() -> int | None:
        code = join(program.begin, Wishes(pass_signals=True))
        program.end()
        return code if program.detached and program.signals == [number] * 3 else 90

    pid = in_child(act, stdout=out_end, stderr=err_end)
    os.close(out_end)
    os.close(err_end)
    read_until(out, b"ready\n")
    for _ in range(2):
        os.kill(pid, number)
        read_until(out, b"heard\n")
    os.kill(pid, number)
    read_until(err, b"tiffin: got 3 SIGTERM/SIGINTs")
    assert exit_code(pid) == 1
    os.close(out)
    os.close(err)


def test_a_signal_that_was_to_be_ignored_is_not_passed_on():
    out, out_end = os.pipe()
    program = Program(LISTENING)

    def act() -> int:
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        code = join(program.begin, Wishes(pass_signals=True))
        return 1 if signal.SIGUSR1 in program.signals else code or 0

    pid = in_child(act, stdout=out_end)
    os.close(out_end)
    read_until(out, b"ready\n")
    os.kill(pid, signal.SIGUSR1)
    os.kill(pid, signal.SIGTERM)
    assert exit_code(pid) == 5
    os.close(out)


def test_without_passing_them_on_a_signal_ends_the_caller_only():
    out, out_end = os.pipe()
    pid = in_child(lambda: join(Program("echo ready; exec sleep 0.5").begin, Wishes()), stdout=out_end)
    os.close(out_end)
    read_until(out, b"ready\n")
    os.kill(pid, signal.SIGTERM)
    assert exit_code(pid) == -signal.SIGTERM
    os.close(out)


class Screen:
    """A person before a terminal in which `act` runs."""

    def __init__(self, act: Callable[[], int | None]) -> None:
        self.outer, self.inner = pty.openpty()
        termios.tcsetwinsize(self.inner, (24, 80))
        self.before = termios.tcgetattr(self.inner)
        self.pid = in_child(act, stdin=self.inner, stdout=self.inner, stderr=self.inner)

    def see(self, wanted: bytes) -> bytes:
        return read_until(self.outer, wanted)

    def type(self, keys: bytes) -> None:
        os.write(self.outer, keys)

    def end(self) -> int:
        """The exit code; the terminal must be as it was."""
        code = exit_code(self.pid)
        assert termios.tcgetattr(self.inner) == self.before
        os.close(self.outer)
        os.close(self.inner)
        return code


RAW = Wishes(stdin=True, tty=True)


def test_keys_go_to_the_program_raw_and_the_terminal_is_given_back():
    screen = Screen(lambda: join(Program("echo ready; head -c 3 | od -An -tx1; exit 6").begin, RAW))
    screen.see(b"ready")
    screen.type(b"\x03\x1a\r")  # ctrl-c, ctrl-z and return: none of them means anything here
    screen.see(b" 03 1a 0d")
    assert screen.end() == 6


def test_the_detach_keys_let_go():
    program = Program("echo ready; exec cat")

    def act() -> int:
        code = join(program.begin, RAW)
        program.end()
        return 99 if code is None and program.detached else 1

    screen = Screen(act)
    screen.see(b"ready")
    screen.type(b"abc\x10")
    screen.see(b"abc")
    screen.type(b"\x11")
    screen.see(b"read escape sequence")
    assert screen.end() == 99


def test_chosen_detach_keys_replace_the_usual_ones():
    program = Program("echo ready; exec cat")

    def act() -> int:
        code = join(program.begin, RAW._replace(keys="x,ctrl-a"))
        program.end()
        return 99 if code is None else 1

    screen = Screen(act)
    screen.see(b"ready")
    screen.type(b"\x10\x11.")
    screen.see(b".")
    screen.type(b"x\x01")
    assert screen.end() == 99


def test_the_size_of_the_window_arrives_at_first_and_when_it_changes():
    program = Program("echo ready; exec cat")

    def act() -> int:
        join(program.begin, RAW)
        program.end()
        return 0 if program.sizes == [(24, 80), (30, 100)] else 1

    screen = Screen(act)
    screen.see(b"ready")
    termios.tcsetwinsize(screen.outer, (30, 100))  # no controlling terminal, so no signal comes by itself
    os.kill(screen.pid, signal.SIGWINCH)
    screen.type(b".")
    screen.see(b".")
    screen.type(b"\x10\x11")
    assert screen.end() == 0


def test_a_program_that_was_there_before_is_made_to_draw_anew():
    program = Program("echo ready; exec cat")

    def act() -> int:
        join(program.begin, RAW._replace(redraw=True))
        program.end()
        return 0 if program.sizes == [(25, 80), (24, 80)] else 1

    screen = Screen(act)
    screen.see(b"ready")
    screen.type(b"\x10\x11")
    screen.see(b"read escape sequence")
    assert screen.end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_gives_the_terminal_back_before_it_ends_the_caller(number):
    program = Program("echo ready; exec cat")

    def act() -> int | None:
        code = join(program.begin, RAW)
        program.end()
        return code if program.detached else 1

    screen = Screen(act)
    screen.see(b"ready")
    os.kill(screen.pid, number)
    assert screen.end() == 128 + number


def test_who_asks_three_times_gets_away_from_a_start_that_takes_for_ever():
    def begin(_: object) -> Program:
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGINT)  # as somebody else would, who waits in between
        raise AssertionError("it went on")

    def act() -> int:
        try:
            join(begin, RAW)
        except KeyboardInterrupt:
            return 9
        return 1

    assert Screen(act).end() == 9


def test_a_terminal_whose_keys_go_nowhere_lets_go_at_an_interrupt():
    program = Program("echo ready; exec sleep 1000")

    def act() -> int | None:
        code = join(program.begin, Wishes(tty=True, pass_signals=True))
        program.end()
        return code if program.detached and not program.signals else 1

    screen = Screen(act)
    screen.see(b"ready")
    os.kill(screen.pid, signal.SIGINT)  # no controlling terminal, so ctrl-c sends none
    assert screen.end() == 130


def test_what_is_typed_in_one_go_with_the_detach_keys_arrives(tmp_path):
    program = Program(f"echo ready; head -c 4 > {tmp_path}/typed")

    def act() -> int:
        code = join(program.begin, RAW)
        os.waitpid(program.pid, 0)
        return 99 if code is None and program.detached else 1

    screen = Screen(act)
    screen.see(b"ready")
    screen.type(b"abc\x10")
    screen.type(b"d\x10\x11e")
    assert screen.end() == 99
    assert (tmp_path / "typed").read_bytes() == b"abc\x10"


def test_a_failure_to_begin_gives_the_terminal_back():
    def fail(_: object) -> Program:
        raise ZeroDivisionError

    def act() -> int:
        try:
            join(fail, RAW)
        except ZeroDivisionError:
            return 9
        return 1

    assert Screen(act).end() == 9


def test_a_terminal_inside_needs_one_outside():
    reader, writer = os.pipe()

    def act() -> int:
        try:
            join(Program("true").begin, RAW)
        except Unfit as error:
            return error.exit_code
        return 98

    pid = in_child(act, stdin=reader)
    assert exit_code(pid) == 1
    os.close(reader)
    os.close(writer)
