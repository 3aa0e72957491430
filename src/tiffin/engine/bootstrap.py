"""The image to begin with, made of this machine's own programs: `tiffin bootstrap`.

Where there is a static busybox, it is nearly all that the image needs:

    /bin/busybox     the program                         /etc/passwd, /etc/group    root, nobody
    /bin/ls -> busybox, /bin/sh -> busybox, ...          /tmp, /root, /proc, /dev, ...
    /sbin -> bin, /usr/bin -> ../bin, ...

Else it gets a shell, coreutils and friends, each with its loader and libraries, at the very paths that they have on
this machine, together with every symlink on the way. So loader and programs find what they look for by the same
rules as here, whatever the machine's layout is:

    /bin -> usr/bin                      /lib64 -> usr/lib64
    /usr/bin/awk -> /etc/alternatives/awk -> /usr/bin/mawk
    /lib64/ld-linux-x86-64.so.2 -> ../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2

The tree is described first, as a list of entries, and written as a tar then. The tar holds neither owners of this
machine nor set-user-id bits, and one time, that of the newest program, which is the image's as well: the same programs
give the same bytes, and so the same image id.
"""

from __future__ import annotations

import os
import stat

from tiffin.engine import elf
from tiffin.engine.archives import import_
from tiffin.engine.parts import Parts
from tiffin.engine.times import rfc3339
from tiffin.errors import BadParameter, TiffinError, Unsupported
from tiffin.images.loading import Progress
from tiffin.model.nouns import Image
from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import IO

DEBIAN = "bookworm"
# util-linux: in these namespaces whatever a maker starts and mounts is gone with it, and it is with us
APART = "setpriv --pdeathsig KILL unshare --mount --pid --mount-proc --fork --kill-child".split()
USUAL_FOLDERS = ("/usr/bin", "/bin", "/usr/sbin", "/sbin")
BUSYBOXES = ("busybox", "busybox.static", "busybox-static")
SHELLS = ("sh", "bash")
COREUTILS = (
    "[ arch b2sum base32 base64 basename basenc cat chgrp chmod chown chroot cksum comm cp csplit cut date dd df dir "
    "dirname du echo env expand expr factor false fmt fold groups head hostid id install join kill link ln logname ls "
    "md5sum mkdir mkfifo mknod mktemp mv nice nl nohup nproc numfmt od paste pathchk pr printenv printf ptx pwd "
    "readlink realpath rm rmdir seq sha1sum sha224sum sha256sum sha384sum sha512sum shred shuf sleep sort split stat "
    "stty sum sync tac tail tee test timeout touch tr true truncate tsort tty uname unexpand uniq unlink uptime users "
    "vdir wc who whoami yes"
).split()
FRIENDS = "awk cmp diff find free grep gzip hostname mount ps sed setsid tar umount xargs".split()
MOST_LINKS = 40  # as the kernel has it for one path


class Entry(NamedTuple):
    """One thing of the tree. Exactly one of `link`, `source` and `content` is set, or none: a folder."""

    path: str
    """absolute"""
    mode: int = 0o755
    link: str | None = None
    """target of a symlink"""
    source: str | None = None
    """file of this machine to copy"""
    content: str | None = None


PASSWD = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n"
GROUP = "root:x:0:\ntty:x:5:\nnobody:x:65534:\n"
FURNITURE = (
    *(Entry(path) for path in ("/dev", "/etc", "/home", "/proc", "/run", "/sys", "/usr", "/var")),
    *(Entry(path, 0o1777) for path in ("/tmp", "/var/tmp")),
    Entry("/root", 0o700),
    Entry("/etc/passwd", 0o644, content=PASSWD),
    Entry("/etc/group", 0o644, content=GROUP),
)


def bootstrap(parts: Parts, what: str = "base", *, progress: Progress | None = None) -> Image:
    """Make an image of this machine's programs, `base`, or one of a Debian release: `debian` or `debian:trixie`.

    Raises BadParameter for other names, Unsupported where something is missing on this machine.
    """
    import tempfile  # heavy, bootstrap only

    name = name_of(what)
    # not on /tmp, which may be small
    with tempfile.TemporaryFile(dir="/var/tmp") as file:
        if name == "base":
            created, shell = rfc3339(rootfs(file) * 10**9), "sh"
        else:
            created, shell = None, "bash"
            with parts.store.draft() as draft:
                debian(file, suite=name.partition(":")[2], scratch=draft.path)
        file.seek(0)
        change, message = f'CMD ["{shell}"]', message_of(name)
        return import_(parts, file, name, changes=[change], message=message, created=created, progress=progress)


def name_of(what: str) -> str:
    """Of the image that it makes. Raises BadParameter."""
    name, _, suite = what.partition(":")
    if name not in ("base", "debian") or (suite and name == "base"):
        raise BadParameter(f"can't make {what!r} on the spot; try: tiffin bootstrap base, or debian, or debian:SUITE")
    return name if name == "base" else f"debian:{suite or DEBIAN}"


