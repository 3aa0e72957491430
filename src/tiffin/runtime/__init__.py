"""The process space: what turns a container, which is files, into a running container.

    engine --plan--> spawner --fork--> shim --clone--> first process        (a frame around the stack)
                                        |  `--steps: group, mounts, pivot_root, user, capabilities, filter, execve
                                        `--exec--> more processes, in the same frame

A plan is a list of steps, small values that say what they do and why (`runtime.steps`); it is explained, drawn,
compared in tests and executed. `runtime.planning` is the policy: which steps, for which settings. The shim is the
parent of everything in the frame, and the keeper of its output and its end.

    <runroot>/run/<id>/       lock (held by the shim: this is "running"), record, socket, hosts, hostname, resolv.conf
    <runroot>/spawner/<key>   the spawner's socket

Invariants. At most one process space per container: the run's lock. No module is imported and no file of the image
opened by accident once a process is inside. A run whose shim died is finished by `runtime.recovery`.
OCI runtime-spec: config.md, config-linux.md, runtime.md ("Lifecycle").
"""
