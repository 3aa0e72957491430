"""What holds a process back, as the kernel tells it: /proc/<pid>/status, mountinfo and attr, in a reader's words.

Where nothing holds it back, that is said as well: "not filtered", "none". Mount points and labels are a container's to
choose; a line of these files ends where the kernel says so, since it writes the blanks and line ends in names in octal.
"""

from __future__ import annotations

import os

from tiffin.kernel import capabilities
from tiffin.record import NamedTuple
from tiffin.view.picture import Protection
from tiffin.view.words import many

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_STATUS = 1 << 20  # bytes; a process may be in 65,536 groups, and they stand in the middle
LONGEST_MOUNTS = 1 << 20  # bytes: some ten thousand mounts
LONGEST_LABEL = 200  # bytes
LISTED = 16  # paths or groups
KERNEL_PLACES = ("/proc/", "/sys/")
CGROUPS = "/sys/fs/cgroup/"
BLINDS = ("tmpfs", "devtmpfs")  # nothing of the kernel's is in a tmpfs, nor in the /dev/null of a /dev


class _Mount(NamedTuple):
    point: str
    kind: str
    is_readonly: bool


def of(place: int, *, shares_users: bool) -> tuple[Protection, ...]:
    """Of a process, given by a descriptor of its folder in /proc; `shares_users`: it is in our own user namespace.

    Raises OSError where it has gone, or has no thread left but those that it is not named by.
    """
    status = _fields(read(place, "status", LONGEST_STATUS))
    mounts = _mounts(read(place, "mountinfo", LONGEST_MOUNTS))
    masked = [mount.point for mount in mounts if _is_blind(mount)]
    readonly = [mount.point for mount in mounts if mount.is_readonly and _is_kernels(mount) and not _is_blind(mount)]
    return (
        Protection("capabilities", _capabilities(int(status["CapEff"], 16), int(status["CapBnd"], 16))),
        Protection("system calls", _system_calls(status)),
        Protection("new privileges", _new_privileges(status.get("NoNewPrivs", "0"))),
        Protection("user", _user(status, shares_users=shares_users)),
        Protection("root folder", _root(mounts)),
        Protection("masked paths", _listed(masked)),
        Protection("read-only paths", _listed(readonly)),
        Protection("label", _label(place)),
        Protection("out of memory", _out_of_memory(read(place, "oom_score_adj", 100).strip())),
    )


def read(place: int, name: str, most: int) -> str:
    """The beginning of a file in the folder of a process, whatever bytes are in it. Raises OSError."""
    descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=place)
    try:
        content = b""
        while len(content) < most and (piece := os.read(descriptor, most - len(content))):
            content += piece
    finally:
        os.close(descriptor)
    return content.decode(errors="replace")


def _fields(text: str) -> dict[str, str]:
    """Of `status`: the kernel writes a line end in a name as \\n, so no program can add a field."""
    return {key: value.strip() for key, _, value in (line.partition(":") for line in text.split("\n"))}


def _capabilities(effective: int, bounding: int) -> str:
    total = capabilities.last_cap() + 1
    if effective == bounding:
        return _counted(effective, total)
    return f"{_counted(effective, total)}; at most {_counted(bounding, total)}"


def _counted(mask: int, total: int) -> str:
    """How many of how many, and which: the shorter list of those that it has and those that it lacks."""
    held = capabilities.members(mask)
    if not held:
        return f"none of {total}"
    if len(held) == total:
        return f"all {total}"
    lacking = frozenset(range(total)) - held
    if len(lacking) < len(held):
        return f"{len(held)} of {total}: all but {_names(lacking)}"
    return f"{len(held)} of {total}: {_names(held)}"


def _names(numbers: Iterable[int]) -> str:
    return ", ".join(name.removeprefix("CAP_").lower() for name in capabilities.names(numbers))


def _system_calls(status: dict[str, str]) -> str:
    mode = status.get("Seccomp", "0")
    if mode == "0":
        return "not filtered"
    if mode == "1":
        return "only read, write, _exit and sigreturn"
    number = status.get("Seccomp_filters", "")  # since Linux 5.9
    return f"filtered ({many(int(number), 'seccomp program')})" if number.isdecimal() else "filtered"


def _new_privileges(flag: str) -> str:
    if flag == "1":
        return "none, whatever program it starts"
    return "set-user-id programs give them, within the capabilities"


def _user(status: dict[str, str], *, shares_users: bool) -> str:
    user, group = (status[key].split()[1] for key in ("Uid", "Gid"))  # real, effective, saved, file system
    others = [number for number in status["Groups"].split() if number != group]
    text = f"{user}:{group}" + (f", in the groups {_some(others)}" if others else "")
    return f"{text}; the same as on the host" if shares_users else f"{text} as the host counts; inside it is another"


def _root(mounts: list[_Mount]) -> str:
    root = [mount for mount in mounts if mount.point == "/"][-1:]  # the last one covers the others
    if not root:
        return "unknown"
    return "read-only" if root[0].is_readonly else "read-write"


def _label(place: int) -> str:
    """AppArmor's, SELinux's or Smack's (proc_pid_attr(5))."""
    try:
        label = read(place, "attr/current", LONGEST_LABEL).strip("\0\n ")
    except OSError:
        label = ""
    return label or "none: no security module of this machine gives labels"


def _out_of_memory(adjustment: str) -> str:
    number = int(adjustment)
    if number == -1000:
        return "never killed (score -1000)"
    if number < 0:
        return f"killed later than others (score {number})"
    return f"killed before others (score +{number})" if number else "killed as any other (score 0)"


def _mounts(text: str) -> list[_Mount]:
    """proc_pid_mountinfo(5). What was cut off in the middle of a line is left out."""
    found = []
    for line in text[: text.rfind("\n") + 1].split("\n")[:-1]:
        before, _, after = line.partition(" - ")
        fields, (kind, _, options) = before.split(" "), after.split(" ", 2)
        is_readonly = "ro" in fields[5].split(",") or "ro" in options.split(",")
        found.append(_Mount(fields[4], kind, is_readonly))
    return found


def _is_kernels(mount: _Mount) -> bool:
    """Whether it lies in what the kernel shows of itself; the many hierarchies of cgroups v1 count as one place."""
    return f"{mount.point}/".startswith(KERNEL_PLACES) and not mount.point.startswith(CGROUPS)


def _is_blind(mount: _Mount) -> bool:
    is_root = f"{mount.point}/" in (*KERNEL_PLACES, CGROUPS)
    return _is_kernels(mount) and mount.kind in BLINDS and not is_root


def _listed(paths: list[str]) -> str:
    once = sorted(set(paths))
    return f"{len(once)}: {_some(once)}" if once else "none"


def _some(words: list[str]) -> str:
    rest = len(words) - LISTED
    return ", ".join(words[:LISTED]) + (f" and {rest} more" if rest > 0 else "")
