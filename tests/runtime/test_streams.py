"""What goes into a program and what comes out of it, whole and in order, whoever reads it and however slowly."""

from __future__ import annotations

import json
import os
import select
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tiffin.engine import Config, Container, Engine, HostConfig, LogConfig, Streams

pytestmark = pytest.mark.root
NO_LOG = HostConfig(log=LogConfig(driver="none"))
LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-\n"
MEGABYTE = 1 << 20


class Reader:
    """Reads a pipe to its end, in a thread of its own."""

    def __init__(self) -> None:
        self._reading, self.writing = os.pipe()
        self.text = bytearray()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def whole(self) -> bytearray:
        self._thread.join()
        return self.text

    def _read(self) -> None:
        while chunk := os.read(self._reading, 1 << 16):
            self.text += chunk
        os.close(self._reading)


def spew(megabytes: int) -> tuple[str, ...]:
    return ("sh", "-c", f"yes {LETTERS[:-1].decode()} | head -c {megabytes * MEGABYTE}")


def test_input_arrives_and_so_does_its_end(engine: Engine) -> None:
    config = Config(open_stdin=True, stdin_once=True)
    with engine.create("busybox", ["sh", "-c", "cat; echo end"], config=config) as container:
        reading, writing = os.pipe()
        out = Reader()
        running = container.start(Streams(stdin=reading, stdout=out.writing))
        os.write(writing, b"some input\n")
        os.close(writing)
        assert running.wait() == 0
        assert out.whole() == b"some input\nend\n"


def test_input_may_come_from_one_client_after_the_other(engine: Engine) -> None:
    script = "read a; echo got $a; read b; echo $a $b"
    with engine.create("busybox", ["sh", "-c", script], config=Config(open_stdin=True)) as container:
        running = container.start()
        first, second = os.pipe(), Reader()
        attachment = running.attach(Streams(stdin=_pipe_with(b"first\n"), stdout=first[1]))
        assert os.read(first[0], 100) == b"got first\n"
        attachment.detach()
        os.close(first[0])
        assert running.attach(Streams(stdin=_pipe_with(b"second\n"), stdout=second.writing)).wait() == 0
        assert second.whole() == b"first second\n"


def test_large_input_and_large_output_go_through_at_once(engine: Engine) -> None:
    content = os.urandom(8 * MEGABYTE)
    with engine.create("busybox", ["sleep", "1000000"]) as container:
        result = container.start().execute(["cat"], stdin=content)
        assert result.stdout == content


def test_a_program_that_reads_nothing_holds_nobody_up(engine: Engine) -> None:
    with engine.create("busybox", ["sleep", "1000000"]) as container:
        result = container.start().execute(["sh", "-c", "exec 0<&-; echo fine"], stdin=bytes(MEGABYTE))
        assert result.stdout == b"fine\n"


