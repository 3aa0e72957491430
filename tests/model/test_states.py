"""The table of states: whole, and true to what the article and Docker say of each verb."""

from __future__ import annotations

import pytest

from tiffin.errors import (
    Conflict,
    ContainerNotPaused,
    ContainerNotRunning,
    ContainerPaused,
    ContainerRunning,
    NotModified,
)
from tiffin.model.nouns import Container, State
from tiffin.model.states import ALL, GONE, TABLE, check

IDENTITY = {"created", "running", "paused", "restarting", "exited", "removing", "dead"}


def in_state(state: str) -> Container:
    return Container("c" * 64, "web", None, None, state)


def outcome(verb: str, state: str) -> str | type[Exception]:
    try:
        return check(verb, in_state(state))
    except Exception as error:  # noqa: BLE001  # which class it is, is the outcome
        return type(error)


def test_every_row_has_every_state():
    assert set(ALL) == IDENTITY
    assert {verb: set(row) for verb, row in TABLE.items()} == dict.fromkeys(TABLE, IDENTITY)


@pytest.mark.parametrize(
    ("verb", "created", "running", "paused", "exited"),
    [
        ("start", State.RUNNING, NotModified, ContainerPaused, State.RUNNING),
        ("stop", NotModified, State.EXITED, State.EXITED, NotModified),
        ("kill", ContainerNotRunning, State.EXITED, State.EXITED, ContainerNotRunning),
        ("restart", State.RUNNING, State.RUNNING, State.RUNNING, State.RUNNING),
        ("pause", ContainerNotRunning, State.PAUSED, ContainerPaused, ContainerNotRunning),
        ("unpause", ContainerNotRunning, ContainerNotPaused, State.RUNNING, ContainerNotRunning),
        ("exec", ContainerNotRunning, State.RUNNING, ContainerPaused, ContainerNotRunning),
        ("attach", ContainerNotRunning, State.RUNNING, ContainerPaused, ContainerNotRunning),
        ("wait", State.CREATED, State.EXITED, State.EXITED, State.EXITED),
        ("rm", GONE, ContainerRunning, ContainerRunning, GONE),
        ("rm -f", GONE, GONE, GONE, GONE),
        ("commit", State.CREATED, State.RUNNING, State.PAUSED, State.EXITED),
        ("rename", State.CREATED, State.RUNNING, State.PAUSED, State.EXITED),
    ],
)
def test_a_verb_leads_to_the_next_state_or_is_refused(
    verb: str, created: object, running: object, paused: object, exited: object
):
    found = tuple(outcome(verb, state) for state in (State.CREATED, State.RUNNING, State.PAUSED, State.EXITED))
    assert found == (created, running, paused, exited)


@pytest.mark.parametrize("verb", ["start", "restart", "commit", "rename"])
@pytest.mark.parametrize("state", [State.REMOVING, State.DEAD])
def test_what_is_being_removed_is_not_made_use_of(verb: str, state: str):
    assert outcome(verb, state) is Conflict


def test_a_refusal_names_the_container_and_what_to_do():
    with pytest.raises(ContainerRunning, match=r'remove container "web": container is running: stop the container'):
        check("rm", in_state(State.RUNNING))
