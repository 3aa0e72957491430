"""The floor: the C program of the folder floor, compiled here, asked by lines on its input."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks import surroundings
from benchmarks.contest import WORKERS, Refused, Round, Sample, Scale, Work, marked
from benchmarks.materials import LINES, Materials

SOURCES = sorted((Path(__file__).resolve().parent.parent / "floor").glob("*.c"))
COMPILERS = ("cc", "gcc", "clang")


class Floor:
    name = "floor"

    def __init__(
        self, home: Path, rootfs: str, groups: surroundings.Groups, materials: Materials, scale: Scale
    ) -> None:
        self._folder, self._materials, self._scale = home / "floor-work", materials, scale
        self._folder.mkdir()
        self._numbers = itertools.count()
        self.version = "C"
        program = program_of(home)
        self._process = subprocess.Popen(
            [program, rootfs, str(self._folder), *groups.make("floor")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    @property
    def works(self) -> Mapping[str, Work]:
        return {
            "start": self._start, "start-rm": self._start_rm, "cli-cold": self._whole, "cli-warm": self._whole,
            "exec": self._exec, "exec-cli": self._exec, "rate": self._rate, "crowd": self._crowd,
            "load": self._load, "load-cli": self._load, "commit": self._commit, "commit-cli": self._commit,
            "save": self._save, "save-cli": self._save, "log": self._log, "attach-none": self._relay,
            "attach-none-cli": self._relay, "memory": self._memory,
        }  # fmt: skip

    def close(self) -> None:
        with suppress(BrokenPipeError):  # it has ended before
            self._process.communicate()

    def ask(self, *words: object) -> list[float]:
        """Send a command; the numbers of its answer. Raises Refused."""
        assert self._process.stdin
        assert self._process.stdout
        try:
            print(*words, file=self._process.stdin, flush=True)
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise Refused(f"the floor ended at: {' '.join(map(str, words))}")
        return [float(word) for word in answer.split()]

    @contextmanager
    def _start(self) -> Iterator[Round]:
        def once() -> Sample:
            create, start, wait, remove = self.ask("start", 0)
            parts = {"create": create, "start": start, "wait": wait, "remove": remove}
            return {"": sum(parts.values()), **parts}

        yield once

    @contextmanager
    def _start_rm(self) -> Iterator[Round]:
        def once() -> Sample:
            create, start, wait, _ = self.ask("start", 1)
            return {"": create + start + wait, "create and start": create + start, "wait": wait}

        yield once

    @contextmanager
    def _whole(self) -> Iterator[Round]:
        yield lambda: {"": sum(self.ask("start", 1))}

    @contextmanager
    def _exec(self) -> Iterator[Round]:
        self.ask("hold")
        yield lambda: {"": self.ask("exec")[0]}
        self.ask("release")

    @contextmanager
    def _rate(self) -> Iterator[Round]:
        yield lambda: {"": self._scale.starts * 1000 / self.ask("storm", WORKERS, self._scale.starts)[0]}

    @contextmanager
    def _crowd(self) -> Iterator[Round]:
        yield lambda: {"": self.ask("crowd", self._scale.crowd)[0]}

    @contextmanager
    def _memory(self) -> Iterator[Round]:
        count = self._scale.memory
        yield lambda: {"": self.ask("memory", count)[0] * 1024 / 1e6 / count}

    @contextmanager
    def _load(self) -> Iterator[Round]:
        layer = self._materials.layer
        yield marked("load", lambda mark: self._heavy("unpack", layer, self._fresh(mark)))

    @contextmanager
    def _commit(self) -> Iterator[Round]:
        source = self._fresh("upper")
        self._materials.unpack(source)
        yield marked("commit", lambda mark: self._heavy("copy", source, self._fresh(mark)))

    @contextmanager
    def _save(self) -> Iterator[Round]:
        source = self._fresh("packed")
        self._materials.unpack(source)
        yield lambda: self._heavy("pack", source, self._folder / "saved.tar")

    def _heavy(self, *words: object) -> Sample:
        os.sync()
        return {"": self.ask(*words)[0] / 1000}

    def _fresh(self, name: str) -> Path:
        return self._folder / f"{name}-{next(self._numbers)}"

    @contextmanager
    def _log(self) -> Iterator[Round]:
        target = self._folder / "log"

        def once() -> Sample:
            (milliseconds,) = self.ask("log", self._materials.numbers, target)
            target.unlink()
            return {"": LINES / milliseconds / 1000}

        yield once

    @contextmanager
    def _relay(self) -> Iterator[Round]:
        size = self._materials.lines.stat().st_size
        times = max(1, self._scale.volume // size)
        yield lambda: {"": times * size / self.ask("relay", self._materials.lines, times)[0] / 1e6}


def program_of(home: Path) -> str:
    """Static where the libraries for that are there: a smaller process. Raises Refused."""
    program, compiler = str(home / "floor"), next(filter(None, map(shutil.which, COMPILERS)))
    for more in (["-static"], []):
        command = [compiler, "-O2", *more, "-o", program, *map(str, SOURCES)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if not done.returncode:
            return program
    raise Refused(f"the floor does not compile here: {done.stderr[:300]}")


def installed() -> bool:
    return any(map(shutil.which, COMPILERS))
