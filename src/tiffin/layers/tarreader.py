"""Reading a tar: from a tape's blocks to entries.

    [header][content, padded to 512][header][content]...[two blocks of zeros][whatever pads the tape]

One header says name, kind, mode, owner, size and time in fields of fixed width (POSIX.1-1988 ustar). What does not fit
comes in entries of its own before it, and they all end up in one `Entry` here:

    x, g    pax records, for the next entry or for all that follow (POSIX.1-2001, pax, "Extended Header")
    V       GNU's name of the tape, skipped
    L, K    GNU long name and long link target
    S       GNU's old form of a sparse file; the newer ones are pax records GNU.sparse.* (tar manual, "Sparse Formats")

Where readers differ, this one does as Go's archive/tar does, by which Docker reads layers; but pax records of kind `g`
are applied, as POSIX says. Numbers that are negative, too big, or no numbers raise BadArchive, as does everything else
that this module cannot read without guessing. Names are bytes, as the kernel has them.
"""

from __future__ import annotations

import stat
from struct import Struct

from tiffin.errors import BadArchive
from tiffin.layers.entry import HARD_LINK, Entry
from tiffin.layers.names import shown
from tiffin.layers.tape import BLOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    class Blocks(Protocol):
        """What is needed of a `Tape`; who only wants to know what is where can wind forward instead of reading."""

        position: int

        def block(self) -> bytes | None: ...
        def take(self, size: int) -> bytes: ...
        def rest(self) -> Iterator[bytes]: ...


MOST_EXTENSION = 1 << 20  # of a pax or long name entry, in bytes: as in Go
MOST_GLOBAL = 1000  # records that hold for all entries: each costs time at each of them
MOST_SEGMENTS = 1 << 20
MOST_ID = 0xFFFFFFFE  # 0xffffffff means "leave it" to chown(2)
MOST_SIZE = 1 << 62
MOST_AFTER_END = 64 << 20  # GNU tar fills up to 10 KB, for tapes up to some MB
_FIELDS = Struct("100s8s8s8s12s12s8sc100s6s2s32s32s8s8s155s12x")
_ZEROS = bytes(BLOCK)
_KINDS = {
    b"0": stat.S_IFREG,
    b"\0": stat.S_IFREG,
    b"7": stat.S_IFREG,
    b"S": stat.S_IFREG,
    b"1": HARD_LINK,
    b"2": stat.S_IFLNK,
    b"3": stat.S_IFCHR,
    b"4": stat.S_IFBLK,
    b"5": stat.S_IFDIR,
    b"6": stat.S_IFIFO,
}


def entries(tape: Blocks) -> Iterator[Entry]:
    """The entries up to the end of the archive. After each, its `stored` bytes must be taken from the tape.

    The padding after them is taken here, and at the end all that is left on the tape.
    """
    reader, block = _Reader(tape), tape.block()
    if block is None:
        raise BadArchive("the archive is empty: not a single byte")
    while block is not None and block != _ZEROS:
        entry = reader.entry(block)
        if entry is not None:
            yield entry
            if entry.stored % BLOCK:
                tape.take(-entry.stored % BLOCK)
        block = tape.block()
    end = tape.position
    for _ in tape.rest():
        if tape.position - end > MOST_AFTER_END:
            raise BadArchive("the archive goes on for megabytes after its end: it is damaged or made to do harm")


