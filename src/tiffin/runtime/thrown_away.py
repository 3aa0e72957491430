"""A `--rm` container at its end: it leaves its place at once; its files go when nobody holds its read-write layer."""

from __future__ import annotations

from tiffin.store import Store, events, sweep


def throw_away(store: Store, id: str, attributes: dict[str, str]) -> str:
    """Take the container from its place: from here on it is gone. Where its files lie now."""
    taken = store.trash(store.path("containers", id), durable=False)
    events.emit(store, "container", "destroy", id, attributes)
    return taken


def delete(store: Store, taken: str, name: str) -> None:
    """Delete its files, once its read-write layer was let go of, and give its name to others."""
    sweep.delete_if_free(taken)
    sweep.free_names(store, [name])
