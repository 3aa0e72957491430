"""A host as a tree: every kind of line, drawn as a reader sees it. These drawings are the specification."""

from __future__ import annotations

from textwrap import dedent

from tests.view import pictures
from tests.view.pictures import in_state, stack
from tiffin.view import text
from tiffin.view.picture import Mark, Picture, Process, Slab, Space

PLAIN = text.Style(colour=False, utf8=True)
ASCII = text.Style(colour=False, utf8=False)


def drawn(picture: Picture, width: int, style: text.Style = PLAIN) -> str:
    return text.draw(picture, width=width, style=style)


def test_a_host_in_a_hundred_columns():
    assert drawn(pictures.host(), 100) == dedent(
        """\
        11 images in 28 layers, 595.9 MB (1.4 GB without sharing)
        ▶ 4 running   ‖ 1 paused   ↻ 1 restarting   ✓ 2 exited 0   ✗ 2 failed

              ┍━ ▶ api-1     running 2 h  ● ● ●                  shop · media         12.0 kB
              ┝━ ▶ api-2     running 2 h  ● ● ●                  shop · media         12.0 kB
            ┌─▒ COPY src /app  ◁ shop/api:7  ◁ shop/api:latest                         1.2 MB
            │ ╒═ ✓ api-old   exited 0, 3 d ago                                         4.1 MB
            ├─▒ COPY src /app  ◁ shop/api:6                                            1.2 MB
          ┌─▒ RUN pip install -r requirements.txt                                     38.1 MB
          │ ┍┅ ‖ worker-1    paused 2 h  ‖ ‖                     shop                 88.0 kB
          │ ┝━ ↻ worker-2    restarting, again in 1.6 s                               88.0 kB
          ├─▒ RUN pip install celery  ◁ worker:3                                      40.3 MB
        ┌─▒ 4 layers: RUN step 4  ◁ python:3.12                                       44.2 MB
        │ ┍━ ▶ db            running 2 h  ● ● ● ● ● ●            shop · pgdata           63 B
        ├─▒ 9 layers: RUN step 9  ◁ postgres:16                                      310.0 MB
        ╞═ ✓ happy           exited 0, 2 h ago                                            0 B
        ▒ debian bookworm  ◁ debian:12  ◁ debian:latest                              116.6 MB

              ┍━ ▶ web       running 2 h  ● ● ● ● ●              shop · 8080 → 80      2.3 kB
            ┌─▒ COPY site  ◁ web:2                                                     1.2 MB
            ├─▒ COPY site  ◁ web:1                                                     1.1 kB
          ┌─▒ COPY default.conf                                                        1.1 kB
        ┌─▒ 5 layers: RUN step 5  ◁ nginx:1.27                                        31.0 MB
        ╞═ ✗ crunch          out of memory, 64.0 MB, 2 h ago                           9.0 MB
        ╞═ ✗ report          exited 1, 5 min ago                                          0 B
        ▒ alpine 3.20  ◁ alpine:3.20                                                   7.8 MB

        ▒ busybox 1.36  ◁ busybox:1                                                    4.3 MB
        ▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔
        ▒ read-only layer   ◁ name   ═ read-write layer   ━ in a process space   ● process
        """
    )


def test_a_narrow_host_says_what_matters_most():
    assert drawn(pictures.host(), 48) == dedent(
        """\
        11 images in 28 layers, 595.9 MB
        (1.4 GB without sharing)
        ▶ 4 running   ‖ 1 paused   ↻ 1 restarting
        ✓ 2 exited 0   ✗ 2 failed

              ┍━ ▶ api-1   running 2 h  ● ● ●    12.0 kB
              ┝━ ▶ api-2   running 2 h  ● ● ●    12.0 kB
            ┌─▒ COPY src …  ◁ shop/api:7  ◁ s…    1.2 MB
            │ ╒═ ✓ api-old  exited 0, 3 d ago     4.1 MB
            ├─▒ COPY src /app  ◁ shop/api:6       1.2 MB
          ┌─▒ RUN pip install -r requirements…   38.1 MB
          │ ┍┅ ‖ worker-1  paused 2 h  ‖ ‖       88.0 kB
          │ ┝━ ↻ worker-2  restarting, again …   88.0 kB
          ├─▒ RUN pip install cel…  ◁ worker:3   40.3 MB
        ┌─▒ 4 layers: RUN step…  ◁ python:3.12   44.2 MB
        │ ┍━ ▶ db          running 2 h  ● ● ●…      63 B
        ├─▒ 9 layers: RUN step…  ◁ postgres:16  310.0 MB
        ╞═ ✓ happy         exited 0, 2 h ago         0 B
        ▒ debian book…  ◁ debian:12  ◁ debian…  116.6 MB

              ┍━ ▶ web     running 2 h  ● ● ●…    2.3 kB
            ┌─▒ COPY site  ◁ web:2                1.2 MB
            ├─▒ COPY site  ◁ web:1                1.1 kB
          ┌─▒ COPY default.conf                   1.1 kB
        ┌─▒ 5 layers: RUN step 5  ◁ nginx:1.27   31.0 MB
        ╞═ ✗ crunch        out of memory, 64.…    9.0 MB
        ╞═ ✗ report        exited 1, 5 min ago       0 B
        ▒ alpine 3.20  ◁ alpine:3.20              7.8 MB

        ▒ busybox 1.36  ◁ busybox:1               4.3 MB
        ▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔
        ▒ read-only layer   ◁ name   ═ read-write layer
        ━ in a process space   ● process
        """
    )


