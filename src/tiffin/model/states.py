"""What each verb makes of a container's state: a row for a verb, a column for a state, in each cell what comes next.

    create            start             pause
    ------>  created  ------>  running  <------->  paused
                               ^     |   unpause   |
                         start |     | stop, kill, | stop, kill
                               |     v or its end  |
                               exited  <-----------+
                                  | rm; of a --rm container at once
                                  v
                                gone

A cell holds the state afterwards, or the error by which the verb is refused there. The engine asks this table before it
acts; since a container may end at any moment, its shim has the last word.
"""

from __future__ import annotations

from types import MappingProxyType

from tiffin.errors import (
    Conflict,
    ContainerNotPaused,
    ContainerNotRunning,
    ContainerPaused,
    ContainerRunning,
    NotModified,
    TiffinError,
)
from tiffin.model.nouns import Container, State
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

GONE = "gone"
"""the state of what is no container any more"""

LEAVING = (State.REMOVING, State.DEAD)
ALIVE = (State.RUNNING, State.PAUSED, State.RESTARTING)
"""within a process space"""
AT_REST = (State.CREATED, State.EXITED, *LEAVING)
ALL = (*ALIVE, *AT_REST)


class Refusal(NamedTuple):
    """An error, and its text with {name}, {id} and {state} of the container."""

    error: type[TiffinError]
    text: str


Cell = str | Refusal
Row: TypeAlias = "Mapping[str, Cell]"


def _row(*parts: Mapping[str, Cell]) -> Row:
    """Later parts go before earlier ones."""
    return MappingProxyType({state: cell for part in parts for state, cell in part.items()})


def _to(cell: Cell, *states: str) -> Row:
    return dict.fromkeys(states, cell)


def _stays(*states: str) -> Row:
    return {state: state for state in states}


_ALREADY = Refusal(NotModified, "container {name} is running already")
_NOT_RUNNING = Refusal(ContainerNotRunning, "Container {id} is not running")
_RESTARTS = Refusal(ContainerNotRunning, "Container {id} is restarting, wait until the container is running")
_LEAVES = Refusal(Conflict, "container {name} is being removed")
_NOT_WHILE_ALIVE = Refusal(
    ContainerRunning,
    'cannot remove container "{name}": container is {state}: stop the container before removing or force remove',
)
_LOOK = _row(_stays(*ALL))

TABLE: Mapping[str, Row] = MappingProxyType(
    {
        "start": _row(
            _to(State.RUNNING, State.CREATED, State.EXITED),
            _to(_ALREADY, State.RUNNING, State.RESTARTING),
            _to(Refusal(ContainerPaused, "cannot start a paused container, try unpause instead"), State.PAUSED),
            _to(_LEAVES, *LEAVING),
        ),
        "stop": _row(
            _to(State.EXITED, *ALIVE),
            _to(Refusal(NotModified, "container {name} is not running"), *AT_REST),
        ),
        "kill": _row(
            _to(State.EXITED, *ALIVE),
            _to(Refusal(ContainerNotRunning, "Cannot kill container: {name}: Container {id} is not running"), *AT_REST),
        ),
        "restart": _row(_to(State.RUNNING, *ALL), _to(_LEAVES, *LEAVING)),
        "pause": _row(
            _to(State.PAUSED, State.RUNNING),
            _to(Refusal(ContainerPaused, "Container {id} is already paused"), State.PAUSED),
            _to(_RESTARTS, State.RESTARTING),
            _to(_NOT_RUNNING, *AT_REST),
        ),
        "unpause": _row(
            _to(State.RUNNING, State.PAUSED),
            _to(Refusal(ContainerNotPaused, "Container {id} is not paused"), State.RUNNING, State.RESTARTING),
            _to(_NOT_RUNNING, *AT_REST),
        ),
        "exec": _row(
            _stays(State.RUNNING),
            _to(Refusal(ContainerPaused, "Container {id} is paused, unpause the container before exec"), State.PAUSED),
            _to(_RESTARTS, State.RESTARTING),
            _to(_NOT_RUNNING, *AT_REST),
        ),
        "attach": _row(
            _stays(State.RUNNING),
            _to(Refusal(ContainerPaused, "You cannot attach to a paused container, unpause it first"), State.PAUSED),
            _to(_RESTARTS, State.RESTARTING),
            _to(Refusal(ContainerNotRunning, "You cannot attach to a stopped container, start it first"), *AT_REST),
        ),
        "wait": _row(_LOOK, _to(State.EXITED, *ALIVE)),
        "rm": _row(
            _to(GONE, *AT_REST),
            _to(_NOT_WHILE_ALIVE, *ALIVE),
            _to(_LEAVES, State.REMOVING),
        ),
        "rm -f": _row(_to(GONE, *ALL), _to(_LEAVES, State.REMOVING)),
        "commit": _row(_LOOK, _to(_LEAVES, *LEAVING)),
        "rename": _row(_LOOK, _to(_LEAVES, *LEAVING)),
        "diff": _LOOK,
        "export": _LOOK,
        "inspect": _LOOK,
        "logs": _LOOK,
        "ps": _LOOK,
    }
)
"""Every row has every state. That of `wait` shows what is true when it returns."""


def check(verb: str, container: Container) -> str:
    """The state that the verb leaves the container in. Raises what the table says where it is refused."""
    cell = TABLE[verb][container.state]
    if isinstance(cell, Refusal):
        raise cell.error(cell.text.format(name=container.name, id=container.id, state=container.state))
    return cell
