"""The table of verbs: what each command takes, what it gives, and what happens, in a sentence.

A row says it in general, for help texts and documentation. What a verb makes of a certain host is said by the function
of its name in `model.transitions`; in which states of a container it is allowed, by `model.states`. Verbs that only
look have their rows, too: they leave the host as it is.
"""

from __future__ import annotations

from types import MappingProxyType

from tiffin.record import NamedTuple

IMAGE = "image"
LAYER = "layer"
CONTAINER = "container"
RUNNING = "running container"
HOST = "host"
TAR = "tar"
NOTHING = "nothing"


class Verb(NamedTuple):
    """One row. `takes` and `gives` are nouns; `also` are further spellings, the long ones of Docker among them."""

    name: str
    also: tuple[str, ...]
    takes: tuple[str, ...]
    gives: tuple[str, ...]
    sentence: str

    @property
    def only_looks(self) -> bool:
        """Whether all stays as it is."""
        return self.name in LOOKING


ROWS = (
    # from an image to a running container
    Verb(
        "create", ("container create",), (IMAGE,), (CONTAINER,),
        "Put a read-write layer on top of an image's layers; nothing runs yet",
    ),
    Verb(
        "start", ("container start",), (CONTAINER,), (RUNNING,),
        "Put a process space around a container's union view, and run its program in there",
    ),
    Verb(
        "run", ("container run",), (IMAGE,), (RUNNING,),
        "create, then start: a read-write layer on an image, and a process space around it",
    ),
    # in the process space
    Verb(
        "exec", ("container exec",), (RUNNING,), (RUNNING,),
        "Run one more program in a process space that is there already",
    ),
    Verb(
        "attach", ("container attach",), (RUNNING,), (RUNNING,),
        "Join the terminal to the first process of a process space",
    ),
    Verb(
        "pause", ("container pause",), (RUNNING,), (RUNNING,),
        "Freeze all processes of a process space where they are, by their cgroup and not by signals",
    ),
    Verb(
        "unpause", ("container unpause",), (RUNNING,), (RUNNING,),
        "Let frozen processes go on where they were",
    ),
    Verb(
        "stop", ("container stop",), (RUNNING,), (CONTAINER,),
        "Ask the first process to end, kill it after the grace time; the container stays, without a process space",
    ),
    Verb(
        "kill", ("container kill",), (RUNNING,), (CONTAINER,),
        "Send a signal to the first process, SIGKILL unless told otherwise; the container stays",
    ),
    Verb(
        "restart", ("container restart",), (RUNNING, CONTAINER), (RUNNING,),
        "stop, then start: a new process space around the same read-write layer",
    ),
    Verb(
        "wait", ("container wait",), (RUNNING, CONTAINER), (CONTAINER,),
        "Wait until the process space is gone, and tell the exit code",
    ),
    # containers, running or not
    Verb(
        "ps", ("container ls", "container list", "container ps"), (HOST,), (HOST,),
        "List the containers within a process space; with -a all containers",
    ),
    Verb(
        "logs", ("container logs",), (CONTAINER,), (CONTAINER,),
        "Show what a container's programs have written",
    ),
    Verb(
        "diff", ("container diff",), (CONTAINER,), (CONTAINER,),
        "Show what the read-write layer changes in the layers below",
    ),
    Verb(
        "rename", ("container rename",), (CONTAINER,), (CONTAINER,),
        "Give a container another name",
    ),
    Verb(
        "commit", ("container commit",), (CONTAINER, RUNNING), (IMAGE,),
        "Burn a container's read-write layer into a read-only one: an image. The container stays as it is",
    ),
    Verb(
        "export", ("container export",), (CONTAINER,), (TAR,),
        "Write a container's union view as one flat tar, without layers and metadata",
    ),
    Verb(
        "rm", ("container rm", "container remove"), (CONTAINER,), (NOTHING,),
        "Throw a container's read-write layer away; with -f a process space around it goes first",
    ),
    # images
    Verb(
        "images", ("image ls", "image list"), (HOST,), (HOST,),
        "List the images on top: those with a name or under a container; with -a every read-only layer",
    ),
    Verb(
        "history", ("image history",), (IMAGE,), (IMAGE,),
        "List an image's layers from the top down, each with its id: a layer is an image",
    ),
    Verb(
        "tag", ("image tag",), (IMAGE,), (IMAGE,),
        "Give an image one more name",
    ),
    Verb(
        "rmi", ("image rm", "image remove"), (IMAGE,), (NOTHING,),
        "Take a name away; with the last one go the image and the layers that nothing else needs",
    ),
    Verb(
        "image prune", (), (HOST,), (HOST,),
        "Remove the images without a name that nothing stands on; with -a all that no container stands on",
    ),
    Verb(
        "save", ("image save",), (IMAGE,), (TAR,),
        "Write images as one tar, layer by layer and with their metadata, for another host",
    ),
    Verb(
        "load", ("image load",), (TAR,), (IMAGE,),
        "Take in images that were saved: those layers that are not here yet, and the names",
    ),
    Verb(
        "import", ("image import",), (TAR,), (IMAGE,),
        "Make an image of one layer from a flat tar",
    ),
    Verb(
        "bootstrap", (), (HOST,), (IMAGE,),
        "Make an image of one layer from this machine's own programs",
    ),
    # everything
    Verb(
        "look", (), (CONTAINER, IMAGE, LAYER, HOST), (CONTAINER, IMAGE, LAYER, HOST),
        "Draw a container, an image or a layer, or all that stands on this host",
    ),
    Verb(
        "explain", (), (HOST,), (HOST,),
        "Draw what a command takes and gives, and tell its steps and their reasons; nothing is done",
    ),
    Verb(
        "inspect", ("container inspect", "image inspect"), (CONTAINER, IMAGE, LAYER), (CONTAINER, IMAGE, LAYER),
        "Show the metadata of a container, an image or a layer",
    ),
    Verb(
        "events", ("system events",), (HOST,), (HOST,),
        "Tell what happens on this host",
    ),
    Verb(
        "system df", (), (HOST,), (HOST,),
        "Count what layers and containers take on the disk, each layer once",
    ),
    Verb(
        "version", (), (HOST,), (HOST,),
        "Tell which tiffin this is",
    ),
)  # fmt: skip

LOOKING = frozenset(
    (
        "ps", "logs", "diff", "export", "images", "history", "save", "look", "explain", "inspect", "events",
        "system df", "version",
    )
)

VERBS = MappingProxyType({spelling: row for row in ROWS for spelling in (row.name, *row.also)})
"""Every spelling, and its row."""


def sentence(spelling: str) -> str:
    """What a verb does, without a full stop at the end. Raises KeyError for what is no verb."""
    return VERBS[spelling].sentence
