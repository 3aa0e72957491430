"""What the verbs that put a process space around a container, reach into it, and take it away would do."""

from __future__ import annotations

import os

from tiffin.engine import binds, spaces
from tiffin.engine.explaining.containers import EVENT, NEW_CONTAINER, create
from tiffin.engine.explaining.scene import Explained, Outcome, Scene, joined
from tiffin.engine.pictures.world import Particulars, pictured
from tiffin.engine.signals import signal_number
from tiffin.kernel import signals
from tiffin.kernel.cgroups import Limits
from tiffin.model import transitions as table
from tiffin.model.config import Config
from tiffin.model.host_config import HostConfig
from tiffin.model.nouns import Container, State
from tiffin.model.states import ALIVE
from tiffin.runtime.plan import Plan
from tiffin.runtime.telling import does, of_launcher
from tiffin.view.explanation import PlannedStep
from tiffin.view.marks import marked
from tiffin.view.picture import Process, Space, is_new

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tiffin.containers import ContainerRecord
    from tiffin.engine.handles import ExecConfig

ENDINGS = (
    PlannedStep("write down the exit code", "the shim does, which is the parent of the first process"),
    PlannedStep("unmount the union view, remove the control group", "nothing is left of the process space"),
)
ANSWER = "recvmsg("
KILLING = 'sendto(…signal\\":9}'
THROWN_AWAY = PlannedStep("throw the container away, with its read-write layer", "it was made with --rm")


def start(scene: Scene, reference: str) -> Explained:
    found = scene.container(reference)

    def outcome() -> Outcome:
        started = table.start(scene.host, reference)
        record = scene.record(reference)
        plan = spaces.plan(scene.parts, record)
        known = _begun(scene.known(reference))
        steps = _steps_of_start(record, plan, is_there=found.id == record.id)
        fresh = {found.id: tuple(_first_processes(record))}
        return Outcome(started.after, started.sentence, steps, {found.id: known}, processes=fresh)

    return scene.explain("start", f"start {_called(found)}", (found.id,), outcome)


def plan_of(scene: Scene, reference: str) -> Plan:
    """The plan by which `start` would make the process space. Raises as `start` does."""
    return spaces.plan(scene.parts, scene.record(reference))


def run(
    scene: Scene, image: str, command: Sequence[str], *, name: str | None, config: Config, host: HostConfig,
    stays: bool, words: str = "",
) -> Explained:  # fmt: skip
    """`stays`: the caller stays until the program has ended; what it gives is a container at rest, then."""
    created = create(scene, image, command, name=name, config=config, host=host)
    if created.explanation.refusal:
        return joined("run", words or f"run {image}", [created, created])
    first = created.explanation
    looking = PlannedStep("look for a spawner", "bringing one up, where none waits, takes as long as the rest")
    created = created._replace(explanation=first._replace(steps=(looking, *first.steps)))
    started = start(created.after, NEW_CONTAINER)
    parts = [created, started, *((ended(started.after, NEW_CONTAINER),) if stays else ())]
    return joined("run", words or f"run {image}", parts)


def ended(scene: Scene, reference: str) -> Explained:
    """What happens when the program ends by itself, and somebody waited for it."""
    found = scene.container(reference)
    record = scene.record(reference)
    program = record.config.argv[0] if record.config.argv else "the program"

    def outcome() -> Outcome:
        over = table.wait(scene.host, reference)
        steps = (
            PlannedStep(
                f"{program} runs, and ends", "what it writes to its files lands in the read-write layer", begins="poll("
            ),
            *ENDINGS,
            *((THROWN_AWAY,) if found.auto_remove else ()),
        )
        return Outcome(over.after, over.sentence, steps, {found.id: _over(scene.known(reference))})

    return scene.explain("wait", f"wait {_called(found)}", (found.id,), outcome)


