"""Of a script: the commands of each step.

`inside` runs a program of the host in the namespaces of the container's first process. `folder`, `spot` and `real` set
$there, a place in the container as a program that runs `inside` names it, and $real; "$view$real" is the same place,
seen from the host. All are shell functions in `parts`.
"""

from __future__ import annotations

import stat

from tiffin.kernel import capabilities, mounts
from tiffin.runtime import steps
from tiffin.runtime.shell import parts
from tiffin.runtime.shell.scene import Scene
from tiffin.runtime.shell.words import comment, word, words, wrapped
from tiffin.runtime.steps import Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Writer = Callable[..., str]

FLAGS = {
    mounts.MS_RDONLY: "ro", mounts.MS_NOSUID: "nosuid", mounts.MS_NODEV: "nodev", mounts.MS_NOEXEC: "noexec",
    mounts.MS_STRICTATIME: "strictatime",
}  # fmt: skip
LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
SHELLS_OWN = frozenset(
    "_ IFS OPTIND OPTARG PPID LINENO PWD OLDPWD SHLVL RANDOM SECONDS UID EUID GROUPS DIRSTACK FUNCNAME HISTCMD "
    "SHELLOPTS BASHOPTS EPOCHSECONDS EPOCHREALTIME ENV".split()
)
"""Variables that some shell sets, changes or obeys."""

LEFT_OUT: dict[type[Step], str] = {
    steps.FilterSyscalls: "no system call is refused: a shell cannot load a seccomp filter",
    steps.JoinNewKeyring: "the keys of your session stay within reach: a shell cannot leave its keyring",
    steps.OpenTerminal: "the terminal is the one of this script, none of the container's own; there is no /dev/console",
    steps.ExecuteUnderInit: "the program itself is the first process: nobody reaps orphans and passes signals on",
}
"""In whole or in part."""
NOT_SHARED = "what is mounted below {target} inside is not seen outside: a shell cannot share it and undo the rest"
OF_AN_EXEC: tuple[type[Step], ...] = (steps.JoinSpace, steps.FindRoot, steps.OpenExecTerminal)
"""They enter a process space that is there already: no plan of a run has them."""


# ---- What the program is to be: words of the command behind the second door


def _limit_capabilities(step: steps.LimitCapabilities, scene: Scene) -> str:
    names = [name.removeprefix("CAP_").lower() for name in capabilities.names(capabilities.members(step.keep))]
    given = " ".join(f"cap_{name}" if name.isdigit() else name for name in names)
    if not given:
        return 'set -- "$@" --bounding-set -all'
    return parts.BOUNDING.replace("{names}", wrapped(f"for name in {given}")).strip("\n")


def _hold_capabilities(step: steps.HoldCapabilities, scene: Scene) -> str:
    return parts.HOLDING.strip("\n")


def _no_new_privileges(step: steps.NoNewPrivileges, scene: Scene) -> str:
    return 'set -- "$@" --no-new-privs'


def _die_with_shim(step: steps.DieWithShim, scene: Scene) -> str:
    return parts.DYING.strip("\n")


def _execute(step: steps.Execute | steps.ExecuteUnderInit, scene: Scene) -> str:
    session = "" if scene.plan.terminal else "setsid "  # a terminal obeys the session that it is of
    plain, strange = _variables(step.environment)
    command, remark = tuple(step.argv), ""
    if strange:
        remark = comment("Some variables have names that shells keep for themselves, or cannot hold: env sets them.")
        command, remark = ("env", "--", *strange, *command), f"{remark}\n"
    given = "".join(f"    {word(variable)} \\\n" for variable in plain)
    return f'{remark}set -- "$@" {session}sh -e -c "$third_door" third-door \\\n{given}    -- {words(command)}'


def _variables(environment: Sequence[str]) -> tuple[list[str], list[str]]:
    """Those that a shell can set, and the others. The last of a name counts; an entry without a = is none."""
    last = {name: text for name, sign, text in (entry.partition("=") for entry in environment) if sign}
    plain = {name: text for name, text in last.items() if _is_plain(name)}
    strange = {name: text for name, text in last.items() if name not in plain}
    return [f"{name}={text}" for name, text in plain.items()], [f"{name}={text}" for name, text in strange.items()]


