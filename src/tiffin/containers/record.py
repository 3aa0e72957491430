"""The record of a container: what `create` was told, and nothing that changes by running."""

from __future__ import annotations

from tiffin import json
from tiffin.errors import BadParameter, StoreDamaged
from tiffin.model.config import Config
from tiffin.model.host_config import HostConfig
from tiffin.record import NamedTuple


class ContainerRecord(NamedTuple):
    """`created` in seconds since 1970; `image` and `top` are ids; `config` has the image's settings merged in."""

    id: str
    name: str
    created: float
    image: str | None
    top: str | None
    config: Config
    host: HostConfig

    def to_bytes(self) -> bytes:
        form = {
            "Id": self.id,
            "Name": self.name,
            "Created": self.created,
            "Image": self.image,
            "Top": self.top,
            "Config": self.config.to_json(),
            "HostConfig": self.host.to_json(),
        }
        return json.dumps(form, indent=1).encode() + b"\n"

    @classmethod
    def from_bytes(cls, content: bytes, path: str) -> ContainerRecord:
        """Raises StoreDamaged, which names `path`."""
        try:
            form = json.loads(content)
            config, host = Config.from_json(form["Config"]), HostConfig.from_json(form["HostConfig"])
            return cls(form["Id"], form["Name"], form["Created"], form["Image"], form["Top"], config, host)
        except (ValueError, KeyError, TypeError, AttributeError, BadParameter) as error:
            raise StoreDamaged(f"{path} is no container's record ({error}); move its folder away to go on") from error
