"""The steps by which a process gets a space of its own: small values that say what they do and why.

A plan is a list of them. The list is explained, drawn, compared in tests, carried to the spawner, and executed, in
order, by the process that becomes the container's (`apply`). Up to `PivotRoot` the host is still in sight, and every
path inside the container is opened below the root's descriptor, so that no link of an image leads out.

After `PivotRoot` this code runs inside the container's tree: nothing may be imported or opened by accident.
"""

from __future__ import annotations

import os
import stat
from binascii import a2b_base64
from errno import ENODEV, EPERM

from tiffin.kernel import capabilities, mounts, network, process, seccomp
from tiffin.kernel.cgroups import join
from tiffin.kernel.files import open_in_root
from tiffin.kernel.mounts import (
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_RDONLY,
    MS_REC,
    MS_REMOUNT,
    MS_SLAVE,
)
from tiffin.record import NamedTuple
from tiffin.runtime.places import close_all, existing, file_in, folder_in, place
from tiffin.runtime.stage import Stage, is_null
from tiffin.runtime.users import find_user

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol
else:
    Protocol = object  # typing costs four milliseconds, and 600 KB in each spawner

Node = tuple[str, int, int, int]  # path, mode with type, major, minor

# What lxcfs and the like show in another way; runc lets these be covered too.
SHOWN_OTHERWISE = frozenset(
    f"/proc/{name}" for name in "cpuinfo diskstats loadavg meminfo slabinfo stat swaps uptime".split()
)


class Step(Protocol):
    """One thing to do. `why` is a sentence for the reader."""

    @property
    def why(self) -> str: ...

    def apply(self, stage: Stage) -> None: ...


class JoinCgroup(NamedTuple):
    """The first process has been there since before its caller came; a further one moves itself where v1 is."""

    why: str = "be counted and limited with the container's group from the first moment on"

    def apply(self, stage: Stage) -> None:
        join(stage.join_files)


class UnshareCgroup(NamedTuple):
    why: str = "see the own group as the root of all groups"

    def apply(self, stage: Stage) -> None:
        process.unshare(process.CLONE_NEWCGROUP)


