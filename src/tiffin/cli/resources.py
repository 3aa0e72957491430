"""The options of create, run and update about what a container may use of memory, processors and other goods."""

from __future__ import annotations

from tiffin.cli import units
from tiffin.cli.options import number, parsed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.cli.options import Given
    from tiffin.model.host_config import HostConfig

MEMORY = parsed("bytes", "memory", "limit of memory, with b, k, m or g", "m", units.read_binary_size, 0)
CPUS = parsed("decimal", "cpus", "limit of CPU time, in CPUs, as in 1.5", "", units.read_cpus, 0)
PIDS_LIMIT = number("pids-limit", "limit of processes; -1 for none")

OPTIONS = (MEMORY, CPUS, PIDS_LIMIT)


def on_host(given: Given, host: HostConfig) -> HostConfig:
    return host._replace(
        memory=given[MEMORY], nano_cpus=given[CPUS], pids_limit=max(0, given[PIDS_LIMIT] or 0)
    )
