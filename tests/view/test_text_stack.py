"""One stack in full: every element and every state, drawn as a reader sees it. These drawings are the specification."""

from __future__ import annotations

from textwrap import dedent

import pytest

from tests.view import pictures
from tests.view.pictures import in_state, one, stack, states
from tiffin.model.nouns import State
from tiffin.view import text
from tiffin.view.picture import Card, Changes, Gauge, Mark, Picture, Process, Row, Slab, Space, Tray, View

PLAIN = text.Style(colour=False, utf8=True)
ASCII = text.Style(colour=False, utf8=False)


def drawn(picture: Picture, width: int = 60, style: text.Style = PLAIN) -> str:
    return text.draw(picture, width=width, style=style)


def test_a_running_container_in_a_hundred_columns():
    assert drawn(pictures.web(), 100) == dedent(
        """\
        web  ▶ running 2 h 43 min   on image web:1   network shop 10.5.0.6   host 8080 → 80

        ┏━ process space ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ ▶ running ━━┓
        ┃                                                                                                  ┃
        ┃  ● 1 nginx: master        host 41207                  memory     14.0 of 256.0 MB  ■□□□□□□□      ┃
        ┃  ├─ ● 22 nginx: worker    host 41261                  processes          3 of 100  ■□□□□□□□      ┃
        ┃  └─ ● 23 nginx: worker    host 41262                  cpus         0.02, no limit                ┃
        ┃                                                                                                  ┃
        ┃      ║                                             ║  ┌ union view ─────────────── read-write ┐  ┃
        ┃   rw ║ ✎ read-write layer                   2.3 kB ║  │ etc/                                  │  ┃
        ┃      ║   c4e81b90d2f6                     +1 ~1 −1 ║  │ ├ nginx/                              │  ┃
        ┃      ╚═════════════════════════════════════════════╝  │ │ ├ conf.d/                           │  ┃
        ┃      ┌───▾─────────────────────────────────────────┐  │ │ │ └ default.conf          7 hides 6 │  ┃
        ┃    8 │▒ COPY site /usr/share/nginx/html     1.2 MB │  │ │ ├ mime.types                      6 │  ┃
        ┃      │▒ d81f6c03b9ae                       ◁ web:1 │  │ │ └ nginx.conf                      6 │  ┃
        ┃      ├───▾─────────────────────────────────────────┤  │ └ passwd                    7 hides 1 │  ┃
        ┃    7 │▒ COPY default.conf /etc/nginx        1.1 kB │  │ run/                                  │  ┃
        ┃      │▒ 5c20ee81f4d9                               │  │ └ nginx.pid                        rw │  ┃
        ┃      ├┄┄┄▾┄ EXPOSE 80, CMD nginx ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┤  │ usr/share/nginx/html/                 │  ┃
        ┃    6 │▒ RUN apk add nginx                  30.1 MB │  │ ├ 50x.html                          8 │  ┃
        ┃      │▒ 77ab03e91f42                  ◁ nginx:1.27 │  │ ├ img/                    31 names  8 │  ┃
        ┃      ├───▾─────────────────────────────────────────┤  │ ├ index.html               rw hides 8 │  ┃
        ┃  2–5 │▒ 4 more layers                      12.0 kB │  │ └ ✕ old.html             rw removes 8 │  ┃
        ┃      ├───▾─────────────────────────────────────────┤  │ var/                                  │  ┃
        ┃    1 │▒ alpine 3.20                         7.8 MB │  │ └ log/nginx/access.log → /dev/stdo… 6 │  ┃
        ┃      │▒ 4fd03ab18c77                 ◁ alpine:3.20 │  │ … 12 more                             │  ┃
        ┃      └─────────────────────────────────────────────┘  └───────────────────────────────────────┘  ┃
        ┃                                                                                                  ┃
        ┃  its own       mounts, processes, network, ipc, host name, cgroups                               ┃
        ┃  the host's    users, clocks                                                                     ┃
        ┃  cgroup        /tiffin/c4e81b90d2f6                                                              ┃
        ┃  capabilities  27 of 41 taken away                                                               ┃
        ┃  system calls  61 barred                                                                         ┃
        ┃  privileges    no new ones                                                                       ┃
        ┃                                                                                                  ┃
        ┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛

           volume  pgdata 412.0 MB → /var/lib/postgresql
           folder  /home/me/site → /srv/site, read-only

        ┌ container web ────────────────────────────────────────────────────────────╲
        │ id       c4e81b90d2f60000000000000000000000000000000000000000000000000000 │
        │ command  nginx -g daemon off;                                             │
        │ user     root                                                             │
        └───────────────────────────────────────────────────────────────────────────┘
        """
    )


