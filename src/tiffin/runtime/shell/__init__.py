"""A plan as a shell script: the same container made by programs that every Linux has, and without tiffin.

    plan                            script
    MountKernel(proc, /proc)        folder /proc
                                    inside mount -t proc -o nosuid,nodev,noexec proc "$there"

A process waits at doors while a script builds its world around it from outside. Each step of the plan is a paragraph
with its reason. Their order differs from the plan's where programs need it so: what the program is to be is said
first, and the tree is changed over (PivotRoot) last, as the host's programs are out of sight after it. What a shell
cannot do stands as a remark in its place, and is told when the script starts.

Invariants. Nothing of a plan is ever taken for more than a text (`words`). The script holds the lock of the read-write
layer, as a run does. Whatever ends it, short of SIGKILL, it leaves nothing behind. It knows from the plan where the
layers and the control groups of this machine are, so it is for this machine.
POSIX.1-2017, Shell Command Language; and the programs of util-linux, coreutils, findutils and iproute2.
"""

from __future__ import annotations

from tiffin.runtime.plan import Plan
from tiffin.runtime.shell import groups, paragraphs, parts
from tiffin.runtime.shell.scene import Scene, scene_of
from tiffin.runtime.shell.words import comment, remark, title, word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.runtime.shell.paragraphs import Writer
    from tiffin.runtime.steps import Step


def script(plan: Plan) -> str:
    """The script, for a POSIX shell and root. Its exit code is the program's; 125 where it cannot begin."""
    scene = scene_of(plan)
    texts = (
        _head(scene),
        _left_out(scene),
        parts.TOOLS,
        _lock(scene),
        title("The control group and its limits"),
        groups.functions(scene),
        parts.WORKSHOP,
        _own_files(scene),
        parts.DOORS.replace("{input}", "" if plan.open_stdin or plan.terminal else " </dev/null"),
        title("What the program is to be"),
        parts.GATHERED,
        *_told(scene, paragraphs.PROGRAM),
        title("The process space"),
        parts.START.replace("{network}", "" if scene.shares_network else " --net"),
        *_told(scene, paragraphs.SPACE),
        title("The tree that the processes will see, and who they are"),
        *_told(scene, paragraphs.TREE),
        title("Through the last doors"),
        parts.SECOND_DOOR,
        *_told(scene, paragraphs.LAST),
        parts.THIRD_DOOR,
        parts.FINISH,
    )
    return "\n".join(text.strip("\n") + "\n" for text in texts if text)


def _told(scene: Scene, writers: dict[type[Step], Writer]) -> list[str]:
    """The paragraphs of those steps of the plan that the section is about, in the order of the plan."""
    told = []
    for step in scene.plan.steps:
        if type(step) in writers:
            about = getattr(step, "target", "") or getattr(step, "path", "")
            reason = comment(f"{type(step).__name__}{about and f' {about}'}: {step.why}")
            if type(step) in paragraphs.LEFT_OUT:
                reason += "\n" + comment(f"NOT DONE: {paragraphs.LEFT_OUT[type(step)]}")
            told.append(f"{reason}\n{writers[type(step)](step, scene)}")
    return told


def _head(scene: Scene) -> str:
    name = scene.plan.attributes.get("name") or scene.plan.id[:12]
    return parts.HEAD.replace("{about}", comment(f"The container {name}, made without tiffin."))


def _left_out(scene: Scene) -> str:
    told = [text for kind, text in paragraphs.LEFT_OUT.items() if any(type(step) is kind for step in scene.plan.steps)]
    if groups.lacks_device_rules(scene):
        told.append(groups.NO_DEVICE_RULES)
    told += [paragraphs.NOT_SHARED.format(target=target) for target in scene.shared]
    return "\n".join(f"echo {word(f'without tiffin: {remark(text)}')} >&2" for text in told)


def _lock(scene: Scene) -> str:
    upper, work = scene.union.upper, scene.union.work
    if not upper or not work:
        return ""
    return f"upper={word(upper)}\nupper_work={word(work)}\n{parts.LOCK}"


def _own_files(scene: Scene) -> str:
    written = [f'printf %s {word(text)} >"$work"/{word(name)}' for name, text in scene.plan.files.items()]
    return "\n".join(("# Files that each run has of its own.", *written)) if written else ""
