"""Archives that are damaged or mean harm: each is refused with a sentence, and nothing of it is left."""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from tests.conftest import Roots
from tests.engine.stores import EMPTY, Shelf
from tests.images.archives import (
    BOTTOM,
    MANIFEST,
    TOP,
    Layout,
    Members,
    digest,
    docker_20,
    docker_25,
    hex_of,
    image,
    layout,
    named,
    pack,
    tar,
)
from tiffin.engine import archives
from tiffin.engine.removal import collect
from tiffin.errors import BadArchive, BadParameter, TiffinError, Unsupported

pytestmark = pytest.mark.root
TWO = image(BOTTOM, TOP)
LIBRARY = "docker.io/library/base:1"


@pytest.fixture
def shelf(engine_root: Roots) -> Shelf:
    return Shelf(engine_root)


def without(name: str) -> Members:
    members = docker_25(TWO, "base:1")
    del members[name]
    return members


def manifest_json(**changes: Any) -> Members:
    members = docker_20(TWO, "base:1")
    item = json.loads(members["manifest.json"] or b"")[0] | changes
    return members | {"manifest.json": json.dumps([item]).encode()}


def layout_with(change: Callable[[Layout, dict[str, Any]], dict[str, Any]]) -> Members:
    """A layout whose manifest was changed."""
    made = Layout({}, [])
    form = json.loads(made.blobs["blobs/sha256/" + made.manifest(TWO)["digest"][7:]])
    made.manifests.append(named(made.add(json.dumps(change(made, form)).encode(), MANIFEST), LIBRARY))
    return made.members()


def layers_of(kind: str) -> Members:
    return layout_with(
        lambda made, form: form | {"layers": [layer | {"mediaType": kind} for layer in form["layers"]]}
    )


def nested(depth: int) -> Members:
    """Indexes in indexes."""
    made = Layout({}, [])
    descriptor = made.manifest(TWO)
    for _ in range(depth):
        descriptor = made.platforms([descriptor])
    made.manifests.append(descriptor)
    return made.members()


def swapped(members: Members, name: str, content: bytes) -> Members:
    assert name in members
    return members | {name: content}