class ShareNetwork(NamedTuple):
    why: str = "use the network of the host"

    def apply(self, stage: Stage) -> None:
        network = os.open(f"/proc/{stage.shim}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        process.setns(network, process.CLONE_NEWNET)
        os.close(network)


class IsolateMounts(NamedTuple):
    """`shared` are sources and targets of binds whose later mounts are to be seen on both sides."""

    shared: tuple[tuple[str, str], ...] = ()
    why: str = "mounts made from here on stay in this process space"

    def apply(self, stage: Stage) -> None:
        process.unshare(process.CLONE_NEWNS)
        for source, target in self.shared:  # while mounts still spread to the host
            try:
                stage.trees[target] = mounts.open_tree(source, recursive=True)
            except OSError as error:
                raise OSError(error.errno, f"{source}: {error.strerror}") from error
        # not private: a bind may ask to see what the host mounts later (mount_namespaces(7))
        mounts.mount("", "/", "", MS_REC | MS_SLAVE)
        stage.give_mounts()


class MountUnion(NamedTuple):
    """The overlay, on the empty folder `at`."""

    lowers: tuple[str, ...]
    upper: str | None
    work: str | None
    volatile: bool
    at: str
    why: str = "put the read-write layer on the read-only ones: the union view"

    def apply(self, stage: Stage) -> None:
        folder, lowers = os.open(self.at, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC), tuple(self.lowers)
        lowest = None
        if len(lowers) > mounts.TALLEST:  # an image may have that many, and the fixtures lie below it: two become one
            mounts.mount_overlay(lowers[-2:], None, None, folder)
            lowest = os.open(self.at, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            lowers = (*lowers[:-2], f"/proc/self/fd/{lowest}")
        mounts.mount_overlay(lowers, self.upper, self.work, folder, volatile=self.volatile)
        for descriptor in (folder, lowest):
            if descriptor is not None:
                os.close(descriptor)
        stage.root = os.open(self.at, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)


class MountKernel(NamedTuple):
    """A file system that the kernel makes: proc, sysfs, tmpfs, devpts, mqueue, cgroup."""

    kind: str
    target: str
    flags: int
    options: str
    why: str

    def apply(self, stage: Stage) -> None:
        target = folder_in(stage.root, self.target)
        mounts.mount(self.kind, f"/proc/self/fd/{target}", self.kind, self.flags, self.options)
        os.close(target)
        if self.kind == "proc":
            mounted = folder_in(stage.root, self.target)
            stage.proc = os.fstat(mounted).st_dev
            os.close(mounted)


class MountCgroups(NamedTuple):
    """The groups as v1 shows them: a folder for each hierarchy. `entries` are name, kind and options."""

    entries: tuple[tuple[str, str, str], ...]
    flags: int
    why: str = "see the own limits and use, not those of others"

    def apply(self, stage: Stage) -> None:
        top = folder_in(stage.root, "/sys/fs/cgroup")
        there = f"/proc/self/fd/{top}"
        safe = MS_NOSUID | MS_NODEV | MS_NOEXEC
        mounts.mount("tmpfs", there, "tmpfs", safe, "mode=755")
        os.close(top)
        top = folder_in(stage.root, "/sys/fs/cgroup")  # now the tmpfs
        os.fchdir(top)
        for name, kind, options in self.entries:
            os.mkdir(name)
            mounts.mount(kind, name, kind, self.flags, options)
        mounts.mount("tmpfs", ".", "tmpfs", safe | MS_REMOUNT | MS_RDONLY, "mode=755")
        os.close(top)


class MountMemory(NamedTuple):
    """A tmpfs that takes the mode and owner of the folder that it covers, where the options do not say.

    A folder that is missing is made for all to use, as /tmp is.
    """

    target: str
    flags: int
    options: str
    why: str = "files in memory, gone with the process space"

    def apply(self, stage: Stage) -> None:
        target = folder_in(stage.root, self.target, 0o1777)
        _spare_proc(stage, target, self.target)
        there = os.fstat(target)
        words = [word for word in self.options.split(",") if word]
        given = {word.partition("=")[0] for word in words}
        plain = {"mode": f"{stat.S_IMODE(there.st_mode):o}", "uid": f"{there.st_uid}", "gid": f"{there.st_gid}"}
        words += [f"{key}={text}" for key, text in plain.items() if key not in given]
        mounts.mount("tmpfs", f"/proc/self/fd/{target}", "tmpfs", self.flags, ",".join(words))
        os.close(target)


class MakeDevices(NamedTuple):
    nodes: tuple[Node, ...]
    why: str = "the few devices that every program may expect"

    def apply(self, stage: Stage) -> None:
        mask, folders = os.umask(0), dict[str, int]()
        for path, mode, major, minor in self.nodes:
            folder, name = place(stage.root, path, folders)
            os.mknod(name, mode, os.makedev(major, minor), dir_fd=folder)
        os.umask(mask)
        close_all(folders)


class MakeLinks(NamedTuple):
    links: tuple[tuple[str, str], ...]
    why: str = "names in /dev that lead to the process's own files"

    def apply(self, stage: Stage) -> None:
        folders = dict[str, int]()
        for path, target in self.links:
            folder, name = place(stage.root, path, folders)
            os.symlink(target, name, dir_fd=folder)
        close_all(folders)


class Bind(NamedTuple):
    """A folder or file of the host, seen inside as well."""

    source: str
    target: str
    readonly: bool
    recursive: bool
    propagation: int
    why: str

    def apply(self, stage: Stage) -> None:
        tree = stage.trees.pop(self.target, -1)
        if tree < 0:
            tree = mounts.open_tree(self.source, recursive=self.recursive)
        mounts.set_attributes(tree, propagation=self.propagation, recursive=self.recursive)
        if self.readonly:
            mounts.set_attributes(tree, add=mounts.MOUNT_ATTR_RDONLY, recursive=self.recursive)
        is_folder = stat.S_ISDIR(os.fstat(tree).st_mode)
        target = folder_in(stage.root, self.target) if is_folder else file_in(stage.root, self.target)
        _spare_proc(stage, target, self.target)
        mounts.move_mount(tree, target)
        os.close(target)
        os.close(tree)


class MaskPaths(NamedTuple):
    paths: tuple[str, ...]
    why: str = "hide what the kernel tells about the host"

    def apply(self, stage: Stage) -> None:
        null = open_in_root(stage.root, "/dev/null", os.O_PATH)
        if not is_null(null):  # the host's would do, but root inside could change its mode, through any masked path
            raise OSError(ENODEV, "/dev/null is no null device", "/dev/null")
        for path in self.paths:
            target = existing(stage.root, path)
            if target is None:
                continue
            there = f"/proc/self/fd/{target}"
            if stat.S_ISDIR(os.fstat(target).st_mode):
                mounts.mount("tmpfs", there, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=0,mode=755")
            else:
                mounts.mount(f"/proc/self/fd/{null}", there, "", MS_BIND)
            os.close(target)
        os.close(null)


class ReadonlyPaths(NamedTuple):
    paths: tuple[str, ...]
    why: str = "let the host's settings be read, not changed"

    def apply(self, stage: Stage) -> None:
        for path in self.paths:
            target = existing(stage.root, path)
            if target is None:
                continue
            tree = mounts.open_tree("", folder=target, recursive=True)
            mounts.set_attributes(tree, add=mounts.MOUNT_ATTR_RDONLY, recursive=True)
            mounts.move_mount(tree, target)
            os.close(tree)
            os.close(target)


class OpenTerminal(NamedTuple):
    why: str = "a terminal in the container's own /dev/pts; the shim holds the other end"

    def apply(self, stage: Stage) -> None:
        stage.take_terminal(open_in_root(stage.root, "/dev/pts/ptmx", os.O_RDWR | os.O_NOCTTY))
        # as with docker, /dev/console is the first process's terminal
        console, tree = file_in(stage.root, "/dev/console"), mounts.open_tree("", folder=stage.terminal)
        mounts.move_mount(tree, console)
        os.close(tree)
        os.close(console)


class MakeFolder(NamedTuple):
    path: str
    why: str = "the working folder is made where the image lacks it"

    def apply(self, stage: Stage) -> None:
        os.close(folder_in(stage.root, self.path))


class PivotRoot(NamedTuple):
    why: str = "make the union view the only tree that the processes can see"

    def apply(self, stage: Stage) -> None:
        os.fchdir(stage.root)
        # pivot_root(2): with "." for both, the old root lies on the new one, and goes with the unmount
        mounts.pivot_root(".", ".")
        mounts.unmount(".", mounts.MNT_DETACH)
        os.chdir("/")
        stage.enter_root()


class ReadonlyRoot(NamedTuple):
    why: str = "refuse writes to the union view itself; volumes stay as they are"

    def apply(self, stage: Stage) -> None:
        mounts.mount("", "/", "", MS_REMOUNT | MS_BIND | MS_RDONLY)


class SetHostname(NamedTuple):
    hostname: str
    domainname: str
    why: str = "a name of its own"

    def apply(self, stage: Stage) -> None:
        process.set_hostname(self.hostname)
        if self.domainname:
            process.set_domainname(self.domainname)


class LoopbackUp(NamedTuple):
    why: str = "let the processes talk to each other on 127.0.0.1; nothing else is in this network"

    def apply(self, stage: Stage) -> None:
        network.loopback_up()


class JoinSpace(NamedTuple):
    """The namespaces of the container's first process, given by its pidfd on the stage."""

    flags: int
    why: str = "enter the process space that is there already"

    def apply(self, stage: Stage) -> None:
        process.setns(stage.first_process, self.flags)


class FindRoot(NamedTuple):
    why: str = "hold on to the root of the process space, and to no descriptor of the host"

    def apply(self, stage: Stage) -> None:
        stage.enter_root()


class OpenExecTerminal(NamedTuple):
    why: str = "a terminal in the container's own /dev/pts; the shim holds the other end"

    def apply(self, stage: Stage) -> None:
        master = open_in_root(stage.root, "/dev/pts/ptmx", os.O_RDWR | os.O_NOCTTY | os.O_NOFOLLOW)
        if os.fstat(master).st_rdev != os.makedev(5, 2):  # root inside may have put anything there
            raise OSError(ENODEV, "/dev/pts/ptmx is no terminal device any more")
        stage.take_terminal(master)


class SetUser(NamedTuple):
    """`user` as in Docker's --user: name or number, with :group; looked up in the image's own passwd and group."""

    user: str
    extra_groups: tuple[str, ...]
    why: str = "run as the user that the image or the caller names"

    def apply(self, stage: Stage) -> None:
        found = find_user(stage.root, self.user, self.extra_groups)
        stage.set_default_environment("HOME", found.home)
        if stage.terminal >= 0:
            os.fchown(stage.terminal, found.uid, -1)
        os.setgroups(found.groups)
        os.setresgid(found.gid, found.gid, found.gid)
        if found.uid != 0:
            capabilities.set_keepcaps(True)
        os.setresuid(found.uid, found.uid, found.uid)
        stage.is_root = found.uid == 0


class ChangeFolder(NamedTuple):
    path: str
    why: str = "begin in the folder that the image or the caller names"

    def apply(self, stage: Stage) -> None:
        folder = open_in_root(stage.root, self.path, os.O_PATH | os.O_DIRECTORY)
        os.fchdir(folder)
        os.close(folder)


class LimitCapabilities(NamedTuple):
    """`keep` is a mask within the bounding set of the machine."""

    keep: int
    why: str = "no program started in here can ever have more of root's powers than these"

    def apply(self, stage: Stage) -> None:
        capabilities.drop_bounding(self.keep)
        capabilities.clear_ambient()


class HoldCapabilities(NamedTuple):
    """`keep` is a mask; a user other than root holds none."""

    keep: int
    why: str = "give up the powers that the setting up needed"

    def apply(self, stage: Stage) -> None:
        held = self.keep if stage.is_root else 0
        capabilities.set_capabilities(held, held, 0)


class JoinNewKeyring(NamedTuple):
    why: str = "leave behind the keys of the session in which tiffin was started"

    def apply(self, stage: Stage) -> None:
        process.join_new_keyring()


class DieWithShim(NamedTuple):
    why: str = "no first process without the shim that keeps its output and its exit code"

    def apply(self, stage: Stage) -> None:
        process.die_with_parent()
        stage.check_parent()


class NoNewPrivileges(NamedTuple):
    why: str = "set-uid programs give no rights"

    def apply(self, stage: Stage) -> None:
        capabilities.set_no_new_privs()


class FilterSyscalls(NamedTuple):
    """`program` is the compiled filter in base64 (see `kernel.seccomp`)."""

    program: str
    why: str = "refuse the system calls that containers never need and that have led out before"

    def apply(self, stage: Stage) -> None:
        seccomp.load(a2b_base64(self.program))


class Execute(NamedTuple):
    argv: tuple[str, ...]
    environment: tuple[str, ...]
    why: str = "become the program"

    def apply(self, stage: Stage) -> None:
        stage.execute(tuple(self.argv), tuple(self.environment))


class ExecuteUnderInit(NamedTuple):
    argv: tuple[str, ...]
    environment: tuple[str, ...]
    why: str = "stay as a first process that reaps orphans and passes signals on; the program is its child"

    def apply(self, stage: Stage) -> None:
        stage.execute_under_init(tuple(self.argv), tuple(self.environment))


KINDS: dict[str, Callable[..., Step]] = {
    kind.__name__: kind
    for kind in (
        JoinCgroup, UnshareCgroup, ShareNetwork, IsolateMounts, MountUnion, MountKernel, MountCgroups, MountMemory,
        MakeDevices, MakeLinks, Bind, MaskPaths, ReadonlyPaths, OpenTerminal, MakeFolder, PivotRoot,
        ReadonlyRoot, SetHostname, LoopbackUp, JoinSpace, FindRoot, OpenExecTerminal, SetUser, ChangeFolder,
        LimitCapabilities, HoldCapabilities, JoinNewKeyring, DieWithShim, NoNewPrivileges, FilterSyscalls, Execute,
        ExecuteUnderInit,
    )
}  # fmt: skip


def to_json(steps: tuple[Step, ...]) -> list[list[object]]:
    """For the way to the spawner: the name of each step and its fields; the usual reason stays at home."""
    return [[type(step).__name__, *_told(step)] for step in steps]


def from_json(form: list[list[object]]) -> tuple[Step, ...]:
    return tuple(KINDS[str(name)](*fields) for name, *fields in form)


def _told(step: Step) -> tuple[object, ...]:
    fields: tuple[object, ...] = tuple(step)  # type: ignore[arg-type]  # every step is a record
    usual: dict[str, object] = getattr(step, "_field_defaults", {})
    return fields[:-1] if usual.get("why") == step.why else fields


def _spare_proc(stage: Stage, target: int, path: str) -> None:
    """Nobody may cover what the kernel tells of processes: not by a link of the image that leads there either."""
    if os.fstat(target).st_dev == stage.proc and path not in SHOWN_OTHERWISE:
        raise OSError(EPERM, "nothing may be mounted inside /proc", path)
