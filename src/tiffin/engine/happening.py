"""events: what happened on this host, and what happens."""

from __future__ import annotations

import time

from tiffin.store import Store, events
from tiffin.store.events import Event, Missed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def happening(store: Store, *, since: float | None, until: float | None) -> Iterator[Event | Missed]:
    """The events since a time, or from now on; until a time, or for ever. With the second alone all there are."""
    after = events.last_number(store)
    if until is not None and since is None:  # as in Docker
        since = 0.0
    if since is not None:
        for event in events.read(store):
            if isinstance(event, Event):
                after = max(after, event.number)
                if event.time >= since * 1e9 and (until is None or event.time <= until * 1e9):
                    yield event
    if until is None or until > time.time():
        yield from events.follow(store, after=after, until=until)
