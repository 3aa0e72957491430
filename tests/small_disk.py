"""A small disk, and filling it up: ext4 on a loop device, or a tmpfs where there are no loop devices."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests import leftovers
from tiffin.store.files import sync_file_system

STEPS = (1 << 20, 1 << 16, 4096, 1)


@contextmanager
def disk(folder: str, megabytes: int) -> Iterator[str]:
    """Mounted at `folder` while it lasts."""
    os.makedirs(folder)
    image = f"{folder}.image"
    if not _is_mounted_from(image, folder, megabytes):
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tiffin-test", folder], check=True)
    try:
        yield folder
    finally:
        leftovers.dismiss_spawners(folder)
        leftovers.wait_for_processes(folder)
        subprocess.run(["umount", folder], check=True)
        os.unlink(image)


def _is_mounted_from(image: str, folder: str, megabytes: int) -> bool:
    with open(image, "xb") as file:
        file.truncate(megabytes << 20)
    if shutil.which("mkfs.ext4") is None:
        return False
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
    return subprocess.run(["mount", "-o", "loop", image, folder], capture_output=True).returncode == 0


def fill(folder: str, leave: int = 0) -> str:
    """Leave only so many bytes free. The file to be removed to have them back."""
    path = f"{folder}/filler"
    with open(path, "ab", buffering=0) as file:
        for step in STEPS:
            try:
                while free(folder) - step >= leave:
                    file.write(bytes(step))
                    os.fsync(file.fileno())  # ext4 decides late where things go, and whether they fit
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
    return path


def free(folder: str) -> int:
    """Bytes, as they are once everything is written."""
    sync_file_system(folder)
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize
