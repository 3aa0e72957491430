"""What an explanation begins with: the world as it stands, and the containers in it that are only foretold.

    scene.record("web")                  the record of a container, real or foretold
    scene.explain("rm", ..., outcome)    what a verb makes of it, and the scene after that: where the next one begins
"""

from __future__ import annotations

import os
from errno import EACCES, EISDIR, ENOENT
from types import MappingProxyType

from tiffin.containers import ContainerRecord, Containers
from tiffin.engine.parts import Parts
from tiffin.engine.pictures import world
from tiffin.engine.pictures.world import Particulars, Told, World
from tiffin.errors import BadParameter, NotFound, NotModified, TiffinError
from tiffin.model.nouns import Container, Host
from tiffin.model.states import ALIVE
from tiffin.model.transitions import find_container, on_top, running
from tiffin.model.verbs import CONTAINER, HOST, IMAGE, LAYER, NOTHING, RUNNING, TAR, VERBS
from tiffin.record import NamedTuple
from tiffin.view.explanation import Explanation, PlannedStep
from tiffin.view.marks import marked
from tiffin.view.picture import NEW_ID, Card, Process, Space

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tiffin.engine.removal_plan import Removal

WORDS = {
    IMAGE: "an image", LAYER: "a layer", CONTAINER: "a container", RUNNING: "a running container", HOST: "the host",
    TAR: "a tar", NOTHING: "what stays",
}  # fmt: skip


MOST_TOLD = 8
NEW_NAME = f"{NEW_ID}name"
"""of a container whose name will be made up"""


class Outcome(NamedTuple):
    """What a verb makes: the host afterwards, how, and what is known of that which is new or changed."""

    host: Host
    sentence: str
    steps: tuple[PlannedStep, ...] = ()
    particulars: Mapping[str, Particulars] = MappingProxyType({})
    stories: Mapping[str, tuple[Told, ...]] = MappingProxyType({})
    records: Mapping[str, ContainerRecord] = MappingProxyType({})
    processes: Mapping[str, tuple[Process, ...]] = MappingProxyType({})
    """by container, those that are to come"""
    focus: tuple[str, ...] = ()
    """what is to be shown besides what the verb was called with"""
    takes: tuple[Card, ...] = ()
    gives: tuple[Card, ...] = ()
    removal: Removal | None = None
    """the plan of what goes, where something does"""


class Explained(NamedTuple):
    """An explanation, and the scene that it leads to."""

    explanation: Explanation
    after: Scene


