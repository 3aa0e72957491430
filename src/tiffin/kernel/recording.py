"""Recording the system calls that our code makes: which, with what, and what came of it.

    kernel.mounts.mount ─┐
    os.mkdir ────────────┼─> stand-in ─> the function itself
    fcntl.flock ─────────┘      `─> book: mkdir("/a", 0755) = EEXIST

While a recorder is at work, each function that makes system calls is replaced by a stand-in: what `kernel.libc` makes,
and the functions of `kernel.python_calls`, in every module of ours that has them. When it isn't, nothing is in
anybody's way, and nothing of this is loaded.

Recorded is what the code asked for, call by call. Not recorded:

- what the interpreter and the C library do on their own: memory (brk, mmap, munmap, mremap, madvise, mprotect),
  threads and signals (futex, rt_sig*, and so `kernel.signals`), clocks and sleeping (clock_*), and what Python asks
  about a file after opening it (fstat, ioctl, lseek);
- what file objects do after `open` (read, write, close), and sockets but for those of `kernel.unix` and
  `kernel.network`: making, binding, connecting, closing, and what `kernel.unix` sends and receives;
- the import of modules, other programs that are started, inotify, and clone3 by `process.Fork`, with which a spawner
  makes namespaces before there is a caller.

A recorder changes the process that it works in, so only processes that are soon over use it: the command line, and a
launcher on its way to becoming a program. The library never does.
"""

from __future__ import annotations

import _socket
import builtins
import sys
from _thread import get_ident
from errno import errorcode

from tiffin.kernel import libc, python_calls, unix
from tiffin.kernel.call_forms import (
    Descriptors,
    Shown,
    content,
    kernel_call,
    number_of,
    numbered_call,
    result_shown,
)
from tiffin.kernel.stand_ins import Opener, PollMaker, Recorded, StandIn, recorded_socket
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType, TracebackType
    from typing import Any, Protocol

    from tiffin.kernel.call_forms import Describe
else:
    Protocol = object  # a launcher has no typing

BEGUN = "begun"
MOST_CALLS = 4000
FORKS = ("fork", "clone3")
OTHERS = ("os", "io", "builtins", "fcntl", "select")
"""modules that are not ours, in which functions are replaced"""
MAKING = frozenset(
    "openat openat2 open_tree fsopen fsmount memfd_create socket accept4 dup pidfd_open pipe2 socketpair fcntl".split()
)
"""calls that come back with descriptors"""


class Call(NamedTuple):
    """A system call. `result` is a number, the name of an errno, or "begun" where it did not come back (yet).

    All three are of printable ASCII, whatever an image or a user has put into them.
    """

    name: str
    arguments: str
    result: str

    def __str__(self) -> str:
        return f"{self.name}({self.arguments}) = {self.result}"


class Book(Protocol):
    """Where calls are written down."""

    def begun(self, call: Call) -> int:
        """Before it is made. Its place."""

    def ended(self, place: int, call: Call) -> None:
        """With its result."""

    def dropped(self, place: int) -> None:
        """It never reached the kernel."""

    def close(self) -> None:
        """Nothing will follow."""


