"""The caller's streams joined to a process inside: what run, start -a, attach and exec do until it ends.

    caller                    this process                      shim
    stdin  ---------------->  keys looked at  ===== pipe =====>  the program's stdin (or its terminal)
    stdout <----------------  spliced         <==== pipe ======  its stdout
    stderr <----------------  spliced         <==== pipe ======  its stderr
    signals, window size ---  attachment.signal(), .resize() --> the program

One loop polls all of them; nothing in it waits for one thing only. It ends when both outputs have ended and the exit
code is known, when the detach keys are typed, or when the caller goes away.
"""

from __future__ import annotations

import fcntl
import os
import select
import sys

from tiffin.cli import terminal
from tiffin.cli.flow import Flow
from tiffin.cli.options import Unfit
from tiffin.cli.signals import ASKING, ENDING, MOST_ASKED, PASSED_ON, Caught
from tiffin.errors import Conflict, NotFound
from tiffin.kernel import signals
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from tiffin.engine import Streams

    class Attachment(Protocol):
        """What is needed of `engine.Attachment`."""

        def fileno(self) -> int:
            """Readable when something happened."""

        def poll(self) -> int | None:
            """Take what has come. The exit code, if it is known."""

        def signal(self, number: int) -> None: ...

        def resize(self, rows: int, columns: int) -> None: ...

        def detach(self) -> None:
            """Leave; the program goes on."""

        @property
        def let_go(self) -> str:
            """Why no more output comes, if so."""


PIPE_SIZE = 1 << 20
CLOSED_OUTPUT = 128 + signals.SIGPIPE


class Wishes(NamedTuple):
    """Which streams to join, and how. With `tty` no signals are passed on: the terminal inside makes them of keys."""

    stdin: bool = False
    stdout: bool = True
    stderr: bool = True
    tty: bool = False
    """the program has a terminal of its own: keys are passed raw, and there is no stderr"""
    keys: str = terminal.DEFAULT_KEYS
    pass_signals: bool = False
    redraw: bool = False
    """the program has been on its terminal before: let it draw its screen anew"""

    @property
    def raw(self) -> bool:
        return self.tty and self.stdin

    @property
    def passes_signals_on(self) -> bool:
        return self.pass_signals and not self.tty


def join(begin: Callable[[Streams], Attachment], wishes: Wishes) -> int | None:
    """Let `begin` start, attach to or exec something, and carry its streams until it ends.

    Gives its exit code; None when the detach keys were typed; 128+n when a signal or a closed output ended it here,
    while the program goes on.
    """
    if wishes.raw and not os.isatty(0):
        raise Unfit("the input device is not a TTY")
    keys = terminal.parse_keys(wishes.keys)
    watch = terminal.KeyWatch(keys) if wishes.raw else None
    streams, ends = _pipes(wishes)
    with ends, Caught(_signals(wishes)) as signals, terminal.RawMode(0 if wishes.raw else None):
        attachment = begin(streams)  # which takes them over, and closes our copies
        signals.unheard = False
        code = _Conversation(attachment, ends, signals, wishes, watch).carry()
    if code is None:
        print("read escape sequence", file=sys.stderr)
    return code


class _Ends:
    """Our ends of the pipes: `stdin` to write to, `stdout` and `stderr` to read from; None when closed."""

    def __init__(self, stdin: int | None, stdout: int | None, stderr: int | None) -> None:
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr

    def close_stdin(self) -> None:
        if self.stdin is not None:
            os.close(self.stdin)
            self.stdin = None

    def __enter__(self) -> _Ends:
        return self

    def __exit__(self, *_: object) -> None:
        self.close_stdin()
        for descriptor in (self.stdout, self.stderr):
            if descriptor is not None:
                os.close(descriptor)


