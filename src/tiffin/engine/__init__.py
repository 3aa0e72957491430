"""The engine: every verb of the article, once. No printing, no HTTP.

    library, command line, API          three fronts, equals
              |
            Engine                      one method for each verb
              |
    store  layers  images  containers  runtime

A verb's work is in the module of its family: `creation` (create), `spaces` (start, stop, kill, pause, exec, attach,
rm), `looking` (ps, inspect), `images` (images, history, tag), `removal` (rmi, prune), `archives` (load, save, import),
`commit`, `bootstrap`. What a removal takes away is a plan first: `removal_plan`, made of a `census` alone. `handles`
and `stacks` are the nouns to hold in the hand, `planning` the policy of a process space. `pictures` are taken of what
stands here, `explaining` tells what each verb would do.
"""

from __future__ import annotations

from tiffin.engine.engine import Engine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.containers.logs import LogLine as LogLine
    from tiffin.engine.archives import Loaded as Loaded
    from tiffin.engine.engine import Progress as Progress
    from tiffin.engine.handles import Attachment as Attachment
    from tiffin.engine.handles import Container as Container
    from tiffin.engine.handles import ExecConfig as ExecConfig
    from tiffin.engine.handles import ExecResult as ExecResult
    from tiffin.engine.handles import RunningContainer as RunningContainer
    from tiffin.engine.images import DiskUsage as DiskUsage
    from tiffin.engine.images import HistoryStep as HistoryStep
    from tiffin.engine.images import ImageSummary as ImageSummary
    from tiffin.engine.looking import ContainerSummary as ContainerSummary
    from tiffin.engine.removal import Pruned as Pruned
    from tiffin.engine.removal import Removed as Removed
    from tiffin.engine.removal_plan import Goes as Goes
    from tiffin.engine.removal_plan import Removal as Removal
    from tiffin.engine.removal_plan import Stays as Stays
    from tiffin.engine.stacks import Image as Image
    from tiffin.engine.stacks import Layer as Layer
    from tiffin.engine.state import ContainerState as ContainerState
    from tiffin.layers.changes import Change as Change
    from tiffin.model.config import Config as Config
    from tiffin.model.host_config import HostConfig as HostConfig
    from tiffin.model.host_config import LogConfig as LogConfig
    from tiffin.runtime.client import Streams as Streams
    from tiffin.store.events import Event as Event
    from tiffin.store.events import Missed as Missed
    from tiffin.view.explanation import Explanation as Explanation
    from tiffin.view.picture import Picture as Picture

HOMES = {
    "containers.logs": ("LogLine",),
    "engine.archives": ("Loaded",),
    "engine.engine": ("Progress",),
    "engine.handles": ("Attachment", "Container", "ExecConfig", "ExecResult", "RunningContainer"),
    "engine.images": ("DiskUsage", "HistoryStep", "ImageSummary"),
    "engine.looking": ("ContainerSummary",),
    "engine.removal": ("Pruned", "Removed"),
    "engine.removal_plan": ("Goes", "Removal", "Stays"),
    "engine.stacks": ("Image", "Layer"),
    "engine.state": ("ContainerState",),
    "layers.changes": ("Change",),
    "model.config": ("Config",),
    "model.host_config": ("HostConfig", "LogConfig"),
    "runtime.client": ("Streams",),
    "store.events": ("Event", "Missed"),
    "view.explanation": ("Explanation",),
    "view.picture": ("Picture",),
}
"""Where the other names of the library live: a reader of `tiffin ps` pays for none that it does not use."""

__all__ = ["Engine", *(name for names in HOMES.values() for name in names)]


def __getattr__(name: str) -> object:
    for home, names in HOMES.items():
        if name in names:
            from importlib import import_module  # only for the library

            return getattr(import_module(f"tiffin.{home}"), name)
    raise AttributeError(f"module 'tiffin.engine' has no attribute '{name}'")
