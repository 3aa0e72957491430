"""The shim serves many, for long, and whoever misbehaves."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.runtime.killing import parent, until
from tiffin.engine import Config, Engine, ExecConfig, HostConfig, RunningContainer, Streams
from tiffin.errors import ContainerPaused, ExecFailed, StartFailed
from tiffin.runtime import client
from tiffin.runtime.channel import Channel, Message
from tiffin.runtime.record import RunFolder

pytestmark = pytest.mark.root
FOR_EVER = ("sleep", "1000000")


@pytest.fixture
def running(engine: Engine) -> Iterator[RunningContainer]:
    with engine.create("busybox", FOR_EVER) as container:
        yield container.start()


def descriptors(pid: int) -> list[str]:
    found = list[str]()
    for number in os.listdir(f"/proc/{pid}/fd"):
        with suppress(FileNotFoundError):  # closed just now
            found.append(os.readlink(f"/proc/{pid}/fd/{number}").split(":")[0])
    return sorted(found)


def test_nothing_that_came_and_went_stays_open(running: RunningContainer) -> None:
    shim = parent(running.pid)

    def use() -> None:
        running.execute(["true"])
        running.execute(["true"], config=ExecConfig(tty=True))
        for refused in (["nothing-there"], ["/etc/passwd"]):
            with pytest.raises(StartFailed):
                running.execute(refused)
        attachment = running.attach(_pipes())
        attachment.detach()
        running.pause()
        with pytest.raises(ContainerPaused):
            running.exec(["true"], streams=_pipes())
        with pytest.raises(ContainerPaused):
            running.attach(_pipes())
        running.unpause()

    use()
    before = until(lambda: _settled(shim))
    for _ in range(5):
        use()
    until(lambda: descriptors(shim) == before)


def test_an_exec_beyond_the_limit_of_processes_leaves_nothing_open(engine: Engine) -> None:
    with engine.create("busybox", FOR_EVER, host=HostConfig(pids_limit=1)) as container:
        running = container.start()
        shim = parent(running.pid)

        def refused() -> None:
            with pytest.raises(ExecFailed):
                running.exec(["true"], streams=_pipes())

        refused()
        before = until(lambda: _settled(shim))
        for _ in range(5):
            refused()
        until(lambda: descriptors(shim) == before)


def _settled(shim: int) -> list[str] | None:
    found = descriptors(shim)
    time.sleep(0.05)  # what has just been let go is closed in the shim's own time
    return found if descriptors(shim) == found else None


def _pipes() -> Streams:
    """Ends for the shim; our own are closed already."""
    into, out, err = os.pipe(), os.pipe(), os.pipe()
    for end in (into[1], out[0], err[0]):
        os.close(end)
    return Streams(into[0], out[1], err[1])


def test_many_execs_at_once(running: RunningContainer) -> None:
    results = dict[int, bytes]()

    def run(number: int) -> None:
        results[number] = running.execute(["sh", "-c", f"echo {number}; cat"], stdin=b"%d" % number).stdout

    threads = [threading.Thread(target=run, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: b"%d\n%d" % (number, number) for number in range(30)}


def test_an_exec_whose_owner_left_before_it_began_ends(engine: Engine, running: RunningContainer) -> None:
    folder = RunFolder(engine.store, running.id)
    held = client.hold(folder)  # a commit that goes on: execs wait
    thread = threading.Thread(target=lambda: _leave_early(running))
    thread.start()
    thread.join()
    held.close()
    assert running.execute(["echo", "fine"]).stdout == b"fine\n"
    until(lambda: b"sleep 7654321" not in running.execute(["ps"]).stdout)


def _leave_early(running: RunningContainer) -> None:
    """Ask for an exec that we own, and be gone before there is an answer."""
    send = Channel.send

    def send_and_leave(channel: Channel, message: Message, descriptors: tuple[int, ...] = ()) -> None:
        send(channel, message, descriptors)
        channel.socket.shutdown(socket.SHUT_WR)
        channel.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Channel, "send", send_and_leave)
        with pytest.raises((OSError, ValueError)):
            running.exec(["sleep", "7654321"], owned=True)


def _framed(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content


@pytest.mark.parametrize(
    "content",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\xff" * 100,
        _framed(b""),
        _framed(b"{}"),
        _framed(b"null"),
        _framed(b"{"),
        _framed(b'{"do":"nonsense"}'),
        _framed(b'{"do":"resize"}'),
        _framed(b'{"do":"resize","rows":-1,"columns":1000000}'),
        _framed(b'{"do":"signal","signal":99}'),
        _framed(b'{"do":"attach","streams":["stdin","stdout"]}'),
        _framed(b'{"do":"exec","x":1}'),
        _framed(b'{"do":"exec","plan":{},"streams":[],"owned":true}'),
        _framed(b'{"do":"wait"}' + b" " * 1000) + b"\0\0\0\5x",  # and then it says no more
    ],
)
def test_whoever_talks_nonsense_is_refused_and_the_container_goes_on(
    engine: Engine, running: RunningContainer, content: bytes
) -> None:
    path = RunFolder(engine.store, running.id).socket
    with socket.socket(socket.AF_UNIX) as nonsense:
        folder = os.open(os.path.dirname(path), os.O_PATH)
        nonsense.connect(f"/proc/self/fd/{folder}/socket")
        os.close(folder)
        nonsense.sendall(content)
        assert running.execute(["echo", "fine"]).stdout == b"fine\n"


def test_a_silent_client_holds_nobody_up(engine: Engine, running: RunningContainer) -> None:
    path = RunFolder(engine.store, running.id).socket
    clients = [socket.socket(socket.AF_UNIX) for _ in range(20)]
    folder = os.open(os.path.dirname(path), os.O_PATH)
    for each in clients:
        each.connect(f"/proc/self/fd/{folder}/socket")
    os.close(folder)
    begun = time.monotonic()
    assert running.execute(["echo", "fine"]).stdout == b"fine\n"
    assert time.monotonic() - begun < 1.5
    for each in clients:
        each.close()


def test_hundreds_of_clients_learn_how_it_ended(engine: Engine) -> None:
    with engine.create("busybox", ["sh", "-c", "read go; exit 3"], config=Config(open_stdin=True)) as container:
        running = container.start()
        folder = RunFolder(engine.store, running.id)
        waiting = [client.wait(folder) for _ in range(400)]
        reading, writing = os.pipe()
        attachment = running.attach(Streams(stdin=reading))
        os.write(writing, b"\n")
        assert {connection.wait() for connection in waiting} == {3}
        assert attachment.wait() == 3
        os.close(writing)


def test_messages_are_what_the_protocol_says(engine: Engine, running: RunningContainer) -> None:
    """The shim may be of another build than who talks to it: what goes over the wire is fixed here."""
    connection = client.wait(RunFolder(engine.store, running.id))
    running.kill()
    message = connection._channel.receive_raw()[0]
    assert json.loads(message) == {"exited": 137}
    connection.close()