@pytest.mark.parametrize(("megabytes", "host"), [(100, NO_LOG), (100, HostConfig())], ids=["without log", "with log"])
def test_large_output_arrives_byte_for_byte(engine: Engine, megabytes: int, host: HostConfig) -> None:
    with engine.create("busybox", spew(megabytes), host=host) as container:
        out = Reader()
        assert container.start(Streams(stdout=out.writing)).wait() == 0
        text, expected = memoryview(out.whole()), LETTERS * (MEGABYTE // len(LETTERS))
        assert len(text) == megabytes * MEGABYTE
        assert all(text[at : at + MEGABYTE] == expected for at in range(0, len(text), MEGABYTE))


def test_the_log_keeps_what_was_written_byte_for_byte(engine: Engine) -> None:
    host = HostConfig(log=LogConfig(max_size=0))
    with engine.create("busybox", spew(16), host=host) as container:
        assert container.start().wait() == 0
        expected = (LETTERS * (16 * MEGABYTE // len(LETTERS) + 1))[: 16 * MEGABYTE]
        assert container.output() == expected


def test_the_two_outputs_stay_apart_and_in_order(engine: Engine) -> None:
    script = "for i in $(seq 1000); do echo out $i; echo err $i >&2; done"
    with engine.create("busybox", ["sh", "-c", script]) as container:
        out, err = Reader(), Reader()
        container.start(Streams(stdout=out.writing, stderr=err.writing)).wait()
        assert out.whole().decode().splitlines() == [f"out {number}" for number in range(1, 1001)]
        assert err.whole().decode().splitlines() == [f"err {number}" for number in range(1, 1001)]


def test_several_clients_get_the_same(engine: Engine) -> None:
    with engine.create("busybox", ["sh", "-c", "read go; seq 10000"], config=Config(open_stdin=True)) as container:
        reading, writing = os.pipe()
        readers = [Reader() for _ in range(4)]
        running = container.start(Streams(stdin=reading, stdout=readers[0].writing))
        attachments = [running.attach(Streams(stdout=reader.writing)) for reader in readers[1:]]
        os.write(writing, b"\n")
        assert {attachment.wait() for attachment in attachments} == {0}
        expected = "".join(f"{number}\n" for number in range(1, 10001)).encode()
        assert [reader.whole() == expected for reader in readers] == [True] * 4
        os.close(writing)


def test_who_detaches_misses_what_comes_meanwhile_and_the_log_does_not(engine: Engine) -> None:
    script = "read a; echo one; read b; echo two; read c; echo three"
    with engine.create("busybox", ["sh", "-c", script], config=Config(open_stdin=True)) as container:
        reading, writing = os.pipe()
        first = os.pipe()
        running = container.start(Streams(stdin=reading, stdout=first[1]))
        os.write(writing, b"\n")
        assert os.read(first[0], 100) == b"one\n"
        os.close(writing)
        running.attachment.detach()
        assert os.read(first[0], 100) == b""
        os.close(first[0])
        reading, writing = os.pipe()
        running.attach(Streams(stdin=reading)).fileno()
        attachment = running.attach(Streams(stdin=_pipe_with(b"\n"), stdout=None))
        follower = running.logs(follow=True)
        assert [next(follower).text for _ in range(2)] == [b"one\n", b"two\n"]
        attachment.detach()
        out = Reader()
        last = running.attach(Streams(stdin=_pipe_with(b"\n"), stdout=out.writing))
        assert last.wait() == 0
        assert out.whole() == b"three\n"
        assert container.output() == b"one\ntwo\nthree\n"
        os.close(writing)


def _pipe_with(content: bytes) -> int:
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    return reading


def test_a_client_that_vanishes_costs_the_program_and_the_log_nothing(engine: Engine) -> None:
    with engine.create(
        "busybox", ["sh", "-c", "read go; seq 100000; echo end"], config=Config(open_stdin=True)
    ) as container:
        reading, writing = os.pipe()
        gone = os.pipe()
        running = container.start(Streams(stdin=reading, stdout=gone[1]))
        os.close(gone[0])
        os.write(writing, b"\n")
        assert running.wait() == 0
        assert container.output().count(b"\n") == 100_001
        os.close(writing)


def test_a_client_that_takes_nothing_is_let_go_and_told_why(engine: Engine) -> None:
    with engine.create("busybox", spew(2)) as container:
        stuck = os.pipe()
        running = container.start(Streams(stdout=stuck[1]))
        assert running.wait() == 0  # as soon as the shim has lost its patience
        assert "took no output" in running.attachment.let_go
        assert len(container.output()) == 2 * MEGABYTE
        received = 0
        while chunk := os.read(stuck[0], MEGABYTE):
            received += len(chunk)
        assert 0 < received < 2 * MEGABYTE
        os.close(stuck[0])


@pytest.mark.parametrize("verb", ["kill", "stop", "rm"])
def test_nobody_waits_for_the_end_because_another_client_is_slow(engine: Engine, verb: str) -> None:
    with engine.create(
        "busybox", ["sh", "-c", "trap '' TERM; while true; do yes | head -c 1000000; done"]
    ) as container:
        stuck = os.pipe()
        attached = container.start(Streams(stdout=stuck[1]))
        select.select([stuck[0]], [], [])
        running = engine.container(container.id).running()
        begun = time.monotonic()
        if verb == "kill":
            running.kill()
        elif verb == "stop":
            running.stop(timeout=0.1)
        else:
            running.remove(force=True)
        if verb != "rm":
            assert running.wait() == 137
        assert time.monotonic() - begun < 5
        attached.attachment.detach()
        os.close(stuck[0])


def test_long_lines_and_odd_bytes_are_logged_as_docker_does(engine: Engine) -> None:
    script = "head -c 40000 /dev/zero | tr '\\0' x; echo; printf 'odd \\377 \"\\\\\\t\\n'; printf 'no end'"
    with engine.create("busybox", ["sh", "-c", script]) as container:
        container.start().wait()
        forms = _forms(container)
        assert [len(form["log"]) for form in forms[:3]] == [16384, 16384, 40000 - 2 * 16384 + 1]
        assert [form["log"] for form in forms[3:]] == ['odd \ufffd "\\\t\n', "no end"]
        assert {tuple(form) for form in forms} == {("log", "stream", "time")}


def _forms(container: Container) -> list[dict[str, str]]:
    return [json.loads(line) for line in Path(container.folder, "..", "log").read_bytes().splitlines()]


def test_a_last_line_without_an_end_is_there_when_the_end_is_told(engine: Engine) -> None:
    with engine.create("busybox", ["printf", "no end"]) as container:
        for number in range(1, 11):
            container.start().wait()
            assert container.output() == b"no end" * number


def test_a_follower_misses_nothing_over_rotations(engine: Engine) -> None:
    host = HostConfig(log=LogConfig(max_size=20_000, max_file=100))
    script = "i=0; while [ $i -lt 300 ]; do seq $((i * 10)) $((i * 10 + 9)); i=$((i + 1)); done"
    with engine.create("busybox", ["sh", "-c", script], host=host) as container:
        running = container.start()
        found = [int(line.text) for line in running.logs(follow=True)]
        assert found == list(range(3000))
        assert Path(container.folder, "..", "log.1").exists()
        assert [int(line.text) for line in container.logs()] == found


def test_followers_end_with_their_container(engine: Engine) -> None:
    with engine.create("busybox", ["sh", "-c", "read go; echo last"], config=Config(open_stdin=True)) as container:
        running = container.start()
        lines: list[list[bytes]] = [[] for _ in range(3)]

        def follow(number: int) -> Callable[[], None]:
            return lambda: lines[number].extend(line.text for line in running.logs(follow=True))

        threads = [threading.Thread(target=follow(number)) for number in range(3)]
        for thread in threads:
            thread.start()
        begun = time.monotonic()
        running.attach(Streams(stdin=_pipe_with(b"\n"))).wait()
        for thread in threads:
            thread.join()
        assert lines == [[b"last\n"]] * 3
        assert time.monotonic() - begun < 1


def test_an_attachment_can_be_polled(engine: Engine) -> None:
    with engine.create("busybox", ["sh", "-c", "read go; exit 3"], config=Config(open_stdin=True)) as container:
        running = container.start()
        assert select.select([running.attachment], [], [], 0)[0] == []
        attachment = running.attach(Streams(stdin=_pipe_with(b"\n")))
        assert select.select([running.attachment], [], [], 20)[0] == [running.attachment]
        assert running.attachment.poll() == 3
        assert attachment.wait() == 3


def test_a_log_is_whole_as_soon_as_its_container_does_not_run(engine: Engine) -> None:
    with engine.create("busybox", ["sh", "-c", "seq 2000; printf end"]) as container:
        for number in range(1, 11):
            container.start()
            while container.state().is_alive:
                pass
            assert container.output().endswith(b"2000\nend")
            assert container.output().count(b"end") == number
