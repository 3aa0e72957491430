"""Round trips: what we save, docker, podman and skopeo read, and what they save, we; the ids stay the same."""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.shell import Shell
from tests.conftest import Roots
from tests.engine import rivals
from tests.engine.rivals import Docker
from tests.engine.stores import Shelf
from tests.images.archives import BOTTOM, TOP, digest, docker_20, image, layout, tar
from tiffin.engine import Engine, archives
from tiffin.engine.archives import Loaded
from tiffin.engine.commit import commit
from tiffin.model.config import Config
from tiffin.model.nouns import Image

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]
TWO = image(BOTTOM, TOP, config={"Cmd": ["sh"], "Env": ["A=ü<&>"], "Labels": {"b": "1", "a": "2"}})


@pytest.fixture
def shelf(engine_root: Roots) -> Shelf:
    return Shelf(engine_root)


@pytest.fixture(scope="module")
def docker(workshop: str) -> Iterator[Docker]:
    with rivals.dockerd(tempfile.mkdtemp(prefix="docker-", dir=workshop)) as docker:
        yield docker


def committed(shelf: Shelf, name: str) -> Image:
    """An image of ours on one of theirs: a file changed, one gone, one new."""
    base = shelf.image("base:1")
    upper = Path(shelf.store.path("containers"), "c" * 64, "diff")
    (upper / "etc").mkdir(parents=True)
    (upper / "etc" / "motd").write_text("changed\n")
    (upper / "new").symlink_to("etc/motd")
    os.mknod(upper / "bin", 0o020000, 0)
    return commit(shelf, upper=str(upper), top=base.top, image=base.id, config=Config(cmd=("sh",)),
                  container_id="c" * 64, container_name="web", name=name, message="ours",
                  changes=["ENV B=<2>", "EXPOSE 80"])  # fmt: skip


def test_what_docker_saved_goes_back_to_it_with_the_same_ids(shelf: Shelf, docker: Docker):
    id = docker("import", "--change", 'CMD ["sh"]', "-", "theirs:1", stdin=BOTTOM)
    before = docker.inspect("theirs:1")
    saved = shelf.store.root + ".tar"
    docker("save", "--output", saved, "theirs:1")
    assert archives.load(shelf, saved) == [Loaded("theirs:1", id)]
    docker("rmi", "theirs:1")
    assert docker("load", stdin=shelf.saved("theirs:1")) == "Loaded image: theirs:1"
    after = docker.inspect("theirs:1")
    assert (after["Id"], after["RootFS"], after["Config"]) == (before["Id"], before["RootFS"], before["Config"])


@pytest.mark.network
def test_a_debian_that_docker_saved_runs_under_its_name(engine_root: Roots, docker: Docker, debian_tar: str):
    with open(debian_tar, "rb") as file:
        docker("import", "-", "debian:bookworm", stdin=file.read())
    saved = f"{os.path.dirname(engine_root.root)}/debian.tar"
    docker("save", "--output", saved, "debian:bookworm")
    tiffin = Shell(Engine(*engine_root))
    assert tiffin.ok("load", "-i", saved) == "Loaded image: debian:bookworm\n"
    assert tiffin.ok("run", "--rm", "debian:bookworm", "apt-get", "--version").startswith("apt 2.")


def test_what_we_committed_goes_to_docker_and_back(shelf: Shelf, docker: Docker):
    shelf.load(docker_20(TWO, "base:1"))
    made = committed(shelf, "ours:1")
    docker("load", stdin=shelf.saved("ours:1", "base:1"))
    there = docker.inspect("ours:1")
    assert (there["Id"], there["Parent"]) == (made.id, TWO.id)
    assert there["RootFS"]["Layers"] == list(shelf.images.config(made.id).diff_ids)
    assert (there["Config"]["Env"], there["Config"]["ExposedPorts"]) == (["B=<2>"], {"80/tcp": {}})
    shown = docker("history", "--no-trunc", "--format", "{{.ID}} {{.Comment}}", "ours:1").splitlines()
    assert shown[0] == f"{made.id} ours"
    again = Shelf(Roots(shelf.store.root + "2", shelf.store.runroot + "2"))
    saved = shelf.store.root + ".tar"
    docker("save", "--output", saved, "ours:1", "base:1")
    assert {loaded.id for loaded in archives.load(again, saved)} == {made.id, TWO.id}
    assert again.images.get(made.id).parent == TWO.id