def message_of(name: str) -> str:
    """What the image's history says of it."""
    return f"tiffin bootstrap {name}"


def rootfs(file: IO[bytes], *, search: Sequence[str] | None = None) -> int:
    """Write a small root file system, made of this machine's programs, as a plain tar. Gives the time that it has.

    `search` are the folders in which to look for programs; without it the usual ones, then those of $PATH. The time,
    in seconds, is that of the newest program. Raises Unsupported when there is no shell in them.
    """
    entries = tree(search=_folders() if search is None else search)
    newest = max(int(os.stat(entry.source).st_mtime) for entry in entries if entry.source)
    write_tar(entries, file, time=newest)
    return newest


def tree(*, search: Sequence[str]) -> list[Entry]:
    """The entries of that root file system, sorted by path, so that a folder precedes what is in it."""
    busybox = next((path for path in _programs(BUSYBOXES, search) if elf.read(path).is_static), None)
    programs = _busybox(busybox) if busybox else _coreutils(search)
    entries = {entry.path: entry for entry in reversed([*FURNITURE, *programs])}
    for path in list(entries):
        while (path := os.path.dirname(path)) != "/":
            entries.setdefault(path, Entry(path))
    return [entries[path] for path in sorted(entries)]


def write_tar(entries: Iterable[Entry], file: IO[bytes], *, time: int) -> None:
    import tarfile  # heavy, bootstrap only

    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for entry in entries:
            member = tarfile.TarInfo(entry.path.lstrip("/"))
            member.mode, member.mtime = entry.mode, time
            if entry.link is not None:
                member.type, member.linkname, member.mode = tarfile.SYMTYPE, entry.link, 0o777
                archive.addfile(member)
            elif entry.source is not None:
                with open(entry.source, "rb") as source:
                    member.size = os.fstat(source.fileno()).st_size
                    archive.addfile(member, source)
            elif entry.content is not None:
                from io import BytesIO  # tarfile has it

                content = entry.content.encode()
                member.size = len(content)
                archive.addfile(member, BytesIO(content))
            else:
                member.type = tarfile.DIRTYPE
                archive.addfile(member)


def debian(file: IO[bytes], *, suite: str, scratch: str = "/var/tmp", search: Sequence[str] | None = None) -> None:
    """Write a minimal Debian system as a plain tar, made with mmdebstrap or debootstrap. Takes a minute; needs root.

    `suite` is the name of a release, like bookworm; `file` must be a real one; `scratch` is the folder for what is
    needed meanwhile, not on /tmp, which may be small or mounted nodev: a maker that is killed leaves it there, but no
    mount and no process. `search` as for `rootfs`.
    Raises BadParameter for what is no name, Unsupported when neither program is installed, TiffinError when it fails.
    """
    import tempfile  # heavy, bootstrap only

    # it becomes an argument of a program, and part of a URL
    if not suite.replace("-", "").replace(".", "").isalnum() or suite.startswith("-"):
        raise BadParameter(f"{suite!r} is no name of a Debian release; try: bookworm")
    search = _folders() if search is None else search
    if mmdebstrap := next(_programs(["mmdebstrap"], search, scripts=True), None):
        words = ["--variant=minbase", "--format=tar", "--skip=output/dev", suite, "-"]
        _make([mmdebstrap, *words], suite, scratch, output=file)
    elif debootstrap := next(_programs(["debootstrap"], search, scripts=True), None):
        with tempfile.TemporaryDirectory(prefix="tiffin-", dir=scratch) as folder:
            target = os.path.join(folder, "rootfs")
            _make([debootstrap, "--variant=minbase", suite, target], suite, scratch)
            _tar_of(target, file)
    else:
        raise Unsupported("neither mmdebstrap nor debootstrap is installed; try: apt-get install mmdebstrap")


def _busybox(program: str) -> Iterator[Entry]:
    yield Entry("/bin/busybox", source=program)
    yield Entry("/sbin", link="bin")
    yield from (Entry(path, link="../bin") for path in ("/usr/bin", "/usr/sbin"))
    for applet in sorted(set(_applets(program)) - {"busybox"}):
        if "/" not in applet:
            yield Entry(f"/bin/{applet}", link="busybox")


def _coreutils(search: Sequence[str]) -> Iterator[Entry]:
    shell = next(_programs(SHELLS, search), None)
    if shell is None:
        raise Unsupported(f"no shell and no busybox in {':'.join(search)}; try: apt-get install busybox-static")
    # the short ways in: a merged /usr has /bin -> usr/bin
    for place in (*USUAL_FOLDERS, "/lib", "/lib64"):
        if os.path.islink(place):
            yield from _footprint(place)
    yield from _with_libraries(shell)
    if os.path.basename(shell) != "sh":
        yield Entry(os.path.join(os.path.realpath("/bin"), "sh"), link=shell)
    for program in _programs([*COREUTILS, *FRIENDS], search):
        try:
            yield from list(_with_libraries(program))
        except FileNotFoundError:
            continue  # a library is missing: it doesn't run on this machine either


