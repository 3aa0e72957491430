"""Users are looked up in an image's own files, whatever those are."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tiffin.runtime.users import LARGEST, NoSuchUser, User, find_user

PASSWD = "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1001::/home/alice:/bin/sh\n"
GROUP = "root:x:0:\nalice:x:1001:\nfriends:x:2000:bob,alice\nodd:x:what:\n"

Find = Callable[..., User]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "passwd").write_text(PASSWD)
    (tmp_path / "etc" / "group").write_text(GROUP)
    return tmp_path


@pytest.fixture
def find(image: Path) -> Iterator[Find]:
    root = os.open(image, os.O_PATH | os.O_DIRECTORY)
    yield lambda wanted, *extra: find_user(root, wanted, extra)
    os.close(root)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("", User(0, 0, [0], "/root")),
        ("alice", User(1000, 1001, [1001, 2000], "/home/alice")),
        ("1000", User(1000, 1001, [1001, 2000], "/home/alice")),
        ("alice:friends", User(1000, 2000, [2000], "/home/alice")),
        ("alice:77", User(1000, 77, [77], "/home/alice")),
        ("77", User(77, 0, [0], "/")),
        ("77:88", User(77, 88, [88], "/")),
        (":88", User(0, 88, [88], "/root")),
    ],
)
def test_dockers_forms_of_a_user(find: Find, wanted: str, found: User) -> None:
    assert find(wanted) == found


def test_groups_can_be_added_and_none_is_there_twice(find: Find) -> None:
    assert find("alice", "root", "99", "alice", "2000").groups == [1001, 2000, 0, 99]


@pytest.mark.parametrize("wanted", ["bob", "alice:nobody", "alice:odd", "²", "٣", "-1", "4294967295", "9" * 5000, " 0"])
def test_one_that_is_not_there_is_said_to_be_missing(find: Find, wanted: str) -> None:
    with pytest.raises(NoSuchUser):
        find(wanted)


def test_lines_that_make_no_sense_are_passed_over(image: Path, find: Find) -> None:
    (image / "etc" / "passwd").write_bytes(b"\n#x\nalice\nalice:x\n\xff\xfe:::::::\n" + PASSWD.encode())
    assert find("alice").uid == 1000


def test_no_files_are_no_users(image: Path, find: Find) -> None:
    (image / "etc" / "passwd").unlink()
    (image / "etc" / "group").unlink()
    assert find("") == User(0, 0, [0], "/")
    with pytest.raises(NoSuchUser):
        find("root")


def test_a_link_leads_nowhere_outside(image: Path, tmp_path_factory: pytest.TempPathFactory, find: Find) -> None:
    secret = tmp_path_factory.mktemp("host") / "passwd"
    secret.write_text("alice:x:6:6::/:\n")
    (image / "etc" / "passwd").unlink()
    for target in (str(secret), "../" * 30 + str(secret).lstrip("/")):
        (image / "etc" / "passwd").symlink_to(target)
        with pytest.raises(NoSuchUser):
            find("alice")
        (image / "etc" / "passwd").unlink()
    os.rename(image / "etc" / "group", image / "other")
    (image / "etc" / "passwd").symlink_to("/other")  # inside it may lead anywhere
    with pytest.raises(NoSuchUser):
        find("alice")


@pytest.mark.parametrize("kind", ["fifo", "folder", "socket", "loop"])
def test_what_is_no_file_is_no_users_and_nobody_waits_for_it(image: Path, find: Find, kind: str) -> None:
    path = image / "etc" / "passwd"
    path.unlink()
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "socket":
        os.mknod(path, 0o140644)
    else:
        path.symlink_to("passwd")
    assert find("") == User(0, 0, [0], "/")


@pytest.mark.root
def test_a_device_is_no_users(image: Path, find: Find) -> None:
    (image / "etc" / "passwd").unlink()
    os.mknod(image / "etc" / "passwd", 0o020644, os.makedev(1, 5))  # endless zeros
    assert find("") == User(0, 0, [0], "/")


def test_a_file_without_end_is_read_to_a_limit(image: Path, find: Find) -> None:
    with open(image / "etc" / "passwd", "r+b") as file:
        file.truncate(1 << 40)
        file.seek(2 * LARGEST)
        file.write(b"\nbob:x:5:5::/:\n")
    assert find("alice").uid == 1000
    with pytest.raises(NoSuchUser):
        find("bob")


@given(passwd=st.binary(max_size=200), group=st.binary(max_size=200), wanted=st.text(max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_files_give_a_user_or_say_that_there_is_none(
    image: Path, find: Find, passwd: bytes, group: bytes, wanted: str
) -> None:
    (image / "etc" / "passwd").write_bytes(passwd + PASSWD.encode())
    (image / "etc" / "group").write_bytes(group)
    try:
        found = find(wanted)
    except NoSuchUser:
        return
    assert 0 <= found.uid < 2**32 - 1
    assert 0 <= found.gid < 2**32 - 1
