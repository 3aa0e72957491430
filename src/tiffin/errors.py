"""The errors that a reader can meet, as one tree.

    TiffinError                     500, exit 1
    +-- NotFound                    404   no such ...
    |   +-- NoSuchContainer, NoSuchImage, NoSuchLayer, NoSuchPath
    +-- BadParameter                400   the request itself makes no sense
    |   +-- BadName, AmbiguousId, BadArchive
    +-- Conflict                    409   the request makes sense, but not now
    |   +-- NameInUse, ContainerRunning, ContainerNotRunning, ContainerPaused, ContainerNotPaused
    |   +-- ImageInUse, StoreBusy
    +-- NotModified                 304   it is already so
    +-- Unsupported                 501   this kernel, machine or version cannot
    +-- StoreDamaged, StoreTooNew   500
    +-- StoreFull                   507   the disk has no room for it
    +-- StartFailed                 400, exit 128   the process space could not be made
        +-- CommandNotFound         exit 127
        +-- CommandNotExecutable    exit 126

The meaning is in the class, never in the text. `status` is the HTTP status that Docker's API gives, `exit_code` the
exit status of the command line (`run` turns 1 into Docker's 125). The text is a sentence for the reader
and says what to try next.
"""

from __future__ import annotations


class TiffinError(Exception):
    """Something that the reader of the message can understand and act upon."""

    status = 500
    exit_code = 1


class NotFound(TiffinError):
    status = 404


class NoSuchContainer(NotFound):
    pass


class NoSuchImage(NotFound):
    pass


class NoSuchLayer(NotFound):
    pass


class NoSuchPath(NotFound):
    pass


class BadParameter(TiffinError):
    status = 400


class BadName(BadParameter):
    pass


class AmbiguousId(BadParameter):
    """A prefix that fits several ids; the text lists some of them."""


class BadArchive(BadParameter):
    """An archive that is damaged, hostile, or of no known form."""


class Conflict(TiffinError):
    status = 409


class NameInUse(Conflict):
    pass


class ContainerRunning(Conflict):
    pass


class ContainerNotRunning(Conflict):
    pass


class ContainerPaused(Conflict):
    pass


class ContainerNotPaused(Conflict):
    pass


class ImageInUse(Conflict):
    pass


class StoreBusy(Conflict):
    pass


class NotModified(TiffinError):
    status = 304


class Unsupported(TiffinError):
    status = 501


class StoreDamaged(TiffinError):
    """A record that does not say what it must; the text names the file."""


class StoreFull(TiffinError):
    """It would leave too little of the disk free; nothing of it is kept."""

    status = 507


class StoreTooNew(TiffinError):
    """The root folder was written by a newer tiffin."""


class StartFailed(TiffinError):
    """The process space could not be made; the text says what could not be done."""

    status = 400
    exit_code = 128
    trace: tuple[object, ...] = ()
    """what was recorded until then, where that was asked for (`runtime.tracing.of_failure`)"""


class ExecFailed(StartFailed):
    """The process space is there, but one more program could not be put into it; the text says why."""

    exit_code = 126


class CommandNotFound(StartFailed):
    exit_code = 127


class CommandNotExecutable(StartFailed):
    exit_code = 126
