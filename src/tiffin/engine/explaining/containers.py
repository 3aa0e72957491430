"""What the verbs of containers at rest would do: create, rm, rename, commit, export, and those that only look."""

from __future__ import annotations

from tiffin.builder.settings import changed
from tiffin.containers import Containers
from tiffin.engine import creation
from tiffin.engine.explaining.scene import NEW_NAME, Explained, Outcome, Scene, target
from tiffin.engine.pictures.world import Told, described, in_one_line, story_of
from tiffin.engine.removal import plan_rm
from tiffin.engine.removal_plan import BLOB, CONTAINER, IMAGE, LAYER, NAME
from tiffin.images.reference import parse_tagged
from tiffin.layers.delta import delta
from tiffin.model import transitions as table
from tiffin.model.config import Config
from tiffin.model.host_config import HostConfig
from tiffin.model.nouns import Layer
from tiffin.model.states import ALIVE
from tiffin.view.explanation import PlannedStep
from tiffin.view.picture import NEW_ID, Card, Changes, short
from tiffin.view.words import amount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tiffin.engine.removal_plan import Removal

NEW_CONTAINER = f"{NEW_ID}container"
NEW_IMAGE = f"{NEW_ID}image"
NEW_LAYER = f"{NEW_ID}layer"
NAMES = "/containers/names"
UPPER = '/diff", O_RDONLY|O_DIRECTORY'
EVENT = PlannedStep("write an event", "whoever follows them hears of it", begins="/events/counter")
UNKNOWN = -1  # bytes, for a layer of which nobody knows them yet


def create(
    scene: Scene, image: str, command: Sequence[str], *, name: str | None, config: Config, host: HostConfig,
    words: str = "",
) -> Explained:  # fmt: skip
    def outcome() -> Outcome:
        asked = config._replace(image=image, cmd=tuple(command) or config.cmd)
        record = creation.settled(scene.parts, image, asked, host, name=name or "", id=creation.new_id())
        if name:
            Containers.check_name(name)
        made = table.create(
            scene.host, image, id=NEW_CONTAINER, name=name or NEW_NAME, auto_remove=host.auto_remove
        )
        known = described(record.config, host, scene.world.at)._replace(size=0, changes=Changes(0, 0, 0))
        return Outcome(
            made.after, made.sentence, _steps_of_create(scene, image, name),
            {NEW_CONTAINER: known}, records={NEW_CONTAINER: record}, focus=(NEW_CONTAINER,),
        )  # fmt: skip

    focus = shown(table.find_image(scene.host, image))
    return scene.explain("create", words or f"create {image}", focus, outcome)


def _steps_of_create(scene: Scene, image: str, name: str | None) -> tuple[PlannedStep, ...]:
    found = table.find_image(scene.host, image)
    what = f"image {short(found.image.id)}" if found.image else f"layer {short(found.layers[-1])}, with empty settings"
    naming = f"take the name {name}" if name else "make up a name, and take it"
    store = scene.parts.store
    draft = f'mkdir("{store.path("tmp")}/'
    return (
        PlannedStep(f"find {image}: {what}", "it is here; nothing is fetched", begins=f'"{store.path("lock")}"'),
        PlannedStep("make the read-write layer, an empty folder", "only it will write there", begins=draft),
        PlannedStep(
            "write its settings down beside it", "the image's, and what you asked for", begins='/json", O_WRONLY'
        ),
        PlannedStep(naming, "a link that is made exclusively: no two can have it", begins=NAMES),
        PlannedStep(
            "move the folder to its place", "the commit point: from here on the container exists", begins="renameat2("
        ),
        EVENT,
    )


def rm(scene: Scene, reference: str, *, force: bool) -> Explained:
    found = scene.container(reference)

    def outcome() -> Outcome:
        gone = table.rm(scene.host, reference, force=force)
        plan = plan_rm(scene.parts, found, after=scene.removed)
        kill = PlannedStep(
            "send SIGKILL to the first process", "-f: a process space around it goes first",
            begins=f'/run/{found.id}/record"',
        )  # fmt: skip
        steps = (
            *((kill,) if found.state in ALIVE else ()),
            PlannedStep("hold the lock of its run", "nobody can start it meanwhile", begins=f'mkdir(…/run/{found.id}"'),
            PlannedStep("move its folder to the trash", "the commit point: from here on it is gone", begins="/trash/"),
            PlannedStep(f"let go of the name {found.name}", "another container may have it", begins=NAMES),
            EVENT,
            PlannedStep(
                f"delete what lay in the read-write layer, {amount(plan.freed)}", "nothing else needs it",
                begins="/trash/",
            ),
            *steps_of(plan, but=(CONTAINER,)),
        )
        return Outcome(gone.after, gone.sentence, steps, removal=plan)

    return scene.explain("rm", f"rm {'-f ' * force}{reference}", (found.id,), outcome)


def rename(scene: Scene, reference: str, name: str) -> Explained:
    found = scene.container(reference)

    def outcome() -> Outcome:
        Containers.check_name(name)
        renamed = table.rename(scene.host, reference, name)
        steps = (
            PlannedStep(f"take the name {name}", "a link that is made exclusively: no two can have it"),
            PlannedStep("write the settings again, under that name", "the commit point", begins="/.json."),
            PlannedStep(f"let go of the name {found.name}", "another container may have it", begins="readlink("),
            EVENT,
        )
        return Outcome(renamed.after, renamed.sentence, steps)

    return scene.explain("rename", f"rename {reference} {name}", (found.id,), outcome)


