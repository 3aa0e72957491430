"""stop, where a container is paused."""

from __future__ import annotations

import pytest

from tiffin.engine import Config, Engine

pytestmark = pytest.mark.root


@pytest.mark.parametrize("signal", ["TERM", "INT"])
def test_a_paused_container_is_asked_as_politely_as_a_running_one(engine: Engine, signal: str):
    script = f"trap 'exit 6' {signal}; echo ready; while true; do sleep 0.01; done"
    with engine.create("busybox", ["sh", "-c", script], config=Config(stop_signal=signal)) as container:
        running = container.start()
        next(running.logs(follow=True))
        running.pause()
        running.stop(timeout=60)
        assert container.state().exit_code == 6
