"""The functions of the standard library that make system calls, and which call each of them makes.

A line of the table: the function; the call (or two: without and with a folder's descriptor); the arguments in the
call's order, each with its form (`kernel.call_forms`). The forms `at` are of arguments that Python takes by name.

    mkdir   mkdir|mkdirat   dir_fd:at path:text mode:octal      mkdir("/a", 0755), mkdirat(3, "a", 0755)

The names are those of the C library's functions, which are the kernel's, but for: `fstat` and its like (newfstatat),
`dup` (fcntl), `fork` (clone), `posix_spawn` (clone3, execve and what goes before), `scandir` (openat, getdents64,
close), and where an architecture has only the call with `at`.
"""

from __future__ import annotations

import builtins
import fcntl
import os
import select
from _socket import socketpair

from tiffin.kernel import call_forms, signals
from tiffin.kernel.call_forms import Shown, descriptor, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from tiffin.kernel.call_forms import Describe, Descriptors, Form

OS = """
open            openat                  dir_fd:at path:text flags:opening mode:octal
close           close                   fd:descriptor
read            read                    fd:descriptor length:plain
readv           readv                   fd:descriptor buffers:nothing
pread           pread64                 fd:descriptor length:plain offset:plain
preadv          preadv                  fd:descriptor buffers:nothing offset:plain
write           write                   fd:descriptor text:content
pwrite          pwrite64                fd:descriptor text:content offset:plain
lseek           lseek                   fd:descriptor offset:plain whence:plain
sendfile        sendfile                out_fd:descriptor in_fd:descriptor offset:plain count:plain
copy_file_range copy_file_range         src:descriptor dst:descriptor count:plain offset_src:plain offset_dst:plain
splice          splice                  src:descriptor dst:descriptor count:plain
fsync           fsync                   fd:descriptor
fdatasync       fdatasync               fd:descriptor
ftruncate       ftruncate               fd:descriptor length:plain
truncate        truncate                path:text length:plain
pipe            pipe2
pipe2           pipe2                   flags:opening
dup             dup                     fd:descriptor
dup2            dup2                    fd:descriptor fd2:plain
closerange      close_range             low:plain high:before
set_blocking    ioctl_nonblock          fd:descriptor blocking:plain
set_inheritable ioctl_cloexec           fd:descriptor inheritable:plain
memfd_create    memfd_create            name:text flags:plain
stat            stat|fstatat            dir_fd:at path:text
lstat           lstat|fstatat           dir_fd:at path:text
fstat           fstat                   fd:descriptor
statvfs         statfs                  path:text
access          access|faccessat        dir_fd:at path:text mode:octal
readlink        readlink|readlinkat     dir_fd:at path:text
scandir         scandir                 path:text
listdir         scandir                 path:text
getxattr        getxattr                path:text attribute:text
listxattr       listxattr               path:text
setxattr        setxattr                path:text attribute:text value:content
removexattr     removexattr             path:text attribute:text
mkdir           mkdir|mkdirat           dir_fd:at path:text mode:octal
mknod           mknod|mknodat           dir_fd:at path:text mode:node_mode device:device
mkfifo          mkfifo|mkfifoat         dir_fd:at path:text mode:octal
symlink         symlink|symlinkat       src:text dir_fd:at dst:text
link            link|linkat             src_dir_fd:at src:text dst_dir_fd:at dst:text
rename          rename|renameat         src_dir_fd:at src:text dst_dir_fd:at dst:text
replace         rename|renameat         src_dir_fd:at src:text dst_dir_fd:at dst:text
unlink          unlink|unlinkat         dir_fd:at path:text
remove          unlink|unlinkat         dir_fd:at path:text
rmdir           rmdir|unlinkat          dir_fd:at path:text
chmod           chmod|fchmodat          dir_fd:at path:text mode:octal
fchmod          fchmod                  fd:descriptor mode:octal
chown           chown|fchownat          dir_fd:at path:text uid:plain gid:plain
lchown          lchown                  path:text uid:plain gid:plain
fchown          fchown                  fd:descriptor uid:plain gid:plain
utime           utimensat               dir_fd:at path:text times:plain ns:plain
umask           umask                   mask:octal
chdir           chdir                   path:text
fchdir          fchdir                  fd:descriptor
chroot          chroot                  path:text
fork            fork
execve          execve                  path:text argv:plain env:variables
posix_spawn     posix_spawn             path:text argv:plain env:variables
waitpid         wait4                   pid:plain options:plain
waitid          waitid                  idtype:plain id:plain options:plain
kill            kill                    pid:plain signal:signal_number
pidfd_open      pidfd_open              pid:plain flags:plain
_exit           exit_group              status:plain
setsid          setsid
setpgid         setpgid                 pid:plain pgrp:plain
tcsetpgrp       ioctl_tcsetpgrp         fd:descriptor pgid:plain
isatty          isatty                  fd:descriptor
getpid          getpid
getuid          getuid
geteuid         geteuid
getegid         getegid
setgroups       setgroups               groups:plain
setresgid       setresgid               rgid:plain egid:plain sgid:plain
setresuid       setresuid               ruid:plain euid:plain suid:plain
setpriority     setpriority             which:plain who:plain priority:plain
urandom         getrandom               size:plain
uname           uname
sync            sync
"""
IOCTLS = {"ioctl_nonblock": "FIONBIO", "ioctl_cloexec": "FIOCLEX", "ioctl_tcsetpgrp": "TIOCSPGRP"}
"""Functions that are one request of ioctl(2) each."""
ALWAYS_AT = ("openat", "utimensat")
FORMS: Mapping[str, Form] = {
    **{
        name: getattr(call_forms, name)
        for name in (
            "text", "descriptor", "plain", "octal", "opening", "content", "variables", "node_mode", "device",
            "signal_number",
        )
    },
    "at": descriptor,
    "nothing": lambda value, descriptors: "[...]",
    "before": lambda value, descriptors: str(value - 1) if isinstance(value, int) else str(value),
}  # fmt: skip
SAME_FOR_FILES = (*ALWAYS_AT, "scandir")
OF_LINKS = ("stat", "chown", "getxattr", "setxattr", "listxattr", "removexattr")
"""calls that have one of their own for what is itself a link: lstat, lchown, ..."""
OPENS = ("openat", "scandir", "memfd_create")