def commit(
    scene: Scene, reference: str, name: str | None = None, *, changes: Iterable[str] = (), message: str = "",
    pause: bool = True,
) -> Explained:  # fmt: skip
    found = scene.container(reference)

    def outcome() -> Outcome:
        record, is_alive = scene.record(reference), found.state in ALIVE
        tagged = parse_tagged(name).familiar() if name else None
        changed(record.config, changes)
        layer = _burnt(scene, found.id, found.top, is_alive)
        made = table.commit(scene.host, reference, id=NEW_IMAGE, layer=layer, name=tagged)
        words = in_one_line(" ".join(record.config.cmd) or message)
        below = scene.world.stories.get(found.image or "", _bare_story(scene, found.top))
        last = Told(layer.id if layer else found.top, words, scene.world.at, layer is None)
        frozen = pause and is_alive
        going_on = PlannedStep(
            f"let {found.name} go on", "it keeps its read-write layer as it is", begins=f'close(…/{found.id}">)'
        )
        where = f"on {short(found.top)}, its parent" if found.top else "on the ground"
        reading = (
            PlannedStep(
                "read the read-write layer as a tar", "the same bytes and times give the same id", begins=UPPER
            ),
            PlannedStep(f"write layer {short(layer.id)}", where, begins="mkdir("),
        ) if layer else (
            PlannedStep(
                "look into the read-write layer", "nothing is there: the image has the layers of its parent",
                begins=UPPER,
            ),
        )  # fmt: skip
        steps = (
            *((PlannedStep(f"freeze {found.name}", "no file may change half-way"),) if frozen else ()),
            *reading,
            PlannedStep("write the image's settings", "the container's, and what made this layer", begins="/images/"),
            *((pointing(tagged),) if tagged else ()),
            EVENT,
            *((going_on,) if frozen else ()),
        )
        sentence = made.sentence.replace(short(NEW_IMAGE), "a new image") if not tagged else made.sentence
        top = layer.id if layer else found.top
        return Outcome(
            made.after, sentence, steps, stories={NEW_IMAGE: (*below, last)}, focus=(top,) if top else (),
        )  # fmt: skip

    return scene.explain("commit", f"commit {reference}{f' {name}' * bool(name)}", (found.id,), outcome)


def _burnt(scene: Scene, id: str, top: str | None, is_alive: bool) -> Layer | None:
    """The layer that it would become; nobody knows that while programs may write there."""
    layers = scene.parts.layers
    upper = f"{Containers(scene.parts.store).folder(id)}/diff"
    if next(delta(upper, layers.folders(top)), None) is None:
        return None
    return Layer(NEW_LAYER, top, "", UNKNOWN) if is_alive else layers.foretold(upper, top)


def _bare_story(scene: Scene, top: str | None) -> tuple[Told, ...]:
    from tiffin.engine.references import bare_config  # only for what stands on a bare layer

    return story_of(bare_config(scene.parts, top))


def export(scene: Scene, reference: str, path: str | None) -> Explained:
    found = scene.container(reference)

    def outcome() -> Outcome:
        where = target(path)
        tar = Card("tar", where, (("holds", "one flat tree: what you see looking down"), ("layers", "none"),
                                   ("settings", "none")))  # fmt: skip
        steps = (
            PlannedStep("look down on the stack", "of each path the topmost version; what was removed is left out"),
            PlannedStep(f"write it to {where}", "one tar, without layers and settings"),
            EVENT,
        )
        return Outcome(scene.host, f"{where} holds the union view of {found.name}", steps, gives=(tar,))

    return scene.explain("export", f"export {reference}", (found.id,), outcome)


def only_look(scene: Scene, verb: str, reference: str, command: str) -> Explained:
    """A verb that leaves a container as it is."""
    found = scene.container(reference)
    does = {
        "logs": ("read its log", "what its programs wrote is kept beside the read-write layer"),
        "diff": ("walk through the read-write layer", "what lies there is what it changes"),
        "inspect": ("read its settings and its state", "two small files, and a lock that tells whether it runs"),
        "look": ("look down on the stack, and into the process space", "files on the disk, and what /proc tells"),
    }[verb]
    return scene.explain(
        verb, command, (found.id,), lambda: Outcome(scene.host, "all is as before", (PlannedStep(*does),))
    )


def pointing(
    name: str, at: str = "it", why: str = "the commit point: from here on it is that", *, of_several: bool = False
) -> PlannedStep:
    """The step that gives a name to an image."""
    begins = f'{_link(name)}"' if of_several else "/images/names/"
    return PlannedStep(f"point {name} at {at}", why, begins=begins)


def _link(name: str) -> str:
    """How the path of its link ends (`images.names`)."""
    repository, _, tag = name.rpartition(":")
    return f"/{repository}/:{tag}"


def steps_of(plan: Removal, but: Sequence[str] = ()) -> Iterator[PlannedStep]:
    """What a plan takes away, in order; not what is of the kinds `but`."""
    forms = {
        NAME: ("take the name {label} away", 'unlink(…{link}")'), IMAGE: ("forget image {label}", "/images/{hex}"),
        LAYER: ("delete layer {label}, {size}", "/layers/{hex}"), CONTAINER: ("delete container {label}", "/trash/"),
        BLOB: ("delete the blob {label}, {size}", "/content/sha256/{hex}"),
    }  # fmt: skip
    for one in plan.goes:
        if one.kind not in but:
            does, begins = forms[one.kind]
            told = {
                "label": one.label, "size": amount(one.size), "hex": one.id.removeprefix("sha256:"),
                "link": _link(one.label),
            }  # fmt: skip
            yield PlannedStep(does.format(**told), one.why, begins=begins.format(**told))


def shown(found: table.Found) -> tuple[str, ...]:
    """By which layer an image is shown; by itself where it has none."""
    return found.layers[-1:] or ((found.image.id,) if found.image else ())



