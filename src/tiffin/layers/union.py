"""The union view: one tree out of a stack of layers, by the rules of the kernel's overlay, in Python.

         top       middle      bottom          the view
         a (file)  a (file)    a (file)        a of the top
                   d/x         d/y, d/z        d/x, d/y, d/z: folders are merged
         c (0/0)               c (file)        no c: a whiteout
         e/ (opq)              e/f             e/, empty: an opaque folder

What a name shows is found from the top down: the first layer that has something there decides. If that is a folder, the
folders of the layers below join it, down to the first layer that has a whiteout or something else there, or has made
the folder opaque (kernel documentation, filesystems/overlayfs.rst, "Merged directories"). Only the root folders of all
layers are always merged.

A layer's tree may hold links to anywhere, and the topmost may be changing while it is read. So every folder is opened
from its layer's root by a path that must not meet a link (openat2), and links are followed here, within the view.
"""

from __future__ import annotations

import os
import stat
from errno import ELOOP, ENAMETOOLONG, EXDEV
from itertools import islice

from tiffin.errors import NoSuchPath
from tiffin.kernel.files import RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS, RESOLVE_NO_XDEV, openat2
from tiffin.layers.names import shown
from tiffin.layers.overlay import is_opaque, is_whiteout
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MOST_LINKS = 40
BATCH = 200  # names
_INSIDE = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV


class Sight(NamedTuple):
    """What the view shows at a path: `path` is relative, "" being the root; `layer` is the folder that it lies in."""

    path: str
    layer: str
    status: os.stat_result
    layers: tuple[str, ...]
    """for a folder: all layers whose folders are merged, topmost first"""

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.status.st_mode)


class UnionView:
    """A stack of layer trees, topmost first. Nothing is mounted, and nothing kept between two calls."""

    def __init__(self, folders: Sequence[str]) -> None:
        self.folders = tuple(folders)

    def root(self) -> Sight | None:
        """The folder that everything is in; None where there are no layers."""
        if not self.folders:
            return None
        return Sight("", self.folders[0], os.lstat(self.folders[0]), self.folders)

    def lookup(self, path: str) -> Sight | None:
        """What is at a path, or None. No link is followed, neither along the path nor at its end."""
        sight = self.root()
        for name in path.split("/"):
            if name in ("", "."):
                continue
            if sight is None or not sight.is_folder:
                return None
            sight = self._child(sight, name)
        return sight

    def resolve(self, path: str) -> Sight:
        """What is at a path for a process inside: links are followed, and lead nowhere out of the view.

        Raises NoSuchPath.
        """
        root = self.root()
        if root is None:
            raise NoSuchPath(f"{path} is not there: there are no layers")
        at, links, todo = [root], 0, path.split("/")[::-1]
        while todo:
            name = todo.pop()
            if not at[-1].is_folder:
                raise NoSuchPath(f"{path} is not there: {at[-1].path} is no folder")
            if name in ("", "."):
                continue
            if name == "..":
                at = at[:-1] or at  # above the root is the root
                continue
            child = self._child(at[-1], name)
            if child is None:
                raise NoSuchPath(f"{path} is not there")
            if not stat.S_ISLNK(child.status.st_mode):
                at.append(child)
                continue
            links += 1
            if links > MOST_LINKS:
                raise NoSuchPath(f"{path} is not there: the links on the way lead in a circle")
            target = self.target(child)
            at = at[:1] if target.startswith("/") else at
            todo += target.split("/")[::-1]
        return at[-1]

    def open(self, sight: Sight) -> int:
        """A descriptor to read a file of the view. Raises NoSuchPath where it is no plain file (any more)."""
        with Opened(sight.layer, os.path.dirname(sight.path)) as folder:
            return open_plain(folder, os.path.basename(sight.path), sight.path)

    def target(self, link: Sight) -> str:
        """Where a link leads, as it is written in it."""
        with Opened(link.layer, os.path.dirname(link.path)) as folder:
            return os.readlink(os.path.basename(link.path), dir_fd=folder)

    def walk(self) -> Iterator[Sight]:
        """All that there is to see: a folder, what else is in it by name, then folder by folder."""
        root = self.root()
        todo = [root] if root is not None else []
        while todo:
            folder = todo.pop()
            yield folder
            children = self.children(folder)
            yield from (child for child in children if not child.is_folder)
            todo += [child for child in reversed(children) if child.is_folder]

    def names(self, path: str) -> list[str]:
        """The names in a folder of the view, sorted; none if it is not a folder."""
        sight = self.lookup(path)
        return [os.path.basename(child.path) for child in self.children(sight)] if sight and sight.is_folder else []

    def children(self, folder: Sight) -> list[Sight]:
        """What is in a folder of the view, sorted by the bytes of the names."""
        found: dict[str, Sight | None] = {}
        open_folders: set[str] = set()  # those that the layers below may still join
        for layer in folder.layers:
            with Opened(layer, folder.path) as opened:
                for item in os.scandir(opened):
                    name = item.name
                    if name not in found:
                        try:
                            status = item.stat(follow_symlinks=False)
                        except FileNotFoundError:  # the topmost layer is being written to
                            continue
                        path = f"{folder.path}/{name}" if folder.path else name
                        found[name] = None if is_whiteout(status) else Sight(path, layer, status, (layer,))
                        joins = stat.S_ISDIR(status.st_mode)
                    elif name in open_folders:
                        sight = found[name]
                        joins = item.is_dir(follow_symlinks=False)
                        if joins and sight is not None:
                            found[name] = sight._replace(layers=(*sight.layers, layer))
                    else:
                        continue
                    if joins and layer != folder.layers[-1] and not is_opaque(f"/proc/self/fd/{opened}/{name}"):
                        open_folders.add(name)
                    else:
                        open_folders.discard(name)
        return [sight for _, sight in sorted(found.items(), key=lambda item: os.fsencode(item[0])) if sight is not None]

    def pick(self, folder: Sight, names: Iterable[str]) -> dict[str, Sight]:
        """Of these names those that the folder has, without a look at what else is in it."""
        found: dict[str, Sight] = {}
        undecided = dict.fromkeys(names)
        for layer in folder.layers:
            if not undecided:
                break
            with Opened(layer, folder.path) as opened:
                for name in tuple(undecided):
                    try:
                        status = os.stat(name, dir_fd=opened, follow_symlinks=False)
                    except (FileNotFoundError, NotADirectoryError):
                        continue
                    is_folder = stat.S_ISDIR(status.st_mode)
                    if name not in found and not is_whiteout(status):
                        path = f"{folder.path}/{name}" if folder.path else name
                        found[name] = Sight(path, layer, status, (layer,))
                    elif name in found and is_folder:
                        found[name] = found[name]._replace(layers=(*found[name].layers, layer))
                    if not is_folder or is_opaque(f"/proc/self/fd/{opened}/{name}"):
                        del undecided[name]
        return found

    def stream(self, folder: Sight) -> Iterator[Sight]:
        """What is in a folder, in no order: for who may stop in the middle of a big one."""
        told: set[str] = set()
        for layer in folder.layers:
            with Opened(layer, folder.path) as opened, os.scandir(opened) as items:
                for names in batches(item.name for item in items if item.name not in told):
                    told.update(names)
                    yield from self.pick(folder, names).values()

    def count(self, folder: Sight, most: int) -> int:
        """How many names a folder has. Not more than `most` are counted."""
        decided: set[str] = set()
        number = 0
        for layer in folder.layers:
            with Opened(layer, folder.path) as opened, os.scandir(opened) as items:
                for item in items:
                    if item.name not in decided:
                        decided.add(item.name)
                        number += not _is_whiteout(item)
                        if number >= most or len(decided) >= 2 * most:
                            return number
        return number

    def hidden(self, folder: Sight, names: Iterable[str]) -> dict[str, str]:
        """Of these names in a folder those that hide another version, and the layer that has it.

        It is what would be seen without the layer that gives the name (of a merged folder: the layers), and all above.
        """
        found: dict[str, str] = {}
        undecided, given = dict.fromkeys(names), dict[str, str]()
        decided: set[str] = set()  # what comes next under such a name is hidden
        for layer in folder.layers:
            if not undecided:
                break
            with Opened(layer, folder.path) as opened:
                for name in tuple(undecided):
                    try:
                        status = os.stat(name, dir_fd=opened, follow_symlinks=False)
                    except (FileNotFoundError, NotADirectoryError):
                        continue
                    is_folder = stat.S_ISDIR(status.st_mode)
                    if name in decided or is_whiteout(status) or (name in given and not is_folder):
                        if name in given and not is_whiteout(status):
                            found[name] = layer
                        del undecided[name]
                        continue
                    given[name] = layer
                    if not is_folder or is_opaque(f"/proc/self/fd/{opened}/{name}"):
                        decided.add(name)
        # below the last of the layers that are merged here, the folder itself may hide another one
        return found | self._hidden_with(folder, [name for name in undecided if given.get(name) == folder.layers[-1]])

    def _hidden_with(self, folder: Sight, names: list[str]) -> dict[str, str]:
        below = UnionView(self.folders[self.folders.index(folder.layers[-1]) + 1 :])
        covered = below.lookup(folder.path) if names else None
        if covered is None or not covered.is_folder:
            return {}
        return {name: sight.layer for name, sight in below.pick(covered, names).items()}

    def _child(self, folder: Sight, name: str) -> Sight | None:
        return self.pick(folder, (name,)).get(name)


