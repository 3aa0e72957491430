"""dockerd, by its API and by the docker command; and what podman, which speaks the same API, does in the same way."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from benchmarks import surroundings
from benchmarks.contest import WORKERS, Refused, Round, Sample, Scale, Stopwatch, Work, at_once, marked, timed
from benchmarks.engine_api import Api, Connection, is_there, query
from benchmarks.materials import LINES, MARK, Materials, small_tar
from benchmarks.programs import Shell, megabytes

IMAGE = "localhost/base"  # the same full name for everyone
FOREVER = ["sleep", "100000"]
SLOWER = 10  # how many times less work it gets where the result is a rate


class ApiEngine:
    """An engine with Docker's API, started and stopped by its own module."""

    name: str
    version: str
    log_driver: Mapping[str, object]
    """as HostConfig.LogConfig; what keeps as much as tiffin keeps"""
    command: str

    def __init__(self, home: Path, api: Api, shell: Shell, materials: Materials, scale: Scale) -> None:
        self._home, self.api, self._shell, self._materials, self._scale = home, api, shell, materials, scale

    @property
    def works(self) -> Mapping[str, Work]:
        return {
            "start": self._start, "start-rm": self._start_rm, "cli-cold": self._run_command,
            "cli-warm": self._run_command, "exec": self._exec, "exec-cli": self._exec_cli, "rate": self._rate,
            "crowd": self._crowd, "load": self._load, "load-cli": self._load_cli, "commit": self._commit,
            "commit-cli": self._commit_cli, "save": self._save, "save-cli": self._save_cli, "log": self._log,
            "attach-none": self._attach_none, "attach-json": self._attach_json,
            "attach-none-cli": self._attach_none_cli, "attach-json-cli": self._attach_json_cli,
            "memory": self._memory,
        }  # fmt: skip

    def close(self) -> None:
        raise NotImplementedError

    def processes(self) -> list[int]:
        """Those of the engine, not those in its containers."""
        raise NotImplementedError

    def create(self, command: list[str], **host: object) -> str:
        form = {"Image": IMAGE, "Cmd": command, "HostConfig": {"NetworkMode": "none", **host}}
        return str(self.api.post("/containers/create", form)["Id"])

    def begin(self, id: str) -> None:
        self.api.post(f"/containers/{id}/start")

    def wait(self, id: str) -> None:
        code = self.api.post(f"/containers/{id}/wait")["StatusCode"]
        if code:
            raise Refused(f"the program ended with {code}")

    def remove(self, id: str) -> None:
        self.api.delete(f"/containers/{id}?force=1&v=1")

    def remove_all(self) -> None:
        for container in self.api.get("/containers/json?all=1"):
            with suppress(Refused):
                self.remove(container["Id"])

    # one container

    @contextmanager
    def _start(self) -> Iterator[Round]:
        def once() -> Sample:
            watch = Stopwatch()
            id = self.create(["true"])
            watch.lap("create")
            self.begin(id)
            watch.lap("start")
            self.wait(id)
            watch.lap("wait")
            self.api.delete(f"/containers/{id}")
            watch.lap("remove")
            return watch.read()

        yield once

    @contextmanager
    def _start_rm(self) -> Iterator[Round]:
        yield self._run_and_forget

    def _run_and_forget(self) -> Sample:
        """As `docker run --rm` does it: ask for the end before the start."""
        waiting = Connection(self.api.path)
        watch = Stopwatch()
        id = self.create(["true"], AutoRemove=True)
        self.api.ask(waiting, "POST", f"/containers/{id}/wait?condition=next-exit")
        self.begin(id)
        watch.lap("create and start")
        self.api.answer(waiting).read()
        watch.lap("wait")
        waiting.close()
        return watch.read()

    @contextmanager
    def _exec(self) -> Iterator[Round]:
        form = {"Cmd": ["true"], "AttachStdout": True, "AttachStderr": True}

        def once() -> Sample:
            watch = Stopwatch()
            exec_id = self.api.post(f"/containers/{id}/exec", form)["Id"]
            with self.api.hijack(f"/exec/{exec_id}/start", {"Detach": False, "Tty": False}) as stream:
                while stream.recv(4096):
                    pass
            code = self.api.get(f"/exec/{exec_id}/json")["ExitCode"]
            watch.lap("")
            if code:
                raise Refused(f"the exec ended with {code}")
            return watch.read()

        with self._running() as id:
            yield once

    # by the command

    @contextmanager
    def _run_command(self) -> Iterator[Round]:
        arguments = ["run", "--rm", "--network", "none", IMAGE, "true"]
        yield lambda: {"": self._shell.time(self.command, *arguments) * 1000}

    @contextmanager
    def _exec_cli(self) -> Iterator[Round]:
        with self._running() as id:
            yield lambda: {"": self._shell.time(self.command, "exec", id, "true") * 1000}

    # many containers

    @contextmanager
    def _rate(self) -> Iterator[Round]:
        each = max(1, self._scale.starts // SLOWER // WORKERS)

        def work(number: int) -> None:
            for _ in range(each):
                self._run_and_forget()

        yield lambda: {"": each * WORKERS / at_once(WORKERS, work)}

    @contextmanager
    def _crowd(self) -> Iterator[Round]:
        def once() -> Sample:
            def begin(number: int) -> None:
                self.begin(self.create(FOREVER))

            seconds = at_once(self._scale.crowd, begin)
            self.remove_all()
            return {"": seconds * 1000}

        yield once

    @contextmanager
    def _memory(self) -> Iterator[Round]:
        def once() -> Sample:
            for _ in range(self._scale.memory):
                self.begin(self.create(FOREVER))
            size = megabytes(self.processes())
            self.remove_all()
            return {"": size / self._scale.memory}

        yield once

    @contextmanager
    def _running(self) -> Iterator[str]:
        id = self.create(FOREVER)
        self.begin(id)
        yield id
        self.remove(id)

    # trees

    @contextmanager
    def _load(self) -> Iterator[Round]:
        yield marked("load", lambda mark: self._loading(self._materials.archive(mark), self._load_by_api))

    @contextmanager
    def _load_cli(self) -> Iterator[Round]:
        yield marked("load-cli", lambda mark: self._loading(self._materials.archive(mark), self._load_by_command))

    def _loading(self, archive: Path, load: Callable[[Path], object]) -> Sample:
        return timed(lambda: load(archive))

    def _load_by_api(self, archive: Path) -> None:
        with archive.open("rb") as file:
            self.api.send("/images/load?quiet=1", file)

    def _load_by_command(self, archive: Path) -> None:
        self._shell.time(self.command, "load", "-q", "-i", str(archive))

    @contextmanager
    def _commit(self) -> Iterator[Round]:
        with self._filled() as id:
            yield marked("commit", lambda mark: self._committing(id, mark, lambda: self.api.post(
                "/commit" + query(container=id, repo=f"localhost/{mark}", tag="latest"), {}
            )))  # fmt: skip

    @contextmanager
    def _commit_cli(self) -> Iterator[Round]:
        with self._filled() as id:
            yield marked("commit-cli", lambda mark: self._committing(
                id, mark, lambda: self._shell.time(self.command, "commit", id, f"localhost/{mark}")
            ))  # fmt: skip

    def _committing(self, id: str, mark: str, commit: Callable[[], object]) -> Sample:
        self._put(id, small_tar(MARK, mark.encode()))
        return timed(commit)

    @contextmanager
    def _save(self) -> Iterator[Round]:
        self._load_by_command(self._materials.archive("save"))
        target = self._home / f"{self.name}-saved.tar"

        def save() -> None:
            with target.open("wb") as file:
                self.api.fetch("/images/localhost/save/get", file)

        yield lambda: timed(save)

    @contextmanager
    def _save_cli(self) -> Iterator[Round]:
        self._load_by_command(self._materials.archive("save"))
        target = self._home / f"{self.name}-saved.tar"

        def save() -> None:
            target.unlink(missing_ok=True)  # podman refuses to write over it
            self._shell.time(self.command, "save", "-o", str(target), "localhost/save")

        yield lambda: timed(save)

    @contextmanager
    def _filled(self) -> Iterator[str]:
        """A container that does not run, with the tree in its read-write layer."""
        id = self.create(["true"])
        with self._materials.layer.open("rb") as file:
            self._put(id, file)
        yield id

    def _put(self, id: str, tar: BinaryIO) -> None:
        self.api.call("PUT", f"/containers/{id}/archive" + query(path="/home"), tar)

    # output

    @contextmanager
    def _log(self) -> Iterator[Round]:
        host = {"LogConfig": self.log_driver, "Binds": [f"{self._materials.numbers}:/numbers:ro"]}

        def once() -> Sample:
            id = self.create(["cat", "/numbers"], **host)
            began = time.perf_counter()
            self.begin(id)
            self.wait(id)
            seconds = time.perf_counter() - began
            last = self.api.call("GET", f"/containers/{id}/logs?stdout=1&tail=1")
            self.remove(id)
            if not last.endswith(b"%d\n" % LINES):
                raise Refused(f"the log ends with {last!r}")
            return {"": LINES / seconds / 1e6}

        yield once

    @contextmanager
    def _attach_none(self) -> Iterator[Round]:
        yield lambda: self._attached({"Type": "none"}, self._scale.volume // SLOWER)

    @contextmanager
    def _attach_json(self) -> Iterator[Round]:
        yield lambda: self._attached(self.log_driver, self._scale.volume // SLOWER // 4)

    def _attached(self, log: Mapping[str, object], volume: int) -> Sample:
        size = self._materials.lines.stat().st_size
        times = max(1, volume // size)
        binds = [f"{self._materials.lines}:/lines:ro"]
        began = time.perf_counter()
        id = self.create(["cat", *["/lines"] * times], LogConfig=log, Binds=binds)
        received, buffer = 0, bytearray(1 << 20)
        with self.api.hijack(f"/containers/{id}/attach?stream=1&stdout=1&stderr=1") as stream:
            self.begin(id)
            while count := stream.recv_into(buffer):
                received += count  # with eight bytes for each piece
        self.wait(id)
        seconds = time.perf_counter() - began
        self.remove(id)
        if received < times * size:
            raise Refused(f"only {received} bytes came")
        return {"": times * size / seconds / 1e9}

    @contextmanager
    def _attach_none_cli(self) -> Iterator[Round]:
        yield lambda: self._printed(["--log-driver", "none"], self._scale.volume // SLOWER)

    @contextmanager
    def _attach_json_cli(self) -> Iterator[Round]:
        yield lambda: self._printed(["--log-driver", str(self.log_driver["Type"])], self._scale.volume // SLOWER // 4)

    def _printed(self, log: list[str], volume: int) -> Sample:
        size = self._materials.lines.stat().st_size
        times = max(1, volume // size)
        options = ["--rm", "--network", "none", *log, "-v", f"{self._materials.lines}:/lines:ro"]
        seconds = self._shell.time(self.command, "run", *options, IMAGE, "cat", *["/lines"] * times)
        return {"": times * size / seconds / 1e9}


class Docker(ApiEngine):
    name = "docker"
    log_driver: Mapping[str, object] = {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}}
    command = "docker"

    def __init__(
        self, home: Path, archive: Path, groups: surroundings.Groups, materials: Materials, scale: Scale
    ) -> None:
        path = home / "docker.sock"
        self._folder = home / "docker"
        self._daemon = start_daemon(
            ["dockerd", "--storage-driver", "overlay2", "--data-root", str(self._folder / "root"),
             "--exec-root", str(self._folder / "exec"), "--pidfile", str(self._folder / "pid"),
             "--cgroup-parent", f"/{groups.name}/docker", "--host", f"unix://{path}"],
            path, self._folder,
        )  # fmt: skip
        shell = Shell({**os.environ, "DOCKER_HOST": f"unix://{path}"}, home / "docker.stderr")
        super().__init__(home, Api(str(path)), shell, materials, scale)
        self.version = str(self.api.get("/version")["Version"])
        self._load_by_api(archive)

    def close(self) -> None:
        with suppress(OSError, Refused, http.client.HTTPException):
            self.remove_all()
        stop_daemon(self._daemon)

    def processes(self) -> list[int]:
        """dockerd, containerd and its shims: all have a folder of ours among their arguments."""
        return [self._daemon.pid, *surroundings.processes(str(self._folder / "exec"))]


def installed() -> bool:
    return bool(shutil.which("dockerd") and shutil.which("docker"))


def start_daemon(
    command: list[str], path: Path, folder: Path, variables: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a server and wait until it answers on its socket. Raises Refused."""
    folder.mkdir(exist_ok=True)
    with (folder / "log").open("wb") as log:
        daemon = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=dict(variables or os.environ)
        )
    until = time.monotonic() + 2 * surroundings.PATIENCE
    while not is_there(path):
        if daemon.poll() is not None or time.monotonic() > until:
            stop_daemon(daemon)
            raise Refused(f"{command[0]} does not answer: {(folder / 'log').read_text(errors='replace')[-400:]}")
        time.sleep(0.1)  # a socket that appears is no event
    return daemon


def stop_daemon(daemon: subprocess.Popen[bytes]) -> None:
    daemon.send_signal(signal.SIGTERM)
    try:
        daemon.wait(surroundings.PATIENCE)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()
