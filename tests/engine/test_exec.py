"""exec, where it meets its own end."""

from __future__ import annotations

import pytest

from tests import busybox
from tests.conftest import Roots
from tiffin.engine import HostConfig

pytestmark = pytest.mark.root


def test_letting_go_of_an_exec_that_has_ended_leaves_the_container_running(engine_root: Roots):
    engine = busybox.engine(*engine_root)
    with engine.run("busybox", ["sleep", "1000"], host=HostConfig(auto_remove=True)) as container:
        for number in range(3):  # the shim must not signal what its descriptor means by now
            assert container.execute(["echo", str(number)]).stdout == b"%d\n" % number
        assert container.state().status == "running"
