"""bootstrap, told to end."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import NoReturn, cast

import pytest

from tiffin.cli.options import parse
from tiffin.cli.verbs import bootstrap
from tiffin.engine import Engine

ENDING = (signal.SIGTERM, signal.SIGHUP)


class Busy:
    """An engine that is told to end while it makes an image."""

    def __init__(self, number: signal.Signals) -> None:
        self.number = number
        self.has_cleaned_up = False

    def bootstrap(self, what: str, progress: object) -> NoReturn:
        try:
            os.kill(os.getpid(), self.number)
            pytest.fail("it went on")
        finally:
            self.has_cleaned_up = True


@pytest.fixture
def own_signals() -> Iterator[None]:
    before = [(number, signal.getsignal(number)) for number in ENDING]
    yield
    for number, handler in before:
        signal.signal(number, handler)


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_to_end_takes_back_what_was_begun(own_signals: None, number: signal.Signals) -> None:
    busy = Busy(number)
    with pytest.raises(SystemExit) as ended:
        bootstrap.act(cast(Engine, busy), parse(bootstrap.COMMAND, ["debian"]))
    assert (ended.value.code, busy.has_cleaned_up) == (128 + number, True)
