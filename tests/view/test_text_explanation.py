"""A command as before and after, drawn as a reader sees it. These drawings are the specification."""

from __future__ import annotations

from textwrap import dedent

from hypothesis import given, settings

from tests.view import pictures
from tests.view.arbitrary import explanations
from tiffin.view import text
from tiffin.view.explanation import Explanation, PlannedStep
from tiffin.view.layout import lay_out_both
from tiffin.view.picture import Card, Mark, Picture
from tiffin.view.text.cells import Sheet
from tiffin.view.text.towers import draw_towers

PLAIN = text.Style(colour=False, utf8=True)
ASCII = text.Style(colour=False, utf8=False)


def drawn(explanation: Explanation, width: int, style: text.Style = PLAIN) -> str:
    return text.draw_explanation(explanation, width=width, style=style)


def test_exec_adds_a_process():
    assert drawn(pictures.explain_exec(), 80) == dedent(
        """\
        INPUT     a running container

                  ┏━ process space ━━━━━━━━━━━━━━━━━━━━━━━ ▶ running ━━┓
                  ┃ ● 1 sleep                                          ┃
                  ┃ ║                                                ║ ┃
                  ┃ ║ ✎ app-1  7e577e577e57                      0 B ║ ┃
                  ┃ ╚════════════════════════════════════════════════╝ ┃
                  ┃ ┌───▾────────────────────────────────────────────┐ ┃
                  ┃ │▒ debian bookworm                        1.0 kB │ ┃
                  ┃ │▒ 0001c0ffeec0                          ◁ app:1 │ ┃
                  ┃ └────────────────────────────────────────────────┘ ┃
                  ┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛

                  exec runs one more program in there.

        STEPS      1  execute ls -l /   become the program

        OUTPUT    a running container

                  ┏━ process space ━━━━━━━━━━━━━━━━━━━━━━━ ▶ running ━━┓
                  ┃ ● 1 sleep  ● new ls -l /                           ┃
                  ┃ ║                                                ║ ┃
                  ┃ ║ ✎ app-1  7e577e577e57                          ║ ┃
                  ┃ ╚════════════════════════════════════════════════╝ ┃
                  ┃ ┌───▾────────────────────────────────────────────┐ ┃
                  ┃ │▒ debian bookworm                        1.0 kB │ ┃
                  ┃ │▒ 0001c0ffeec0                          ◁ app:1 │ ┃
                  ┃ └────────────────────────────────────────────────┘ ┃
                  ┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛

        Nothing has been done. Do it: tiffin explain --do exec app-1 ls -l /
        """
    )


def test_commit_adds_a_layer_beside_the_container():
    assert drawn(pictures.explain_commit(), 100) == dedent(
        """\
        INPUT     a container; it may run or not

                  ┏━ process space ━━━━━ ▶ running ━━┓
                  ┃ ● 1 nginx: master  ● 22  ● 23    ┃
                  ┃ ║                              ║ ┃
                  ┃ ║ ✎ web  c4e81b90d2f6   2.3 kB ║ ┃
                  ┃ ╚══════════════════════════════╝ ┃
                  ┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛
                  ┌─────▾──────────────────────────────────────────────────────────────────┐
                  │▒ 2 layers: COPY site /usr/share/nginx/html                      1.2 MB │
                  │▒ d81f6c03b9ae                                                  ◁ web:1 │
                  ├───▾────────────────────────────────────────────────────────────────────┤
                  │▒ 5 layers: RUN apk add nginx                                   30.1 MB │
                  │▒ 77ab03e91f42                                             ◁ nginx:1.27 │
                  ├───▾────────────────────────────────────────────────────────────────────┤
                  │▒ alpine 3.20                                                    7.8 MB │
                  │▒ 4fd03ab18c77                                            ◁ alpine:3.20 │
                  └────────────────────────────────────────────────────────────────────────┘

                  commit burns the read-write layer of web into a new read-only layer and names the
                  image web:2. web itself goes on as before.

        STEPS      1  freeze web                  no file may change half-way  90 µs
                      write(5, "1") = 1
                   2  read the read-write layer   +1 ~1 −1, 2.3 kB
                   3  write the new layer         on d81f6c03b9ae, its parent
                   4  let web go on               frozen for about 5 ms
                   5  record the new image        settings of web
                   6  point web:2 at it           from here on it exists

        OUTPUT    an image, beside the container, on the same layers

                  ┏━ process space ━━━━━ ▶ running ━━┓
                  ┃ ● 1 nginx: master  ● 22  ● 23    ┃
                  ┃ ║                              ║ ┃  ┌──────────────────────────────────┐
                  ┃ ║ ✎ web  c4e81b90d2f6   2.3 kB ║ ┃  │▒ commit of web            2.3 kB │
                  ┃ ╚══════════════════════════════╝ ┃  │▒ new                     ◁ web:2 │
                  ┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛  └──────────────────────────────────┘
                  ┌─────▾───────────────────────────────────▾──────────────────────────────┐
                  │▒ 2 layers: COPY site /usr/share/nginx/html                      1.2 MB │
                  │▒ d81f6c03b9ae                                                  ◁ web:1 │
                  ├───▾────────────────────────────────────────────────────────────────────┤
                  │▒ 5 layers: RUN apk add nginx                                   30.1 MB │
                  │▒ 77ab03e91f42                                             ◁ nginx:1.27 │
                  ├───▾────────────────────────────────────────────────────────────────────┤
                  │▒ alpine 3.20                                                    7.8 MB │
                  │▒ 4fd03ab18c77                                            ◁ alpine:3.20 │
                  └────────────────────────────────────────────────────────────────────────┘

        Nothing has been done. Do it: tiffin explain --do commit web web:2
        """
    )


