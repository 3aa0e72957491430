"""SOURCE:TARGET[:OPTIONS], as after Docker's `-v`."""

from __future__ import annotations

import os

from tiffin.errors import BadParameter
from tiffin.model.mount import BindMount

MODES = ("ro", "rw")
IGNORED = ("", "z", "Z")  # labels of SELinux: without it they mean nothing
PROPAGATIONS = ("private", "rprivate", "slave", "rslave", "shared", "rshared")


def parse(text: str) -> BindMount:
    """Raises BadParameter, in Docker's words."""
    source, _, rest = text.partition(":")
    target, _, options = rest.partition(":")
    if not source or not target or ":" in options:
        raise BadParameter(f"invalid volume specification: '{text}'; it is SOURCE:TARGET[:OPTIONS]")
    if "\0" in text:
        raise BadParameter(f"invalid volume specification: {text!r} has a NUL character in it")
    if not source.startswith("/"):
        raise BadParameter(f"invalid volume specification: '{text}': named volumes come with volumes; give a full path")
    if not target.startswith("/") or normal(target) == "/":
        raise BadParameter(f"invalid volume specification: '{text}': the target must be a full path, and not '/'")
    words = [word for word in options.split(",") if word not in IGNORED]
    modes, propagations = ([word for word in words if word in some] for some in (MODES, PROPAGATIONS))
    if len(modes) > 1 or len(propagations) > 1 or len(modes) + len(propagations) < len(words):
        raise BadParameter(f"invalid mode: {options}; there are ro or rw, and one of {', '.join(PROPAGATIONS)}")
    propagation = propagations[0] if propagations else "rprivate"
    return BindMount(normal(source), normal(target), modes == ["ro"], propagation=propagation)


def normal(path: str) -> str:
    """An absolute path in its shortest form."""
    return "/" + os.path.normpath(path).lstrip("/")  # two slashes at the beginning may have a meaning; not on Linux


def sources_made(binds: tuple[BindMount, ...]) -> None:
    """A source that is missing becomes an empty folder, as Docker does for `-v`. Raises BadParameter where it can't."""
    for bind in binds:
        if not os.path.lexists(bind.source):
            try:
                os.makedirs(bind.source, 0o755, exist_ok=True)
            except OSError as error:
                text = f"error while creating mount source path '{bind.source}': {error.strerror}"
                raise BadParameter(text) from error
