"""Policy: which steps make the process space of a container with these settings, and in which order.

Pure but for a few looks at the machine (its bounding set, its devices): no step is taken here.
"""

from __future__ import annotations

import os
import stat

from tiffin.engine.binds import normal
from tiffin.errors import BadParameter
from tiffin.kernel import capabilities
from tiffin.kernel.cgroups import Hierarchy, Layout, Limits
from tiffin.kernel.mounts import (
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_SHARED,
    MS_SLAVE,
)
from tiffin.kernel.process import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUTS,
)
from tiffin.model.config import Config
from tiffin.model.host_config import HostConfig
from tiffin.model.mount import BindMount, OverlayMount
from tiffin.record import NamedTuple
from tiffin.runtime import defaults, steps
from tiffin.runtime.plan import ExecPlan, Plan
from tiffin.runtime.stage import DEFAULT_PATH
from tiffin.runtime.steps import Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PARENT = "/tiffin"
PERIOD = 100_000  # microseconds
PROPAGATION = {
    "rprivate": MS_PRIVATE, "private": MS_PRIVATE, "rslave": MS_SLAVE, "slave": MS_SLAVE, "rshared": MS_SHARED,
    "shared": MS_SHARED,
}  # fmt: skip
SPACES = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS


class Subject(NamedTuple):
    """The container that is to run, as the engine knows it."""

    id: str
    root: str
    runroot: str
    config: Config
    """the image's settings and the caller's, merged"""
    host: HostConfig
    union: OverlayMount
    at: str
    """an empty folder of the host to hang the union view on"""
    binds: tuple[BindMount, ...]
    """volumes, and the files of this run such as /etc/hosts"""
    files: dict[str, str]
    """what lies in the run's folder: name and text"""
    init: BindMount | None
    """a first process from this machine for `--init`; without it, ours"""
    filter: str
    """the compiled seccomp program in base64; empty for none"""
    attributes: dict[str, str]
    """of its events"""


def plan_run(subject: Subject, layout: Layout) -> Plan:
    """The plan of a run. Raises BadParameter for settings that make no sense."""
    config, host = subject.config, subject.host
    if not config.argv:
        raise BadParameter("no command specified: the image has none, so name one")
    return Plan(
        id=subject.id,
        root=subject.root,
        runroot=subject.runroot,
        layout=layout.to_json(),
        group=f"{host.cgroup_parent.rstrip('/')}/{subject.id}" if host.cgroup_parent else "",
        limits=limits_of(host),
        steps=tuple(_steps(subject, layout)),
        terminal=config.tty,
        open_stdin=config.open_stdin,
        stdin_once=config.stdin_once,
        log_driver=host.log.driver,
        log_largest=host.log.max_size,
        log_files=host.log.max_file,
        auto_remove=host.auto_remove,
        files=subject.files,
        attributes=subject.attributes,
    )


def plan_exec(
    id: str, argv: tuple[str, ...], config: Config, host: HostConfig, layout: Layout, keep: int, filter: str
) -> ExecPlan:
    """The plan of one more process in the space of container `id`; `config` has its user, environment and folder.

    `keep` is a mask of capabilities. Raises BadParameter where there is no command.
    """
    if not argv:
        raise BadParameter("no exec command specified")
    check_program(argv, config)
    network = 0 if host.network_mode == "host" else CLONE_NEWNET
    return ExecPlan(
        id=os.urandom(32).hex(),
        entering=(
            steps.JoinCgroup(),
            steps.JoinSpace(SPACES | network | CLONE_NEWCGROUP),
        ),
        steps=(
            steps.FindRoot(),
            *((steps.OpenExecTerminal(),) if config.tty else ()),
            *_become(config, keep, filter),
            steps.Execute(argv, _environment(config)),
        ),
        terminal=config.tty,
        open_stdin=config.open_stdin,
    )


def check_program(argv: tuple[str, ...], config: Config) -> None:
    """Raises BadParameter for what no program can be given."""
    for word in (*argv, *config.env, config.user, config.working_dir):
        if "\0" in word:
            raise BadParameter(f"{word!r} has a NUL character in it: no program can be given that")
    for variable in config.env:
        if variable.startswith("="):
            raise BadParameter(f"invalid environment variable: {variable}")
    if config.working_dir and not config.working_dir.startswith("/"):
        raise BadParameter(f"the working directory {config.working_dir!r} is invalid, it needs to be an absolute path")


