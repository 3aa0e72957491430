"""Which image has which name: symbolic links, one folder per part of the name.

    images/names/docker.io/library/base/:latest -> ../../../../<hex of the image>

A link is replaced in one rename and is on the disk before the call returns: a name is the last thing that a load, a
build or a commit writes. One that points to nothing names nothing. Names are given and taken one at a time, under the
lock of the folder `names`, so that a removal never takes a name that has gone to another image meanwhile.
"""

from __future__ import annotations

import os

from tiffin.images.reference import Reference
from tiffin.store import Store, files
from tiffin.store.locks import lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class Names:
    """The names of one store. Each has a tag."""

    def __init__(self, store: Store) -> None:
        self.folder = store.path("images", "names")
        self._tmp = store.path("tmp")

    def get(self, name: Reference) -> str | None:
        """The id of the image that has the name."""
        return _image(self._path(name))

    def put(self, name: Reference, image: str) -> None:
        """Give the name to an image, whoever had it before. The commit point of the verbs that make images."""
        path = self._path(name)
        up = "../" * (path.count("/") - self.folder.count("/"))
        while True:
            try:
                with lock(self.folder):
                    self._make_folders(name)
                    fresh = f"{self._tmp}/{os.urandom(8).hex()}"
                    return files.replace_link(path, f"{up}{image.removeprefix('sha256:')}", fresh)
            except FileNotFoundError:  # `remove` of a neighbour took the empty folder away, or a sweep the new link
                continue

    def remove(self, name: Reference, image: str) -> bool:
        """Take a name away from its image. Whether the image had it."""
        path = self._path(name)
        with lock(self.folder):
            if _target(path) != image:
                return False
            os.unlink(path)
        self._remove_empty_folders(os.path.dirname(path))
        self._sync(os.path.dirname(path))
        return True

    def given(self, name: Reference) -> int:
        """When the name was given to its image, in nanoseconds since 1970; 0 if it is gone."""
        try:
            return os.lstat(self._path(name)).st_mtime_ns
        except FileNotFoundError:
            return 0

    def all(self) -> Iterator[tuple[Reference, str]]:
        """Every name that points to an image, and that image's id; sorted."""
        try:
            domains = sorted(os.listdir(self.folder))
        except FileNotFoundError:
            return
        for domain in domains:
            yield from self._below(domain, "")

    def _below(self, domain: str, path: str) -> Iterator[tuple[Reference, str]]:
        folder = f"{self.folder}/{domain}/{path}".rstrip("/")
        try:
            entries = sorted(os.listdir(folder))
        except (FileNotFoundError, NotADirectoryError):
            return
        for entry in entries:
            if entry.startswith(":"):
                if image := _image(f"{folder}/{entry}"):
                    yield Reference(domain, path, entry[1:]), image
            else:
                yield from self._below(domain, f"{path}/{entry}".lstrip("/"))

    def _path(self, name: Reference) -> str:
        assert name.tag is not None
        return f"{self.folder}/{name.domain}/{name.path}/:{name.tag}"

    def _make_folders(self, name: Reference) -> None:
        folder = self.folder
        for part in (name.domain, *name.path.split("/")):
            above, folder = folder, f"{folder}/{part}"
            try:
                os.mkdir(folder, 0o700)
            except FileExistsError:
                continue
            files.sync_folder(above)

    def sweep(self) -> None:
        """Remove the folders of names that nobody came to give. The caller holds the store's lock exclusively."""
        for folder, folders, links in os.walk(self.folder, topdown=False):
            if not folders and not links:
                self._remove_empty_folders(folder)

    def _remove_empty_folders(self, folder: str) -> None:
        while folder != self.folder:
            try:
                os.rmdir(folder)
            except OSError:  # not empty
                return
            folder = os.path.dirname(folder)

    def _sync(self, folder: str) -> None:
        """The names in a folder, or that it is gone."""
        while True:
            try:
                return files.sync_folder(folder)
            except FileNotFoundError:
                folder = os.path.dirname(folder)


def _image(link: str) -> str | None:
    """The image that a link leads to, if there is one."""
    return _target(link) if os.path.exists(link) else None


def _target(link: str) -> str | None:
    try:
        return "sha256:" + os.path.basename(os.readlink(link))
    except OSError:
        return None
