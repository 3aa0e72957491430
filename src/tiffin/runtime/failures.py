"""Why a program did not begin, in words for who asked for it: the names of our steps tell him nothing."""

from __future__ import annotations

from errno import EINVAL, EISDIR, ENOTDIR

from tiffin.record import NamedTuple
from tiffin.runtime.stage import CannotExecute
from tiffin.runtime.users import NoSuchUser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

CANNOT: Mapping[str, str] = {
    "JoinCgroup": "join its control group",
    "UnshareCgroup": "have its own view of the control groups",
    "ShareNetwork": "use the network of this host",
    "IsolateMounts": "have mounts of its own",
    "MountUnion": "mount its layers",
    "MountKernel": "mount {kind} at {target}",
    "MountCgroups": "mount its control groups at /sys/fs/cgroup",
    "MountMemory": "mount a tmpfs at {target}",
    "MakeDevices": "make the devices in /dev",
    "MakeLinks": "make the links in /dev",
    "Bind": "mount {source} at {target}",
    "MaskPaths": "hide parts of /proc and /sys",
    "ReadonlyPaths": "make parts of /proc read-only",
    "OpenTerminal": "open a terminal",
    "MakeFolder": "make the working directory {path}",
    "PivotRoot": "take its layers as the root",
    "ReadonlyRoot": "make its root read-only",
    "SetHostname": "set the host name {hostname}",
    "LoopbackUp": "bring up its loopback network",
    "JoinSpace": "enter the namespaces of the container",
    "FindRoot": "find the root of the container",
    "OpenExecTerminal": "open a terminal",
    "SetUser": "become the user {user}",
    "ChangeFolder": "enter the working directory {path}",
    "LimitCapabilities": "give up capabilities",
    "HoldCapabilities": "give up capabilities",
    "JoinNewKeyring": "have a keyring of its own",
    "DieWithShim": "bind itself to the process that watches over it",
    "NoNewPrivileges": "give up the rights of set-uid programs",
    "FilterSyscalls": "filter its system calls",
    "Execute": "execute the program",
    "ExecuteUnderInit": "execute the program",
}
"""What could not be done, by the name of the step."""
ONTO = "Are you trying to mount a directory onto a file (or vice-versa)?"  # Docker's words


BENEATH = "the file system of the root may be an overlay itself, or one over the net: name another --root"
"""what EINVAL from overlay nearly always means (kernel: overlayfs.rst, "Upper and Lower")"""


class Failure(NamedTuple):
    """`kind`: missing, denied, user, running, gone, killed, or step. `step` is for who looks for a fault of ours."""

    kind: str
    step: str
    errno: int
    text: str


def failure_of(step: Any, error: BaseException) -> Failure:
    """Of a step, or of what comes before the first (None)."""
    name = type(step).__name__ if step else "start"
    if isinstance(error, CannotExecute):
        return Failure("missing" if error.missing else "denied", name, 0, str(error))
    if isinstance(error, NoSuchUser):
        return Failure("user", name, 0, str(error))
    tried = f"cannot {CANNOT[name].format(**step._asdict())}" if step else "cannot begin"
    if not isinstance(error, OSError):
        return Failure("step", name, 0, f"{tried}: {type(error).__name__}: {error}")
    return Failure("step", name, error.errno or 0, f"{tried}: {error.strerror}{_hint(name, error)}")


def _hint(step: str, error: OSError) -> str:
    if error.errno in (EISDIR, ENOTDIR) and step in ("Bind", "MountMemory"):
        return f"; {ONTO}"
    return f"; {BENEATH}" if error.errno == EINVAL and step == "MountUnion" else ""
