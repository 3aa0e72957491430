"""What `layers` hands to `runtime`: a mount, described and not yet done.

The form of such a value lives here, below both; only the runtime performs it.
"""

from __future__ import annotations

from tiffin.record import NamedTuple


class OverlayMount(NamedTuple):
    """The union view of `lowers` (topmost first), writable where `upper` is given.

    `upper` and `work` must lie on one file system, which must not itself be an overlay (kernel: overlayfs.rst).
    `volatile` makes unmounting cheap and the program's own fsync a no-op: for containers that are thrown away.
    """

    lowers: tuple[str, ...]
    upper: str | None = None
    work: str | None = None
    volatile: bool = False


class BindMount(NamedTuple):
    """A folder or file of the host, seen at `target` inside."""

    source: str
    target: str
    readonly: bool = False
    recursive: bool = True
    propagation: str = "rprivate"


class TmpfsMount(NamedTuple):
    """A file system in memory at `target` inside. `options` in mount(8)'s form: "size=64m,mode=1777"."""

    target: str
    options: str = ""
