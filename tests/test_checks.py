"""Checks that are tests: style, types, the ranking of imports, the packages that users get, and what start-up costs."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

import tiffin
from tests.conftest import Roots
from tiffin.engine import Engine

CHECKOUT = Path(__file__).resolve().parent.parent
SEARCH_PATH = [Path(place) for place in sys.path if place]
HEAVY = ("argparse", "asyncio", "dataclasses", "hashlib", "http", "inspect", "logging", "rich", "shutil", "ssl",
         "subprocess", "tempfile", "urllib")  # fmt: skip
SLOW = (*HEAVY, "collections", "contextlib", "enum", "functools", "json", "re", "signal", "typing")
"""what even a list or a start does without: together 7 ms"""
COMMAND = ("-c", "from tiffin.cli.script import run; run()")  # as the installed one; -m loads modules of its own


def run(
    *command: str, cwd: Path = CHECKOUT, path: Sequence[Path] = (), environment: Mapping[str, str] = os.environ
) -> str:
    environment = {**environment}
    if path:
        environment["PYTHONPATH"] = os.pathsep.join(map(str, path))
    done = subprocess.run(command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_the_style_is_kept():
    run(sys.executable, "-m", "ruff", "check", "--no-fix", ".")


@pytest.mark.timeout(600)
def test_the_types_are_right():
    run(sys.executable, "-m", "mypy")


def test_imports_go_down_the_ranking():
    program = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    run(sys.executable, "-c", program, path=[CHECKOUT / "src", *SEARCH_PATH])


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "--directory", str(folder))
    return folder


def wheel_in(folder: Path) -> Path:
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_the_wheel_has_every_file_of_the_package(packages: Path):
    source = CHECKOUT / "src"
    files = {str(file.relative_to(source)) for file in (source / "tiffin").rglob("*") if file.is_file()}
    made_by_tools = {name for name in files if "/__pycache__/" in name or "/." in name}
    with zipfile.ZipFile(wheel_in(packages)) as wheel:
        assert {name for name in wheel.namelist() if name.startswith("tiffin/")} == files - made_by_tools


def test_the_wheel_built_from_the_source_package_is_the_same(packages: Path, tmp_path: Path):
    (sdist,) = packages.glob("*.tar.gz")
    run("tar", "--extract", "--file", str(sdist), cwd=tmp_path)
    (unpacked,) = tmp_path.iterdir()
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path / "again"),
        cwd=unpacked, path=SEARCH_PATH)  # fmt: skip
    with zipfile.ZipFile(wheel_in(packages)) as first, zipfile.ZipFile(wheel_in(tmp_path / "again")) as second:
        assert first.namelist() == second.namelist()


def test_the_installed_command_tells_its_version(packages: Path, tmp_path: Path):
    run(sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--root-user-action=ignore",
        "--target", str(tmp_path), str(wheel_in(packages)))  # fmt: skip
    answer = run(str(tmp_path / "bin" / "tiffin"), "--version", cwd=tmp_path, path=[tmp_path])
    assert tiffin.__version__ in answer


def test_importing_the_package_loads_no_heavy_module():
    assert heavy_modules_of("-c", "import tiffin") == set()


def test_asking_for_the_version_loads_nothing_of_the_engine():
    loaded = modules_of("-m", "tiffin", "--version")
    assert "tiffin.cli" in loaded
    parts = {name.split(".")[1] for name in loaded if name.startswith("tiffin.")}
    assert parts <= {"__main__", "cli", "errors", "kernel", "record"}
    assert {name for name in loaded if name.startswith("tiffin.kernel.")} <= {"tiffin.kernel.signals"}


@pytest.mark.root
def test_ps_loads_no_heavy_module(engine_root: Roots):
    assert heavy_modules_of(*COMMAND, "ps", roots=engine_root, heavy=SLOW) == set()


@pytest.mark.root
def test_run_loads_no_heavy_module(engine_root: Roots):
    run(sys.executable, "-m", "tiffin", "bootstrap", path=[CHECKOUT / "src"], environment=engine_root.environment)
    assert heavy_modules_of(*COMMAND, "run", "--rm", "base", "true", roots=engine_root, heavy=SLOW) == set()


@pytest.mark.root
@pytest.mark.parametrize(
    "words", [("look",), ("look", "box"), ("ps", "--tree", "-a"), ("explain", "rm", "box"), ("explain", "start", "box")]
)
def test_a_picture_as_text_loads_no_heavy_module_and_no_other_renderer(fresh_engine: Engine, words: tuple[str, ...]):
    fresh_engine.create("busybox", ["true"], name="box")
    roots = Roots(fresh_engine.root, fresh_engine.runroot)
    loaded = modules_of(*COMMAND, *words, roots=roots)
    assert {name for name in loaded if name.split(".")[0] in HEAVY} == set()
    assert {name for name in loaded if name.startswith(("tiffin.view.svg", "tiffin.view.html"))} == set()
    assert loaded.isdisjoint(("tiffin.engine.archives", "tiffin.engine.bootstrap", "tiffin.runtime.shell"))


def test_what_starts_containers_loads_no_heavy_module():
    assert heavy_modules_of("-c", "import tiffin.runtime.spawner", heavy=SLOW) == set()


def heavy_modules_of(*program: str, roots: Roots | None = None, heavy: Sequence[str] = HEAVY) -> set[str]:
    return {name for name in modules_of(*program, roots=roots) if name.split(".")[0] in heavy}


def modules_of(*program: str, roots: Roots | None = None) -> set[str]:
    """All modules that a fresh interpreter loads for a program; what it starts in other processes is not counted."""
    environment = {**(roots.environment if roots else os.environ), "PYTHONPATH": str(CHECKOUT / "src")}
    command = [sys.executable, "-S", "-X", "importtime", *program]
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # import time: self [us] | cumulative | imported package
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