def _is_plain(name: str) -> bool:
    fits = name[:1] in LETTERS and all(letter in LETTERS or letter in "0123456789" for letter in name)
    return fits and name not in SHELLS_OWN and not name.startswith("BASH")


# ---- The process space


def _join_cgroup(step: steps.JoinCgroup, scene: Scene) -> str:
    return "each_group make_group\nlimit_group\neach_group join_group"


def _unshare_cgroup(step: steps.UnshareCgroup, scene: Scene) -> str:
    return "echo open >&3  # the first door\narrived"


def _share_network(step: steps.ShareNetwork, scene: Scene) -> str:
    return "# So there is no --net above."


def _isolate_mounts(step: steps.IsolateMounts, scene: Scene) -> str:
    return comment("Seen to by unshare --mount --propagation slave: what the host mounts later is still seen.")


# ---- The tree


def _mount_union(step: steps.MountUnion, scene: Scene) -> str:
    names = [str(number) for number in range(1, len(step.lowers) + 1)]
    lines = ["# Short names for the layers, topmost first: mount(2) takes one page of options."]
    lines += [f'ln -s {word(lower)} "$work/{name}"' for name, lower in zip(names, step.lowers, strict=True)]
    lines += parts.MOUNT_UNION.strip("\n").split("\n")
    if len(names) > mounts.TALLEST:
        lines.append("# More layers than an overlay takes: the two lowest become one first.")
        lines.append(f"mount_union lowerdir={names[-2]}:{names[-1]}")
        names = [*names[:-2], "root"]
    options = f"lowerdir={':'.join(names)}"
    if step.upper and step.work:
        lines += parts.UPPER.strip("\n").split("\n")
        options += ",upperdir=upper,workdir=work"
        if step.volatile:  # overlay refuses such a layer a second time
            lines.append('rm -rf -- "$work/work/work/incompat/volatile"')
            options += ",volatile"
    return "\n".join((*lines, f"mount_union {options}"))


def _mount_kernel(step: steps.MountKernel, scene: Scene) -> str:
    kind, options = word(step.kind), word(_options(step.flags, step.options))
    return f'folder {word(step.target)}\ninside mount -t {kind} -o {options} {kind} "$there"'


def _mount_cgroups(step: steps.MountCgroups, scene: Scene) -> str:
    entries = [f"tree_of_groups {words(entry)}" for entry in step.entries]
    text = parts.MOUNT_CGROUPS.replace("{flags}", _options(step.flags, ""))
    return text.replace("{entries}", "\n".join(entries)).strip("\n")


def _mount_memory(step: steps.MountMemory, scene: Scene) -> str:
    given = {option.partition("=")[0] for option in step.options.split(",")}
    taken = [f"{key}=%{letter}" for key, letter in (("mode", "a"), ("uid", "u"), ("gid", "g")) if key not in given]
    options = word(_options(step.flags, step.options))
    if taken:  # from the folder that it covers
        options += f',"$(stat -c {",".join(taken)} -- "$view$real")"'
    return f'folder {word(step.target)} 1777\nspare_proc\ninside mount -t tmpfs -o {options} tmpfs "$there"'


def _make_devices(step: steps.MakeDevices, scene: Scene) -> str:
    made = []
    for path, mode, major, minor in step.nodes:
        kind = "b" if stat.S_ISBLK(mode) else "c"
        made.append(f"device {word(path)} {stat.S_IMODE(mode):o} {kind} {major} {minor}")
    return "\n".join((parts.DEVICE.strip("\n"), *made))


def _make_links(step: steps.MakeLinks, scene: Scene) -> str:
    return "\n".join((parts.LINK.strip("\n"), *(f"link {words(link)}" for link in step.links)))


def _bind(step: steps.Bind, scene: Scene) -> str:
    source, deep = _source(step, scene), "r" if step.recursive else ""
    lines = [f"spot {source} {word(step.target)}", f'inside mount --{deep}bind {source} "$there"']
    if step.propagation == mounts.MS_PRIVATE:
        lines.append(f'inside mount --make-{deep}private "$there"')
    elif step.propagation == mounts.MS_SHARED:
        lines.append(comment(f"NOT DONE: {NOT_SHARED.format(target=step.target)}"))
    if step.readonly:
        lines.append('readonly_tree "$there"')
    return "\n".join(lines)


