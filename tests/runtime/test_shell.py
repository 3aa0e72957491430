"""A plan as a shell script: nothing is left out without a word, and nothing is taken for more than a text."""

from __future__ import annotations

import os
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiffin.kernel.cgroups import Layout, Limits
from tiffin.kernel.mounts import MS_PRIVATE, MS_SHARED
from tiffin.runtime import defaults, steps
from tiffin.runtime.plan import Plan
from tiffin.runtime.shell import groups, paragraphs, script
from tiffin.runtime.shell.words import comment, word

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
V1 = Layout.from_json(
    '[[[["memory"],"/sys/fs/cgroup/memory","/"],[["devices"],"/sys/fs/cgroup/devices","/"],'
    '[["cpuset"],"/sys/fs/cgroup/cpuset","/"],[["pids"],"/sys/fs/cgroup/pids","/"]],null]'
)
V2 = Layout.from_json('[[],[["cpu","memory","pids"],"/sys/fs/cgroup","/"]]')
HOSTILE = ("", "-n", "a b", "'", '"', "$(touch /tmp/no)", "`id`", "\\", "a\nb", "\n", "\r", "\x1b[2J", "~", "*", "#no",
           "!!", "\u202eevil", "é\U0001f371", "\udcff", "a\\033b", "%s", "END", "$@", "\\\n", "{paths}")  # fmt: skip
text = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20) | st.sampled_from(HOSTILE)


def plan(*taken: steps.Step, layout: Layout = V1, limits: Limits = Limits()) -> Plan:
    union = steps.MountUnion(("/layers/top/diff", "/layers/bottom/diff"), "/c/diff", "/c/work", False, "/at")
    return Plan("0123456789ab", "/root", "/runroot", layout.to_json(), "", limits, (union, *taken))


def every_step(hostile: str = "x") -> tuple[steps.Step, ...]:
    """One of each that the plan of a run may have, with such a text wherever there is one."""
    path = f"/{hostile}"
    return (
        steps.JoinCgroup(), steps.UnshareCgroup(), steps.ShareNetwork(), steps.IsolateMounts(((path, path),)),
        defaults.PROC, defaults.SYS, steps.MountKernel("tmpfs", path, 0, "", hostile),
        steps.MountCgroups((("memory", "cgroup", "memory"),), 0), steps.MountMemory(path, 0, "size=1m"),
        steps.MakeDevices(((path, defaults.MODE, 1, 3),)), steps.MakeLinks(((path, hostile),)),
        steps.Bind(path, path, True, True, MS_PRIVATE, hostile),
        steps.Bind(path, path, False, False, MS_SHARED, hostile),
        steps.OpenTerminal(), steps.MakeFolder(path), steps.MaskPaths((path,)), steps.ReadonlyPaths((path,)),
        steps.PivotRoot(), steps.SetHostname(hostile, hostile), steps.LoopbackUp(), steps.ReadonlyRoot(),
        steps.ChangeFolder(path), steps.LimitCapabilities(1 << 63 | 1), steps.JoinNewKeyring(),
        steps.FilterSyscalls("AAAA"), steps.SetUser(f"{hostile}:{hostile}", (hostile,)), steps.HoldCapabilities(1),
        steps.NoNewPrivileges(), steps.DieWithShim(), steps.Execute((hostile,), (f"A={hostile}", f"a.b={hostile}")),
        steps.ExecuteUnderInit((hostile,), (f"{hostile}={hostile}",)),
    )  # fmt: skip


def check_syntax(given: str) -> None:
    answer = subprocess.run(["sh", "-n"], input=given.encode(), capture_output=True, check=False)
    assert (answer.returncode, answer.stderr) == (0, b"")


@given(text)
def test_a_word_is_its_text_and_nothing_more(given: str) -> None:
    answer = subprocess.run(["sh", "-c", f"printf '%s.' {word(given)}"], capture_output=True, check=True)
    assert answer.stdout == os.fsencode(given) + b"."


@given(text)
def test_nothing_that_a_terminal_obeys_is_in_a_word_or_comment(given: str) -> None:
    for shown in (word(given), comment(given)):
        assert all(letter in "\n\t" or letter.isprintable() for letter in shown)
    assert all(line.startswith("#") for line in comment(given).split("\n"))


