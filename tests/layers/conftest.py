"""A folder on a real file system, and a stack of layers in it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import pytest

from tests.layers.trees import Stack
from tiffin.store.deletion import delete


@pytest.fixture
def place(workshop: str) -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="layers-", dir=workshop)
    yield folder
    delete(folder)  # shutil would give up on deep trees


@pytest.fixture
def stack(place: str) -> Stack:
    return Stack(place)
