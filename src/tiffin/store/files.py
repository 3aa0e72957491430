"""The few ways in which anything below the root changes, each whole or not at all.

    write_once   a new file that never changes again
    replace      a small record, or replace_link a name, replaced whole: a reader sees the old or the new one
    overwrite    a small record, in the place of `replace` on a full disk
    move_in      a draft takes its place: the commit point of most verbs
    move_out     a folder leaves its place for the trash: the commit point of a removal

`durable` means: on the disk before the call returns, with the folders on both sides of the rename. Without it the
change is as atomic for other processes, and a power cut may take it back.
"""

from __future__ import annotations

import os
from _thread import get_native_id  # threading costs 1 ms
from errno import EDQUOT, ENOSPC

from tiffin.kernel.files import rename_exclusive, syncfs

FULL = (ENOSPC, EDQUOT)
"""the errors of a disk without room"""


def write_once(path: str, content: bytes, *, durable: bool = True) -> None:
    """Make a new file. Raises FileExistsError if there is one."""
    _write(path, content, os.O_EXCL, durable)
    if durable:
        sync_folder(os.path.dirname(path))


def replace(path: str, content: bytes, *, durable: bool = True, mode: int = 0o600) -> None:
    """Put a record in the place of the one that may be there."""
    folder, name = os.path.split(path)
    fresh = f"{folder}/.{name}.{os.getpid()}.{get_native_id()}"
    try:
        _write(fresh, content, os.O_TRUNC, durable, mode)
        os.rename(fresh, path)
    except BaseException:
        _unlink_quietly(fresh)
        raise
    if durable:
        sync_folder(folder)


def overwrite(path: str, content: bytes) -> None:
    """Write over a small record where it stands, where a full disk has no room for another.

    Spaces follow where it was longer. Raises FileNotFoundError.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        # one write within a block that is there: readers see the old or the new, if not after a power cut
        os.pwrite(descriptor, content.ljust(os.fstat(descriptor).st_size), 0)
    finally:
        os.close(descriptor)


def replace_link(path: str, target: str, fresh: str, *, durable: bool = True) -> None:
    """Put a symbolic link in the place of the one that may be there. It is made at `fresh` first.

    Raises FileNotFoundError also where a sweep took it for a dead process's and removed it.
    """
    try:
        os.symlink(target, fresh)
        os.rename(fresh, path)
    except BaseException:
        _unlink_quietly(fresh)
        raise
    if durable:
        sync_folder(os.path.dirname(path))


def move_in(source: str, target: str, *, durable: bool = True) -> None:
    """Give a draft its place. Raises FileExistsError if the place is taken; the content must be synced already."""
    try:
        rename_exclusive(source, target)
    except OSError as error:
        if os.path.lexists(target):
            raise FileExistsError(error.errno, "already there", target) from error
        raise
    if durable:
        sync_folder(os.path.dirname(target))
        sync_folder(os.path.dirname(source))


def move_out(path: str, trash: str, *, durable: bool = True) -> None:
    """Take a folder out of its place, to `trash`. Its files are deleted later."""
    os.rename(path, trash)
    if durable:
        sync_folder(os.path.dirname(path))


def sync_folder(path: str) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file_system(path: str) -> None:
    """Bring everything on the file system of `path` to the disk: cheaper than some fifty single files."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        syncfs(descriptor)
    finally:
        os.close(descriptor)


def read(path: str) -> bytes:
    """The whole of a small file."""
    with open(path, "rb", buffering=0) as file:
        return file.readall()


def _write(path: str, content: bytes, flags: int, durable: bool, mode: int = 0o600) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | flags, mode)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        if durable:
            os.fsync(descriptor)
    except OSError as error:
        error.filename = path
        raise
    finally:
        os.close(descriptor)


def _unlink_quietly(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