def test_every_kind_of_step_has_a_paragraph() -> None:
    told = {**paragraphs.PROGRAM, **paragraphs.SPACE, **paragraphs.TREE, **paragraphs.LAST}
    assert {*told, *paragraphs.OF_AN_EXEC} == set(steps.KINDS.values())
    assert set(paragraphs.LEFT_OUT) <= set(told)
    assert {type(step) for step in every_step()} | {steps.MountUnion} == set(told)


def test_each_step_tells_its_reason() -> None:
    lines = script(plan(*every_step())).replace("\n# ", " ")
    for step in every_step():
        assert f"{step.why}" in lines, step


def test_what_a_shell_cannot_do_is_told_when_it_starts() -> None:
    made = script(plan(*every_step(), layout=V2, limits=Limits(devices=defaults.DEVICE_RULES)))
    told = subprocess.run(["sh"], input=made[: made.index("# ---- Tools")].encode(), capture_output=True, check=True)
    assert told.stdout == b""
    heard = told.stderr.decode()
    for text in (*paragraphs.LEFT_OUT.values(), groups.NO_DEVICE_RULES, paragraphs.NOT_SHARED.format(target="/x")):
        assert f"without tiffin: {text}\n" in heard
    assert len(heard.splitlines()) == len(paragraphs.LEFT_OUT) + 2


def test_of_a_plan_that_a_shell_can_do_nothing_is_left_out() -> None:
    assert "NOT DONE" not in script(plan(steps.Execute(("true",), ())))


@settings(max_examples=40)
@given(text.filter(lambda given: given.isascii() or given.isprintable()) | text)
def test_no_text_of_a_plan_breaks_the_script(hostile: str) -> None:
    for layout in (V1, V2):
        asked = plan(*every_step(hostile), layout=layout)
        asked = asked._replace(attributes={"name": hostile}, files={"hosts": hostile}, group=f"/{hostile}")
        check_syntax(script(asked))


@settings(max_examples=25)
@given(st.lists(text, max_size=4), st.dictionaries(st.from_regex(r"[A-Z]{1,3}", fullmatch=True), text, max_size=3))
def test_the_program_gets_its_words_and_variables_through_the_last_door(
    arguments: list[str], variables: dict[str, str]
) -> None:
    given = tuple(f"{name}={value}" for name, value in variables.items() if name not in paragraphs.SHELLS_OWN)
    command = ("sh", "-c", 'for word; do printf "%s\\0" "$word"; done; env -0', "sh", *arguments)
    made = script(plan(steps.Execute(command, (f"PATH={PATH}", *given)))._replace(terminal=True))
    third_door = made[made.index("third_door='") : made.index("# ---- What the program")]
    chosen = made[made.index("set --\n") : made.index("# ---- The process space")]
    program = f'{third_door}{chosen}printf "/ho me\\n" | "$@" 3<&0 4>/dev/null'
    said = subprocess.run(["sh"], input=os.fsencode(program), capture_output=True, check=True).stdout
    words = list(map(os.fsdecode, said.split(b"\0")))[:-1]
    assert words[: len(arguments)] == arguments
    assert {*given, f"PATH={PATH}", "HOME=/ho me"} <= set(words[len(arguments) :])


@pytest.mark.parametrize(
    ("environment", "plain", "strange"),
    [
        (("A=1", "A=2", "no sign"), ["A=2"], []),
        (("a.b=c", "IFS=x", "_=1", "BASH_ENV=/x", "é=1", "=x", "1A=1"), [], ["a.b=c", "IFS=x", "_=1", "BASH_ENV=/x",
                                                                         "é=1", "=x", "1A=1"]),
        (("LD_PRELOAD=/evil.so", "A1="), ["LD_PRELOAD=/evil.so", "A1="], []),
    ],
)  # fmt: skip
def test_variables_that_a_shell_cannot_hold_are_left_to_env(
    environment: tuple[str, ...], plain: list[str], strange: list[str]
) -> None:
    assert paragraphs._variables(environment) == (plain, strange)
