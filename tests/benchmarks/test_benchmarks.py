"""The benchmarks themselves: that they run, that nothing of them is left, and that their arithmetic is right."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from benchmarks import materials, table
from benchmarks.cases import CASES, Unit
from benchmarks.contest import Sample
from benchmarks.contestants.floor import installed, program_of
from benchmarks.rounds import Result

CHECKOUT = Path(__file__).resolve().parent.parent.parent
PROGRAM = str(CHECKOUT / "benchmarks" / "run")


def command(*arguments: str) -> list[str]:
    return [sys.executable, PROGRAM, "--quick", *arguments]


@pytest.mark.root
def test_containers_and_execs_are_measured_and_nothing_is_left(workshop: str, tmp_path: Path):
    samples = tmp_path / "samples.json"
    arguments = ["--only", "exec|start", "--rounds", "2", "--rivals", "floor", "--json", str(samples)]
    environment = {**os.environ, "TMPDIR": workshop}
    done = subprocess.run(command(*arguments), env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    measured = json.loads(samples.read_text())["cases"]
    assert {name: len(case["samples"]["tiffin"]) for name, case in measured.items()} == {
        "start": 2, "start-rm": 2, "exec": 2, "exec-cli": 2,
    }  # fmt: skip
    assert "| create, start, wait, remove | ms |" in done.stdout
    assert [name for name in os.listdir(workshop) if name.startswith("tb-")] == []


@pytest.mark.root
def test_a_benchmark_that_is_told_to_stop_leaves_nothing(workshop: str):
    environment = {**os.environ, "TMPDIR": workshop}
    process = subprocess.Popen(
        command("--only", "^(exec|log)$", "--rounds", "100000", "--rivals", "none"), env=environment,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    assert process.stderr.readline() == "measuring ...\n"
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate()
    assert process.returncode == 128 + signal.SIGTERM, said
    assert [name for name in os.listdir(workshop) if name.startswith("tb-")] == []


@pytest.mark.skipif(not installed(), reason="needs a C compiler")
@pytest.mark.root
def test_the_floor_unpacks_and_copies_a_tree(tmp_path: Path):
    things = materials.Materials(tmp_path, materials.made_up(tmp_path / "tree", entries=300, size=400_000))
    (tmp_path / "work").mkdir()
    orders = f"unpack {things.layer} {tmp_path}/unpacked\ncopy {tmp_path}/unpacked {tmp_path}/copied\n"
    floor = [program_of(tmp_path), "/", str(tmp_path / "work")]
    subprocess.run(floor, input=orders, stdout=subprocess.DEVNULL, text=True, check=True)
    assert listing(tmp_path / "unpacked") == listing(things.tree)
    assert listing(tmp_path / "copied") == listing(things.tree)


def listing(folder: Path) -> dict[str, object]:
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            path.lstat().st_mtime,
            path.is_file() and path.read_bytes(),
        )
        for path in folder.rglob("*")
    }


def test_the_made_up_tree_is_always_the_same(tmp_path: Path):
    first, again = (materials.made_up(tmp_path / name, entries=300, size=400_000) for name in ("first", "again"))
    assert listing(first) == listing(again)


def test_every_archive_has_a_layer_of_its_own(tmp_path: Path):
    things = materials.Materials(tmp_path, materials.made_up(tmp_path / "tree", entries=300, size=400_000))
    layers = set[str]()
    for mark in ("one", "two"):
        with tarfile.open(things.archive(mark)) as tar:
            layers.update(name for name in tar.getnames() if name.endswith("layer.tar"))
    assert len(layers) == 2


def test_the_table_shows_best_median_budget_and_lead():
    case = CASES[0]._replace(parts=("wait",))
    ours: list[Sample] = [{"": 5.0, "wait": 1.0}, {"": 9.0, "wait": 2.0}, {"": 6.0, "wait": 3.0}]
    result = Result(case, {"tiffin": ours, "docker": [{"": 200.0}], "floor": [{"": 3.0}]}, {})
    text = table.markdown([result], {"tiffin": "1", "docker": "2", "floor": "C"})
    assert text.splitlines()[2:] == [
        "| create, start, wait, remove | ms | 5.00 / 6.00 | <= 10 | 50% | 40.0 x | 200 / 200 | 3.00 / 3.00 |",
        "| &nbsp;&nbsp;wait | ms | 1.00 / 2.00 | - | - | - | - | - |",
    ]


def test_of_a_rate_more_is_better_and_a_missed_budget_is_bold():
    case = CASES[0]._replace(unit=Unit.PER_SECOND, budget=80, parts=())
    result = Result(case, {"tiffin": [{"": 40.0}, {"": 60.0}], "docker": [{"": 2.0}, {"": 3.0}]}, {})
    text = table.markdown([result], {"tiffin": "1", "docker": "2"})
    assert "| 60.0 / 50.0 | >= 80 | **75%** | 20.0 x | 3.00 / 2.50 |" in text