class Recorder:
    """Writes the calls of the thread that made it into a book, from `begin` to `end`.

    With `follow` it goes along with a forked child, and ends in the parent; without, the other way round.
    """

    def __init__(self, book: Book, *, follow: bool = False) -> None:
        self.book = book
        self.descriptors = Descriptors()
        self._follow = follow
        self._thread = 0
        self._stand_ins: dict[int, Any] = {}
        """by the identity of what each stands for"""

    def begin(self) -> None:
        """Raises RuntimeError where another one is at work in this process."""
        if isinstance(builtins.open, StandIn):
            raise RuntimeError("calls are being recorded already")
        for original, describe in _functions():
            self._stand_ins[id(original)] = Recorded(self, original, describe)
        self._stand_ins[id(python_calls.OPEN)] = Opener(self, python_calls.OPEN)
        self._stand_ins[id(python_calls.POLL)] = PollMaker(self, python_calls.POLL)
        self._stand_ins[id(_socket.socket)] = recorded_socket(self, _socket.socket)
        self._thread = get_ident()
        _swap(self._stand_ins)

    def end(self) -> None:
        """Put everything back. Who kept a stand-in calls what it stands for."""
        self.stop()
        _swap({id(stand_in): stand_in.original for stand_in in self._stand_ins.values()})

    def stop(self) -> None:
        """Record no more; for a process that is over soon."""
        self._thread = 0
        self.book.close()

    def listens(self) -> bool:
        return get_ident() == self._thread

    def make(self, call: Shown, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Make a call, and write it down."""
        place = self.book.begun(Call(call.name, call.arguments, BEGUN))
        try:
            result = function(*arguments, **named)
        except OSError as error:
            # those of waiting for a socket have no number (socket.timeout)
            self.book.ended(place, Call(call.name, call.arguments, errorcode.get(error.errno or 0, "failed")))
            raise
        except (TypeError, ValueError, OverflowError):
            self.book.dropped(place)
            raise
        if call.name in FORKS and bool(result) == self._follow:  # in the one that is not to be recorded
            self.stop()
        else:
            self._note(call, arguments, result)
            self.book.ended(place, Call(call.name, call.arguments, result_shown(call.name, result)))
        return result

    def _note(self, call: Shown, arguments: tuple[Any, ...], result: object) -> None:
        """What descriptors lead to from here on."""
        if call.name == "close" and arguments:
            self.descriptors.closed(arguments[0], arguments[0] + 1)
        elif call.name == "close_range":
            self.descriptors.closed(*arguments)
        elif call.name == "dup2":
            self.descriptors.copied(*arguments[:2])
        elif call.name in MAKING:
            for made in result if isinstance(result, tuple) else (result,):
                self.descriptors.opened(number_of(made), call.leads_to)


class recording:
    """The calls that this thread's code makes inside a `with`, as a list that grows.

        with recording() as calls:
            engine.remove(...)

    Of more than `MOST_CALLS` the last entry tells how many there were. Only for a process of our own: it changes
    functions of the standard library for all, until the end. Raises RuntimeError inside another one.
    """

    def __enter__(self) -> list[Call]:
        book = _List()
        self._recorder = Recorder(book)
        self._recorder.begin()
        return book.calls

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._recorder.end()


def left_out(count: int) -> Call:
    """In the place of calls for which there was no room."""
    return Call("...", "", f"{count} more, not recorded")


class _List:
    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._left_out = 0

    def begun(self, call: Call) -> int:
        if len(self.calls) < MOST_CALLS:
            self.calls.append(call)
            return len(self.calls) - 1
        self._left_out += 1
        self.calls[MOST_CALLS:] = [left_out(self._left_out)]
        return -1

    def ended(self, place: int, call: Call) -> None:
        if place >= 0:
            self.calls[place] = call

    def dropped(self, place: int) -> None:
        if place >= 0:
            del self.calls[place]

    def close(self) -> None:
        pass


def _functions() -> list[tuple[Callable[..., Any], Describe]]:
    """All that are replaced by a stand-in, with how a call of each is written."""
    made: list[tuple[Callable[..., Any], Describe]] = [
        (value, kernel_call(value.__name__))
        for module in _modules()
        for value in vars(module).values()
        if getattr(value, "__qualname__", "") == libc.CALL
    ]
    with_messages: list[tuple[Callable[..., Any], Describe]] = [
        (unix.send, _sent), (unix.receive, _received), (unix.accept, _accepted),
    ]  # fmt: skip
    return [*python_calls.functions(), (libc.syscall, numbered_call), *made, *with_messages]


def _sent(arguments: tuple[Any, ...], named: dict[str, Any], descriptors: Descriptors) -> Shown:
    to, message, passed = (*arguments, (), ())[:3]
    words = [descriptors.shown(to.fileno()), content(message, descriptors)]
    if not passed:
        return Shown("sendto", ", ".join(words))
    return Shown("sendmsg", ", ".join([*words, f"SCM_RIGHTS [{', '.join(map(descriptors.shown, passed))}]"]))


def _received(arguments: tuple[Any, ...], named: dict[str, Any], descriptors: Descriptors) -> Shown:
    source, size = arguments
    return Shown("recvmsg", f"{descriptors.shown(source.fileno())}, {size}")


def _accepted(arguments: tuple[Any, ...], named: dict[str, Any], descriptors: Descriptors) -> Shown:
    return Shown("accept4", descriptors.shown(arguments[0].fileno()))


def _swap(others: dict[int, Any]) -> None:
    """Put others in the place of functions, by their identity, wherever they are found."""
    for module in _modules():
        for name, value in list(vars(module).items()):
            if id(value) in others:
                setattr(module, name, others[id(value)])


def _modules() -> list[ModuleType]:
    return [module for name, module in list(sys.modules.items()) if name in OTHERS or name.startswith("tiffin.")]