def test_a_host_without_utf8():
    assert drawn(pictures.host(), 80, ASCII) == dedent(
        """\
        11 images in 28 layers, 595.9 MB (1.4 GB without sharing)
        [4 running]   [1 paused]   [1 restarting]   [2 exited 0]   [2 failed]

              ## api-1     [running 2 h]  * * *             shop , media         12.0 kB
              ## api-2     [running 2 h]  * * *             shop , media         12.0 kB
            +-[ro] COPY src /app  < shop/api:7  < shop/api:latest                 1.2 MB
            | == api-old   [exited 0, 3 d ago]                                    4.1 MB
            +-[ro] COPY src /app  < shop/api:6                                    1.2 MB
          +-[ro] RUN pip install -r requirements.txt                             38.1 MB
          | ## worker-1    [paused 2 h]  = =                shop                 88.0 kB
          | ## worker-2    [restarting], again in 1.6 s                          88.0 kB
          +-[ro] RUN pip install celery  < worker:3                              40.3 MB
        +-[ro] 4 layers: RUN step 4  < python:3.12                               44.2 MB
        | ## db            [running 2 h]  * * * * * *       shop , pgdata           63 B
        +-[ro] 9 layers: RUN step 9  < postgres:16                              310.0 MB
        == happy           [exited 0, 2 h ago]                                       0 B
        [ro] debian bookworm  < debian:12  < debian:latest                      116.6 MB

              ## web       [running 2 h]  * * * * *         shop , 8080 > 80      2.3 kB
            +-[ro] COPY site  < web:2                                             1.2 MB
            +-[ro] COPY site  < web:1                                             1.1 kB
          +-[ro] COPY default.conf                                                1.1 kB
        +-[ro] 5 layers: RUN step 5  < nginx:1.27                                31.0 MB
        == crunch          [out of memory, 64.0 MB, 2 h ago]                      9.0 MB
        == report          [exited 1, 5 min ago]                                     0 B
        [ro] alpine 3.20  < alpine:3.20                                           7.8 MB

        [ro] busybox 1.36  < busybox:1                                            4.3 MB
        ________________________________________________________________________________
        [ro] read-only layer   < name   = read-write layer   # in a process space
        * process
        """
    )


def test_many_containers_of_one_kind_are_one_line():
    assert drawn(pictures.crowd(12), 80) == dedent(
        """\
        1 image in 1 layer, 1.0 kB
        ▶ 6 running   ‖ 2 paused   ✓ 2 exited 0   ✗ 2 failed

        ┍━ api × 12  ▶▶▶▶▶▶‖‖✓✓✗✗  6 running, 2 paused, 2 exited 0, 2 failed         0 B
        ▒ alpine 3.20  ◁ api:1                                                    1.0 kB
        ▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔
        ▒ read-only layer   ◁ name   ═ read-write layer   ━ in a process space
        ● process
        """
    )


def test_very_many_are_counted():
    assert drawn(pictures.crowd(30), 80) == dedent(
        """\
        1 image in 1 layer, 1.0 kB
        ▶ 15 running   ‖ 5 paused   ✓ 5 exited 0   ✗ 5 failed

        ┍━ api × 30  15 running, 5 paused, 5 exited 0, 5 failed         0 B
        ▒ alpine 3.20  ◁ api:1                                       1.0 kB
        ▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔
        ▒ read-only layer   ◁ name   ═ read-write layer   ━ in a process space
        ● process
        """
    )


def test_a_crowd_without_utf8_is_counted_too():
    assert drawn(pictures.crowd(12), 80, ASCII) == dedent(
        """\
        1 image in 1 layer, 1.0 kB
        [6 running]   [2 paused]   [2 exited 0]   [2 failed]

        ## api x 12  6 running, 2 paused, 2 exited 0, 2 failed         0 B
        [ro] alpine 3.20  < api:1                                   1.0 kB
        __________________________________________________________________
        [ro] read-only layer   < name   = read-write layer   # in a process space
        * process
        """
    )


