"""The process space: what turns a container, which is files, into a running container.

    engine --plan--> launcher ~~steps~~> first process       (a frame around the stack)
                        |                     |
    spawner --fork--> shim ------------ parent of everything in the frame
                        `--fork--> launcher ~~steps~~> exec: one more process in the same frame

A spawner has a shim and its launcher ready at any time, the launcher in new namespaces and in a group of its own. The
launcher takes a plan, hands pipes and locks to its shim, takes the steps, and becomes the program.

A plan is a list of steps, small values that say what they do and why (`runtime.steps`); it is explained, drawn,
compared in tests and executed; which steps for which settings is the engine's to say (`engine.planning`). The shim is
the parent of everything in the frame, and the keeper of its output and its end.

What the steps really did, call by call, is recorded where the caller asks for it (`runtime.tracing`).

    <runroot>/run/<id>/       lock (held by the shim: this is "running"), record, socket, hosts, hostname, resolv.conf
    <runroot>/spawner/<key>   the spawner's socket

Invariants. At most one process space per container: the run's lock. No module is imported and no file of the image
opened by accident once a process is inside. A run whose shim died is finished by `runtime.recovery`.
OCI runtime-spec: config.md, config-linux.md, runtime.md ("Lifecycle").
"""