def test_commit_without_utf8():
    assert drawn(pictures.explain_commit(), 80, ASCII) == dedent(
        """\
        INPUT     a container; it may run or not

                  ## process space ### [running] ###
                  # * 1 nginx: master  * 22  * 23  #
                  # =                            = #
                  # = [rw] web            2.3 kB = #
                  # ============================== #
                  ##################################
                  +-----v--------------------------------------------------------------+
                  |[ro] 2 layers: COPY site /usr/share/nginx/html               1.2 MB |
                  |     d81f6c03b9ae                                           < web:1 |
                  +---v----------------------------------------------------------------+
                  |[ro] 5 layers: RUN apk add nginx                            30.1 MB |
                  |     77ab03e91f42                                      < nginx:1.27 |
                  +---v----------------------------------------------------------------+
                  |[ro] alpine 3.20                                             7.8 MB |
                  |     4fd03ab18c77                                     < alpine:3.20 |
                  +--------------------------------------------------------------------+

                  commit burns the read-write layer of web into a new read-only layer
                  and names the image web:2. web itself goes on as before.

        STEPS      1  freeze web                  no file may change half-way  90 us
                      write(5, "1") = 1
                   2  read the read-write layer   +1 ~1 -1, 2.3 kB
                   3  write the new layer         on d81f6c03b9ae, its parent
                   4  let web go on               frozen for about 5 ms
                   5  record the new image        settings of web
                   6  point web:2 at it           from here on it exists

        OUTPUT    an image, beside the container, on the same layers

                  ## process space ### [running] ###
                  # * 1 nginx: master  * 22  * 23  #
                  # =                            = #  +--------------------------------+
                  # = [rw] web            2.3 kB = #  |[ro] commit of web       2.3 kB |
                  # ============================== #  |     new                < web:2 |
                  ##################################  +--------------------------------+
                  +-----v---------------------------------v----------------------------+
                  |[ro] 2 layers: COPY site /usr/share/nginx/html               1.2 MB |
                  |     d81f6c03b9ae                                           < web:1 |
                  +---v----------------------------------------------------------------+
                  |[ro] 5 layers: RUN apk add nginx                            30.1 MB |
                  |     77ab03e91f42                                      < nginx:1.27 |
                  +---v----------------------------------------------------------------+
                  |[ro] alpine 3.20                                             7.8 MB |
                  |     4fd03ab18c77                                     < alpine:3.20 |
                  +--------------------------------------------------------------------+

        Nothing has been done. Do it: tiffin explain --do commit web web:2
        """
    )


def test_where_towers_have_no_room_trees_are_drawn():
    assert drawn(pictures.explain_commit(), 48) == dedent(
        """\
        INPUT
        a container; it may run or not

            ┍━ ▶ web   running 2 h 43 min  ● …    2.3 kB
          ┌─▒ 2 layers: COPY site /u…  ◁ web:1    1.2 MB
        ┌─▒ 5 layers: RUN apk a…  ◁ nginx:1.27   30.1 MB
        ▒ alpine 3.20  ◁ alpine:3.20              7.8 MB
        ▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔

        commit burns the read-write layer of web into a
        new read-only layer and names the image web:2.
        web itself goes on as before.

        STEPS
         1  freeze web
            no file may change half-way  90 µs
            write(5, "1") = 1
         2  read the read-write layer
            +1 ~1 −1, 2.3 kB
         3  write the new layer
            on d81f6c03b9ae, its parent
         4  let web go on
            frozen for about 5 ms
         5  record the new image
            settings of web
         6  point web:2 at it
            from here on it exists

        OUTPUT
        an image, beside the container, on the same
        layers

            ┌─▒ commit of web  new  ◁ web:2       2.3 kB
            ┝━ ▶ web   running 2 h 43 min  ● …    2.3 kB
          ┌─▒ 2 layers: COPY site /u…  ◁ web:1    1.2 MB
        ┌─▒ 5 layers: RUN apk a…  ◁ nginx:1.27   30.1 MB
        ▒ alpine 3.20  ◁ alpine:3.20              7.8 MB
        ▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔

        Nothing has been done. Do it:
        tiffin explain --do commit web web:2
        """
    )