class _Conversation:
    def __init__(
        self, attachment: Attachment, ends: _Ends, signals: Caught, wishes: Wishes, watch: terminal.KeyWatch | None
    ) -> None:
        self.attachment, self.ends, self.signals = attachment, ends, signals
        self.wishes, self.watch = wishes, watch
        self.input = None if ends.stdin is None else Flow(0, ends.stdin, watch=watch)
        outputs = ((ends.stdout, 1), (ends.stderr, 2))
        self.outputs = [Flow(source, target) for source, target in outputs if source is not None]
        self.exit_code: int | None = None
        self.was_let_go = False
        """told that no more output comes; the program may go on for long"""
        self.asked = 0
        """how often the program was passed a signal that asks it to end"""
        self.left: int | None = None
        """the exit code when we, and not the program, are to go: 128+n by a signal"""

    def carry(self) -> int | None:
        if self.wishes.tty:
            if self.wishes.redraw:
                self._resize(1)  # a program draws when its window changes
            self._resize()
        while self.outputs or self.exit_code is None:
            self._turn()
            if self.left is not None or (self.watch and self.watch.found):
                self.attachment.detach()
                return self.left
        return self.exit_code

    def _turn(self) -> None:
        """Wait until something can be done, and do it."""
        poll = select.poll()
        poll.register(self.signals, select.POLLIN)
        if self.exit_code is None:
            poll.register(self.attachment, select.POLLIN)
        flows = self.outputs + ([self.input] if self.input else [])
        for flow in flows:
            poll.register(*flow.needs)
        ready = {descriptor for descriptor, _ in poll.poll()}
        if self.signals.fileno() in ready:
            self._hear()
        for flow in flows:
            if flow.needs[0] in ready:
                self._move(flow)
        if self.exit_code is None and self.attachment.fileno() in ready:
            self.exit_code = self.attachment.poll()
        if self.attachment.let_go and not self.was_let_go:
            self.was_let_go = True
            print(f"tiffin: the rest of the output does not come here: {self.attachment.let_go}", file=sys.stderr)

    def _move(self, flow: Flow) -> None:
        try:
            going_on = flow.move()
        except BrokenPipeError:
            if flow is not self.input:
                self.left = CLOSED_OUTPUT  # as with `| head`: nobody reads us any more
                return
            going_on = False  # the program has closed its input, or ended
        if not going_on:
            self._end(flow)

    def _end(self, flow: Flow) -> None:
        if flow is self.input:
            self.input = None
            self.ends.close_stdin()  # so that the end arrives there
        else:
            self.outputs.remove(flow)

    def _hear(self) -> None:
        for number in self.signals.take():
            if number == signals.SIGWINCH and self.wishes.tty:
                self._resize()
            elif self.wishes.passes_signals_on:
                self._pass_on(number)
            else:
                self.left = 128 + number

    def _pass_on(self, number: int) -> None:
        self._tell(self.attachment.signal, number)
        self.asked += number in ASKING
        if self.asked == MOST_ASKED:
            print(
                f"tiffin: got {MOST_ASKED} SIGTERM/SIGINTs, leaving; the program goes on: end it with tiffin kill",
                file=sys.stderr,
            )
            self.left = 1

    def _resize(self, more: int = 0) -> None:
        size = terminal.size()
        if size:
            self._tell(self.attachment.resize, size[0] + more, size[1])

    def _tell(self, message: Callable[..., None], *numbers: int) -> None:
        try:
            message(*numbers)
        except (Conflict, NotFound):  # it has ended meanwhile; its exit code comes
            pass


def _signals(wishes: Wishes) -> frozenset[int]:
    """What to catch. With a terminal inside to give ours back before going, else to pass it on."""
    if wishes.tty:
        return ENDING | {signals.SIGWINCH}
    return PASSED_ON if wishes.pass_signals else frozenset()


def _pipes(wishes: Wishes) -> tuple[Streams, _Ends]:
    """Large pipes: theirs for the shim, ours for the loop."""
    from tiffin.engine import Streams  # loaded by now

    theirs_in, our_in = _pipe() if wishes.stdin else (None, None)
    our_out, theirs_out = _pipe() if wishes.stdout else (None, None)
    our_err, theirs_err = _pipe() if wishes.stderr and not wishes.tty else (None, None)
    if our_in is not None:
        os.set_blocking(our_in, False)
    return Streams(theirs_in, theirs_out, theirs_err), _Ends(our_in, our_out, our_err)


def _pipe() -> tuple[int, int]:
    reader, writer = os.pipe2(os.O_CLOEXEC)
    try:
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
    except PermissionError:  # over the user's limit (pipe(7), pipe-user-pages-soft): a small one will do
        pass
    return reader, writer
