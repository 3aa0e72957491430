"""What the paragraphs of a script need to know besides their own step."""

from __future__ import annotations

from tiffin.kernel.cgroups import Hierarchy, Layout
from tiffin.kernel.mounts import MS_SHARED
from tiffin.record import NamedTuple
from tiffin.runtime import steps
from tiffin.runtime.plan import Plan
from tiffin.runtime.record import GROUPS


class Scene(NamedTuple):
    plan: Plan
    layout: Layout
    group: str
    """the path of the container's group in each tree of groups"""

    @property
    def union(self) -> steps.MountUnion:
        return next(step for step in self.plan.steps if isinstance(step, steps.MountUnion))

    @property
    def shares_network(self) -> bool:
        return any(isinstance(step, steps.ShareNetwork) for step in self.plan.steps)

    @property
    def shared(self) -> list[str]:
        """The targets of binds whose later mounts are to be seen on both sides."""
        binds = (step for step in self.plan.steps if isinstance(step, steps.Bind))
        return [bind.target for bind in binds if bind.propagation == MS_SHARED]

    @property
    def hierarchies(self) -> tuple[Hierarchy, ...]:
        return (*self.layout.v1, *((self.layout.v2,) if self.layout.v2 else ()))


def scene_of(plan: Plan) -> Scene:
    return Scene(plan, Layout.from_json(plan.layout), plan.group or f"{GROUPS}/{plan.id}")