def stop(scene: Scene, reference: str, *, timeout: float | None = None, signal: str | None = None) -> Explained:
    found = scene.container(reference)

    def outcome() -> Outcome:
        record = scene.record(reference)
        polite = signal or record.config.stop_signal or "TERM"
        signal_number(polite)
        grace = timeout if timeout is not None else record.config.stop_timeout
        seconds = spaces.GRACE if grace is None else grace
        stopped = table.stop(scene.host, reference)
        killing = PlannedStep("send SIGKILL if it still runs", "the grace time is over", begins=KILLING)
        waiting = "wait until it has ended" if seconds < 0 else f"wait for {seconds:g} s at most"
        steps = (
            PlannedStep(
                f"ask the shim to send {_signal(polite)} to the first process",
                "the shim holds a pidfd of it: the signal can hit nobody else", begins="connect(",
            ),
            *((PlannedStep("thaw the processes", "what is frozen takes no signal"),) * (found.state == State.PAUSED)),
            PlannedStep(waiting, "it may put its things in order", begins=ANSWER),
            *((killing,) * (seconds >= 0)),
            *ENDINGS,
            *((THROWN_AWAY,) if found.auto_remove else ()),
            EVENT,
        )  # fmt: skip
        return Outcome(stopped.after, stopped.sentence, steps, {found.id: _over(scene.known(reference))})

    return scene.explain("stop", f"stop {reference}", (found.id,), outcome)


def kill(scene: Scene, reference: str, *, signal: str = "KILL") -> Explained:
    """A signal other than SIGKILL is up to the program: the picture shows that it goes on."""
    found = scene.container(reference)

    def outcome() -> Outcome:
        ends = signal_number(signal) == signals.SIGKILL
        killed = table.kill(scene.host, reference, ends=ends)
        steps = (
            PlannedStep(
                f"ask the shim to send {_signal(signal)} to the first process",
                "the shim holds a pidfd of it: the signal can hit nobody else", begins="connect(",
            ),
            *(ENDINGS if ends else ()),
            *((THROWN_AWAY,) if ends and found.auto_remove else ()),
        )  # fmt: skip
        over = {found.id: _over(scene.known(reference))} if ends else {}
        sentence = killed.sentence if ends else f"{killed.sentence}, unless its program ends by that signal"
        return Outcome(killed.after, sentence, steps, over)

    return scene.explain("kill", f"kill {reference}", (found.id,), outcome)


def restart(scene: Scene, reference: str, *, timeout: float | None = None, signal: str | None = None) -> Explained:
    """stop where it runs, then start; a `--rm` container is kept."""
    found = scene.container(reference)
    command = f"restart {reference}"
    if found.state not in ALIVE:
        started = start(scene, reference)
        return Explained(started.explanation._replace(command=command), started.after)
    # a `--rm` container is not thrown away by it: for the two halves it is one without
    stopped = stop(_with_rm(scene, found.id, False), reference, timeout=timeout, signal=signal)
    started = start(stopped.after, reference)
    after = _with_rm(started.after, found.id, found.auto_remove)
    first = stopped.explanation._replace(takes=pictured(scene.world))
    before, later = marked(started.explanation.takes, pictured(after.world))
    second = started.explanation._replace(takes=before, gives=later)
    return joined("restart", command, [Explained(first, stopped.after), Explained(second, after)])


def pause(scene: Scene, reference: str) -> Explained:
    found = scene.container(reference)

    def outcome() -> Outcome:
        paused = table.pause(scene.host, reference)
        steps = (
            PlannedStep(
                "ask the shim to freeze the control group", "no process can notice, as it could a signal",
                begins="connect(",
            ),
            PlannedStep(
                "wait until all of them are frozen", "two seconds at most, else they are let go on", begins=ANSWER
            ),
        )  # fmt: skip
        return Outcome(paused.after, paused.sentence, steps)

    return scene.explain("pause", f"pause {reference}", (found.id,), outcome)


def unpause(scene: Scene, reference: str) -> Explained:
    found = scene.container(reference)

    def outcome() -> Outcome:
        thawed = table.unpause(scene.host, reference)
        step = PlannedStep(
            "ask the shim to thaw the control group", "the processes go on where they were", begins="connect("
        )
        return Outcome(thawed.after, thawed.sentence, (step,))

    return scene.explain("unpause", f"unpause {reference}", (found.id,), outcome)


def exec(scene: Scene, reference: str, argv: Sequence[str], config: ExecConfig) -> Explained:
    found = scene.container(reference)

    def outcome() -> Outcome:
        done = table.exec(scene.host, reference)
        asked = Config(tty=config.tty, env=config.env, user=config.user, working_dir=config.working_dir)
        plan = spaces.plan_exec(
            scene.parts, scene.record(reference), tuple(argv), asked, privileged=config.privileged, open_stdin=False
        )
        steps = (
            PlannedStep(
                "ask the shim to fork", "the new process is a child of it, as the first one is", begins="connect("
            ),
            *(
                PlannedStep(does(step), step.why, number=number)
                for number, step in enumerate((*plan.entering, *plan.steps))
            ),
        )
        fresh = Process(None, None, 0, " ".join(argv))
        return Outcome(done.after, done.sentence, steps, processes={found.id: (fresh,)})

    return scene.explain("exec", f"exec {reference} {' '.join(argv)}", (found.id,), outcome)


