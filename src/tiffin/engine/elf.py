"""What a program file says about itself: the loader and the libraries that it needs.

An executable in the ELF format has a table of segments. Three kinds of them matter here:

    file   +--------+----------------+-----------------------------------------------+
           | header | segment table  |  ...                                          |
           +--------+----------------+-----------------------------------------------+
                      PT_INTERP  -->  the path of the loader; none: static, needs nothing
                      PT_DYNAMIC -->  (tag, value) pairs: DT_NEEDED, DT_RPATH, DT_RUNPATH are
                                      offsets in the string table DT_STRTAB, which is an address
                      PT_LOAD    -->  tells which address is which place of the file

The files are read as data; nothing is run (`ldd` runs what it looks at). Specification: System V ABI, chapters 4 and
5; the order in which libraries are searched: ld.so(8).
"""

from __future__ import annotations

import os
import struct

from tiffin.record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
DT_NULL, DT_NEEDED, DT_STRTAB, DT_RPATH, DT_RUNPATH = 0, 1, 5, 15, 29
MOST_SEGMENTS, MOST_DYNAMIC, MOST_TEXT = 256, 1 << 16, 4096


class NotElf(ValueError):
    """No ELF file, or a damaged one."""


class Elf(NamedTuple):
    architecture: bytes
    """class, byte order and machine; a program and its libraries have the same"""
    interpreter: str
    """the loader's path; empty for a static program and for most libraries"""
    needed: tuple[str, ...]
    """names of libraries, seldom paths"""
    rpath: tuple[str, ...]
    """folders to search before all others, also for the libraries of the libraries; may hold $ORIGIN"""
    runpath: tuple[str, ...]
    """folders to search for this file's own libraries; if there are any, rpath doesn't count"""

    @property
    def is_static(self) -> bool:
        return not self.interpreter and not self.needed


class _Segment(NamedTuple):
    kind: int
    offset: int
    address: int
    size: int


def read(path: str) -> Elf:
    """Read the head and the dynamic section of one file.

    Raises NotElf for what is no ELF file, OSError for what can't be read.
    """
    with open(path, "rb") as file:
        return _Reader(file.fileno()).read()


def libraries(program: str, *, folders: Sequence[str]) -> Iterator[str]:
    """The paths of all libraries that a program needs, and that these need, each once.

    `folders` are the places where the loader looks after the program's own (see `loader_folders`).
    Raises FileNotFoundError for a library that is nowhere.
    """
    start = read(program)
    seen: set[str] = set()
    waiting: list[tuple[str, Elf, tuple[str, ...]]] = [(program, start, ())]
    while waiting:
        path, elf, inherited = waiting.pop(0)
        origin = os.path.dirname(os.path.realpath(path))
        rpath = () if elf.runpath else (*_expand(elf.rpath, origin), *inherited)
        for name in elf.needed:
            if name in seen:
                continue
            seen.add(name)
            places = (*rpath, *_expand(elf.runpath, origin), *folders)
            found, library = _find(name, places, start.architecture, needed_by=path)
            yield found
            waiting.append((found, library, rpath))


def loader_folders(interpreter: str) -> list[str]:
    """Where a loader looks by itself: its built-in folders first, then the configured ones. For glibc and musl."""
    beside = [os.path.dirname(interpreter), os.path.dirname(os.path.realpath(interpreter))]
    # Debian's glibc has the architecture in its built-in folders, and its loader lies (really) in one of them
    beside += ["/usr" + folder for folder in beside if folder.startswith("/lib")]
    usual = ["/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"]
    # musl: /lib/ld-musl-x86_64.so.1 reads /etc/ld-musl-x86_64.path
    musl = "/etc/" + os.path.basename(interpreter).rpartition(".so")[0] + ".path"
    return list(dict.fromkeys([*beside, *usual, *_configured("/etc/ld.so.conf"), *_configured(musl)]))


def _find(name: str, places: Iterable[str], architecture: bytes, *, needed_by: str) -> tuple[str, Elf]:
    for path in [name] if "/" in name else [f"{place}/{name}" for place in places]:
        try:
            library = read(path)
        except (OSError, NotElf):
            continue
        # 32 and 64 bit libraries of one name are told apart by content only
        if library.architecture == architecture:
            return path, library
    raise FileNotFoundError(2, f"{needed_by} needs the library {name}, which is nowhere", name)