def functions() -> list[tuple[Callable[..., object], Describe]]:
    """The functions of the table, and the few of other modules, with how a call of each is written."""
    found: list[tuple[Callable[..., object], Describe]] = []
    for line in OS.split("\n")[1:-1]:
        name, call, *arguments = line.split()
        if hasattr(os, name):  # not every C library has all
            found.append((getattr(os, name), _describe(call, [_argument(word) for word in arguments])))
    return [
        *found,
        (fcntl.ioctl, _ioctl),
        (fcntl.fcntl, _positional("fcntl", descriptor, plain, plain)),
        (fcntl.flock, _positional("flock", descriptor, call_forms.flags((fcntl, "LOCK_")))),
        (signals.pidfd_send_signal, _positional("pidfd_send_signal", descriptor, call_forms.signal_number)),
        (socketpair, _positional("socketpair", plain, plain)),
    ]


OPEN = builtins.open
POLL = select.poll


def _argument(word: str) -> tuple[str, Form, bool]:
    name, form = word.split(":")
    return name, FORMS[form], form == "at"


def _describe(call: str, forms: list[tuple[str, Form, bool]]) -> Describe:
    """How a call is written, from the arguments as Python takes them: in order, or by name."""
    name, _, with_folder = call.partition("|")
    in_order = [key for key, _, by_name in forms if not by_name]

    def describe(arguments: tuple[Any, ...], named: dict[str, Any], descriptors: Descriptors) -> Shown:
        given = {**dict(zip(in_order, arguments, strict=False)), **named}
        folders = [given.get(key) for key, _, by_name in forms if by_name]
        has_folder = any(folder is not None for folder in folders)
        real = with_folder if has_folder and with_folder else name
        follows = named.get("follow_symlinks") is not False
        if isinstance(given.get("path"), int) and real not in SAME_FOR_FILES:
            real = f"f{real}"
        elif not follows and real in OF_LINKS:
            real, follows = f"l{real}", True
        there = has_folder or (real in ALWAYS_AT)
        words = [
            form(given.get(key), descriptors)
            for key, form, by_name in forms
            if (there if by_name else key in given)
        ]  # fmt: skip
        words += [] if follows else ["AT_SYMLINK_NOFOLLOW"]
        leads_to = descriptors.path(folders[0] if folders else None, given.get("path")) if real in OPENS else ""
        return Shown(*_as_ioctl(real, words), leads_to)

    return describe


def _as_ioctl(name: str, words: list[str]) -> tuple[str, str]:
    if name in IOCTLS:
        words = [words[0], IOCTLS[name], *words[1:]]
        name = "ioctl"
    return name, ", ".join(words)


def _positional(name: str, *forms: Form) -> Describe:
    def describe(arguments: tuple[Any, ...], named: dict[str, Any], descriptors: Descriptors) -> Shown:
        words = [form(argument, descriptors) for form, argument in zip(forms, arguments, strict=False)]
        return Shown(name, ", ".join(words))

    return describe


def _ioctl(arguments: tuple[Any, ...], named: dict[str, Any], descriptors: Descriptors) -> Shown:
    number, request, *rest = arguments
    words = [descriptor(number, descriptors), call_forms.ioctl_request(request, descriptors)]
    if rest:
        words.append((call_forms.opening if words[1] == "TIOCGPTPEER" else _short)(rest[0], descriptors))
    return Shown("ioctl", ", ".join(words))


def _short(value: object, descriptors: Descriptors) -> str:
    return str(value) if isinstance(value, int) else "{...}"
