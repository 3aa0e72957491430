"""After an explained verb was done: the true picture, held against what was foretold."""

from __future__ import annotations

from tiffin.engine import world
from tiffin.engine.parts import Parts
from tiffin.model.nouns import State
from tiffin.view.compare import compared, matched
from tiffin.view.explanation import Explanation
from tiffin.view.picture import Picture, Tray


def done(parts: Parts, explanation: Explanation) -> Explanation:
    """The explanation of what was just done, with the truth and its differences from what was foretold.

    That a program has ended by itself meanwhile is nobody's mistake: it is remarked, and counts as foretold.
    """
    true = world.pictured(_looked_at(parts, explanation))
    foretold, remarks = _let_end(explanation.gives, true)
    return compared(explanation._replace(gives=foretold, remarks=(*explanation.remarks, *remarks)), true)


def _looked_at(parts: Parts, explanation: Explanation) -> world.World:
    seen = world.seen(parts)
    known = matched(explanation.gives, world.pictured(seen))
    return world.measured(parts, seen, {known.get(id, id) for id in explanation.focus})


def _let_end(foretold: Picture, true: Picture) -> tuple[Picture, tuple[str, ...]]:
    known, there = matched(foretold, true), {tray.id: tray for tray in true.trays}
    trays, remarks = list[Tray](), list[str]()
    for tray in foretold.trays:
        now = there.get(known.get(tray.id, tray.id))
        if tray.is_alive and now is not None and now.state == State.EXITED:
            remarks.append(f"The program of {now.name} has ended by itself meanwhile.")
            trays.append(tray._replace(state=State.EXITED, space=None, size=None, changes=None))
        elif tray.is_alive and now is None and tray.is_thrown_away:
            remarks.append(f"The program of {tray.name or 'the new container'} has ended by itself meanwhile.")
        else:
            trays.append(tray)
    return foretold._replace(trays=tuple(trays)), tuple(remarks)
