"""tiffin: a container engine that you can see into.

A tiffin carrier is a stack of containers that one lifts apart and looks into. Here images and containers are stacks
of layers, visible on the disk, in the source, and in pictures:

        +----------------------+  <- read-write layer      \\
        |  happiness.txt       |     (one per container)    |  container: the union view,
        +======================+                            |  running or not
        |  what step 2 changed |  <- read-only layers \\     |
        +----------------------+                       | image
        |  base files          |                      /    /
        +----------------------+

Read the packages in this order, from the nouns outward: model, errors, kernel, store, layers, runtime, images,
containers, engine, cli. Each package's docstring is a page of the book.

    from tiffin import Engine
    with Engine().run("base", ["echo", "hello"]) as container:
        print(container.output())
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tiffin.engine import Engine as Engine

__all__ = ["Engine", "__version__"]


def __getattr__(name: str) -> object:
    # lazy: `tiffin --version` and the spawner must not pay for the engine
    if name == "Engine":
        from tiffin.engine import Engine

        return Engine
    raise AttributeError(f"module 'tiffin' has no attribute '{name}'")