MANIFEST_NAME = "blobs/sha256/" + json.loads(layout(TWO)["index.json"] or b"")["manifests"][0]["digest"][7:]
BAD: dict[str, tuple[Members, type[TiffinError], str]] = {
    "nothing in it": ({"readme": b""}, BadArchive, "holds no images.*tiffin import"),
    "no config": (without(f"blobs/sha256/{hex_of(TWO.config)}"), BadArchive, "is missing in the archive"),
    "no layer": (without(f"blobs/sha256/{hex_of(TOP)}"), BadArchive, "is missing in the archive"),
    "manifest.json is no JSON": (manifest_json() | {"manifest.json": b"{"}, BadArchive, "manifest.json is no JSON"),
    "manifest.json is no list": (manifest_json() | {"manifest.json": b"{}"}, BadArchive, "no list of objects"),
    "manifest.json is empty": (manifest_json() | {"manifest.json": b"[]"}, BadArchive, "holds no image at all"),
    "manifest.json is deep": (manifest_json() | {"manifest.json": b"[" * 10**6}, BadArchive, "is no JSON"),
    "config leads out": (manifest_json(Config="../../etc/passwd"), BadArchive, "not in the archive"),
    "config is absolute": (manifest_json(Config="/etc/passwd"), BadArchive, "not in the archive"),
    "config is a number": (manifest_json(Config=7), BadArchive, "Config of manifest.json is no string"),
    "layers are no list": (manifest_json(Layers="x"), BadArchive, "Layers of manifest.json is no list"),
    "layer leads out": (manifest_json(Layers=["../x", "../y"]), BadArchive, "not in the archive"),
    "one layer too few": (manifest_json(Layers=[]), BadArchive, "tells of 2 layers, its manifest of 0"),
    "a name that is none": (manifest_json(RepoTags=["../../x:1"]), BadArchive, "invalid reference format"),
    "a name without a tag": (manifest_json(RepoTags=["base"]), BadArchive, "invalid tag"),
    "a member leads out": (docker_20(TWO) | {"../x": b"x"}, BadArchive, "leads upwards"),
    "a member is absolute": (docker_20(TWO) | {"/etc/x": b"x"}, BadArchive, "absolute name"),
    "a layer is another one": (
        swapped(docker_20(TWO), f"{hex_of(b'v1' + TOP)}/layer.tar", BOTTOM), BadArchive, "should be sha256:.* and is"),
    "a layer is no tar": (
        swapped(docker_20(TWO), f"{hex_of(b'v1' + TOP)}/layer.tar", b"x" * 2000), BadArchive, "no tar archive"),
    "a layer is cut off": (
        swapped(docker_20(TWO), f"{hex_of(b'v1' + TOP)}/layer.tar", TOP[:700]), BadArchive, "ends in the middle"),
    "a blob is another one": (
        swapped(layout(TWO, packed="gzip"), f"blobs/sha256/{hex_of(pack(TOP, 'gzip'))}", pack(TOP, "gzip")[:-1] + b"x"),
        BadArchive, "should have the digest"),
    "a blob is shorter": (
        swapped(layout(TWO, packed="gzip"), f"blobs/sha256/{hex_of(pack(TOP, 'gzip'))}", b"x"),
        BadArchive, "not as long as the manifest says"),
    "a manifest is another one": (
        swapped(layout(TWO), MANIFEST_NAME, b"{}"), BadArchive, "is not what its name says"),
    "a config is another one": (
        swapped(layout(TWO), f"blobs/sha256/{hex_of(TWO.config)}", b"{}"), BadArchive, "is not what its name says"),
    "index.json is no JSON": (layout(TWO) | {"index.json": b"nope"}, BadArchive, "index.json is no JSON"),
    "index.json has no digests": (
        layout(TWO) | {"index.json": b'{"manifests": [{"digest": "../x"}]}'}, BadArchive, "knows sha256"),
    "index.json has sha512": (
        layout(TWO) | {"index.json": b'{"manifests": [{"digest": "sha512:00"}]}'}, BadArchive, "knows sha256"),
    "a descriptor of an unknown kind": (
        layout(TWO) | {"index.json": b'{"manifests": [{"mediaType": "x", "digest": "sha256:' + b"0" * 64 + b'"}]}'},
        BadArchive, "where a manifest of an image should be"),
    "indexes without an end": (nested(100), BadArchive, "indexes in indexes"),
    "a foreign layer": (layers_of("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"), Unsupported, "foreign"),
    "a nondistributable layer": (
        layers_of("application/vnd.oci.image.layer.nondistributable.v1.tar"), Unsupported, "foreign"),
    "an encrypted layer": (
        layers_of("application/vnd.oci.image.layer.v1.tar+gzip+encrypted"), Unsupported, "encrypted"),
    "an unknown layer": (layers_of("application/x-surprise"), BadArchive, "unknown kind 'application/x-surprise'"),
    "an artifact": (
        layout_with(lambda made, form: form | {"config": form["config"] | {"mediaType": "application/x-chart"}}),
        BadArchive, "an artifact"),
    "a windows image": (docker_20(image(BOTTOM, os="windows"), "base:1"), Unsupported, "is made for windows"),
    "no platform of ours": (
        layout(TWO) | {"index.json": json.dumps({"manifests": [
            {"mediaType": MANIFEST, "digest": digest(b""), "platform": {"os": "linux", "architecture": name},
             "annotations": {"io.containerd.image.name": LIBRARY}} for name in ("s390x", "mips64")]}).encode()},
        Unsupported, "for linux/s390x, linux/mips64"),
    "a compressed blob as the plain layer": (
        layout_with(lambda made, form: form | {"layers": [
            made.add(pack(layer, "gzip"), "application/vnd.oci.image.layer.v1.tar") for layer in (TOP, BOTTOM)]}),
        BadArchive, "should be sha256:.* and is"),
    "a config of something else": (
        manifest_json(Config="other") | {"other": b'{"rootfs": {}}'}, BadArchive, "no image"),
    "a config of a name that a terminal would obey": (
        manifest_json(Config="\x1b[31mred\0" + 1000 * "x"), BadArchive, r"^\?\[31mred\?x{191} is missing"),
    "a huge document": (manifest_json() | {"manifest.json": b" " * (17 << 20)}, BadArchive, "more than 16 MB"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_bad_archive_is_refused_and_leaves_nothing(shelf: Shelf, case: str):
    members, error, sentence = BAD[case]
    with pytest.raises(error, match=sentence):
        shelf.load(members)
    assert shelf.left() == EMPTY


@pytest.mark.parametrize("archive", [b"", b"x", b"x" * 5000, b"\x1f\x8b\x08", pack(b"x" * 5000, "gzip"),
                                     tar(docker_20(TWO))[:3000], tar(docker_20(TWO))[:-11000],
                                     pack(tar(docker_20(TWO)), "gzip")[:-300]])  # fmt: skip
def test_what_is_no_whole_tar_is_refused_and_leaves_nothing(shelf: Shelf, archive: bytes):
    with pytest.raises(BadParameter):
        archives.load(shelf, io.BytesIO(archive))
    assert shelf.left() == EMPTY


def linked(kind: bytes, name: str, target: str) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, target
        archive.addfile(member)
    return file.getvalue()[:512]


@pytest.mark.parametrize("target", ["/etc/passwd", "../../etc/passwd", "x/../../../y"])
@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_member_that_is_a_link_out_of_the_archive_is_refused(shelf: Shelf, kind: bytes, target: str):
    with pytest.raises(BadArchive, match="a link that leads out of it"):
        archives.load(shelf, io.BytesIO(linked(kind, "a/manifest.json", target) + tar(docker_20(TWO))))
    assert shelf.left() == EMPTY


def test_members_that_are_links_to_each_other_are_missing(shelf: Shelf):
    links = linked(tarfile.SYMTYPE, "manifest.json", "x") + linked(tarfile.SYMTYPE, "x", "manifest.json")
    with pytest.raises(BadArchive, match="holds no images"):
        archives.load(shelf, io.BytesIO(links + bytes(1024)))


def test_a_device_or_a_pipe_is_no_member(shelf: Shelf):
    for kind in (tarfile.FIFOTYPE, tarfile.CHRTYPE):
        with pytest.raises(BadArchive, match="neither file, folder nor link"):
            archives.load(shelf, io.BytesIO(linked(kind, "manifest.json", "") + tar(docker_20(TWO))))


def test_a_member_bigger_than_the_archive_is_refused(shelf: Shelf):
    huge = tarfile.TarInfo("manifest.json")
    huge.size = 1 << 60
    with pytest.raises(BadArchive, match="ends in the middle"):
        archives.load(shelf, io.BytesIO(huge.tobuf(tarfile.GNU_FORMAT) + bytes(4096)))


def test_a_folder_s_links_and_pipes_lead_nowhere(shelf: Shelf, tmp_path: Path):
    for content in ("link", "pipe"):
        folder = tmp_path / content
        folder.mkdir()
        if content == "link":
            (tmp_path / "secret").write_bytes(docker_20(TWO)["manifest.json"] or b"")
            (folder / "manifest.json").symlink_to(tmp_path / "secret")
        else:
            os.mkfifo(folder / "manifest.json")
        with pytest.raises(BadArchive, match="holds no images"):
            archives.load(shelf, str(folder))


def test_the_images_before_a_bad_one_are_not_kept(shelf: Shelf):
    made = Layout({}, [])
    made.manifests.extend([named(made.manifest(image(BOTTOM)), "a.b/good:1"), named(made.manifest(TWO), "a.b/bad:1")])
    del made.blobs[f"blobs/sha256/{hex_of(TOP)}"]
    with pytest.raises(BadArchive, match="is missing"):
        shelf.load(made.members())
    assert shelf.left() == EMPTY


def test_a_bad_archive_leaves_what_was_there_before(shelf: Shelf):
    shelf.load(docker_20(image(BOTTOM), "good:1"))
    before = shelf.left()
    with pytest.raises(BadArchive):
        shelf.load(swapped(docker_20(TWO, "good:1"), f"{hex_of(b'v1' + TOP)}/layer.tar", b""))
    assert shelf.left() == before
    assert shelf.image("good:1").id == image(BOTTOM).id


def test_a_blob_does_not_pass_as_a_layer_that_is_here_already(shelf: Shelf):
    """Its digest is right, and such a layer exists; but it holds another one, and would go out as this one."""
    shelf.load(docker_20(TWO, "good:1"))
    before = shelf.left()
    kind = "application/vnd.oci.image.layer.v1.tar+gzip"
    lie = layout_with(
        lambda made, form: form | {"layers": [made.add(pack(layer, "gzip"), kind) for layer in (TOP, BOTTOM)]}
    )
    with pytest.raises(BadArchive, match="holds another one"):
        shelf.load(lie)
    assert shelf.left() == before


def test_v1_images_that_are_each_other_s_parents_are_refused(shelf: Shelf):
    one, two = "1" * 64, "2" * 64
    members: Members = {"repositories": json.dumps({"base": {"1": one}}).encode()}
    for v1_id, parent in ((one, two), (two, one)):
        members |= {v1_id: None, f"{v1_id}/json": json.dumps({"parent": parent}).encode(), f"{v1_id}/layer.tar": TOP}
    with pytest.raises(BadArchive, match="each other's parents"):
        shelf.load(members)


PARTS = [docker_20(TWO, "base:1"), docker_25(TWO, "base:1"), layout(TWO, LIBRARY, packed="gzip")]


@given(some.sampled_from(PARTS), some.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_archive_is_loaded_right_or_refused_whole(shelf: Shelf, members: Members, data: some.DataObject):
    archive = bytearray(tar(members))
    for _ in range(data.draw(some.integers(1, 4))):
        place = data.draw(some.integers(0, len(archive) - 1))
        archive[place] = data.draw(some.integers(0, 255))
    try:
        loaded = archives.load(shelf, io.BytesIO(bytes(archive)))
    except TiffinError:
        assert shelf.left() == EMPTY
        return
    for id in {each.id for each in loaded}:
        # whatever the archive could still call its names, the content is what it was
        assert shelf.images.config(id).layers()[0] == digest(BOTTOM)
        shelf.unname(id)
        shelf.images.delete(id)
    collect(shelf)