def test_a_running_container_in_eighty_columns():
    assert drawn(pictures.web(), 80) == dedent(
        """\
        web  ▶ running 2 h 43 min   on image web:1   network shop 10.5.0.6
        host 8080 → 80

        ┏━ process space ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ ▶ running ━━┓
        ┃                                                                              ┃
        ┃  ● 1 nginx: master        host 41207       memory     14.0 of 256.0 MB  ■□□  ┃
        ┃  ├─ ● 22 nginx: worker    host 41261       processes          3 of 100  ■□□  ┃
        ┃  └─ ● 23 nginx: worker    host 41262       cpus         0.02, no limit       ┃
        ┃                                                                              ┃
        ┃      ║                                  ║  ┌ union view ────── read-write ┐  ┃
        ┃   rw ║ ✎ read-write layer        2.3 kB ║  │ etc/                         │  ┃
        ┃      ║   c4e81b90d2f6          +1 ~1 −1 ║  │ ├ nginx/                     │  ┃
        ┃      ╚══════════════════════════════════╝  │ │ ├ conf.d/                  │  ┃
        ┃      ┌───▾──────────────────────────────┐  │ │ │ └ default.conf 7 hides 6 │  ┃
        ┃    8 │▒ COPY site /usr/share/ng… 1.2 MB │  │ │ ├ mime.types             6 │  ┃
        ┃      │▒ d81f6c03b9ae            ◁ web:1 │  │ │ └ nginx.conf             6 │  ┃
        ┃      ├───▾──────────────────────────────┤  │ └ passwd           7 hides 1 │  ┃
        ┃    7 │▒ COPY default.conf /etc/… 1.1 kB │  │ run/                         │  ┃
        ┃      │▒ 5c20ee81f4d9                    │  │ └ nginx.pid               rw │  ┃
        ┃      ├┄┄┄▾┄ EXPOSE 80, CMD nginx ┄┄┄┄┄┄┄┤  │ usr/share/nginx/html/        │  ┃
        ┃    6 │▒ RUN apk add nginx       30.1 MB │  │ ├ 50x.html                 8 │  ┃
        ┃      │▒ 77ab03e91f42       ◁ nginx:1.27 │  │ ├ img/           31 names  8 │  ┃
        ┃      ├───▾──────────────────────────────┤  │ ├ index.html      rw hides 8 │  ┃
        ┃  2–5 │▒ 4 more layers           12.0 kB │  │ └ ✕ old.html    rw removes 8 │  ┃
        ┃      ├───▾──────────────────────────────┤  │ var/                         │  ┃
        ┃    1 │▒ alpine 3.20              7.8 MB │  │ └ log/nginx/access.log → … 6 │  ┃
        ┃      │▒ 4fd03ab18c77      ◁ alpine:3.20 │  │ … 12 more                    │  ┃
        ┃      └──────────────────────────────────┘  └──────────────────────────────┘  ┃
        ┃                                                                              ┃
        ┃  its own       mounts, processes, network, ipc, host name, cgroups           ┃
        ┃  the host's    users, clocks                                                 ┃
        ┃  cgroup        /tiffin/c4e81b90d2f6                                          ┃
        ┃  capabilities  27 of 41 taken away                                           ┃
        ┃  system calls  61 barred                                                     ┃
        ┃  privileges    no new ones                                                   ┃
        ┃                                                                              ┃
        ┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛

           volume  pgdata 412.0 MB → /var/lib/postgresql
           folder  /home/me/site → /srv/site, read-only

        ┌ container web ────────────────────────────────────────────────────────────╲
        │ id       c4e81b90d2f60000000000000000000000000000000000000000000000000000 │
        │ command  nginx -g daemon off;                                             │
        │ user     root                                                             │
        └───────────────────────────────────────────────────────────────────────────┘
        """
    )


