"""The engine against the table of verbs: random sequences of verbs are done to a real root and to the table's host.

After each step both must say the same of every layer, image, name and container, and what the table refuses, the engine
must have refused with the same error. What removes is planned before: what went must be what the plan said. In the end
all is removed, and nothing may be left on the disk.

    TIFFIN_MODEL_EXAMPLES=500   so many sequences, other ones each time; without it a few, always the same
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests import busybox
from tests.conftest import Roots
from tests.wholeness import assert_whole, tidy
from tiffin.engine import Container, Engine, HostConfig, Image, Removal, RunningContainer, Streams
from tiffin.errors import TiffinError
from tiffin.model import nouns
from tiffin.model import transitions as table
from tiffin.model.nouns import Host, Layer, State, chain_id
from tiffin.model.states import ALIVE
from tiffin.model.transitions import Archive, Transition

pytestmark = [pytest.mark.root, pytest.mark.timeout(0 if "TIFFIN_MODEL_EXAMPLES" in os.environ else 300)]

EXAMPLES = int(os.environ.get("TIFFIN_MODEL_EXAMPLES", "100"))
STEPS = 40
PROGRAM = ("sh", "-c", 'trap "exit 3" TERM; trap "exit 5" USR1; echo ready; while :; do sleep 1000 & wait; done')
CONTAINER_NAMES = ("web", "db", "job")
IMAGE_NAMES = ("base", "child:latest", "app:1", "app:2", "here.example:5000/team/app:1")
NOBODY = "nobody"
EMPTY = Host({}, {}, {}, {})
T = TypeVar("T")


class Bench:
    """Engines to work on, one for each sequence, with nothing in them; and an archive of a base image."""

    def __init__(self, roots: Roots) -> None:
        self._folder, self._count, self._free = os.path.dirname(roots.root), 0, list[Engine]()
        with io.BytesIO() as file:
            engine = self.engine()
            engine.import_(io.BytesIO(busybox.tar()), "base")
            engine.save(["base"], file)
            engine.rmi("base")
            self.base = file.getvalue()
            self.put_back(engine)

    def engine(self) -> Engine:
        """One that was put back is warm. One on which something failed never is."""
        if self._free:
            return self._free.pop()
        self._count += 1
        return Engine(f"{self._folder}/root{self._count}", f"{self._folder}/run{self._count}")

    def put_back(self, engine: Engine) -> None:
        self._free.append(engine)


class EngineAndTable(RuleBasedStateMachine):
    """What is done to `engine` is foretold by `expected`."""

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self.bench = bench
        self.engine, self.base = bench.engine(), bench.base
        self.expected = EMPTY
        self.archives: list[tuple[bytes, Archive]] = []
        self.starts: dict[str, int] = {}
        """container id -> how often it was started"""
        self.changes: dict[str, list[int]] = {}
        """container id -> the sizes of the files that were put into its read-write layer"""
        self.files = 0

    @initialize()
    def begin(self) -> None:
        self.engine.load(io.BytesIO(self.base))
        self.expected = self.engine.host()
        self.archives = [(self.base, table.saved(self.expected, ["base"]))]

    @invariant()
    def the_engine_has_what_the_table_foretold(self) -> None:
        assert self.engine.host() == self.expected

    # containers

    @rule(data=st.data(), name=st.sampled_from(CONTAINER_NAMES), auto_remove=st.booleans())
    def create(self, data: st.DataObject, name: str, auto_remove: bool) -> None:
        image, host = self.an_image(data), HostConfig(auto_remove=auto_remove)
        self.both(
            lambda: self.engine.create(image, PROGRAM, name=name, host=host),
            lambda made: table.create(self.expected, image, id=id_of(made), name=name, auto_remove=auto_remove),
        )

    @rule(data=st.data(), name=st.sampled_from(CONTAINER_NAMES), auto_remove=st.booleans())
    def run(self, data: st.DataObject, name: str, auto_remove: bool) -> None:
        image, host = self.an_image(data), HostConfig(auto_remove=auto_remove)
        made = self.both(
            lambda: self.engine.run(image, PROGRAM, name=name, host=host, owned=False),
            lambda made: table.run(self.expected, image, id=id_of(made), name=name, auto_remove=auto_remove),
        )
        self.ready(made)

    @rule(data=st.data())
    def start(self, data: st.DataObject) -> None:
        name = self.a_container(data)
        self.ready(self.both(lambda: self.handle(name).start(), lambda _: table.start(self.expected, name)))

    @rule(data=st.data())
    def restart(self, data: st.DataObject) -> None:
        name = self.a_container(data)
        self.ready(self.both(lambda: self.handle(name).restart(), lambda _: table.restart(self.expected, name)))

    @rule(data=st.data(), verb=st.sampled_from(("stop", "kill", "pause", "unpause", "pause", "unpause")))
    def change_state(self, data: st.DataObject, verb: str) -> None:
        name = self.a_container(data)
        self.both(lambda: getattr(self.handle(name), verb)(), lambda _: getattr(table, verb)(self.expected, name))

    @rule(data=st.data())
    def send_a_signal_that_the_program_ignores(self, data: st.DataObject) -> None:
        name = self.a_container(data)
        self.both(lambda: self.handle(name).kill("WINCH"), lambda _: table.kill(self.expected, name, ends=False))

    @precondition(lambda self: any(c.state == State.RUNNING for c in self.expected.containers.values()))
    @rule(data=st.data())
    def let_the_program_end(self, data: st.DataObject) -> None:
        running = [c.id for c in self.expected.containers.values() if c.state == State.RUNNING]
        id = data.draw(st.sampled_from(running), "container")
        attachment = self.handle(id).attach(Streams())
        self.handle(id).kill("USR1")
        assert attachment.wait() == 5
        attachment.detach()
        self.expected = table.wait(self.expected, id).after

    @rule(data=st.data())
    def exec(self, data: st.DataObject) -> None:
        name = self.a_container(data)
        self.files += 1
        text = "x" * self.files
        done = self.both(
            lambda: self.handle(name).execute(["sh", "-c", f"printf {text} >/file{self.files}"]),
            lambda _: table.exec(self.expected, name),
        )
        if done:
            assert done.exit_code == 0, done
            self.changes.setdefault(self.handle(name).id, []).append(len(text))

    @precondition(lambda self: any(c.state not in ALIVE for c in self.expected.containers.values()))
    @rule(data=st.data())
    def write_into_the_read_write_layer(self, data: st.DataObject) -> None:
        resting = [c.id for c in self.expected.containers.values() if c.state not in ALIVE]
        container = self.handle(data.draw(st.sampled_from(resting), "container"))
        self.files += 1
        with open(f"{container.folder}/file{self.files}", "x", encoding="ascii") as file:
            self.changes.setdefault(container.id, []).append(file.write("y" * self.files))

    @rule(data=st.data(), force=st.booleans())
    def rm(self, data: st.DataObject, force: bool) -> None:
        name = self.a_container(data)
        self.as_planned(
            lambda: self.engine.container(name).plan_remove(force=force),
            lambda: self.engine.container(name).remove(force=force),
            lambda _: table.rm(self.expected, name, force=force),
        )

    @rule(data=st.data(), new=st.sampled_from(CONTAINER_NAMES))
    def rename(self, data: st.DataObject, new: str) -> None:
        name = self.a_container(data)
        self.both(lambda: self.engine.container(name).rename(new), lambda _: table.rename(self.expected, name, new))

    # images

    @rule(data=st.data(), new=st.none() | st.sampled_from(IMAGE_NAMES))
    def commit(self, data: st.DataObject, new: str | None) -> None:
        name = self.a_container(data)
        made = self.both(
            lambda: self.engine.container(name).commit(new).noun,
            lambda made: table.commit(
                self.expected, name, id=id_of(made), layer=made and self.burnt(name, made.top), name=new
            ),
        )
        assert made is None or made == self.engine.image(made.id)

    @rule(data=st.data(), new=st.sampled_from(IMAGE_NAMES))
    def tag(self, data: st.DataObject, new: str) -> None:
        image = self.an_image(data)
        self.both(
            lambda: self.engine.tag(image, new),
            lambda made: table.tag(self.expected, image, new, id=id_of(made)),
        )

    @rule(data=st.data(), force=st.booleans(), prune=st.sampled_from((True, True, False)))
    def rmi(self, data: st.DataObject, force: bool, prune: bool) -> None:
        image = self.an_image(data)
        self.as_planned(
            lambda: self.engine.plan_rmi(image, force=force, prune=prune),
            lambda: self.engine.rmi(image, force=force, prune=prune),
            lambda _: table.rmi(self.expected, image, force=force, prune=prune),
        )

    @rule(all=st.sampled_from((False, False, True)))
    def image_prune(self, all: bool) -> None:
        self.as_planned(
            lambda: self.engine.plan_image_prune(all=all),
            lambda: self.engine.image_prune(all=all),
            lambda _: table.image_prune(self.expected, all=all),
        )

    @rule(data=st.data())
    def save(self, data: st.DataObject) -> None:
        references = [self.an_image(data) for _ in range(data.draw(st.integers(1, 2), "how many"))]
        file = io.BytesIO()
        self.both(lambda: self.engine.save(references, file), lambda _: self.keep(file, references))

    @rule(data=st.data())
    def load(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(0, len(self.archives) - 1), "archive")
        content, archive = self.archives[number]
        self.both(lambda: self.engine.load(io.BytesIO(content)), lambda _: table.load(self.expected, archive))

    @rule(data=st.data(), new=st.none() | st.sampled_from(IMAGE_NAMES))
    def import_what_was_exported(self, data: st.DataObject, new: str | None) -> None:
        name, file = self.a_container(data), io.BytesIO()
        self.both(
            lambda: self.engine.container(name).export(file),
            lambda _: Transition(self.expected, table.find_container(self.expected, name).id),
        )
        if file.getvalue():
            made = self.engine.import_(io.BytesIO(file.getvalue()), new)
            assert made.top is not None
            layer = self.engine.layer(made.top).noun
            self.expected = table.import_(self.expected, id=made.id, layer=layer, name=new).after

    # looking

    @rule()
    def look(self) -> None:
        host, engine = self.expected, self.engine
        assert {row.id for row in engine.ps()} == {container.id for container in table.running(host)}
        assert {row.id: row.state for row in engine.ps(all=True)} == {c.id: c.state for c in host.containers.values()}
        assert {row.id for row in engine.images()} == {image.id for image in table.on_top(host)}
        bare = {layer.id for layer in table.bare(host)}
        assert {row.id for row in engine.images(all=True)} == {*host.images, *bare}
        usage = engine.system_df()
        assert (usage.images.total, usage.layers, usage.containers.total) == (
            len(host.images), len(host.layers), len(host.containers),
        )  # fmt: skip
        for id, image in host.images.items():
            steps = engine.history(id)
            assert steps[0].image == id
            assert tuple(step.layer for step in reversed(steps) if not step.is_empty) == image.layers
            assert engine.inspect(id)["Parent"] == (image.parent or "")
        for id, container in host.containers.items():
            assert engine.inspect(id)["State"]["Status"] == container.state
            assert {change.path for change in engine.container(id).diff()} == self.written(id)

    def teardown(self) -> None:
        assert_whole(self.engine)
        for container in self.engine.ps(all=True):
            self.engine.container(container.id).remove(force=True)
        self.engine.image_prune(all=True)
        tidy(self.engine)
        assert self.engine.host() == EMPTY
        self.bench.put_back(self.engine)

    # helpers

    def both(self, act: Callable[[], T], foretell: Callable[[T | None], Transition]) -> T | None:
        """Do it to the engine, and see what the table says. None where both refuse."""
        done, refused = tried(act)
        foretold, refusal = tried(lambda: foretell(done))
        assert type(refused) is type(refusal), f"the table: {refusal or foretold!r}; the engine: {refused!r}"
        if foretold:
            self.expected = foretold.after
        return done

    def as_planned(
        self, plan: Callable[[], Removal], act: Callable[[], T], foretell: Callable[[T | None], Transition]
    ) -> None:
        """What the plan says goes, goes, and nothing else; what it says stays, stays."""
        before, blobs = self.expected, self.blobs()
        planned, refused = tried(plan)
        _, refusal = tried(lambda: foretell(None))
        assert type(refused) is type(refusal), f"the table: {refusal!r}; the plan: {refused or planned!r}"
        assert (self.engine.host(), self.blobs()) == (before, blobs)
        self.both(act, foretell)
        goes = [(one.kind, one.id, one.size * (one.kind != "container")) for one in planned.goes] if planned else []
        after = things(self.expected, self.blobs())
        assert set(goes) == things(before, blobs) - after, planned
        assert len(set(goes)) == len(goes)
        assert all(one.size >= sum(self.changes.get(one.id, ())) for one in (planned.goes if planned else ()))
        assert not planned or {(one.kind, one.id, one.size) for one in planned.stays} <= after

    def blobs(self) -> dict[str, int]:
        return self.engine._parts.content.all()

    def handle(self, name: str) -> RunningContainer:
        """Whether it runs is for the verb to find out."""
        return RunningContainer(self.engine._parts, self.engine.container(name).record, None)

    def ready(self, started: RunningContainer | None) -> None:
        """Wait until the program listens to signals, and leave it alone."""
        if started:
            started.attachment.detach()
            self.starts[started.id] = self.starts.get(started.id, 0) + 1
            lines = started.logs(follow=True)
            for _ in range(self.starts[started.id]):
                next(lines)
            lines.close()  # type: ignore[attr-defined]  # a generator

    def burnt(self, name: str, top: str | None) -> Layer | None:
        """The layer that a commit must have made; None where there was nothing to burn."""
        container = table.find_container(self.expected, name)
        if container.id not in self.changes:
            return None
        assert top is not None
        layer = self.engine.layer(top).noun
        assert layer == Layer(
            chain_id(container.top, layer.diff_id), container.top, layer.diff_id, sum(self.changes[container.id])
        )
        return layer

    def written(self, id: str) -> set[str]:
        return {f"/file{size}" for size in self.changes.get(id, ())}  # each file is as long as its number

    def keep(self, file: io.BytesIO, references: list[str]) -> Transition:
        archive = table.saved(self.expected, references)
        self.archives = [self.archives[0], (file.getvalue(), archive), *self.archives[1:3]]
        return Transition(self.expected, "written")

    def a_container(self, data: st.DataObject) -> str:
        """A reference: mostly to one that is there."""
        containers = self.expected.containers.values()
        forms = [form for c in containers for form in (c.name, c.name, c.id, c.id[:12])]
        return data.draw(st.sampled_from([*forms, NOBODY]), "container")

    def an_image(self, data: st.DataObject) -> str:
        """A reference by name, id or beginning of an id, now and then to a layer."""
        names = [form for name in self.expected.names for form in (name, name, name.removesuffix(":latest"))]
        ids = [form for id in self.expected.images for form in (id, id.removeprefix("sha256:")[:12])]
        return data.draw(st.sampled_from([*names, *ids, *self.expected.layers, NOBODY]), "image")


def tried(act: Callable[[], T]) -> tuple[T | None, TiffinError | None]:
    try:
        return act(), None
    except TiffinError as error:
        return None, error


def things(host: Host, blobs: Mapping[str, int]) -> set[tuple[str, str, int]]:
    """Kind, id, and the size that a plan gives; of containers, whose logs count as well, none."""
    return {
        *(("name", name, 0) for name in host.names),
        *(("image", id, 0) for id in host.images),
        *(("layer", layer.id, layer.size) for layer in host.layers.values()),
        *(("container", id, 0) for id in host.containers),
        *(("blob", digest, size) for digest, size in blobs.items()),
    }


def id_of(made: Container | Image | nouns.Image | None) -> str:
    """Where the engine refused, any will do."""
    return made.id if made else ""


def test_the_engine_does_what_the_table_of_verbs_foretells(engine_root: Roots):
    bench = Bench(engine_root)
    run_state_machine_as_test(
        lambda: EngineAndTable(bench),  # type: ignore[arg-type]  # it takes anything that makes one
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            derandomize="TIFFIN_MODEL_EXAMPLES" not in os.environ,
            database=None,
            deadline=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
