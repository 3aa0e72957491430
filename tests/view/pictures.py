"""Sample pictures: the web server and the host of the sketches, a container in each state, hostile names.

Names, ids and numbers are made up. `web()` is the picture that shows nearly all there is.
"""

from __future__ import annotations

from typing import Any

from tiffin.model.nouns import State
from tiffin.view.explanation import Explanation, PlannedStep
from tiffin.view.picture import (
    Card,
    Changes,
    Gauge,
    Joined,
    Mark,
    Namespace,
    Network,
    Picture,
    Process,
    Protection,
    Row,
    Slab,
    Space,
    Tray,
    Use,
    View,
    Volume,
)

NOW = 1_800_000_000.0
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
HOSTILE = (
    "<script>alert(1)</script>",
    "\x1b[2J\x1b]0;owned\x07",
    "a\u202egpj.exe",
    "line\nbreak\r\ttab",
    "z\u0301\u0301\u0301\u0301\u0301algo",
    "\u6f22\u5b57\u306e\u5bb9\u5668",
    "&amp;\"'`$(id)",
    "\u200b\u2066\ud800",
    "x" * 10_000,
    "",
)
"""as names of anything: markup, escape sequences, marks of direction, piled marks, wide letters, far too long"""


def id_of(number: int) -> str:
    """An id that can be told apart by its first digits."""
    return f"sha256:{number:04x}{'c0ffee' * 10}"


def stack(*labels: str, first: int = 1) -> tuple[Slab, ...]:
    """Slabs on one another, the first on the ground, of 1 kB, 2 kB, ..."""
    ids = [id_of(first + number) for number in range(len(labels))]
    return tuple(
        Slab(id, below, label, (number + 1) * 1000)
        for number, (id, below, label) in enumerate(zip(ids, [None, *ids], labels, strict=False))
    )


def one(tray: Tray | None = None, *labels: str) -> Picture:
    """A small container, or an image where `tray` is None."""
    slabs = stack(*labels or ("base",))
    named = (*slabs[:-1], slabs[-1]._replace(names=("app:1",), images=(id_of(0xFF),)))
    trays = (tray._replace(on=slabs[-1].id),) if tray else ()
    return Picture("container" if tray else "image", (tray.name or "") if tray else "app:1", named, trays, at=NOW)


# --- the web server of the sketches

_WEB_LAYERS = (
    ("4fd03ab18c77", "alpine 3.20", 7_800_000, ("alpine:3.20",), ()),
    ("a1b0c2d3e4f5", "RUN adduser -D web", 4_000, (), ()),
    ("b2c1d3e4f5a6", "RUN mkdir /srv", 0, (), ()),
    ("c3d2e4f5a6b7", "RUN apk add tzdata", 3_000, (), ()),
    ("d4e3f5a6b7c8", "COPY keys /etc/apk/keys", 5_000, (), ()),
    ("77ab03e91f42", "RUN apk add nginx", 30_100_000, ("nginx:1.27",), ("EXPOSE 80", "CMD nginx")),
    ("5c20ee81f4d9", "COPY default.conf /etc/nginx", 1_100, (), ()),
    ("d81f6c03b9ae", "COPY site /usr/share/nginx/html", 1_200_000, ("web:1",), ()),
)
WEB_ID = "c4e81b90d2f6" + "0" * 52


def _web_id(digits: str) -> str:
    return "sha256:" + digits + "0" * 52


def web_slabs() -> tuple[Slab, ...]:
    """Eight layers, three of them with a name."""
    ids = [_web_id(digits) for digits, *_ in _WEB_LAYERS]
    return tuple(
        Slab(id, below, label, size, names, (id_of(0xA0 + number),) if names else (), settings)
        for number, (id, below, (_, label, size, names, settings)) in enumerate(
            zip(ids, [None, *ids], _WEB_LAYERS, strict=False)
        )
    )


