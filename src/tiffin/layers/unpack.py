"""From a tar to a layer: its tree, its header stream, its diff id, in one pass over the archive.

    tape ──> entries ──> Outline       every name, in memory
      │          └─────> Tree          the content of files, written as it comes past
      └────────────────> HeaderWriter  all other bytes

Folders are made when the first file in them comes. Links, devices, whiteouts, hard links, and what folders look like
and when they were changed come last, from the outline: until then nothing but plain files and folders is on the disk.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from tiffin.errors import BadArchive, StoreFull
from tiffin.layers.entry import HARD_LINK, Entry
from tiffin.layers.headers import Body, HeaderWriter, settle
from tiffin.layers.names import parts, shown
from tiffin.layers.outline import LONGEST_TARGET, Folder, Outline, Thing
from tiffin.layers.overlay import BARE_ROOT, OPAQUE_NAME, WHITEOUT_PREFIX, observe
from tiffin.layers.space import Room
from tiffin.layers.tape import CHUNK, Hasher, Tape
from tiffin.layers.tarreader import entries
from tiffin.layers.tree import Tree
from tiffin.layers.union import Sight, UnionView

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tiffin.layers.compression import Readable


class Unpacked(NamedTuple):
    diff_id: str
    """of the tar, "sha256:" and hex"""
    size: int
    """bytes in the files of the tree"""
    length: int
    """bytes of the tar"""


def unpack(
    stream: Readable,
    folder: str,
    lowers: Sequence[str] = (),
    *,
    sparse: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Unpacked:
    """Make `diff` and `headers` in a folder, from an uncompressed tar. `lowers` are the trees below, topmost first.

    `sparse` says that the archive may be bigger than the disk, as most of it are holes. Raises BadArchive, StoreFull,
    and PermissionError where root's rights are missing; what is in the folder then is of no use. Nothing is synced.
    """
    os.mkdir(f"{folder}/diff", 0o700)
    room = Room(folder)
    headers = HeaderWriter(f"{folder}/headers", room.spend)
    tree = Tree(f"{folder}/diff", room)
    try:
        with Hasher() as hasher:
            tape = Tape(stream, hasher, headers.literal, progress)
            unpacker = _Unpacker(folder, tape, tree, headers, UnionView(lowers))
            for entry in entries(tape):
                if not sparse:
                    room.expect(entry.stored)
                unpacker.add(entry)
            diff_id = hasher.digest()
        unpacker.finish()
        headers.finish(tape.position, diff_id)
        unpacker.settle()
        return Unpacked(diff_id, unpacker.size(), tape.position)
    except OSError as error:
        if (explained := _explained(error, folder)) is None:
            raise
        raise explained from error
    finally:
        headers.close()
        tree.close()


class _Unpacker:
    """Takes the entries of one archive; is told by the outline what they push aside."""

    def __init__(self, folder: str, tape: Tape, tree: Tree, headers: HeaderWriter, below: UnionView) -> None:
        self._folder, self._tape, self._tree, self._headers, self._below = folder, tape, tree, headers, below
        self._outline = Outline(self)
        self._bodies = 0
        self._moved: dict[int, Thing] = {}
        self._replaced: dict[int, str] = {}

    def add(self, entry: Entry) -> None:
        words = parts(entry.name)
        if words and words[-1].startswith(WHITEOUT_PREFIX):
            self._whiteout(words, entry)
        elif entry.kind == stat.S_IFDIR:
            self._outline.put_folder(words, entry)
        elif entry.kind == HARD_LINK:
            self._outline.link(words, self._target(entry))
        elif entry.kind == stat.S_IFREG:
            self._file(words, entry)
        else:
            _check_special(entry)
            self._outline.put(words, entry)

    def finish(self) -> None:
        """All that is not the content of a file."""
        folders = list(self._outline.folders())
        for folder in folders:
            self._make(folder)
            self._hide(folder)
        things = [(folder, name, thing) for folder in folders for name, thing in folder.children.items()]
        for folder, name, thing in things:
            if isinstance(thing, Thing) and thing.place is None and thing.names[0] == (folder, name):
                self._tree.make_special(folder.path_of(name), thing.entry)
        for folder, name, thing in things:
            if isinstance(thing, Thing) and thing.names[0] != (folder, name):
                self._tree.link(thing.path, folder.path_of(name))
        for folder in reversed(folders):  # a folder's time changes with what is put into it
            self._tree.dress(folder.path, folder.entry or self._as_below(folder))

    def settle(self) -> None:
        """Let the header stream know about files that are not where it said."""
        moved = {number: thing.path for number, thing in self._moved.items() if number not in self._replaced}
        if moved or self._replaced:
            settle(f"{self._folder}/headers", moved, self._replaced)
            for path in self._replaced.values():
                os.unlink(path)
        if self._replaced:
            os.rmdir(f"{self._folder}/replaced")

    def size(self) -> int:
        return sum(
            thing.entry.size
            for folder in self._outline.folders()
            for name, thing in folder.children.items()
            if isinstance(thing, Thing) and thing.names[0] == (folder, name)
        )

    def displaced(self, thing: Thing) -> None:
        """(Outline.) Its content must live on under another name, or until the header stream has it."""
        if thing.place is None:
            return
        if thing.names:
            fresh = thing.path
            self._make(thing.names[0][0])
            self._tree.rename(thing.place, fresh)
            thing.place = fresh
            if thing.body is not None:
                self._moved[thing.body] = thing
        elif thing.body is None:
            self._tree.remove_file(thing.place)
        else:
            os.makedirs(f"{self._folder}/replaced", 0o700, exist_ok=True)
            self._replaced[thing.body] = f"{self._folder}/replaced/{thing.body}"
            self._tree.rename(thing.place, self._replaced[thing.body])

    def removed(self, folder: Folder) -> None:
        """(Outline.)"""
        if folder.made:
            self._tree.remove_folder(folder.path)

    def _file(self, words: list[bytes], entry: Entry) -> None:
        # The segments may be many, and the outline keeps its entries.
        thing = self._outline.put(words, entry if entry.segments is None else entry._replace(segments=None))
        folder, name = thing.names[0]
        self._make(folder)
        thing.place, thing.body = folder.path_of(name), self._bodies
        crc = self._tree.write_file(thing.place, entry, self._tape.pieces(entry.stored))
        self._headers.body(Body(thing.body, thing.place, entry.size, crc, entry.segments))
        self._bodies += 1

    def _target(self, entry: Entry) -> Thing:
        """What a hard link is one more name of: a thing in this layer, or a copy of one in a layer below."""
        words = parts(entry.link)
        thing = self._outline.find(words)
        if isinstance(thing, Folder):
            raise BadArchive(f"the archive links {shown(entry.name)} to a folder: {shown(entry.link)}")
        return thing or self._copy_up(words, entry)

    def _copy_up(self, words: list[bytes], link: Entry) -> Thing:
        folder = self._outline.folder(words[:-1])
        path = folder.path_of(words[-1])
        found = self._below.lookup(os.fsdecode(path))
        if found is None or stat.S_ISDIR(found.status.st_mode):
            raise BadArchive(f"the archive links {shown(link.name)} to {shown(link.link)}, which is nowhere")
        entry = observe(found.layer, found.path, found.status)
        thing = self._outline.put(path.split(b"/"), entry)
        if entry.kind == stat.S_IFREG:
            self._make(folder)
            self._tree.copy_file(path, entry, f"{found.layer}/{found.path}")
            thing.place = path
        return thing

    def _whiteout(self, words: list[bytes], entry: Entry) -> None:
        for start in range(0, entry.stored, CHUNK):  # nothing says that it must be empty
            self._tape.take(min(entry.stored - start, CHUNK))
        *folder, last = words
        name = last.removeprefix(WHITEOUT_PREFIX)
        if last == OPAQUE_NAME:
            self._outline.hide_all(folder)
        elif name in (b"", b".", b".."):
            raise BadArchive(f"the archive has a whiteout of nothing: {shown(entry.name)}")
        elif not name.startswith(WHITEOUT_PREFIX):  # .wh..wh.NAME were notes of aufs
            self._outline.whiteout(folder, name)

    def _make(self, folder: Folder) -> None:
        missing = []
        while not folder.made:
            missing.append(folder)
            assert folder.parent is not None
            folder = folder.parent
        for folder in reversed(missing):
            self._tree.make_folder(folder.path)
            folder.made = True

    def _hide(self, folder: Folder) -> None:
        """Whiteouts and opacity, where there is something to hide below. A stray whiteout shows up in some listings."""
        gone = folder.whiteouts or set()
        if folder.opaque and folder.parent is None:
            # overlay does not ask a layer's root folder whether it is opaque, so all in it has to go one by one
            gone = gone | {os.fsencode(name) for name in self._below.names("")}
        for name in gone:
            child = folder.children.get(name)
            if isinstance(child, Folder):
                child.opaque = True
            elif child is None and self._found_below(folder, name) is not None:
                self._tree.whiteout(folder.path_of(name))
        if folder.opaque and folder.parent is not None:
            found = self._found_below(folder.parent, folder.name)
            if found is not None and stat.S_ISDIR(found.status.st_mode):
                self._tree.hide_all(folder.path)

    def _as_below(self, folder: Folder) -> Entry:
        """How a folder looks that the archive only has something in: as it does below."""
        found = self._below.lookup("") if folder.parent is None else self._found_below(folder.parent, folder.name)
        if found is None or not stat.S_ISDIR(found.status.st_mode):
            return BARE_ROOT._replace(name=folder.path)
        return observe(found.layer, found.path, found.status)

    def _found_below(self, folder: Folder, name: bytes) -> Sight | None:
        """What shows through from the layers below by a name in a folder of this layer."""
        path, above = folder.path_of(name), folder
        while above.parent is not None:
            if above.opaque:
                return None
            above = above.parent
        return self._below.lookup(os.fsdecode(path))


def _check_special(entry: Entry) -> None:
    if stat.S_ISLNK(entry.kind) and not 0 < len(entry.link) <= LONGEST_TARGET:
        raise BadArchive(f"the archive has a symbolic link to nothing, or to too long a name: {shown(entry.name)}")
    if stat.S_ISCHR(entry.kind) and entry.device == (0, 0):
        raise BadArchive(f"{shown(entry.name)} is a device 0/0, a whiteout to overlay: no image may have that")


def _explained(error: OSError, folder: str) -> Exception | None:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreFull(f"the disk of {folder} is full; remove images or containers, or name another --root")
    if error.errno in (errno.EPERM, errno.EACCES):
        return PermissionError(error.errno, "writing a layer needs root's rights", error.filename)
    if error.errno in (errno.EFBIG, errno.EMLINK, errno.ENAMETOOLONG):
        name = os.fsencode(error.filename) if isinstance(error.filename, str | bytes) else b"something"
        return BadArchive(f"this file system cannot hold what the archive has: {shown(name)}: {error.strerror}")
    return None
