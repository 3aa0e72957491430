"""The options of create and run about what is seen inside besides the union view: folders, files, memory."""

from __future__ import annotations

import os

from tiffin.cli.options import many, switch
from tiffin.errors import BadParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.cli.options import Given
    from tiffin.model.host_config import HostConfig

READ_ONLY = switch("read-only", "mount the union view read-only")
VOLUME = many("volume", "show a folder or file of this host inside, HOST:INSIDE[:ro]", "v")
TMPFS = many("tmpfs", "a file system in memory, FOLDER[:OPTIONS]")

OPTIONS = (READ_ONLY, VOLUME, TMPFS)


def on_host(given: Given, host: HostConfig) -> HostConfig:
    """Raises BadParameter."""
    return host._replace(
        binds=tuple(dict.fromkeys(_bind(word) for word in given[VOLUME])),
        tmpfs=dict(_tmpfs(word) for word in given[TMPFS]),
        readonly_rootfs=given[READ_ONLY],
    )


def _bind(word: str) -> str:
    source, colon, rest = word.partition(":")
    target = rest.partition(":")[0]
    if source.startswith("."):  # as newer Docker does
        source = os.path.abspath(source)
    if not colon or not source.startswith("/"):
        raise BadParameter(
            f"-v {word}: only folders and files of this host, as /HOST:/INSIDE; named volumes come later"
        )
    if not target.startswith("/"):
        raise BadParameter(f"-v {word}: the place inside must be an absolute path")
    return f"{source}:{rest}"


def _tmpfs(word: str) -> tuple[str, str]:
    target, _, options = word.partition(":")
    if not target.startswith("/"):
        raise BadParameter(f"--tmpfs {word}: the place inside must be an absolute path")
    return target, options
