"""What a screen reader says of a picture. These texts are the specification."""

from __future__ import annotations

from unicodedata import category

import pytest
from hypothesis import given, settings

from tests.view import pictures
from tests.view.arbitrary import pictures as any_picture
from tests.view.pictures import comb, host, in_state, one, stack, states, web, web_image
from tiffin.model.nouns import State
from tiffin.view import signs
from tiffin.view.picture import Changes, Gauge, Picture
from tiffin.view.sentences import describe, describe_explanation, of_tray, title
from tiffin.view.words import UNSEEN

STATES = {
    "created": ("○ created", "app-1 has been created and has not run yet."),
    "running": ("▶ running 5 min", "app-1 runs."),
    "paused": ("‖ paused 5 min", "app-1 is paused."),
    "restarting": ("↻ restarting", "app-1 has ended and will be started again: again in 1.6 s."),
    "exited 0": ("✓ exited 0, 5 min ago", "app-1 has ended with code 0."),
    "exited 3": ("✗ exited 3, 5 min ago", "app-1 has ended with code 3."),
    "not found": ("✗ exited 127, 5 min ago", "app-1 has ended with code 127: sh: not found."),
    "out of memory": ("✗ out of memory, 64.0 MB, 5 min ago", "app-1 was ended, as it was out of memory."),
    "unknown": ("? exited with its program's code", "app-1 ends with its program's code."),
    "removing": ("↑ removing", "app-1 is being removed."),
    "dead": ("† dead", "app-1 could not be removed wholly: /dev/sda1 is busy."),
}


@pytest.mark.parametrize("name", STATES)
def test_a_state_is_a_sign_a_word_and_a_sentence(name: str):
    tray = states()[name]
    assert (f"{signs.sign(tray)} {signs.word(tray, pictures.NOW)}", of_tray(tray)) == STATES[name]


def test_every_state_has_its_own_sign_or_word():
    assert STATES.keys() == states().keys()
    assert len({shown for shown, _ in STATES.values()}) == len(STATES)


def test_titles_say_what_it_is_a_picture_of():
    assert title(web()) == "Container web, running"
    assert title(web_image()) == "Image web:1, 8 read-only layers"
    assert title(host()) == "This host: 11 images in 28 layers, 10 containers"


def test_a_small_container_in_sentences():
    assert describe(one(in_state("exited", exit_code=3, size=2300, files=("srv/a",)))) == (
        "app-1 has ended with code 3. Its read-write layer holds 2.3 kB and stands on 1 read-only layer. "
        "It wrote srv/a. From the top: base, 1.0 kB, named app:1."
    )


def test_a_web_server_in_sentences():
    told = describe(web())
    assert told.startswith("web runs. Its read-write layer holds 2.3 kB and stands on 8 read-only layers.")
    for sentence in (
        "It adds 1 path, changes 1 and removes 1.",
        "/home/me/site is at /srv/site, read-only.",
        "It is in the network shop as 10.5.0.6.",
        "3 processes: 1 nginx: master (on the host 41207), 22 nginx: worker (on the host 41261)",
        "Memory: 14.0 of 256.0 MB.",
        "Its union view is read-write. The read-write layer gives /run/nginx.pid, /usr/share/nginx/html/index.html.",
        "It removes /usr/share/nginx/html/old.html.",
    ):
        assert sentence in told


def test_an_image_in_sentences():
    assert describe(one()) == (
        "app:1 is a stack of 1 read-only layer, 1.0 kB in all. From the top: base, 1.0 kB, named app:1."
    )


def test_a_layer_says_what_it_lies_on():
    picture = Picture("layer", "0002c0ffeec0", stack("base", "COPY app"))
    assert describe(picture) == (
        "0002c0ffeec0 is a read-only layer on 1 other, 3.0 kB in all. From the top: COPY app, 2.0 kB; base, 1.0 kB."
    )


def test_a_host_in_sentences():
    told = describe(host())
    assert told.startswith(
        "This host has 11 images in 28 layers, 10 containers. On the ground: debian bookworm, 116.6 MB, named "
        "debian:12 and debian:latest; alpine 3.20, 7.8 MB, named alpine:3.20;"
    )
    assert told.endswith("db, on postgres:16, runs. web, on web:2, runs.")


def test_nobody_listens_to_five_hundred_layers():
    assert "; and 488 more." in describe(comb(500)._replace(about="image"))
    assert describe(comb(500)).endswith("And 488 more containers.")


def test_a_container_to_come_has_no_name_yet():
    assert (
        of_tray(in_state("created", id="new:1", name=None)) == "A new container has been created and has not run yet."
    )


@given(any_picture)
@settings(max_examples=60)
def test_every_text_is_harmless(picture: Picture):
    for text in (title(picture), describe(picture)):
        assert not [letter for letter in text if category(letter) in UNSEEN]


def test_gauges_are_told_in_their_units():
    assert signs.use(Gauge("memory", 14_000_000, 256_000_000)) == "14.0 of 256.0 MB"
    assert signs.use(Gauge("memory", 900_000, 2_000_000_000)) == "900.0 kB of 2.0 GB"
    assert signs.use(Gauge("cpus", 250, 1500)) == "0.25 of 1.5"
    assert signs.use(Gauge("processes", 3, None)) == "3, no limit"
    assert signs.use(Gauge("memory", None, 1000)) == "? of 1.0 kB"


def test_a_command_is_told_with_its_steps_and_that_nothing_has_been_done():
    told = describe_explanation(pictures.explain_commit())
    assert told.startswith("Input: a container; it may run or not. ")
    assert "Step 1: freeze web: no file may change half-way. It made 1 system call. Step 2: " in told
    assert told.endswith(" Nothing has been done.")


def test_a_command_that_would_be_refused_is_told_so():
    told = describe_explanation(pictures.explain_refused())
    assert told.endswith("it is running; stop it before, or use --force. Nothing would be done.")


def test_a_command_that_was_done_is_told_as_it_came():
    foretold = pictures.explain_commit()
    done = foretold._replace(truth=foretold.gives)
    assert describe_explanation(done).endswith("It was done, and all came as it was foretold.")
    other = done._replace(differences=("container web is not there",))
    assert describe_explanation(other).endswith("as it was foretold. container web is not there.")


def test_a_size_that_nobody_looked_to_the_end_of_is_told_as_the_least():
    tray = pictures.in_state(State.EXITED, exit_code=0, size=2_300, changes=Changes(3000, 0, 0), is_least=True)
    told = describe(one(tray, "debian bookworm"))
    assert "Its read-write layer holds at least 2.3 kB and stands on" in told
    assert "It adds 3000 paths, changes 0 and removes 0, or more." in told
    assert (signs.size(tray), signs.changes(tray)) == ("at least 2.3 kB", "+3000 ~0 −0 …")
    assert signs.size(tray._replace(size=None)) == "?"