def _expand(folders: Iterable[str], origin: str) -> tuple[str, ...]:
    return tuple(folder.replace("${ORIGIN}", origin).replace("$ORIGIN", origin) for folder in folders)


def _configured(path: str) -> Iterator[str]:
    """The folders of a loader's configuration file: one a line or colon, comments, `include` with a pattern."""
    from glob import glob  # only without busybox

    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().replace(":", "\n").splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        word, _, rest = line.partition("#")[0].strip().partition(" ")
        if word == "include":
            for included in sorted(glob(os.path.join(os.path.dirname(path), rest.strip()))):
                if included != path:
                    yield from _configured(included)
        elif word.startswith("/"):
            yield word


class _Reader:
    """Reads one open ELF file, believing no number in it."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        head = self._bytes(0, 20, least=20)
        if head[:4] != b"\x7fELF" or head[4] not in (1, 2) or head[5] not in (1, 2):
            raise NotElf("not an ELF file")
        self.wide = head[4] == 2
        self.order = "<" if head[5] == 1 else ">"
        self.architecture = head[4:6] + head[18:20]

    def read(self) -> Elf:
        segments = list(self._segments())
        strings: dict[int, list[str]] = {DT_NEEDED: [], DT_RPATH: [], DT_RUNPATH: []}
        entries = [entry for segment in segments if segment.kind == PT_DYNAMIC for entry in self._dynamic(segment)]
        table = next((value for tag, value in entries if tag == DT_STRTAB), 0)
        for tag, value in entries:
            if tag in strings:
                strings[tag].append(self._text(self._place(segments, table + value)))
        return Elf(
            self.architecture,
            next((self._text(segment.offset) for segment in segments if segment.kind == PT_INTERP), ""),
            tuple(strings[DT_NEEDED]),
            _folders(strings[DT_RPATH]),
            _folders(strings[DT_RUNPATH]),
        )

    def _segments(self) -> Iterator[_Segment]:
        head = self._bytes(0, 64, least=64 if self.wide else 52)
        start, (size, count) = (
            (self._unpack("Q", head, 32)[0], self._unpack("HH", head, 54))
            if self.wide
            else (self._unpack("I", head, 28)[0], self._unpack("HH", head, 42))
        )
        if count > MOST_SEGMENTS or size < (56 if self.wide else 32):
            raise NotElf("its segment table makes no sense")
        table = self._bytes(start, size * count, least=size * count)
        for place in range(0, size * count, size):
            if self.wide:
                kind, _, offset, address, _, length = self._unpack("IIQQQQ", table, place)
            else:
                kind, offset, address, _, length = self._unpack("IIIII", table, place)
            yield _Segment(kind, offset, address, length)

    def _dynamic(self, segment: _Segment) -> Iterator[tuple[int, int]]:
        form = self.order + ("qQ" if self.wide else "iI")
        size = struct.calcsize(form)
        content = self._bytes(segment.offset, min(segment.size, MOST_DYNAMIC), least=0)
        for tag, value in struct.iter_unpack(form, content[: len(content) // size * size]):
            if tag == DT_NULL:
                return
            yield tag, value

    def _place(self, segments: list[_Segment], address: int) -> int:
        for segment in segments:
            if segment.kind == PT_LOAD and segment.address <= address < segment.address + segment.size:
                return address - segment.address + segment.offset
        raise NotElf("it points to what it doesn't load")

    def _text(self, offset: int) -> str:
        text, end, _ = self._bytes(offset, MOST_TEXT, least=1).partition(b"\0")
        if not end:
            raise NotElf("a name in it has no end")
        return os.fsdecode(text)

    def _bytes(self, offset: int, size: int, *, least: int) -> bytes:
        try:
            content = os.pread(self.descriptor, size, offset)
        except (OverflowError, OSError) as error:
            raise NotElf("it points to nowhere") from error
        if len(content) < least:
            raise NotElf("it is too short")
        return content

    def _unpack(self, form: str, content: bytes, offset: int) -> tuple[int, ...]:
        return struct.unpack_from(self.order + form, content, offset)


def _folders(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(folder for text in texts for folder in text.split(":") if folder)
