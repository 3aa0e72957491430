"""Names and texts that mean harm, in images, files, labels and processes: harmless in whatever form they are shown.

Harmless is: nothing reaches the terminal but letters, line feeds and our own colours; SVG and HTML are well-formed and
have nothing that runs; JSON is JSON.
"""

from __future__ import annotations

import io
import json
import os
import re
import tarfile
import tempfile
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from unicodedata import category

import pytest

from tests import busybox
from tests.cli.stage import FOR_EVER, Stage, furnished
from tests.images import archives
from tests.view.test_svg import check_harmless
from tiffin.view.words import UNSEEN

pytestmark = pytest.mark.root

SCRIPT = "<script>alert(1)</script>"
FLAT = "<script>alert(1)<script>"
"""for names of files"""
ESCAPES = "\x1b[2J\x1b]0;owned\x07\x1b[31mred\x9b31m"
TURNED = "\u202egnp.exe\u2066\u200f"
NOTHING = "\u200b\ufeff\u00ad\u2060"
LINES = "one\ntwo\r\nthree\x0bfour\x85five\u2028six"
SHEBANG = "]]>--><img src=x onerror=alert(1)>\" onload='x' &amp;&#x1b;"
LONG = "L" * 10_000
BAD = "-".join((SCRIPT, ESCAPES, TURNED, NOTHING, LINES, SHEBANG))
MARKS = "a" + "\u0301" * 60
BYTES = b"\xff\xfe<b>\x80"
TEXTS = (SCRIPT, ESCAPES, TURNED, NOTHING, LINES, SHEBANG, MARKS, BAD)

SGR = re.compile(r"\x1b\[[0-9;]*m")
PILES = re.compile("[\u0300-\u036f]{4}")
"""marks that stand over the lines above"""


