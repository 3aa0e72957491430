"""What a container uses of the host, around its stack: volumes and folders, networks, ports.

       rails of networks
drums  (the stack)
       sockets of ports
"""

from __future__ import annotations

from tiffin.view.picture import Joined, Network, Tray, Use, Volume
from tiffin.view.svg.canvas import CAPTION, CODE, SMALL, Box, Canvas, measure, number
from tiffin.view.svg.shapes import drum, rail, socket
from tiffin.view.words import amount, harmless

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

DRUM = Box(0, 0, 100, 52)
DRUMS = 178
"""width of the column of drums, with the lines from them"""
MOST_DRUMS = 6
RAIL = 36
SOCKET = 150


def draw_rails(canvas: Canvas, y: float, frame: Box, joined: Sequence[Joined], networks: Sequence[Network]) -> None:
    """Below each other, the container hanging on each by a ring left of the frame's handle."""
    subnets = {network.name: network.subnet for network in networks}
    free = frame.x + 52 + measure("process space", SMALL)
    step = min(26, (frame.x + frame.width / 2 - 36 - free) / max(len(joined), 1))
    for place, one in enumerate(joined):
        line, ring = y + 22 + RAIL * place, free + step * place
        rail(canvas, frame.x, line, frame.right, one.network, subnets.get(one.network, ""), frame.width * 0.5)
        canvas.path(f"M{number(ring)} {number(line)}V{number(frame.y)}", "drop")
        canvas.circle(ring, line, 4.5, "ring")
        canvas.text(frame.right, line - 7, one.address, CODE, "muted", anchor="end", room=frame.width * 0.35,
                    title="its address")  # fmt: skip


def draw_ports(canvas: Canvas, frame: Box, tray: Tray) -> float:
    """Sockets in the frame's lower line, the ports below them; where they end."""
    room = max(int((frame.width - 20) // SOCKET), 1)
    for place, port in enumerate(tray.ports[:room]):
        at = frame.x + 40 + SOCKET * place
        if tray.is_alive:
            socket(canvas, at, frame.bottom)
        more = len(tray.ports) - place if place == room - 1 else 1
        text = f"{more} more ports" if more > 1 else f"host {port}"
        canvas.text(at - 7, frame.bottom + 24, text, SMALL, "ink" if tray.is_alive else "muted", room=SOCKET - 14)
    return frame.bottom + (34 if tray.ports else 0)


def draw_drums(
    canvas: Canvas, x: float, y: float, wall: float, uses: Sequence[Use], volumes: Sequence[Volume]
) -> float:
    """Each with its path inside below it; their lines meet and go to the tray's wall. Where they end."""
    sizes = {volume.name: volume.size for volume in volumes}
    meet, top, middle = x + DRUMS - 18, y - 2, y
    for use in uses[:MOST_DRUMS]:
        _source(canvas, x, y, use.source, sizes.get(use.source))
        middle = y + DRUM.height / 2
        canvas.path(f"M{number(x + DRUM.width)} {number(middle)}H{number(meet)}", "pipe")
        canvas.text(x, y + DRUM.height + 15, f"→ {harmless(use.target)}", CODE, "ink", room=DRUMS - 28, is_path=True,
                    title="read-only, at" if use.is_readonly else "at")  # fmt: skip
        if use.is_readonly:
            canvas.text(x, y + DRUM.height + 29, "read-only", CAPTION, "muted")
        y += DRUM.height + (44 if use.is_readonly else 30)
    if len(uses) > MOST_DRUMS:
        canvas.text(x, y + 8, f"{len(uses) - MOST_DRUMS} more", SMALL, "muted")
    if uses:
        canvas.path(f"M{number(meet)} {number(middle)}V{number(top)}H{number(wall)}", "pipe")
    return y


def _source(canvas: Canvas, x: float, y: float, name: str, size: int | None) -> None:
    """A drum for a volume, a folder for a folder."""
    if not name.startswith("/"):
        below = amount(size) if size is not None else "volume"
        drum(canvas, Box(x, y, DRUM.width, DRUM.height), name, below)
        return
    canvas.path(
        f"M{number(x)} {number(y + 6)}q0-3 3-3h26l6 7h{number(DRUM.width - 38)}q3 0 3 3v{number(DRUM.height - 16)}"
        f"q0 3-3 3H{number(x + 3)}q-3 0-3-3z",
        "drum",
    )
    canvas.cover(x + DRUM.width, y + DRUM.height)
    middle = x + DRUM.width / 2
    canvas.text(middle, y + 28, name, CAPTION, "ink", room=DRUM.width - 10, anchor="mid", is_path=True)
    canvas.text(middle, y + 42, "of the host", CAPTION, "muted", anchor="mid")
