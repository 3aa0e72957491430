"""The options of create and run about what the program may do to this host, and see of it."""

from __future__ import annotations

from tiffin.cli.options import many, switch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.cli.options import Given
    from tiffin.model.host_config import HostConfig

PRIVILEGED = switch("privileged", "all capabilities and devices, and nothing masked: no wall against this host")
CAP_ADD = many("cap-add", "give a capability of Linux, or ALL")
CAP_DROP = many("cap-drop", "take a capability of Linux away, or ALL")

OPTIONS = (PRIVILEGED, CAP_ADD, CAP_DROP)


def on_host(given: Given, host: HostConfig) -> HostConfig:
    return host._replace(privileged=given[PRIVILEGED], cap_add=given[CAP_ADD], cap_drop=given[CAP_DROP])
