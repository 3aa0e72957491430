"""Places inside a container's tree, found and made below the root's descriptor: no link leads out of there."""

from __future__ import annotations

import os
import stat
from errno import EINVAL, EISDIR

from tiffin.kernel.files import open_in_root


def existing(root: int, path: str) -> int | None:
    try:
        return open_in_root(root, path, os.O_PATH)
    except (FileNotFoundError, NotADirectoryError):
        return None


def folder_in(root: int, path: str, mode: int = 0o755) -> int:
    """A descriptor of a folder inside; made, with those above it, where it is missing."""
    try:
        return open_in_root(root, path, os.O_PATH | os.O_DIRECTORY)
    except FileNotFoundError:
        parent, name = os.path.split(path.rstrip("/"))
        above = folder_in(root, parent)
        mask = os.umask(0)
        try:
            os.mkdir(name, mode, dir_fd=above)
        except FileExistsError:  # a link that leads nowhere: where it leads is made
            return folder_in(root, _where(above, parent, name), mode)
        finally:
            os.umask(mask)
            os.close(above)
        return open_in_root(root, path, os.O_PATH | os.O_DIRECTORY)


def file_in(root: int, path: str) -> int:
    """A descriptor of a file inside, to mount on; an empty one is made where it is missing."""
    found = existing(root, path)
    if found is None:
        parent, name = os.path.split(path)
        above = folder_in(root, parent)
        try:
            os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644, dir_fd=above))
        except FileExistsError:  # a link that leads nowhere, as /etc/resolv.conf does where systemd-resolved is
            return file_in(root, _where(above, parent, name))
        finally:
            os.close(above)
        found = open_in_root(root, path, os.O_PATH)
    elif stat.S_ISDIR(os.fstat(found).st_mode):  # move_mount(2) would call it an invalid argument
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR), path)
    return found


def place(root: int, path: str, folders: dict[str, int]) -> tuple[int, str]:
    """The folder for a new name, and the name. What `folders` has is open already; it is to be closed in the end."""
    parent, name = os.path.split(path)
    if parent not in folders:
        folders[parent] = folder_in(root, parent)
    return folders[parent], name


def close_all(folders: dict[str, int]) -> None:
    for folder in folders.values():
        os.close(folder)


def _where(folder: int, parent: str, name: str) -> str:
    """The path inside that a link leads to; that of a thing that another container has just made is its own."""
    try:
        return os.path.join(parent, os.readlink(name, dir_fd=folder))
    except OSError as error:
        if error.errno != EINVAL:
            raise
        return os.path.join(parent, name)