class _Reader:
    """What lies between two entries: the records that wait for the next one."""

    def __init__(self, tape: Blocks) -> None:
        self._tape = tape
        self._all: dict[bytes, bytes] = {}
        self._owners: dict[bytes, tuple[int, int, int]] = {}
        self._forget()

    def _forget(self) -> None:
        self._next: list[tuple[bytes, bytes]] = []
        self._long_name: bytes | None = None
        self._long_link: bytes | None = None

    def entry(self, block: bytes) -> Entry | None:
        """The entry of a header, or None where the header only says something about the next one."""
        fields = _FIELDS.unpack(block)
        _check_sum(block, fields[6])
        flag = fields[7]
        if flag in b"xXgLKV":
            self._extension(flag, _number(fields[4], "size"))
            return None
        kind = _KINDS.get(flag)
        if kind is None:
            raise BadArchive(f"the archive has an entry of the unknown kind {flag!r}: {shown(_text(fields[0]))}")
        entry = self._plain(fields, kind)
        if self._next or self._all:
            entry = self._with_records(entry)
        if self._long_name is not None:
            entry = entry._replace(name=self._long_name)
        if self._long_link is not None:
            entry = entry._replace(link=self._long_link)
        if kind == stat.S_IFREG and entry.name.endswith(b"/"):  # before ustar, folders were files with a slash
            entry = entry._replace(kind=stat.S_IFDIR)
        if flag == b"S":
            entry = self._old_sparse(entry, block)
        if entry.kind != stat.S_IFREG:  # the others have no content, whatever their size field says
            entry = entry._replace(stored=0, size=0)
        self._forget()
        return entry

    def _plain(self, fields: tuple[bytes, ...], kind: int) -> Entry:
        name, mode, uid, gid, size, mtime, _, _, link, magic, _, _, _, major, minor, prefix = fields
        name = _text(name)
        if magic == b"ustar\0" and prefix[0]:  # GNU's magic is "ustar " and it has other fields there
            name = _text(prefix) + b"/" + name
        device = (0, 0)
        if kind in (stat.S_IFCHR, stat.S_IFBLK):
            device = _number(major, "device", 0xFFF), _number(minor, "device", 0xFFFFF)
        length = _number(size, "size")
        bits, owner, group = self._owner(mode, uid, gid)
        seconds = _signed(mtime, "time")
        return Entry(name, kind, bits, owner, group, seconds * 1_000_000_000, _text(link), device, length, length)

    def _owner(self, mode: bytes, uid: bytes, gid: bytes) -> tuple[int, int, int]:
        key = mode + uid + gid  # a few hundred kinds in a whole archive
        if (known := self._owners.get(key)) is None:
            owner, group = _number(uid, "owner", MOST_ID), _number(gid, "owner", MOST_ID)
            known = self._owners[key] = (_number(mode, "mode") & 0o7777, owner, group)
        return known

    def _extension(self, flag: bytes, size: int) -> None:
        if size > MOST_EXTENSION:
            raise BadArchive(f"the archive has a header of {size} bytes: it is damaged or made to do harm")
        content = self._tape.take(size)
        self._tape.take(-size % BLOCK)
        if flag in b"xX":
            self._next = list(_records(content))
        elif flag == b"g":
            self._all = {key: value for key, value in (self._all | dict(_records(content))).items() if value}
            if len(self._all) > MOST_GLOBAL:
                raise BadArchive(f"the archive has more than {MOST_GLOBAL} records that hold for all its entries")
        elif flag == b"L":
            self._long_name = _text(content)
        elif flag == b"K":
            self._long_link = _text(content)

    def _with_records(self, entry: Entry) -> Entry:
        records = self._all | dict(self._next)
        changes: dict[str, object] = {}
        xattrs: list[tuple[str, bytes]] = []
        for key, value in records.items():
            if key.startswith(b"SCHILY.xattr."):
                xattrs.append((_attribute(key[13:]), value))
            elif value and key in _MEANINGS:  # an empty value takes back what an earlier header said
                field, parse = _MEANINGS[key]
                changes[field] = parse(value)
        if "stored" in changes:
            changes["size"] = changes["stored"]
        entry = entry._replace(**changes, xattrs=tuple(xattrs))  # type: ignore[arg-type]
        if entry.kind == stat.S_IFREG and any(key.startswith(b"GNU.sparse.") for key in records):
            entry = self._pax_sparse(entry, records)
        return entry

    def _pax_sparse(self, entry: Entry, records: dict[bytes, bytes]) -> Entry:
        if name := records.get(b"GNU.sparse.name"):
            entry = entry._replace(name=_path(name))
        size = records.get(b"GNU.sparse.realsize") or records.get(b"GNU.sparse.size")
        if size is None:
            raise BadArchive(f"a sparse file has no size: {shown(entry.name)}")
        version = records.get(b"GNU.sparse.major", b"0"), records.get(b"GNU.sparse.minor", b"0")
        if version == (b"1", b"0"):
            numbers, before = self._map_before_content(entry.stored)
            entry = entry._replace(stored=entry.stored - before)
        elif version[0] == b"0" and b"GNU.sparse.map" in records:
            numbers = [_decimal(number) for number in records[b"GNU.sparse.map"].split(b",")]
        elif version[0] == b"0":
            # Version 0.0 repeats two keys, so the order of the records counts.
            keys = (b"GNU.sparse.offset", b"GNU.sparse.numbytes")
            numbers = [_decimal(value) for key, value in self._next if key in keys]
        else:
            raise BadArchive(f"a sparse file is written in an unknown way: {shown(entry.name)}")
        return _sparse(entry, numbers, _decimal(size))

    def _map_before_content(self, stored: int) -> tuple[list[int], int]:
        """Version 1.0: a count, then that many pairs, a decimal number per line, padded to a block."""
        text, end, before = b"", 0, 0
        numbers: list[int] = []
        while not numbers or len(numbers) < 1 + 2 * numbers[0]:
            line, newline, _ = text[end : end + 32].partition(b"\n")
            if newline:
                numbers.append(_decimal(line))
                end += len(line) + 1
                if numbers[0] > MOST_SEGMENTS:
                    raise BadArchive("a sparse file has too many holes")
                continue
            if len(text) - end >= 32 or before + BLOCK > stored:
                raise BadArchive("the map of a sparse file is damaged")
            text, end = text[end:] + self._tape.take(BLOCK), 0
            before += BLOCK
        return numbers[1:], before

    def _old_sparse(self, entry: Entry, block: bytes) -> Entry:
        numbers: list[int] = []
        _old_segments(block[386:482], numbers)
        more, size = block[482], _number(block[483:495], "size")
        while more:
            block = self._tape.take(BLOCK)
            _old_segments(block[:504], numbers)
            more = block[504]
            if len(numbers) > 2 * MOST_SEGMENTS:
                raise BadArchive("a sparse file has too many holes")
        return _sparse(entry, numbers, size)


