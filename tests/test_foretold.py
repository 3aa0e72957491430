"""What is foretold comes true: before each verb of a random sequence it is explained, and afterwards the picture of the
true state must be the one that was foretold; what is refused was foretold to be refused.

The sequences are those of `tests.test_model`; only the hands that do the verbs are others.

    TIFFIN_FORETOLD_EXAMPLES=500   so many sequences, other ones each time; without it a few, always the same
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import Roots
from tests.test_model import EMPTY, PROGRAM, Bench, EngineAndTable, tried
from tiffin.engine import Container, Engine, HostConfig, RunningContainer
from tiffin.engine.explaining.doing import done
from tiffin.errors import NotModified, TiffinError
from tiffin.view.explanation import Explanation
from tiffin.view.picture import Picture

pytestmark = [pytest.mark.root, pytest.mark.timeout(0 if "TIFFIN_FORETOLD_EXAMPLES" in os.environ else 300)]

EXAMPLES = int(os.environ.get("TIFFIN_FORETOLD_EXAMPLES", "40"))
CHANGING = (
    "create", "run", "start", "restart", "stop", "kill", "pause", "unpause", "rm", "rename", "commit", "tag", "rmi",
    "image_prune", "load", "import",
)  # fmt: skip
T = TypeVar("T")


class Teller:
    """Explains, does, compares; and counts what it has seen come true."""

    def __init__(self, engine: Engine, seen: dict[str, int]) -> None:
        self.engine = engine
        self.seen = seen

    def both(self, verb: str, explain: Callable[[], Explanation], act: Callable[[], T]) -> T:
        explanation, missing = tried(explain)
        result, refused = tried(act)
        if refused is not None:
            self.check_refusal(verb, refused, explanation, missing)
            raise refused
        assert missing is None, f"{verb} was done, and it was foretold that nothing is there: {missing}"
        assert explanation is not None
        assert not explanation.refusal, f"{verb} was done, and it was foretold: {explanation.refusal}"
        whole = done(self.engine._parts, explanation)
        assert whole.differences == (), (verb, whole.differences)
        self.count(verb, explanation)
        return cast(T, result)

    def check_refusal(
        self, verb: str, refused: TiffinError, explanation: Explanation | None, missing: TiffinError | None
    ) -> None:
        if missing is not None:
            assert type(refused) is type(missing), (refused, missing)
            return
        assert explanation is not None
        assert same(explanation.takes) == same(explanation.gives)
        is_nothing_new = isinstance(refused, NotModified)
        assert bool(explanation.refusal) != is_nothing_new, f"{verb} was refused, and nobody had foretold it: {refused}"

    def count(self, verb: str, explanation: Explanation) -> None:
        kind = "changes" if same(explanation.takes) != same(explanation.gives) else "leaves all as it is"
        self.seen[f"{verb} {kind}"] = self.seen.get(f"{verb} {kind}", 0) + 1


def same(picture: Picture) -> object:
    """What of a picture is foretold at all."""
    trays = [(t.id, t.name, t.on, t.state, t.is_thrown_away) for t in picture.trays]
    slabs = [(s.id, s.parent, s.names, s.images, s.settings) for s in picture.slabs]
    return (trays, slabs, picture.ground_names)


@dataclass
class ForetoldContainer:
    """The verbs of a container, each of them explained first."""

    teller: Teller
    real: RunningContainer | Container

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def _both(self, verb: str, act: Callable[[], T], *rest: Any, **options: Any) -> T:
        explain = getattr(self.teller.engine.explain, verb)
        return self.teller.both(verb, lambda: explain(self.real.id, *rest, **options), act)

    def start(self) -> RunningContainer:
        return self._both("start", self.real.start)

    def restart(self) -> RunningContainer:
        return self._both("restart", self.real.restart)

    def stop(self) -> Any:
        return self._both("stop", self._running.stop)

    def pause(self) -> None:
        self._both("pause", self._running.pause)

    def unpause(self) -> None:
        self._both("unpause", self._running.unpause)

    def kill(self, signal: str = "KILL") -> None:
        if signal == "USR1":  # which the program ends by: nobody can foretell that
            self._running.kill(signal)
        else:
            self._both("kill", lambda: self._running.kill(signal), signal=signal)

    def execute(self, argv: list[str]) -> Any:
        return self._both("exec", lambda: self._running.execute(argv), argv)

    def remove(self, *, force: bool = False) -> None:
        self._both("rm", lambda: self.real.remove(force=force), force=force)

    def rename(self, name: str) -> Container:
        return self._both("rename", lambda: self.real.rename(name), name)

    def commit(self, name: str | None = None) -> Any:
        return self._both("commit", lambda: self.real.commit(name), name)

    def export(self, target: io.BytesIO) -> None:
        self._both("export", lambda: self.real.export(target))

    @property
    def _running(self) -> RunningContainer:
        assert isinstance(self.real, RunningContainer)
        return self.real


class ForetoldEngine:
    """The verbs of an engine, each of them explained first."""

    def __init__(self, engine: Engine, seen: dict[str, int]) -> None:
        self.real = engine
        self.teller = Teller(engine, seen)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def container(self, reference: str) -> Any:
        return ForetoldContainer(self.teller, self.real.container(reference))

    def create(self, image: str, command: tuple[str, ...], **options: Any) -> Container:
        explain = self.real.explain
        return self.teller.both(
            "create",
            lambda: explain.create(image, command, **options),
            lambda: self.real.create(image, command, **options),
        )

    def run(self, image: str, command: tuple[str, ...], *, owned: bool, **options: Any) -> RunningContainer:
        explain = self.real.explain
        return self.teller.both(
            "run",
            lambda: explain.run(image, command, **options),
            lambda: self.real.run(image, command, owned=owned, **options),
        )

    def tag(self, image: str, name: str) -> Any:
        return self._both("tag", image, name)

    def rmi(self, reference: str, **options: bool) -> Any:
        return self._both("rmi", reference, **options)

    def image_prune(self, **options: bool) -> Any:
        return self._both("image_prune", **options)

    def save(self, references: list[str], target: io.BytesIO) -> None:
        self.teller.both("save", lambda: self.real.explain.save(references), lambda: self.real.save(references, target))

    def load(self, source: io.BytesIO) -> Any:
        with self.kept(source) as path:
            return self.teller.both("load", lambda: self.real.explain.load(path), lambda: self.real.load(path))

    def import_(self, source: io.BytesIO, name: str | None) -> Any:
        with self.kept(source) as path:
            return self.teller.both(
                "import", lambda: self.real.explain.import_(path, name), lambda: self.real.import_(source, name)
            )

    @contextmanager
    def kept(self, source: io.BytesIO) -> Iterator[str]:
        """In a file: what is explained is read twice."""
        path = f"{self.real.root}/../archive.tar"
        with open(path, "wb") as file:
            file.write(source.getvalue())
        try:
            yield path
        finally:
            os.unlink(path)

    def _both(self, verb: str, *arguments: Any, **options: Any) -> Any:
        explain, act = getattr(self.real.explain, verb), getattr(self.real, verb)
        return self.teller.both(verb, lambda: explain(*arguments, **options), lambda: act(*arguments, **options))


class PicturesComeTrue(EngineAndTable):
    """The same sequences, done by hands that foretell."""

    seen: dict[str, int]

    def __init__(self, bench: Bench, seen: dict[str, int]) -> None:
        super().__init__(bench)
        self.real_engine = self.engine
        self.engine = ForetoldEngine(self.engine, seen)  # type: ignore[assignment]

    def handle(self, name: str) -> Any:
        container = self.real_engine.container(name)
        running = RunningContainer(self.real_engine._parts, container.record, None)
        return ForetoldContainer(self.engine.teller, running)  # type: ignore[attr-defined]

    def teardown(self) -> None:
        self.engine = self.real_engine
        super().teardown()


def test_the_picture_that_was_foretold_is_the_true_one_afterwards(engine_root: Roots) -> None:
    bench, seen = Bench(engine_root), dict[str, int]()
    run_state_machine_as_test(
        lambda: PicturesComeTrue(bench, seen),  # type: ignore[arg-type]  # it takes anything that makes one
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=40,
            deadline=None,
            derandomize="TIFFIN_FORETOLD_EXAMPLES" not in os.environ,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert sum(number for kind, number in seen.items() if kind.endswith("changes")) > 200, sorted(seen.items())


def test_every_verb_of_a_whole_life_comes_true(engine_root: Roots) -> None:
    bench, seen = Bench(engine_root), dict[str, int]()
    real = bench.engine()
    engine: Any = ForetoldEngine(real, seen)
    engine.load(io.BytesIO(bench.base))
    engine.create("base", PROGRAM, name="web")
    web = ForetoldContainer(engine.teller, RunningContainer(real._parts, real.container("web").record, None))
    for verb in (web.start, web.pause, web.unpause, web.stop, web.restart, web.restart, web.kill, web.start):
        verb()
    web.execute(["touch", "/happiness.txt"])
    image = web.commit("mood")
    web.rename("happy")
    archive, tree = io.BytesIO(), io.BytesIO()
    engine.save(["mood"], archive)
    web.export(tree)
    engine.tag("mood", "mood:2")
    web.remove(force=True)
    for auto_remove in (False, True):
        engine.run(image.id, PROGRAM, name="job", owned=False, host=HostConfig(auto_remove=auto_remove))
        job = ForetoldContainer(engine.teller, RunningContainer(real._parts, real.container("job").record, None))
        job.stop()
        if not auto_remove:
            job.remove()
    engine.import_(io.BytesIO(tree.getvalue()), "flat")
    engine.rmi("mood:2")
    engine.rmi(image.id, force=True)
    engine.load(io.BytesIO(archive.getvalue()))
    engine.tag("flat", "mood")
    engine.image_prune()
    engine.image_prune(all=True)
    assert real.host() == EMPTY
    assert {kind.removesuffix(" changes") for kind in seen if kind.endswith(" changes")} == set(CHANGING)
    without_change = {kind.partition(" ")[0] for kind in seen if not kind.endswith("changes")}
    assert without_change == {"exec", "save", "export", "restart"}
