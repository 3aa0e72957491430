"""Names for containers that nobody named."""

from __future__ import annotations

import os

MANNERS = (
    "brave", "bright", "calm", "clever", "crisp", "eager", "fresh", "gentle", "glad", "golden", "happy", "hearty",
    "honest", "jolly", "keen", "kind", "light", "lively", "lucky", "mellow", "merry", "mild", "neat", "nimble",
    "patient", "plain", "proud", "quick", "quiet", "ready", "ripe", "savory", "simple", "smooth", "sunny", "swift",
    "tender", "warm", "wise", "witty",
)  # fmt: skip
DISHES = (
    "aloo", "barfi", "bhaji", "bhatura", "biryani", "chaat", "chana", "chapati", "chutney", "curd", "dal", "dosa",
    "gobi", "halwa", "idli", "jalebi", "kebab", "kheer", "khichdi", "kofta", "korma", "ladoo", "lassi", "methi",
    "naan", "pakora", "palak", "paneer", "papad", "paratha", "pilaf", "poha", "pulao", "puri", "raita", "rasam",
    "roti", "sabzi", "sambar", "samosa", "thali", "tikka", "upma", "vada",
)  # fmt: skip


def suggest() -> str:
    """Such as `merry_samosa_4f1c`."""
    first, second, *rest = os.urandom(4)
    return f"{MANNERS[first % len(MANNERS)]}_{DISHES[second % len(DISHES)]}_{bytes(rest).hex()}"