def _old_segments(fields: bytes, numbers: list[int]) -> None:
    for at in range(0, len(fields), 24):
        if not fields[at]:
            return
        numbers += _number(fields[at : at + 12], "offset"), _number(fields[at + 12 : at + 24], "size")


def _sparse(entry: Entry, numbers: list[int], size: int) -> Entry:
    if len(numbers) % 2 or len(numbers) > 2 * MOST_SEGMENTS or size > MOST_SIZE:
        raise BadArchive(f"the map of a sparse file is damaged: {shown(entry.name)}")
    segments = tuple(zip(numbers[::2], numbers[1::2], strict=True))
    end = 0
    for offset, length in segments:
        if offset < end or offset + length > size:
            raise BadArchive(f"the parts of a sparse file overlap or lie behind its end: {shown(entry.name)}")
        end = offset + length
    if sum(numbers[1::2]) != entry.stored:
        raise BadArchive(f"a sparse file has more or less content than its map says: {shown(entry.name)}")
    return entry._replace(size=size, segments=segments)


def _check_sum(block: bytes, field: bytes) -> None:
    """The sum of the header's bytes, its own field counted as spaces."""
    said = -1 if field[0] & 0x80 else _number(field, "checksum")  # nobody writes one in base 256
    total = sum(block.translate(None, b"\0")) - sum(field) + 8 * 32  # most of a header are zeros: quicker without
    if said == total:
        return
    signed = total - 256 * sum(byte > 127 for byte in block[:148] + block[156:])  # Sun's tar added signed bytes
    if said != signed:
        raise BadArchive("this is no tar archive, or a damaged one: the checksum of a header is wrong")


