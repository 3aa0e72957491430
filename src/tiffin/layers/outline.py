"""What an archive describes, as a tree in memory: which names there will be when its last entry has been read.

A tar is a list of instructions, and later ones undo earlier ones: a name may come twice, a file may replace a folder, a
folder may come after what is in it, and a path may lead through a link. All that is settled here, on names alone. The
disk then sees plain files in plain folders, and no link exists on it as long as files are written, so that there is
nothing to lead a path astray.

    Folder "usr"                      children, and what it hides from the layers below (whiteouts, opaque)
      +-- Folder "bin"
      |     +-- "sh"   --> Thing      a file, link or device; hard links are several names of one thing
      |     +-- "dash" --^
"""

from __future__ import annotations

import stat

from tiffin.errors import BadArchive
from tiffin.layers.names import LONGEST_PART, LONGEST_PATH, shown
from tiffin.layers.overlay import WHITEOUT_PREFIX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    from tiffin.layers.entry import Entry

    class Disk(Protocol):
        """Told when what may be on the disk already loses its place."""

        def displaced(self, thing: Thing) -> None:
            """Its first name is gone; it has another one, or none."""

        def removed(self, folder: Folder) -> None:
            """It is empty, and gone."""


MOST_LINKS = 40  # as many as Linux follows
MOST_NAMES = 65_000  # of one file: ext4's limit
LONGEST_TARGET = 4095
MOST_MEMORY = 1 << 30  # bytes, roughly, for all entries of an archive


class Folder:
    __slots__ = ("children", "entry", "made", "name", "opaque", "parent", "path", "whiteouts")

    def __init__(self, parent: Folder | None, name: bytes) -> None:
        self.parent, self.name = parent, name
        self.path: bytes = parent.path_of(name) if parent is not None else name
        self.children: dict[bytes, Folder | Thing] = {}
        self.whiteouts: set[bytes] | None = None
        """names of the layers below that are gone"""
        self.opaque = False
        self.entry: Entry | None = None
        """none where the archive only has something in it"""
        self.made = parent is None
        """whether it is on the disk"""

    def path_of(self, name: bytes) -> bytes:
        return self.path + b"/" + name if self.path else name


class Thing:
    """Whatever is no folder. `body` numbers the content of a file among those in the archive."""

    __slots__ = ("body", "entry", "names", "place")

    def __init__(self, entry: Entry, folder: Folder, name: bytes) -> None:
        self.entry = entry
        self.names = [(folder, name)]
        self.body: int | None = None
        self.place: bytes | None = None
        """where its content is on the disk"""

    @property
    def path(self) -> bytes:
        folder, name = self.names[0]
        return folder.path_of(name)


