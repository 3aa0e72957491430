"""What the steps of one process have in common: a few descriptors, and the way back to the launcher."""

from __future__ import annotations

import os
import select
import stat
import struct
from errno import EACCES, ENOENT, ENOEXEC, ENOTDIR
from fcntl import ioctl

from tiffin.kernel import process, signals, unix
from tiffin.kernel.files import open_in_root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Sequence

TIOCSPTLCK, TIOCGPTPEER, TIOCSCTTY = 0x40045431, 0x5441, 0x540E
# by Python
IGNORED = (signals.SIGPIPE, signals.SIGXFSZ)
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# What is said on the way. The end of the stream after EXECUTING means: the program has begun.
TERMINAL, MOUNTS, EXECUTING, FAILED = b"T", b"M", b"X", b"F"


class CannotExecute(Exception):
    """No such program, or one that cannot be executed; `missing` tells which."""

    def __init__(self, text: str, missing: bool) -> None:
        super().__init__(text)
        self.missing = missing


class Stage:
    """Made before the first step. `first_process` (a pidfd) and `join_files` are for those who join a process space."""

    def __init__(
        self, status: socket | None, join_files: Sequence[str] = (), *, first_process: int = -1, shim: int = 0
    ) -> None:
        self.status = status
        self.join_files = join_files
        self.shim = shim
        self.first_process = first_process
        self.root = -1
        self.terminal = -1
        self.proc = -1
        """the device number of the container's /proc, once it is mounted"""
        self.is_root = True
        self.trees: dict[str, int] = {}
        """copies of mounts that are still to be hung up, by their targets"""
        self._defaults: dict[str, str] = {}

    def close_others(self) -> None:
        """Close every descriptor but the streams and the status: no step needs more, and none may leak."""
        low = 3
        status = self.status.fileno() if self.status else -1
        for keep in sorted({status, self.root} - {-1}):
            os.closerange(low, keep)
            low = keep + 1
        os.closerange(low, 1 << 20)

    def enter_root(self) -> None:
        """From here on `/` is the container's, and no descriptor of the host is left."""
        self.root = -1
        self.close_others()
        self.root = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        if is_null(0):
            self._take_null()

    def _take_null(self) -> None:
        """For input that nobody gives: the container's own null device, or else a pipe that has ended.

        Ours is the host's, whose mode and owner root inside could change through it.
        """
        try:
            given = open_in_root(self.root, "/dev/null", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError:
            given = -1
        if given >= 0 and is_null(given):
            os.set_blocking(given, True)
        else:  # root inside may have put anything there
            given, end = os.pipe()
            os.close(end)
        os.dup2(given, 0)
        if given != 0:
            os.close(given)

    def take_terminal(self, master: int) -> None:
        """Give the shim the master side; the other becomes our streams and the terminal of our session."""
        ioctl(master, TIOCSPTLCK, struct.pack("i", 0))
        self.terminal = ioctl(master, TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        self.report(TERMINAL, (master,))
        os.close(master)
        ioctl(self.terminal, TIOCSCTTY, 0)
        for stream in (0, 1, 2):
            os.dup2(self.terminal, stream)
        os.close(self.terminal)
        self.terminal = 0  # entering the root closes all but the streams

    def report(self, message: bytes, descriptors: tuple[int, ...] = ()) -> None:
        """Tell the launcher; nobody may be there any more."""
        try:
            if self.status:
                unix.send(self.status, message, descriptors)
        except OSError:
            pass

    def give_mounts(self) -> None:
        """Give the shim our mount namespace, so that our end does not unmount there and then."""
        space = os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        self.report(MOUNTS, (space,))
        os.close(space)

    def set_default_environment(self, key: str, text: str) -> None:
        """For a variable that neither the image nor the caller sets."""
        self._defaults[key] = text

    def check_parent(self) -> None:
        """End, if shim and launcher ended before they could take us along."""
        poll = select.poll()
        if self.status:
            poll.register(self.status.fileno(), 0)
        if poll.poll(0):
            os._exit(1)

    def execute(self, argv: tuple[str, ...], environment: tuple[str, ...]) -> None:
        """Become the program, sought in the container's PATH as execvp(3) does. Raises CannotExecute."""
        variables = dict(self._defaults)
        variables.update((key, text) for key, sign, text in (word.partition("=") for word in environment) if sign)
        signals.by_default(*IGNORED)
        signals.unblock_all()
        self.report(EXECUTING)
        name, denied = argv[0], False
        folders = [""] if "/" in name else variables.get("PATH", DEFAULT_PATH).split(":")
        for folder in folders if name else ():
            try:
                os.execve(f"{folder}/{name}" if folder else name, argv, variables)
            except OSError as error:
                if error.errno == EACCES:
                    denied = True
                elif error.errno not in (ENOENT, ENOTDIR):
                    raise CannotExecute(_why_not(name, error), missing=False) from error
        self._refuse(name, denied)

    def execute_under_init(self, argv: tuple[str, ...], environment: tuple[str, ...]) -> None:
        """Fork; the child becomes the program, and we stay: we pass signals on and reap until it has ended."""
        signals.pthread_sigmask(signals.SIG_BLOCK, signals.valid_signals())
        program = os.fork()
        if program == 0:
            os.setsid() if self.terminal < 0 else self._lead_terminal()
            self.execute(argv, environment)
        process.set_name("tiffin-init")
        os.closerange(0, 1 << 20)
        while True:
            received = signals.sigwaitinfo(signals.valid_signals())
            if received.si_signo != signals.SIGCHLD:
                _pass_on(program, received.si_signo)
                continue
            _reap_until(program)

    def _lead_terminal(self) -> None:
        os.setpgid(0, 0)
        signals.pthread_sigmask(signals.SIG_BLOCK, (signals.SIGTTOU,))
        os.tcsetpgrp(0, os.getpid())

    def _refuse(self, name: str, denied: bool) -> None:
        if denied:
            raise CannotExecute(f'exec: "{name}": permission denied', missing=False)
        if "/" in name:
            interpreter = os.path.lexists(name)
            what = "is there, but its interpreter or loader is not" if interpreter else "no such file or directory"
            raise CannotExecute(f'exec: "{name}": {what}', missing=True)
        raise CannotExecute(f'exec: "{name}": executable file not found in $PATH', missing=True)


def is_null(descriptor: int) -> bool:
    there = os.fstat(descriptor)
    return stat.S_ISCHR(there.st_mode) and there.st_rdev == os.makedev(1, 3)


def _why_not(name: str, error: OSError) -> str:
    if error.errno == ENOEXEC:
        return f'exec: "{name}": exec format error: made for another machine, or a script without #!'
    return f'exec: "{name}": {os.strerror(error.errno or 0)}'


def _pass_on(program: int, number: int) -> None:
    try:
        os.kill(program, number)
    except ProcessLookupError:
        pass


def _reap_until(program: int) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            os._exit(0)
        if pid == 0:
            return
        if pid == program:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)
