"""Which image of several suits a machine."""

from __future__ import annotations

import pytest

from tiffin.images.platform import Platform, best

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")
V6, V7 = Platform("linux", "arm", "v6"), Platform("linux", "arm", "v7")


@pytest.mark.parametrize(
    ("offered", "wanted", "place"),
    [
        ([ARM64, AMD64], AMD64, 1),
        ([Platform("linux", "arm64", "v8")], ARM64, 0),
        ([Platform("linux", "amd64", "v3"), AMD64], AMD64, 1),
        ([V6, V7], V7, 1),
        ([V6], V7, 0),
        ([V7], V6, None),
        ([Platform("windows", "amd64")], AMD64, None),
        ([], AMD64, None),
    ],
)
def test_the_platform_that_suits_is_chosen(offered: list[Platform], wanted: Platform, place: int | None):
    assert best(offered, wanted) == place