def test_a_running_container_without_utf8():
    assert drawn(pictures.web(), 80, ASCII) == dedent(
        """\
        web  [running 2 h 43 min]   on image web:1   network shop 10.5.0.6
        host 8080 > 80

        ## process space ################################################# [running] ###
        #                                                                              #
        #  * 1 nginx: master        host 41207       memory     14.0 of 256.0 MB  *..  #
        #  +- * 22 nginx: worker    host 41261       processes          3 of 100  *..  #
        #  +- * 23 nginx: worker    host 41262       cpus         0.02, no limit       #
        #                                                                              #
        #      =                                  =  + union view ------ read-write +  #
        #   rw = [rw] read-write layer     2.3 kB =  | etc/                         |  #
        #      =      c4e81b90d2f6       +1 ~1 -1 =  | + nginx/                     |  #
        #      ====================================  | | + conf.d/                  |  #
        #      +---v------------------------------+  | | | + default.conf 7 hides 6 |  #
        #    8 |[ro] COPY site /usr/share~ 1.2 MB |  | | + mime.types             6 |  #
        #      |     d81f6c03b9ae         < web:1 |  | | + nginx.conf             6 |  #
        #      +---v------------------------------+  | + passwd           7 hides 1 |  #
        #    7 |[ro] COPY default.conf /e~ 1.1 kB |  | run/                         |  #
        #      |     5c20ee81f4d9                 |  | + nginx.pid               rw |  #
        #      +...v. EXPOSE 80, CMD nginx .......+  | usr/share/nginx/html/        |  #
        #    6 |[ro] RUN apk add nginx    30.1 MB |  | + 50x.html                 8 |  #
        #      |     77ab03e91f42    < nginx:1.27 |  | + img/           31 names  8 |  #
        #      +---v------------------------------+  | + index.html      rw hides 8 |  #
        #  2-5 |[ro] 4 more layers        12.0 kB |  | + x old.html    rw removes 8 |  #
        #      +---v------------------------------+  | var/                         |  #
        #    1 |[ro] alpine 3.20           7.8 MB |  | + log/nginx/access.log > ~ 6 |  #
        #      |     4fd03ab18c77   < alpine:3.20 |  | ~ 12 more                    |  #
        #      +----------------------------------+  +------------------------------+  #
        #                                                                              #
        #  its own       mounts, processes, network, ipc, host name, cgroups           #
        #  the host's    users, clocks                                                 #
        #  cgroup        /tiffin/c4e81b90d2f6                                          #
        #  capabilities  27 of 41 taken away                                           #
        #  system calls  61 barred                                                     #
        #  privileges    no new ones                                                   #
        #                                                                              #
        ################################################################################

           volume  pgdata 412.0 MB > /var/lib/postgresql
           folder  /home/me/site > /srv/site, read-only

        + container web ------------------------------------------------------------+
        | id       c4e81b90d2f60000000000000000000000000000000000000000000000000000 |
        | command  nginx -g daemon off;                                             |
        | user     root                                                             |
        +---------------------------------------------------------------------------+
        """
    )


def test_an_image_in_forty_columns_has_its_union_view_below():
    assert drawn(pictures.web_image(), 40) == dedent(
        """\
        web:1   image, 8 read-only layers
        39.1 MB

            ┌──────────────────────────────────┐
          8 │▒ COPY site /usr/share/ng… 1.2 MB │
            │▒ d81f6c03b9ae            ◁ web:1 │
            ├───▾──────────────────────────────┤
          7 │▒ COPY default.conf /etc/… 1.1 kB │
            │▒ 5c20ee81f4d9                    │
            ├┄┄┄▾┄ EXPOSE 80, CMD nginx ┄┄┄┄┄┄┄┤
          6 │▒ RUN apk add nginx       30.1 MB │
            │▒ 77ab03e91f42       ◁ nginx:1.27 │
            ├───▾──────────────────────────────┤
        2–5 │▒ 4 more layers           12.0 kB │
            ├───▾──────────────────────────────┤
          1 │▒ alpine 3.20              7.8 MB │
            │▒ 4fd03ab18c77      ◁ alpine:3.20 │
            └──────────────────────────────────┘

        ┌ union view ─────────────── read-only ┐
        │ etc/                                 │
        │ ├ nginx/                             │
        │ │ ├ conf.d/                          │
        │ │ │ └ default.conf         7 hides 6 │
        │ │ ├ mime.types                     6 │
        │ │ └ nginx.conf                     6 │
        │ └ passwd                   7 hides 1 │
        │ usr/share/nginx/html/                │
        │ ├ 50x.html                         8 │
        │ └ img/                   31 names  8 │
        │ var/                                 │
        │ └ log/nginx/access.log → /dev/std… 6 │
        │ … 12 more                            │
        └──────────────────────────────────────┘

        ┌ image web:1 ─────────────────────────╲
        │ id       sha256:00a7c0ffeec0ffeec0ff │
        │          eec0ffeec0ffeec0ffeec0ffeec │
        │          0ffeec0ffeec0ffee           │
        │ command  nginx -g daemon off;        │
        │ made     2 d ago                     │
        └──────────────────────────────────────┘
        """
    )