def test_a_compound_verb_shows_its_parts():
    assert drawn(pictures.explain_run(), 100) == dedent(
        """\
        INPUT     an image named debian

                    ┌────────────────────────────────────────────────┐
                    │▒ debian bookworm                      116.6 MB │
                    │▒ 0001c0ffeec0     ◁ debian:12  ◁ debian:latest │
                    └────────────────────────────────────────────────┘

                  run = create + start
                  run makes a container on the image debian (create) and puts a process space around
                  it, in which touch happiness.txt runs (start). When touch ends, the container stays,
                  stopped, with what it wrote.

        create    create adds a read-write layer on top of debian. Nothing runs yet.
                   1  find debian                          it is here; nothing is fetched
                   2  make the read-write layer            an empty folder; only this container writes there
                   3  name it                              the commit point: from here on it exists

        start     start puts a process space around it, in which touch happiness.txt runs.
                   4  make a cgroup                        so that its memory, CPU and processes are counted
                   5  unshare mounts, processes, network   so that it sees only its own
                   6  run touch happiness.txt              touch becomes process 1

        OUTPUT    a container, not running

                  ┏━━               ? exited with its program's code ━━┓
                    ║                                                ║
                    ║ ✎ read-write layer  new                        ║
                    ╚════════════════════════════════════════════════╝
                    ┌───▾────────────────────────────────────────────┐
                    │▒ debian bookworm                      116.6 MB │
                    │▒ 0001c0ffeec0     ◁ debian:12  ◁ debian:latest │
                    └────────────────────────────────────────────────┘
                  ┗━━                                                ━━┛

        Nothing has been done. Do it: tiffin explain --do run debian touch happiness.txt
        """
    )


def test_what_goes_away_is_dashed_before_and_not_there_after():
    assert drawn(pictures.explain_rm(), 80) == dedent(
        """\
        INPUT     a container that does not run

                  ┏━━                                     ✓ exited 0 ━━┓
                    ╎                                                ╎
                    ╎ ↑ ✎ app-1  7e577e577e57                14.0 kB ╎
                    ╚╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╝
                    ┌───▾────────────────────────────────────────────┐
                    │▒ 2 layers: COPY app /app                3.0 kB │
                    │▒ 0002c0ffeec0                          ◁ app:1 │
                    └────────────────────────────────────────────────┘
                  ┗━━                                                ━━┛

                  rm takes the read-write layer away.

        STEPS      1  take away the record of app-1   the commit point: from here on it
                                                      is gone
                   2  remove the read-write layer     14.0 kB of its own; the layers
                                                      below stay

        OUTPUT    the image stays

                    ┌────────────────────────────────────────────────┐
                    │▒ 2 layers: COPY app /app                3.0 kB │
                    │▒ 0002c0ffeec0                          ◁ app:1 │
                    └────────────────────────────────────────────────┘

        Nothing has been done. Do it: tiffin explain --do rm app-1
        """
    )


