"""One stack in full, in characters: what its layers are, what is seen from above, and what is around it.

    web  ▶ running 2 h 43 min   on image web:1

    ┏━ process space ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ ▶ running ━━┓
    ┃  ● 1 nginx: master    host 41207                          ┃
    ┃    ║                     ║  ┌ union view ─── read-write ┐ ┃
    ┃ rw ║ ✎ read-write layer  ║  │ index.html     rw hides 1 │ ┃
    ┃    ╚═════════════════════╝  └───────────────────────────┘ ┃
    ┃    ┌───▾─────────────────┐                                ┃
    ┃  1 │▒ base        1.2 MB │                                ┃
    ┃    └─────────────────────┘                                ┃
    ┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛
    volume  pgdata 412.0 MB → /var/lib/postgresql

From 80 columns on the union view stands beside the stack, else below it.
"""

from __future__ import annotations

from tiffin.view import signs, words
from tiffin.view.forest import Fold
from tiffin.view.layout import lay_out
from tiffin.view.picture import Picture, Slab, Space, Tray, short
from tiffin.view.text import boxes, inside
from tiffin.view.text.cells import Pen, Run, Sheet, Style, flow
from tiffin.view.text.view import view

WIDEST = 112
SIDE_BY_SIDE = 80
WIDEST_STACK = 70  # where nothing stands beside it
BETWEEN = 2
MOST_FILES = 5


def draw_stack(picture: Picture, width: int, style: Style) -> Sheet:
    """For a picture whose layout has one column."""
    columns, sheet = min(width, WIDEST), Sheet(style)
    tray = picture.trays[-1] if picture.trays else None
    for line in _headline(sheet, picture, tray, columns):
        sheet.put_all(sheet.height, 0, line)
    room = columns if _has_view(picture) else min(columns, WIDEST_STACK)
    is_wide = room >= SIDE_BY_SIDE
    if tray is not None and tray.state in boxes.FRAMED:
        inner = _inside(picture, tray, room - 4, style, is_wide=is_wide)
        sheet.paste(sheet.height + 1, 0, boxes.framed(inner, room, tray))
    else:
        sheet.paste(sheet.height + 1, 0, _towers(picture, room, style, is_wide=is_wide))
    beside = inside.outside(style, columns - 3, tray.uses if tray else (), picture.volumes)
    if beside.height:
        sheet.paste(sheet.height + 1, 3, beside)
    for shown in picture.cards:
        sheet.paste(sheet.height + 1, 0, boxes.card(style, columns, shown))
    return sheet


def _headline(sheet: Sheet, picture: Picture, tray: Tray | None, columns: int) -> list[list[Run]]:
    name = sheet.say(picture.title) or short(tray.id if tray else "")
    if tray is None:
        sizes = [slab.size for slab in picture.slabs] or [None]
        total = [] if None in sizes else [[Run(words.amount(sum(size or 0 for size in sizes)), Pen.DIM)]]
        layers = words.many(len(picture.slabs), "read-only layer") if picture.slabs else "no layers"
        return flow([[Run(name, Pen.BOLD)], [Run(f"{picture.about}, {layers}")], *total], columns, "   ")
    state = boxes.state(sheet.style, tray, picture.at)
    pieces = [[Run(name, Pen.BOLD), Run("  "), state]]
    if tray.reason:
        pieces.append([Run(sheet.say(tray.reason), boxes.state_pen(tray))])
    if tray.image:
        pieces.append([Run("on image "), Run(sheet.say(tray.image))])
    pieces += ([Run(f"network {sheet.say(' '.join(joined)).rstrip()}")] for joined in tray.networks)
    pieces += ([Run(f"host {sheet.say(port)}")] for port in tray.ports)
    if tray.is_thrown_away:
        pieces.append([Run("removed when it ends", Pen.DIM)])
    return flow(pieces, columns, "   ")


