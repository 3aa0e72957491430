"""Of a script: the control group in each tree of groups, and the files of the limits. See `kernel.cgroups`."""

from __future__ import annotations

from tiffin.kernel.cgroup_limits import Setting, v1_settings, v2_settings
from tiffin.kernel.cgroups import COUNTED, SWAP
from tiffin.runtime.shell import parts
from tiffin.runtime.shell.scene import Scene
from tiffin.runtime.shell.words import comment, word, words, wrapped

NO_DEVICE_RULES = "every device may be used: on cgroup v2 the rules are a BPF program, which a shell cannot load"


def functions(scene: Scene) -> str:
    """What makes the group, and the limits as a function: both are called when there is a process to be in it."""
    trees = wrapped(f"for tree in {words(tree.mount for tree in scene.hierarchies)}", indent="    ")
    text = f"group={word(scene.group)}\n{parts.GROUPS.replace('{trees}', trees)}"
    if scene.layout.v1_of("cpuset"):
        text += parts.CPUSET
    limits = [*_limits_v1(scene), *_limits_v2(scene), *_device_rules(scene)] or [":"]
    return f"{text}\nlimit_group() {{\n" + "\n".join(f"    {line}" for line in limits) + "\n}"


def lacks_device_rules(scene: Scene) -> bool:
    return bool(scene.plan.limits.devices) and scene.layout.v1_of("devices") is None


def _limits_v1(scene: Scene) -> list[str]:
    lines, layout = list[str](), scene.layout
    if cpuset := layout.v1_of("cpuset"):
        lines += [f"fill_cpuset {word(cpuset.mount + level)}" for level in _levels(scene.group)]
    for setting in v1_settings(scene.plan.limits):
        if hierarchy := layout.v1_of(setting.controller):
            lines.append(_set(hierarchy.mount, setting))
        elif not layout.v2_of(setting.controller):
            lines.append(f'fail "this machine has no {setting.controller} controller for control groups"')
    return lines


def _limits_v2(scene: Scene) -> list[str]:
    tree = scene.layout.v2
    if tree is None or not set(COUNTED) & set(tree.controllers):
        return []
    settings = [setting for setting in v2_settings(scene.plan.limits) if setting.controller in tree.controllers]
    needed = {setting.controller for setting in settings}
    lines = ["# v2: each level passes the controllers down; those that would only count may be refused"]
    for level in ("", *_levels(scene.group)[:-1]):
        file = word(f"{tree.mount}{level}/cgroup.subtree_control")
        for controller in (name for name in COUNTED if name in tree.controllers):
            write = f"echo +{controller} >{file}"
            lines.append(write if controller in needed else f"{{ {write}; }} 2>/dev/null || :")
    return lines + [_set(tree.mount, setting) for setting in settings]


def _set(tree: str, setting: Setting) -> str:
    file = f'{word(tree)}"$group"/{setting.file}'
    write = f"echo {word(setting.value)} >{file}"
    if setting.file in SWAP:
        return f"if [ -e {file} ]; then  # not every kernel counts swap\n        {write}\n    fi"
    return write


def _device_rules(scene: Scene) -> list[str]:
    if lacks_device_rules(scene):
        return comment(f"NOT DONE: {NO_DEVICE_RULES}").split("\n")
    devices, rules = scene.layout.v1_of("devices"), scene.plan.limits.devices
    if not devices or not rules:
        return []
    lines = ["# the devices that may be read, written, and made (mknod)"]
    for rule in rules:
        lines.append(f"echo '{rule}' >{word(devices.mount)}\"$group\"/devices.{'allow' if rule.allow else 'deny'}")
    return lines


def _levels(group: str) -> list[str]:
    """/tiffin, /tiffin/<id>"""
    names = group.strip("/").split("/")
    return ["/" + "/".join(names[: depth + 1]) for depth in range(len(names))]
