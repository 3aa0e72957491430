"""Facts about colours: every text and every line that means something can be told from its ground."""

from __future__ import annotations

import pytest

from tiffin.view.svg.palette import COLOURS, THEMES, style

TEXT, LINE = 4.5, 3.0
"""the least contrast by WCAG 2.2, 1.4.3 and 1.4.11"""
GROUNDS = {
    "ink": ("bg", "paper", "lay", "rw", "frF", "iceF", "litF", "volF"),
    "muted": ("bg", "paper", "lay", "rw", "frF", "iceF", "litF", "volF"),
    "rwT": ("bg", "rw", "frF", "iceF"),
    "fr": ("bg", "paper"),
    "ice": ("bg", "iceF"),
    "lit": ("bg", "paper", "lay", "litF", "rw"),
    "bad": ("bg", "paper", "rw"),
}
LINES = {
    "layS": ("bg", "paper", "lay"),
    "rwS": ("bg", "paper", "rw", "frF", "iceF"),
    "fr": ("bg", "paper", "frF"),
    "ice": ("bg", "iceF", "paper"),
    "lit": ("bg", "litF", "rw"),
    "bad": ("bg", "paper", "rw"),
    "vol": ("bg", "volF", "frF"),
    "net": ("bg",),
    "ghost": ("bg", "lay"),
    "ink": ("bg", "paper", "frF"),
}


def luminance(colour: str) -> float:
    """By WCAG 2.2, "relative luminance"."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_black_on_white_is_the_greatest_contrast() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("pairs", "least"), [(GROUNDS, TEXT), (LINES, LINE)], ids=("texts", "lines"))
def test_what_means_something_can_be_told_from_its_ground(
    theme: str, pairs: dict[str, tuple[str, ...]], least: float
) -> None:
    found = {
        f"{name} on {ground}": round(contrast(getattr(COLOURS[name], theme), getattr(COLOURS[ground], theme)), 2)
        for name, grounds in pairs.items() for ground in grounds
    }  # fmt: skip
    assert {pair: value for pair, value in found.items() if value < least} == {}


def test_auto_follows_the_system_and_a_notebook_that_says_otherwise() -> None:
    sheet = style("t1", "auto", ["slab"])
    assert "@media (prefers-color-scheme:dark){#t1{" in sheet
    assert '[data-jp-theme-light="false"] #t1{' in sheet
    assert f"fill:{COLOURS['lay'].light};fill:var(--lay)" in sheet


def test_a_fixed_theme_has_no_variables() -> None:
    assert THEMES == ("auto", "light", "dark")
    for theme in THEMES[1:]:
        assert "var(" not in style("t1", theme, ["slab", "k-ink", "wall"])
