"""Images: a config, the union view of a stack of layers, and names that point to it.

      names                    record              config (a blob)                layers
    base:latest ----> images/<hex>/json ----> settings, history,  ---->  [ chain id C ]  top
    docker.io/library/...   parent, manifest,   diff ids                 [ chain id B ]
                            blobs                                        [ chain id A ]  bottom

    images/<hex>/json          the record; <hex> is the image's id: the digest of its config's bytes
    images/names/<name>/:<tag> symbolic links to records; the last thing that a load, a build or a commit writes
    content/sha256/<hex>       configs, manifests, and layers that came in compressed, each as it came

Invariants. An image that has a record has its config and all its layers. What came in goes out again with the same
ids: configs and manifests are kept as bytes, never written anew. An image without a name is dangling, and stays until
it is removed. Nothing that an archive says is believed: each layer is hashed while it is unpacked.

Specification: OCI image-spec (config.md, manifest.md, image-index.md, image-layout.md); the archives of `docker save`
as moby's image/tarexport reads and writes them.

Read `reference`, `config`, `records`, `history`; then `archive` and what reads from one: `docker_archive`,
`oci_layout`, `v1`, and `loading`; then `saving`.
"""
