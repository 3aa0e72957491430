"""Pictures of what stands on a host: values that are laid out once and drawn in several ways.

    Picture            what is to be seen: slabs, trays, process spaces, a union view, cards    (picture)
       |
    Forest, Layout     who stands on whom, what is folded, which place each has                 (forest, layout)
       |
    text   svg   html   json   sentences                                               (one module or package each)

Three ideas carry all of it; the whole language is in docs/pictures.md:

    closed box     a read-only layer          light lines, hatched at its left
    open tray      a read-write layer         double lines, no top
    carrier        a process space            heavy lines around the rest

    ┏━ process space ━━━━━━━━━ ▶ running ━┓
    ┃  ● 1 sleep                          ┃
    ┃     ║                          ║    ┃
    ┃  rw ║ ✎ read-write layer   0 B ║    ┃
    ┃     ╚══════════════════════════╝    ┃
    ┃     ┌───▾──────────────────────┐    ┃
    ┃   1 │▒ base             2.1 MB │    ┃
    ┃     └──────────────────────────┘    ┃
    ┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛

A picture knows objects, not the engine: no module here reads a disk, a process or a clock. What is drawn was put into
the value by the engine; so a picture can be compared with another one (compare), stored, and animated. All texts in it
are foreign: a renderer makes them harmless where it writes them (words).
"""