STATES = {
    "created": """\
        app-1  ○ created   on image app:1

           ║                                           ║
        rw ║ ✎ read-write layer                    0 B ║
           ║   7e577e577e57                            ║
           ╚═══════════════════════════════════════════╝
           ┌───▾───────────────────────────────────────┐
         1 │▒ base                              1.0 kB │
           │▒ 0001c0ffeec0                     ◁ app:1 │
           └───────────────────────────────────────────┘
        """,
    "running": """\
        app-1  ▶ running 5 min   on image app:1

        ┏━ process space ━━━━━━━━━━━━━━━━━ ▶ running ━━┓
        ┃                                              ┃
        ┃  ● 1 sleep    host 4242                      ┃
        ┃                                              ┃
        ┃     ║                                     ║  ┃
        ┃  rw ║ ✎ read-write layer              0 B ║  ┃
        ┃     ║   7e577e577e57                      ║  ┃
        ┃     ╚═════════════════════════════════════╝  ┃
        ┃     ┌───▾─────────────────────────────────┐  ┃
        ┃   1 │▒ base                        1.0 kB │  ┃
        ┃     │▒ 0001c0ffeec0               ◁ app:1 │  ┃
        ┃     └─────────────────────────────────────┘  ┃
        ┃                                              ┃
        ┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛
        """,
    "paused": """\
        app-1  ‖ paused 5 min   on image app:1

        ┏┅ process space ┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅ ‖ paused ┅┅┓
        ┇                                              ┇
        ┇  ‖ 1 sleep    host 4242                      ┇
        ┇                                              ┇
        ┇     ║                                     ║  ┇
        ┇  rw ║ ✎ read-write layer              0 B ║  ┇
        ┇     ║   7e577e577e57                      ║  ┇
        ┇     ╚═════════════════════════════════════╝  ┇
        ┇     ┌───▾─────────────────────────────────┐  ┇
        ┇   1 │▒ base                        1.0 kB │  ┇
        ┇     │▒ 0001c0ffeec0               ◁ app:1 │  ┇
        ┇     └─────────────────────────────────────┘  ┇
        ┇                                              ┇
        ┗┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┛
        """,
    "restarting": """\
        app-1  ↻ restarting   again in 1.6 s
        on image app:1

        ┏━ process space ━━━━━━━━━━━━━━ ↻ restarting ━━┓
        ┃                                              ┃
        ┃     ║                                     ║  ┃
        ┃  rw ║ ✎ read-write layer              0 B ║  ┃
        ┃     ║   7e577e577e57                      ║  ┃
        ┃     ╚═════════════════════════════════════╝  ┃
        ┃     ┌───▾─────────────────────────────────┐  ┃
        ┃   1 │▒ base                        1.0 kB │  ┃
        ┃     │▒ 0001c0ffeec0               ◁ app:1 │  ┃
        ┃     └─────────────────────────────────────┘  ┃
        ┃                                              ┃
        ┗━━━━━━━━━━━━━━━                ━━━━━━━━━━━━━━━┛
        """,
    "exited 0": """\
        app-1  ✓ exited 0, 5 min ago   on image app:1

        ┏━━                               ✓ exited 0 ━━┓

              ║                                     ║
           rw ║ ✎ read-write layer              0 B ║
              ║   7e577e577e57                      ║
              ╚═════════════════════════════════════╝
              ┌───▾─────────────────────────────────┐
            1 │▒ base                        1.0 kB │
              │▒ 0001c0ffeec0               ◁ app:1 │
              └─────────────────────────────────────┘

        ┗━━                                          ━━┛
        """,
    "exited 3": """\
        app-1  ✗ exited 3, 5 min ago   on image app:1

        ┏━━                               ✗ exited 3 ━━┓

              ║                                     ║
           rw ║ ✎ read-write layer              0 B ║
              ║   7e577e577e57                      ║
              ╚═════════════════════════════════════╝
              ┌───▾─────────────────────────────────┐
            1 │▒ base                        1.0 kB │
              │▒ 0001c0ffeec0               ◁ app:1 │
              └─────────────────────────────────────┘

        ┗━━                                          ━━┛
        """,
    "not found": """\
        app-1  ✗ exited 127, 5 min ago   sh: not found
        on image app:1

        ┏━━                             ✗ exited 127 ━━┓

              ║                                     ║
           rw ║ ✎ read-write layer              0 B ║
              ║   7e577e577e57                      ║
              ╚═════════════════════════════════════╝
              ┌───▾─────────────────────────────────┐
            1 │▒ base                        1.0 kB │
              │▒ 0001c0ffeec0               ◁ app:1 │
              └─────────────────────────────────────┘

        ┗━━                                          ━━┛
        """,
    "out of memory": """\
        app-1  ✗ out of memory, 64.0 MB, 5 min ago
        on image app:1

        ┏━━                 ✗ out of memory, 64.0 MB ━━┓

           memory  64.0 of 64.0 MB  ■■■■■■■■

              ║                                     ║
           rw ║ ✎ read-write layer              0 B ║
              ║   7e577e577e57                      ║
              ╚═════════════════════════════════════╝
              ┌───▾─────────────────────────────────┐
            1 │▒ base                        1.0 kB │
              │▒ 0001c0ffeec0               ◁ app:1 │
              └─────────────────────────────────────┘

        ┗━━                                          ━━┛
        """,
    "unknown": """\
        app-1  ? exited with its program's code
        on image app:1

        ┏━━         ? exited with its program's code ━━┓

              ║                                     ║
           rw ║ ✎ read-write layer              0 B ║
              ║   7e577e577e57                      ║
              ╚═════════════════════════════════════╝
              ┌───▾─────────────────────────────────┐
            1 │▒ base                        1.0 kB │
              │▒ 0001c0ffeec0               ◁ app:1 │
              └─────────────────────────────────────┘

        ┗━━                                          ━━┛
        """,
    "removing": """\
        app-1  ↑ removing   on image app:1

           ╎                                           ╎
        rw ╎ ↑ ✎ read-write layer                  0 B ╎
           ╎     7e577e577e57                          ╎
           ╚╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╝
           ┌───▾───────────────────────────────────────┐
         1 │▒ base                              1.0 kB │
           │▒ 0001c0ffeec0                     ◁ app:1 │
           └───────────────────────────────────────────┘
        """,
    "dead": """\
        app-1  † dead   /dev/sda1 is busy
        on image app:1

           ╎                                           ╎
        rw ╎ ✎ read-write layer                    0 B ╎
           ╎   7e577e577e57                            ╎
           ╚╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╝
           ┌───▾───────────────────────────────────────┐
         1 │▒ base                              1.0 kB │
           │▒ 0001c0ffeec0                     ◁ app:1 │
           └───────────────────────────────────────────┘
        """,
}


