"""Messages with descriptors beside them."""

from __future__ import annotations

import os
from _socket import AF_UNIX, SOCK_STREAM, socketpair
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tiffin.errors import TiffinError
from tiffin.runtime.channel import LONGEST, Channel, ChannelClosed

JSON = st.dictionaries(st.text(max_size=5), st.text() | st.integers() | st.lists(st.text(max_size=5)), max_size=5)


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    one, other = (Channel(end) for end in socketpair(AF_UNIX, SOCK_STREAM))
    yield one, other
    one.close()
    other.close()


@given(messages=st.lists(JSON, max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_messages_arrive_whole_and_in_order(ends: tuple[Channel, Channel], messages: list[dict[str, object]]) -> None:
    for message in messages:
        ends[0].send(message)
    assert [ends[1].receive()[0] for _ in messages] == messages


def test_descriptors_arrive_with_their_message(ends: tuple[Channel, Channel]) -> None:
    reading, writing = os.pipe()
    ends[0].send({"first": 1})
    ends[0].send({"second": 2}, (writing,))
    os.close(writing)
    assert ends[1].receive() == ({"first": 1}, [])
    message, (received,) = ends[1].receive()
    assert message == {"second": 2}
    assert not os.get_inheritable(received)
    os.write(received, b"through")
    os.close(received)
    assert os.read(reading, 100) == b"through"
    assert os.read(reading, 100) == b""
    os.close(reading)


def test_a_message_larger_than_the_sockets_buffer_arrives(ends: tuple[Channel, Channel]) -> None:
    message = {"text": "x" * (4 << 20)}
    child = os.fork()
    if child == 0:
        ends[0].send(message)
        os._exit(0)
    assert ends[1].receive()[0] == message
    os.waitpid(child, 0)


def test_the_end_of_the_other_side_is_told(ends: tuple[Channel, Channel]) -> None:
    ends[0].close()
    with pytest.raises(ChannelClosed):
        ends[1].receive()
    with pytest.raises(ChannelClosed):
        ends[1].send({})


def test_an_end_in_the_midst_of_a_message_gives_its_descriptors_back(ends: tuple[Channel, Channel]) -> None:
    reading, writing = os.pipe()
    from tiffin.kernel import unix

    unix.send(ends[0].socket, b"\0\0\0\x10{", (writing,))
    os.close(writing)
    ends[0].close()
    with pytest.raises(ChannelClosed):
        ends[1].receive()
    assert os.read(reading, 1) == b""  # nobody holds the other end any more
    os.close(reading)


def test_a_silent_other_side_takes_no_longer_than_was_said(ends: tuple[Channel, Channel]) -> None:
    with pytest.raises(TimeoutError):
        ends[1].receive(0.01)
    ends[0].socket.send(b"\0\0")
    with pytest.raises(TimeoutError):
        ends[1].receive(0.01)


def test_a_length_that_makes_no_sense_ends_the_talk(ends: tuple[Channel, Channel]) -> None:
    ends[0].socket.send(b"GET ")
    with pytest.raises(ChannelClosed):
        ends[1].receive()


def test_what_is_too_long_to_be_received_is_not_sent(ends: tuple[Channel, Channel]) -> None:
    with pytest.raises(TiffinError, match="too long"):
        ends[0].send({"text": "x" * LONGEST})
    ends[0].send({"still": "fine"})
    assert ends[1].receive()[0] == {"still": "fine"}
