"""The store: one folder that holds everything that must outlive a process.

    <root>/                         mode 0700; never holds a pid
      format                        the version of this form
      lock                          shared while references are added, exclusive while things are deleted
      content/sha256/<hex>          blobs, named by their digest, written once
      layers/<hex>/                 diff/ (the tree), json, headers
      images/<hex>/json             image records
      images/names/<name>/:<tag>    symbolic links: name -> image
      containers/<hex>/             json, diff/ (the read-write layer), work/, log, last
      containers/names/<name>       symbolic links: name -> container
      tmp/<name>/                   drafts, each locked by the process that writes it
      trash/<random>/               what was taken out and is still to be deleted
    <runroot>/                      of this boot only: run records, sockets, events

Invariants. What is immutable is named by its digest; what changes is a small record, replaced whole. A verb has one
commit point, a rename: before it nothing is visible, after it the rest is optional. Whatever lies in `tmp` unlocked,
or in `trash`, may be deleted by anybody at any time. Only this package writes below the root.
"""

from tiffin.store.store import Draft, Store

__all__ = ["Draft", "Store"]