class Outline:
    def __init__(self, disk: Disk) -> None:
        self.root = Folder(None, b"")
        self._disk = disk
        self._memory = 0
        self._known: dict[tuple[bytes, ...], Folder] = {}

    def folder(self, words: list[bytes]) -> Folder:
        """The folder that a path leads to, made up where no entry has named it yet. Follows links inside the layer.

        So do tar and Docker. A link that only a layer below has is not followed: a folder hides it, as with the overlay
        drivers of Docker and containerd. Raises BadArchive where the path leads out, in a circle, or through a file.
        """
        key = tuple(words)
        if (known := self._known.get(key)) is None:
            known = self._walk(words, make=True)
            assert known is not None
            self._known[key] = known
        return known

    def put_folder(self, words: list[bytes], entry: Entry) -> Folder:
        """A folder as the archive describes it. What is in it already stays; a file in its place goes."""
        if words:
            parent, name = self.folder(words[:-1]), words[-1]
            if isinstance(there := parent.children.get(name), Thing):
                self._remove(parent, name, there)
            folder = self._child(parent, name)
        else:
            folder = self.root
        self._weigh(_size(entry))
        folder.entry = entry
        return folder

    def put(self, words: list[bytes], entry: Entry) -> Thing:
        """A file, link or device. Whatever had its name goes."""
        parent, name = self._free(words)
        self._weigh(_size(entry))
        thing = parent.children[name] = Thing(entry, parent, name)
        return thing

    def find(self, words: list[bytes]) -> Folder | Thing | None:
        """What has that name by now. The end of the path is not followed."""
        if not words:
            return self.root
        parent = self._walk(words[:-1], make=False)
        return None if parent is None else parent.children.get(words[-1])

    def link(self, words: list[bytes], thing: Thing) -> None:
        """One more name for a thing."""
        if words and self.folder(words[:-1]).children.get(words[-1]) is thing:
            return
        parent, name = self._free(words)
        if not thing.names:
            raise BadArchive(f"the archive links {shown(b'/'.join(words))} to what it replaces")
        parent.children[name] = thing
        thing.names.append((parent, name))
        if len(thing.names) > MOST_NAMES:
            raise BadArchive(f"the archive has more than {MOST_NAMES} hard links to {shown(thing.path)}")
        self._weigh(len(name))

    def whiteout(self, words: list[bytes], name: bytes) -> None:
        """What the layers below have by that name is gone. It does not count for this layer's own entries.

        (OCI image-spec, layer.md, "Whiteouts".)
        """
        folder = self.folder(words)
        if folder.whiteouts is None:
            folder.whiteouts = set()
        folder.whiteouts.add(name)
        self._weigh(len(name))

    def hide_all(self, words: list[bytes]) -> None:
        """Nothing of the folder shows through from the layers below (layer.md, "Opaque Whiteout")."""
        self.folder(words).opaque = True

    def folders(self) -> Iterator[Folder]:
        """Each folder, before those in it."""
        todo = [self.root]
        while todo:
            folder = todo.pop()
            yield folder
            todo += [child for child in folder.children.values() if isinstance(child, Folder)]

    def _walk(self, words: list[bytes], *, make: bool) -> Folder | None:
        at, links, todo = self.root, 0, words[::-1]
        while todo:
            word = todo.pop()
            child = at.parent if word == b".." else at.children.get(word)
            if isinstance(child, Folder):
                at = child
            elif isinstance(child, Thing):
                links += 1
                if links > MOST_LINKS:
                    raise BadArchive(f"the links along {shown(b'/'.join(words))} lead in a circle")
                if not stat.S_ISLNK(child.entry.kind):
                    raise BadArchive(f"the archive has {shown(child.path)} as a file, and things in it")
                target = child.entry.link
                at = self.root if target.startswith(b"/") else at
                todo += [part for part in reversed(target.split(b"/")) if part and part != b"."]
            elif word == b"..":  # from a link: names never have it
                raise BadArchive(f"a link in the archive leads {shown(b'/'.join(words))} out of the layer")
            elif not make:
                return None
            else:
                at = self._child(at, word)
        return at

    def _child(self, parent: Folder, name: bytes) -> Folder:
        child = parent.children.get(name)
        if child is None:
            self._check(parent, name)
            child = parent.children[name] = Folder(parent, name)
            self._weigh(len(child.path))
        assert isinstance(child, Folder)
        return child

    def _check(self, parent: Folder, name: bytes) -> None:
        if len(name) > LONGEST_PART or len(parent.path) + 1 + len(name) > LONGEST_PATH:
            raise BadArchive(f"the archive has a name that is longer than Linux takes: {shown(parent.path_of(name))}")
        if name.startswith(WHITEOUT_PREFIX):
            raise BadArchive(f"the archive has a folder of a name that is kept for whiteouts: {shown(name)}")

    def _free(self, words: list[bytes]) -> tuple[Folder, bytes]:
        """The place for a new thing, emptied."""
        if not words:
            raise BadArchive("the archive has something else than a folder as the root of the layer")
        parent, name = self.folder(words[:-1]), words[-1]
        if (there := parent.children.get(name)) is not None:
            self._remove(parent, name, there)
        else:
            self._check(parent, name)
        return parent, name

    def _remove(self, parent: Folder, name: bytes, there: Folder | Thing) -> None:
        if isinstance(there, Folder) or stat.S_ISLNK(there.entry.kind):
            self._known.clear()  # paths led through it, maybe
        todo: list[tuple[Folder, bytes, Folder | Thing]] = [(parent, name, there)]
        emptied: list[Folder] = []
        while todo:
            parent, name, there = todo.pop()
            del parent.children[name]
            if isinstance(there, Folder):
                emptied.append(there)
                todo += [(there, below, child) for below, child in there.children.items()]
            else:
                first = there.names[0] == (parent, name)
                there.names.remove((parent, name))
                if first:
                    self._disk.displaced(there)
        for folder in reversed(emptied):
            self._disk.removed(folder)

    def _weigh(self, size: int) -> None:
        self._memory += 500 + size
        if self._memory > MOST_MEMORY:
            raise BadArchive("the archive has more entries than fit into a gigabyte of memory")


def _size(entry: Entry) -> int:
    return len(entry.name) + len(entry.link) + sum(300 + len(content) for _, content in entry.xattrs)