class Scene:
    """One moment: real, or foretold by the verbs before."""

    def __init__(
        self, parts: Parts, world: World, records: Mapping[str, ContainerRecord] = MappingProxyType({}),
        removed: Removal | None = None,
    ) -> None:  # fmt: skip
        self.parts = parts
        self.world = world
        self.removed = removed
        """what the verbs before have removed"""
        self._records = records

    @classmethod
    def now(cls, parts: Parts) -> Scene:
        """The real one."""
        return cls(parts, world.seen(parts))

    @property
    def host(self) -> Host:
        return self.world.host

    def of(self, world: World) -> Scene:
        """The same with another world."""
        return Scene(self.parts, world, self._records, self.removed)

    def container(self, reference: str) -> Container:
        """Raises NoSuchContainer, AmbiguousId."""
        return find_container(self.host, reference)

    def has_container(self, reference: str) -> bool:
        """Whether the reference means one. Raises AmbiguousId."""
        try:
            return bool(self.container(reference))
        except NotFound:
            return False

    def looked_into(self, references: Iterable[str]) -> Scene:
        """The same, with what the read-write layers of those of them that are containers hold."""
        found = [self.container(reference).id for reference in references if self.has_container(reference)]
        return self.of(world.measured(self.parts, self.world, found))

    def shown_by(self, verb: str) -> list[str]:
        """What a verb that looks at the host shows of it, without options: ids of containers and layers."""
        if verb == "ps":
            return [container.id for container in running(self.host)]
        if verb == "images":
            return [image.top for image in on_top(self.host) if image.top]
        return [*self.host.layers, *self.host.containers] if verb in ("system df", "look") else [*self.host.layers]

    def record(self, reference: str) -> ContainerRecord:
        """Raises NoSuchContainer, AmbiguousId."""
        id = self.container(reference).id
        return self._records.get(id) or Containers(self.parts.store).get(id)

    def known(self, reference: str) -> Particulars:
        """Raises NoSuchContainer, AmbiguousId."""
        return self.world.particulars[self.container(reference).id]

    def explain(self, verb: str, command: str, focus: Sequence[str], outcome: Callable[[], Outcome]) -> Explained:
        """What is not there cannot be explained, and its error is raised; what is refused is explained as such."""
        row = VERBS[verb]
        here = self.of(world.measured(self.parts, self.world, focus))
        found, refusal = self._tried(outcome)
        later = here._after(found)
        shown = {*focus, *found.focus}
        shown |= {self.host.containers[id].top or id for id in shown & set(self.host.containers)}  # what they stand on
        takes, gives = marked(world.pictured(here.world), world.pictured(later.world))
        explanation = Explanation(
            command,
            takes._replace(cards=found.takes),
            _in_words(row.takes),
            f"{row.sentence}." + (f" Afterwards {_named(found.sentence)}." if found.sentence else ""),
            found.steps,
            gives._replace(cards=found.gives),
            _in_words(row.gives) if set(later.host.containers) >= shown & set(self.host.containers) else WORDS[NOTHING],
            frozenset(shown),
            refusal=refusal,
            remarks=_stays(found.removal),
        )
        return Explained(explanation, later)

    def missing(self, verb: str, command: str, error: NotFound) -> Explained:
        """Of several verbs in a row one whose object is not there."""

        def refused() -> Outcome:
            raise BadParameter(str(error)) from error

        return self.explain(verb, command, (), refused)

    def _tried(self, outcome: Callable[[], Outcome]) -> tuple[Outcome, str]:
        """And why it would be refused, if it would."""
        try:
            return outcome(), ""
        except NotFound:
            raise
        except NotModified as error:  # so be it
            return Outcome(self.host, "all is as before", (PlannedStep("leave it as it is", str(error)),)), ""
        except TiffinError as error:
            return Outcome(self.host, ""), str(error)

    def _after(self, outcome: Outcome) -> Scene:
        """Where anything has changed, what process spaces may have changed meanwhile is known no more."""
        if outcome.host is self.host:
            return self
        host, known = outcome.host, {**self.world.particulars, **outcome.particulars}
        kept = {
            id: _open(known[id], outcome.processes.get(id, ())) if container.state in ALIVE else known[id]
            for id, container in host.containers.items()
        }
        stories = {id: story for id, story in {**self.world.stories, **outcome.stories}.items() if id in host.images}
        removed = self.removed
        if outcome.removal:
            removed = removed.then(outcome.removal) if removed else outcome.removal
        records = {**self._records, **outcome.records}
        return Scene(self.parts, World(host, stories, kept, self.world.at), records, removed)


def joined(verb: str, command: str, explained: Sequence[Explained]) -> Explained:
    """Several in a row as one: the parts of a compound verb, or a verb for each of its arguments."""
    if len(explained) == 1:
        return explained[0]
    parts, row = tuple(one.explanation for one in explained), VERBS[verb]
    takes, gives = marked(parts[0].takes, parts[-1].gives)
    whole = Explanation(
        command,
        takes,
        _in_words(row.takes),
        f"{row.sentence}.",
        (),
        gives,
        parts[-1].gives_words,
        frozenset(id for part in parts for id in part.focus),
        parts,
        next((part.refusal for part in parts if part.refusal), ""),
    )
    return Explained(whole, explained[-1].after)


def target(path: str | None) -> str:
    """Where a verb would write, in words: a file, or the output. Raises BadParameter where no file can be made."""
    if path is None:
        return "the output"
    folder = os.path.dirname(os.path.realpath(path))
    trouble = (
        EISDIR if os.path.isdir(path) else ENOENT if not os.path.isdir(folder)
        else EACCES if not os.access(folder, os.W_OK) else 0
    )  # fmt: skip
    if trouble:
        raise BadParameter(f"{path}: {os.strerror(trouble)}")
    return path


def _stays(removal: Removal | None) -> tuple[str, ...]:
    if removal is None:
        return ()
    told = [f"Stays: {one.kind} {one.label}, as {one.why}." for one in removal.stays]
    more = [f"Stays: {len(told) - MOST_TOLD} more."] if len(told) > MOST_TOLD else []
    return (*told[:MOST_TOLD], *more)


def _open(known: Particulars, fresh: tuple[Process, ...]) -> Particulars:
    """Of a container that runs. Only of what is to come is told beside what else there was; all may change."""
    there = (known.space.processes if known.space else None) or ()
    return known._replace(
        size=None, changes=None, is_least=False, space=Space((*there, *fresh)) if fresh else Space()
    )  # fmt: skip


def _named(sentence: str) -> str:
    return sentence.replace(NEW_NAME, "the new container")


def _in_words(nouns: Sequence[str]) -> str:
    if set(nouns) == {CONTAINER, RUNNING}:
        return "a container, running or not"
    *some, last = [WORDS[noun] for noun in nouns]
    return f"{', '.join(some)} or {last}" if some else last