def _number(field: bytes, what: str, most: int = MOST_SIZE) -> int:
    number = _signed(field, what)
    if not 0 <= number <= most:
        raise BadArchive(f"the archive has an impossible {what}: {number}")
    return number


def _signed(field: bytes, what: str) -> int:
    """Octal digits between blanks and NULs; or base 256 where the first bit is set (GNU), the second being the sign."""
    digits = field[:-1]
    if digits.isdigit() and b"8" not in digits and b"9" not in digits:  # nearly always
        return int(digits, 8)
    if field[0] & 0x80:
        number = int.from_bytes(field, "big")
        bits = 8 * len(field)
        number = number - (1 << bits) if field[0] & 0x40 else number - (1 << (bits - 1))
        if abs(number) > MOST_SIZE:
            raise BadArchive(f"the archive has an impossible {what}: {number}")
        return number
    digits = field.strip(b" \0")
    if not digits:
        return 0
    try:
        if digits.isdigit():
            return int(digits, 8)
    except ValueError:
        pass
    raise BadArchive(f"this is no tar archive, or a damaged one: a header has a {what} that is no number")


def _records(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Records of "LENGTH KEY=VALUE\\n", the length counting itself."""
    at = 0
    while at < len(content):
        length, space, _ = content[at : at + 20].partition(b" ")
        end = at + int(length) if space and length.isdigit() else 0
        record = content[at + len(length) + 1 : end]
        key, equals, value = record[:-1].partition(b"=")
        if not record.endswith(b"\n") or not equals or not key or end > len(content):
            raise BadArchive("this is no tar archive, or a damaged one: a pax record is malformed")
        yield key, value
        at = end


def _path(value: bytes) -> bytes:
    if b"\0" in value:
        raise BadArchive(f"the archive has a name with a NUL in it: {shown(value)}")
    return value


def _decimal(value: bytes) -> int:
    if not value.isdigit() or len(value) > 20 or int(value) > MOST_SIZE:
        raise BadArchive(f"the archive has an impossible number: {shown(value)}")
    return int(value)


def _owner(value: bytes) -> int:
    number = _decimal(value)
    if number > MOST_ID:
        raise BadArchive(f"the archive has an impossible owner: {number}")
    return number


def _nanoseconds(value: bytes) -> int:
    """A decimal number of seconds, maybe negative, maybe with a fraction. Never by way of a float: that has 53 bits."""
    whole, _, fraction = value.partition(b".")
    digits = whole.removeprefix(b"-")
    if not digits.isdigit() or len(digits) > 19 or not (fraction or b"0").isdigit():
        raise BadArchive(f"the archive has an impossible time: {shown(value)}")
    nanoseconds = int(digits) * 1_000_000_000 + int(fraction[:9].ljust(9, b"0"))
    return -nanoseconds if whole.startswith(b"-") else nanoseconds


def _attribute(name: bytes) -> str:
    # GNU tar writes "=" and "%" in a name this way, as "=" ends a key.
    name = name.replace(b"%3D", b"=").replace(b"%25", b"%")
    if not name or b"\0" in name:
        raise BadArchive(f"the archive has an extended attribute without a proper name: {shown(name)}")
    return name.decode("utf-8", "surrogateescape")


_MEANINGS = {
    b"path": ("name", _path),
    b"linkpath": ("link", _path),
    b"size": ("stored", _decimal),
    b"uid": ("uid", _owner),
    b"gid": ("gid", _owner),
    b"mtime": ("mtime", _nanoseconds),
}


def _text(field: bytes) -> bytes:
    return field[:end] if (end := field.find(b"\0")) >= 0 else field
