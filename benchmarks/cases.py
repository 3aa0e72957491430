"""What is measured: the budgets of the design as rows of the table."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Unit(Enum):
    """Of a result; the second word tells whether more of it is better."""

    MILLISECONDS = ("ms", False)
    SECONDS = ("s", False)
    MEGABYTES = ("MB", False)
    PER_SECOND = ("1/s", True)
    MILLION_PER_SECOND = ("M/s", True)
    GIGABYTES_PER_SECOND = ("GB/s", True)

    @property
    def symbol(self) -> str:
        return self.value[0]

    @property
    def more_is_better(self) -> bool:
        return self.value[1]


class Case(NamedTuple):
    name: str
    title: str
    unit: Unit
    budget: float | None = None
    rounds: int = 40
    quick_rounds: int = 3
    parts: tuple[str, ...] = ()
    """rows of their own, from the same rounds"""
    warm_up: bool = True
    """whether a first round is thrown away"""


MS, S = Unit.MILLISECONDS, Unit.SECONDS

CASES = (
    Case("start", "create, start, wait, remove", MS, 10, parts=("create", "start", "wait", "remove")),
    Case("start-rm", "create, start, wait, with `--rm`", MS, 8, parts=("create and start", "wait")),
    Case("cli-cold", "`run --rm base true`, nothing running before", MS, 60, rounds=20),
    Case("cli-warm", "`run --rm base true`", MS, 40, rounds=20),
    Case("exec", "exec `true`", MS, 5),
    Case("exec-cli", "`exec CONTAINER true`", MS, rounds=20),
    Case("rate", "containers per second, started by several at once", Unit.PER_SECOND, 80, 5, 2),
    Case("crowd", "create and start {crowd} containers at once", MS, rounds=5, quick_rounds=1),
    Case("memory", "memory per running container, of {memory}", Unit.MEGABYTES, 0.9, 2, 1, warm_up=False),
    Case("load", "load a layer of 211 MB", S, 1.2, 5, 1, warm_up=False),
    Case("load-cli", "`load` of it", S, 1.2, 3, 1, warm_up=False),
    Case("commit", "commit 206 MB", S, 0.8, 5, 1, warm_up=False),
    Case("commit-cli", "`commit` of it", S, 0.8, 3, 1, warm_up=False),
    Case("save", "save a layer of 211 MB", S, 0.8, 5, 1, warm_up=False),
    Case("save-cli", "`save` of it", S, 0.8, 3, 1, warm_up=False),
    Case("log", "lines of log written, a million by `seq`", Unit.MILLION_PER_SECOND, 1.0, 5, 1),
    Case("attach-none", "attached output, no log", Unit.GIGABYTES_PER_SECOND, 1.0, 5, 1),
    Case("attach-json", "attached output, logged; lines of 100 bytes", Unit.GIGABYTES_PER_SECOND, 0.1, 5, 1),
    Case("attach-none-cli", "`run --log-driver none`, no log", Unit.GIGABYTES_PER_SECOND, 1.0, 5, 1),
    Case("attach-json-cli", "`run`, logged; lines of 100 bytes", Unit.GIGABYTES_PER_SECOND, 0.1, 5, 1),
)