@pytest.mark.parametrize("name", STATES)
def test_a_state_is_a_sign_a_word_and_what_is_left_of_the_frame(name: str):
    assert drawn(one(states()[name]), 48) == dedent(STATES[name])


def test_every_state_has_a_drawing():
    assert STATES.keys() == states().keys()


def test_a_state_without_utf8_is_a_word_in_brackets():
    assert drawn(one(in_state("paused")), 48, ASCII) == dedent(
        """\
        app-1  [paused 5 min]   on image app:1

        ## process space ################## [paused] ###
        #                                              #
        #  = 1 sleep    host 4242                      #
        #                                              #
        #     =                                     =  #
        #  rw = [rw] read-write layer           0 B =  #
        #     =      7e577e577e57                   =  #
        #     =======================================  #
        #     +---v---------------------------------+  #
        #   1 |[ro] base                     1.0 kB |  #
        #     |     0001c0ffeec0            < app:1 |  #
        #     +-------------------------------------+  #
        #                                              #
        ################################################
        """
    )


def test_long_runs_fold_between_the_top_two_and_the_bottom():
    assert drawn(Picture("image", "deep", stack(*(f"RUN step {n}" for n in range(1, 9))))) == dedent(
        """\
        deep   image, 8 read-only layers   36.0 kB

            ┌──────────────────────────────────────────────────────┐
          8 │▒ RUN step 8                                   8.0 kB │
            │▒ 0008c0ffeec0                                        │
            ├───▾──────────────────────────────────────────────────┤
          7 │▒ RUN step 7                                   7.0 kB │
            │▒ 0007c0ffeec0                                        │
            ├───▾──────────────────────────────────────────────────┤
        2–6 │▒ 5 more layers                               20.0 kB │
            ├───▾──────────────────────────────────────────────────┤
          1 │▒ RUN step 1                                   1.0 kB │
            │▒ 0001c0ffeec0                                        │
            └──────────────────────────────────────────────────────┘
        """
    )


def marked(mark: str) -> Picture:
    below, above = stack("base", "COPY app")
    tray = in_state("created", on=above.id, mark=mark)
    return Picture("container", "app-1", (below, above._replace(mark=mark, names=("app:1",))), (tray,))


def test_what_is_new_says_so():
    assert drawn(marked(Mark.NEW), 50) == dedent(
        """\
        app-1  ○ created   on image app:1

           ║                                             ║
        rw ║ ✎ read-write layer  new                 0 B ║
           ║   7e577e577e57                              ║
           ╚═════════════════════════════════════════════╝
           ┌───▾─────────────────────────────────────────┐
         2 │▒ COPY app                            2.0 kB │
           │▒ 0002c0ffeec0  new                  ◁ app:1 │
           ├───▾─────────────────────────────────────────┤
         1 │▒ base                                1.0 kB │
           │▒ 0001c0ffeec0                               │
           └─────────────────────────────────────────────┘
        """
    )


