"""The picture as a value: what is to be seen, and nothing about how it is drawn.

    Slab      a read-only layer                Tray      a container: its read-write layer, and what it is doing
    View      the union view, row by row       Space     a process space: processes, namespaces, limits, protections
    Card      metadata, or what a tar holds    Volume, Network    beside and above the stacks

In a picture that was foretold, what nobody can know before it happens is None, and the id of what is still to be made
begins with `NEW_ID`.
"""

from __future__ import annotations

from tiffin.model.nouns import State
from tiffin.model.states import ALIVE
from tiffin.record import NamedTuple

NEW_ID = "new:"
"""begins the id of what does not exist yet"""


class Mark:
    """How an object differs from what stood there before. One word each."""

    NONE = ""
    NEW = "new"
    MAKING = "making"
    GOING = "going"
    CHANGED = "changed"


class Slab(NamedTuple):
    """A read-only layer: a closed box on the one that it lies on."""

    id: str
    parent: str | None
    label: str = ""
    """what made it, in one line"""
    size: int | None = None
    """bytes of its files"""
    names: tuple[str, ...] = ()
    """of the images that end with it"""
    images: tuple[str, ...] = ()
    """the ids of the images that end with it"""
    settings: tuple[str, ...] = ()
    """steps that changed only settings and lie on it, the lowest first"""
    mark: str = Mark.NONE


class Changes(NamedTuple):
    """How many paths a layer adds, changes and removes."""

    added: int
    changed: int
    removed: int


class Process(NamedTuple):
    """`host_pid` is None for one that is still to begin."""

    pid: int | None
    """as it is seen inside"""
    host_pid: int | None
    parent: int
    """inside; 0 for one whose parent is outside"""
    name: str

    @property
    def is_new(self) -> bool:
        return self.host_pid is None


class Namespace(NamedTuple):
    kind: str
    """mnt, pid, net, ipc, uts, cgroup, user, time"""
    number: int
    """of its inode: two processes with the same number share it"""
    is_own: bool
    """not the host's"""


class Gauge(NamedTuple):
    """Use and limit of one resource. None: not known, or no limit. Memory in bytes, cpus in thousandths."""

    name: str
    used: int | None
    limit: int | None


class Protection(NamedTuple):
    """One of the things that hold a process back, as it was read back from the kernel."""

    name: str
    text: str


class Space(NamedTuple):
    """A process space. `processes` is None where nobody looked."""

    processes: tuple[Process, ...] | None = None
    namespaces: tuple[Namespace, ...] = ()
    cgroup: str = ""
    gauges: tuple[Gauge, ...] = ()
    protections: tuple[Protection, ...] = ()


class Use(NamedTuple):
    """A volume, or a folder of the host, at `target` inside."""

    source: str
    target: str
    is_readonly: bool = False


class Joined(NamedTuple):
    """A network, and the container's address in it."""

    network: str
    address: str = ""


class Tray(NamedTuple):
    """A container: a read-write layer, on top of the layer `on` (None: on the ground), and what it is doing.

    `since` is when its state began, in seconds since 1970; 0 where nobody says. `size` in bytes.
    """

    id: str
    name: str | None
    on: str | None
    image: str = ""
    """as it was asked for"""
    command: str = ""
    state: str = State.CREATED
    exit_code: int | None = None
    is_out_of_memory: bool = False
    reason: str = ""
    """why it ended or could not start, where that is not the program's own doing"""
    since: float = 0.0
    size: int | None = None
    changes: Changes | None = None
    files: tuple[str, ...] = ()
    """some of the paths that it wrote"""
    space: Space | None = None
    uses: tuple[Use, ...] = ()
    networks: tuple[Joined, ...] = ()
    ports: tuple[str, ...] = ()
    """as "8080 → 80" """
    is_thrown_away: bool = False
    """it goes when its process space does: `--rm`"""
    is_least: bool = False
    """`size` and `changes` are at least that: nobody looked to the end"""
    mark: str = Mark.NONE

    @property
    def is_alive(self) -> bool:
        """Whether there is a process space around it."""
        return self.state in ALIVE


class Row(NamedTuple):
    """One line of a union view. `layer` gives what is seen, and `hides` has another version below; ids, or none."""

    depth: int
    name: str
    kind: str
    """folder, file, link, device, or `more` for what is not listed"""
    layer: str = ""
    hides: str = ""
    is_removed: bool = False
    """a whiteout: `layer` takes away what `hides` has"""
    target: str = ""
    """of a link"""
    number: int = 0
    """how many `more` stands for, or how many names a closed folder has"""


class View(NamedTuple):
    """The union view: what one sees looking down on a stack."""

    of: str
    """the id of the tray or slab on top"""
    rows: tuple[Row, ...] = ()
    is_writable: bool = False


class Card(NamedTuple):
    """Metadata of one object, or what is in a tar. `kind` is container, image, layer or tar."""

    kind: str
    title: str
    rows: tuple[tuple[str, str], ...] = ()


class Volume(NamedTuple):
    name: str
    size: int | None = None


class Network(NamedTuple):
    name: str
    subnet: str = ""


class Picture(NamedTuple):
    """Slabs stand parents first; siblings, and trays on one slab, in the order in which they are drawn from the left.

    `about` says what the picture is of: host, container, image or layer. `at` is when it was taken, in seconds since
    1970.
    """

    about: str
    title: str
    slabs: tuple[Slab, ...] = ()
    trays: tuple[Tray, ...] = ()
    view: View | None = None
    cards: tuple[Card, ...] = ()
    volumes: tuple[Volume, ...] = ()
    networks: tuple[Network, ...] = ()
    ground_images: tuple[str, ...] = ()
    """the ids of images without any layer"""
    ground_names: tuple[str, ...] = ()
    """the names of such images"""
    at: float = 0.0

    def _repr_svg_(self) -> str:
        """What a notebook shows."""
        from tiffin.view.svg import draw  # only for drawing

        return draw(self)

    def _repr_html_(self) -> str:
        """What a notebook shows that can do more: the sentences too."""
        from tiffin.view.html import figure  # only for drawing

        return figure(self)

    def slab(self, id: str) -> Slab:
        """Raises KeyError."""
        for slab in self.slabs:
            if slab.id == id:
                return slab
        raise KeyError(id)

    def tray(self, id: str) -> Tray:
        """Raises KeyError."""
        for tray in self.trays:
            if tray.id == id:
                return tray
        raise KeyError(id)


def is_new(id: str) -> bool:
    """Whether nobody knows the real id yet."""
    return id.startswith(NEW_ID)


def short(id: str) -> str:
    """Twelve digits, as ids are shown; `new` for what has none yet."""
    return "new" if is_new(id) else id.removeprefix("sha256:")[:12]


def part(picture: Picture, chosen: frozenset[str]) -> Picture:
    """Only the slabs and trays whose ids are chosen, and what they stand on.

    Images without layers are there where one is chosen, or where what is chosen has no layers below.
    """
    parents = {slab.id: slab.parent for slab in picture.slabs}
    kept, trays = set[str](), tuple(tray for tray in picture.trays if tray.id in chosen)
    for at in (*(id for id in chosen if id in parents), *(tray.on for tray in trays)):
        while at is not None and at in parents and at not in kept:
            kept.add(at)
            at = parents[at]
    shown = picture._replace(slabs=tuple(slab for slab in picture.slabs if slab.id in kept), trays=trays)
    if chosen.intersection(picture.ground_images) or (chosen and not kept):
        return shown
    return shown._replace(ground_images=(), ground_names=())
