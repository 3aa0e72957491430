"""Whether settings make sense: said when a container is made, and not only when it starts."""

from __future__ import annotations

import os

from tiffin.engine import binds, planning
from tiffin.engine.signals import signal_number
from tiffin.errors import BadParameter
from tiffin.model.config import Config
from tiffin.model.host_config import HostConfig

NETWORKS = ("none", "host")
LEAST_MEMORY = 6 << 20  # bytes; Docker's
MOST_MEMORY = 1 << 62  # bytes: the kernel counts to twice as much, and that with swap is twice as much
LEAST_CPUS = 10**7  # billionths: a thousandth of a second in each period of a tenth is the kernel's least
MOST_PIDS = 1 << 22  # the kernel's (linux/threads.h)
LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")
LONGEST_HOSTNAME = 64  # bytes; the kernel's


def check(config: Config, host: HostConfig) -> None:
    """The settings of a container, those of its image among them. Raises BadParameter, in Docker's words."""
    if not config.argv:
        raise BadParameter("no command specified: the image has none, so name one")
    planning.check_program(config.argv, config)
    if config.stop_signal:
        signal_number(config.stop_signal)
    _check_name("hostname", config.hostname)
    if config.domainname:
        _check_name("domain name", config.domainname)
    if host.network_mode not in NETWORKS:
        raise BadParameter(f"network {host.network_mode} not found: there are none and host; others come with networks")
    _check_limits(host)
    planning.kept_capabilities(host)
    _check_mounts(host)


def _check_name(kind: str, name: str) -> None:
    """It becomes a line of /etc/hosts."""
    if not LETTERS.issuperset(name) or name.startswith(("-", ".")) or len(name) > LONGEST_HOSTNAME:
        form = f"letters, digits, -, _ and . may be in it, {LONGEST_HOSTNAME} at most"
        raise BadParameter(f"invalid {kind} {name!r}: {form}")


def _check_limits(host: HostConfig) -> None:
    if host.memory and host.memory < LEAST_MEMORY:
        raise BadParameter("Minimum memory limit allowed is 6MB")
    if host.memory > MOST_MEMORY:
        raise BadParameter("Maximum memory limit allowed is 4EB; without a limit there is none")
    most = os.cpu_count() or 1
    if host.nano_cpus and not LEAST_CPUS <= host.nano_cpus <= most * 10**9:
        raise BadParameter(f"Range of CPUs is from 0.01 to {most}.00, as there are only {most} CPUs available")
    if host.pids_limit > MOST_PIDS:
        raise BadParameter(f"Maximum pids limit allowed is {MOST_PIDS}; -1 is for none")


def _check_mounts(host: HostConfig) -> None:
    targets = [binds.parse(text).target for text in host.binds]
    for target, options in host.tmpfs.items():
        if not target.startswith("/") or "\0" in target or binds.normal(target) == "/":
            raise BadParameter(f"invalid mount path: {target!r} must be an absolute path, and not '/'")
        planning.tmpfs_options(options)
        targets.append(binds.normal(target))
    for target in targets:
        if targets.count(target) > 1:
            raise BadParameter(f"Duplicate mount point: {target}")
