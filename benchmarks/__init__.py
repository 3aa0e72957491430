"""What things take: tiffin beside other container engines, and above the floor of what the kernel itself takes.

    ./benchmarks/run                      all of it, some twenty minutes; prints a table in Markdown
    ./benchmarks/run --quick --only exec  little of it

Each row of the table is a *case*: one piece of work, such as "start a container that runs `true`, wait for it, remove
it". Each column is a *contestant*, which does that work in its own way:

    tiffin       as a library in this process, or as a command, whichever the case says; installed like for a user
    docker       dockerd by its API on a unix socket, or the docker command
    podman       its API service, or its command
    runc         the command, on a bundle that is ready; it has neither images nor logs
    floor        floor/*.c: the same system calls and nothing else

A case is measured in *rounds*. In each round every contestant does the work once, one after the other, and in the next
round another one begins: whatever else this machine does in the meantime then falls on all alike.

    run                  makes a fresh installation, and goes on inside it
    place.py             that installation
    surroundings.py      namespaces in which rivals collide with nothing; leaves nothing behind
    materials.py         the image, the tree, the lines of text that the work needs
    cases.py             what is measured, with the budget of each
    contestants/         who does it, and how
    rounds.py            the measuring
    table.py             what comes out
"""
