"""The engine: one folder, and every verb as a method. The library, the command line and the API all stand on it."""

from __future__ import annotations

import os

from tiffin.containers import Containers
from tiffin.engine import looking
from tiffin.engine.parts import Parts
from tiffin.engine.references import find_image, find_layer
from tiffin.engine.state import noun_of, state_of
from tiffin.errors import NoSuchContainer, NotFound
from tiffin.model import nouns
from tiffin.model.config import Config, as_words
from tiffin.model.host_config import HostConfig
from tiffin.runtime.recovery import recover_all
from tiffin.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from typing import Any, BinaryIO, TypeAlias

    from tiffin.engine.archives import Loaded
    from tiffin.engine.explaining import Explainer
    from tiffin.engine.handles import Container, RunningContainer
    from tiffin.engine.images import DiskUsage, HistoryStep, ImageSummary
    from tiffin.engine.looking import ContainerSummary
    from tiffin.engine.removal import Pruned, Removed
    from tiffin.engine.removal_plan import Removal
    from tiffin.engine.stacks import Image, Layer
    from tiffin.runtime.client import Streams
    from tiffin.store.events import Event, Missed
    from tiffin.view.explanation import Explanation
    from tiffin.view.picture import Picture

JSON: TypeAlias = "dict[str, Any]"  # the border: Docker's form
Progress: TypeAlias = "Callable[[str, int, int | None], None]"
"""Called with what is going on, the bytes done, and the bytes in all where they are known."""


