"""A program in a container as its shim sees it: a process, its streams, and the clients who watch and wait."""

from __future__ import annotations

import os
import struct
from fcntl import F_DUPFD_CLOEXEC, fcntl, ioctl

from tiffin import json
from tiffin.kernel import signals
from tiffin.runtime.channel import Channel, ChannelClosed, Message
from tiffin.runtime.launch import Child
from tiffin.runtime.log import LogFile
from tiffin.runtime.loop import READ, Loop
from tiffin.runtime.relay import Input, Output, Watcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

TIOCSWINSZ = 0x5414


class Client:
    """A connection: the library's, the command line's or the API's."""

    def __init__(self, channel: Channel, program: Program) -> None:
        self.channel = channel
        self.program = program
        """the one that it asks for: the first process, or the exec that it started"""
        self.owns_program = False
        """whether the program is to end when this connection does"""
        self.waits = False
        self.watchers: list[Watcher] = []
        self.turn = 0
        """as the one who feeds the program's input"""

    def tell(self, message: Message) -> None:
        self.tell_raw(json.dumps(message).encode())

    def tell_raw(self, content: bytes) -> None:
        try:
            self.channel.send_raw(content)
        except (ChannelClosed, OSError):  # gone; the loop will notice
            pass

    def close(self) -> None:
        for watcher in self.watchers:
            if watcher.output:
                watcher.output.remove(watcher)
            watcher.close()
        if self.turn and self.program.input:
            self.program.input.leave(self.turn)
        self.channel.close()


class Program:
    """Made when the process has begun. `ended` is called once: the process is gone, and its output read."""

    def __init__(
        self,
        loop: Loop,
        child: Child,
        *,
        log: LogFile | None,
        stdin_once: bool,
        exited: Callable[[Program], None],
        ended: Callable[[Program], None],
    ) -> None:
        self.loop = loop
        self.pid, self.pidfd = child.pid, child.pidfd
        self.terminal = child.terminal
        self.stdin_once = stdin_once
        self.exit_code: int | None = None
        self.clients: list[Client] = []
        self._exited, self._ended = exited, ended
        self.outputs, self.input = self._streams(child, log)
        loop.watch(self.pidfd, READ, self._reap)

    def attach(self, client: Client, descriptors: dict[str, int], *, is_owner: bool = False) -> None:
        """Give a client the output from now on, and take its input. The descriptors are ours from here on."""
        for stream in ("stdout", "stderr"):
            if stream not in descriptors:
                continue
            watcher = Watcher(self.loop, descriptors[stream], lambda why: self._let_go(client, why))
            if stream in self.outputs:
                self.outputs[stream].add(watcher)
                client.watchers.append(watcher)
            else:
                watcher.close()
        if "stdin" in descriptors:
            if self.input is None:
                os.close(descriptors["stdin"])
            else:
                client.turn = self.input.feed(descriptors["stdin"], ends=self.stdin_once)
        self.join(client)

    def join(self, client: Client) -> None:
        """The client will be told how the program ends."""
        client.program = self
        client.waits = True
        if self._may_know(client):
            client.tell_raw(self.how_it_ended())
        elif client not in self.clients:
            self.clients.append(client)

    def leave(self, client: Client) -> None:
        if client in self.clients:
            self.clients.remove(client)

    def signal(self, number: int) -> None:
        """One that has ended takes none, without an error."""
        if self.exit_code is not None:  # its pidfd may be closed, and the number another descriptor's
            return
        try:
            signals.pidfd_send_signal(self.pidfd, number)
        except ProcessLookupError:
            pass

    def resize(self, rows: int, columns: int) -> None:
        if self.terminal >= 0:
            ioctl(self.terminal, TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    @property
    def is_over(self) -> bool:
        return self.exit_code is not None and not any(output.is_open for output in self.outputs.values())

    def how_it_ended(self) -> bytes:
        return b'{"exited":%d}' % (self.exit_code or 0)

    def finish(self) -> None:
        """Wait no longer for output that may still come."""
        for output in self.outputs.values():
            output.finish()
        self._check()

    def _streams(self, child: Child, log: LogFile | None) -> tuple[dict[str, Output], Input | None]:
        if self.terminal >= 0:
            keyboard = fcntl(self.terminal, F_DUPFD_CLOEXEC, 3)
            output = Output(self.loop, fcntl(self.terminal, F_DUPFD_CLOEXEC, 3), "stdout", log, self._check)
            return {"stdout": output}, Input(self.loop, keyboard, is_terminal=True)
        outputs = {
            "stdout": Output(self.loop, child.streams.stdout, "stdout", log, self._check),
            "stderr": Output(self.loop, child.streams.stderr, "stderr", log, self._check),
        }
        stdin = child.streams.stdin
        return outputs, Input(self.loop, stdin, is_terminal=False) if stdin >= 0 else None

    def _reap(self, events: int) -> None:
        self.loop.forget(self.pidfd)
        found = os.waitid(os.P_PIDFD, self.pidfd, os.WEXITED)
        assert found is not None
        for output in self.outputs.values():
            output.drain()  # first, so that a log is whole when its container has ended
        killed = found.si_code in (os.CLD_KILLED, os.CLD_DUMPED)
        self.exit_code = 128 + found.si_status if killed else found.si_status
        if self.input:
            self.input.close()
        self._exited(self)
        self._tell_how_it_ended()
        self._check()

    def _check(self) -> None:
        if not self.is_over or self._ended is _nothing:
            return
        ended, self._ended = self._ended, _nothing
        if self.terminal >= 0:
            os.close(self.terminal)
            self.terminal = -1
        os.close(self.pidfd)
        self._tell_how_it_ended()
        ended(self)

    def _may_know(self, client: Client) -> bool:
        """Who watches is told the end when all output was passed on, the others at once: a watcher may be slow."""
        return self.is_over or (self.exit_code is not None and not client.watchers)

    def _tell_how_it_ended(self) -> None:
        for client in [client for client in self.clients if self._may_know(client)]:
            self.clients.remove(client)
            client.tell_raw(self.how_it_ended())

    def _let_go(self, client: Client, reason: str) -> None:
        if reason:
            client.tell({"let_go": reason})


def _nothing(program: Program) -> None:
    pass