def test_what_is_being_made_is_dashed_with_an_arrow_down():
    assert drawn(marked(Mark.MAKING), 50) == dedent(
        """\
        app-1  ○ created   on image app:1

           ╎                                             ╎
        rw ╎ ↓ ✎ read-write layer                    0 B ╎
           ╎     7e577e577e57                            ╎
           ╚╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╝
           ┌╌╌╌▾╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌┐
         2 ╎▒ ↓ COPY app                          2.0 kB ╎
           ╎▒ 0002c0ffeec0                       ◁ app:1 ╎
           ├╌╌╌▾╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌┤
         1 │▒ base                                1.0 kB │
           │▒ 0001c0ffeec0                               │
           └─────────────────────────────────────────────┘
        """
    )


def test_what_goes_away_is_dashed_with_an_arrow_up():
    assert drawn(marked(Mark.GOING), 50) == dedent(
        """\
        app-1  ○ created   on image app:1

           ╎                                             ╎
        rw ╎ ↑ ✎ read-write layer                    0 B ╎
           ╎     7e577e577e57                            ╎
           ╚╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╝
           ┌╌╌╌▾╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌┐
         2 ╎▒ ↑ COPY app                          2.0 kB ╎
           ╎▒ 0002c0ffeec0                       ◁ app:1 ╎
           ├╌╌╌▾╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌┤
         1 │▒ base                                1.0 kB │
           │▒ 0001c0ffeec0                               │
           └─────────────────────────────────────────────┘
        """
    )


def test_what_has_changed_says_so():
    assert drawn(marked(Mark.CHANGED), 50) == dedent(
        """\
        app-1  ○ created   on image app:1

           ║                                             ║
        rw ║ ✎ read-write layer  changed             0 B ║
           ║   7e577e577e57                              ║
           ╚═════════════════════════════════════════════╝
           ┌───▾─────────────────────────────────────────┐
         2 │▒ COPY app                            2.0 kB │
           │▒ 0002c0ffeec0  changed              ◁ app:1 │
           ├───▾─────────────────────────────────────────┤
         1 │▒ base                                1.0 kB │
           │▒ 0001c0ffeec0                               │
           └─────────────────────────────────────────────┘
        """
    )


def settings(*texts: str) -> Picture:
    below, above = stack("base", "COPY app")
    return Picture("image", "app:1", (below._replace(settings=texts), above))


def test_settings_are_a_dotted_rule_on_the_layer_below():
    assert drawn(settings("EXPOSE 80", "CMD run"), 50) == dedent(
        """\
        app:1   image, 2 read-only layers   3.0 kB

           ┌─────────────────────────────────────────────┐
         2 │▒ COPY app                            2.0 kB │
           │▒ 0002c0ffeec0                               │
           ├┄┄┄▾┄ EXPOSE 80, CMD run ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┤
         1 │▒ base                                1.0 kB │
           │▒ 0001c0ffeec0                               │
           └─────────────────────────────────────────────┘
        """
    )


def test_of_many_settings_those_that_fit_are_told():
    assert drawn(settings("EXPOSE 80", "ENV A=1", "ENV LONG=" + "x" * 40, "CMD run"), 50) == dedent(
        """\
        app:1   image, 2 read-only layers   3.0 kB

           ┌─────────────────────────────────────────────┐
         2 │▒ COPY app                            2.0 kB │
           │▒ 0002c0ffeec0                               │
           ├┄┄┄▾┄ EXPOSE 80, ENV A=1, 2 more ┄┄┄┄┄┄┄┄┄┄┄┄┤
         1 │▒ base                                1.0 kB │
           │▒ 0001c0ffeec0                               │
           └─────────────────────────────────────────────┘
        """
    )


def test_settings_on_top_of_everything():
    assert drawn(Picture("image", "app:1", (stack("base")[0]._replace(settings=("CMD run",)),)), 50) == dedent(
        """\
        app:1   image, 1 read-only layer   1.0 kB

           ┌┄┄┄┄┄ CMD run ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┐
         1 │▒ base                                1.0 kB │
           │▒ 0001c0ffeec0                               │
           └─────────────────────────────────────────────┘
        """
    )


def named(*names: str) -> Picture:
    return Picture("image", "app:1", (stack("base")[0]._replace(names=names),))


def test_names_go_before_ids_and_take_up_to_three_lines():
    assert drawn(named(*(f"registry.example.com/team/app:{n}" for n in range(9))), 60) == dedent(
        """\
        app:1   image, 1 read-only layer   1.0 kB

           ┌───────────────────────────────────────────────────────┐
         1 │▒ base                                          1.0 kB │
           │▒ 0001c0ffeec0       ◁ registry.example.com/team/app:0 │
           │▒                    ◁ registry.example.com/team/app:1 │
           │▒                                         7 more names │
           └───────────────────────────────────────────────────────┘
        """
    )


