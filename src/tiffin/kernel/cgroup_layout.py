"""Where the control groups of this machine are: one tree per controller (v1), one for all (v2), or both (hybrid).

    /sys/fs/cgroup/                  v2            /sys/fs/cgroup/memory/tiffin/<id>/     v1
        tiffin/<id>/                               /sys/fs/cgroup/cpu,cpuacct/tiffin/<id>/
                                                   /sys/fs/cgroup/unified/tiffin/<id>/    v2 beside v1

A layout is read once per boot and travels as JSON: a start looks nothing up. See cgroups(7).
"""

from __future__ import annotations

from tiffin import json
from tiffin.record import NamedTuple


class Hierarchy(NamedTuple):
    """One mounted tree of groups."""

    controllers: tuple[str, ...]  # in v2 those that may be enabled; a v1 tree without any is called `name=…`
    mount: str
    position: str  # the group of the process that looked, relative to the mount; "/" when that is not below it


class Layout(NamedTuple):
    v1: tuple[Hierarchy, ...]
    v2: Hierarchy | None

    def v1_of(self, controller: str) -> Hierarchy | None:
        return next((hierarchy for hierarchy in self.v1 if controller in hierarchy.controllers), None)

    def v2_of(self, controller: str) -> Hierarchy | None:
        return self.v2 if self.v2 is not None and controller in self.v2.controllers else None

    def to_json(self) -> str:
        return json.dumps(self)

    @classmethod
    def from_json(cls, text: str) -> Layout:
        v1, v2 = json.loads(text)
        return cls(tuple(_hierarchy(*fields) for fields in v1), _hierarchy(*v2) if v2 else None)


def detect(mountinfo: str | None = None, membership: str | None = None, v2_controllers: str | None = None) -> Layout:
    """Read the layout from the texts of /proc/self/mountinfo, /proc/self/cgroup and v2's cgroup.controllers.

    A text that is not given is read from this machine. A hierarchy that is not mounted is left out.
    """
    mounts = _mounts(_read("/proc/self/mountinfo") if mountinfo is None else mountinfo)
    v1: list[Hierarchy] = []
    v2: Hierarchy | None = None
    for line in (_read("/proc/self/cgroup") if membership is None else membership).splitlines():
        number, controllers, path = line.split(":", 2)
        mount = _mount_of(mounts, controllers, is_v2=number == "0")
        if mount is None:
            continue
        if number == "0":
            known = _read(f"{mount.point}/cgroup.controllers") if v2_controllers is None else v2_controllers
            v2 = Hierarchy(tuple(known.split()), mount.point, _below(mount.root, path))
        else:
            v1.append(Hierarchy(tuple(controllers.split(",")), mount.point, _below(mount.root, path)))
    return Layout(tuple(v1), v2)


class _Mount(NamedTuple):
    root: str  # the part of the hierarchy that this mount shows
    point: str
    type: str
    options: frozenset[str]


def _mounts(mountinfo: str) -> list[_Mount]:
    mounts = []
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        _, _, _, root, point, *_ = before.split(" ")
        type_, _, options = after.split(" ", 2)
        if type_ in ("cgroup", "cgroup2"):
            mounts.append(_Mount(_unescape(root), _unescape(point), type_, frozenset(options.split(","))))
    # A whole hierarchy before a part of it: parts are bind mounts made for somebody else.
    return sorted(mounts, key=lambda mount: mount.root != "/")


def _mount_of(mounts: list[_Mount], controllers: str, *, is_v2: bool) -> _Mount | None:
    if is_v2:
        return next((mount for mount in mounts if mount.type == "cgroup2"), None)
    wanted = frozenset(controllers.split(","))
    return next((mount for mount in mounts if mount.type == "cgroup" and wanted <= mount.options), None)


def _below(root: str, path: str) -> str:
    if root == "/":
        return path
    return path.removeprefix(root) or "/" if f"{path}/".startswith(f"{root}/") else "/"


def _unescape(field: str) -> str:
    """Blanks in mountinfo are written in octal (proc_pid_mountinfo(5))."""
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(code, character)
    return field


def _hierarchy(controllers: list[str], mount: str, position: str) -> Hierarchy:
    return Hierarchy(tuple(controllers), mount, position)


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()
