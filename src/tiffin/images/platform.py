"""For which machine an image is made (OCI image-spec, image-index.md, "platform"), and which one fits here."""

from __future__ import annotations

import os

from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# uname(2) -> GOARCH and variant, the names that images use
ARCHITECTURES = {
    "x86_64": ("amd64", ""),
    "aarch64": ("arm64", ""),
    "armv7l": ("arm", "v7"),
    "armv6l": ("arm", "v6"),
    "i686": ("386", ""),
    "i386": ("386", ""),
}


class Platform(NamedTuple):
    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in self if part)


def here() -> Platform:
    machine = os.uname().machine
    return Platform("linux", *ARCHITECTURES.get(machine, (machine, "")))


def best(offered: Sequence[Platform], wanted: Platform) -> int | None:
    """Which of several platforms suits; the first that is equal, else the first whose variant alone differs.

    Variants that matter are those of 32-bit ARM: v7 runs v6 and v5, not the reverse. v8 is the only arm64.
    """
    for fits in (_equal, _runs):
        for place, platform in enumerate(offered):
            if fits(platform, wanted):
                return place
    return None


def _equal(offered: Platform, wanted: Platform) -> bool:
    return _plain(offered) == _plain(wanted)


def _runs(offered: Platform, wanted: Platform) -> bool:
    same = offered[:2] == wanted[:2]
    return same and (wanted.architecture != "arm" or not offered.variant or offered.variant <= wanted.variant)


def _plain(platform: Platform) -> Platform:
    return platform._replace(variant="") if platform[1:] == ("arm64", "v8") else platform
