"""Signals as people write them."""

from __future__ import annotations

from tiffin.errors import BadParameter
from tiffin.kernel import signals


def signal_number(text: str) -> int:
    """Of `TERM`, `SIGTERM`, `sigterm` or `15`. Raises BadParameter."""
    if text.isdigit() and 0 < int(text) < 65:
        return int(text)
    name = text.upper().removeprefix("SIG")
    if name.startswith(("RTMIN", "RTMAX")):
        offset = name[5:] or "+0"
        base = signals.SIGRTMIN if name.startswith("RTMIN") else signals.SIGRTMAX
        if offset[0] in "+-" and offset[1:].isdigit() and 34 <= base + int(offset) <= 64:
            return base + int(offset)
    found = signals.numbers().get(f"SIG{name}")
    if found is None:
        raise BadParameter(f"invalid signal: {text[:40]}")
    return found
