"""The nouns and the table of verbs: pure values and pure functions, no I/O.

    layer               the changes (delta) of one step, read-only, and the id of the layer it lies on
    image               the union view of a stack of read-only layers, and a config
    container           the union view of such a stack with one read-write layer on top; it need not run
    running container   a container within a process space

Every command is a transition between these nouns. The table of them is here, once:

    verbs         a row for each verb: what it takes, what it gives, and what happens, in a sentence
    states        in which states of a container a verb is allowed, what state comes next, and which error refuses it
    transitions   given the host before, the host after and a sentence about it

Help texts, documentation, the engine's own checks and the tests of the engine use that one table.
"""
