"""runc, on a bundle that is ready: no image, no read-write layer, no log, no filter of system calls.

So it does less than the others, and every engine that uses it takes longer.
"""

from __future__ import annotations

import json
import os
import select
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from benchmarks import surroundings
from benchmarks.contest import WORKERS, Round, Sample, Scale, Stopwatch, Work, at_once
from benchmarks.contestants.docker import SLOWER
from benchmarks.programs import Shell


class Runc:
    name = "runc"

    def __init__(self, home: Path, rootfs: str, groups: surroundings.Groups, scale: Scale) -> None:
        self._home, self._rootfs, self._groups, self._scale = home / "runc", rootfs, groups, scale
        self._home.mkdir()
        self._shells = [Shell(os.environ, home / f"runc-{number}.stderr") for number in range(WORKERS + 1)]
        self._shell = self._shells[-1]
        self._state = ["--root", "/run/runc-bench"]
        self._numbers = count()
        self._command = "runc"
        self._brief, self._long = self._bundle("brief", ["true"]), self._bundle("long", ["sleep", "100000"])
        self.version = self._shell.output("runc", "--version").split("\n")[0].split()[-1]

    @property
    def works(self) -> Mapping[str, Work]:
        return {
            "start": self._start, "cli-cold": self._run, "cli-warm": self._run, "exec-cli": self._exec,
            "rate": self._rate, "crowd": self._crowd,
        }  # fmt: skip

    def close(self) -> None:
        known = self._shell.output("runc", *self._state, "list", "--quiet").split()
        for id in known:
            self._shell.time("runc", *self._state, "delete", "--force", id)

    @contextmanager
    def _start(self) -> Iterator[Round]:
        def once() -> Sample:
            id, pid_file = self._fresh(), self._home / "pid"
            watch = Stopwatch()
            self._call("create", "--bundle", self._brief, "--pid-file", str(pid_file), id)
            watch.lap("create")
            pidfd = os.pidfd_open(int(pid_file.read_text()))
            self._call("start", id)
            watch.lap("start")
            select.select([pidfd], [], [], surroundings.PATIENCE)
            watch.lap("wait")
            self._call("delete", id)
            watch.lap("remove")
            os.close(pidfd)
            return watch.read()

        yield once

    @contextmanager
    def _run(self) -> Iterator[Round]:
        yield lambda: {"": self._call("run", "--bundle", self._brief, self._fresh()) * 1000}

    @contextmanager
    def _exec(self) -> Iterator[Round]:
        id = self._fresh()
        self._call("run", "--detach", "--bundle", self._long, id)
        yield lambda: {"": self._call("exec", id, "true") * 1000}
        self._call("delete", "--force", id)

    @contextmanager
    def _rate(self) -> Iterator[Round]:
        each = max(1, self._scale.starts // SLOWER // WORKERS)

        def work(number: int) -> None:
            for _ in range(each):
                self._shells[number].time("runc", *self._state, "run", "--bundle", self._brief, self._fresh())

        yield lambda: {"": each * WORKERS / at_once(WORKERS, work)}

    @contextmanager
    def _crowd(self) -> Iterator[Round]:
        def once() -> Sample:
            ids = [self._fresh() for _ in range(self._scale.crowd)]
            shells = [Shell(os.environ, self._home / f"{id}.stderr") for id in ids]

            def begin(number: int) -> None:
                arguments = ["run", "--detach", "--bundle", self._long, ids[number]]
                shells[number].time("runc", *self._state, *arguments)

            seconds = at_once(len(ids), begin)
            for id in ids:
                self._call("delete", "--force", id)
            return {"": seconds * 1000}

        yield once

    def _call(self, *arguments: str) -> float:
        return self._shell.time("runc", *self._state, *arguments)

    def _fresh(self) -> str:
        return f"{self._groups.name}-{next(self._numbers)}"  # its control group is called so, too

    def _bundle(self, name: str, command: list[str]) -> str:
        folder = self._home / name
        folder.mkdir()
        self._shell.time("runc", "spec", "--bundle", str(folder))
        path = folder / "config.json"
        config = json.loads(path.read_text())
        config["process"] |= {"args": command, "terminal": False, "rlimits": []}
        config["root"] = {"path": self._rootfs, "readonly": True}
        path.write_text(json.dumps(config))
        return str(folder)


def installed() -> bool:
    return bool(shutil.which("runc"))
