"""The program: who takes part in what, and that all is gone at the end."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks import place, surroundings, table
from benchmarks.cases import CASES, Case
from benchmarks.contest import Contestant, Refused, Scale
from benchmarks.contestants import docker, floor, podman, runc
from benchmarks.contestants.tiffin import Tiffin
from benchmarks.materials import Materials
from benchmarks.rounds import measure

RIVALS = ("docker", "podman", "runc", "floor")
TREES = ("load", "load-cli", "commit", "commit-cli", "save", "save-cli")
FULL = Scale(starts=200, crowd=20, memory=100, volume=2_000_000_000)
QUICK = Scale(starts=40, crowd=5, memory=10, volume=200_000_000)


def main() -> int:
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with ExitStack() as leaving:
        leaving.callback(shutil.rmtree, place.folder(), ignore_errors=True)
        return run(_arguments(), place.folder(), leaving)


def run(wishes: argparse.Namespace, home: Path, leaving: ExitStack) -> int:
    load = os.getloadavg()[0]
    cases = [case for case in CASES if re.search(wishes.only, case.name)]
    materials = Materials(home, wishes.tree)
    if any(case.name in TREES for case in cases):
        print(f"the tree: {materials.tree}", file=sys.stderr)  # made now: the contestants have another network
    scale = QUICK if wishes.quick else FULL
    cases = [case._replace(title=case.title.format(**scale._asdict())) for case in cases]
    contestants = leaving.enter_context(contest(home, materials, scale, wishes.rivals))
    versions = {contestant.name: contestant.version for contestant in contestants}
    print("measuring ...", file=sys.stderr, flush=True)
    results = [measure(case, contestants, _rounds(case, wishes)) for case in cases]
    print(table.markdown(results, versions))
    print(f"\n{table.circumstances(versions, load)}")
    failures = list(table.refusals(results))
    for line in failures:
        print(line, file=sys.stderr)
    if wishes.json:
        wishes.json.write_text(json.dumps(table.plain(results, versions), indent=1))
    return int(any(table.OURS in result.refusals for result in results))


@contextmanager
def contest(home: Path, materials: Materials, scale: Scale, rivals: Sequence[str]) -> Iterator[list[Contestant]]:
    """All that take part, ready; nothing of them is left afterwards."""
    groups = surroundings.Groups()
    with ExitStack() as stack:
        stack.enter_context(surroundings.entered())
        stack.callback(groups.remove)
        stack.callback(surroundings.unmount_all, str(home))
        stack.callback(surroundings.end_all, str(home))
        tiffin = Tiffin(home, materials, scale)
        stack.callback(tiffin.close)
        present: list[Contestant] = [tiffin]
        archive = home / "base.tar"
        tiffin.archive(archive)
        makers: dict[str, tuple[Callable[[], bool], Callable[[], Contestant]]] = {
            "docker": (docker.installed, lambda: docker.Docker(home, archive, groups, materials, scale)),
            "podman": (podman.installed, lambda: podman.Podman(home, archive, materials, scale)),
            "runc": (runc.installed, lambda: runc.Runc(home, tiffin.layer(), groups, scale)),
            "floor": (floor.installed, lambda: floor.Floor(home, tiffin.layer(), groups, materials, scale)),
        }
        for name in rivals:
            is_installed, make = makers[name]
            if contestant := _invited(name, is_installed, make):
                stack.callback(contestant.close)
                present.append(contestant)
        yield present


def _invited(name: str, is_installed: Callable[[], bool], make: Callable[[], Contestant]) -> Contestant | None:
    if not is_installed():
        print(f"without {name}: not installed", file=sys.stderr)
        return None
    try:
        return make()
    except Refused as reason:
        print(f"without {name}: {reason}", file=sys.stderr)
        return None


def _rounds(case: Case, wishes: argparse.Namespace) -> int:
    if wishes.rounds:
        return int(wishes.rounds)
    return case.quick_rounds if wishes.quick else case.rounds


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks/run", description="Measure tiffin beside other container engines.",
        epilog=f"Cases: {', '.join(case.name for case in CASES)}",
    )  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="few rounds, small amounts")
    parser.add_argument("--only", metavar="REGEX", default="", help="only the cases whose names match")
    parser.add_argument("--rounds", metavar="N", type=int, help="this many rounds of each case")
    parser.add_argument("--rivals", metavar="LIST", type=_names, default=RIVALS,
                        help=f"who else, of {','.join(RIVALS)}; or none")  # fmt: skip
    parser.add_argument("--tree", metavar="FOLDER", type=Path,
                        help="a root file system of some 200 MB, in place of one made by debootstrap")  # fmt: skip
    parser.add_argument("--json", metavar="FILE", type=Path, help="write all samples there")
    return parser.parse_args()


def _names(text: str) -> tuple[str, ...]:
    names = tuple(filter(None, text.replace("none", "").split(",")))
    if wrong := set(names) - set(RIVALS):
        raise argparse.ArgumentTypeError(f"nobody is called {', '.join(sorted(wrong))}")
    return names