def attach(scene: Scene, reference: str) -> Explained:
    found = scene.container(reference)

    def outcome() -> Outcome:
        joined = table.attach(scene.host, reference)
        steps = (
            PlannedStep("hand our streams to the shim", "as descriptors, over its socket"),
            PlannedStep("let the shim write to them what the program writes", "and to the log as before"),
        )
        return Outcome(scene.host, joined.sentence, steps)  # as it was

    return scene.explain("attach", f"attach {reference}", (found.id,), outcome)


def wait(scene: Scene, reference: str) -> Explained:
    found = scene.container(reference)

    def outcome() -> Outcome:
        over = table.wait(scene.host, reference)
        if found.state not in ALIVE:
            step = PlannedStep("read the record of its last run", "it does not run: the exit code is known")
            return Outcome(over.after, "all is as before", (step,))
        steps = (PlannedStep("ask the shim to tell when the first process ends", "it is the parent, and knows first"),)
        return Outcome(over.after, over.sentence, steps, {found.id: _over(scene.known(reference))})

    return scene.explain("wait", f"wait {reference}", (found.id,), outcome)


def _with_rm(scene: Scene, id: str, auto_remove: bool) -> Scene:
    containers = {**scene.host.containers, id: scene.host.containers[id]._replace(auto_remove=auto_remove)}
    return scene.of(scene.world._replace(host=scene.host._replace(containers=containers)))


def _begun(known: Particulars) -> Particulars:
    return known._replace(exit_code=None, is_out_of_memory=False, reason="", since=0.0, space=Space())


def _first_processes(record: ContainerRecord) -> Iterator[Process]:
    program = " ".join(record.config.argv)
    if record.host.init:
        yield Process(1, None, 0, "init")
        yield Process(2, None, 1, program)
    else:
        yield Process(1, None, 0, program)


def _over(known: Particulars) -> Particulars:
    """How the program ends, and what it writes until then, nobody knows."""
    return known._replace(exit_code=None, since=0.0, space=None, size=None, changes=None, is_least=False)


def _called(container: Container) -> str:
    return "it" if is_new(container.name) else container.name


def _steps_of_start(record: ContainerRecord, plan: Plan, *, is_there: bool) -> tuple[PlannedStep, ...]:
    """The id of a container that is not there yet is not known, and so is the host name that is made of it."""

    sources = [binds.parse(text).source for text in record.host.binds]
    missing = [path for path in sources if not os.path.lexists(path)]
    limits = _in_words(plan.limits)
    return (
        *(PlannedStep(f"make the folder {path} on the host", "a source that is missing is made") for path in missing),
        PlannedStep(
            "ask the spawner for a child", "a small process forks in a millisecond; we would take longer",
            begins="connect(",
        ),
        PlannedStep(f"make the control group, {limits}", "so that memory, processors and processes are counted"),
        PlannedStep(f"begin in new {of_launcher()} namespaces", "the child was forked into them: it sees only its own"),
        *(
            PlannedStep(_with_id(does(step), record.id, is_there=is_there), step.why, number=number)
            for number, step in enumerate(plan.steps)
        ),
    )  # fmt: skip


def _with_id(text: str, id: str, *, is_there: bool) -> str:
    return text.replace(id, id[:12]) if is_there else text.replace(id, "ID").replace(id[:12], "that its id gives")


def _signal(name: str) -> str:
    return f"signal {name}" if name.isdecimal() else f"SIG{name.upper().removeprefix('SIG')}"


def _in_words(limits: Limits) -> str:
    words = [
        f"{limits.memory >> 20} MiB of memory" if limits.memory else "",
        f"{limits.cpu_quota / limits.cpu_period:g} CPUs" if limits.cpu_quota and limits.cpu_period else "",
        f"{limits.pids} processes" if limits.pids else "",
    ]
    return "limited to " + ", ".join(filter(None, words)) if any(words) else "without limits"
