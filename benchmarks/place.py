"""A fresh installation of this checkout, as pip would make it, in which the benchmarks then run themselves.

What a command takes to start depends on how it is installed: without compiled bytecode it takes twice as long, through
a version manager's wrapper ten times. So the measured one is always this, and its settings are always the same:

    FOLDER/pyvenv.cfg                    where the real interpreter is
    FOLDER/bin/python3 -> the real interpreter
    FOLDER/bin/tiffin                    the entry point, started by that interpreter
    FOLDER/lib/python3.N/site-packages/tiffin/   with bytecode

The packages that tiffin depends on are left out: they unpack compressed layers, which nothing here measures.
"""

from __future__ import annotations

import compileall
import fcntl
import os
import shutil
import struct
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

CHECKOUT = Path(__file__).resolve().parent.parent
NOTE = "TIFFIN_BENCHMARKS"  # the variable that names the folder to the program inside
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, FS_TOPDIR_FL = 0x80086601, 0x40086602, 0x00020000
KEPT = ("TERM", "TMPDIR", "http_proxy", "https_proxy", "no_proxy")


def inside() -> bool:
    return NOTE in os.environ


def folder() -> Path:
    """The temporary folder of this run, on a real file system."""
    return Path(os.environ[NOTE])


def enter(arguments: list[str]) -> NoReturn:
    """Install, and start the program `arguments` again, inside."""
    if os.geteuid():
        sys.exit("containers take mounts and namespaces: run the benchmarks as root, for example with sudo")
    # not /tmp, which may be memory; short, because unix sockets lie in it
    home = Path(tempfile.mkdtemp(prefix="tb-", dir=os.environ.get("TMPDIR", "/var/tmp")))
    _spread(home)
    python = str(_install(home))
    os.execve(python, [python, *arguments], {**environment(home), NOTE: str(home)})


def environment(home: Path) -> dict[str, str]:
    """What all programs get: little, and nothing that changes how Python starts."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, "PATH": SEARCH_PATH, "HOME": str(home / "home"), "LANG": "C.UTF-8"}


def _spread(folder: Path) -> None:
    """Tell ext4 that what lies in this folder is unrelated, as it is with the folders in / (chattr +T).

    Else all would be put beside the files of earlier runs. Those are deleted, but for some minutes ext4 gives out none
    of their numbers, and each new file takes many times longer, since it searches through them all
    (fs/ext4/ialloc.c, recently_deleted).
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        (flags,) = struct.unpack("l", fcntl.ioctl(descriptor, FS_IOC_GETFLAGS, bytes(8)))
        fcntl.ioctl(descriptor, FS_IOC_SETFLAGS, struct.pack("l", flags | FS_TOPDIR_FL))
    except OSError:  # another file system
        pass
    finally:
        os.close(descriptor)


def _install(home: Path) -> Path:
    real = Path(sys.executable).resolve()
    python = home / "bin" / "python3"
    site = home / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    python.parent.mkdir()
    python.symlink_to(real)
    site.mkdir(parents=True)
    (home / "home").mkdir()
    (home / "pyvenv.cfg").write_text(f"home = {real.parent}\ninclude-system-site-packages = false\n")
    shutil.copytree(CHECKOUT / "src" / "tiffin", site / "tiffin", ignore=shutil.ignore_patterns("__pycache__"))
    compileall.compile_dir(site, quiet=1)
    script = (CHECKOUT / "scripts" / "tiffin").read_text()
    program = home / "bin" / "tiffin"
    program.write_text(script.replace("#!python", f"#!{python}", 1))
    program.chmod(0o755)
    return python
