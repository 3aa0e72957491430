"""The options of Docker's `run` and `create` that cannot act here, and why. None is swallowed: each is refused."""

from __future__ import annotations

from tiffin.cli.options import FALSE, TRUE, Option, refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NETWORKS = "comes with networks; until then there are --network none and host"
WINDOWS = "acts on Windows alone"

OPTIONS: tuple[Option[Any], ...] = (
    refused("publish", NETWORKS, "p", kind="list"),
    refused("publish-all", NETWORKS, "P", kind="", but=tuple(FALSE)),
    refused("ip", NETWORKS),
    refused("ip6", NETWORKS),
    refused("link", NETWORKS, kind="list"),
    refused("link-local-ip", NETWORKS, kind="list"),
    refused("mac-address", NETWORKS),
    refused("network-alias", NETWORKS, kind="list"),
    refused("cpu-count", WINDOWS, kind="int", but=("0",)),
    refused("cpu-percent", WINDOWS, kind="int", but=("0",)),
    refused("io-maxbandwidth", WINDOWS, kind="bytes", but=("0",)),
    refused("io-maxiops", WINDOWS, kind="uint", but=("0",)),
    refused("isolation", WINDOWS, but=("", "default")),
    refused("gpus", "drivers of GPUs bring hooks of their own that tiffin does not run; name the files with --device"),
    refused("kernel-memory", "Linux limits it with the rest of the memory since 5.4; use --memory", kind="bytes"),
    refused("runtime", "the process space is made by tiffin itself; other runtimes come later", but=("",)),
    refused("storage-opt", "the read-write layer is a folder: only a quota of the disk limits its size", kind="list"),
    refused("userns", "comes with ordinary users", but=("", "host")),
    refused("volume-driver", "volumes are folders of this host: there is only the driver local", but=("", "local")),
    refused("use-api-socket", "comes with the API", kind="", but=tuple(FALSE)),
    refused("disable-content-trust", "signatures come with registries", kind="", but=tuple(TRUE)),
)
