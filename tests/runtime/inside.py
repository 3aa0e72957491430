"""Short looks inside a container."""

from __future__ import annotations

from tiffin.engine import Config, Engine, HostConfig


def inside(
    engine: Engine, script: str, *, image: str = "busybox", config: Config = Config(), host: HostConfig = HostConfig()
) -> str:
    """What a shell script writes to both streams in a container of its own; its exit code in brackets if not 0."""
    with engine.create(image, ["sh", "-c", f"exec 2>&1; {script}"], config=config, host=host) as container:
        code = container.start().wait()
        return container.output().decode() + (f"[{code}]" if code else "")