def marked() -> Picture:
    below, going, new = stack("base", "COPY old", "COPY new")
    slabs = (below, going._replace(mark=Mark.GOING), new._replace(parent=below.id, mark=Mark.NEW, names=("app:2",)))
    trays = (in_state("exited", exit_code=0, on=going.id, mark=Mark.GOING), in_state("created", id="ab" * 32, name="b",
             on=new.id, mark=Mark.NEW))  # fmt: skip
    return Picture("host", "this host", slabs, trays)


def test_marks_are_words_and_dashes():
    assert drawn(marked(), 60) == dedent(
        """\
        0 images in 3 layers, 6.0 kB   ○ 1 created   ✓ 1 exited 0

          ╒═ ○ b  new           created                          0 B
        ┌─▒ COPY new  new  ◁ app:2                            3.0 kB
        │ ╒╌ ✓ app-1  ↑ going   exited 0                         0 B
        ├╌▒ COPY old  ↑ going                                 2.0 kB
        ▒ base                                                1.0 kB
        ▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔
        ▒ read-only layer   ◁ name   ═ read-write layer
        ━ in a process space
        """
    )


def test_what_is_too_deep_is_cut_at_the_left():
    assert drawn(pictures.comb(12), 40) == dedent(
        """\
        0 images in 12 layers, 78.0 kB
        ✓ 12 exited 0

        …                   ╒═ ✓ c11         0 B
                            ┌─▒ RUN s…   12.0 kB
                            ╞═ ✓ c10         0 B
                          ┌─▒ RUN ste…   11.0 kB
                          ╞═ ✓ c9  ex…       0 B
                        ┌─▒ RUN step 9   10.0 kB
                        ╞═ ✓ c8  exit…       0 B
                      ┌─▒ RUN step 8      9.0 kB
                      ╞═ ✓ c7  exited…       0 B
                    ┌─▒ RUN step 7        8.0 kB
                    ╞═ ✓ c6  exited 0…       0 B
                  ┌─▒ RUN step 6          7.0 kB
                  ╞═ ✓ c5  exited 0, …       0 B
                ┌─▒ RUN step 5            6.0 kB
                ╞═ ✓ c4  exited 0, 5 …       0 B
              ┌─▒ RUN step 4              5.0 kB
              ╞═ ✓ c3   exited 0, 5 m…       0 B
            ┌─▒ RUN step 3                4.0 kB
            ╞═ ✓ c2     exited 0, 5 m…       0 B
          ┌─▒ RUN step 2                  3.0 kB
          ╞═ ✓ c1       exited 0, 5 m…       0 B
        ┌─▒ RUN step 1                    2.0 kB
        ╞═ ✓ c0         exited 0, 5 m…       0 B
        ▒ RUN step 0                      1.0 kB
        ▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔
        ▒ read-only layer   ◁ name
        ═ read-write layer
        ━ in a process space
        """
    )


def test_containers_and_images_without_layers_stand_on_the_ground():
    assert drawn(
        Picture("host", "this host", trays=(in_state("created"),), ground_images=("a",), ground_names=("nothing:1",)),
        50,
    ) == dedent(
        """\
        1 image in 0 layers, 0 B   ○ 1 created

        ═ ○ app-1   created                            0 B
        ◁ nothing:1  no layers
        ▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔
        ▒ read-only layer   ◁ name   ═ read-write layer
        ━ in a process space
        """
    )


def test_an_empty_host_is_only_ground():
    assert drawn(Picture("host", "this host"), 50) == dedent(
        """\
        0 images in 0 layers, 0 B

        ▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔▔
        """
    )


def test_many_processes_are_a_number():
    busy = in_state("running", space=Space(tuple(Process(n, n, 0, "x") for n in range(1, 13))))
    assert "● ● ● ● ● ● ● ● +4" in drawn(Picture("host", "this host", trays=(busy,)), 80)


def test_an_unknown_size_is_a_question_mark():
    picture = Picture("host", "this host", (Slab("a", None, "base"),))
    assert drawn(picture, 40).splitlines()[2] == "▒ base".ljust(39) + "?"


def test_the_later_of_two_is_above_and_containers_are_right_on_their_layer():
    below, *others = stack("base", "first", "second")
    trays = (in_state("created", id="a", name="one", on=below.id), in_state("created", id="b", name="two", on=below.id))
    slabs = (below, *(slab._replace(parent=below.id) for slab in others))
    drawing = drawn(Picture("host", "this host", slabs, trays), 60)
    lines = [line for line in drawing.splitlines() if line.startswith(("┌", "├", "╒", "╞"))]
    assert [line.split()[1:3] for line in lines] == [["second", "3.0"], ["first", "2.0"], ["○", "one"], ["○", "two"]]
