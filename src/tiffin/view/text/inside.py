"""What is in a process space, in characters: its processes as a tree, gauges, and what holds them back.

● 1 nginx: master         host 41207          memory     14.0 of 256.0 MB  ■□□□□□□□
├─ ● 22 nginx: worker     host 41261          processes          3 of 100  ■□□□□□□□
└─ ● 23 nginx: worker     host 41262          cpus         0.02, no limit
"""

from __future__ import annotations

from tiffin.model.nouns import State
from tiffin.view import signs, words
from tiffin.view.picture import Process
from tiffin.view.text.boxes import state_pen
from tiffin.view.text.cells import Pen, Run, Sheet, Style, bold, fit, length, wrapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tiffin.view.picture import Gauge, Space, Tray, Use, Volume

MOST_PROCESSES = 12
DEEPEST = 6  # levels of processes that are drawn one inside the other
BAR = 8
SHORTEST_BAR = 3
MOST_LINES = 4  # of one value
NEARLY_FULL = 0.95


def processes(style: Style, columns: int, tray: Tray) -> Sheet:
    """The tree of processes, one a line, with the pid that the host knows at the right."""
    sheet = Sheet(style)
    found = tray.space.processes if tray.space else None
    if not found:
        return sheet
    ordered = _ordered(found)
    dot = Run(process_sign(tray), bold(state_pen(tray)))
    rows = list[tuple[list[Run], Run]]()
    for branch, process in ordered[:MOST_PROCESSES]:
        pid = " " if process.pid is None else f" {process.pid} "
        runs = [Run(branch, Pen.DIM), dot, Run(pid), Run(sheet.say(process.name), Pen.BOLD)]
        outside = Run("new", Pen.ICE_BOLD) if process.is_new else Run(f"host {process.host_pid}", Pen.DIM)
        rows.append((runs, outside))
    host = columns - max(len(outside.text) for _, outside in rows)
    host = min(host, max(length(runs) for runs, _ in rows) + 4)
    for number, (runs, outside) in enumerate(rows):
        sheet.put_all(number, 0, fit(runs, host - 2))
        sheet.put_all(number, host, [outside])
    if len(ordered) > len(rows):
        sheet.put(len(rows), 0, f"… {len(ordered) - len(rows)} more", Pen.DIM)
    return sheet


def process_sign(tray: Tray) -> str:
    """A filled dot, or two bars for one that is held."""
    return "‖" if tray.state == State.PAUSED else "●"


def gauges(style: Style, columns: int, shown: Iterable[Gauge]) -> Sheet:
    """One a line, with a bar where there is a limit and room."""
    sheet = Sheet(style)
    rows = [(sheet.say(gauge.name), signs.use(gauge), gauge) for gauge in shown]
    name = min(max((words.width(row[0]) for row in rows), default=0), columns // 2)
    told = max((len(row[1]) for row in rows), default=0)
    for number, (text, use, gauge) in enumerate(rows):
        sheet.put(number, 0, words.cut(text, name), Pen.DIM)
        room = min(columns - name - told - 4, BAR)
        if room >= SHORTEST_BAR:
            end = sheet.put(number, name + 2 + told - len(use), use)
            sheet.put(number, end + 2, *_bar(gauge, room))
        else:
            sheet.put(number, name + 2, words.cut(use, columns - name - 2))
    return sheet


def fences(style: Style, columns: int, space: Space) -> Sheet:
    """What holds its processes back: namespaces, cgroup, protections."""
    say = Sheet(style).say
    own = [signs.NAMESPACES.get(each.kind) or say(each.kind) for each in space.namespaces if each.is_own]
    shared = [signs.NAMESPACES.get(each.kind) or say(each.kind) for each in space.namespaces if not each.is_own]
    rows = [("its own", ", ".join(own)), ("the host's", ", ".join(shared)), ("cgroup", say(space.cgroup))]
    rows += [(say(each.name), say(each.text)) for each in space.protections]
    return _table(style, columns, [(key, value) for key, value in rows if value])


def outside(style: Style, columns: int, uses: Iterable[Use], volumes: Iterable[Volume]) -> Sheet:
    """Volumes and folders that stand beside the stack and outlive it."""
    say, rows = Sheet(style).say, list[tuple[str, str]]()
    sizes = {volume.name: volume.size for volume in volumes}
    for use in uses:
        kind = "folder" if use.source.startswith("/") else "memory" if use.source == "memory" else "volume"
        source = "" if kind == "memory" else f"{say(use.source)} "
        size = f"{words.amount(sizes[use.source])} " if sizes.get(use.source) is not None else ""
        rows.append((kind, f"{source}{size}→ {say(use.target)}{', read-only' if use.is_readonly else ''}"))
    return _table(style, columns, rows, Pen.VOLUME)


def _table(style: Style, columns: int, rows: Sequence[tuple[str, str]], pen: str = Pen.PLAIN) -> Sheet:
    """Lines of `key  value`."""
    sheet, row = Sheet(style), 0
    width = min(max((words.width(key) for key, _ in rows), default=0), columns // 3)
    for key, value in rows:
        for number, line in enumerate(wrapped(value, columns - width - 2, MOST_LINES)):
            sheet.put(row, 0, words.cut(key, width) if number == 0 else "", Pen.DIM)
            sheet.put(row, width + 2, line, pen)
            row += 1
    return sheet


def _ordered(found: Sequence[Process]) -> list[tuple[str, Process]]:
    """Each after its parent, with the branches before it. One whose parent is not seen stands at the left."""
    known = {process.pid for process in found}
    below: dict[int, list[Process]] = {}
    for process in found:
        is_below = process.parent in known and (process.pid is None or process.parent < process.pid)
        parent = process.parent if is_below else 0
        below.setdefault(parent, []).append(process)
    todo, ordered = [("", "", process) for process in reversed(below.get(0, ()))], list[tuple[str, Process]]()
    while todo:
        before, branch, process = todo.pop()
        ordered.append((before + branch, process))
        inner = before + ("" if not branch else "   " if branch.startswith("└") else "│  ")
        inner = inner[-3 * DEEPEST :]
        children = below.pop(process.pid, []) if process.pid else []  # once: a pid may be told twice
        todo += [(inner, "└─ " if child is children[-1] else "├─ ", child) for child in reversed(children)]
    return ordered


def _bar(gauge: Gauge, columns: int) -> tuple[str, str]:
    if not gauge.limit or gauge.used is None:
        return "", Pen.PLAIN
    share = min(gauge.used / gauge.limit, 1.0)
    full = max(int(share * columns + 0.5), 1 if gauge.used else 0)
    full = min(full, columns if share == 1.0 else columns - 1)  # full means full
    return "■" * full + "□" * (columns - full), Pen.BAD if share >= NEARLY_FULL else Pen.DIM
