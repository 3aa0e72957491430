"""load and save: what comes in goes out again, whatever form it came in."""

from __future__ import annotations

import bz2
import io
import json
import lzma
import os
import subprocess
import tarfile
from pathlib import Path
from typing import BinaryIO

import pytest

from tests.conftest import Roots
from tests.engine.stores import Shelf
from tests.images.archives import (
    BOTTOM,
    CONFIG,
    MANIFEST,
    TOP,
    Layout,
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
from tiffin.engine.archives import Loaded
from tiffin.errors import NoSuchImage, NoSuchPath
from tiffin.images.platform import here
from tiffin.model.nouns import chain_id
from tiffin.store import events

pytestmark = pytest.mark.root
TWO = image(BOTTOM, TOP)
LIBRARY = "docker.io/library/base:1"


@pytest.fixture
def shelf(engine_root: Roots) -> Shelf:
    return Shelf(engine_root)


def members_of(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        files = {member.name: opened.extractfile(member) for member in opened if member.isfile()}
        return {name: file.read() for name, file in files.items() if file}


@pytest.mark.parametrize(
    "members",
    [
        docker_20(TWO, "base:1"),
        docker_25(TWO, "base:1"),
        layout(TWO, LIBRARY),
        layout(TWO, LIBRARY, packed="gzip"),
        layout(TWO, LIBRARY, packed="zstd"),
    ],
    ids=["docker 20", "docker 25", "oci", "oci gzip", "oci zstd"],
)
def test_an_archive_of_any_form_gives_the_same_image_and_layers(shelf: Shelf, members: dict[str, bytes | None]):
    assert shelf.load(members) == [Loaded("base:1", TWO.id)]
    assert shelf.image("base:1").layers == (digest(BOTTOM), chain_id(digest(BOTTOM), digest(TOP)))
    assert Path(shelf.layers.folder(shelf.image("base:1").layers[1]), "happiness.txt").exists()


def test_an_image_without_a_name_is_told_by_its_id(shelf: Shelf):
    assert shelf.load(docker_20(TWO)) == [Loaded(None, TWO.id)]


def test_an_image_has_all_names_that_the_archive_gives_it(shelf: Shelf):
    assert shelf.load(docker_20(TWO, "base:1", "host:5000/a:b")) == [
        Loaded("base:1", TWO.id), Loaded("host:5000/a:b", TWO.id)]  # fmt: skip


@pytest.mark.parametrize("squeeze", [pack, lambda content, _: bz2.compress(content),
                                     lambda content, _: lzma.compress(content)])  # fmt: skip
def test_the_whole_archive_may_be_compressed(shelf: Shelf, squeeze):
    archive = squeeze(tar(docker_20(TWO, "base:1")), "gzip")
    assert archives.load(shelf, io.BytesIO(archive)) == [Loaded("base:1", TWO.id)]
    assert shelf.left()["tmp"] == []


@pytest.mark.parametrize("squeeze", [lambda content: pack(content, "gzip"), lambda content: pack(content, "zstd"),
                                     bz2.compress, lzma.compress])  # fmt: skip
def test_a_layer_of_docker_s_archive_may_be_compressed(shelf: Shelf, squeeze):
    members = docker_20(TWO, "base:1")
    for name, content in members.items():
        if name.endswith("layer.tar") and content:
            members[name] = squeeze(content)
    assert shelf.load(members) == [Loaded("base:1", TWO.id)]


def test_an_archive_comes_from_a_file_a_folder_or_a_pipe(engine_root: Roots, tmp_path: Path):
    members = docker_25(TWO, "base:1")
    (tmp_path / "base.tar").write_bytes(tar(members))
    (tmp_path / "folder").mkdir()
    subprocess.run(["tar", "-C", tmp_path / "folder", "-xf", tmp_path / "base.tar"], check=True)
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.close(reading)
        with open(writing, "wb") as file:
            file.write(tar(members))
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe, open(tmp_path / "base.tar", "rb") as file:
        sources: list[str | BinaryIO] = [str(tmp_path / "base.tar"), str(tmp_path / "folder"), pipe, file]
        for number, source in enumerate(sources):
            shelf = Shelf(Roots(f"{engine_root.root}{number}", f"{engine_root.runroot}{number}"))
            assert archives.load(shelf, source) == [Loaded("base:1", TWO.id)]
    os.wait()


def test_a_file_is_read_from_where_it_stands(shelf: Shelf, tmp_path: Path):
    (tmp_path / "base.tar").write_bytes(b"something else" + tar(docker_20(TWO, "base:1")))
    with open(tmp_path / "base.tar", "rb") as file:
        file.seek(14)
        assert archives.load(shelf, file) == [Loaded("base:1", TWO.id)]


def test_a_file_that_is_not_there_is_told(shelf: Shelf):
    with pytest.raises(NoSuchPath, match=r"/nowhere/base\.tar: No such file"):
        archives.load(shelf, "/nowhere/base.tar")


def test_a_layer_that_is_a_link_to_another_one_is_found(shelf: Shelf):
    """`docker save` before 25 writes equal layers once."""
    twice = image(BOTTOM, BOTTOM)
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        link = tarfile.TarInfo("two/layer.tar")
        link.type, link.linkname = tarfile.SYMTYPE, "../one/layer.tar"
        archive.addfile(link)
        item = {"Config": "config.json", "RepoTags": ["base:1"], "Layers": ["one/layer.tar", "two/layer.tar"]}
        for name, content in {
            "one/layer.tar": BOTTOM, "config.json": twice.config, "manifest.json": json.dumps([item]).encode(),
        }.items():  # fmt: skip
            member = tarfile.TarInfo(f"./{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    assert archives.load(shelf, io.BytesIO(file.getvalue())) == [Loaded("base:1", twice.id)]


def test_several_images_come_in_at_once_and_share_their_layers(shelf: Shelf):
    one, made = image(BOTTOM), Layout({}, [])
    made.manifests.extend([named(made.manifest(one), "a.b/one:1"), named(made.manifest(TWO), "a.b/two:1")])
    assert shelf.load(made.members()) == [Loaded("a.b/one:1", one.id), Loaded("a.b/two:1", TWO.id)]
    assert len(shelf.layers.all()) == 2


def platform(architecture: str, system: str = "linux") -> dict[str, dict[str, str]]:
    return {"platform": {"os": system, "architecture": architecture}}


def test_of_several_platforms_this_machine_s_is_taken(shelf: Shelf):
    ours, made = here().architecture, Layout({}, [])
    other = image(TOP, architecture="s390x")
    inner = made.platforms([made.manifest(other) | platform("s390x"), made.manifest(TWO) | platform(ours),
                        made.manifest(image(TOP)) | platform("unknown", "unknown")
                        | {"annotations": {"vnd.docker.reference.type": "attestation-manifest"}}])  # fmt: skip
    made.manifests.append(named(inner, LIBRARY))
    assert shelf.load(made.members()) == [Loaded("base:1", TWO.id)]
    assert len(shelf.images.all()) == 1


def test_what_is_no_image_beside_one_is_passed_over(shelf: Shelf):
    made = Layout({}, [])
    empty = made.add(b"{}", "application/vnd.oci.empty.v1+json")
    signature = {"schemaVersion": 2, "mediaType": MANIFEST, "config": empty, "layers": [empty]}
    made.manifests.extend(
        [
            made.add(json.dumps(signature).encode(), MANIFEST),
            named(made.manifest(TWO), "docker.io/library/base:1"),
            made.add(b"whatever", "application/x-surprise"),
        ]
    )
    assert [loaded.name for loaded in shelf.load(made.members())] == ["base:1"]


def test_platforms_may_stand_beside_each_other_under_one_name(shelf: Shelf):
    ours, made = here().architecture, Layout({}, [])
    for found, architecture in ((image(TOP, architecture="s390x"), "s390x"), (TWO, ours)):
        made.manifests.append(named(made.manifest(found), LIBRARY) | platform(architecture))
    assert shelf.load(made.members()) == [Loaded("base:1", TWO.id)]


def test_a_lone_image_for_another_machine_is_taken_as_docker_does(shelf: Shelf):
    other = image(TOP, architecture="s390x")
    assert shelf.load(docker_20(other, "base:1")) == [Loaded("base:1", other.id)]


@pytest.mark.parametrize(
    ("annotation", "name"),
    [("docker.io/library/base:1", "base:1"), ("localhost/base", "localhost/base:latest"), ("latest", None),
     ("No good", None)],
)  # fmt: skip
def test_a_name_in_a_layout_is_a_whole_one(shelf: Shelf, annotation: str, name: str | None):
    """skopeo writes whatever stood behind the colon; a lone tag names no image."""
    made = Layout({}, [])
    made.manifests.append(made.manifest(TWO) | {"annotations": {"org.opencontainers.image.ref.name": annotation}})
    assert shelf.load(made.members()) == [Loaded(name, TWO.id)]


def test_docker_s_manifest_stands_where_the_layout_beside_it_is_wrong(shelf: Shelf):
    """Docker 25.0 wrote manifests without layers."""
    made = Layout({}, [])
    empty = {"schemaVersion": 2, "config": made.add(TWO.config, CONFIG), "layers": []}
    made.manifests.append(made.add(json.dumps(empty).encode(), MANIFEST))
    members = docker_25(TWO, "base:1") | {"index.json": made.members()["index.json"]} | made.blobs
    assert shelf.load(members) == [Loaded("base:1", TWO.id)]


def test_the_parent_that_an_archive_tells_is_kept_if_it_is_one(shelf: Shelf):
    parent, stranger = image(BOTTOM), image(TOP)
    for other, expected in ((parent, parent.id), (stranger, None)):
        items = [json.loads((docker_20(made)["manifest.json"]) or b"")[0] for made in (other, TWO)]
        items[1]["Parent"] = other.id
        members = docker_20(other) | docker_20(TWO) | {"manifest.json": json.dumps(items).encode()}
        shelf.load(members)
        assert shelf.images.get(TWO.id).parent == expected
        shelf.images.adopt(TWO.id, None)


def test_the_archives_of_the_first_docker_are_read(shelf: Shelf):
    bottom, top = "1" * 64, "2" * 64
    settings = {"created": "2014-01-01T00:00:00Z", "docker_version": "1.9.1", "architecture": "amd64", "os": "linux"}
    jsons = {
        bottom: {"id": bottom, **settings, "container_config": {"Cmd": ["add", "<rootfs>"]}, "Size": 7},
        top: {"id": top, "parent": bottom, **settings, "config": {"Cmd": ["sh"]}, "comment": "top"},
    }
    members: dict[str, bytes | None] = {"repositories": json.dumps({"base": {"1": top}}).encode()}
    for (v1_id, form), layer in zip(jsons.items(), (BOTTOM, TOP), strict=True):
        members |= {v1_id: None, f"{v1_id}/json": json.dumps(form).encode(), f"{v1_id}/layer.tar": layer,
                    f"{v1_id}/VERSION": b"1.0"}  # fmt: skip
    (loaded,) = shelf.load(members)
    made = shelf.image("base:1")
    assert loaded == Loaded("base:1", made.id)
    assert shelf.images.config(made.id).diff_ids == (digest(BOTTOM), digest(TOP))
    # the keys that docker keeps, in the order in which it writes them: the id is the same there
    assert shelf.images.config_bytes(made.id).decode() == (
        '{"architecture":"amd64","comment":"top","config":{"Cmd":["sh"]},"created":"2014-01-01T00:00:00Z",'
        '"docker_version":"1.9.1","history":['
        '{"created":"2014-01-01T00:00:00Z","created_by":"add \\u003crootfs\\u003e"},'
        '{"created":"2014-01-01T00:00:00Z","comment":"top"}],"os":"linux","rootfs":{"type":"layers","diff_ids":['
        f'"{digest(BOTTOM)}","{digest(TOP)}"]}}}}'
    )
    assert made.parent
    assert shelf.images.config(made.parent).diff_ids == (digest(BOTTOM),)


def test_saving_twice_gives_the_same_bytes(shelf: Shelf, engine_root: Roots):
    shelf.load(docker_20(TWO, "base:1", "base:2"))
    archive = shelf.saved("base")
    other = Shelf(Roots(engine_root.root + "2", engine_root.runroot + "2"))
    archives.load(other, io.BytesIO(archive))
    assert archive == shelf.saved("base") == other.saved("base")


@pytest.mark.parametrize("packed", ["", "gzip", "zstd"])
def test_what_came_in_goes_out_with_the_same_blobs(shelf: Shelf, packed: str):
    members = layout(TWO, LIBRARY, packed=packed)
    shelf.load(members)
    saved = members_of(shelf.saved("base:1"))
    assert {name: saved.get(name) for name in members if name.startswith("blobs/")} == {
        name: content for name, content in members.items() if name.startswith("blobs/")
    }
    assert json.loads(saved["index.json"])["manifests"][0]["digest"] == json.loads(members["index.json"] or b"")[
        "manifests"][0]["digest"]  # fmt: skip


def test_docker_s_part_names_gzip_as_it_came_and_zstd_unpacked(shelf: Shelf):
    """Docker reads zstd since 23."""
    shelf.load(layout(image(BOTTOM), "a.b/gzip:1", packed="gzip"))
    shelf.load(layout(image(TOP), "a.b/zstd:1", packed="zstd"))
    items = json.loads(members_of(shelf.saved("a.b/gzip", "a.b/zstd"))["manifest.json"])
    assert [item["Layers"] for item in items] == [
        [f"blobs/sha256/{hex_of(pack(BOTTOM, 'gzip'))}"], [f"blobs/sha256/{hex_of(TOP)}"]]  # fmt: skip


def test_a_layer_is_saved_once_however_many_images_have_it(shelf: Shelf):
    shelf.load(docker_20(image(BOTTOM), "one:1"))
    shelf.load(docker_20(TWO, "two:1"))
    with tarfile.open(fileobj=io.BytesIO(shelf.saved("one", "two"))) as archive:
        assert len(set(archive.getnames())) == len(archive.getnames())


def test_an_archive_says_what_it_is_in_docker_s_and_in_oci_s_words(shelf: Shelf):
    shelf.load(docker_20(TWO, "base:1", "base:2"))
    saved = members_of(shelf.saved("base"))
    assert json.loads(saved["manifest.json"]) == [
        {
            "Config": f"blobs/sha256/{hex_of(TWO.config)}",
            "RepoTags": ["base:1", "base:2"],
            "Layers": [f"blobs/sha256/{hex_of(BOTTOM)}", f"blobs/sha256/{hex_of(TOP)}"],
        }
    ]
    index = json.loads(saved["index.json"])
    assert [item["annotations"] for item in index["manifests"]] == [
        {"io.containerd.image.name": f"docker.io/library/base:{tag}", "org.opencontainers.image.ref.name": tag}
        for tag in ("1", "2")
    ]
    assert json.loads(saved["repositories"]) == {"base": {"1": hex_of(TOP), "2": hex_of(TOP)}}
    for name, content in saved.items():
        if name.startswith("blobs/"):
            assert name == f"blobs/sha256/{hex_of(content)}"


@pytest.mark.parametrize(
    ("references", "tags"),
    [(["base"], ["base:1", "base:2"]), (["base:2"], ["base:2"]), (["base:1", "base"], ["base:1", "base:2"]),
     ([TWO.id], None), ([TWO.id[7:19]], None), ([TWO.id, "base:1"], ["base:1"])],
)  # fmt: skip
def test_a_name_without_a_tag_means_all_its_tags_and_an_id_none(
    shelf: Shelf, references: list[str], tags: list[str] | None
):
    shelf.load(docker_20(TWO, "base:1", "base:2"))
    assert [item["RepoTags"] for item in json.loads(members_of(shelf.saved(*references))["manifest.json"])] == [tags]


def test_parents_are_told_where_they_go_out_too(shelf: Shelf):
    parent = image(BOTTOM)
    shelf.load(docker_20(parent, "parent:1"))
    shelf.load(docker_20(TWO, "child:1"))
    shelf.images.adopt(TWO.id, parent.id)
    told = [item.get("Parent") for item in json.loads(members_of(shelf.saved("parent", "child"))["manifest.json"])]
    alone = [item.get("Parent") for item in json.loads(members_of(shelf.saved("child"))["manifest.json"])]
    assert (told, alone) == ([None, parent.id], [None])


def test_nothing_is_saved_for_a_name_that_is_not_there(shelf: Shelf):
    with pytest.raises(NoSuchImage, match="No such image: nothing:latest"):
        shelf.saved("nothing")


def test_an_image_of_no_layers_goes_out_and_comes_in(shelf: Shelf, engine_root: Roots):
    empty = image()
    shelf.load(docker_20(empty, "scratch:1"))
    other = Shelf(Roots(engine_root.root + "2", engine_root.runroot + "2"))
    assert archives.load(other, io.BytesIO(shelf.saved("scratch:1"))) == [Loaded("scratch:1", empty.id)]


def test_an_image_whose_blobs_were_pruned_goes_out_unpacked(shelf: Shelf, engine_root: Roots):
    shelf.load(layout(TWO, LIBRARY, packed="gzip"))
    shelf.images.forget_blobs(TWO.id)
    saved = shelf.saved("base:1")
    assert members_of(saved)[f"blobs/sha256/{hex_of(TOP)}"] == TOP
    other = Shelf(Roots(engine_root.root + "2", engine_root.runroot + "2"))
    assert archives.load(other, io.BytesIO(saved)) == [Loaded("base:1", TWO.id)]


def test_a_blob_is_remembered_for_an_image_that_was_here_without_it(shelf: Shelf):
    shelf.load(docker_20(TWO, "base:1"))
    members = layout(TWO, LIBRARY, packed="gzip")
    shelf.load(members)
    assert set(members) - set(members_of(shelf.saved("base:1"))) == set()


def test_progress_is_told(shelf: Shelf, tmp_path: Path):
    (tmp_path / "base.tar").write_bytes(tar(docker_20(TWO, "base:1")))
    told: list[tuple[str, int, int | None]] = []
    archives.load(shelf, str(tmp_path / "base.tar"), progress=lambda *step: told.append(step))
    assert told[0] == (f"Loading layer {hex_of(BOTTOM)[:12]}", len(BOTTOM), len(BOTTOM))
    told.clear()
    archives.save(shelf, ["base:1"], io.BytesIO(), progress=lambda *step: told.append(step))
    assert told[-1][1] == told[-1][2] != 0


def test_load_and_save_are_told_as_events(shelf: Shelf):
    labelled = image(BOTTOM, config={"Labels": {"a": "b"}})
    shelf.load(docker_20(labelled, "base:1"))
    shelf.saved("base:1")
    told = [event[2:] for event in events.read(shelf.store) if isinstance(event, events.Event)]
    attributes = {"a": "b", "name": labelled.id}
    assert told == [("image", "load", labelled.id, attributes), ("image", "save", labelled.id, attributes)]
