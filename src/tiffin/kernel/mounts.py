"""Mounts: mount(2), pivot_root(2), and the newer calls with descriptors (fsopen(2), move_mount(2), ...)."""

from __future__ import annotations

import ctypes
import os
from errno import EINVAL, ENOSYS, EPERM

from tiffin.kernel.files import AT_FDCWD
from tiffin.kernel.libc import SYS, caller, syscall

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_MOVE = 0x2000
MS_REC = 0x4000
MS_UNBINDABLE = 1 << 17
MS_PRIVATE = 1 << 18
MS_SLAVE = 1 << 19
MS_SHARED = 1 << 20
MS_STRICTATIME = 1 << 24
MNT_DETACH = 2

AT_EMPTY_PATH = 0x1000
AT_RECURSIVE = 0x8000
OPEN_TREE_CLONE = 1
OPEN_TREE_CLOEXEC = os.O_CLOEXEC
FSOPEN_CLOEXEC = 1
FSMOUNT_CLOEXEC = 1
FSCONFIG_SET_FLAG, FSCONFIG_SET_STRING, FSCONFIG_CMD_CREATE = 0, 1, 6
MOVE_MOUNT_F_EMPTY_PATH = 0x4
MOVE_MOUNT_T_EMPTY_PATH = 0x40
MOUNT_ATTR_RDONLY = 0x1

TALLEST = 500  # layers below the upper one in an overlay (OVL_MAX_STACK)
OPTION_PAGE = 4095  # mount(2) takes one page of options


class _MountAttr(ctypes.Structure):
    _fields_ = (
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    )


_long, _text, _address = ctypes.c_long, ctypes.c_char_p, ctypes.c_void_p
_mount = caller("mount", _text, _text, _text, ctypes.c_ulong, _text)
_open_tree = caller("open_tree", _long, _text, _long)
_move_mount = caller("move_mount", _long, _text, _long, _text, _long)
_mount_setattr = caller("mount_setattr", _long, _text, _long, _address, ctypes.c_size_t)
_fsconfig = caller("fsconfig", _long, _long, _text, _text, _long)


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    _mount(os.fsencode(source), os.fsencode(target), os.fsencode(kind), flags, os.fsencode(options))


def unmount(target: str, flags: int = 0) -> None:
    syscall(SYS.umount2, os.fsencode(target), flags)


def pivot_root(new: str, old: str) -> None:
    syscall(SYS.pivot_root, os.fsencode(new), os.fsencode(old))


def open_tree(path: str, *, folder: int = AT_FDCWD, recursive: bool = False) -> int:
    """A descriptor of a copy of the mount at `path`, seen nowhere yet: what a bind mount is made of."""
    flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | (AT_RECURSIVE if recursive else 0)
    return _open_tree(folder, os.fsencode(path), flags)


def move_mount(tree: int, target: int) -> None:
    """Hang a mount that is seen nowhere yet on the file or folder of a descriptor."""
    _move_mount(tree, b"", target, b"", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)


def set_attributes(tree: int, *, add: int = 0, propagation: int = 0, recursive: bool = False) -> None:
    """Make mounts read-only or the like, and set how mounts made later spread (mount_setattr(2), kernel 5.12)."""
    attributes = _MountAttr(add, 0, propagation, 0)
    flags = AT_EMPTY_PATH | (AT_RECURSIVE if recursive else 0)
    _mount_setattr(tree, b"", flags, ctypes.byref(attributes), ctypes.sizeof(attributes))


def readonly_copy(path: str) -> int:
    """A descriptor of a file through a mount of its own that nobody can write through."""
    tree = open_tree(path)
    set_attributes(tree, add=MOUNT_ATTR_RDONLY)
    return tree


def mount_overlay(
    lowers: tuple[str, ...], upper: str | None, work: str | None, target: int, *, volatile: bool = False
) -> None:
    """Mount the union of `lowers`, topmost first, on the folder of a descriptor.

    redirect_dir, metacopy and index are off, so that the upper folder is a plain delta. From kernel 6.5 on each layer
    is an option of its own; before that all must fit one page, by short names where there are many. Raises OSError.
    """
    options = [("redirect_dir", "off"), ("metacopy", "off"), ("index", "off")]
    if upper and work:
        options += [("upperdir", upper), ("workdir", work)]
    try:
        _mount_overlay_by_layers(lowers, options, target, volatile)
    except OSError as error:
        if error.errno not in (EINVAL, ENOSYS, EPERM):
            raise
        _mount_overlay_by_page(lowers, options, target, volatile)


def _mount_overlay_by_layers(
    lowers: tuple[str, ...], options: list[tuple[str, str]], target: int, volatile: bool
) -> None:
    context = syscall(SYS.fsopen, b"overlay", FSOPEN_CLOEXEC)
    try:
        _fsconfig(context, FSCONFIG_SET_STRING, b"source", b"tiffin", 0)
        # the kernel takes backslashes out of upperdir and workdir, but not out of lowerdir+ (ovl_mount_dir)
        plain = [(key, text.replace("\\", "\\\\")) for key, text in options]
        for key, text in [("lowerdir+", lower) for lower in lowers] + plain:
            _fsconfig(context, FSCONFIG_SET_STRING, os.fsencode(key), os.fsencode(text), 0)
        if volatile:
            _fsconfig(context, FSCONFIG_SET_FLAG, b"volatile", None, 0)
        _fsconfig(context, FSCONFIG_CMD_CREATE, None, None, 0)
        tree = syscall(SYS.fsmount, context, FSMOUNT_CLOEXEC, 0)
    finally:
        os.close(context)
    try:
        move_mount(tree, target)
    finally:
        os.close(tree)


def _mount_overlay_by_page(
    lowers: tuple[str, ...], options: list[tuple[str, str]], target: int, volatile: bool
) -> None:
    here, folders = os.open(".", os.O_PATH | os.O_CLOEXEC), list[int]()
    try:
        page = _page(lowers, options, volatile)
        if len(os.fsencode(page)) > OPTION_PAGE:
            # a number in /proc/self/fd is the shortest name that a folder can have: 500 layers in two kilobytes
            def number(path: str) -> str:
                folders.append(os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))
                return str(folders[-1])

            options = [(key, number(text) if key in ("upperdir", "workdir") else text) for key, text in options]
            page = _page(tuple(map(number, lowers)), options, volatile)
            os.chdir("/proc/self/fd")
        mount("tiffin", f"/proc/self/fd/{target}", "overlay", 0, page)
    finally:
        os.fchdir(here)
        for descriptor in (*folders, here):
            os.close(descriptor)


def _page(lowers: tuple[str, ...], options: list[tuple[str, str]], volatile: bool) -> str:
    words = ["lowerdir=" + ":".join(_escape(lower) for lower in lowers)]
    words += [f"{key}={_escape(text)}" for key, text in options] + (["volatile"] if volatile else [])
    return ",".join(words)


def _escape(path: str) -> str:
    # overlayfs.rst: backslash before a colon; and a comma would end the option (both are our users' folders)
    return path.replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")
