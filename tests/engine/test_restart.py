"""restart, where it differs from a stop and a start."""

from __future__ import annotations

import pytest

from tiffin.engine import Engine, HostConfig

pytestmark = pytest.mark.root
SCRIPT = "echo run >> /runs; trap exit TERM; echo ready; while true; do sleep 0.02; done"


@pytest.mark.parametrize("auto_remove", [False, True])
def test_a_container_keeps_its_read_write_layer_even_one_that_is_to_go_when_it_ends(engine: Engine, auto_remove: bool):
    host = HostConfig(auto_remove=auto_remove)
    with engine.run("busybox", ["sh", "-c", SCRIPT], host=host, owned=False) as container:
        next(container.logs(follow=True))
        for times in (2, 3):
            again = container.restart()
            lines = zip(range(times), again.logs(follow=True), strict=False)
            assert [line.text for _, line in lines] == [b"ready\n"] * times
            assert again.execute(["cat", "/runs"]).stdout == b"run\n" * times
    assert container.id not in {summary.id for summary in engine.ps(all=True)}


def test_a_container_to_be_removed_is_removed_after_its_last_end(engine: Engine):
    with engine.run("busybox", ["sh", "-c", SCRIPT], host=HostConfig(auto_remove=True), owned=False) as container:
        next(container.logs(follow=True))
        container.restart().kill()
        assert container.id not in {summary.id for summary in engine.ps(all=True)}


def test_a_container_that_does_not_run_is_only_started(engine: Engine):
    with engine.create("busybox", ["sleep", "1000"]) as container:
        assert container.restart().state().status == "running"
