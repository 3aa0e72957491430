"""What each verb would do to the host as it stands, told and drawn, and not done.

    engine.explain.commit("web", "web:2")

    Scene        the world as it stands; a verb leads from one to the next
    containers   create, rm, rename, commit, export, logs, diff        \\
    spaces       start, run, stop, kill, restart, pause, exec, ...       > scene -> explanation, next scene
    images       tag, rmi, prune, save, load, import, history, ...     /

What a verb makes of the host is said by the table of verbs (`model.transitions`) alone, the same that the engine is
tested against; so the foretold picture and the true one come from the same place. The steps are the plan itself where
there is one (`runtime.plan`, of everything that starts a process); elsewhere they tell what the engine's module does.
"""

from __future__ import annotations

from tiffin.engine.explaining.explainer import Explainer

__all__ = ["Explainer"]