def batches(names: Iterator[str]) -> Iterator[list[str]]:
    """So many that it pays to open a folder for them, and so few that one may stop in between."""
    while batch := list(islice(names, BATCH)):
        yield batch


def _is_whiteout(item: os.DirEntry[str]) -> bool:
    if item.is_file(follow_symlinks=False) or item.is_dir(follow_symlinks=False) or item.is_symlink():
        return False
    try:
        return is_whiteout(item.stat(follow_symlinks=False))
    except FileNotFoundError:  # counts as nothing
        return True


class Opened:
    """A folder of a layer, open while a `with` lasts."""

    def __init__(self, layer: str, path: str) -> None:
        self._layer, self._path = layer, path

    def __enter__(self) -> int:
        self._descriptor = open_folder(self._layer, self._path)
        return self._descriptor

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def open_folder(layer: str, path: str) -> int:
    """A descriptor of a folder below a layer's, by a path that must not meet a link. Raises NoSuchPath."""
    root = os.open(layer, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    if not path:
        return root
    try:
        return openat2(root, path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, _INSIDE)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NoSuchPath(f"{path} is no folder any more") from error
    except OSError as error:
        if error.errno in (ELOOP, EXDEV):
            raise NoSuchPath(f"{path} leads through a link by now") from error
        if error.errno == ENAMETOOLONG:  # a container can make it, name by name
            raise NoSuchPath(f"{shown(os.fsencode(path))}... lies so deep that no path leads there") from error
        raise
    finally:
        os.close(root)


def open_plain(folder: int, name: str | bytes, path: str | bytes) -> int:
    """A descriptor to read a file in a folder. Raises NoSuchPath where there is none, or something else."""
    try:
        # O_NONBLOCK: should it have become a FIFO meanwhile, nobody waits for its other end.
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError as error:
        raise NoSuchPath(f"{shown(os.fsencode(path))} cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NoSuchPath(f"{shown(os.fsencode(path))} is no plain file")
    return descriptor
