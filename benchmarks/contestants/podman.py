"""podman, by its API service and by its command. It has no daemon; each container has a conmon that watches over it."""

from __future__ import annotations

import http.client
import os
import resource
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from benchmarks import surroundings
from benchmarks.contest import Refused, Scale
from benchmarks.contestants.docker import IMAGE, ApiEngine, start_daemon, stop_daemon
from benchmarks.engine_api import Api
from benchmarks.materials import Materials
from benchmarks.programs import Shell

RUNTIMES = ("crun", "runc")  # the faster one first; crun refuses to work on some machines
CONTAINERS = """
[containers]
default_ulimits = ["nofile={files}:{files}", "nproc={processes}:{processes}"]
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "/run/podman-tmp"
runtime = "{runtime}"
"""
STORAGE = """
[storage]
driver = "overlay"
graphroot = "{folder}/root"
runroot = "/run/podman-storage"
"""


class Podman(ApiEngine):
    name = "podman"
    log_driver: Mapping[str, object] = {"Type": "k8s-file", "Config": {}}
    command = "podman"

    def __init__(self, home: Path, archive: Path, materials: Materials, scale: Scale) -> None:
        self._folder = home / "podman"
        self._folder.mkdir()
        variables = {
            **os.environ,
            "TMPDIR": str(self._folder),
            "CONTAINERS_CONF": str(self._folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self._folder / "storage.conf"),
        }
        (self._folder / "storage.conf").write_text(STORAGE.format(folder=self._folder))
        shell = Shell(variables, home / "podman.stderr")
        self._runtime = self._working_runtime(shell, archive)
        path = home / "podman.sock"
        command = ["podman", "system", "service", "--time", "0", f"unix://{path}"]
        self._service = start_daemon(command, path, self._folder, variables)
        super().__init__(home, Api(str(path)), shell, materials, scale)
        self.version = f"{shell.output('podman', '--version').split()[-1]} with {self._runtime}"

    def close(self) -> None:
        with suppress(OSError, Refused, http.client.HTTPException):
            self.remove_all()
        stop_daemon(self._service)

    def processes(self) -> list[int]:
        """The service, and a conmon for each container: these have a folder of ours among their arguments."""
        return [self._service.pid, *surroundings.processes(str(self._folder / "root"))]

    def _working_runtime(self, shell: Shell, archive: Path) -> str:
        """Try which one runs a container. Raises Refused where none does."""
        reasons = list[str]()
        for runtime in filter(shutil.which, RUNTIMES):
            (self._folder / "containers.conf").write_text(configuration(runtime))
            try:
                shell.time("podman", "load", "-q", "-i", str(archive))
                shell.time("podman", "run", "--rm", "--network", "none", IMAGE, "true")
            except Refused as reason:
                reasons.append(f"{runtime}: {reason}")
            else:
                return runtime
        raise Refused("; ".join(reasons) or "it needs crun or runc")


def configuration(runtime: str) -> str:
    # it asks for limits that only CAP_SYS_RESOURCE may raise: what this process has must do
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    _, processes = resource.getrlimit(resource.RLIMIT_NPROC)
    most = int(Path("/proc/sys/kernel/pid_max").read_text())
    if processes == resource.RLIM_INFINITY or processes > most:
        processes = most
    return CONTAINERS.format(files=files, processes=processes, runtime=runtime)


def installed() -> bool:
    return bool(shutil.which("podman"))
