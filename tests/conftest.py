"""What all tests share: a fresh engine root, the `root` marker, an eye on what is left behind, and on skips.

    engine_root     root and runroot of a fresh engine, on a real file system, with a short path
    engine          an engine with the image `busybox`; what a test makes in it must be gone when the test ends
    fresh_engine    one that no other test has used, with the same image
    debian_tar      the root file system of a real, minimal Debian, made once per session
    marker root     the test needs root; skipped, with that reason, for others
    marker network  the test fetches something; left out by -m "not network"
    --strict-skips  (also with CI=true) a skip with a reason that tests/skips.py doesn't expect here fails the run

When the session ends, nothing of it may be left: no mount, process or cgroup. See tests/leftovers.py.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import HealthCheck, settings

from tests import busybox, leftovers, skips

if TYPE_CHECKING:
    from tiffin.engine import Engine

# how fast a machine is, and whether others work on it, is no fact about tiffin
settings.register_profile("any machine", settings(deadline=None, suppress_health_check=[HealthCheck.too_slow]))
settings.load_profile("any machine")


class Roots(NamedTuple):
    root: str
    runroot: str

    @property
    def environment(self) -> dict[str, str]:
        """For a child: the caller's environment, with both folders."""
        return {**os.environ, "TIFFIN_ROOT": self.root, "TIFFIN_RUNROOT": self.runroot}


@pytest.fixture(scope="session", autouse=True)
def workshop() -> Iterator[str]:
    """The folder in which all engine roots of this session lie. When it ends, all in it must have ended by itself."""
    # overlay can't have its upper folder on overlay or (before 6.x, with xattrs) tmpfs: /tmp often is one of these
    folder = tempfile.mkdtemp(prefix="tf-", dir=os.environ.get("TIFFIN_TEST_DIR", "/var/tmp"))
    yield folder
    found = leftovers.look(folder)
    if not found:
        shutil.rmtree(folder)
    assert not found, "left behind by the tests:\n" + "\n".join(found)


@pytest.fixture
def engine_root(workshop: str) -> Iterator[Roots]:
    folder = tempfile.mkdtemp(prefix="", dir=workshop)
    yield Roots(os.path.join(folder, "root"), os.path.join(folder, "run"))
    found = leftovers.look(folder)
    if not found:
        shutil.rmtree(folder)
    assert not found, "left behind by this test:\n" + "\n".join(found)


@pytest.fixture(scope="session")
def busybox_engine(workshop: str) -> Engine:
    """Shared by all tests of the session; tests take `engine`, which looks after what they leave."""
    folder = tempfile.mkdtemp(prefix="", dir=workshop)
    return busybox.engine(os.path.join(folder, "root"), os.path.join(folder, "run"))


@pytest.fixture
def engine(busybox_engine: Engine) -> Iterator[Engine]:
    yield busybox_engine
    found = leftovers.of_containers(busybox_engine)
    assert not found, "left behind by this test:\n" + "\n".join(found)


@pytest.fixture
def fresh_engine(engine_root: Roots) -> Engine:
    return busybox.engine(*engine_root)


@pytest.fixture(scope="session")
def debian_tar(workshop: str) -> str:
    """The path of a tar. It takes half a minute, and is made only if a test wants it."""
    from tiffin.engine import bootstrap

    path = os.path.join(workshop, "debian.tar")
    with open(path, "xb") as file:
        bootstrap.debian(file, suite="bookworm")
    return path


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--strict-skips", action="store_true", help="fail on skips that tests/skips.py does not expect")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.geteuid() == 0:
        return
    for item in items:
        if item.get_closest_marker("root"):
            item.add_marker(pytest.mark.skip(reason=skips.NEEDS_ROOT))


def pytest_configure(config: pytest.Config) -> None:
    strict = config.getoption("--strict-skips") or os.environ.get("CI") == "true"
    config.pluginmanager.register(skips.SkipWatch(strict=strict), "skip-watch")
