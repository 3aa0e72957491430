"""Names in archives: which ones may be, and how one is shown to a reader."""

from __future__ import annotations

from tiffin.errors import BadArchive

LONGEST_PART = 255  # NAME_MAX
LONGEST_PATH = 4000  # PATH_MAX is 4096, and a tree lies in a folder that has a name too


def parts(name: bytes) -> list[bytes]:
    """The names along a path inside a layer; none for the root.

    Raises BadArchive for a name that is absolute, leads upwards, or is longer than Linux takes.
    """
    if name.startswith(b"/") and name.strip(b"/"):
        raise BadArchive(f"the archive has an absolute name: {shown(name)}; a layer's names are relative to its root")
    if len(name) > LONGEST_PATH:
        raise BadArchive(f"the archive has a name of {len(name)} bytes, Linux takes {LONGEST_PATH}: {shown(name)}")
    words = [word for word in name.split(b"/") if word and word != b"."]
    if b".." in words:
        raise BadArchive(f"the archive has a name that leads upwards: {shown(name)}")
    return words


def shown(name: bytes) -> str:
    """A name from an archive, fit for a message: short, and with nothing in it that a terminal would obey."""
    text = name[:200].decode("utf-8", "replace")
    return "".join(character if character.isprintable() else "?" for character in text)
