"""What the engine's verbs work with: the packages below, each on the same store."""

from __future__ import annotations

from tiffin.images.records import Images
from tiffin.layers.layers import Layers
from tiffin.model.nouns import Container
from tiffin.store import Store
from tiffin.store.content import Content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tiffin.runtime.tracing import StepTrace


class Parts:
    """`containers` gives all containers of the store as they are when it is called: they hold images and layers."""

    def __init__(self, store: Store, containers: Callable[[], Iterable[Container]]) -> None:
        self.store = store
        self.images = Images(store)
        self.layers = Layers(store)
        self.containers = containers
        self.trace: list[StepTrace] | None = None
        """where the steps of what is started are recorded, while somebody wants that"""

    @property
    def content(self) -> Content:
        return self.images.content
