"""Signals as people write them."""

from __future__ import annotations

import signal

from tiffin.errors import BadParameter


def signal_number(text: str) -> int:
    """Of `TERM`, `SIGTERM`, `sigterm` or `15`. Raises BadParameter."""
    if text.isdigit() and 0 < int(text) < 65:
        return int(text)
    name = text.upper().removeprefix("SIG")
    if name.startswith(("RTMIN", "RTMAX")):
        offset = name[5:] or "+0"
        base = signal.SIGRTMIN if name.startswith("RTMIN") else signal.SIGRTMAX
        if offset[0] in "+-" and offset[1:].isdigit() and 34 <= base + int(offset) <= 64:
            return base + int(offset)
    found = getattr(signal, f"SIG{name}", None)
    if not isinstance(found, signal.Signals):
        raise BadParameter(f"invalid signal: {text[:40]}")
    return int(found)
