"""Containers, as far as they are true when nothing runs: a read-write layer on a stack of read-only layers.

        +------------------+
        |  diff/           |  the read-write layer: a plain folder, found by `find`
        +==================+
        |  read-only       |  the image's layers; never written
        +------------------+

    <root>/containers/<id>/json      how it was made: image, settings, name
    <root>/containers/<id>/diff/     the read-write layer
    <root>/containers/<id>/work/     overlay's own scratch folder
    <root>/containers/<id>/log*      what it has written (json-file)
    <root>/containers/<id>/last      its last run: when, and how it ended
    <root>/containers/names/<name>   symbolic link to the container's folder

Whether a container runs is a question for elsewhere (`runtime`), as in the article. A container's name is what its
`json` says; the link reserves it, and one that leads to no container of that name is free.
"""

from tiffin.containers.containers import Containers
from tiffin.containers.record import ContainerRecord

__all__ = ["ContainerRecord", "Containers"]
