"""The steps of a plan in words, for those who read it before it is done. Why each is done, it says itself (`Step.why`).

Not in `steps`: whoever takes the steps has no use for the words, and would carry them in every container's memory.
"""

from __future__ import annotations

from tiffin.kernel import capabilities, process
from tiffin.runtime import steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NAMESPACES = (
    (process.CLONE_NEWNS, "mount"), (process.CLONE_NEWPID, "pid"), (process.CLONE_NEWNET, "network"),
    (process.CLONE_NEWIPC, "ipc"), (process.CLONE_NEWUTS, "uts"), (process.CLONE_NEWCGROUP, "cgroup"),
)  # fmt: skip
PLAIN: dict[type, str] = {
    steps.JoinCgroup: "join the container's control group",
    steps.UnshareCgroup: "unshare the cgroup namespace",
    steps.ShareNetwork: "enter the host's network namespace",
    steps.IsolateMounts: "unshare the mount namespace",
    steps.OpenTerminal: "open a terminal",
    steps.PivotRoot: "pivot the root, and unmount the old one",
    steps.ReadonlyRoot: "remount the root read-only",
    steps.LoopbackUp: "bring the loopback device up",
    steps.FindRoot: "open the root of the process space",
    steps.OpenExecTerminal: "open a terminal",
    steps.JoinNewKeyring: "join a new session keyring",
    steps.DieWithShim: "ask for SIGKILL when the shim ends",
    steps.NoNewPrivileges: "set no_new_privs",
    steps.FilterSyscalls: "load the seccomp filter",
}


def namespaces(flags: int) -> str:
    """ "pid, ipc and uts": those that flags of clone(2) name."""
    *first, last = [name for flag, name in NAMESPACES if flags & flag]
    return f"{', '.join(first)} and {last}" if first else last


def of_launcher() -> str:
    """The namespaces in which each process is forked that is to become a container's first: before any step."""
    from tiffin.runtime.spawner import SPACES  # which nobody else needs

    return namespaces(SPACES)


def does(step: steps.Step) -> str:
    """What the step does, as a command."""
    return PLAIN.get(type(step)) or _TOLD[type(step)](step)


def _mount_union(step: steps.MountUnion) -> str:
    below = len(step.lowers) - 1  # the lowest holds mount points of ours, and is no layer
    layers = "1 layer" if below == 1 else f"{below} layers"
    return f"mount the union view: the read-write layer on {layers}" if step.upper else f"mount {layers}"


def _mount_kernel(step: steps.MountKernel) -> str:
    return f"mount {step.kind} on {step.target}"


def _mount_cgroups(step: steps.MountCgroups) -> str:
    return f"mount {len(step.entries)} hierarchies of control groups on /sys/fs/cgroup"


def _mount_memory(step: steps.MountMemory) -> str:
    return f"mount a tmpfs on {step.target}" + (f" ({step.options})" if step.options else "")


def _make_devices(step: steps.MakeDevices) -> str:
    return f"make the devices {_some([path for path, *_ in step.nodes])}"


def _make_links(step: steps.MakeLinks) -> str:
    return f"make the links {_some([path for path, _ in step.links])}"


def _bind(step: steps.Bind) -> str:
    return f"bind {step.source} to {step.target}" + (", read-only" if step.readonly else "")


def _mask_paths(step: steps.MaskPaths) -> str:
    return f"mask {_some(step.paths)}"


def _readonly_paths(step: steps.ReadonlyPaths) -> str:
    return f"make {_some(step.paths)} read-only"


def _make_folder(step: steps.MakeFolder) -> str:
    return f"make the folder {step.path} if it is missing"


def _set_hostname(step: steps.SetHostname) -> str:
    return f"set the host name {step.hostname}"


def _join_space(step: steps.JoinSpace) -> str:
    return f"enter the {namespaces(step.flags)} namespaces"


def _set_user(step: steps.SetUser) -> str:
    return f"become the user {step.user or '0:0'}"


def _change_folder(step: steps.ChangeFolder) -> str:
    return f"go to {step.path}"


def _limit_capabilities(step: steps.LimitCapabilities) -> str:
    kept = capabilities.members(step.keep)
    return f"limit the bounding set to {len(kept)} of {len(capabilities.NAMES)} capabilities"


def _hold_capabilities(step: steps.HoldCapabilities) -> str:
    held = [name.removeprefix("CAP_").lower() for name in capabilities.names(capabilities.members(step.keep))]
    return f"hold only {_some(held, 3)}" if held else "hold no capability"


def _execute(step: steps.Execute | steps.ExecuteUnderInit) -> str:
    under = " as the child of an init" if isinstance(step, steps.ExecuteUnderInit) else ""
    return f"execute {' '.join(step.argv)}{under}"


def _some(names: Sequence[str], most: int = 4) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


_TOLD: dict[type, Callable[..., str]] = {
    steps.MountUnion: _mount_union,
    steps.MountKernel: _mount_kernel,
    steps.MountCgroups: _mount_cgroups,
    steps.MountMemory: _mount_memory,
    steps.MakeDevices: _make_devices,
    steps.MakeLinks: _make_links,
    steps.Bind: _bind,
    steps.MaskPaths: _mask_paths,
    steps.ReadonlyPaths: _readonly_paths,
    steps.MakeFolder: _make_folder,
    steps.SetHostname: _set_hostname,
    steps.JoinSpace: _join_space,
    steps.SetUser: _set_user,
    steps.ChangeFolder: _change_folder,
    steps.LimitCapabilities: _limit_capabilities,
    steps.HoldCapabilities: _hold_capabilities,
    steps.Execute: _execute,
    steps.ExecuteUnderInit: _execute,
}