def web_tray() -> Tray:
    """A running web server with three processes."""
    own = ("mnt", "pid", "net", "ipc", "uts", "cgroup")
    spaces = (*(Namespace(kind, 4026532200 + n, True) for n, kind in enumerate(own)),
              *(Namespace(kind, 4026531800 + n, False) for n, kind in enumerate(("user", "time"))))  # fmt: skip
    space = Space(
        (Process(1, 41207, 0, "nginx: master"), Process(22, 41261, 1, "nginx: worker"),
         Process(23, 41262, 1, "nginx: worker")),
        spaces,
        "/tiffin/c4e81b90d2f6",
        (Gauge("memory", 14_000_000, 256_000_000), Gauge("processes", 3, 100), Gauge("cpus", 20, None)),
        (Protection("capabilities", "27 of 41 taken away"), Protection("system calls", "61 barred"),
         Protection("privileges", "no new ones")),
    )  # fmt: skip
    return Tray(
        WEB_ID, "web", _web_id("d81f6c03b9ae"), "web:1", "nginx -g daemon off;", State.RUNNING,
        since=NOW - 2 * HOUR - 43 * MINUTE, size=2_300, changes=Changes(1, 1, 1),
        files=("run/nginx.pid", "usr/share/nginx/html/index.html"), space=space,
        uses=(Use("pgdata", "/var/lib/postgresql"), Use("/home/me/site", "/srv/site", True)),
        networks=(Joined("shop", "10.5.0.6"),), ports=("8080 → 80",),
    )  # fmt: skip


def web_view() -> View:
    six, seven, eight, one = (_WEB_LAYERS[number][0] for number in (5, 6, 7, 0))
    six, seven, eight, one = _web_id(six), _web_id(seven), _web_id(eight), _web_id(one)
    return View(WEB_ID, (
        Row(0, "etc", "folder"),
        Row(1, "nginx", "folder"),
        Row(2, "conf.d", "folder"),
        Row(3, "default.conf", "file", seven, six),
        Row(2, "mime.types", "file", six),
        Row(2, "nginx.conf", "file", six),
        Row(1, "passwd", "file", seven, one),
        Row(0, "run", "folder"),
        Row(1, "nginx.pid", "file", WEB_ID),
        Row(0, "usr/share/nginx/html", "folder"),
        Row(1, "50x.html", "file", eight),
        Row(1, "img", "folder", eight, number=31),
        Row(1, "index.html", "file", WEB_ID, eight),
        Row(1, "old.html", "file", WEB_ID, eight, is_removed=True),
        Row(0, "var", "folder"),
        Row(1, "log/nginx/access.log", "link", six, target="/dev/stdout"),
        Row(0, "", "more", number=12),
    ), is_writable=True)  # fmt: skip


def web(**changed: Any) -> Picture:
    """A running web server, its stack and its union view; `changed` are fields of its container."""
    tray = web_tray()._replace(**changed)
    card = Card("container", "web", (("id", WEB_ID), ("command", "nginx -g daemon off;"), ("user", "root")))
    return Picture(
        "container", "web", web_slabs(), (tray,), web_view(), (card,), (Volume("pgdata", 412_000_000),),
        (Network("shop", "10.5.0.0/24"),), at=NOW,
    )  # fmt: skip


def web_image() -> Picture:
    """The image that it stands on."""
    view = web_view()
    rows = tuple(row for row in view.rows if row.layer != WEB_ID and row.name != "run")
    card = Card("image", "web:1", (("id", id_of(0xA7)), ("command", "nginx -g daemon off;"), ("made", "2 d ago")))
    return Picture("image", "web:1", web_slabs(), view=View(web_slabs()[-1].id, rows), cards=(card,), at=NOW)


# --- containers in every state


def in_state(state: str, **fields: Any) -> Tray:
    alive = state in (State.RUNNING, State.PAUSED)
    space = Space((Process(1, 4242, 0, "sleep"),)) if alive else Space() if state == State.RESTARTING else None
    tray = Tray("7e57" * 16, "app-1", None, "app:1", "sleep 60", state, since=NOW - 5 * MINUTE, size=0, space=space)
    return tray._replace(**fields)


