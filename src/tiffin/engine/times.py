"""Times as image configs write them: RFC 3339 in UTC, with nanoseconds."""

from __future__ import annotations

import time


def now() -> str:
    """Such as 2026-11-24T01:02:03.123456789Z."""
    return rfc3339(time.time_ns())


def rfc3339(nanoseconds: int) -> str:
    """A time in nanoseconds since 1970."""
    seconds, rest = divmod(nanoseconds, 10**9)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:09d}Z"


def seconds(text: str) -> float:
    """Seconds since 1970; 0 for what is no time, as for an image that tells none."""
    from datetime import UTC, datetime  # 1 ms

    try:
        there = datetime.fromisoformat(text)
    except ValueError:
        return 0.0
    return (there if there.tzinfo else there.replace(tzinfo=UTC)).timestamp()
