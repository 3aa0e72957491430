"""Docker's grammar of options."""

from __future__ import annotations

import pytest

from tiffin.cli.options import HELP, Command, UsageError, WrongArguments, many, number, parse, parsed, switch, text
from tiffin.cli.units import read_binary_size

ENV = many("env", "", "e")
TTY = switch("tty", "", "t")
OPEN = switch("interactive", "", "i")
DETACH = switch("detach", "", "d")
REMOVE = switch("rm", "")
USER = text("user", "", "u")
HOSTNAME = text("hostname", "", "h")
NETWORK = text("network", "", default="none", also="net")
MEMORY = parsed("bytes", "memory", "", "m", read_binary_size, 0)
LAST = number("last", "", "n")

RUN = Command(
    "run",
    "IMAGE [COMMAND] [ARG...]",
    (ENV, TTY, OPEN, DETACH, REMOVE, USER, HOSTNAME, NETWORK, MEMORY),
    least=1,
    options_first=True,
)
PS = Command("ps", "", (TTY, LAST), most=0)
RM = Command("rm", "CONTAINER [CONTAINER...]", (REMOVE,), least=1)
TAG = Command("tag", "IMAGE NAME", (), least=2, most=2)


@pytest.mark.parametrize(
    "words",
    [["-eA=1", "x"], ["-e", "A=1", "x"], ["-e=A=1", "x"], ["--env=A=1", "x"], ["--env", "A=1", "x"]],
)
def test_a_value_is_written_in_any_of_five_ways(words):
    assert parse(RUN, words)[ENV] == ("A=1",)


def test_an_option_that_was_not_given_has_its_default():
    given = parse(RUN, ["x"])
    assert (given[ENV], given[TTY], given[USER], given[NETWORK], given[MEMORY]) == ((), False, "", "none", 0)
    assert NETWORK not in given


def test_a_list_keeps_the_order_of_its_repetitions():
    assert parse(RUN, ["-e", "A=1", "--env=B=2", "-eA=3", "x"])[ENV] == ("A=1", "B=2", "A=3")


def test_the_last_of_several_values_holds():
    assert parse(RUN, ["-u", "a", "--user=b", "x"])[USER] == "b"


def test_short_switches_combine_and_the_last_letter_may_take_a_value():
    given = parse(RUN, ["-itdu", "1000", "x"])
    assert (given[OPEN], given[TTY], given[DETACH], given[USER]) == (True, True, True, "1000")
    assert parse(RUN, ["-itu1000", "x"])[USER] == "1000"


def test_a_switch_takes_its_value_after_an_equals_sign_only():
    assert parse(RUN, ["--rm=false", "x"])[REMOVE] is False
    assert parse(RUN, ["-t=false", "x"])[TTY] is False
    given = parse(RUN, ["--rm", "false"])
    assert given[REMOVE] is True
    assert given.arguments == ["false"]


def test_options_before_a_program_end_at_the_first_argument():
    given = parse(RUN, ["-t", "image", "ls", "-i", "--rm"])
    assert given.arguments == ["image", "ls", "-i", "--rm"]
    assert (given[TTY], given[OPEN], given[REMOVE]) == (True, False, False)


def test_options_of_other_verbs_stand_anywhere():
    given = parse(RM, ["a", "--rm", "b"])
    assert given[REMOVE]
    assert given.arguments == ["a", "b"]


def test_two_dashes_end_the_options():
    assert parse(RM, ["a", "--", "--rm", "-x"]).arguments == ["a", "--rm", "-x"]
    assert parse(RUN, ["-t", "--", "-x", "--rm"]).arguments == ["-x", "--rm"]


def test_one_dash_is_an_argument():
    assert parse(RM, ["-"]).arguments == ["-"]


def test_an_empty_value_is_a_value():
    given = parse(RUN, ["--user=", "--network", "", "x"])
    assert (given[USER], given[NETWORK]) == ("", "")
    assert USER in given


def test_a_second_name_is_the_same_option():
    assert parse(RUN, ["--net=host", "x"])[NETWORK] == "host"


def test_the_letter_h_asks_for_help_unless_the_verb_needs_it():
    assert parse(RM, ["-h"])[HELP]
    given = parse(RUN, ["-h", "web", "x"])
    assert (given[HELP], given[HOSTNAME]) == (False, "web")


def test_help_is_given_though_arguments_are_missing():
    assert parse(TAG, ["--help"])[HELP]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--foo", "x"], "unknown flag: --foo"),
        (["--foo=1", "x"], "unknown flag: --foo"),
        (["-tz", "x"], "unknown shorthand flag: 'z' in -tz"),
        (["---x"], "bad flag syntax: ---x"),
        (["--=x"], "bad flag syntax: --=x"),
        (["--user"], "flag needs an argument: --user"),
        (["-tu"], "flag needs an argument: 'u' in -tu"),
        (["-m", "lots", "x"], 'invalid argument "lots" for "-m, --memory" flag: invalid size: \'lots\''),
        (["--rm=maybe", "x"], 'invalid argument "maybe" for "--rm" flag: a switch is true or false'),
    ],
)
def test_what_is_not_understood_is_told_in_dockers_words(words, message):
    with pytest.raises(UsageError) as caught:
        parse(RUN, words)
    assert str(caught.value) == message
    assert caught.value.exit_code == 125


@pytest.mark.parametrize("word", ["x", "1.5", "1_000", " 1", "", "-", "9" * 19])
def test_a_number_is_whole_and_fits_64_bits(word):
    with pytest.raises(UsageError, match=r'for "-n, --last" flag'):
        parse(PS, [f"--last={word}"])


def test_a_number_may_be_negative():
    assert parse(PS, ["-n", "-1"])[LAST] == -1


@pytest.mark.parametrize(
    ("command", "words", "complaint"),
    [
        (RM, [], "'tiffin rm' requires at least 1 argument"),
        (TAG, ["a"], "'tiffin tag' requires exactly 2 arguments"),
        (TAG, ["a", "b", "c"], "'tiffin tag' requires exactly 2 arguments"),
        (PS, ["a"], "'tiffin ps' accepts no arguments"),
        (Command("commit", "", least=1, most=2), ["a", "b", "c"], "'tiffin commit' requires at most 2 arguments"),
    ],
)
def test_a_wrong_number_of_arguments_is_told(command, words, complaint):
    with pytest.raises(WrongArguments) as caught:
        parse(command, words)
    assert str(caught.value) == complaint
    assert caught.value.exit_code == 1
