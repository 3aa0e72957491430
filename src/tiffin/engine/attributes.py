"""What an event says of a container."""

from __future__ import annotations

from tiffin.containers import ContainerRecord


def attributes(record: ContainerRecord) -> dict[str, str]:
    """Its labels, its name, and the image as it was asked for: Docker's Actor.Attributes."""
    return {**record.config.labels, "name": record.name, "image": record.config.image}
