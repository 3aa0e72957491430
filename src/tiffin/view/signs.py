"""The states of a container as a sign and a word, always together: neither needs a colour.

    ○ created    ▶ running 2 h    ‖ paused    ↻ restarting    ✓ exited 0    ✗ exited 3    ↑ removing    † dead

A gauge the same way: "14.0 of 256.0 MB", "3, no limit".
"""

from __future__ import annotations

from types import MappingProxyType

from tiffin.model.nouns import State
from tiffin.view import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.view.picture import Gauge, Tray

IN_BYTES = ("memory", "swap")
"""gauges"""
FAILED = "failed"
UNKNOWN = "unknown"
"""how it ends was not foretold: that is up to its program"""

SIGNS = MappingProxyType({
    State.CREATED: "○", State.RUNNING: "▶", State.PAUSED: "‖", State.RESTARTING: "↻", State.EXITED: "✓",
    FAILED: "✗", UNKNOWN: "?", State.REMOVING: "↑", State.DEAD: "†",
})  # fmt: skip
WORDS = MappingProxyType({State.EXITED: "exited 0", UNKNOWN: "exited"})
"""of a kind, where the kind itself is no good word for many containers"""
NAMESPACES = MappingProxyType({
    "mnt": "mounts", "pid": "processes", "net": "network", "ipc": "ipc", "uts": "host name", "cgroup": "cgroups",
    "user": "users", "time": "clocks",
})  # fmt: skip
"""what each kind of namespace holds"""


def kind(tray: Tray) -> str:
    """Its state; of the exited also how they ended: `exited` (with 0), `failed`, `unknown`."""
    if tray.state != State.EXITED:
        return tray.state
    if tray.is_out_of_memory or tray.exit_code:
        return FAILED
    return State.EXITED if tray.exit_code == 0 else UNKNOWN


def sign(tray: Tray) -> str:
    """One column wide."""
    return SIGNS.get(kind(tray), "?")


def word(tray: Tray, at: float = 0.0) -> str:
    """What its sign means, without its reason. With `at`, seconds since 1970, also since when: "exited 3, 4 s ago"."""
    elapsed = words.age(at - tray.since) if at and tray.since else ""
    if tray.state in (State.RUNNING, State.PAUSED):
        return f"{tray.state} {elapsed}".rstrip()
    if tray.state != State.EXITED:
        return words.harmless(tray.state)
    return _ending(tray) + (f", {elapsed} ago" if elapsed and kind(tray) != UNKNOWN else "")


def size(tray: Tray) -> str:
    """ "2.3 kB", "at least 2.3 kB", "?": what its read-write layer holds."""
    is_least = tray.is_least and tray.size is not None
    return f"{'at least ' * is_least}{words.amount(tray.size)}"


def changes(tray: Tray) -> str:
    """ "+2 ~1 −1", what it adds, changes and removes; "+3000 ~0 −0 …" where that is not all; empty for nothing."""
    told = "+{} ~{} −{}".format(*tray.changes) if tray.changes and any(tray.changes) else ""
    return told + " …" * (bool(told) and tray.is_least)


def count(kind: str, number: int) -> str:
    """ "4 running", "2 exited 0", "1 failed"."""
    return f"{number} {WORDS.get(kind, words.harmless(kind))}"


def use(gauge: Gauge) -> str:
    """What is used, and of how much."""
    used = quantity(gauge.name, gauge.used)
    if gauge.limit is None:
        return f"{used}, no limit"
    limit = quantity(gauge.name, gauge.limit)
    number, _, unit = used.partition(" ")
    return f"{number if unit and limit.endswith(f' {unit}') else used} of {limit}"


def quantity(name: str, number: int | None) -> str:
    """So much of a resource of that name: memory in bytes, cpus in thousandths, others as they are counted."""
    if number is None:
        return "?"
    if name in IN_BYTES:
        return words.amount(number)
    return f"{number / 1000:g}" if name == "cpus" else str(number)


def _ending(tray: Tray) -> str:
    if tray.is_out_of_memory:
        limit = _memory_limit(tray)
        return f"out of memory, {words.amount(limit)}" if limit else "out of memory"
    return "exited with its program's code" if tray.exit_code is None else f"exited {tray.exit_code}"


def _memory_limit(tray: Tray) -> int | None:
    gauges = tray.space.gauges if tray.space else ()
    return next((gauge.limit for gauge in gauges if gauge.name == "memory"), None)
