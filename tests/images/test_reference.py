"""Names as Docker reads and shows them. The cases follow distribution/reference's grammar."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tiffin.errors import BadName
from tiffin.images.reference import Reference, parse, parse_tagged

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "whole", "familiar"),
    [
        ("base", "docker.io/library/base", "base"),
        ("base:1.2", "docker.io/library/base:1.2", "base:1.2"),
        ("team/base", "docker.io/team/base", "team/base"),
        ("library/base", "docker.io/library/base", "base"),
        ("index.docker.io/library/base", "docker.io/library/base", "base"),
        ("docker.io/team/base:x", "docker.io/team/base:x", "team/base:x"),
        ("localhost/base", "localhost/base", "localhost/base"),
        ("localhost:5000/base", "localhost:5000/base", "localhost:5000/base"),
        ("host:5000/a/b:tag", "host:5000/a/b:tag", "host:5000/a/b:tag"),
        ("example.com/a__b/c-d--e.f:T_a.g-1", "example.com/a__b/c-d--e.f:T_a.g-1", "example.com/a__b/c-d--e.f:T_a.g-1"),
        ("[fd00::1]:5000/base", "[fd00::1]:5000/base", "[fd00::1]:5000/base"),
        (f"base@{DIGEST}", f"docker.io/library/base@{DIGEST}", f"base@{DIGEST}"),
        (f"base:1@{DIGEST}", f"docker.io/library/base:1@{DIGEST}", f"base:1@{DIGEST}"),
        ("library/a/b", "docker.io/library/a/b", "library/a/b"),
    ],
)
def test_a_name_is_filled_in_and_shown_short(text: str, whole: str, familiar: str):
    assert (str(parse(text)), parse(text).familiar()) == (whole, familiar)


@pytest.mark.parametrize(
    "text",
    ["", ":tag", "a:", "a/", "/a", "a//b", "a b", "a..b", "a._b", "-a", "a-", "a:t t", "a:" + "t" * 129, "a@sha256:12",
     "a@b@" + DIGEST, "../a", "a/../b", "exa mple.com/a", "-x.com/a", "ä", "a\n", "a:tag\n", "a\0b",
     "example.com/" + "a" * 250, "docker.io/Base", "e.com/a/B"],
)  # fmt: skip
def test_what_is_no_name_is_refused_in_docker_s_words(text: str):
    with pytest.raises(BadName, match="invalid reference format"):
        parse(text)


@pytest.mark.parametrize("text", ["dir:", "a:t t", "a:" + "t" * 129])
def test_a_tag_that_is_none_is_told_with_its_name(text: str):
    with pytest.raises(BadName, match=f"the tag of '{text[:20]}.* must be 1 to 128 letters, digits and _.-"):
        parse(text)


def test_a_repository_in_capitals_is_told_so():
    with pytest.raises(BadName, match=r"repository name \(library/Base\) must be lowercase"):
        parse("Base")


def test_64_hex_digits_are_an_id_and_no_name():
    with pytest.raises(BadName, match="cannot specify 64-byte hexadecimal strings"):
        parse("a" * 64)


def test_an_image_cannot_be_given_a_digest_as_its_name():
    with pytest.raises(BadName, match="digest reference"):
        parse_tagged(f"base@{DIGEST}")


def test_the_tag_is_latest_where_none_is_told():
    assert parse_tagged("base").familiar() == "base:latest"


def test_a_path_that_looks_like_a_domain_keeps_its_domain():
    assert parse("docker.io/example.com/base").familiar() == "docker.io/example.com/base"


part = some.from_regex(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*", fullmatch=True)
names = some.builds(
    lambda domain, parts, tag: parse(f"{domain}/{'/'.join(parts)}:{tag}"),
    some.sampled_from(["docker.io", "localhost", "example.com:5000", "Host", "[::1]"]),
    some.lists(part.filter(lambda word: len(word) < 20), min_size=1, max_size=4),
    some.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True),
)


@given(names)
def test_what_is_shown_can_be_read_again(name: Reference):
    assert parse(name.familiar()) == name == parse(str(name))


@given(some.text(max_size=40))
def test_any_text_is_a_name_or_refused(text: str):
    try:
        assert parse(parse(text).familiar()) == parse(text)
    except BadName:
        pass
