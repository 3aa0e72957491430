"""Every step of a plan has words."""

from __future__ import annotations

from tiffin.kernel.process import CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWPID
from tiffin.runtime import steps, telling
from tiffin.runtime.telling import does, namespaces


def test_every_kind_of_step_has_its_words_once():
    plain, told = set(telling.PLAIN), set(telling._TOLD)
    assert plain | told == set(steps.KINDS.values())
    assert not plain & told


def test_long_lists_are_told_by_their_beginning():
    paths = tuple(f"/proc/{name}" for name in "abcdef")
    assert does(steps.MaskPaths(paths)) == "mask /proc/a, /proc/b, /proc/c, /proc/d and 2 more"
    assert does(steps.MaskPaths(paths[:2])) == "mask /proc/a, /proc/b"


def test_the_layers_of_a_union_are_counted_without_the_mount_points_below_them():
    union = steps.MountUnion(("/3", "/2", "/1", "/fixtures"), "/upper", "/work", False, "/at")
    assert does(union) == "mount the union view: the read-write layer on 3 layers"
    assert does(union._replace(lowers=("/1", "/fixtures"))).endswith("on 1 layer")


def test_namespaces_are_told_by_their_names():
    assert namespaces(CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC) == "pid, network and ipc"
    assert namespaces(CLONE_NEWPID) == "pid"


def test_a_program_under_an_init_is_told_as_its_child():
    assert does(steps.Execute(("ls", "-l"), ())) == "execute ls -l"
    assert does(steps.ExecuteUnderInit(("ls", "-l"), ())) == "execute ls -l as the child of an init"
