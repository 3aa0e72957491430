"""The form in which a delta lies on the disk: the kernel's overlay (kernel documentation, filesystems/overlayfs.rst).

    tar          on the disk                                     means
    .wh.NAME     a character device NAME with number 0/0         NAME of the layers below is gone
    .wh..wh..opq attribute trusted.overlay.opaque = "y"          nothing of the folder shows through from below

Overlay keeps notes of its own in other attributes with the same beginning. With redirect_dir, metacopy and index off,
as tiffin mounts it, none of them says where content is, so that a read-write layer is a plain delta. Two would; a layer
that has one of these cannot be read as a delta.
"""

from __future__ import annotations

import os
import stat

from tiffin.errors import TiffinError
from tiffin.layers.entry import Entry
from tiffin.layers.names import shown
from tiffin.model.mount import OverlayMount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

OPAQUE = "trusted.overlay.opaque"
USER_OPAQUE = "user.overlay.opaque"
PRIVATE = ("trusted.overlay.", "user.overlay.")
POINTERS = ("redirect", "metacopy")
WHITEOUT_PREFIX = b".wh."
OPAQUE_NAME = b".wh..wh..opq"


def mount(lowers: Sequence[str], upper: str | None, work: str | None, *, volatile: bool = False) -> OverlayMount:
    """The union view as the kernel makes it: described here, performed by the runtime. `lowers` topmost first."""
    return OverlayMount(tuple(lowers), upper, work, volatile)


def new_upper(path: str, lowers: Sequence[str]) -> None:
    """Make the folder of a read-write layer, still empty.

    Overlay shows the attributes of the topmost root folder, so it gets those of the root below.
    """
    os.mkdir(path, 0o755)
    root = observe(lowers[0], b"") if lowers else BARE_ROOT
    os.chown(path, root.uid, root.gid)
    os.chmod(path, root.mode)
    for name, content in root.xattrs:
        os.setxattr(path, name, content)
    os.utime(path, ns=(root.mtime, root.mtime))


def is_whiteout(status: os.stat_result) -> bool:
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def is_opaque(path: str | bytes) -> bool:
    """Whether a folder hides what the layers below have in it. The path must not lead through links."""
    for name in (OPAQUE, USER_OPAQUE):
        try:
            if os.getxattr(path, name, follow_symlinks=False) == b"y":
                return True
        except OSError:  # not set, not supported, or (trusted.) not ours to see
            pass
    return False


def observe(place: str | bytes, name: bytes, status: os.stat_result | None = None) -> Entry:
    """What stands at a place on the disk, as an entry of that name, without overlay's own attributes.

    `place` must not lead through links; its own end is not followed. Raises TiffinError where overlay keeps the
    content elsewhere.
    """
    status = status or os.lstat(place)
    kind, device = stat.S_IFMT(status.st_mode), status.st_rdev
    size = status.st_size if kind == stat.S_IFREG else 0
    return Entry(
        name,
        kind,
        status.st_mode & 0o7777,
        status.st_uid,
        status.st_gid,
        status.st_mtime_ns,
        os.readlink(os.fsencode(place)) if kind == stat.S_IFLNK else b"",
        (os.major(device), os.minor(device)) if device else (0, 0),
        size,
        size,
        None,
        _attributes(place, name),
    )


def _attributes(place: str | bytes, name: bytes) -> tuple[tuple[str, bytes], ...]:
    found = os.listxattr(place, follow_symlinks=False)
    if not found:
        return ()
    kept = []
    for key in sorted(found):
        prefix = next((prefix for prefix in PRIVATE if key.startswith(prefix)), None)
        if prefix is None:
            kept.append((key, os.getxattr(place, key, follow_symlinks=False)))
        elif key.removeprefix(prefix) in POINTERS:
            raise TiffinError(
                f"{shown(name)} is no plain file: overlay keeps its content elsewhere (attribute {key}); "
                "the layer was mounted with redirect_dir or metacopy by another program"
            )
    return tuple(kept)


BARE_ROOT = Entry(b"", stat.S_IFDIR, 0o755, 0, 0, 0, b"", (0, 0), 0, 0)
"""the root folder where no layer says anything about it"""
