"""An image of as many layers as one overlay takes is one like any other."""

from __future__ import annotations

import io

import pytest

from tests import busybox
from tests.images.archives import docker_20, image
from tests.images.archives import tar as archive
from tests.layers.trees import Item, tar
from tiffin.engine import Engine
from tiffin.errors import Unsupported
from tiffin.kernel.mounts import TALLEST


@pytest.mark.root
def test_an_image_of_as_many_layers_as_an_overlay_takes_runs(fresh_engine: Engine) -> None:
    steps = [tar(Item("step", str(number).encode())) for number in range(1, TALLEST)]
    fresh_engine.load(io.BytesIO(archive(docker_20(image(busybox.tar(), *steps), "tall:1"))))
    with fresh_engine.run("tall:1", ["sh", "-c", "cat /step /etc/passwd >/copy && ls /proc/self"]) as container:
        assert container.wait() == 0
        assert sorted((change.kind, change.path) for change in container.diff()) == [("A", "/copy")]
        with pytest.raises(Unsupported, match=f"at most {TALLEST} layers"):
            container.commit("taller:1")
