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

from tiffin.view import text_boxes, text_space, words
from tiffin.view.cells import Pen, Run, Sheet, Style, flow
from tiffin.view.forest import Crowd, Fold
from tiffin.view.layout import lay_out
from tiffin.view.picture import Card, Mark, Picture, Slab, Tray, short
from tiffin.view.text_view import view

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tiffin.view.layout import Place

WIDEST = 112
SIDE_BY_SIDE = 80
WIDEST_STACK = 64  # where nothing stands beside it
MOST_FILES = 5


def draw_stack(picture: Picture, width: int, style: Style) -> Sheet:
    """For a picture whose layout has one column."""
    columns, sheet = min(width, WIDEST), Sheet(style)
    tray = picture.trays[-1] if picture.trays else None
    for line in _headline(sheet, picture, tray, columns):
        sheet.put_all(sheet.height, 0, line)
    sheet.put(sheet.height, 0, "")
    if tray is not None and tray.state in text_boxes.FRAMED:
        inner = _inside(picture, tray, columns - 4, columns >= SIDE_BY_SIDE, style)
        sheet.paste(sheet.height, 0, text_boxes.framed(inner, columns, tray))
    else:
        sheet.paste(sheet.height, 0, _towers(picture, columns, columns >= SIDE_BY_SIDE, style))
    sizes = {volume.name: volume.size for volume in picture.volumes}
    beside = text_space.outside(sheet, tray.uses, sizes) if tray else []
    for other in (text_space.facts(style, columns - 3, beside), *_cards(picture.cards, columns, style)):
        if other.height:
            sheet.paste(sheet.height + 1, 3 if beside else 0, other)
            beside = []
    return sheet


def _headline(sheet: Sheet, picture: Picture, tray: Tray | None, columns: int) -> list[list[Run]]:
    name = sheet.say(picture.title) or short(tray.id if tray else "")
    if tray is None:
        sizes = [slab.size for slab in picture.slabs]
        total = [] if None in sizes else [[Run(words.amount(sum(size or 0 for size in sizes)), Pen.DIM)]]
        what = f"{picture.about}, {words.many(len(picture.slabs), 'read-only layer')}"
        return flow([[Run(name, Pen.BOLD)], [Run(what)], *total], columns, "   ")
    state = text_boxes.state(sheet.style, tray, picture.at)
    pieces = [[Run(name, Pen.BOLD), Run("  "), state]]
    if tray.reason:
        pieces.append([Run(sheet.say(tray.reason), text_boxes.state_pen(tray))])
    if tray.image:
        pieces.append([Run("on image "), Run(sheet.say(tray.image))])
    pieces += ([Run(f"network {sheet.say(' '.join(joined)).rstrip()}")] for joined in tray.networks)
    pieces += ([Run(f"host {sheet.say(port)}")] for port in tray.ports)
    if tray.is_thrown_away:
        pieces.append([Run("removed when it ends", Pen.DIM)])
    return flow(pieces, columns, "   ")


def _inside(picture: Picture, tray: Tray, columns: int, is_wide: bool, style: Style) -> Sheet:
    """What the frame is drawn around: `columns` wide, its own margin of one column at both sides in it."""
    sheet, space = Sheet(style), tray.space
    sheet.put(0, 0, "")
    if space is not None and tray.is_alive:
        half = _half(columns - 2) if is_wide else columns - 2
        found = text_space.processes(style, half, tray)
        meters = text_space.gauges(style, columns - 2 - half - 2 if is_wide else half, space.gauges)
        below = sheet.paste(1, 1, found)
        if meters.height:
            beside = (1, 1 + half + 2) if is_wide else (below + 1, 1)
            row, column = beside if found.height else (1, 1)
            below = max(below, sheet.paste(row, column, meters))
        if below > 1:
            sheet.put(below, 0, "")
    sheet.paste(sheet.height, 1, _towers(picture, columns - 2, is_wide, style))
    if space is not None and tray.is_alive:
        fences = text_space.facts(style, columns - 2, text_space.fences(sheet, space))
        if fences.height:
            sheet.paste(sheet.height + 1, 1, fences)
    sheet.put(sheet.height, 0, "")
    return sheet


