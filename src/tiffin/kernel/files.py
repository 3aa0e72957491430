"""Files: the calls that Python's os module has not."""

from __future__ import annotations

import ctypes
import os
import sys
from errno import EINVAL
from fcntl import fcntl, ioctl

from tiffin.kernel.libc import SYS, caller, syscall

AT_FDCWD = -100
RENAME_NOREPLACE = 1
RESOLVE_NO_XDEV = 0x01
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_NO_SYMLINKS = 0x04
RESOLVE_BENEATH = 0x08
RESOLVE_IN_ROOT = 0x10
F_ADD_SEALS = 1033
F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE = 1, 2, 4, 8
MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_EXEC = 1, 2, 16
FS_IOC_SETFLAGS, FS_IMMUTABLE_FL = 0x40086602, 0x10


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


_openat2 = caller("openat2", ctypes.c_long, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t)


def rename_exclusive(source: str, target: str) -> None:
    """rename(2) that raises FileExistsError where the target exists."""
    syscall(SYS.renameat2, AT_FDCWD, os.fsencode(source), AT_FDCWD, os.fsencode(target), RENAME_NOREPLACE)


def syncfs(descriptor: int) -> None:
    """Bring a whole file system to its disk."""
    syscall(SYS.syncfs, descriptor)


def openat2(folder: int, path: str, flags: int, resolve: int, mode: int = 0) -> int:
    """Open with rules on how the path may lead (openat2(2)); the descriptor is close-on-exec."""
    how = _OpenHow(flags | os.O_CLOEXEC, mode, resolve)
    while True:
        try:
            return _openat2(folder, os.fsencode(path), ctypes.byref(how), 24)
        except BlockingIOError:  # a rename ran beside a look-up of "..": openat2(2) says to try again
            continue


def open_in_root(root: int, path: str, flags: int, mode: int = 0) -> int:
    """Open a path that a container could have shaped: `root` is its `/`, no link leads out."""
    return openat2(root, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, mode)


def sealed_copy(path: str, name: str) -> int:
    """A descriptor of a copy in memory that nobody can change any more, nor its mode (memfd_create(2)).

    Raises PermissionError where the machine forbids executable ones (sysctl vm.memfd_noexec).
    """
    flags = MFD_CLOEXEC | MFD_ALLOW_SEALING
    try:
        copy = syscall(SYS.memfd_create, os.fsencode(name), flags | MFD_EXEC)
    except OSError as error:
        if error.errno != EINVAL:  # before 6.3 the flag is unknown, and every memfd executable
            raise
        copy = syscall(SYS.memfd_create, os.fsencode(name), flags)
    source = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while os.sendfile(copy, source, None, 1 << 30):
            pass
    finally:
        os.close(source)
    fcntl(copy, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
    _keep_attributes(copy)
    return copy


def _keep_attributes(descriptor: int) -> None:
    """No seal is against chmod(2) and its like."""
    try:
        ioctl(descriptor, FS_IOC_SETFLAGS, FS_IMMUTABLE_FL.to_bytes(8, sys.byteorder))
    except OSError:  # before 6.0, or without CAP_LINUX_IMMUTABLE
        pass
