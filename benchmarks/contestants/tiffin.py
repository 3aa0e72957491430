"""tiffin: as a library in this process, and as the installed command."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks import surroundings
from benchmarks.contest import WORKERS, Refused, Round, Sample, Scale, Stopwatch, Work, at_once, marked, timed
from benchmarks.materials import LINES, MARK, Materials
from benchmarks.programs import Shell, megabytes
from tiffin import Engine, __version__
from tiffin.engine import Container, HostConfig, LogConfig, RunningContainer, Streams
from tiffin.errors import NotFound

IMAGE = "base"
BRIEF = HostConfig(auto_remove=True)


class Tiffin:
    name = "tiffin"
    version = __version__

    def __init__(self, home: Path, materials: Materials, scale: Scale) -> None:
        self.root, self.runroot = home / "tiffin", Path("/run/tiffin")
        self._home, self._materials, self._scale = home, materials, scale
        self.engine = Engine(str(self.root), str(self.runroot))
        self.engine.bootstrap(IMAGE)
        variables = {"TIFFIN_ROOT": str(self.root), "TIFFIN_RUNROOT": str(self.runroot)}
        self._shell = Shell({**os.environ, **variables}, home / "tiffin.stderr")
        self._command = str(home / "bin" / "tiffin")

    @property
    def works(self) -> Mapping[str, Work]:
        return {
            "start": self._start, "start-rm": self._start_rm, "cli-cold": self._run_cold, "cli-warm": self._run_warm,
            "exec": self._exec, "exec-cli": self._exec_cli, "rate": self._rate, "crowd": self._crowd,
            "load": self._load, "load-cli": self._load_cli, "commit": self._commit, "commit-cli": self._commit_cli,
            "save": self._save, "save-cli": self._save_cli, "log": self._log, "attach-none": self._attach_none,
            "attach-json": self._attach_json, "attach-none-cli": self._attach_none_cli,
            "attach-json-cli": self._attach_json_cli, "memory": self._memory,
        }  # fmt: skip

    def close(self) -> None:
        for summary in self.engine.ps(all=True):
            self._remove(summary.id)
        self._dismiss_spawner()

    def archive(self, path: Path) -> None:
        """Write the image that the containers are made of, for the rivals."""
        self.engine.tag(IMAGE, "localhost/base")
        with path.open("wb") as file:
            self.engine.save(["localhost/base"], file)

    def layer(self) -> str:
        """The folder of that image's only layer."""
        return str(self.engine.inspect(self.engine.image(IMAGE).layers[-1], "layer")["Folder"])

    # one container

    @contextmanager
    def _start(self) -> Iterator[Round]:
        def once() -> Sample:
            watch = Stopwatch()
            container = self.engine.create(IMAGE, ["true"])
            watch.lap("create")
            running = container.start()
            watch.lap("start")
            check(running.wait())
            watch.lap("wait")
            running.attachment.detach()
            container.remove()
            watch.lap("remove")
            return watch.read()

        yield once

    @contextmanager
    def _start_rm(self) -> Iterator[Round]:
        yield self._run_and_forget

    def _run_and_forget(self) -> Sample:
        watch = Stopwatch()
        running = self.engine.run(IMAGE, ["true"], host=BRIEF)
        watch.lap("create and start")
        check(running.wait())
        watch.lap("wait")
        running.attachment.detach()
        return watch.read()

    @contextmanager
    def _exec(self) -> Iterator[Round]:
        container = self.engine.run(IMAGE, ["sleep", "100000"], host=BRIEF)

        def once() -> Sample:
            watch = Stopwatch()
            result = container.execute(["true"])
            watch.lap("")
            check(result.exit_code)
            return watch.read()

        with container:
            yield once

    # by the command

    @contextmanager
    def _run_cold(self) -> Iterator[Round]:
        def once() -> Sample:
            self._dismiss_spawner()
            return {"": self._run_command() * 1000}

        yield once

    @contextmanager
    def _run_warm(self) -> Iterator[Round]:
        self._run_command()
        yield lambda: {"": self._run_command() * 1000}

    def _run_command(self) -> float:
        return self._shell.time(self._command, "run", "--rm", IMAGE, "true")

    @contextmanager
    def _exec_cli(self) -> Iterator[Round]:
        with self.engine.run(IMAGE, ["sleep", "100000"], host=BRIEF) as container:
            yield lambda: {"": self._shell.time(self._command, "exec", container.id, "true") * 1000}

    # many containers

    @contextmanager
    def _rate(self) -> Iterator[Round]:
        count = self._scale.starts

        def work(number: int) -> None:
            for _ in range(number, count, WORKERS):
                self._run_and_forget()

        yield lambda: {"": count / in_processes(WORKERS, work)}
        self._await_removals()

    @contextmanager
    def _crowd(self) -> Iterator[Round]:
        def once() -> Sample:
            running: list[RunningContainer] = []

            def begin(number: int) -> None:
                running.append(self.engine.run(IMAGE, ["sleep", "100000"], host=BRIEF))

            seconds = at_once(self._scale.crowd, begin)
            for container in running:
                with container:
                    pass
            self._await_removals()
            return {"": seconds * 1000}

        yield once

    @contextmanager
    def _memory(self) -> Iterator[Round]:
        def once() -> Sample:
            ids = []
            for _ in range(self._scale.memory):
                container = self.engine.create(IMAGE, ["sleep", "100000"])
                container.start().attachment.detach()
                ids.append(container.id)
            # spawner, launcher and shims all have the path of the spawner's socket among their arguments
            size = megabytes(surroundings.processes(f"{self.runroot}/spawner"))
            for id in ids:
                self._remove(id)
            return {"": size / len(ids)}

        yield once

    # trees

    @contextmanager
    def _load(self) -> Iterator[Round]:
        yield marked("load", lambda mark: self._loading(self._materials.archive(mark), self._load_here))

    @contextmanager
    def _load_cli(self) -> Iterator[Round]:
        yield marked("load-cli", lambda mark: self._loading(self._materials.archive(mark), self._load_by_command))

    def _loading(self, archive: Path, load: Callable[[Path], object]) -> Sample:
        return timed(lambda: load(archive))

    def _load_here(self, archive: Path) -> None:
        self.engine.load(str(archive))

    def _load_by_command(self, archive: Path) -> None:
        self._shell.time(self._command, "load", "-q", "-i", str(archive))

    @contextmanager
    def _commit(self) -> Iterator[Round]:
        with self._filled() as container:
            yield marked(
                "commit", lambda mark: self._committing(container, lambda: container.commit(f"localhost/{mark}"), mark)
            )

    @contextmanager
    def _commit_cli(self) -> Iterator[Round]:
        with self._filled() as container:
            yield marked("commit-cli", lambda mark: self._committing(
                container, lambda: self._shell.time(self._command, "commit", container.id, f"localhost/{mark}"), mark
            ))  # fmt: skip

    def _committing(self, container: Container, commit: Callable[[], object], mark: str) -> Sample:
        Path(container.folder, "home", MARK).write_text(mark)
        return timed(commit)

    @contextmanager
    def _save(self) -> Iterator[Round]:
        self._load_here(self._materials.archive("save"))
        target = self._home / "tiffin-saved.tar"

        def save() -> None:
            with target.open("wb") as file:
                self.engine.save(["localhost/save"], file)

        yield lambda: timed(save)

    @contextmanager
    def _save_cli(self) -> Iterator[Round]:
        self._load_here(self._materials.archive("save"))
        target = str(self._home / "tiffin-saved.tar")
        yield lambda: timed(lambda: self._shell.time(self._command, "save", "-o", target, "localhost/save"))

    @contextmanager
    def _filled(self) -> Iterator[Container]:
        """A container that does not run, with the tree in its read-write layer."""
        container = self.engine.create(IMAGE, ["true"])
        self._materials.unpack(Path(container.folder, "home"))
        yield container

    # output

    @contextmanager
    def _log(self) -> Iterator[Round]:
        host = HostConfig(binds=(f"{self._materials.numbers}:/numbers:ro",))

        def once() -> Sample:
            container = self.engine.create(IMAGE, ["cat", "/numbers"], host=host)
            began = time.perf_counter()
            running = container.start()
            check(running.wait())
            seconds = time.perf_counter() - began
            running.attachment.detach()
            (last,) = container.logs(tail=1)
            container.remove()
            if int(last.text) != LINES:
                raise Refused(f"the log ends with {last.text!r}")
            return {"": LINES / seconds / 1e6}

        yield once

    @contextmanager
    def _attach_none(self) -> Iterator[Round]:
        yield lambda: self._attached("none", self._scale.volume)

    @contextmanager
    def _attach_json(self) -> Iterator[Round]:
        yield lambda: self._attached("json-file", self._scale.volume // 4)

    def _attached(self, driver: str, volume: int) -> Sample:
        times = max(1, volume // self._materials.lines.stat().st_size)
        host = HostConfig(auto_remove=True, log=LogConfig(driver), binds=(f"{self._materials.lines}:/lines:ro",))
        reading, writing = os.pipe2(os.O_CLOEXEC)
        began = time.perf_counter()
        running = self.engine.run(IMAGE, ["cat", *["/lines"] * times], host=host, streams=Streams(stdout=writing))
        received = drain(reading)
        check(running.wait())
        seconds = time.perf_counter() - began
        running.attachment.detach()
        if received != times * self._materials.lines.stat().st_size:
            raise Refused(f"{received} bytes came")
        return {"": received / seconds / 1e9}

    @contextmanager
    def _attach_none_cli(self) -> Iterator[Round]:
        yield lambda: self._printed("none", self._scale.volume)

    @contextmanager
    def _attach_json_cli(self) -> Iterator[Round]:
        yield lambda: self._printed("json-file", self._scale.volume // 4)

    def _printed(self, driver: str, volume: int) -> Sample:
        size = self._materials.lines.stat().st_size
        times = max(1, volume // size)
        options = ["--rm", "--log-driver", driver, "-v", f"{self._materials.lines}:/lines:ro"]
        seconds = self._shell.time(self._command, "run", *options, IMAGE, "cat", *["/lines"] * times)
        return {"": times * size / seconds / 1e9}

    # beside the clock

    def _remove(self, id: str) -> None:
        try:
            self.engine.container(id).remove(force=True)
        except NotFound:  # it was a `--rm` container, and ended
            pass

    def _await_removals(self) -> None:
        """What is thrown away is deleted by somebody who works beside the next start; here nobody shall."""
        await_that(lambda: not self.engine.ps() and not any((self.root / "trash").iterdir()))

    def _dismiss_spawner(self) -> None:
        """Whoever listens on a socket in its folder."""
        for path in self.runroot.glob("spawner/*"):
            if path.is_socket():
                with socket.socket(socket.AF_UNIX) as caller:
                    try:
                        caller.connect(str(path))
                    except ConnectionRefusedError:  # of one that was ended before
                        continue
                    pid, _, _ = struct.unpack("3i", caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
                surroundings.end(pid)


def await_that(condition: Callable[[], bool]) -> None:
    """For a time: that it becomes true is told by no event."""
    until = time.monotonic() + surroundings.PATIENCE
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)


def check(code: int) -> None:
    if code:
        raise Refused(f"the program ended with {code}")


def drain(descriptor: int) -> int:
    """Read all that comes, and close; how much it was."""
    total, buffer = 0, bytearray(1 << 20)
    while count := os.readv(descriptor, [buffer]):
        total += count
    os.close(descriptor)
    return total


def in_processes(count: int, job: Callable[[int], None]) -> float:
    """Seconds that `job(0)` to `job(count - 1)` take in as many processes, which are there before the clock starts."""
    gate, opener = os.pipe()
    pids = []
    for number in range(count):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                os.close(opener)
                os.read(gate, 1)
                job(number)
                code = 0
            finally:
                os._exit(code)
        pids.append(pid)
    os.close(gate)
    time.sleep(0.05)  # until all wait
    began = time.perf_counter()
    os.close(opener)
    codes = [os.waitpid(pid, 0)[1] for pid in pids]
    seconds = time.perf_counter() - began
    if any(codes):
        raise Refused(f"some of the processes failed: {codes}")
    return seconds
