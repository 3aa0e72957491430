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

from tiffin.errors import BadArchive, StoreFull
from tiffin.layers.entry import HARD_LINK, Entry
from tiffin.layers.headers import Body, HeaderWriter, settle
from tiffin.layers.names import parts, shown
from tiffin.layers.outline import LONGEST_TARGET, Folder, Outline, Thing
from tiffin.layers.overlay import BARE_ROOT, OPAQUE_NAME, WHITEOUT_PREFIX, observe
from tiffin.layers.space import Room
from tiffin.layers.tape import BLOCK, CHUNK, Hasher, Recording, Tape
from tiffin.layers.tarreader import entries
from tiffin.layers.tarwriter import END, Member, header
from tiffin.layers.tree import Tree
from tiffin.layers.union import Sight, UnionView
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import TracebackType

    from tiffin.layers.compression import Readable


class Unpacked(NamedTuple):
    diff_id: str
    """of the tar, "sha256:" and hex"""
    size: int
    """bytes in the files of the tree"""
    length: int
    """bytes of the tar"""


def unpack(
    stream: Readable, folder: str, lowers: Sequence[str] = (), *, progress: Callable[[int], None] | None = None
) -> Unpacked:
    """Make `diff` and `headers` in a folder, from an uncompressed tar. `lowers` are the trees below, topmost first.

    Raises BadArchive, StoreFull, and PermissionError where root's rights are missing; what is in the folder then is of
    no use. Nothing is synced.
    """
    with _Bench(folder) as bench:
        tape = Tape(stream, bench.hasher, bench.headers.literal, progress)
        unpacker = _Unpacker(bench, tape, UnionView(lowers))
        for entry in entries(tape):
            bench.room.expect(entry.stored)
            unpacker.add(entry)
        return unpacker.finish()


def burn(members: Iterable[Member], folder: str, lowers: Sequence[str] = ()) -> Unpacked:
    """The same, of what stands in a tree: as if it had been written to a tar (`TarStream`) and that unpacked.

    Raises what `unpack` raises, and Conflict where a file becomes shorter meanwhile.
    """
    with _Bench(folder) as bench:
        tape = Recording(bench.hasher, bench.headers.literal)
        unpacker = _Unpacker(bench, tape, UnionView(lowers))
        for member in members:
            tape.write(header(member.entry))
            if not member.entry.stored:
                unpacker.add(member.entry)
                continue
            with member.content() as content:
                tape.load(content)
                unpacker.add(member.entry)
            tape.write(bytes(-member.entry.stored % BLOCK))
        tape.write(END)
        tape.end()
        return unpacker.finish()


class _Bench:
    """What is open while a layer is made in a folder."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __enter__(self) -> _Bench:
        os.mkdir(f"{self.folder}/diff", 0o700)
        self.room = Room(self.folder)
        self.tree = Tree(f"{self.folder}/diff", self.room)
        self.headers = HeaderWriter(f"{self.folder}/headers", self.room.spend)
        self.hasher = Hasher()
        self.hasher.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.hasher.close()
        self.headers.close()
        self.tree.close()
        if isinstance(error, OSError) and (explained := _explained(error, self.folder)) is not None:
            raise explained from error


class _Unpacker:
    """Takes the entries of one archive; is told by the outline what they push aside."""

    def __init__(self, bench: _Bench, tape: Tape | Recording, below: UnionView) -> None:
        self._bench, self._tape, self._below = bench, tape, below
        self._folder, self._tree, self._headers = bench.folder, bench.tree, bench.headers
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

    def finish(self) -> Unpacked:
        """All that is not the content of a file."""
        folders = list(self._outline.folders())
        for folder in folders:
            self._make(folder)
            self._hide(folder)
        size = self._finish_things(folders)
        for folder in reversed(folders):  # a folder's time changes with what is put into it
            self._tree.dress(folder.path, folder.entry or self._as_below(folder))
        diff_id = self._bench.hasher.digest()
        self._headers.finish(self._tape.position, diff_id)
        self._settle()
        return Unpacked(diff_id, size, self._tape.position)

    def _finish_things(self, folders: list[Folder]) -> int:
        """Links and devices, then the further names of everything. The bytes of all files."""
        things = [
            (thing, thing.names[0] == (folder, name), folder, name)
            for folder in folders
            for name, thing in folder.children.items()
            if isinstance(thing, Thing)
        ]
        for thing, first, folder, name in things:
            if first and thing.place is None:
                self._tree.make_special(folder.path_of(name), thing.entry)
        for thing, first, folder, name in things:
            if not first:
                self._tree.link(thing.path, folder.path_of(name))
        return sum(thing.entry.size for thing, first, _, _ in things if first)

    def _settle(self) -> None:
        """Let the header stream know about files that are not where it said."""
        moved = {number: thing.path for number, thing in self._moved.items() if number not in self._replaced}
        if moved or self._replaced:
            settle(f"{self._folder}/headers", moved, self._replaced)
            for path in self._replaced.values():
                os.unlink(path)
        if self._replaced:
            os.rmdir(f"{self._folder}/replaced")

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
        entry = observe(f"{found.layer}/{found.path}", path, found.status)
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
        return observe(f"{found.layer}/{found.path}", folder.path, found.status)

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
        wanted = "root's rights" if os.geteuid() else "a file system that keeps whiteouts: name another --root"
        return PermissionError(error.errno, f"writing a layer needs {wanted}", error.filename)
    if error.errno in (errno.EFBIG, errno.EMLINK, errno.ENAMETOOLONG):
        name = os.fsencode(error.filename) if isinstance(error.filename, str | bytes) else b"something"
        return BadArchive(f"this file system cannot hold what the archive has: {shown(name)}: {error.strerror}")
    return None