def test_what_a_container_wrote_stands_in_its_tray():
    assert drawn(
        one(in_state("created", size=2300, changes=Changes(7, 0, 1), files=tuple(f"srv/file-{n}" for n in range(7)))),
        50,
    ) == dedent(
        """\
        app-1  ○ created   on image app:1

           ║                                             ║
        rw ║ ✎ read-write layer                   2.3 kB ║
           ║   7e577e577e57                     +7 ~0 −1 ║
           ║   srv/file-0                                ║
           ║   srv/file-1                                ║
           ║   srv/file-2                                ║
           ║   srv/file-3                                ║
           ║   srv/file-4                                ║
           ║   … 2 more                                  ║
           ╚═════════════════════════════════════════════╝
           ┌───▾─────────────────────────────────────────┐
         1 │▒ base                                1.0 kB │
           │▒ 0001c0ffeec0                       ◁ app:1 │
           └─────────────────────────────────────────────┘
        """
    )


VIEW = View("top", (
    Row(0, "etc", "folder"),
    Row(1, "app", "folder", "low", number=31),
    Row(1, "app.conf", "file", "top", "low"),
    Row(1, "gone.conf", "file", "top", "low", is_removed=True),
    Row(0, "lib", "link", "low", target="usr/lib"),
    Row(0, "usr/share/a/very/long/way/down/to/a/file.txt", "file", "low"),
    Row(0, "", "more", number=12),
), is_writable=True)  # fmt: skip


def seen() -> Picture:
    return Picture("container", "app-1", (Slab("low", None, "base", 10),), (Tray("top", "app-1", "low"),), VIEW)


def test_the_union_view_says_which_layer_gives_each_row():
    assert drawn(seen(), 44) == dedent(
        """\
        app-1  ○ created

           ║                                       ║
        rw ║ ✎ read-write layer                  ? ║
           ║   top                                 ║
           ╚═══════════════════════════════════════╝
           ┌───▾───────────────────────────────────┐
         1 │▒ base                            10 B │
           │▒ low                                  │
           └───────────────────────────────────────┘

        ┌ union view ────────────────── read-write ┐
        │ etc/                                     │
        │ ├ app/                       31 names  1 │
        │ ├ app.conf                    rw hides 1 │
        │ └ ✕ gone.conf               rw removes 1 │
        │ lib → usr/lib                          1 │
        │ usr/share/a/very/l…/down/to/a/file.txt 1 │
        │ … 12 more                                │
        └──────────────────────────────────────────┘
        """
    )


def busy(*processes: Process) -> Picture:
    gauges = (Gauge("memory", 61_000_000, 64_000_000), Gauge("cpus", 1500, 2000), Gauge("processes", 3, None))
    return one(in_state("running", space=Space(processes, gauges=gauges)))


def test_processes_are_a_tree_and_gauges_have_bars():
    assert drawn(
        busy(
            Process(1, 500, 0, "init"),
            Process(9, 510, 1, "sh"),
            Process(12, 520, 9, "sleep"),
            Process(10, 511, 1, "sshd"),
            Process(40, 600, 0, "exec"),
        ),
        60,
    ) == dedent(
        """\
        app-1  ▶ running 5 min   on image app:1

        ┏━ process space ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ ▶ running ━━┓
        ┃                                                          ┃
        ┃  ● 1 init            host 500                            ┃
        ┃  ├─ ● 9 sh           host 510                            ┃
        ┃  │  └─ ● 12 sleep    host 520                            ┃
        ┃  └─ ● 10 sshd        host 511                            ┃
        ┃  ● 40 exec           host 600                            ┃
        ┃                                                          ┃
        ┃  memory     61.0 of 64.0 MB  ■■■■■■■□                    ┃
        ┃  cpus              1.5 of 2  ■■■■■■□□                    ┃
        ┃  processes      3, no limit                              ┃
        ┃                                                          ┃
        ┃     ║                                                 ║  ┃
        ┃  rw ║ ✎ read-write layer                          0 B ║  ┃
        ┃     ║   7e577e577e57                                  ║  ┃
        ┃     ╚═════════════════════════════════════════════════╝  ┃
        ┃     ┌───▾─────────────────────────────────────────────┐  ┃
        ┃   1 │▒ base                                    1.0 kB │  ┃
        ┃     │▒ 0001c0ffeec0                           ◁ app:1 │  ┃
        ┃     └─────────────────────────────────────────────────┘  ┃
        ┃                                                          ┃
        ┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛
        """
    )


