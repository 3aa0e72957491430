"""Layers: deltas of a file system, and the union view of a stack of them.

A layer says what one step changed in a file system: files that are new or changed, and names that are gone. It lies on
another layer, or on nothing. Seen through from the top, a stack of them is one tree.

      read-write layer   │ happiness.txt      A   │   an open slab: a container's
                         │ etc/motd           C   │
    ─────────────────────┼────────────────────────┼──────────────────────────────────────────
      layer c0ffee…      │ etc/motd   usr/bin/git │   sealed slabs: an image's.
      layer decade…      │ (no etc/rc)            │   "no" is a whiteout
      layer facade…      │ etc/motd   etc/rc  bin │
    ─────────────────────┴────────────────────────┴──────────────────────────────────────────
      the union view:      happiness.txt  etc/motd (of the open slab)  usr/bin/git  bin

On the disk each is a folder, in the form that the kernel's overlay takes as it is:

    <root>/layers/<hex of the id>/
        diff/       the tree. A character device 0/0 means that a name is gone, the attribute trusted.overlay.opaque="y"
                    that nothing shows through a folder
        json        parent, diff id, size in bytes, where it was first seen
        headers     all that the layer's tar holds besides the content of files

Between hosts a layer travels as a tar, with whiteouts as files named `.wh.NAME` (OCI image-spec, layer.md). Both forms
meet here and nowhere else.

Invariants
  - A layer never changes. Its diff id is the digest of its tar; its id is the chain id: of its own and all diff ids
    below (image-spec, config.md). The same id means the same tree on every host.
  - What came as a tar goes out as the same bytes, or as an error that names the file that somebody changed by hand.
  - A layer appears whole, by one rename, or not at all. A draft of it lies in <root>/tmp and vanishes with its maker.
  - An archive can write only what is in it, only into its own folder, and no more than the disk has room for.

Reading order:  entry, names, tape, tarreader, tarwriter    the tar itself
                overlay, union                              the form on the disk, and what a stack of it shows
                outline, tree, space, headers, unpack       from tar to layer
                pack, delta, changes, export                from layers to tars, and to `diff`
                layers                                      the layers of a store
"""
