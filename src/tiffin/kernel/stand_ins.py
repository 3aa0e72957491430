"""What is called in the place of functions while system calls are recorded: the calls are made, and written down."""

from __future__ import annotations

import _socket
import os

from tiffin.kernel.call_forms import Descriptors, Shown, number_of, one_of, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Callable
    from typing import Any, Protocol

    from tiffin.kernel.call_forms import Describe

    class Recorder(Protocol):
        """Who writes down what is called (`kernel.recording`)."""

        descriptors: Descriptors

        def listens(self) -> bool:
            """Whether this thread is recorded."""

        def make(self, call: Shown, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
            """Make a call, and write it down."""

FAMILY, KIND = one_of((_socket, "AF_")), one_of((_socket, "SOCK_"))


class StandIn:
    """Called in the place of a function; equal to it, so that it is found where functions are compared."""

    def __init__(self, recorder: Recorder, original: Any) -> None:
        self.recorder = recorder
        self.original = original

    def __eq__(self, other: object) -> bool:
        return other is self or bool(other == self.original)

    def __hash__(self) -> int:
        return hash(self.original)  # os.supports_dir_fd is a set of functions

    def __getattr__(self, name: str) -> Any:
        return getattr(self.original, name)


class Recorded(StandIn):
    def __init__(self, recorder: Recorder, original: Any, describe: Describe) -> None:
        super().__init__(recorder, original)
        self.describe = describe

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        recorder = self.recorder
        if not recorder.listens():
            return self.original(*arguments, **named)
        try:
            call = self.describe(arguments, named, recorder.descriptors)
        except Exception:  # noqa: BLE001  # how odd arguments ever are: writing them down changes nothing
            call = Shown(self.original.__name__, "...")
        return recorder.make(call, self.original, *arguments, **named)


class Opener(StandIn):
    """`open`, whose files are opened by `os.open`."""

    def __call__(self, file: Any, *arguments: Any, **named: Any) -> Any:
        if not self.recorder.listens() or isinstance(file, int) or len(arguments) > 6 or named.get("opener"):
            return self.original(file, *arguments, **named)
        return self.original(file, *arguments, **{**named, "opener": lambda path, flags: os.open(path, flags, 0o666)})


class PollMaker(StandIn):
    def __call__(self) -> Any:
        return _Poll(self.recorder, self.original()) if self.recorder.listens() else self.original()


class _Poll:
    """An object of `select.poll`."""

    def __init__(self, recorder: Recorder, real: Any) -> None:
        self._recorder, self._real = recorder, real
        self._asked: list[int] = []
        self.modify, self.unregister = real.modify, real.unregister

    def register(self, of: Any, *events: int) -> None:
        self._real.register(of, *events)
        self._asked.append(number_of(of))

    def poll(self, milliseconds: Any = None) -> Any:
        if not self._recorder.listens():
            return self._real.poll(milliseconds)
        asked = ", ".join(map(self._recorder.descriptors.shown, self._asked))
        return self._recorder.make(Shown("poll", f"[{asked}], {milliseconds}"), self._real.poll, milliseconds)


def recorded_socket(recorder: Recorder, original: type[socket]) -> type[socket]:
    """The class of sockets; their making, binding, listening, connecting and closing is written down."""
    known = recorder.descriptors

    def make(name: str, arguments: str, function: Callable[[], Any]) -> None:
        if recorder.listens():
            recorder.make(Shown(name, arguments), function)
        else:
            function()

    class RecordedSocket(original):  # type: ignore[valid-type, misc]
        def __init__(self, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None) -> None:
            def begin() -> int:
                super(RecordedSocket, self).__init__(family, type, proto, fileno)
                return int(self.fileno())

            if fileno is None:
                make("socket", f"{FAMILY(family, known)}, {_kind_of_socket(type)}, {max(proto, 0)}", begin)
            else:
                begin()

        def bind(self, address: Any) -> None:
            make("bind", f"{self.fileno()}, {plain(address, known)}", lambda: super(RecordedSocket, self).bind(address))

        def listen(self, backlog: int = 128) -> None:
            make("listen", f"{self.fileno()}, {backlog}", lambda: super(RecordedSocket, self).listen(backlog))

        def connect(self, address: Any) -> None:
            words = f"{self.fileno()}, {plain(address, known)}"
            make("connect", words, lambda: super(RecordedSocket, self).connect(address))

        def close(self) -> None:
            if (number := self.fileno()) >= 0:
                make("close", known.shown(number), super().close)
                known.closed(number, number + 1)

    RecordedSocket.original = original
    return RecordedSocket


def _kind_of_socket(kind: int) -> str:
    plain_kind = KIND(kind & ~_socket.SOCK_CLOEXEC, Descriptors())
    return f"{plain_kind}|SOCK_CLOEXEC" if kind & _socket.SOCK_CLOEXEC else plain_kind
