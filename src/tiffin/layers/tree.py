"""The one place where trees of layers are written: a folder, and what can be done in it.

All paths are relative to the folder and lead through plain folders made here, never through a link: `Outline` sees to
that. So a tree may lie anywhere, and the code may run in another process that is given the folder, such as one in a
user namespace. Making device nodes, owners and overlay's attributes needs root's rights; PermissionError says so where
they are missing.

The order in `_dress` is the kernel's: chown takes set-uid bits and capabilities away (chown(2)), so they come after
it, and the times last, as everything else touches them.
"""

from __future__ import annotations

import os
import stat

from tiffin.errors import BadArchive
from tiffin.layers.headers import checksum
from tiffin.layers.names import shown
from tiffin.layers.overlay import OPAQUE, PRIVATE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from tiffin.layers.entry import Entry
    from tiffin.layers.space import Room

HOLE = 1 << 16  # so many zeros need no place on the disk
_NOTHING = bytes(HOLE)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Tree:
    """An open folder that a layer is written into. Close it."""

    def __init__(self, folder: str, room: Room) -> None:
        self._root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._room = room
        self._crc32 = checksum()
        self._self = os.geteuid(), os.getegid()

    def close(self) -> None:
        os.close(self._root)

    def make_folder(self, path: bytes) -> None:
        os.mkdir(path, 0o700, dir_fd=self._root)

    def write_file(self, path: bytes, entry: Entry, content: Iterable[memoryview]) -> int:
        """A new file with all its attributes. The crc-32 of the content."""
        descriptor = os.open(path, _CREATE, 0o600, dir_fd=self._root)
        try:
            if entry.segments is None:
                crc = self._write(descriptor, content, entry.size)
            else:
                crc = self._write_segments(descriptor, content, entry.segments, entry.size)
            self._dress(descriptor, entry)
        finally:
            os.close(descriptor)
        return crc

    def copy_file(self, path: bytes, entry: Entry, source: str) -> None:
        """A new file with the content of a file elsewhere, as overlay copies one up."""
        self._room.spend(entry.size)
        origin = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            descriptor = os.open(path, _CREATE, 0o600, dir_fd=self._root)
            try:
                _copy(origin, descriptor)
                self._dress(descriptor, entry)
            finally:
                os.close(descriptor)
        finally:
            os.close(origin)

    def make_special(self, path: bytes, entry: Entry) -> None:
        """A link, device or FIFO with all its attributes."""
        if stat.S_ISLNK(entry.kind):
            os.symlink(entry.link, path, dir_fd=self._root)
        else:
            os.mknod(path, entry.kind | 0o600, os.makedev(*entry.device), dir_fd=self._root)
        self.dress(path, entry)

    def whiteout(self, path: bytes) -> None:
        os.mknod(path, stat.S_IFCHR, 0, dir_fd=self._root)
        os.utime(path, ns=(0, 0), dir_fd=self._root)  # the same layer is the same tree everywhere

    def hide_all(self, path: bytes) -> None:
        os.setxattr(self._place(path), OPAQUE, b"y", follow_symlinks=False)

    def link(self, path: bytes, fresh: bytes) -> None:
        os.link(path, fresh, src_dir_fd=self._root, dst_dir_fd=self._root, follow_symlinks=False)

    def rename(self, path: bytes, fresh: bytes | str) -> None:
        """To another path in the tree, or (as str) to an absolute one outside."""
        outside = isinstance(fresh, str)
        os.rename(path, fresh, src_dir_fd=self._root, dst_dir_fd=None if outside else self._root)

    def remove_file(self, path: bytes) -> None:
        os.unlink(path, dir_fd=self._root)

    def remove_folder(self, path: bytes) -> None:
        os.rmdir(path, dir_fd=self._root)

    def dress(self, path: bytes, entry: Entry) -> None:
        """Owner, mode, attributes and time of what is there by that path."""
        path = path or b"."
        os.chown(path, entry.uid, entry.gid, dir_fd=self._root, follow_symlinks=False)
        if not stat.S_ISLNK(entry.kind):  # links have no mode of their own
            os.chmod(path, entry.mode, dir_fd=self._root)
        self._set_attributes(self._place(path), entry)
        os.utime(path, ns=(entry.mtime, entry.mtime), dir_fd=self._root, follow_symlinks=False)

    def _dress(self, descriptor: int, entry: Entry) -> None:
        if (entry.uid, entry.gid) != self._self:
            os.fchown(descriptor, entry.uid, entry.gid)
        os.fchmod(descriptor, entry.mode)
        if entry.xattrs:
            self._set_attributes(descriptor, entry)
        os.utime(descriptor, ns=(entry.mtime, entry.mtime))

    def _set_attributes(self, place: int | str, entry: Entry) -> None:
        for name, content in entry.xattrs:
            if name.startswith(PRIVATE):
                raise BadArchive(
                    f"{shown(entry.name)} has the attribute {shown(os.fsencode(name))}, by which overlay would take it "
                    "for something else: no image may have that"
                )
            try:
                if isinstance(place, int):
                    os.setxattr(place, name, content)
                else:
                    os.setxattr(place, name, content, follow_symlinks=False)
            except PermissionError:
                raise
            except OSError as error:  # ext4 says "no space" for one that is too long
                raise BadArchive(
                    f"this file system cannot keep the attribute {shown(os.fsencode(name))} of {shown(entry.name)} "
                    f"({len(content)} bytes): {error.strerror}"
                ) from error

    def _write(self, descriptor: int, content: Iterable[memoryview], size: int) -> int:
        crc, at, end = 0, 0, 0
        for piece in content:
            crc = self._crc32(piece, crc)
            if len(piece) < HOLE:
                end = self._write_at(descriptor, piece, at)
            else:
                end = self._write_around_holes(descriptor, piece, at) or end
            at += len(piece)
        if end < size:
            os.ftruncate(descriptor, size)
        return crc

    def _write_around_holes(self, descriptor: int, piece: memoryview, at: int) -> int:
        """Where what was written ends; 0 if the piece is nothing but holes."""
        start = end = 0
        for here in range(0, len(piece), HOLE):
            part = piece[here : here + HOLE]
            if part == _NOTHING[: len(part)]:
                if start < here:
                    end = self._write_at(descriptor, piece[start:here], at + start)
                start = here + len(part)
        return self._write_at(descriptor, piece[start:], at + start) if start < len(piece) else end

    def _write_segments(
        self, descriptor: int, content: Iterable[memoryview], segments: tuple[tuple[int, int], ...], size: int
    ) -> int:
        crc, todo, at, left = 0, iter(segments), 0, 0
        for piece in content:
            crc = self._crc32(piece, crc)
            while piece:
                while not left:
                    at, left = next(todo)
                part = piece[:left]
                at, left, piece = self._write_at(descriptor, part, at), left - len(part), piece[len(part) :]
        os.ftruncate(descriptor, size)
        return crc

    def _write_at(self, descriptor: int, piece: memoryview, at: int) -> int:
        self._room.spend(len(piece))
        while piece:
            count = os.pwrite(descriptor, piece, at)
            at, piece = at + count, piece[count:]
        return at

    def _place(self, path: bytes) -> str:
        # Attributes of links and devices can be set by path only, and not relative to a folder.
        return f"/proc/self/fd/{self._root}/{os.fsdecode(path)}"


def _copy(origin: int, target: int) -> None:
    """The content of a file, holes left out; shared between both where the file system can do that."""
    size = os.fstat(origin).st_size
    end = 0
    while end < size:
        try:
            start = os.lseek(origin, end, os.SEEK_DATA)
        except OSError:  # ENXIO: nothing but a hole is left
            break
        end = os.lseek(origin, start, os.SEEK_HOLE)
        while start < end and (count := os.copy_file_range(origin, target, end - start, start, start)):
            start += count
    os.ftruncate(target, size)