@pytest.mark.parametrize("packed", ["gzip", "zstd"])
def test_docker_reads_layers_that_came_compressed(shelf: Shelf, docker: Docker, packed: str):
    """Also zstd, which it learned in version 23: Docker's part of the archive names the plain layer."""
    made = image(BOTTOM, TOP, author=packed)
    shelf.load(layout(made, f"docker.io/library/{packed}:1", packed=packed))
    docker("load", stdin=shelf.saved(f"{packed}:1"))
    assert docker.inspect(f"{packed}:1")["Id"] == made.id


def test_docker_gives_the_archives_of_its_first_versions_the_same_ids(shelf: Shelf, docker: Docker):
    if int(docker("version", "--format", "{{.Server.Version}}").partition(".")[0]) >= 25:
        return  # it does not read them any more
    v1_id = "3" * 64
    settings = {"id": v1_id, "created": "2014-01-01T00:00:00Z", "docker_version": "1.9.1", "architecture": "amd64",
                "os": "linux", "config": {"Cmd": ["sh", "-c", "a < b && c"]}, "author": "ü",
                "container_config": {"Cmd": ["made"]}, "Size": 12}  # fmt: skip
    members: dict[str, bytes | None] = {
        v1_id: None,
        f"{v1_id}/VERSION": b"1.0",
        f"{v1_id}/json": json.dumps(settings, ensure_ascii=False).encode(),
        f"{v1_id}/layer.tar": TOP,
        "repositories": json.dumps({"old": {"1": v1_id}}).encode(),
    }
    shelf.load(members)
    docker("load", stdin=tar(members))
    assert docker.inspect("old:1")["Id"] == shelf.image("old:1").id


@pytest.mark.parametrize("kind", ["docker-archive", "oci-archive"])
def test_skopeo_finds_the_image_in_both_parts_of_an_archive(shelf: Shelf, tmp_path: Path, kind: str):
    rivals.needs("skopeo")
    shelf.load(docker_20(TWO, "base:1"))
    (tmp_path / "ours.tar").write_bytes(shelf.saved("base:1"))
    rivals.run("skopeo", "copy", f"{kind}:{tmp_path}/ours.tar", f"dir:{tmp_path}/copy")
    manifest = json.loads((tmp_path / "copy" / "manifest.json").read_text())
    assert manifest["config"]["digest"] == TWO.id
    assert [layer["digest"] for layer in manifest["layers"]] == [digest(BOTTOM), digest(TOP)]


def test_an_image_comes_back_from_a_layout_that_skopeo_compressed(shelf: Shelf, tmp_path: Path):
    rivals.needs("skopeo")
    shelf.load(docker_20(TWO, "base:1"))
    (tmp_path / "ours.tar").write_bytes(shelf.saved("base:1"))
    rivals.run("skopeo", "copy", f"oci-archive:{tmp_path}/ours.tar", f"oci:{tmp_path}/copy:localhost/back:2")
    again = Shelf(Roots(shelf.store.root + "2", shelf.store.runroot + "2"))
    assert archives.load(again, f"{tmp_path}/copy") == [Loaded("localhost/back:2", TWO.id)]
    assert all(again.images.record(TWO.id).blobs)  # it came compressed, so its blobs are kept
    (tmp_path / "again.tar").write_bytes(again.saved("localhost/back:2"))
    theirs = json.loads(rivals.run("skopeo", "inspect", f"oci:{tmp_path}/copy:localhost/back:2"))["Digest"]
    assert json.loads(rivals.run("skopeo", "inspect", f"oci-archive:{tmp_path}/again.tar"))["Digest"] == theirs


def test_podman_loads_and_saves_with_the_same_ids(shelf: Shelf, tmp_path: Path):
    rivals.needs("podman")
    folder = os.path.dirname(shelf.store.root)  # podman wants short paths
    podman = ("podman", "--root", f"{folder}/p", "--runroot", f"{folder}/r", "--storage-driver", "vfs")
    shelf.load(docker_20(TWO, "localhost/base:1"))
    (tmp_path / "ours.tar").write_bytes(shelf.saved("localhost/base:1"))
    rivals.run(*podman, "load", "--input", f"{tmp_path}/ours.tar")
    (there,) = json.loads(rivals.run(*podman, "image", "inspect", "localhost/base:1"))
    assert f"sha256:{there['Id']}" == TWO.id
    saved = ("save", "--format", "docker-archive", "--output", f"{tmp_path}/theirs.tar", "localhost/base:1")
    rivals.run(*podman, *saved)
    again = Shelf(Roots(shelf.store.root + "2", shelf.store.runroot + "2"))
    with open(tmp_path / "theirs.tar", "rb") as file:
        assert archives.load(again, io.BytesIO(file.read())) == [Loaded("localhost/base:1", TWO.id)]