def states() -> dict[str, Tray]:
    """One of each, by what a reader would call it."""
    return {
        "created": in_state(State.CREATED),
        "running": in_state(State.RUNNING),
        "paused": in_state(State.PAUSED),
        "restarting": in_state(State.RESTARTING, reason="again in 1.6 s"),
        "exited 0": in_state(State.EXITED, exit_code=0),
        "exited 3": in_state(State.EXITED, exit_code=3),
        "not found": in_state(State.EXITED, exit_code=127, reason="sh: not found"),
        "out of memory": in_state(
            State.EXITED, exit_code=137, is_out_of_memory=True,
            space=Space(None, gauges=(Gauge("memory", 64_000_000, 64_000_000),)),
        ),
        "unknown": in_state(State.EXITED),
        "removing": in_state(State.REMOVING, mark=Mark.GOING),
        "dead": in_state(State.DEAD, reason="/dev/sda1 is busy"),
    }  # fmt: skip


# --- the host of the sketches


def host() -> Picture:
    """Two bases with what stands on them, a third alone, and containers in most states."""
    slabs = list[Slab]()

    def lay(below: Slab | None, label: str, size: int, *names: str) -> Slab:
        slab = Slab(id_of(len(slabs) + 1), below.id if below else None, label, size, names,
                    (id_of(0x100 + len(slabs)),) if names else ())  # fmt: skip
        slabs.append(slab)
        return slab

    def pile(below: Slab, number: int, size: int, *names: str) -> Slab:
        for step in range(number - 1):
            below = lay(below, f"RUN step {step + 1}", size // number)
        return lay(below, f"RUN step {number}", size - size // number * (number - 1), *names)

    debian = lay(None, "debian bookworm", 116_600_000, "debian:12", "debian:latest")
    alpine = lay(None, "alpine 3.20", 7_800_000, "alpine:3.20")
    lay(None, "busybox 1.36", 4_300_000, "busybox:1")
    python = pile(debian, 4, 44_200_000, "python:3.12")
    postgres = pile(debian, 9, 310_000_000, "postgres:16")
    needs = lay(python, "RUN pip install -r requirements.txt", 38_100_000)
    worker = lay(python, "RUN pip install celery", 40_300_000, "worker:3")
    api6 = lay(needs, "COPY src /app", 1_200_000, "shop/api:6")
    api7 = lay(needs, "COPY src /app", 1_200_000, "shop/api:7", "shop/api:latest")
    nginx = pile(alpine, 5, 31_000_000, "nginx:1.27")
    conf = lay(nginx, "COPY default.conf", 1_100)
    lay(conf, "COPY site", 1_100, "web:1")
    web2 = lay(conf, "COPY site", 1_200_000, "web:2")

    def stand(name: str, on: Slab, state: str, size: int, running: int = 0, **fields: Any) -> Tray:
        processes = tuple(Process(1 + n, 4000 + n, min(n, 1), "main") for n in range(running))
        space = Space(processes) if running else None
        image = on.names[0] if on.names else ""
        tray = Tray(f"{name}-".encode().hex() + "0" * 40, name, on.id, image, "main", state, size=size, space=space)
        return tray._replace(since=NOW - 2 * HOUR)._replace(**fields)

    shop, media = Joined("shop", "10.5.0.6"), Joined("media", "10.6.0.2")
    trays = (
        stand("happy", debian, State.EXITED, 0, exit_code=0),
        stand("crunch", alpine, State.EXITED, 9_000_000, exit_code=137, is_out_of_memory=True,
              space=Space(None, gauges=(Gauge("memory", 64_000_000, 64_000_000),))),
        stand("report", alpine, State.EXITED, 0, exit_code=1, since=NOW - 5 * MINUTE),
        stand("api-1", api7, State.RUNNING, 12_000, 3, networks=(shop, media)),
        stand("api-2", api7, State.RUNNING, 12_000, 3, networks=(shop, media)),
        stand("api-old", api6, State.EXITED, 4_100_000, exit_code=0, since=NOW - 3 * DAY),
        stand("worker-1", worker, State.PAUSED, 88_000, 2, networks=(shop,)),
        stand("worker-2", worker, State.RESTARTING, 88_000, reason="again in 1.6 s"),
        stand("db", postgres, State.RUNNING, 63, 6, networks=(shop,), uses=(Use("pgdata", "/var/lib/postgresql"),)),
        stand("web", web2, State.RUNNING, 2_300, 5, networks=(shop,), ports=("8080 → 80",)),
    )  # fmt: skip
    return Picture("host", "this host", tuple(slabs), trays, volumes=(Volume("pgdata", 412_000_000),),
                   networks=(Network("media"), Network("shop", "10.5.0.0/24")), at=NOW)  # fmt: skip


def crowd(number: int = 12) -> Picture:
    """Many containers of one kind on one image."""
    (base,) = stack("alpine 3.20")
    kinds = (State.RUNNING, State.RUNNING, State.RUNNING, State.PAUSED, State.EXITED, State.EXITED)
    trays = tuple(
        in_state(kinds[n % 6], id=f"{n:064x}", name=f"api-{n}", on=base.id, exit_code=n % 2 if n % 6 > 3 else None)
        for n in range(number)
    )
    return Picture("host", "this host", (base._replace(names=("api:1",), images=(id_of(1),)),), trays, at=NOW)


def comb(levels: int) -> Picture:
    """A stack of many layers with a container on each."""
    slabs = stack(*(f"RUN step {n}" for n in range(levels)))
    trays = tuple(in_state(State.EXITED, id=f"{n:064x}", name=f"c{n}", on=slab.id, exit_code=0)
                  for n, slab in enumerate(slabs))  # fmt: skip
    return Picture("host", "this host", slabs, trays, at=NOW)


# --- hostile names everywhere


def hostile(text: str) -> Picture:
    """A container with this text wherever a text may stand."""
    slabs = (Slab(id_of(1), None, text, 10, (text, text), (id_of(9),), (text, text)),)
    space = Space((Process(1, 2, 0, text), Process(2, 3, 1, text)), (Namespace(text, 1, True),), text,
                  (Gauge(text, 1, 2),), (Protection(text, text),))  # fmt: skip
    tray = Tray("ab" * 32, text, slabs[0].id, text, text, State.RUNNING, reason=text, size=1, files=(text, text),
                space=space, uses=(Use(text, text),), networks=(Joined(text, text),), ports=(text,))  # fmt: skip
    rows = (Row(0, text, "folder"), Row(1, text, "link", tray.id, slabs[0].id, target=text))
    return Picture(
        "container", text, slabs, (tray,), View(tray.id, rows, True), (Card(text, text, ((text, text),)),),
        (Volume(text, 1),), (Network(text, text),), ground_names=(text,), at=NOW,
    )  # fmt: skip


# --- explanations


def explain_commit() -> Explanation:
    """`commit web web:2`, foretold."""
    tray = web_tray()
    before = Picture("host", "this host", web_slabs(), (tray,), at=NOW)
    new = Slab("new:layer", tray.on, "commit of web", 2_300, ("web:2",), ("new:image",), mark=Mark.NEW)
    steps = (
        PlannedStep("freeze web", "no file may change half-way", ("write(5, \"1\") = 1",), 90_000),
        PlannedStep("read the read-write layer", "+1 ~1 −1, 2.3 kB"),
        PlannedStep("write the new layer", "on d81f6c03b9ae, its parent"),
        PlannedStep("let web go on", "frozen for about 5 ms"),
        PlannedStep("record the new image", "settings of web"),
        PlannedStep("point web:2 at it", "from here on it exists"),
    )  # fmt: skip
    return Explanation(
        "commit web web:2", before, "a container; it may run or not",
        "commit burns the read-write layer of web into a new read-only layer and names the image web:2. "
        "web itself goes on as before.",
        steps, before._replace(slabs=(*before.slabs, new)), "an image, beside the container, on the same layers",
        frozenset((tray.id, "new:layer")),
    )  # fmt: skip


def explain_run() -> Explanation:
    """`run debian touch happiness.txt`, a compound verb, foretold."""
    (slab,) = stack("debian bookworm")
    slab = slab._replace(names=("debian:12", "debian:latest"), images=(id_of(0xDE),), size=116_600_000)
    before = Picture("host", "this host", (slab,), at=NOW)
    made = Tray("new:container", None, slab.id, "debian", "touch happiness.txt", State.CREATED, size=0, mark=Mark.NEW)
    ended = made._replace(state=State.EXITED, size=None)
    between, after = before._replace(trays=(made,)), before._replace(trays=(ended,))
    focus = frozenset((slab.id, made.id))
    create = Explanation(
        "create debian touch happiness.txt", before, "an image",
        "create adds a read-write layer on top of debian. Nothing runs yet.",
        (PlannedStep("find debian", "it is here; nothing is fetched"),
         PlannedStep("make the read-write layer", "an empty folder; only this container writes there"),
         PlannedStep("name it", "the commit point: from here on it exists")),
        between, "a container that has not run", focus,
    )  # fmt: skip
    start = Explanation(
        "start new", between, "a container",
        "start puts a process space around it, in which touch happiness.txt runs.",
        (PlannedStep("make a cgroup", "so that its memory, CPU and processes are counted"),
         PlannedStep("unshare mounts, processes, network", "so that it sees only its own"),
         PlannedStep("run touch happiness.txt", "touch becomes process 1")),
        after, "a container, not running", focus,
    )  # fmt: skip
    return Explanation(
        "run debian touch happiness.txt", before, "an image named debian",
        "run makes a container on the image debian (create) and puts a process space around it, in which "
        "touch happiness.txt runs (start). When touch ends, the container stays, stopped, with what it wrote.",
        (), after, "a container, not running", focus, (create, start),
    )  # fmt: skip


def explain_exec() -> Explanation:
    """`exec app-1 ls -l /`, foretold: one more process."""
    before = one(in_state(State.RUNNING), "debian bookworm")._replace(about="host", title="this host")
    (tray,) = before.trays
    assert tray.space
    assert tray.space.processes
    more = Space((*tray.space.processes, Process(None, None, 0, "ls -l /")))
    after = before._replace(trays=(tray._replace(size=None, space=more),))
    return Explanation(
        "exec app-1 ls -l /", before, "a running container", "exec runs one more program in there.",
        (PlannedStep("execute ls -l /", "become the program", number=0),),
        after, "a running container", frozenset((tray.id,)),
    )  # fmt: skip


def explain_rm() -> Explanation:
    """`rm app-1`, foretold: the read-write layer goes."""
    tray = in_state(State.EXITED, exit_code=0, size=14_000, changes=Changes(1, 0, 0))
    picture = one(tray, "debian bookworm", "COPY app /app")._replace(about="host", title="this host")
    (placed,) = picture.trays
    going = picture._replace(trays=(placed._replace(mark=Mark.GOING),))
    steps = (PlannedStep("take away the record of app-1", "the commit point: from here on it is gone"),
             PlannedStep("remove the read-write layer", "14.0 kB of its own; the layers below stay"))  # fmt: skip
    return Explanation(
        "rm app-1", going, "a container that does not run", "rm takes the read-write layer away.", steps,
        picture._replace(trays=()), "the image stays", frozenset((placed.id, placed.on or "")),
    )  # fmt: skip


def explain_refused() -> Explanation:
    """`rm web`, refused while it runs."""
    picture = Picture("host", "this host", web_slabs(), (web_tray(),), at=NOW)
    return Explanation(
        "rm web", picture, "a container that does not run", "rm takes the read-write layer away.", (),
        picture, "as before", frozenset((WEB_ID,)),
        refusal="cannot remove container web: it is running; stop it before, or use --force",
    )  # fmt: skip
