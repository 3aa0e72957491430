"""Memory that a process shares with whoever gave it the file: what is written there outlives the writer."""

from __future__ import annotations

import ctypes

from tiffin.kernel.libc import check, libc

PROT_READ, PROT_WRITE, MAP_SHARED = 1, 2, 1


class SharedMemory:
    """The first `size` bytes of a file, mapped for writing; the descriptor may be closed. Ends with execve or `close`.

    To write is no system call, so it is possible anywhere: also under a seccomp filter. Raises OSError.
    """

    def __init__(self, descriptor: int, size: int) -> None:
        call = libc.mmap  # the module mmap would have to be loaded from a file
        call.argtypes = (ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long)
        call.restype = ctypes.c_ssize_t
        self._address = check(call(None, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), "mmap")
        self.size = size

    def write(self, offset: int, content: bytes) -> None:
        """Nothing happens once it is closed. Raises ValueError for what lies outside."""
        if offset < 0 or offset + len(content) > self.size:
            raise ValueError(f"{len(content)} bytes at {offset} are not within {self.size}")
        if self._address:
            ctypes.memmove(self._address + offset, content, len(content))

    def close(self) -> None:
        if self._address:
            libc.munmap(ctypes.c_void_p(self._address), ctypes.c_size_t(self.size))
            self._address = 0
