"""Other programs that read and write archives of images, as judges of ours."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

READY = 60  # seconds: a machine that is busy with other things starts a daemon slowly


def needs(program: str) -> None:
    """Skip where a program is missing."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")


def run(*command: str, stdin: bytes = b"", environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, input=stdin, capture_output=True, check=False, env=os.environ | (environment or {}))
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout.decode()}{done.stderr.decode()}"
    return done.stdout.decode()


class Docker:
    """A dockerd of its own, without networks."""

    def __init__(self, folder: str) -> None:
        self._host = f"unix://{folder}/d.sock"

    def __call__(self, *arguments: str, stdin: bytes = b"") -> str:
        return run("docker", *arguments, stdin=stdin, environment={"DOCKER_HOST": self._host}).strip()

    def inspect(self, name: str) -> dict[str, Any]:
        (form,) = json.loads(self("image", "inspect", name))
        return dict(form)


@contextmanager
def dockerd(folder: str) -> Iterator[Docker]:
    """Running while a `with` lasts, with all its files in a folder."""
    needs("dockerd")
    ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    ready.bind(f"{folder}/ready")
    ready.settimeout(READY)
    places = ("--data-root", f"{folder}/root", "--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid",
              "--host", f"unix://{folder}/d.sock")  # fmt: skip
    alone = ("--bridge", "none", "--iptables=false", "--ip-forward=false", "--ip-masq=false")
    with open(f"{folder}/log", "wb") as log:
        daemon = subprocess.Popen(
            ["dockerd", *places, *alone], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env=os.environ | {"NOTIFY_SOCKET": f"{folder}/ready"},
        )  # fmt: skip
    try:
        while b"READY=1" not in ready.recv(1000):
            pass
        yield Docker(folder)
    except TimeoutError:
        with open(f"{folder}/log", encoding="utf-8", errors="replace") as text:
            pytest.fail(f"dockerd does not start: {text.read()[-2000:]}")
    finally:
        ready.close()
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(READY)
        # it forgets this mount where / is a folder of another file system; mostly there is none
        subprocess.run(["umount", f"{folder}/root"], capture_output=True, check=False)