def _inside(picture: Picture, tray: Tray, columns: int, style: Style, *, is_wide: bool) -> Sheet:
    """What the frame is drawn around: `columns` wide, its own margin of one column at both sides in it."""
    sheet, space = Sheet(style), tray.space or Space()
    happening = _happening(tray, space, columns - 2, style, is_wide=is_wide)
    sheet.put(sheet.paste(1, 1, happening) if happening.height else 0, 0, "")
    sheet.paste(sheet.height, 1, _towers(picture, columns - 2, style, is_wide=is_wide))
    fences = inside.fences(style, columns - 2, space)
    if fences.height:
        sheet.paste(sheet.height + 1, 1, fences)
    sheet.put(sheet.height, 0, "")
    return sheet


def _happening(tray: Tray, space: Space, columns: int, style: Style, *, is_wide: bool) -> Sheet:
    """The processes, and the gauges beside or below them."""
    half = _half(columns) if is_wide else columns
    sheet = inside.processes(style, half, tray)
    gauges = inside.gauges(style, columns - half - BETWEEN if is_wide else half, space.gauges)
    if not gauges.height:
        return sheet
    if is_wide and sheet.height:
        sheet.paste(0, half + BETWEEN, gauges)
    else:
        sheet.paste(sheet.height + 1 if sheet.height else 0, 0, gauges)
    return sheet


def _half(columns: int) -> int:
    """Of the two side by side, the left one."""
    return columns * 11 // 20


def _has_view(picture: Picture) -> bool:
    return picture.view is not None and bool(picture.view.rows)


def _towers(picture: Picture, columns: int, style: Style, *, is_wide: bool) -> Sheet:
    """The stack, and the union view beside or below it."""
    if picture.view is None or not _has_view(picture):
        return stack(picture, min(columns, WIDEST_STACK), style, with_files=True)
    half = _half(columns) if is_wide else min(columns, WIDEST_STACK)
    sheet = stack(picture, half, style, with_files=False)
    seen = view(style, columns - half - BETWEEN if is_wide else half, picture.view, numbers(picture))
    sheet.paste(*((0, half + BETWEEN) if is_wide else (sheet.height + 1, 0)), seen)
    return sheet


def numbers(picture: Picture) -> dict[str, str]:
    """What each layer is called beside the stack: its height, "rw" for a read-write layer."""
    heights: dict[str, int] = {}
    for slab in picture.slabs:
        heights[slab.id] = heights.get(slab.parent or "", 0) + 1
    return {**{id: str(height) for id, height in heights.items()}, **{tray.id: "rw" for tray in picture.trays}}


def stack(picture: Picture, columns: int, style: Style, *, with_files: bool) -> Sheet:
    """The boxes, their numbers at the left."""
    sheet, row = Sheet(style), 0
    places = lay_out(picture).places[::-1]
    margin = max([3, *(len(place.number) + 1 for place in places)])
    box, above = columns - margin, list[Slab | Fold]()
    for place in places:
        item = place.item
        if isinstance(item, Tray):
            row = _tray(sheet, row, margin, box, item, with_files=with_files)
        elif isinstance(item, Slab | Fold):
            top = item.slabs[-1] if isinstance(item, Fold) else item
            row = boxes.edge(
                sheet, row, margin, box, "├┤" if above else "┌┐", item, upper=above[-1] if above else None,
                arrows=(margin + boxes.ARROW_AT,) if row else (), settings=top.settings,
            )  # fmt: skip
            sheet.put(row, margin - 1 - len(place.number), place.number, Pen.DIM)
            row = boxes.slab(sheet, row, margin, box, item)
            above.append(item)
    if above:
        boxes.edge(sheet, row, margin, box, "└┘", above[-1])
    return sheet


def _tray(sheet: Sheet, row: int, column: int, box: int, tray: Tray, *, with_files: bool) -> int:
    told = signs.changes(tray)
    changes = [Run(told, Pen.RW)] if told else []
    body = [
        (boxes.called("read-write layer", tray), [Run(signs.size(tray), Pen.RW)]),
        ([Run(short(tray.id), Pen.DIM)], changes),
    ]
    files = tray.files if with_files else ()
    body += [([Run(words.cut_middle(sheet.say(file), box - 6), Pen.RW_BOLD)], []) for file in files[:MOST_FILES]]
    if len(files) > MOST_FILES:
        body.append(([Run(f"… {len(files) - MOST_FILES} more", Pen.DIM)], []))
    sheet.put(row + 1, column - 3, "rw", Pen.RW)
    return boxes.tray(sheet, row, column, box, tray, body)