class Engine:
    """All images and containers of one root folder. It holds no state: any number of them may work on one root.

    `root` and `runroot` default to TIFFIN_ROOT and TIFFIN_RUNROOT, then to /var/lib/tiffin and /run/tiffin for root,
    or the XDG folders of an ordinary user.
    """

    def __init__(self, root: str | None = None, runroot: str | None = None) -> None:
        root = root or os.environ.get("TIFFIN_ROOT") or _default_root()
        runroot = runroot or os.environ.get("TIFFIN_RUNROOT") or _default_runroot()
        self.store = Store(root, runroot).open()
        recover_all(self.store)
        self._parts = Parts(self.store, self._nouns)

    @property
    def root(self) -> str:
        """The folder of what is kept."""
        return self.store.root

    @property
    def runroot(self) -> str:
        """The folder of what is true for this boot only."""
        return self.store.runroot

    def warm_up(self) -> None:
        """Begin with what the first start would otherwise wait for, some 40 ms.

        For a program that soon ends: it leaves a child unreaped."""
        from tiffin.runtime import spawning  # not for listing

        spawning.begin_to_start(self.store)

    # finding

    def container(self, reference: str) -> Container:
        """By name, id, or unique prefix of an id. Raises NoSuchContainer, AmbiguousId."""
        from tiffin.engine.handles import Container  # not for listing

        return Container(self._parts, Containers(self.store).resolve(reference))

    def image(self, reference: str) -> Image:
        """By name, id, or unique prefix of an id. Raises NoSuchImage, AmbiguousId, BadName."""
        return self._image(find_image(self._parts, reference))

    def layer(self, reference: str) -> Layer:
        """By id or unique prefix of it. Raises NoSuchLayer, AmbiguousId."""
        from tiffin.engine.stacks import Layer  # not for listing

        return Layer(self._parts, find_layer(self._parts, reference))

    def host(self) -> nouns.Host:
        """Everything that stands here, as the table of verbs knows it."""
        images, layers = self._parts.images, self._parts.layers
        return nouns.Host(
            layers={layer.id: layer for layer in layers.all()},
            images={image.id: image for image in images.all()},
            names={name.familiar(): id for name, id in images.names.all()},
            containers={container.id: container for container in self._nouns()},
        )

    # containers

    def create(
        self,
        image: str | Image,
        command: Sequence[str] = (),
        *,
        name: str | None = None,
        config: Config = Config(),
        host: HostConfig = HostConfig(),
    ) -> Container:
        """Add a read-write layer on top of an image, or of a bare layer. Nothing runs yet.

        Raises NoSuchImage, NameInUse, BadName, BadParameter.
        """
        from tiffin.engine import creation  # not for listing
        from tiffin.engine.handles import Container  # not for listing

        reference, config = _asked(image, command, config)
        return Container(self._parts, creation.create(self._parts, reference, config, host, name=name))

    def run(
        self,
        image: str | Image,
        command: Sequence[str] = (),
        *,
        name: str | None = None,
        config: Config = Config(),
        host: HostConfig = HostConfig(),
        streams: Streams | None = None,
        owned: bool = True,
    ) -> RunningContainer:
        """create, then start. `owned`: the container ends with this process or with its attachment.

        Raises as `create` and `start` do.
        """
        from tiffin.engine import creation  # not for listing
        from tiffin.engine.handles import RunningContainer  # not for listing

        reference, config = _asked(image, command, config)
        record, connection = creation.create_and_start(
            self._parts, reference, config, host, name=name, streams=streams, owned=owned
        )
        return RunningContainer.begun(self._parts, record, connection)

    def ps(self, *, all: bool = False, size: bool = False) -> list[ContainerSummary]:
        """The running containers, or all of them, newest first."""
        return looking.ps(self._parts, all=all, size=size)

    def commit(
        self,
        container: Container,
        name: str | None = None,
        *,
        changes: Sequence[str] = (),
        message: str = "",
        author: str = "",
        pause: bool = True,
    ) -> Image:
        """Burn a container's read-write layer into a read-only one, and make an image of it."""
        return container.commit(name, changes=changes, message=message, author=author, pause=pause)

    def export(self, container: Container, target: BinaryIO) -> None:
        """Write a container's union view as one flat tar."""
        container.export(target)

    # images

    def images(self, *, all: bool = False) -> list[ImageSummary]:
        """The top-level images; with `all` also every read-only layer that is the top of none."""
        from tiffin.engine.images import images  # only for this verb

        return images(self._parts, all=all)

    def history(self, image: str) -> list[HistoryStep]:
        """The steps of an image from the top down, each with its real ids. Raises NoSuchImage."""
        from tiffin.engine.images import history  # only for this verb

        return history(self._parts, image)

    def tag(self, image: str, name: str) -> Image:
        """Give an image one more name. Raises NoSuchImage, BadName."""
        from tiffin.engine.images import tag  # only for this verb

        return self._image(tag(self._parts, image, name))

    def rmi(
        self, reference: str, *, force: bool = False, prune: bool = True, agreed: Removal | None = None
    ) -> list[Removed]:
        """The name goes, and what nothing else needs.

        `agreed`: the plan that somebody has seen and agreed to. Raises NoSuchImage, ImageInUse, and Conflict where more
        would go than was agreed; then nothing does.
        """
        from tiffin.engine.removal import rmi  # only for this verb

        return rmi(self._parts, reference, force=force, prune=prune, agreed=agreed)

    def plan_rmi(
        self, reference: str, *, force: bool = False, prune: bool = True, after: Removal | None = None
    ) -> Removal:
        """What `rmi` would take away and why, and what it would leave; sizes in bytes. Nothing is done.

        `after`: as if that were done already. Raises as `rmi` does.
        """
        from tiffin.engine.removal import plan_rmi  # only to plan

        return plan_rmi(self._parts, reference, force=force, prune=prune, after=after)

    def image_prune(self, *, all: bool = False, agreed: Removal | None = None) -> Pruned:
        """Remove the images without a name; with `all` those that no container uses.

        `agreed`: the plan that somebody has seen and agreed to. Raises Conflict where more would go; then nothing does.
        """
        from tiffin.engine.removal import image_prune  # only for this verb

        return image_prune(self._parts, all=all, agreed=agreed)

    def plan_image_prune(self, *, all: bool = False) -> Removal:
        """What `image_prune` would take away and why, and what it would leave; sizes in bytes. Nothing is done."""
        from tiffin.engine.removal import plan_image_prune  # only to plan

        return plan_image_prune(self._parts, all=all)

    def load(self, source: BinaryIO | str, *, progress: Progress | None = None) -> list[Loaded]:
        """Take in what `save` wrote, or an OCI layout: a file, a folder or a stream. Raises BadArchive."""
        from tiffin.engine.archives import load  # only for this verb

        return load(self._parts, source, progress=progress)

    def save(self, references: Sequence[str], target: BinaryIO, *, progress: Progress | None = None) -> None:
        """Write images with all their layers and settings as one tar. Raises NoSuchImage."""
        from tiffin.engine.archives import save  # only for this verb

        save(self._parts, as_words(references, "what to save"), target, progress=progress)

    def import_(
        self,
        source: BinaryIO,
        name: str | None = None,
        *,
        changes: Iterable[str] = (),
        message: str = "",
        progress: Progress | None = None,
    ) -> Image:
        """Make an image of one layer from a flat tar. Raises BadArchive, BadName, BadParameter."""
        from tiffin.engine.archives import import_  # only for this verb

        return self._image(
            import_(self._parts, source, name, changes=changes, message=message, progress=progress)
        )

    def bootstrap(self, what: str = "base", *, progress: Progress | None = None) -> Image:
        """Make an image to begin with: `base` from this machine's own programs, or `debian`. Raises BadParameter."""
        from tiffin.engine.bootstrap import bootstrap  # only for this verb

        return self._image(bootstrap(self._parts, what, progress=progress))

    # everything

    def picture(self, *references: str) -> Picture:
        """Of the whole host; of one container, image or layer in full; or of several, on what they share.

        Raises NotFound, AmbiguousId.
        """
        from tiffin.engine.pictures import taking  # only to draw

        if len(references) == 1:
            return taking.single(self._parts, references[0])
        return taking.some(self._parts, references) if references else taking.whole(self._parts)

    def _repr_svg_(self) -> str:
        """What a notebook shows."""
        return self.picture()._repr_svg_()

    def _repr_html_(self) -> str:
        return self.picture()._repr_html_()

    @property
    def explain(self) -> Explainer:
        """What each verb would do, told and drawn: `engine.explain.rm("web")`. Nothing is done."""
        from tiffin.engine.explaining import Explainer  # only to explain

        return Explainer(self._parts)

    def recorded(self, explanation: Explanation) -> AbstractContextManager[list[Explanation]]:
        """What this engine does meanwhile is recorded; afterwards the list holds the explanation with the system calls
        of each step. One thread of a process at a time."""
        from tiffin.engine.explaining import doing  # only to explain

        return doing.recorded(self._parts, explanation)

    def done(self, explanation: Explanation) -> Explanation:
        """The explanation of what has been done since, with the true picture, and how that differs from the foretold
        one."""
        from tiffin.engine.explaining import doing  # only to explain

        return doing.done(self._parts, explanation)

    def inspect(self, reference: str, kind: str | None = None) -> JSON:
        """The metadata of a container, an image or a layer (`kind`), sought in this order, in Docker's form.

        A bare layer is shown as the layer that it is, and as an image only where an image was asked for. Raises
        NotFound.
        """
        if kind in (None, "container"):
            record = looking.find(self._parts, reference)
            if record is not None:
                return looking.inspect(self._parts, record)
            if kind:
                raise NoSuchContainer(f"No such container: {reference}")
        from tiffin.engine import images  # only for images and layers

        if kind == "image":
            return images.inspect_image(self._parts, reference)
        if kind == "layer":
            return images.inspect_layer(self._parts, find_layer(self._parts, reference))
        try:
            return images.inspect(self._parts, reference)
        except NotFound as error:
            raise NotFound(f"No such object: {reference}") from error

    def system_df(self) -> DiskUsage:
        """What lies on the disk."""
        from tiffin.engine.images import system_df  # only for this verb

        return system_df(self._parts)

    def events(self, *, since: float | None = None, until: float | None = None) -> Iterator[Event | Missed]:
        """What happened since a time (seconds since 1970), and what happens until a time, or for ever.

        With `until` alone also all that is remembered of what happened before.
        """
        from tiffin.engine.happening import happening  # only for this verb

        return happening(self.store, since=since, until=until)

    def _image(self, noun: nouns.Image) -> Image:
        from tiffin.engine.stacks import Image  # not for listing

        return Image(self._parts, noun)

    def _nouns(self) -> Iterable[nouns.Container]:
        for record in Containers(self.store).all():
            yield noun_of(record, state_of(self.store, record.id))


def _asked(image: str | Image, command: Sequence[str], config: Config) -> tuple[str, Config]:
    reference = image if isinstance(image, str) else image.id
    return reference, config._replace(image=reference, cmd=as_words(command, "a command") or config.cmd)


def _default_root() -> str:
    if os.geteuid() == 0:
        return "/var/lib/tiffin"
    return os.environ.get("XDG_DATA_HOME", os.path.expanduser("~/.local/share")) + "/tiffin"


def _default_runroot() -> str:
    if os.geteuid() == 0:
        return "/run/tiffin"
    return os.environ.get("XDG_RUNTIME_DIR", f"/tmp/tiffin-{os.geteuid()}") + "/tiffin"
