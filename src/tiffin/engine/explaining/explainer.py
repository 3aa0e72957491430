"""The verbs, to be explained: with the names and arguments that they have on `Engine`, `Container` and the rest."""

from __future__ import annotations

from tiffin.engine.explaining import containers, images, spaces
from tiffin.engine.explaining.scene import Explained, Scene, joined
from tiffin.engine.handles import ExecConfig
from tiffin.engine.parts import Parts
from tiffin.errors import NoSuchImage, NotFound
from tiffin.model.config import Config, as_words
from tiffin.model.host_config import HostConfig
from tiffin.view.explanation import Explanation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tiffin.runtime.plan import Plan


class Explainer:
    """One explanation after the other, each of the host as it stands when it is asked for.

    Each method raises NotFound where there is nothing to explain; what the verb would refuse is explained as such
    (`Explanation.refusal`); so is what is not there among several that are named. Nothing is done; but what every
    start finds below the runroot, and the first of a boot makes, an explained one makes as well.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    # containers

    def create(
        self, image: str, command: Sequence[str] = (), *, name: str | None = None, config: Config = Config(),
        host: HostConfig = HostConfig(),
    ) -> Explanation:  # fmt: skip
        argv = as_words(command, "a command")
        return containers.create(self._scene(), image, argv, name=name, config=config, host=host).explanation

    def run(
        self, image: str, command: Sequence[str] = (), *, name: str | None = None, config: Config = Config(),
        host: HostConfig = HostConfig(), stays: bool = False,
    ) -> Explanation:  # fmt: skip
        """`stays`: the caller stays until the program has ended, as the command does without -d."""
        argv = as_words(command, "a command")
        return spaces.run(
            self._scene(), image, argv, name=name, config=config, host=host, stays=stays
        ).explanation

    def plan_of_run(
        self, image: str, command: Sequence[str] = (), *, name: str | None = None, config: Config = Config(),
        host: HostConfig = HostConfig(),
    ) -> Plan:  # fmt: skip
        """The plan by which such a container would be started."""
        argv = as_words(command, "a command")
        made = containers.create(self._scene(), image, argv, name=name, config=config, host=host)
        return spaces.plan_of(made.after, containers.NEW_CONTAINER)

    def plan_of_start(self, container: str) -> Plan:
        """The plan by which it would be started."""
        return spaces.plan_of(self._scene(), container)

    def start(self, *names: str, stays: bool = False) -> Explanation:
        """`stays`: the caller stays until the program has ended, as the command does with -a."""

        def explained(scene: Scene, name: str) -> Explained:
            started = spaces.start(scene, name)
            if started.explanation.refusal or not stays:
                return started
            return joined("start", f"start {name}", [started, spaces.ended(started.after, name)])

        return self._each("start", names, explained)

    def stop(self, *names: str, timeout: float | None = None, signal: str | None = None) -> Explanation:
        return self._each("stop", names, lambda scene, name: spaces.stop(scene, name, timeout=timeout, signal=signal))

    def kill(self, *names: str, signal: str = "KILL") -> Explanation:
        return self._each("kill", names, lambda scene, name: spaces.kill(scene, name, signal=signal))

    def restart(self, *names: str, timeout: float | None = None, signal: str | None = None) -> Explanation:
        return self._each(
            "restart", names, lambda scene, name: spaces.restart(scene, name, timeout=timeout, signal=signal)
        )

    def pause(self, *names: str) -> Explanation:
        return self._each("pause", names, spaces.pause)

    def unpause(self, *names: str) -> Explanation:
        return self._each("unpause", names, spaces.unpause)

    def wait(self, *names: str) -> Explanation:
        return self._each("wait", names, spaces.wait)

    def exec(self, container: str, argv: Sequence[str], config: ExecConfig = ExecConfig()) -> Explanation:
        return spaces.exec(self._scene(), container, as_words(argv, "a command"), config).explanation

    def attach(self, container: str) -> Explanation:
        return spaces.attach(self._scene(), container).explanation

    def rm(self, *names: str, force: bool = False) -> Explanation:
        return self._each("rm", names, lambda scene, name: containers.rm(scene, name, force=force))

    def rename(self, container: str, name: str) -> Explanation:
        return containers.rename(self._scene(), container, name).explanation

    def commit(
        self, container: str, name: str | None = None, *, changes: Iterable[str] = (), message: str = "",
        pause: bool = True,
    ) -> Explanation:  # fmt: skip
        return containers.commit(
            self._scene(), container, name, changes=changes, message=message, pause=pause
        ).explanation

    def export(self, container: str, target: str | None = None) -> Explanation:
        """`target` is the path of a file, None for the output."""
        return containers.export(self._scene(), container, target).explanation

    # images

    def tag(self, image: str, name: str) -> Explanation:
        return images.tag(self._scene(), image, name).explanation

    def rmi(self, *references: str, force: bool = False, prune: bool = True) -> Explanation:
        return self._each(
            "rmi", references, lambda scene, name: images.rmi(scene, name, force=force, prune=prune)
        )

    def image_prune(self, *, all: bool = False) -> Explanation:
        return images.image_prune(self._scene(), all=all).explanation

    def save(self, references: Sequence[str], target: str | None = None) -> Explanation:
        """`target` is the path of a file, None for the output."""
        return images.save(self._scene(), as_words(references, "what to save"), target).explanation

    def load(self, source: str) -> Explanation:
        """`source` is the path of a file or folder."""
        return images.load(self._scene(), source).explanation

    def import_(
        self, source: str, name: str | None = None, *, changes: Iterable[str] = (), message: str = ""
    ) -> Explanation:
        """`source` is the path of a file."""
        return images.import_(self._scene(), source, name, changes=changes, message=message).explanation

    def bootstrap(self, what: str = "base") -> Explanation:
        return images.bootstrap(self._scene(), what).explanation

    # looking

    def look(self, verb: str, *references: str, kind: str = "") -> Explanation:
        """A verb that leaves containers, images or layers as they are: logs, diff, history, inspect, look.

        `kind` says that only a container, an image or a layer is meant.
        """

        def explained(scene: Scene, reference: str) -> Explained:
            is_container = verb in ("logs", "diff") or (
                verb in ("inspect", "look") and kind in ("", "container") and scene.has_container(reference)
            )
            command = f"{verb} {reference}"
            if is_container or kind == "container":
                return containers.only_look(scene, verb, reference, command)
            try:
                return images.only_look(scene, verb, reference, command)
            except NoSuchImage as error:
                if verb == "history" or kind:
                    raise
                raise NotFound(f"No such object: {reference}") from error

        return self._each(verb, references, explained)

    def look_around(self, verb: str, command: str, shown: Iterable[str] | None = None) -> Explanation:
        """A verb that looks at the host: ps, images, look, events, system df, version.

        `shown` are the ids of the containers and layers that it shows; by default as it does without options.
        """
        scene = self._scene()
        chosen = scene.shown_by(verb) if shown is None else tuple(shown)
        return images.look_around(scene, verb, command, chosen).explanation

    # helpers

    def _scene(self) -> Scene:
        return Scene.now(self._parts)

    def _each(self, verb: str, names: Sequence[str], explain: Callable[[Scene, str], Explained]) -> Explanation:
        scene, found = self._scene().looked_into(names), list[Explained]()
        for name in names:
            try:
                found.append(explain(scene, name))
            except NotFound as error:
                if len(names) == 1:
                    raise
                found.append(scene.missing(verb, f"{verb} {name}", error))
            scene = found[-1].after
        return joined(verb, f"{verb} {' '.join(names)}", found).explanation
