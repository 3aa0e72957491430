"""Waiting for many descriptors and for points in time, in one thread."""

from __future__ import annotations

import select
import time
from select import EPOLLIN, EPOLLOUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

READ, WRITE = EPOLLIN, EPOLLOUT

Handler: TypeAlias = "Callable[[int], None]"
"""Called with the events that came."""


class Loop:
    """Handlers by descriptor, and timers by key. `run` goes on until `stop`."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, Handler] = {}
        self._timers: dict[object, tuple[float, Callable[[], None]]] = {}
        self._going = True

    def watch(self, descriptor: int, events: int, handler: Handler) -> None:
        self._handlers[descriptor] = handler
        self._epoll.register(descriptor, events)

    def forget(self, descriptor: int) -> None:
        """Before the descriptor is closed. One that is not watched is fine."""
        if self._handlers.pop(descriptor, None):
            self._epoll.unregister(descriptor)

    def watches(self, descriptor: int) -> bool:
        return descriptor in self._handlers

    def after(self, seconds: float, key: object, action: Callable[[], None]) -> None:
        """Do something later; a second timer with the same key replaces the first."""
        self._timers[key] = (time.monotonic() + seconds, action)

    def cancel(self, key: object) -> None:
        self._timers.pop(key, None)

    def stop(self) -> None:
        self._going = False

    def run(self) -> None:
        while self._going:
            for descriptor, events in self._epoll.poll(self._patience()):
                handler = self._handlers.get(descriptor)
                if handler:  # an earlier handler of this round may have closed it
                    handler(events)
            now = time.monotonic()
            for key in [key for key, (due, _) in sorted(self._timers.items(), key=_due) if due <= now]:
                if key in self._timers and self._timers[key][0] <= now:  # else an earlier one of this round changed it
                    self._timers.pop(key)[1]()

    def _patience(self) -> float:
        if not self._timers:
            return -1
        return max(0.0, min(due for due, _ in self._timers.values()) - time.monotonic())


def _due(timer: tuple[object, tuple[float, Callable[[], None]]]) -> float:
    return timer[1][0]