def _half(columns: int) -> int:
    """Of the two side by side, the left one."""
    return columns * 11 // 20


def _towers(picture: Picture, columns: int, is_wide: bool, style: Style) -> Sheet:
    """The stack, and the union view beside or below it."""
    sheet = Sheet(style)
    has_view = picture.view is not None and bool(picture.view.rows)
    half = _half(columns) if is_wide and has_view else min(columns, WIDEST_STACK)
    below = sheet.paste(0, 0, stack(picture, half, style, with_files=not has_view))
    if picture.view is not None and has_view:
        seen = view(style, columns - half - 2 if is_wide else half, picture.view, numbers(picture))
        sheet.paste(*((0, half + 2) if is_wide else (below + 1, 0)), seen)
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
    box, above, settled = columns - margin, False, False
    for place in places:
        item = place.item
        if isinstance(item, Tray):
            row = _tray(sheet, row, margin, box, item, with_files=with_files)
            above, settled = True, False
        elif not isinstance(item, Crowd):
            row = _edge(sheet, row, margin, box, item, above=above, joined=settled)
            _number(sheet, row, margin, place, Pen.DIM)
            row = text_boxes.slab(sheet, row, margin, box, item)
            above = settled = True
    if settled:
        last = places[-1].item
        pen = text_boxes.slab_pen(last) if isinstance(last, Slab | Fold) else Pen.DIM
        text_boxes.edge(sheet, row, margin, box, "└┘", pen)
    return sheet


def _edge(sheet: Sheet, row: int, column: int, box: int, item: Slab | Fold, *, above: bool, joined: bool) -> int:
    top = item.slabs[-1] if isinstance(item, Fold) else item
    arrows = (column + text_boxes.ARROW_AT,) if above else ()
    return text_boxes.edge(
        sheet, row, column, box, "├┤" if joined else "┌┐", text_boxes.slab_pen(item),
        is_dashed=top.mark in (Mark.GOING, Mark.MAKING), arrows=arrows, settings=top.settings,
    )  # fmt: skip


def _tray(sheet: Sheet, row: int, column: int, box: int, tray: Tray, *, with_files: bool) -> int:
    pen = Pen.ICE_BOLD if tray.mark == Mark.NEW else Pen.RW_BOLD
    word = [Run("  "), Run(tray.mark, Pen.ICE_BOLD)] if tray.mark in (Mark.NEW, Mark.CHANGED) else []
    body = [
        ([Run("read-write layer", pen), *word], [Run(words.amount(tray.size), Pen.RW)]),
        ([Run(short(tray.id), Pen.DIM)], [Run(text_boxes.changes(tray), Pen.RW)] if tray.changes else []),
    ]
    files = tray.files if with_files else ()
    body += [([Run(words.cut_middle(sheet.say(file), box - 6), Pen.RW_BOLD)], []) for file in files[:MOST_FILES]]
    if len(files) > MOST_FILES:
        body.append(([Run(f"… {len(files) - MOST_FILES} more", Pen.DIM)], []))
    sheet.put(row + 1, column - 3, "rw", Pen.RW)
    return text_boxes.tray(sheet, row, column, box, body, tray.mark)


def _number(sheet: Sheet, row: int, margin: int, place: Place, pen: str) -> None:
    sheet.put(row, margin - 1 - len(place.number), place.number, pen)


def _cards(cards: Sequence[Card], columns: int, style: Style) -> list[Sheet]:
    return [text_boxes.card(style, min(columns, text_boxes.WIDEST_CARD), shown) for shown in cards]


def draw_cards(picture: Picture, width: int, style: Style) -> Sheet:
    """Where there is nothing else."""
    sheet = Sheet(style)
    for shown in _cards(picture.cards, width, style):
        sheet.paste(sheet.height, 0, shown)
    return sheet