def test_of_many_processes_twelve_are_told():
    assert drawn(
        busy(Process(1, 500, 0, "init"), *(Process(n, 500 + n, 1, "worker") for n in range(2, 20))), 60
    ) == dedent(
        """\
        app-1  ▶ running 5 min   on image app:1

        ┏━ process space ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ ▶ running ━━┓
        ┃                                                          ┃
        ┃  ● 1 init          host 500                              ┃
        ┃  ├─ ● 2 worker     host 502                              ┃
        ┃  ├─ ● 3 worker     host 503                              ┃
        ┃  ├─ ● 4 worker     host 504                              ┃
        ┃  ├─ ● 5 worker     host 505                              ┃
        ┃  ├─ ● 6 worker     host 506                              ┃
        ┃  ├─ ● 7 worker     host 507                              ┃
        ┃  ├─ ● 8 worker     host 508                              ┃
        ┃  ├─ ● 9 worker     host 509                              ┃
        ┃  ├─ ● 10 worker    host 510                              ┃
        ┃  ├─ ● 11 worker    host 511                              ┃
        ┃  ├─ ● 12 worker    host 512                              ┃
        ┃  … 7 more                                                ┃
        ┃                                                          ┃
        ┃  memory     61.0 of 64.0 MB  ■■■■■■■□                    ┃
        ┃  cpus              1.5 of 2  ■■■■■■□□                    ┃
        ┃  processes      3, no limit                              ┃
        ┃                                                          ┃
        ┃     ║                                                 ║  ┃
        ┃  rw ║ ✎ read-write layer                          0 B ║  ┃
        ┃     ║   7e577e577e57                                  ║  ┃
        ┃     ╚═════════════════════════════════════════════════╝  ┃
        ┃     ┌───▾─────────────────────────────────────────────┐  ┃
        ┃   1 │▒ base                                    1.0 kB │  ┃
        ┃     │▒ 0001c0ffeec0                           ◁ app:1 │  ┃
        ┃     └─────────────────────────────────────────────────┘  ┃
        ┃                                                          ┃
        ┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛
        """
    )


def test_a_card_wraps_long_values_and_cuts_very_long_ones():
    assert drawn(
        Picture("image", "app:1", cards=(Card("image", "app:1", (("id", "ab" * 32), ("command", "run " * 60))),)), 60
    ) == dedent(
        """\
        app:1   image, no layers

        ┌ image app:1 ─────────────────────────────────────────────╲
        │ id       abababababababababababababababababababababababa │
        │          babababababababab                               │
        │ command  run run run run run run run run run run run run │
        │          run run run run run run run run run run run run │
        │          run run run run run run run run run run run ru… │
        └──────────────────────────────────────────────────────────┘
        """
    )


def test_colour_repeats_what_form_and_word_say():
    coloured = drawn(one(in_state("running")), 44, text.Style(colour=True, utf8=True))
    assert coloured.replace("\x1b[", "<").splitlines() == [
        "<1mapp-1<0m  <1;32m▶ running 5 min<0m   on image app:1",
        "",
        "<32m┏━ process space ━━━━━━━━━━━━━<0m <1;32m▶ running<0m <32m━━┓<0m",
        "<32m┃                                          ┃<0m",
        "<32m┃<0m  <1;32m●<0m 1 <1msleep<0m    <2mhost 4242<0m                  <32m┃<0m",
        "<32m┃                                          ┃<0m",
        "<32m┃<0m     <33m║                                 ║<0m  <32m┃<0m",
        "<32m┃<0m  <33mrw ║ ✎<0m <1;33mread-write layer<0m          <33m0 B ║<0m  <32m┃<0m",
        "<32m┃<0m     <33m║<0m   <2m7e577e577e57<0m                  <33m║<0m  <32m┃<0m",
        "<32m┃<0m     <33m╚═════════════════════════════════╝<0m  <32m┃<0m",
        "<32m┃<0m     <2m┌───▾─────────────────────────────┐<0m  <32m┃<0m",
        "<32m┃<0m   <2m1 │▒<0m base                    <2m1.0 kB │<0m  <32m┃<0m",
        "<32m┃<0m     <2m│▒ 0001c0ffeec0<0m           <1m◁ app:1<0m <2m│<0m  <32m┃<0m",
        "<32m┃<0m     <2m└─────────────────────────────────┘<0m  <32m┃<0m",
        "<32m┃                                          ┃<0m",
        "<32m┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛<0m",
    ]


def test_a_size_that_nobody_looked_to_the_end_of_is_drawn_as_the_least():
    tray = in_state(State.EXITED, exit_code=0, size=2_300, changes=Changes(3000, 0, 0), is_least=True)
    for columns in (80, 44):
        shown = drawn(one(tray, "debian bookworm"), columns)
        assert "at least 2.3 kB" in shown
        assert "+3000 ~0 −0 …" in shown