def test_what_is_refused_stays_as_it_was():
    assert drawn(pictures.explain_refused(), 80) == dedent(
        """\
        INPUT     a container that does not run

                  ┏━ process space ━━━━━━━━━━━━━━━━━━━━━━━ ▶ running ━━┓
                  ┃ ● 1 nginx: master  ● 22  ● 23                      ┃
                  ┃ ║                                                ║ ┃
                  ┃ ║ ✎ web  c4e81b90d2f6                     2.3 kB ║ ┃
                  ┃ ╚════════════════════════════════════════════════╝ ┃
                  ┃ ┌───▾────────────────────────────────────────────┐ ┃
                  ┃ │▒ 2 layers: COPY site /usr/share/nginx/… 1.2 MB │ ┃
                  ┃ │▒ d81f6c03b9ae                          ◁ web:1 │ ┃
                  ┃ ├───▾────────────────────────────────────────────┤ ┃
                  ┃ │▒ 5 layers: RUN apk add nginx           30.1 MB │ ┃
                  ┃ │▒ 77ab03e91f42                     ◁ nginx:1.27 │ ┃
                  ┃ ├───▾────────────────────────────────────────────┤ ┃
                  ┃ │▒ alpine 3.20                            7.8 MB │ ┃
                  ┃ │▒ 4fd03ab18c77                    ◁ alpine:3.20 │ ┃
                  ┃ └────────────────────────────────────────────────┘ ┃
                  ┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛

                  rm takes the read-write layer away.

        REFUSED   cannot remove container web: it is running; stop it before, or use
                  --force

        OUTPUT    as before

                  ┏━ process space ━━━━━━━━━━━━━━━━━━━━━━━ ▶ running ━━┓
                  ┃ ● 1 nginx: master  ● 22  ● 23                      ┃
                  ┃ ║                                                ║ ┃
                  ┃ ║ ✎ web  c4e81b90d2f6                     2.3 kB ║ ┃
                  ┃ ╚════════════════════════════════════════════════╝ ┃
                  ┃ ┌───▾────────────────────────────────────────────┐ ┃
                  ┃ │▒ 2 layers: COPY site /usr/share/nginx/… 1.2 MB │ ┃
                  ┃ │▒ d81f6c03b9ae                          ◁ web:1 │ ┃
                  ┃ ├───▾────────────────────────────────────────────┤ ┃
                  ┃ │▒ 5 layers: RUN apk add nginx           30.1 MB │ ┃
                  ┃ │▒ 77ab03e91f42                     ◁ nginx:1.27 │ ┃
                  ┃ ├───▾────────────────────────────────────────────┤ ┃
                  ┃ │▒ alpine 3.20                            7.8 MB │ ┃
                  ┃ │▒ 4fd03ab18c77                    ◁ alpine:3.20 │ ┃
                  ┃ └────────────────────────────────────────────────┘ ┃
                  ┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛

        Nothing would be done.
        """
    )


def test_what_was_done_is_compared_with_what_was_foretold():
    told = pictures.explain_rm()
    done = told._replace(truth=told.gives)
    assert drawn(done, 80).splitlines()[-1] == "Done. As foretold."
    wrong = done._replace(differences=("container app-1 is there, which was not foretold",))
    assert drawn(wrong, 80).splitlines()[-2:] == [
        "Done, and not as foretold:",
        "  · container app-1 is there, which was not foretold",
    ]


def test_each_call_stands_below_its_step_with_the_time_it_took():
    steps = (PlannedStep("make a cgroup", "so that all is counted", ('mkdir("/sys/fs/cgroup/x") = 0',), 1_230_000),)
    lines = drawn(pictures.explain_rm()._replace(steps=steps), 80).splitlines()
    at = lines.index("STEPS      1  make a cgroup   so that all is counted  1.2 ms")
    assert lines[at + 1] == '              mkdir("/sys/fs/cgroup/x") = 0'


def test_remarks_stand_before_the_end():
    lines = drawn(pictures.explain_rm()._replace(remarks=("A shell cannot do this.",)), 80).splitlines()
    assert lines[-3:-1] == ["          A shell cannot do this.", ""]


def test_a_tar_is_a_card_and_nothing_is_a_word():
    tar = Picture("host", "this host", cards=(Card("tar", "app.tar", (("layers", "2"),)),))
    told = Explanation(
        "load -i app.tar", tar, "a tar", "It is read.", (), Picture("host", "this host"), "", frozenset()
    )
    assert drawn(told, 40).splitlines()[:10] == [
        "INPUT",
        "a tar",
        "",
        "┌ tar app.tar ─────────────────────────╲",
        "│ layers  2                            │",
        "└──────────────────────────────────────┘",
        "",
        "It is read.",
        "",
        "OUTPUT",
    ]
    assert "nothing" in drawn(told, 40)


# --- before and after


def found(sheet: Sheet, text: str) -> tuple[int, int] | None:
    """Rows from the ground up, and columns from the left."""
    for row, line in enumerate(reversed(list(sheet.lines()))):
        if text in line:
            return row, line.index(text)
    return None


@given(explanations())
@settings(max_examples=40)
def test_what_stays_has_the_same_place_before_and_after(explanation: Explanation):
    def labelled(picture: Picture) -> Picture:
        slabs = (s._replace(label=f"L{s.id[-4:]}.", mark=Mark.NONE, names=(f"N{s.id[-4:]}.",)) for s in picture.slabs)
        return picture._replace(slabs=tuple(slabs))

    before, after = labelled(explanation.input), labelled(explanation.output)
    sheets = draw_towers(*lay_out_both(before, after), 300, PLAIN)
    assert sheets is not None
    assert sheets[0].height == sheets[1].height
    for slab in before.slabs:
        if slab in after.slabs:
            places = [found(sheet, slab.label) for sheet in sheets]
            assert places[0] is not None
            assert places[0] == places[1]
