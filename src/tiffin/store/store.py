"""The root folder: opening it, drafts, and the lock between those who add and those who delete."""

from __future__ import annotations

import os
import sys
from fcntl import ioctl

from tiffin.errors import StoreFull, StoreTooNew, TiffinError
from tiffin.store import files
from tiffin.store.locks import Lock, lock, try_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

FORMAT = 1
FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, FS_TOPDIR_FL = 0x80086601, 0x40086602, 0x00020000
FOLDERS = ("content/sha256", "layers", "images/names", "containers/names", "volumes", "tmp", "trash")


class Store:
    """One root and its runroot. Holds no state but the two paths; any number of processes may work on them."""

    def __init__(self, root: str, runroot: str) -> None:
        self.root = os.path.abspath(root)
        self.runroot = os.path.abspath(runroot)

    def open(self) -> Store:
        """Make the folders where they are missing. Raises StoreTooNew, or TiffinError where the root cannot be made."""
        try:
            version = self._version()
            os.makedirs(self.runroot, 0o700, exist_ok=True)  # after the root: it may lie in there
        except (PermissionError, NotADirectoryError, FileNotFoundError) as error:
            text = f"cannot open {error.filename}: {error.strerror}; name another --root or --runroot"
            raise TiffinError(text) from error
        if not version.strip().isdigit() or int(version) > FORMAT:
            text = version.strip().decode("ascii", "replace")[:20]
            raise StoreTooNew(f"{self.root} has format {text!r}, this tiffin knows {FORMAT}: update tiffin")
        return self

    def path(self, *parts: str) -> str:
        return "/".join((self.root, *parts))

    def run_path(self, *parts: str) -> str:
        return "/".join((self.runroot, *parts))

    def draft(self, name: str | None = None) -> Draft:
        """A temporary folder, to be filled and then moved in. It vanishes with its `with` block or its process."""
        return Draft(self.path("tmp", name or os.urandom(8).hex()))

    def writing(self) -> Writing:
        """Around what writes below the root: a full disk is told as StoreFull."""
        return Writing()

    def trash(self, path: str, *, durable: bool = True) -> str:
        """Take a folder or file out of its place. The new path; `sweep` deletes it."""
        taken = self.path("trash", os.urandom(8).hex())
        files.move_out(path, taken, durable=durable)
        return taken

    def shared(self) -> Lock:
        """Held from deciding that something exists until the commit point that refers to it."""
        return lock(self.path("lock"), shared=True, create=True)

    def exclusive(self) -> Lock | None:
        """Held while references are counted and things deleted. None when busy: the next sweep will do it."""
        return try_lock(self.path("lock"), create=True)

    def _version(self) -> bytes:
        try:
            return files.read(self.path("format"))
        except FileNotFoundError:
            return self._make()

    def _make(self) -> bytes:
        try:
            os.makedirs(self.root, 0o700, exist_ok=True)
            if (entries := set(os.listdir(self.root)) - {"lost+found"}) and "lock" not in entries:
                some = ", ".join(sorted(entries)[:3])
                raise TiffinError(f"{self.root} is no tiffin root but has {some} in it; name another --root")
            with self.shared():
                for folder in FOLDERS:
                    os.makedirs(self.path(folder), 0o700, exist_ok=True)
                _spread(self.path("tmp"))
                files.replace(self.path("format"), b"%d\n" % FORMAT)
        except OSError as error:
            raise TiffinError(f"cannot make {error.filename}: {error.strerror}; name another --root") from error
        return b"%d" % FORMAT


class Writing:
    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if isinstance(error, OSError) and error.errno in files.FULL:
            where = f" of {error.filename}" if error.filename else ""
            raise StoreFull(f"the disk{where} is full; remove images or containers, or name another --root") from error


class Draft:
    """A folder that is being written. Its lock tells sweepers that its owner lives."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __enter__(self) -> Draft:
        while True:
            os.mkdir(self.path, 0o700)
            try:
                self._lock = lock(self.path)
            except FileNotFoundError:  # a sweeper came between: it took the empty folder for a dead one's
                continue
            return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if os.path.lexists(self.path):
            from tiffin.store.deletion import delete  # only after failures

            delete(self.path)
        self._lock.release()

    def keep(self, target: str, *, durable: bool = True) -> None:
        """Move the draft to its place: the commit point. Raises FileExistsError if the place is taken."""
        files.move_in(self.path, target, durable=durable)


def _spread(folder: str) -> None:
    """Have ext4 put each folder made in here into another part of the disk, as it does at the top of a disk.

    Else new files come to lie where others were just deleted, and for some minutes after a large deletion ext4 looks
    at each freed number before it gives one out: a layer of 200 MB then takes seconds.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        flags = int.from_bytes(ioctl(descriptor, FS_IOC_GETFLAGS, bytes(8)), sys.byteorder)
        ioctl(descriptor, FS_IOC_SETFLAGS, (flags | FS_TOPDIR_FL).to_bytes(8, sys.byteorder))
    except OSError:  # other file systems have other habits
        pass
    finally:
        os.close(descriptor)
