"""The engine: every verb of the article, once. No printing, no HTTP.

    library, command line, API          three fronts, equals
              |
            Engine                      one method for each verb
              |
    store  layers  images  containers  runtime

A verb's work is in the module of its family: `creation` (create), `spaces` (start, stop, kill, pause, exec, attach,
rm), `looking` (ps, inspect), `images` (images, history, tag), `removal` (rmi, prune), `archives` (load, save, import),
`commit`, `bootstrap`. `handles` are the nouns to hold in the hand, `planning` the policy of a process space.
"""

from tiffin.engine.engine import Engine, Progress
from tiffin.engine.handles import Attachment, Container, ExecConfig, ExecResult, RunningContainer
from tiffin.engine.looking import ContainerSummary
from tiffin.engine.state import ContainerState
from tiffin.model.config import Config, HostConfig, LogConfig
from tiffin.model.nouns import Image, Layer
from tiffin.runtime.client import Streams

TYPE_CHECKING = False
if TYPE_CHECKING:  # the types of what some verbs give: loading them would cost those who use other verbs
    from tiffin.containers.logs import LogLine as LogLine
    from tiffin.engine.archives import Loaded as Loaded
    from tiffin.engine.images import DiskUsage as DiskUsage
    from tiffin.engine.images import HistoryStep as HistoryStep
    from tiffin.engine.images import ImageSummary as ImageSummary
    from tiffin.engine.removal import Pruned as Pruned
    from tiffin.engine.removal import Removed as Removed
    from tiffin.layers.changes import Change as Change
    from tiffin.store.events import Event as Event
    from tiffin.store.events import Missed as Missed

__all__ = [
    "Attachment",
    "Config",
    "Container",
    "ContainerState",
    "ContainerSummary",
    "Engine",
    "ExecConfig",
    "ExecResult",
    "HostConfig",
    "Image",
    "Layer",
    "LogConfig",
    "Progress",
    "RunningContainer",
    "Streams",
]
