"""A private place for Python packages, made with nothing but a stock python3. Used by ./demo and ./test.

Debian and Ubuntu split their Python: pip, ensurepip and sometimes venv are packages of their own, and the rest is
"externally managed". A virtual environment is only a folder with a note in it, though:

    .private/NAME/
      pyvenv.cfg           where the real interpreter is
      bin/python3          -> the real interpreter
      lib/python3.N/site-packages/
      fingerprint          what was installed; the next run has nothing to do then

and pip is one wheel, which ensurepip has, or the machine's pip fetches, or else Debian's archive has. From there on
pip does the work, under the machine's own settings (pip.conf, PIP_..., proxies, certificates). Nothing is written
outside of the folder, nothing inside needs root.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
LEAST_PYTHON = (3, 11)
# settings that would lead pip or Python out of the private place
FOREIGN = ("PYTHONPATH", "PYTHONHOME", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV")


def install(name: str, requirements: list[str]) -> Path:
    """Install requirements into the place of that name, if they aren't there yet; gives its folder.

    Exits with a sentence when this machine can't.
    """
    if sys.version_info < LEAST_PYTHON:
        wanted = ".".join(map(str, LEAST_PYTHON))
        sys.exit(f"{sys.executable} is Python {sys.version.split()[0]}; tiffin needs {wanted} or newer")
    place = CHECKOUT / ".private" / name
    fingerprint = _fingerprint(requirements)
    if _read(place / "fingerprint") == fingerprint:
        return place
    print(f"installing into {place} ...", flush=True)
    shutil.rmtree(place, ignore_errors=True)
    python = _environment(place)
    _pip(python)
    pip = [str(python), "-I", "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]
    run(*pip, "install", *requirements)
    (place / "fingerprint").write_text(fingerprint)
    return place


def run(*command: str, cwd: Path = CHECKOUT) -> None:
    """Run a program that has nothing to say unless it fails; then so do we, and show what it said."""
    try:
        done = subprocess.run(
            command, cwd=cwd, env=environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
    except OSError as error:
        sys.exit(f"can't run {command[0]}: {error.strerror}")
    if done.returncode:
        print(done.stdout.decode(errors="replace"), file=sys.stderr)
        sys.exit(f"failed with status {done.returncode}: {' '.join(command)}")


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in FOREIGN}


def _environment(place: Path) -> Path:
    """A virtual environment without pip, by hand: the venv module may be missing."""
    # not sys.executable: it may itself be in an environment, or a version manager's
    real = Path(sys.executable).resolve()
    python = place / "bin" / "python3"
    python.parent.mkdir(parents=True)
    python.symlink_to(real)
    (place / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages").mkdir(parents=True)
    (place / "pyvenv.cfg").write_text(f"home = {real.parent}\ninclude-system-site-packages = false\n")
    return python


def _pip(python: Path) -> None:
    """Put pip into an environment: ensurepip's, or one that the machine's pip fetches, or the distribution's."""
    if importlib.util.find_spec("ensurepip"):
        run(str(python), "-I", "-m", "ensurepip", "--default-pip")
    elif importlib.util.find_spec("pip"):
        run(sys.executable, "-m", "pip", "--quiet", "--python", str(python), "install", "pip")
    elif shutil.which("apt-get"):
        with tempfile.TemporaryDirectory() as folder:
            (wheel,) = _unpacked_package("python3-pip-whl", Path(folder)).rglob("pip-*.whl")
            (site,) = python.parent.parent.glob("lib/python3*/site-packages")
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(site)
    else:
        sys.exit("this Python has neither ensurepip nor pip; install your distribution's package of pip, and try again")


def _unpacked_package(name: str, folder: Path) -> Path:
    """The files of a Debian package, fetched by apt (which checks its signature) but not installed."""
    for part in ("lists/partial", "archives/partial", "files"):
        (folder / part).mkdir(parents=True)
    folder.chmod(0o755)  # apt's own user reads it
    # lists of our own: on a fresh machine there are none, and only root may fetch the shared ones
    apt = ["apt-get", "-qq", "-o", f"Dir::State::lists={folder}/lists", "-o", f"Dir::Cache={folder}",
           "-o", "APT::Sandbox::User=root", "-o", "Debug::NoLocking=1"]  # fmt: skip
    run(*apt, "update")
    run(*apt, "download", name, cwd=folder)
    (package,) = folder.glob("*.deb")
    run("dpkg-deb", "--extract", str(package), str(folder / "files"))
    return folder / "files"


def _fingerprint(requirements: list[str]) -> str:
    """What would be installed by whom: of a folder among the requirements, all files count."""
    digest = hashlib.sha256(f"{sys.version} {os.path.realpath(sys.executable)} {requirements}".encode())
    for folder in filter(os.path.isdir, requirements):
        parts = [Path(folder, name) for name in ("src", "scripts", "pyproject.toml")]
        for file in sorted(file for part in parts for file in _files(part)):
            digest.update(f"{file} {file.stat().st_size}\n".encode() + file.read_bytes())
    return digest.hexdigest()


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file() and file.suffix != ".pyc"]


def _read(path: Path) -> str:
    return path.read_text() if path.is_file() else ""
