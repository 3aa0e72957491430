"""Reading headers: every dialect gives the same entries, and damage gives a sentence."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from tests.layers.trees import Item, folder, hard_link, symlink, tar
from tiffin.errors import BadArchive
from tiffin.layers.entry import Entry
from tiffin.layers.tape import Hasher, Tape
from tiffin.layers.tarreader import entries

FORMS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
any_form = pytest.mark.parametrize("form", FORMS, ids=["ustar", "gnu", "pax"])


def read(archive: bytes) -> list[tuple[Entry, bytes]]:
    hasher = Hasher()
    hasher.start()
    try:
        tape = Tape(io.BytesIO(archive), hasher, lambda kept: None)
        return [(entry, b"".join(map(bytes, tape.pieces(entry.stored)))) for entry in entries(tape)]
    finally:
        hasher.close()


def only(archive: bytes) -> Entry:
    [(entry, _)] = read(archive)
    return entry


def patched(archive: bytes, at: int, field: bytes) -> bytes:
    """A first header with another field, and a checksum that fits."""
    block = bytearray(archive[:512])
    block[at : at + len(field)] = field
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + archive[512:]


@any_form
def test_the_dialects_say_the_same(form: int) -> None:
    items = [
        folder("d", mode=0o1777, uid=7, gid=8, mtime=5),
        Item("d/file", b"content" * 100, mode=0o4755),
        symlink("d/link", "../elsewhere"),
        hard_link("d/other", "d/file"),
        Item("null", kind=tarfile.CHRTYPE, device=(1, 3)),
        Item("disk", kind=tarfile.BLKTYPE, device=(254, 70_000)),
        Item("fifo", kind=tarfile.FIFOTYPE),
    ]
    assert read(tar(*items, form=form)) == read(tar(*items))


@any_form
def test_a_name_of_a_hundred_bytes_is_one_field(form: int) -> None:
    assert only(tar(Item("x" * 100), form=form)).name == b"x" * 100


@pytest.mark.parametrize("form", FORMS[1:], ids=["gnu", "pax"])
def test_long_names_and_targets_are_whole(form: int) -> None:
    name, target = "n" * 200 + "/" + "m" * 200, "t" * 300
    entry = only(tar(symlink(name, target), form=form))
    assert (entry.name, entry.link) == (name.encode(), target.encode())


def test_a_prefix_of_ustar_goes_before_the_name() -> None:
    name = "p" * 120 + "/" + "n" * 90
    assert only(tar(Item(name), form=tarfile.USTAR_FORMAT)).name == name.encode()


def test_numbers_in_base_256_are_read() -> None:
    entry = only(tar(Item("big", uid=2**31, gid=2**32 - 2, mtime=-5), form=tarfile.GNU_FORMAT))
    assert (entry.uid, entry.gid, entry.mtime) == (2**31, 2**32 - 2, -5_000_000_000)


def test_pax_times_keep_their_nanoseconds() -> None:
    times = {
        "1.5": 1_500_000_000,
        "1700000000.123456789": 1_700_000_000_123_456_789,
        "-0.25": -250_000_000,
        "7": 7 * 10**9,
    }
    for text, nanoseconds in times.items():
        assert only(tar(Item("x", pax={"mtime": text}))).mtime == nanoseconds


def test_a_global_header_holds_for_all_that_follow_until_taken_back() -> None:
    archive = tar(Item("a"), Item("b", pax={"gid": "5"}), Item("c"), pax_headers={"uid": "1234"})
    assert [(entry.uid, entry.gid) for entry, _ in read(archive)] == [(1234, 0), (1234, 5), (1234, 0)]


def test_a_global_header_of_thousands_of_records_is_refused() -> None:
    records = {f"SCHILY.xattr.user.{number}": "x" for number in range(2000)}
    with pytest.raises(BadArchive, match="more than 1000 records"):
        read(tar(Item("a"), pax_headers=records))


def test_an_unknown_kind_is_told_with_its_name() -> None:
    with pytest.raises(BadArchive, match="unknown kind b'Z': name$"):
        read(patched(tar(Item("name")), 156, b"Z"))


@pytest.mark.parametrize("content", [b"hello" * 200, b"\xff" * 2000, b"PK\3\4" + b"\x80" * 2000])
def test_what_looks_like_no_tar_is_told_as_such(content: bytes) -> None:
    with pytest.raises(BadArchive, match="this is no tar archive"):
        read(content)


def test_attributes_come_as_schily_records() -> None:
    entry = only(tar(Item("x", pax={"SCHILY.xattr.user.a%3Db": "value", "SCHILY.xattr.user.none": ""})))
    assert entry.xattrs == (("user.a=b", b"value"), ("user.none", b""))


def test_the_owners_names_count_for_nothing() -> None:
    plain = tar(Item("x", uid=5))
    assert only(patched(plain, 265, b"root\0")) == only(plain)


def test_a_file_with_a_slash_at_its_end_is_a_folder() -> None:
    assert only(patched(tar(Item("dir")), 0, b"dir/")).kind == 0o040000


def test_a_checksum_of_signed_bytes_is_taken_too() -> None:
    block = bytearray(tar(Item("\u00e9"), form=tarfile.GNU_FORMAT)[:512])
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(byte - 256 if byte > 127 else byte for byte in block)
    assert only(bytes(block) + bytes(1024)).name == "\u00e9".encode()


def test_an_archive_may_end_without_its_end() -> None:
    assert [entry.name for entry, _ in read(tar(Item("x", b"1"))[:1024])] == [b"x"]


BAD_FIELDS = {
    "negative size": (124, b"\xff" * 12),
    "huge size": (124, b"\x80" + b"\x7f" * 11),
    "size no number": (124, b"12x45678901\0"),
    "size with underscore": (124, b"0_000000001\0"),
    "size not octal": (124, b"00000000099\0"),
    "negative owner": (108, b"\xff" * 8),
    "owner that means leave it": (108, b"\x80\0\0\0\xff\xff\xff\xff"),
    "unknown kind": (156, b"M"),
    "mode no number": (100, b"rwxrwxrwx"[:8]),
}


@pytest.mark.parametrize("name", BAD_FIELDS)
def test_impossible_fields_are_refused(name: str) -> None:
    with pytest.raises(BadArchive):
        read(patched(tar(Item("x")), *BAD_FIELDS[name]))


@pytest.mark.parametrize(
    "records",
    [
        {"size": "-5"},
        {"size": "99999999999999999999"},
        {"uid": "4294967295"},
        {"uid": "x"},
        {"mtime": "yesterday"},
        {"mtime": "1.2.3"},
        {"mtime": "9" * 30},
        {"path": "a\0b"},
        {"linkpath": "a\0b"},
        {"SCHILY.xattr.": "nameless"},
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"},
        {"GNU.sparse.major": "7", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "1"},
        {"GNU.sparse.map": "0,1,5", "GNU.sparse.size": "10"},
        {"GNU.sparse.map": "0,5,3,5", "GNU.sparse.size": "10"},
        {"GNU.sparse.map": "0,5", "GNU.sparse.size": "3"},
        {"GNU.sparse.map": "0,5", "GNU.sparse.size": "50"},
    ],
    ids=str,
)
def test_impossible_pax_records_are_refused(records: dict[str, str]) -> None:
    with pytest.raises(BadArchive):
        read(tar(Item("x", b"", pax=records)))


@pytest.mark.parametrize(
    "content", [b"5 a=b", b"6 a=b\n7", b"0 =\n", b"9999 a=b\n", b" a=b\n", b"6 abc\n", b"-6 a=b\n"]
)
def test_malformed_pax_records_are_refused(content: bytes) -> None:
    archive = tar(Item("x", content, kind=tarfile.XHDTYPE))
    sized = patched(archive, 124, b"%011o\0" % len(content))
    with pytest.raises(BadArchive, match="pax record is malformed"):
        read(sized[:512] + content.ljust(512, b"\0") + tar(Item("y")))


def test_a_header_of_many_megabytes_is_refused_before_it_is_read() -> None:
    for flag in b"xgLK":
        with pytest.raises(BadArchive, match="a header of"):
            read(patched(patched(tar(Item("x")), 156, bytes([flag])), 124, b"77777777777\0"))


def test_what_is_no_tar_says_so() -> None:
    for content in (b"", b"hello", b"x" * 512, b"PK\3\4" + bytes(2000), bytes([1]) * 10_240):
        with pytest.raises(BadArchive):
            read(content)


def test_data_cut_off_anywhere_is_refused_or_ends_between_entries() -> None:
    whole = tar(Item("a", b"1" * 600), Item("b", b"2" * 600))
    for length in range(0, 3072, 128):
        try:
            names = [entry.name for entry, _ in read(whole[:length])]
        except BadArchive:
            continue
        assert (length, names) in [(1536, [b"a"]), (3072, [b"a", b"b"])]


def test_megabytes_after_the_end_are_refused() -> None:
    with pytest.raises(BadArchive, match="after its end"):
        read(tar(Item("x")) + bytes(80 << 20))


@settings(max_examples=300)
@given(some.data())
def test_a_damaged_archive_gives_entries_or_a_sentence(data: some.DataObject) -> None:
    items = [Item("d/" + "n" * 120, b"content", pax={"mtime": "1.5"}), symlink("l", "t" * 150), hard_link("h", "l")]
    archive = bytearray(tar(*items, form=data.draw(some.sampled_from(FORMS[1:]))))
    for _ in range(data.draw(some.integers(1, 4))):
        block = 512 * data.draw(some.integers(0, len(archive) // 512 - 1))
        archive[block + data.draw(some.integers(0, 511))] = data.draw(some.integers(0, 255))
        if data.draw(some.booleans()):  # with a checksum that fits, so that the field itself is looked at
            archive[block : block + 512] = patched(bytes(archive[block : block + 512]), 0, b"")
    sentence = "nothing to complain about"
    try:
        read(bytes(archive))
    except BadArchive as error:
        sentence = str(error)
    assert sentence.isprintable()


@given(some.binary(max_size=3000))
@example(b"\xff" * 512)
def test_noise_gives_a_sentence(noise: bytes) -> None:
    if noise[:512].strip(b"\0"):
        with pytest.raises(BadArchive):
            read(noise)
