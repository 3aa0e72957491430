"""Instructions that change settings, as `docker commit --change` takes them, with Docker's errors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tiffin.builder.settings import changed
from tiffin.errors import BadParameter
from tiffin.model.config import Config, Healthcheck

BEFORE = Config(env=("PATH=/bin",), cmd=("old",), working_dir="/w", labels={"a": "1"}, exposed_ports=("80/tcp",))


@pytest.mark.parametrize(
    ("change", "after"),
    [
        ('CMD ["sh", "-c", "x  y"]', {"cmd": ("sh", "-c", "x  y")}),
        ("cmd echo  $HOME", {"cmd": ("/bin/sh", "-c", "echo  $HOME")}),
        ("CMD []", {"cmd": ()}),
        ("CMD [not json", {"cmd": ("/bin/sh", "-c", "[not json")}),
        ('ENTRYPOINT ["/e"]', {"entrypoint": ("/e",), "cmd": ()}),
        ("ENTRYPOINT exec top", {"entrypoint": ("/bin/sh", "-c", "exec top"), "cmd": ()}),
        ("ENTRYPOINT []", {"entrypoint": None, "cmd": ()}),
        ("ENV A=1 B='two words' C=\"$PATH:/x\" D=a\\ b", {
            "env": ("PATH=/bin", "A=1", "B=two words", "C=/bin:/x", "D=a b")}),
        ("ENV A all the rest", {"env": ("PATH=/bin", "A=all the rest")}),
        ("ENV PATH=/x:${PATH}", {"env": ("PATH=/x:/bin",)}),
        ("ENV A=${NONE:-d} B=${PATH:+set} C=${NONE-} D='$PATH'", {
            "env": ("PATH=/bin", "A=d", "B=set", "C=", "D=$PATH")}),
        ("LABEL b=2 a=\"x y\"", {"labels": {"a": "x y", "b": "2"}}),
        ("EXPOSE 80 81/udp 90-92", {"exposed_ports": ("80/tcp", "81/udp", "90/tcp", "91/tcp", "92/tcp")}),
        ("USER me:group", {"user": "me:group"}),
        ("WORKDIR /abs/./x/..", {"working_dir": "/abs"}),
        ("WORKDIR below", {"working_dir": "/w/below"}),
        ("VOLUME /a /b", {"volumes": ("/a", "/b")}),
        ('VOLUME ["/a b", "/c"]', {"volumes": ("/a b", "/c")}),
        ("STOPSIGNAL SIGTERM", {"stop_signal": "SIGTERM"}),
        ("STOPSIGNAL 9", {"stop_signal": "9"}),
        ("ONBUILD RUN make", {"on_build": ("RUN make",)}),
        ("HEALTHCHECK NONE", {"healthcheck": Healthcheck(("NONE",))}),
        ("HEALTHCHECK --interval=1m30s --retries=2 CMD curl x", {
            "healthcheck": Healthcheck(("CMD-SHELL", "curl x"), 90 * 10**9, retries=2)}),
        ('HEALTHCHECK CMD ["curl", "x"]', {"healthcheck": Healthcheck(("CMD", "curl", "x"))}),
        ("# a comment\nUSER \\\n  me\n", {"user": "me"}),
    ],
)  # fmt: skip
def test_an_instruction_changes_the_settings(change: str, after: dict[str, object]):
    assert changed(BEFORE, [change]) == BEFORE._replace(**after)  # type: ignore[arg-type]


@pytest.mark.parametrize("changes", [("",), (" ", "\n"), ("# a comment",)])
def test_changes_without_an_instruction_are_refused_and_no_changes_are_not(changes: tuple[str, ...]):
    with pytest.raises(BadParameter, match="file with no instructions"):
        changed(BEFORE, changes)
    assert changed(BEFORE, ()) == BEFORE
    assert changed(BEFORE, (*changes, "USER me")) == BEFORE._replace(user="me")


def test_each_instruction_sees_what_those_before_it_did():
    after = changed(Config(), ["ENV A=1", "ENV B=$A", "WORKDIR /x", "WORKDIR $B", "USER u$B"])
    assert (after.env, after.working_dir, after.user) == (("A=1", "B=1"), "/x/1", "u1")


def test_variables_of_one_instruction_do_not_see_each_other():
    assert changed(Config(env=("A=0",)), ["ENV A=1 B=$A"]).env == ("A=1", "B=0")


def test_an_entrypoint_keeps_a_command_that_is_told_with_it():
    after = changed(BEFORE, ['CMD ["new"]', 'ENTRYPOINT ["/e"]'])
    assert after.argv == ("/e", "new")


def test_the_shell_form_uses_the_image_s_shell():
    assert changed(Config(shell=("/bin/ash", "-ec")), ["CMD x"]).cmd == ("/bin/ash", "-ec", "x")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ("RUN make", "RUN is not a valid change command"),
        ("FROM base", "FROM is not a valid change command"),
        ("nonsense", "nonsense is not a valid change command"),
        ("ENV", "ENV requires at least one argument"),
        ("ENV A", "ENV must have two arguments"),
        ("ENV =x", "ENV names can not be blank"),
        ("ENV A=1 B", "can't find = in \"B\""),
        ("ENV A='x", "looking for matching single-quote"),
        ("ENV A=\"x", "looking for matching double-quote"),
        ("ENV A=${B", "bad substitution|unsupported modifier"),
        ("ENV A=${B%x}", "unsupported modifier"),
        ("ENV A=\"${B:?must be set}\"", "B: must be set"),
        ("LABEL", "LABEL requires at least one argument"),
        ("EXPOSE", "EXPOSE requires at least one argument"),
        ("EXPOSE http", "Invalid containerPort: http"),
        ("EXPOSE 70000", "Invalid containerPort"),
        ("EXPOSE 80/ftp", "Invalid proto: ftp"),
        ("USER a b", "USER requires exactly one argument"),
        ("WORKDIR", "WORKDIR requires exactly one argument"),
        ("VOLUME", "VOLUME requires at least one argument"),
        ('VOLUME [""]', "VOLUME specified can not be an empty string"),
        ("STOPSIGNAL SIGNOTHING", "Invalid signal: SIGNOTHING"),
        ("ONBUILD", "ONBUILD requires at least one argument"),
        ("ONBUILD ONBUILD RUN x", "Chaining ONBUILD"),
        ("ONBUILD from x", "FROM isn't allowed as an ONBUILD trigger"),
        ("HEALTHCHECK", "HEALTHCHECK requires at least one argument"),
        ("HEALTHCHECK NONE x", "HEALTHCHECK NONE takes no arguments"),
        ("HEALTHCHECK CMD", "Missing command after HEALTHCHECK CMD"),
        ("HEALTHCHECK curl", 'Unknown type "CURL" in HEALTHCHECK'),
        ("HEALTHCHECK --sometimes=1 CMD x", "Unknown flag: sometimes"),
        ("HEALTHCHECK --interval=1us CMD x", "cannot be less than 1ms"),
        ("HEALTHCHECK --interval=soon CMD x", "invalid duration"),
        ("HEALTHCHECK --retries=-1 CMD x", "cannot be negative"),
    ],
)
def test_a_wrong_instruction_is_refused_in_docker_s_words(change: str, error: str):
    with pytest.raises(BadParameter, match=error):
        changed(BEFORE, [change])


names = some.sampled_from("CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL ONBUILD STOPSIGNAL USER VOLUME WORKDIR".split())
texts = some.text(some.sampled_from("aA1_²=\"'\\$ {}[]:-+?/,.\t\n#é\0") | some.characters(codec="utf-8"), max_size=30)


@given(names, texts)
def test_any_text_is_an_instruction_or_refused(name: str, text: str):
    try:
        after = changed(BEFORE, [f"{name} {text}"])
    except BadParameter:
        return
    assert Config.from_json(after.to_json()) == after