def _with_libraries(program: str) -> Iterator[Entry]:
    yield from _footprint(program)
    # a machine with a layout of its own has programs where no PATH of an image leads
    if os.path.dirname(program) not in USUAL_FOLDERS:
        yield Entry(os.path.join(os.path.realpath("/bin"), os.path.basename(program)), link=program)
    interpreter = elf.read(program).interpreter
    if not interpreter:
        return
    yield from _footprint(interpreter)
    home = os.path.dirname(os.path.realpath(interpreter))
    for library in elf.libraries(program, folders=elf.loader_folders(interpreter)):
        yield from _footprint(library)
        # what the loader here finds by its configuration or cache, the image's, which has none, finds beside itself
        if os.path.realpath(os.path.dirname(library)) != home:
            yield Entry(os.path.join(home, os.path.basename(library)), link=library)


def _footprint(path: str) -> Iterator[Entry]:
    """A file, and each symlink on the way to it."""
    done, waiting, links = "/", path.split("/"), 0
    while waiting:
        name = waiting.pop(0)
        here = os.path.normpath(os.path.join(done, name))
        status = os.lstat(here)
        if stat.S_ISLNK(status.st_mode):
            target = os.readlink(here)
            yield Entry(here, link=target)
            links += 1
            if links > MOST_LINKS:
                raise OSError(40, "too many symlinks", path)
            waiting = target.split("/") + waiting
            done = "/" if target.startswith("/") else done
        else:
            done = here
    if stat.S_ISREG(status.st_mode):
        # no set-user-id bits: the image's reader did not ask for mount or su with root's rights
        yield Entry(done, status.st_mode & 0o755, source=done)
    else:
        yield Entry(done)


def _programs(names: Iterable[str], search: Sequence[str], *, scripts: bool = False) -> Iterator[str]:
    """The first program for each name that is there. Only such as this machine can run; scripts only if wanted."""
    for name in names:
        for folder in search:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and os.access(path, os.X_OK) and (scripts or _is_native(path)):
                yield path
                break


def _is_native(path: str) -> bool:
    try:
        return elf.read(path).architecture == elf.read("/proc/self/exe").architecture
    except (OSError, elf.NotElf):
        return False


def _folders() -> list[str]:
    own = (folder for folder in os.environ.get("PATH", "").split(":") if folder.startswith("/"))
    return list(dict.fromkeys([*USUAL_FOLDERS, *own]))


def _applets(busybox: str) -> list[str]:
    import subprocess  # heavy, bootstrap only

    return subprocess.run([busybox, "--list"], stdout=subprocess.PIPE, check=True, text=True).stdout.split()


def _make(command: Sequence[str], suite: str, scratch: str, *, output: IO[bytes] | None = None) -> None:
    """Have a maker do its work. When we are interrupted, it ends at once, with all that it has started and mounted."""
    import subprocess  # heavy, bootstrap only

    apart = APART if os.geteuid() == 0 else []  # for others mmdebstrap makes its own namespaces
    maker = subprocess.Popen(
        [*apart, *command],
        stdin=subprocess.DEVNULL,
        stdout=output or subprocess.PIPE,
        stderr=subprocess.PIPE if output else subprocess.STDOUT,  # debootstrap has its errors on either
        env={**os.environ, "PATH": ":".join(_folders()), "TMPDIR": scratch},
        start_new_session=True,  # Ctrl-C is for us
    )
    try:
        told = maker.communicate()
    except BaseException:
        maker.kill()
        maker.communicate()  # to the end of its pipe, which every process in there holds
        raise
    if maker.returncode:
        raise TiffinError(_complaint(os.path.basename(command[0]), suite, os.fsdecode(told[output is not None])))


def _complaint(maker: str, suite: str, told: str) -> str:
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    errors = [line.removeprefix("E: ") for line in lines if line.startswith("E: ")] or lines
    why = " / ".join(errors[-3:]) or "it said nothing"
    return (
        f"{maker} could not make Debian {suite}: {why}; is there such a release, and does this machine reach its "
        f"mirror? try: tiffin bootstrap debian:{DEBIAN}"
    )


def _tar_of(folder: str, file: IO[bytes]) -> None:
    import tarfile  # heavy, bootstrap only

    def kept(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        # debootstrap makes device nodes (mmdebstrap can be told not to); the process space brings its own
        return None if member.name.startswith("dev/") else member

    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in sorted(os.listdir(folder)):
            archive.add(os.path.join(folder, name), name, filter=kept)
