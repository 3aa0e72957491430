"""The signs, as paths in a square of 16: a reader's font may lack them, or draw them in colour.

`F` is filled, `L` a line, both in the colour of the place where the sign stands.
"""

from __future__ import annotations

from types import MappingProxyType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def _line(d: str, width: str = "1.6") -> str:
    return f'<path d="{d}" fill="none" stroke="currentColor" stroke-width="{width}"/>'


def _area(d: str) -> str:
    return f'<path d="{d}" fill="currentColor"/>'


PAGE = "M4 2.2h5.2L12.2 5.2v8.6H4zM9.2 2.2v3h3"
RING = "M12.4 8A4.4 4.4 0 1 1 3.6 8A4.4 4.4 0 1 1 12.4 8z"

SIGNS: Mapping[str, str] = MappingProxyType(
    {
        # what is what
        "lock": _area("M4.2 7h7.6q1 0 1 1v4.6q0 1-1 1H4.2q-1 0-1-1V8q0-1 1-1z")
        + _line("M5.4 7V5a2.6 2.6 0 0 1 5.2 0V7"),
        "pencil": _line(
            "M2.9 13.1l.7-3.1L10.4 3.2a1.2 1.2 0 0 1 1.7 0l.7.7a1.2 1.2 0 0 1 0 1.7L6 12.4zM9.2 4.4l2.4 2.4", "1.4"
        ),
        "eye": _line("M1.2 8C3.2 4.9 5.4 3.4 8 3.4S12.8 4.9 14.8 8C12.8 11.1 10.6 12.6 8 12.6S3.2 11.1 1.2 8z")
        + _area("M10.2 8A2.2 2.2 0 1 1 5.8 8A2.2 2.2 0 1 1 10.2 8z"),
        "settings": _line("M1.5 5h13M1.5 11h13", "1.4")
        + _area("M8 5A2.2 2.2 0 1 1 3.6 5A2.2 2.2 0 1 1 8 5zM12.4 11A2.2 2.2 0 1 1 8 11A2.2 2.2 0 1 1 12.4 11z"),
        # states
        "created": _line(RING, "1.8"),
        "running": _area("M4 2.6q0-.9.8-.4l8.2 5.3q.7.5 0 1L4.8 13.8q-.8.5-.8-.4z"),
        "paused": _area("M3.6 2.8h3v10.4h-3zM9.4 2.8h3v10.4h-3z"),
        "restarting": _line("M12.9 8.6A5 5 0 1 1 11.4 4.4", "1.8") + _line("M12.6 1.8V5.2H9.2", "1.8"),
        "exited": _line("M2.6 8.6L6 12.2 13.4 4", "1.8"),
        "failed": _line("M3.6 3.6l8.8 8.8M12.4 3.6l-8.8 8.8", "2"),
        "memory": _line("M4.2 1.8h7.6q.8 0 .8.8v10.8q0 .8-.8.8H4.2q-.8 0-.8-.8V2.6q0-.8.8-.8z")
        + _area("M5.6 4h4.8v8H5.6z"),
        "unknown": _line("M5.2 5.6a2.8 2.8 0 1 1 4.2 2.4Q8 8.8 8 10.2", "1.8")
        + _area("M9.2 13A1.2 1.2 0 1 1 6.8 13A1.2 1.2 0 1 1 9.2 13z"),
        "removing": _line("M8 13.6V2.8M4 6.8l4-4 4 4", "1.8"),
        "dead": _line("M8 2v12M4.4 5.6h7.2", "2"),
        "down": _line("M8 2.4v10.8M4 9.2l4 4 4-4", "1.8"),
        # one process, one container seen from afar
        "dot": _area("M12 8A4 4 0 1 1 4 8A4 4 0 1 1 12 8z"),
        "block": _area("M3 1.5h10q1.5 0 1.5 1.5v10q0 1.5-1.5 1.5H3q-1.5 0-1.5-1.5V3q0-1.5 1.5-1.5z"),
        "tray": _line("M2.4 3v10.4h11.2V3", "2.4"),
        # files
        "folder": _line("M1.8 3.6h4.4l1.4 1.8h6.6v7.4H1.8z", "1.3"),
        "file": _line(PAGE, "1.3"),
        "link": _line(PAGE, "1.3") + _line("M6 11.4l3.6-3.6M6.8 7.6h2.9v2.9", "1.3"),
        "device": _line("M2.5 4.5h11v7h-11zM5 4.5v-2M8 4.5v-2M11 4.5v-2M5 13.5v-2M8 13.5v-2M11 13.5v-2", "1.3"),
    }
)  # fmt: skip
