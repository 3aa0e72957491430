"""Which words name which verb, and where each verb's module lies. A verb is loaded when it is called, not before."""

from __future__ import annotations

from types import MappingProxyType

from tiffin.cli.options import Command, Given

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    from tiffin.engine import Engine
    from tiffin.view.explanation import Explanation

    class Verb(Protocol):
        """What a module of `cli.verbs` has."""

        COMMAND: Command

        def act(self, engine: Engine, given: Given) -> int:
            """Do it, print what it has to say, and give the exit code."""

        def explained(self, engine: Engine, given: Given) -> Explanation:
            """What `act` would do. Nothing is done."""


CONTAINER_VERBS = (
    "attach", "commit", "create", "diff", "exec", "export", "inspect", "kill", "logs", "pause", "rename", "restart",
    "rm", "run", "start", "stop", "unpause", "wait",
)  # fmt: skip
IMAGE_VERBS = ("history", "import", "inspect", "load", "save", "tag")

MODULES: Mapping[str, str] = MappingProxyType(
    {
        **{verb: verb for verb in (*CONTAINER_VERBS, *IMAGE_VERBS)},
        "bootstrap": "bootstrap",
        "events": "events",
        "explain": "explain",
        "images": "images",
        "look": "look",
        "ps": "ps",
        "rmi": "rmi",
        "version": "version",
        **{f"container {verb}": verb for verb in CONTAINER_VERBS},
        "container inspect": "container_inspect",
        "container ls": "ps",
        "container list": "ps",
        "container ps": "ps",
        "container remove": "rm",
        **{f"image {verb}": verb for verb in IMAGE_VERBS},
        "image inspect": "image_inspect",
        "image ls": "images",
        "image list": "images",
        "image prune": "image_prune",
        "image remove": "rmi",
        "image rm": "rmi",
        "system df": "system_df",
        "system events": "events",
    }
)

GROUPS: Mapping[str, str] = MappingProxyType(
    {"container": "What is done with containers", "image": "What is done with images", "system": "The host as a whole"}
)

SECTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "From an image to a running container": ("create", "start", "run"),
        "In a running container": ("exec", "attach", "logs", "pause", "unpause", "restart", "stop", "kill", "wait"),
        "Containers, running or not": ("ps", "diff", "commit", "export", "rename", "rm"),
        "Images and their layers": (
            "images", "history", "tag", "rmi", "save", "load", "import", "bootstrap",
        ),
        "Everything": ("look", "explain", "inspect", "events", "version"),
    }
)  # fmt: skip


def load(spelling: str) -> Verb:
    # __import__ rather than importlib, which costs 2 ms
    module = MODULES[spelling]
    name = "import_" if module == "import" else module
    verb: Verb = __import__(f"tiffin.cli.verbs.{name}", fromlist=("act",))
    return verb


def place_of(spelling: str) -> Command | None:
    """The group in which a verb is sought, if it is one."""
    group = spelling.partition(" ")[0]
    return Command(group, "COMMAND") if group in GROUPS else None


def all_of(command: Command) -> list[str]:
    """Every spelling of one verb, the long ones first, as Docker lists them."""
    module = MODULES[command.name]
    return sorted((spelling for spelling, other in MODULES.items() if other == module), key=len, reverse=True)