def _source(step: steps.Bind, scene: Scene) -> str:
    """A file of the run lies in the workshop."""
    folder, _, name = step.source.rpartition("/")
    if name in scene.plan.files and folder == f"{scene.plan.runroot}/run/{scene.plan.id}":
        return f'"$work"/{word(name)}'
    return word(step.source)


def _mask_paths(step: steps.MaskPaths, scene: Scene) -> str:
    return parts.MASK.replace("{paths}", wrapped(f"for path in {words(step.paths)}")).strip("\n")


def _readonly_paths(step: steps.ReadonlyPaths, scene: Scene) -> str:
    return parts.READONLY.replace("{paths}", wrapped(f"for path in {words(step.paths)}")).strip("\n")


def _make_folder(step: steps.MakeFolder, scene: Scene) -> str:
    return f"folder {word(step.path)}"


def _set_hostname(step: steps.SetHostname, scene: Scene) -> str:
    names = {"hostname": step.hostname, "domainname": step.domainname}
    write = 'inside sh -c \'printf "%s\\n" "$1" >/proc/sys/kernel/'
    return "\n".join(f"{write}{file}' sh {word(name)}" for file, name in names.items() if name)


def _loopback_up(step: steps.LoopbackUp, scene: Scene) -> str:
    return "inside ip link set lo up"


def _readonly_root(step: steps.ReadonlyRoot, scene: Scene) -> str:
    return 'inside mount -o remount,bind,ro "$root"'


def _change_folder(step: steps.ChangeFolder, scene: Scene) -> str:
    return f'real {word(step.path)}\nln -s -- "$there" "$work/folder"  # where it goes behind the second door'


def _set_user(step: steps.SetUser, scene: Scene) -> str:
    user, _, group = step.user.partition(":")
    tools, lines = [parts.FIND_USER], [f"find_user {word(user or '0')}"]
    if group or step.extra_groups:
        tools.append(parts.FIND_GROUP)
    if group:
        lines += [f"find_group {word(group)}", "gid=$found groups=$found"]
    else:
        tools.append(parts.FIND_MEMBERSHIPS)
        lines.append("find_memberships")
    for further in step.extra_groups:
        lines += [f"find_group {word(further)}", 'add_group "$found"']
    return "\n".join((*(tool.strip("\n") + "\n" for tool in tools), *lines))


def _pivot_root(step: steps.PivotRoot, scene: Scene) -> str:
    return parts.PIVOT.strip("\n")


def _nothing(step: Step, scene: Scene) -> str:
    return ""


def _options(flags: int, options: str) -> str:
    names = [name for flag, name in FLAGS.items() if flags & flag]
    return ",".join((*names, options) if options else names) or "defaults"


PROGRAM: dict[type[Step], Writer] = {
    steps.LimitCapabilities: _limit_capabilities,
    steps.JoinNewKeyring: _nothing,
    steps.FilterSyscalls: _nothing,
    steps.HoldCapabilities: _hold_capabilities,
    steps.NoNewPrivileges: _no_new_privileges,
    steps.DieWithShim: _die_with_shim,
    steps.Execute: _execute,
    steps.ExecuteUnderInit: _execute,
}
SPACE: dict[type[Step], Writer] = {
    steps.JoinCgroup: _join_cgroup,
    steps.UnshareCgroup: _unshare_cgroup,
    steps.ShareNetwork: _share_network,
    steps.IsolateMounts: _isolate_mounts,
}
TREE: dict[type[Step], Writer] = {
    steps.MountUnion: _mount_union,
    steps.MountKernel: _mount_kernel,
    steps.MountCgroups: _mount_cgroups,
    steps.MountMemory: _mount_memory,
    steps.MakeDevices: _make_devices,
    steps.MakeLinks: _make_links,
    steps.Bind: _bind,
    steps.OpenTerminal: _nothing,
    steps.MakeFolder: _make_folder,
    steps.MaskPaths: _mask_paths,
    steps.ReadonlyPaths: _readonly_paths,
    steps.SetHostname: _set_hostname,
    steps.LoopbackUp: _loopback_up,
    steps.ReadonlyRoot: _readonly_root,
    steps.ChangeFolder: _change_folder,
    steps.SetUser: _set_user,
}
LAST: dict[type[Step], Writer] = {steps.PivotRoot: _pivot_root}