def limits_of(host: HostConfig) -> Limits:
    """What the settings say, in the cgroups' terms."""
    return Limits(
        memory=host.memory or None,
        memory_swap=2 * host.memory or None,  # as Docker, where nothing is said of swap
        cpu_quota=host.nano_cpus * PERIOD // 10**9 if host.nano_cpus else None,
        cpu_period=PERIOD if host.nano_cpus else None,
        pids=host.pids_limit if host.pids_limit > 0 else None,
        devices=() if host.privileged else defaults.DEVICE_RULES,
    )


def kept_capabilities(host: HostConfig) -> int:
    """Docker's default, with what is added and without what is dropped, within the machine's own bounding set."""
    most = capabilities.bounding()
    try:
        add, drop = capabilities.parse(host.cap_add), capabilities.parse(host.cap_drop)
    except ValueError as error:
        raise BadParameter(str(error)) from error
    if host.privileged:
        return capabilities.mask(most)
    # moby oci/caps/utils.go: with "ALL" dropped, only what is named is added; with "ALL" added, all but what is dropped
    drop_all, add_all = _names_all(host.cap_drop), _names_all(host.cap_add)
    start = most if add_all else frozenset() if drop_all else defaults.CAPABILITIES
    kept = (start | (frozenset() if add_all else add)) - (frozenset() if drop_all else drop)
    return capabilities.mask(kept & most)


def _steps(subject: Subject, layout: Layout) -> Iterator[Step]:
    config, host, union = subject.config, subject.host, subject.union
    yield steps.JoinCgroup()
    yield steps.UnshareCgroup()
    if host.network_mode == "host":
        yield steps.ShareNetwork()
    shared = [bind for bind in subject.binds if PROPAGATION[bind.propagation] == MS_SHARED]
    yield steps.IsolateMounts(tuple((bind.source, bind.target) for bind in shared))
    yield steps.MountUnion(union.lowers, union.upper, union.work, union.volatile, subject.at)
    yield from _kernel_mounts(host, layout)
    yield from _volumes((*subject.binds, *((subject.init,) if subject.init else ())), host.tmpfs, subject.runroot)
    if config.tty:
        yield steps.OpenTerminal()
    if config.working_dir:
        yield steps.MakeFolder(config.working_dir)
    if not host.privileged:
        yield steps.MaskPaths((*defaults.MASKED, *_thermal_throttles()))
        yield steps.ReadonlyPaths(defaults.READONLY)
    yield steps.PivotRoot()
    yield steps.SetHostname(config.hostname, config.domainname)
    if host.network_mode != "host":
        yield steps.LoopbackUp()
    if host.readonly_rootfs:
        yield steps.ReadonlyRoot()
    yield from _become(config, kept_capabilities(host), subject.filter)
    yield steps.DieWithShim()
    if host.init and not subject.init:
        yield steps.ExecuteUnderInit(config.argv, _environment(config))
    else:
        first = (subject.init.target, "--") if subject.init else ()
        yield steps.Execute((*first, *config.argv), _environment(config))


def _become(config: Config, keep: int, filter: str) -> Iterator[Step]:
    yield steps.ChangeFolder(config.working_dir or "/")
    yield steps.LimitCapabilities(keep)
    yield steps.JoinNewKeyring()
    if filter:  # while we still may: without no_new_privs it takes CAP_SYS_ADMIN
        yield steps.FilterSyscalls(filter)
    yield steps.SetUser(config.user, ())
    yield steps.HoldCapabilities(keep)


def _kernel_mounts(host: HostConfig, layout: Layout) -> Iterator[Step]:
    yield defaults.PROC
    yield defaults.DEV
    yield steps.MakeDevices(_host_devices() if host.privileged else defaults.DEVICES)
    yield steps.MakeLinks(defaults.LINKS)
    yield defaults.DEVPTS
    yield defaults.SHM
    yield defaults.MQUEUE
    yield defaults.SYS_WRITABLE if host.privileged else defaults.SYS
    yield from _cgroup_mounts(layout, 0 if host.privileged else MS_RDONLY)


