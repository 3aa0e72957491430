"""Pictures of what stands here: what records tell, and what is to be seen in files and processes, as values of `view`.

    taking        the whole host, some things on it, or one of them in full
      |
    world         the nouns and what is known of each; `pictured` makes a picture of it, also of one that is foretold
    unions        the union view row by row, and what a read-write layer holds: read from its folder
    observing     a process space as the kernel tells of it now; protections: what holds its processes back
    cards         metadata

Nothing of a container is trusted: names, processes and files are data, and what vanishes while it is looked at is left
out. How long a look may take does not depend on how many files there are.
"""
