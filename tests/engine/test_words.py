"""A text is no list of words, though Python takes it for a list of letters: every verb of the library says so."""

from __future__ import annotations

import io

import pytest

from tiffin.engine import Engine, HostConfig

pytestmark = pytest.mark.root
NO_LIST = r"must be a list of words"


def test_a_command_that_is_a_text_is_refused_and_leaves_nothing(engine: Engine):
    before = [summary.id for summary in engine.ps(all=True)]
    for verb in (engine.create, engine.run):
        with pytest.raises(TypeError, match=NO_LIST):
            verb("busybox", "ls")
    assert [summary.id for summary in engine.ps(all=True)] == before


def test_a_command_for_a_running_container_that_is_a_text_is_refused(engine: Engine):
    with engine.run("busybox", ["sleep", "1000000"], host=HostConfig(auto_remove=True)) as container:
        for verb in (container.exec, container.execute):
            with pytest.raises(TypeError, match=NO_LIST):
                verb("ls")
        with pytest.raises(TypeError, match=NO_LIST):
            container.commit(changes="USER alice")
        container.stop(0)


def test_changes_and_names_that_are_a_text_are_refused(engine: Engine):
    with pytest.raises(TypeError, match=NO_LIST):
        engine.import_(io.BytesIO(), changes="USER alice")
    with pytest.raises(TypeError, match=NO_LIST):
        engine.save("busybox", io.BytesIO())
