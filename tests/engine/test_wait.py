"""wait, at the very moment at which a container ends."""

from __future__ import annotations

from contextlib import suppress

import pytest

from tiffin.engine import Engine, HostConfig
from tiffin.errors import NoSuchContainer

pytestmark = pytest.mark.root


def test_who_comes_while_a_container_ends_gets_its_exit_code_all_the_same(engine: Engine):
    script = "trap 'exit 5' USR1; echo ready; while true; do sleep 0.01; done"
    with engine.create("busybox", ["sh", "-c", script]) as container:
        for times in range(1, 16):
            running = container.start()
            running.attachment.detach()
            for _ in zip(range(times), running.logs(follow=True), strict=False):
                pass  # until it is ready this time, too
            running.kill("USR1")
            assert engine.container(container.id).wait() == 5


def test_who_comes_while_a_rm_container_ends_gets_its_exit_code_or_comes_too_late(engine: Engine):
    script = "trap 'exit 5' USR1; echo ready; while true; do sleep 0.01; done"
    codes = []
    for _ in range(15):
        with engine.run("busybox", ["sh", "-c", script], host=HostConfig(auto_remove=True), owned=False) as running:
            next(running.logs(follow=True))
            running.kill("USR1")
            with suppress(NoSuchContainer):
                codes.append(engine.container(running.id).wait())
    assert set(codes) <= {5}
