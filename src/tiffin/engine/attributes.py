"""What an event says of a container or an image: Docker's Actor.Attributes."""

from __future__ import annotations

from tiffin.containers import ContainerRecord
from tiffin.model.config import Config


def attributes(record: ContainerRecord) -> dict[str, str]:
    """Of a container: its labels, its name, and the image as it was asked for."""
    return of_container(record.name, record.config)


def of_container(name: str, config: Config) -> dict[str, str]:
    return {**config.labels, "name": name, "image": config.image}


def of_image(name: str, config: Config) -> dict[str, str]:
    """Its labels, and a name of it, or its id."""
    return {**config.labels, "name": name}
