"""What differs between two pictures of one host, marked in both: what goes in the first, what is new in the second."""

from __future__ import annotations

from tiffin.view.picture import Mark, Picture, Slab, Tray

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeVar

    T = TypeVar("T", Slab, Tray)


def marked(before: Picture, after: Picture) -> tuple[Picture, Picture]:
    """Both, with `Mark.GOING`, `Mark.NEW` and `Mark.CHANGED` where they belong, and nothing left of earlier marks."""
    slabs, trays = _by_id(before.slabs), _by_id(before.trays)
    later_slabs, later_trays = _by_id(after.slabs), _by_id(after.trays)
    return (
        before._replace(slabs=_goers(before.slabs, later_slabs), trays=_goers(before.trays, later_trays)),
        after._replace(
            slabs=tuple(slab._replace(mark=_of_slab(slab, slabs.get(slab.id))) for slab in after.slabs),
            trays=tuple(tray._replace(mark=_of_tray(tray, trays.get(tray.id))) for tray in after.trays),
        ),
    )


def _by_id(items: Sequence[T]) -> dict[str, T]:
    return {item.id: item for item in items}


def _goers(items: Sequence[T], later: Mapping[str, T]) -> tuple[T, ...]:
    return tuple(item._replace(mark=Mark.NONE if item.id in later else Mark.GOING) for item in items)


def _of_slab(slab: Slab, before: Slab | None) -> str:
    if before is None:
        return Mark.NEW
    return Mark.NONE if (slab.names, slab.images) == (before.names, before.images) else Mark.CHANGED


def _of_tray(tray: Tray, before: Tray | None) -> str:
    if before is None:
        return Mark.NEW
    return Mark.NONE if (tray.name, tray.state) == (before.name, before.state) else Mark.CHANGED
