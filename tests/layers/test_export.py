"""The flat view as a tar: what other programs read from it is the kernel's view."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile

import pytest

from tests.layers.trees import Item, Stack, folder, hard_link, look, mounted, symlink, tar
from tiffin.layers.export import export
from tiffin.layers.overlay import new_upper
from tiffin.layers.tarwriter import pieces

pytestmark = pytest.mark.root


@pytest.fixture
def rich(stack: Stack) -> Stack:
    stack.add(
        tar(
            folder(".", mode=0o711, mtime=3),
            Item("usr/bin/su", b"su" * 400, mode=0o4755, mtime=5),
            hard_link("usr/bin/sudo", "usr/bin/su"),
            Item("gone"),
            Item("etc/motd", b"old", pax={"mtime": "1.123456789"}),
            Item("dev/null", kind=tarfile.CHRTYPE, device=(1, 3)),
            Item("run/fifo", kind=tarfile.FIFOTYPE),
        )
    )
    stack.add(
        tar(
            Item(".wh.gone"),
            Item("etc/motd", b"new", uid=3_000_000, pax={"SCHILY.xattr.user.note": "x=y%z"}),
            symlink("lib", "t" * 120, uid=7),
            Item("n" * 120 + "/" + "m" * 110 + "/x", b"deep"),
            Item("s" * 70 + "/" + "t" * 70, b"fits into prefix and name"),
            Item("caf\udce9"),
            Item("old", pax={"mtime": "-5.5"}),
        )
    )
    return stack


def test_gnu_tar_makes_the_kernels_view_of_it(rich: Stack) -> None:
    os.mkdir(f"{rich.folder}/extracted")
    command = [
        "tar",
        "-C",
        f"{rich.folder}/extracted",
        "--numeric-owner",
        "--warning=no-timestamp",  # one is before 1970
        "--xattrs",
        "--xattrs-include=*",
        "-xpf",
        "-",
    ]
    with export(rich.lowers) as stream:
        made = subprocess.run(command, check=True, input=b"".join(pieces(stream)), capture_output=True)
    assert made.stderr == b""
    with mounted(rich.lowers, rich.folder) as merged:
        assert look(f"{rich.folder}/extracted") == look(merged)


def test_pythons_tarfile_reads_it(rich: Stack) -> None:
    with export(rich.lowers) as stream, tarfile.open(fileobj=io.BufferedReader(stream), mode="r|") as archive:
        members = {member.name: member for member in archive}
    assert members["etc/motd"].size == 3
    assert members["etc/motd"].uid == 3_000_000
    assert members["usr/bin/sudo"].linkname == "usr/bin/su"
    assert "gone" not in members
    assert members["old"].mtime == -5.5


def test_an_export_unpacked_and_exported_again_is_the_same(rich: Stack) -> None:
    with export(rich.lowers) as stream:
        first = b"".join(pieces(stream))
    flat = Stack(f"{rich.folder}/flat")
    os.mkdir(flat.folder)
    flat.add(first)
    with export(flat.lowers) as stream:
        assert b"".join(pieces(stream)) == first


def test_a_read_write_layer_counts_with_the_rest(rich: Stack) -> None:
    upper = f"{rich.folder}/upper"
    new_upper(upper, rich.lowers)
    with mounted(rich.lowers, rich.folder, upper=upper) as merged:
        os.unlink(f"{merged}/etc/motd")
        os.rename(f"{merged}/usr/bin/su", f"{merged}/happiness.txt")
    with export([upper, *rich.lowers]) as stream, tarfile.open(fileobj=io.BytesIO(stream.readall())) as archive:
        names = archive.getnames()
    assert "happiness.txt" in names
    assert not {"etc/motd", "usr/bin/su"} & set(names)


def test_nothing_is_an_empty_tar() -> None:
    with export([]) as stream:
        assert stream.readall() == bytes(1024)
