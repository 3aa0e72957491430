"""The nouns and the table of verbs: pure values and pure functions, no I/O.

    layer               the changes (delta) of one step, read-only, and the id of the layer it lies on
    image               the union view of a stack of read-only layers, and a config
    container           the union view of such a stack with one read-write layer on top; it need not run
    running container   a container within a process space

Every command is a transition between these nouns. The table of transitions is `model.verbs`: given the host before,
a verb returns the host after and a sentence. Help texts, documentation and the tests of the engine use that one table.
"""