@pytest.fixture(scope="module")
def stage(workshop: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with furnished(tempfile.mkdtemp(prefix="", dir=workshop)) as made:
        path = tmp_path_factory.mktemp("hostile") / "hostile.tar"
        path.write_bytes(hostile_archive())
        shell = made.shell
        shell.ok("load", "-i", str(path))
        folder = tmp_path_factory.mktemp("binds") / f"{FLAT}{ESCAPES}{TURNED}{NOTHING}"
        folder.mkdir()
        labels = [word for text in TEXTS for word in ("-l", f"{text}={text}")]
        shell.ok(
            "run", "-d", "--name", "victim", *labels, "-l", f"long={LONG}", "-e", f"BAD={BAD}", "-e", f"LONG={LONG}",
            "-v", f"{folder}:/{TURNED}{ESCAPES}{FLAT}", "--tmpfs", f"/{NOTHING}{ESCAPES}",
            "hostile:1", "sh", "-c", WRITE, BAD, LONG[:2000],
        )  # fmt: skip
        over = WRITE.replace("&\ntouch", "\ntouch").replace("sleep", "true")
        shell.ok("run", "--name", "dead", "hostile:1", "sh", "-c", over, *TEXTS)
        shell("run", "--name", "missing", "hostile:1", f"/{BAD}")
        shell("run", "--name", "nobody", "-u", f"{ESCAPES}{TURNED}", "hostile:1", "true")
        shell.ok("exec", "victim", "sh", "-c", "until [ -e /ready ]; do :; done")
        yield made


# a process may call itself what it likes
WRITE = r"""
printf '<b>' > "/$(printf '\377\376<b>\200')"
echo > "/$(printf '\033[2J\033]0;owned\007')"
echo > "/$(printf '<script>\342\200\256\342\200\213')"
echo > "/$(printf 'one\ntwo')"
mkdir -p "/$(printf 'dir\033[31m')/$(printf '\342\200\256x')"
rm -f /etc/motd*
printf '#!/bin/sh\nexec 3</dev/zero; sleep 1000000\n' > "/tmp/$(printf 'sl\033[2Jx')"
chmod +x "/tmp/$(printf 'sl\033[2Jx')"
"/tmp/$(printf 'sl\033[2Jx')" "$(printf '\377\376\033[2J<script>')" &
touch /ready
exec sleep 1000000
"""


def hostile_archive() -> bytes:
    names = {text[:200].replace("/", "").replace("\0", ""): b"x" for text in TEXTS}
    layer = busybox.tar({f"etc/motd{name}": content for name, content in names.items()})
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", encoding="utf-8", errors="surrogateescape") as archive:
        for name in (f"c{os.fsdecode(BYTES)}", f"d{FLAT}", f"e{ESCAPES}"):
            member = tarfile.TarInfo(name)
            member.type, member.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(member)
    upper = raw.getvalue()
    texts = {f"{text}": text for text in TEXTS}
    history = [{"created": archives.CREATED, "created_by": BAD + LONG, "comment": BAD},
               *({"created": archives.CREATED, "created_by": text, "comment": text, "author": text,
                  "empty_layer": True} for text in TEXTS),
               {"created": archives.CREATED, "created_by": "", "comment": ESCAPES + TURNED}]  # fmt: skip
    config = {"Cmd": ["sh", BAD], "Env": ["PATH=/bin", f"X={BAD}", f"Y={LONG}"], "Labels": {**texts, "long": LONG},
              "WorkingDir": "/", "ExposedPorts": {f"{SCRIPT}/tcp": {}}, "Volumes": {f"/{ESCAPES}": {}},
              "Healthcheck": {"Test": ["CMD", BAD]}}  # fmt: skip
    made = archives.image(layer, upper, history=history, config=config, author=BAD, comment=BAD)
    return archives.tar(archives.docker_20(made, "hostile:1"))


def check_text(out: str) -> None:
    """Nothing but letters, line feeds and our own colours."""
    bare = SGR.sub("", out)
    found = {letter for letter in bare if letter != "\n" and category(letter) in UNSEEN}
    assert not found, sorted(map(ascii, found))
    assert all(part in ("0", "1", "2", "31", "32", "33", "35", "94") for code in SGR.findall(out)
               for part in code[2:-1].split(";"))  # fmt: skip


class Page(HTMLParser):
    """Nothing in it runs or fetches."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "img", "iframe", "object", "embed", "b"), tag
        for name, value in attrs:
            assert not name.startswith("on"), (tag, name)
            if name in ("href", "src"):
                assert (value or "").startswith("#")


SHOWN = [
    ("look",), ("look", "victim"), ("look", "dead"), ("look", "missing"), ("look", "nobody"), ("look", "hostile:1"),
    ("look", "victim", "dead"), ("explain", "rm", "-f", "victim", "dead"), ("explain", "commit", "dead", "fine"),
    ("explain", "stop", "victim"), ("explain", "start", "dead"), ("explain", "rmi", "-f", "hostile:1"),
    ("explain", "run", "-e", f"A={BAD}", "-l", f"{BAD}={BAD}", "hostile:1", "sh", BAD),
    ("explain", "exec", "victim", "sh", BAD), ("explain", "history", "hostile:1"),
    ("explain", "run", "--hostname", BAD, "hostile:1", "true"), ("explain", "tag", "hostile:1", BAD),
    ("explain", "rename", "dead", BAD), ("explain", "import", "/etc/passwd", BAD),
    ("explain", "commit", "-c", f"LABEL {BAD}", "-m", BAD, "dead", BAD),
    ("explain", "kill", "-s", BAD, "victim"), ("explain", "bootstrap", BAD),
    ("explain", "rm", "victim", BAD),
]  # fmt: skip
"""what shows pictures"""


@pytest.mark.parametrize("words", SHOWN)
@pytest.mark.parametrize("options", [(), ("--width", "44"), ("--plain",)])
def test_a_text_is_harmless(stage: Stage, words: tuple[str, ...], options: tuple[str, ...]):
    verb, *rest = words
    environments: tuple[dict[str, Any], ...] = ({}, {"CLICOLOR_FORCE": "1"}, {"PYTHONIOENCODING": "ascii"})
    for environment in environments:
        said = stage.shell(verb, *options, *rest, **environment)
        assert said.code in (0, 1)
        assert "Traceback" not in said.err
        assert "unexpected" not in said.err
        check_text(said.out + said.err)
        assert PILES.search(said.out) is None


@pytest.mark.parametrize("words", SHOWN)
def test_svg_html_and_json_are_harmless(stage: Stage, words: tuple[str, ...]):
    verb, *rest = words
    svg, html, value = (stage.shell(verb, form, *rest) for form in ("--svg", "--html", "--json"))
    assert svg.code == html.code == value.code
    if not svg.out:
        assert svg.err
        check_text(svg.err)
        return
    check_harmless(svg.out.rstrip("\n"))
    page = Page()
    page.feed(html.out)
    page.close()
    check_text(html.out)
    json.loads(value.out)
    check_text(value.out)


@pytest.mark.parametrize(
    "words",
    [
        ("ps", "--tree", "-a"),
        ("images", "--tree"),
        ("ps", "-a", "--no-trunc"),
        ("images", "-a"),
        ("history", "--no-trunc", "hostile:1"),
        ("rm", "--dry-run", "-f", "victim", "dead", BAD),
        ("rmi", "--dry-run", "-f", "hostile:1", BAD),
        ("image", "prune", "--dry-run", "-a"),
        ("stop", "--dry-run", "victim", BAD),
        ("rename", "--dry-run", "dead", BAD),
        ("commit", "--dry-run", "-m", BAD, "dead", "fine"),
        ("tag", "--dry-run", "hostile:1", BAD),
        ("create", "--dry-run", "--name", BAD, "hostile:1", BAD),
        ("create", "--dry-run", "hostile:1", BAD),
        ("run", "--dry-run", "-l", f"{BAD}={BAD}", "hostile:1", BAD),
        ("look", BAD),
        ("explain", BAD),
        ("explain", BAD, "x"),
        ("explain", "container", BAD),
        ("explain", "rm", f"--{BAD}"),
        ("explain", "load", "-i", f"/{BAD}"),
        ("explain", "export", "-o", f"/nowhere/{BAD}", "dead"),
        ("look", "--theme", BAD),
    ],
)
def test_lists_and_complaints_are_harmless(stage: Stage, words: tuple[str, ...]):
    said = stage.shell(*words)
    assert "Traceback" not in said.err
    assert "unexpected" not in said.err
    check_text(said.out + said.err)


def test_what_is_done_and_its_system_calls_are_harmless(stage: Stage):
    shell = stage.shell
    begun = ("explain", "--do", "--trace")
    for words in (
        ("create", "--name", "traced", "-l", f"{BAD}={BAD}", "hostile:1", "sh", "-c", "exit 0", BAD),
        ("start", "-a", "traced"),
        ("commit", "-m", BAD, "traced", "traced:1"),
        ("exec", "victim", "true", BAD),
        ("tag", "traced:1", "traced:2"),
        ("rmi", "traced:1", "traced:2"),
        ("rm", "traced"),
    ):
        said = shell(*begun, *words)
        assert said.code == 0, said
        assert said.out.endswith("\nDone. As foretold.\n")
        check_text(said.out + said.err)


def test_the_processes_are_there_and_shown_by_what_they_are(stage: Stage):
    out = stage.shell.ok("look", "--width", "200", "victim")
    assert "sl\\x1b[2Jx" in out
    assert "\\x1b[2J" in out
    value = json.loads(stage.shell.ok("look", "--json", "victim"))["picture"]["trays"][0]
    assert any("\x1b[2J" in process["name"] for process in value["space"]["processes"]) or "sl" in out
    assert FOR_EVER[1] in out
