"""Archives of images for tests, made by hand: each of the forms that are about."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

CREATED = "2026-11-24T00:00:00Z"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


def digest(content: bytes) -> str:
    return "sha256:" + sha256(content).hexdigest()


def hex_of(content: bytes) -> str:
    return sha256(content).hexdigest()


def tar(members: Mapping[str, bytes | None]) -> bytes:
    """A tar of files, and folders where the content is None."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            if content is None:
                member.type, member.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(member)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


BOTTOM = tar({"etc": None, "etc/motd": b"hello\n", "bin": None, "bin/sh": b"#!\n" * 1000})
TOP = tar({"happiness.txt": b"", "etc": None, "etc/motd": b"good bye\n"})


Members = dict[str, bytes | None]
"""what is in an archive; None is a folder"""


class Made(NamedTuple):
    """An image: the bytes of its config, and its layers as plain tars, bottom first."""

    config: bytes
    layers: tuple[bytes, ...]

    @property
    def id(self) -> str:
        return digest(self.config)


def image(*layers: bytes, **fields: Any) -> Made:
    """An image of some layers. `fields` go into its config."""
    config = {
        "architecture": "amd64",
        "os": "linux",
        "created": CREATED,
        "config": {"Env": ["PATH=/bin"], "Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": [digest(layer) for layer in layers]},
        "history": [{"created": CREATED, "created_by": f"step {number}"} for number, _ in enumerate(layers)],
        **fields,
    }
    return Made(json.dumps(config).encode(), layers)


def docker_20(made: Made, *names: str) -> Members:
    """The members that `docker save` wrote from 1.10 to 24."""
    members: Members = {f"{hex_of(made.config)}.json": made.config}
    paths = []
    for layer in made.layers:
        folder = hex_of(b"v1" + layer)
        members |= {folder: None, f"{folder}/VERSION": b"1.0", f"{folder}/json": b"{}", f"{folder}/layer.tar": layer}
        paths.append(f"{folder}/layer.tar")
    item = {"Config": f"{hex_of(made.config)}.json", "RepoTags": list(names) or None, "Layers": paths}
    return members | {"manifest.json": json.dumps([item]).encode()}


class Layout(NamedTuple):
    """An OCI layout in the making."""

    blobs: dict[str, bytes]
    manifests: list[dict[str, Any]]

    def add(self, content: bytes, media_type: str) -> dict[str, Any]:
        self.blobs[f"blobs/sha256/{hex_of(content)}"] = content
        return {"mediaType": media_type, "digest": digest(content), "size": len(content)}

    def manifest(self, made: Made, *, packed: str = "", media_type: str | None = None) -> dict[str, Any]:
        """Add an image; a descriptor of its manifest. `packed` is "", "gzip" or "zstd"."""
        kind = media_type or LAYER + (f"+{packed}" if packed else "")
        form = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.add(made.config, CONFIG),
            "layers": [self.add(pack(layer, packed), kind) for layer in made.layers],
        }
        return self.add(json.dumps(form).encode(), MANIFEST)

    def platforms(self, manifests: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        form = {"schemaVersion": 2, "mediaType": INDEX, "manifests": list(manifests)}
        return self.add(json.dumps(form).encode(), INDEX)

    def members(self) -> Members:
        form = {"schemaVersion": 2, "mediaType": INDEX, "manifests": self.manifests}
        return {
            "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
            "index.json": json.dumps(form).encode(),
            **self.blobs,
        }


def named(descriptor: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {**descriptor, "annotations": {"io.containerd.image.name": name}}


def layout(made: Made, *names: str, packed: str = "") -> Members:
    """An OCI layout of one image."""
    made_layout = Layout({}, [])
    manifest = made_layout.manifest(made, packed=packed)
    made_layout.manifests.extend([named(manifest, name) for name in names] or [manifest])
    return made_layout.members()


def docker_25(made: Made, *names: str) -> Members:
    """The members that `docker save` writes since 25: both in one."""
    item = {
        "Config": f"blobs/sha256/{hex_of(made.config)}",
        "RepoTags": list(names) or None,
        "Layers": [f"blobs/sha256/{hex_of(layer)}" for layer in made.layers],
    }
    whole = tuple(f"docker.io/library/{name}" for name in names)
    return layout(made, *whole) | {"manifest.json": json.dumps([item]).encode()}


def pack(content: bytes, packed: str) -> bytes:
    if packed == "gzip":
        return gzip.compress(content, mtime=0)
    if packed == "zstd":
        import zstandard

        return zstandard.ZstdCompressor().compress(content)
    return content