def _cgroup_mounts(layout: Layout, readonly: int) -> Iterator[Step]:
    flags, top = MS_NOSUID | MS_NODEV | MS_NOEXEC, "/sys/fs/cgroup"
    why = "see the own limits and use, not those of others"
    if not layout.v1:
        if layout.v2:
            yield steps.MountKernel("cgroup2", top, flags | readonly, "", why)
        return
    entries = [(_name(hierarchy), "cgroup", _options(hierarchy)) for hierarchy in layout.v1]
    if layout.v2:
        entries.append(("unified", "cgroup2", ""))
    yield steps.MountCgroups(tuple(entries), flags | readonly)


def _name(hierarchy: Hierarchy) -> str:
    return ",".join(hierarchy.controllers).removeprefix("name=")


def _options(hierarchy: Hierarchy) -> str:
    words = ",".join(hierarchy.controllers)
    return f"none,{words}" if words.startswith("name=") else words


def _volumes(binds: Iterable[BindMount], tmpfs: Mapping[str, str], runroot: str) -> Iterator[Step]:
    """What lies deeper is mounted later, so that it is not covered."""
    wanted: list[tuple[str, Step]] = []
    for bind in binds:
        propagation = PROPAGATION[bind.propagation]
        is_own = bind.source.startswith(f"{runroot}/")
        why = "its own, written anew for each run" if is_own else "a folder or file of the host, seen inside as well"
        step = steps.Bind(bind.source, bind.target, bind.readonly, bind.recursive, propagation, why)
        wanted.append((bind.target, step))
    for target, options in tmpfs.items():
        flags, rest = tmpfs_options(options)
        wanted.append((normal(target), steps.MountMemory(normal(target), flags, rest)))
    return (step for _, step in sorted(wanted, key=lambda pair: pair[0].count("/")))


def tmpfs_options(options: str) -> tuple[int, str]:
    """mount(8)'s words as flags, and the rest; the defaults are Docker's. Raises BadParameter."""
    flags, rest = MS_NOSUID | MS_NODEV | MS_NOEXEC, list[str]()
    switches = {
        "ro": (MS_RDONLY, True), "rw": (MS_RDONLY, False), "exec": (MS_NOEXEC, False), "noexec": (MS_NOEXEC, True),
        "suid": (MS_NOSUID, False), "nosuid": (MS_NOSUID, True), "dev": (MS_NODEV, False), "nodev": (MS_NODEV, True),
    }  # fmt: skip
    for word in filter(None, options.split(",")):
        if word in switches:
            flag, on = switches[word]
            flags = flags | flag if on else flags & ~flag
        elif word.partition("=")[0] in ("size", "mode", "uid", "gid", "nr_inodes", "nr_blocks"):
            rest.append(word)
        else:
            raise BadParameter(f"invalid tmpfs option {word!r}; there are size, mode, uid, gid, {', '.join(switches)}")
    return flags, ",".join(rest)


def _names_all(names: tuple[str, ...]) -> bool:
    return any(name.upper() in ("ALL", "CAP_ALL") for name in names)


def _environment(config: Config) -> tuple[str, ...]:
    first = [f"PATH={DEFAULT_PATH}", f"HOSTNAME={config.hostname}"] + (["TERM=xterm"] if config.tty else [])
    return (*first, *config.env)


def _thermal_throttles() -> Iterator[str]:
    for cpu in range(os.cpu_count() or 1):
        yield f"/sys/devices/system/cpu/cpu{cpu}/thermal_throttle"


def _host_devices() -> tuple[steps.Node, ...]:
    """All nodes in the host's /dev, but for the file systems that a container has of its own."""
    nodes, folders = list[steps.Node](), ["/dev"]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                there = entry.stat(follow_symlinks=False)
                if entry.is_dir(follow_symlinks=False) and entry.path not in ("/dev/pts", "/dev/shm", "/dev/mqueue"):
                    folders.append(entry.path)
                elif (stat.S_ISCHR(there.st_mode) or stat.S_ISBLK(there.st_mode)) and entry.path not in _OWN:
                    nodes.append((entry.path, there.st_mode, os.major(there.st_rdev), os.minor(there.st_rdev)))
    return tuple(nodes)


_OWN = ("/dev/ptmx", "/dev/console")
