"""The story that docs/visualizing.md tells: a real engine goes through the life of images and containers.

Everything that is drawn there is taken here: pictures, explanations, and what commands print. The image it begins with
is a busybox of a set size, so that sizes are the same wherever the story is told.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.busybox import PASSWD, PROGRAM
from tiffin.engine import Container, Engine
from tiffin.view.explanation import Explanation
from tiffin.view.picture import Picture
from tools.steady import Steady, slim, without

SOURCE = Path(__file__).resolve().parent.parent / "src"
FOLDERS = ("bin", "dev", "etc", "proc", "root", "sys", "tmp")
TOOLS = ("cat", "ls", "rm", "sh", "sleep", "touch")
SIZE = 2_500_000  # bytes of the busybox; filled up with zeros, which no program minds
MESSAGE = "a shell and a few tools"
FOREVER = ("sleep", "1000")
STEPS_OF_START = (
    "ask the spawner for a child", "make the control group", "mount the union view", "pivot the root",
    "limit the bounding set", "load the seccomp filter", "execute",
)  # fmt: skip
"""of some thirty: those that there are on every machine, and that the page speaks of"""

Piece = Picture | Explanation | str


class Folders(NamedTuple):
    """Where it takes place: two hosts, and a folder for tars."""

    root: str
    runroot: str
    other_root: str
    other_runroot: str
    tars: str

    @classmethod
    def below(cls, folder: str) -> Folders:
        made = cls(*(os.path.join(folder, name) for name in cls._fields))
        os.mkdir(made.tars)
        return made


def told(folder: str) -> dict[str, Piece]:
    """Every picture by its name, with nothing in it that differs between machines. Raises OSError, TiffinError."""
    folders = Folders.below(folder)
    story = Story(folders)
    try:
        story.tell()
    finally:
        story.end()
    places = {
        folders.root: "/var/lib/tiffin", folders.runroot: "/run/tiffin", folders.other_root: "/var/lib/tiffin",
        folders.other_runroot: "/run/tiffin", f"{folders.tars}/": "",
    }  # fmt: skip
    steady = Steady(story.ids, places)
    return {name: steady.value(piece) for name, piece in story.pieces.items()}


def base() -> bytes:
    """A flat tar of the smallest system in which the story can take place."""
    with open(PROGRAM, "rb") as program:
        content = program.read()
    if len(content) > SIZE:
        raise ValueError(f"{PROGRAM} has {len(content):,} bytes: raise SIZE in tools/story.py, and draw all again")
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name in FOLDERS:
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(folder)
        files = {"bin/busybox": content.ljust(SIZE, b"\0"), "etc/motd": b"Be happy.\n", "etc/passwd": PASSWD}
        for name, text in files.items():
            file = tarfile.TarInfo(name)
            file.size, file.mode = len(text), 0o755
            tar.addfile(file, io.BytesIO(text))
        for name in TOOLS:
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.LNKTYPE, "bin/busybox"
            tar.addfile(link)
    return made.getvalue()


class Story:
    """`pieces` are what is taken on the way, `ids` the real ids of what is made, by names of our own."""

    def __init__(self, folders: Folders) -> None:
        self.folders = folders
        self.engine = Engine(folders.root, folders.runroot)
        self.explain = self.engine.explain
        self.pieces: dict[str, Piece] = {}
        self.ids: dict[str, str] = {}

    def tell(self) -> None:
        self._happiness()
        self._nouns()
        self._begin()
        self._space()
        self._ends()
        self._containers()
        self._images()
        self._archives()
        self._host()

    def end(self) -> None:
        """Nothing runs any more."""
        for summary in self.engine.ps(all=True):
            self.engine.container(summary.id).remove(force=True)

    # chapters

    def _happiness(self) -> None:
        """A file, a container that ended, a layer that is burnt of it."""
        self._made("base", self.engine.import_(io.BytesIO(base()), "base", message=MESSAGE).id)
        happy = self._ran("happy", "base", "touch", "happiness.txt")
        self.pieces["happiness"] = self.engine.picture("happy")._replace(cards=())
        self.pieces["find"] = self._found("happiness.txt")
        self._explained("commit", self.explain.commit("happy", "mood"), "commit happy mood")
        self._made("mood", happy.commit("mood").id)

    def _nouns(self) -> None:
        top = self.engine.image("mood").noun.layers[-1]
        self.pieces["layer"] = self.engine.picture(top)
        self.pieces["image"] = self.engine.picture("mood")._replace(cards=())
        self._ran("change", "mood", "sh", "-c", "echo changing; echo ':-)' > happiness.txt; rm etc/motd")
        self.pieces["container"] = self.engine.picture("change")._replace(cards=())

    def _begin(self) -> None:
        create = self.explain.create("mood", FOREVER, name="joy")
        self._explained("create", create, "create --name joy mood sleep 1000")
        self._made("joy", self.engine.create("mood", FOREVER, name="joy").id)
        self._explained("start", self.explain.start("joy"), "start joy")
        self.engine.container("joy").start()
        joy = self.engine.picture("joy")
        self.pieces["running"] = joy._replace(cards=())
        self.pieces["inspect"] = joy
        self.pieces["readme"] = slim(joy)._replace(view=joy.view)
        run = self.explain.run("mood", FOREVER, name="calm")
        self._explained("run", run, "run -d --name calm mood sleep 1000")

    def _space(self) -> None:
        """What goes on in a process space."""
        joy = self.engine.container("joy").running()
        program = joy.exec(("sleep", "500"))
        self.pieces["exec"] = slim(self._seen_with(2))
        program.signal(9)
        program.wait()
        program.detach()
        self._seen_with(1)
        self._explained("attach", self.explain.attach("joy"), "attach joy")
        self._explained("pause", self.explain.pause("joy"), "pause joy")
        joy.pause()
        self._explained("unpause", self.explain.unpause("joy"), "unpause joy")
        joy.unpause()

    def _ends(self) -> None:
        joy = self.engine.container("joy")
        stop = self.explain.stop("joy", timeout=1)
        joy.running().stop(timeout=1)
        self._done("stop", stop, "stop -t 1 joy")
        joy.start()
        kill = self.explain.kill("joy")
        joy.running().kill()
        joy.wait()
        self._done("kill", kill, "kill joy")
        joy.start()
        restart = self.explain.restart("joy", timeout=1)
        parts = tuple(part._replace(steps=()) for part in restart.parts)  # they have just been told
        self._explained("restart", restart._replace(parts=parts), "restart -t 1 joy")
        self.pieces["wait"] = self._printed("wait", "happy")
        self.pieces["ps"] = self.engine.picture("happy", "change", "joy")

    def _containers(self) -> None:
        self.pieces["logs"] = self._printed("logs", "change")
        self.pieces["diff"] = self._printed("diff", "change")
        self._explained("rename", self.explain.rename("change", "grin"), "rename change grin")
        self._explained("export", self.explain.export("change", "change.tar"), "export -o change.tar change")
        self._explained("rm", self.explain.rm("happy"), "rm happy")
        self._explained("refused", self.explain.rm("joy"), "rm joy")

    def _images(self) -> None:
        self._made("note", self.engine.container("change").commit("note").id)
        shout = self._ran("shout", "base", "sh", "-c", "echo HEY > shout.txt")
        self._made("hey", shout.commit("shout").id)
        shout.remove()
        self.pieces["share"] = self.engine.picture("mood", "note", "shout")._replace(about="host")
        self.pieces["images"] = self._printed("images", "--tree")
        self.pieces["layers"] = self._printed("images", "-a")
        self.pieces["history"] = without(self._printed("history", "note"), "CREATED")
        self._explained("tag", self.explain.tag("mood", "mood:calm"), "tag mood mood:calm")
        self._explained("rmi", self.explain.rmi("shout"), "rmi shout")
        louder = self._ran("louder", "base", "sh", "-c", "echo HEY YOU > shout.txt")
        self._made("louder", louder.commit("shout").id)
        louder.remove()
        self._explained("image prune", self.explain.image_prune(), "image prune")

    def _archives(self) -> None:
        self._explained("save", self.explain.save(["note"], "note.tar"), "save -o note.tar note")
        path = os.path.join(self.folders.tars, "note.tar")
        with open(path, "wb") as file:
            self.engine.save(["note"], file)
        other = Engine(self.folders.other_root, self.folders.other_runroot)
        self._made("base", other.import_(io.BytesIO(base()), "base", message=MESSAGE).id, other)
        self._explained("load", other.explain.load(path), "load -i note.tar")
        path = os.path.join(self.folders.tars, "base.tar")
        Path(path).write_bytes(base())
        new = Engine(f"{self.folders.other_root}2", f"{self.folders.other_runroot}2")
        imported = new.explain.import_(path, "base", message=MESSAGE)
        self._explained("import", imported, f'import -m "{MESSAGE}" base.tar base')
        self._explained("bootstrap", new.explain.bootstrap(), "bootstrap")

    def _host(self) -> None:
        self.pieces["look"] = self.engine.picture()
        self.pieces["system df"] = self._printed("system", "df")
        form = "{{.Type}} {{.Action}} {{.Actor.Attributes.name}}"
        lines = self._printed("events", "--since", "0", "--until", "0s", "--format", form).splitlines()
        joys = [line for line in lines if line.endswith("joy")]
        self.pieces["events"] = "\n".join(joys[:6])

    # taking pictures

    def _explained(self, name: str, explanation: Explanation, command: str) -> None:
        if name in ("start", "run"):
            explanation = _chosen(explanation)
        self.pieces[name] = explanation._replace(command=command)

    def _done(self, name: str, explanation: Explanation, command: str) -> None:
        """After it has been done: with the true picture, and the judgement."""
        self._explained(name, self.engine.done(explanation), command)

    def _seen_with(self, number: int) -> Picture:
        """joy, once so many processes are in its process space."""
        for _ in range(200):
            picture = self.engine.picture("joy")
            space = picture.trays[0].space
            if space and len(space.processes or ()) == number:
                return picture
            time.sleep(0.02)
        raise TimeoutError(f"joy does not have {number} processes")

    def _printed(self, *words: str) -> str:
        """What a command writes."""
        environment = {
            **os.environ, "TIFFIN_ROOT": self.engine.root, "TIFFIN_RUNROOT": self.engine.runroot, "TZ": "UTC",
            "COLUMNS": "80", "PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(SOURCE),
        }  # fmt: skip
        command = [sys.executable, "-m", "tiffin", *words]
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        return "\n".join(line.rstrip() for line in done.stdout.strip("\n").splitlines())

    def _found(self, name: str) -> str:
        """What `find` on the host finds; the middle of the long id left out."""
        root = Path(self.engine.root)
        paths = [str(path) for path in root.rglob(name)]
        for id in self.ids.values():
            paths = [path.replace(id, f"{id[:12]}…") for path in paths]
        return "\n".join(paths)

    # making things

    def _ran(self, name: str, image: str, *command: str) -> Container:
        """A container that has run and ended."""
        container = self.engine.create(image, command, name=name)
        self._made(name, container.id)
        container.start().wait()
        return self.engine.container(container.id)

    def _made(self, name: str, id: str, engine: Engine | None = None) -> None:
        """A container's id, or an image's, with the layers that came with it."""
        prefix = "" if engine is None else "other "
        self.ids[f"{prefix}{'image ' * id.startswith('sha256:')}{name}"] = id
        for layer in (engine or self.engine).host().layers.values():
            if layer.id not in self.ids.values():
                self.ids[f"layer {name}"] = layer.id
                self.ids.setdefault(f"diff {name}", layer.diff_id)


def _chosen(explanation: Explanation, begins: Sequence[str] = STEPS_OF_START) -> Explanation:
    """Of the steps that start a program only those that begin so; each must be there."""
    if explanation.parts:
        return explanation._replace(parts=tuple(map(_chosen, explanation.parts)))
    if not explanation.command.startswith("start"):
        return explanation
    found = [step for begin in begins for step in explanation.steps if step.does.startswith(begin)]
    if len(found) != len(begins):
        raise ValueError(f"a start has no longer all of {begins}: choose others in tools/story.py")
    return explanation._replace(steps=tuple(found))
