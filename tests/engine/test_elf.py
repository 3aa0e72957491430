from __future__ import annotations

import contextlib
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiffin.engine import elf

PYTHON = os.path.realpath(sys.executable)
HEAD, SEGMENT, DYNAMIC = struct.Struct("<4sBBB9xHHIQQQIHHHHHH"), struct.Struct("<IIQQQQQQ"), struct.Struct("<qQ")
BASE = 0x400000


def program(*, interpreter: str = "", needed: tuple[str, ...] = (), runpath: str = "", rpath: str = "") -> bytes:
    """A 64-bit file with the given head, and nothing to run."""
    strings, offsets = b"\0", {}
    for text in (*needed, runpath, rpath, interpreter):
        offsets[text] = len(strings)
        strings += os.fsencode(text) + b"\0"
    tags = [(elf.DT_NEEDED, offsets[name]) for name in needed]
    tags += [(elf.DT_RUNPATH, offsets[runpath])] if runpath else []
    tags += [(elf.DT_RPATH, offsets[rpath])] if rpath else []
    table = HEAD.size + 3 * SEGMENT.size
    tags += [(elf.DT_STRTAB, BASE + table), (elf.DT_NULL, 0)]
    dynamic = b"".join(DYNAMIC.pack(*tag) for tag in tags)
    end = table + len(strings)
    segments = [
        (elf.PT_LOAD, 0, BASE, end),
        (elf.PT_DYNAMIC, end, BASE + end, len(dynamic)),
        (elf.PT_INTERP if interpreter else 0, table + offsets[interpreter], 0, len(interpreter) + 1),
    ]
    head = HEAD.pack(b"\x7fELF", 2, 1, 1, 3, 62, 1, 0, HEAD.size, 0, 0, HEAD.size, SEGMENT.size, 3, 0, 0, 0)
    body = b"".join(SEGMENT.pack(kind, 4, at, address, address, size, size, 8) for kind, at, address, size in segments)
    return head + body + strings + dynamic


def written(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)


def test_the_loader_and_the_libraries_of_a_program_are_read(tmp_path: Path):
    content = program(interpreter="/lib/ld.so", needed=("liba.so", "libb.so"), runpath="/x:$ORIGIN/y", rpath="/z")
    assert elf.read(written(tmp_path / "it", content)) == elf.Elf(
        b"\x02\x01\x3e\x00", "/lib/ld.so", ("liba.so", "libb.so"), ("/z",), ("/x", "$ORIGIN/y")
    )


def test_a_program_that_needs_nothing_is_static(tmp_path: Path):
    assert elf.read(written(tmp_path / "it", program())).is_static


def test_a_script_is_no_elf_file(tmp_path: Path):
    with pytest.raises(elf.NotElf):
        elf.read(written(tmp_path / "it", b"#!/bin/sh\necho a program, but none of this kind\n"))


def test_libraries_of_libraries_are_found_where_their_own_files_say(tmp_path: Path):
    inner = tmp_path / "inner"
    inner.mkdir()
    written(inner / "libinner.so", program())
    written(tmp_path / "libouter.so", program(needed=("libinner.so",), runpath="$ORIGIN/inner"))
    start = written(tmp_path / "it", program(needed=("libouter.so",)))
    assert list(elf.libraries(start, folders=[str(tmp_path)])) == [
        str(tmp_path / "libouter.so"),
        str(inner / "libinner.so"),
    ]


def test_an_rpath_holds_for_the_libraries_of_the_libraries_a_runpath_does_not(tmp_path: Path):
    place = tmp_path / "place"
    place.mkdir()
    written(place / "libinner.so", program())
    written(place / "libouter.so", program(needed=("libinner.so",)))
    by_rpath = written(tmp_path / "old", program(needed=("libouter.so",), rpath=str(place)))
    by_runpath = written(tmp_path / "new", program(needed=("libouter.so",), runpath=str(place)))
    assert len(list(elf.libraries(by_rpath, folders=[]))) == 2
    with pytest.raises(FileNotFoundError, match=r"libinner\.so"):
        list(elf.libraries(by_runpath, folders=[]))


def test_a_library_of_another_architecture_is_passed_over(tmp_path: Path):
    wrong, right = tmp_path / "wrong", tmp_path / "right"
    wrong.mkdir()
    right.mkdir()
    foreign = bytearray(program())
    foreign[18] = 0xB7
    written(wrong / "liba.so", bytes(foreign))
    written(right / "liba.so", program())
    start = written(tmp_path / "it", program(needed=("liba.so",)))
    assert list(elf.libraries(start, folders=[str(wrong), str(right)])) == [str(right / "liba.so")]


def test_a_configured_folder_is_read_with_what_it_includes(tmp_path: Path):
    written(tmp_path / "more.conf", b"/b # twice\n/c:/d\n")
    (tmp_path / "ld.so.conf").write_text(f"# first\n/a\ninclude {tmp_path}/m*.conf\ninclude nothing/*.conf\n")
    assert list(elf._configured(str(tmp_path / "ld.so.conf"))) == ["/a", "/b", "/c", "/d"]


def test_the_loader_of_this_machine_agrees():
    """What ld.so itself says it would load for this interpreter is what we find."""
    interpreter = elf.read(PYTHON).interpreter
    assert interpreter, "a static Python can't say anything here"
    said = subprocess.run([interpreter, "--list", PYTHON], capture_output=True, text=True, check=True).stdout
    judge = {os.path.realpath(line.split(" => ")[1].split(" (")[0]) for line in said.splitlines() if " => " in line}
    found = {os.path.realpath(path) for path in elf.libraries(PYTHON, folders=elf.loader_folders(interpreter))}
    assert judge - {os.path.realpath(interpreter)} == found - {os.path.realpath(interpreter)}


WHOLE = program(interpreter="/lib/ld.so", needed=("liba.so", "libb.so"), runpath="/x")


@settings(deadline=None)
@given(st.data())
def test_a_damaged_file_is_refused_or_read_but_breaks_nothing(tmp_path_factory: pytest.TempPathFactory, data):
    content = bytearray(WHOLE[: data.draw(st.integers(0, len(WHOLE)))] if data.draw(st.booleans()) else WHOLE)
    for place in data.draw(st.lists(st.integers(0, max(0, len(content) - 1)), max_size=8)):
        if content:
            content[place] = data.draw(st.integers(0, 255))
    path = written(tmp_path_factory.getbasetemp() / "damaged", bytes(content))
    with contextlib.suppress(elf.NotElf):
        assert isinstance(elf.read(path), elf.Elf)
