"""Facts about drawings in SVG: harmless whatever is drawn, readable without colour or eyes, no text over another."""

from __future__ import annotations

import re
from itertools import combinations

import pytest
from hypothesis import given, settings

from tests.view import arbitrary, pictures
from tests.view.drawing import SVG, read, texts
from tiffin.model.nouns import State
from tiffin.view import sentences, svg
from tiffin.view.explanation import Explanation, PlannedStep
from tiffin.view.picture import Card, Mark, Picture, Process, Protection, Slab, Space
from tiffin.view.svg.canvas import HEADING, PLAIN, Canvas, fit, fit_middle, measure, wrap

ELEMENTS = {"svg", "title", "desc", "style", "defs", "g", "pattern", "rect", "path", "circle", "text", "use"}
ATTRIBUTES = {
    "id", "role", "viewBox", "width", "height", "aria-labelledby", "class", "x", "y", "rx", "cx", "cy", "r", "d",
    "fill", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin", "href", "transform", "patternUnits",
    "patternTransform",
}  # fmt: skip


def _many(containers: int) -> Picture:
    """A hundred images on five bases, and this many containers."""
    slabs = list[Slab]()
    for number in range(100):
        below = slabs[number // 3].id if number > 4 else None
        slabs.append(Slab(f"sha256:{number:064x}", below, f"step {number}", 1000, (f"app:{number}",), (f"{number}",)))
    kinds = (State.RUNNING, State.RUNNING, State.PAUSED, State.EXITED, State.CREATED)
    trays = tuple(
        pictures.in_state(kinds[n % 5], id=f"{n:064x}", name=f"c{n}", on=slabs[n * n % 100].id,
                          exit_code=n % 2 if n % 5 == 3 else None)
        for n in range(containers)
    )  # fmt: skip
    return Picture("host", "this host", tuple(slabs), trays, at=pictures.NOW)


def _guarded() -> Picture:
    """A container with all that an engine may say about what holds it back."""
    words = "set-user-id programs give them within the capabilities, and /proc/acpi and /sys/firmware are masked " * 3
    kept = tuple(
        Protection(name, words) for name in ("capabilities", "system calls", "read-only paths", "out of memory")
    )
    space = pictures.web_tray().space
    assert space is not None
    return pictures.web(space=space._replace(protections=kept, cgroup="/tiffin/" + "0123456789" * 8))


def _long() -> Explanation:
    """A compound verb with many steps, with calls, and with a long card on one side."""
    run = pictures.explain_run()
    create, start = run.parts
    steps = tuple(PlannedStep(f"do number {n} of all that there is to do", "for a reason " * 9) for n in range(30))
    calls = tuple(PlannedStep(f"call {n}", "", ('openat(5, "name") = 6',) * 70, 123_456) for n in range(2))
    card = Card("image", "debian", tuple((f"fact {n}", "/var/lib/a/long/path/" * 3) for n in range(30)))
    parts = (create._replace(steps=steps), start._replace(steps=calls), start, start)
    return run._replace(parts=parts, takes=run.takes._replace(cards=(card,)), remarks=("It is so. " * 30,))


SAMPLES: dict[str, Picture] = {
    "web": pictures.web(),
    "image": pictures.web_image(),
    "host": pictures.host(),
    "guarded": _guarded(),
    "crowd": pictures.crowd(70),
    "many": _many(60),
    "tall": pictures.one(pictures.in_state(State.RUNNING), *(f"RUN step {n} of a long build" for n in range(40))),
    "made": pictures.web(mark=Mark.MAKING, state=State.CREATED, space=None),
    "deep": pictures.web(space=Space(tuple(Process(n, 900 + n, n - 1, f"sh number {n}") for n in range(1, 20)))),
    **{name: pictures.one(tray, "debian", "COPY app") for name, tray in pictures.states().items()},
    **{f"hostile {n}": pictures.hostile(text) for n, text in enumerate(pictures.HOSTILE)},
}
SHEETS: dict[str, Explanation] = {
    "run": pictures.explain_run(),
    "commit": pictures.explain_commit(),
    "rm": pictures.explain_rm(),
    "exec": pictures.explain_exec(),
    "refused": pictures.explain_refused(),
    "long": _long(),
}
ALL: dict[str, Picture | Explanation] = {**SAMPLES, **SHEETS}


def draw(content: Picture | Explanation, theme: str = "auto") -> str:
    return (
        svg.draw(content, theme=theme) if isinstance(content, Picture) else svg.draw_explanation(content, theme=theme)
    )


# --- harmless


def check_harmless(drawn: str) -> None:
    """Well-formed, of known elements and attributes only, and nothing in it that runs or fetches."""
    root = read(drawn)
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in ELEMENTS
        assert set(element.attrib) <= ATTRIBUTES
        assert element.get("href", "#").startswith("#")
    (style,) = root.iter(f"{SVG}style")
    assert style.text is not None
    assert "url(" not in style.text
    assert "@import" not in style.text
    assert drawn.replace("\n", "").isprintable()


@given(arbitrary.pictures)
@settings(max_examples=60)
def test_any_picture_is_harmless(picture: Picture) -> None:
    check_harmless(svg.draw(picture))


@given(arbitrary.explanations())
@settings(max_examples=30)
def test_any_explanation_is_harmless(explanation: Explanation) -> None:
    check_harmless(svg.draw_explanation(explanation))


@pytest.mark.parametrize("name", ALL)
def test_samples_are_harmless(name: str) -> None:
    check_harmless(draw(ALL[name]))


def test_hostile_text_makes_no_attribute_and_no_element() -> None:
    drawn = svg.draw(pictures.hostile("\"'><script onload='x'>&"))
    assert "<script" not in drawn
    values = [value for element in read(drawn).iter() for value in element.attrib.values()]
    assert not [value for value in values if "script" in value]


def test_two_drawings_in_one_page_share_no_id() -> None:
    first, second = svg.draw(pictures.web()), svg.draw(pictures.web_image())
    ids = [{element.get("id") for element in read(drawn).iter() if element.get("id")} for drawn in (first, second)]
    assert not ids[0] & ids[1]


def test_the_style_sheet_keeps_to_its_own_drawing() -> None:
    drawn = svg.draw(pictures.web())
    id = read(drawn).get("id")
    (style,) = read(drawn).iter(f"{SVG}style")
    selectors = re.findall(r"(?:^|[{}])([^{}@]+)\{", style.text or "")
    assert selectors
    assert all(f"#{id}" in selector for selector in selectors)


# --- nothing covers a text


@pytest.mark.parametrize("name", ALL)
def test_no_text_stands_on_another(name: str) -> None:
    found = texts(draw(ALL[name]))
    assert [(one.text, other.text) for one, other in combinations(found, 2) if one.overlaps(other)] == []


@pytest.mark.parametrize("name", ALL)
def test_all_texts_are_within_the_drawing(name: str) -> None:
    drawn = draw(ALL[name])
    root = read(drawn)
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    for text in texts(drawn):
        assert text.left >= 0
        assert text.right <= width
        assert text.top >= 0
        assert text.bottom <= height


@given(arbitrary.pictures)
@settings(max_examples=30)
def test_all_texts_of_any_picture_are_within_it(picture: Picture) -> None:
    drawn = svg.draw(picture)
    width = float(read(drawn).get("width", 0))
    assert all(text.left >= 0 and text.right <= width for text in texts(drawn))


# --- for everyone


@pytest.mark.parametrize("name", ALL)
def test_a_drawing_says_in_words_what_it_shows(name: str) -> None:
    content = ALL[name]
    root = read(draw(content))
    title, desc = root[0], root[1]
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"
    assert (title.tag, desc.tag) == (f"{SVG}title", f"{SVG}desc")
    if isinstance(content, Picture):
        assert (title.text, desc.text) == (sentences.title(content), sentences.describe(content))
    else:
        assert desc.text == sentences.describe_explanation(content)


@pytest.mark.parametrize("name", ALL)
def test_every_sign_has_its_word(name: str) -> None:
    signs = list(read(draw(ALL[name])).iter(f"{SVG}use"))
    assert signs
    assert all(sign[0].tag == f"{SVG}title" and sign[0].text for sign in signs)


@pytest.mark.parametrize("name", pictures.states())
def test_a_state_is_said_by_a_sign_and_a_word(name: str) -> None:
    tray = pictures.states()[name]
    drawn = svg.draw(pictures.one(tray, "debian"))
    word = sentences.title(pictures.one(tray, "debian")).split(", ", 1)[1]
    assert any(text.text.startswith(word) for text in texts(drawn)[:-1])
    assert any((sign[0].text or "").startswith(word) for sign in read(drawn).iter(f"{SVG}use"))


def test_what_is_cut_is_whole_in_a_title() -> None:
    long = "COPY " + "a-long-name/" * 20
    drawn = svg.draw(pictures.one(None, long))
    titles = [title.text for title in read(drawn).iter(f"{SVG}title")]
    assert long in titles


@pytest.mark.parametrize(
    "content", [pictures.web(), pictures.host(), pictures.explain_commit()], ids=("web", "host", "commit")
)
def test_themes_differ_in_nothing_but_their_colours(content: Picture | Explanation) -> None:
    plain = [
        re.sub(r"t[0-9a-f]{12}|<style>.*?</style>", "", draw(content, theme)) for theme in ("auto", "light", "dark")
    ]
    assert plain[0] == plain[1] == plain[2]
    assert len({draw(content, theme) for theme in ("auto", "light", "dark")}) == 3


# --- same place, before and after


@pytest.mark.parametrize("name", ["run", "commit", "rm"])
def test_what_stays_has_the_same_place_before_and_after(name: str) -> None:
    drawn = svg.draw_explanation(SHEETS[name])
    found = texts(drawn)
    (before,), (after,) = ([text for text in found if text.text == word] for word in ("Input", "Output"))
    end = max((text.top for text in found if text.text == "Do it:"), default=after.bottom)
    above = {(text.text, text.left): text.top - before.top for text in found if text.top < _band(drawn)[0]}
    below = {(text.text, text.left): text.top - after.top for text in found if after.top <= text.top < end}
    stays = [key for key in above if key in below and key[0] not in ("Input", "Output")]
    assert len(stays) > 3
    assert {key: above[key] for key in stays} == {key: pytest.approx(below[key]) for key in stays}


def _band(drawn: str) -> tuple[float, float]:
    """From where to where the steps are."""
    box = next(rect for rect in read(drawn).iter(f"{SVG}rect") if rect.get("class") == "paper")
    top = float(box.get("y", 0))
    return top, top + float(box.get("height", 0))


# --- shapes


def _classes(drawn: str) -> set[str]:
    return {name for element in read(drawn).iter() for name in element.get("class", "").split()}


def test_what_runs_has_a_frame_what_ended_has_corners_what_never_ran_has_neither() -> None:
    states = pictures.states()
    drawn = {name: _classes(svg.draw(pictures.one(tray, "base"))) for name, tray in states.items()}
    assert "running" in drawn["running"]
    assert "paused" in drawn["paused"]
    assert {"restarting", "restarting-open"} <= drawn["restarting"]
    assert "corner" in drawn["exited 0"]
    assert "corner-bad" in drawn["exited 3"]
    assert "gauge-fill-bad" in drawn["out of memory"]
    assert not drawn["created"] & {"running", "corner", "corner-bad"}
    assert {"wall-ghost"} == drawn["removing"] & {"wall-ghost", "wall"}
    assert {"wall-ghost"} == drawn["dead"] & {"wall-ghost", "wall"}


def test_a_whiteout_is_struck_through_and_a_hidden_version_is_a_dashed_chip() -> None:
    drawn = svg.draw(pictures.web())
    gone = [text for text in read(drawn).iter(f"{SVG}text") if "gone" in text.get("class", "")]
    assert [text.text for text in gone] == ["old.html"]
    assert {"chip-bad", "chip-ghost"} <= _classes(drawn)
    assert "rw removes 8" in {text.text for text in texts(drawn)}


def test_a_host_of_many_is_seen_from_afar_with_a_sign_for_each_container() -> None:
    drawn = svg.draw(_many(500))
    titles = {use[0].text for use in read(drawn).iter(f"{SVG}use")}
    assert {f"c{n}" for n in range(500)} <= {(title or "").split(":")[0] for title in titles}
    assert len(drawn) < 300_000


def test_towers_of_layers_alone_stand_below_the_heading() -> None:
    few = pictures.stack("debian bookworm", "COPY app /app", "COPY conf /etc", "COPY site /srv", "RUN tidy")
    named = tuple(slab._replace(names=(f"app:{place}",), images=(f"app-{place}",)) for place, slab in enumerate(few))
    drawn = svg.draw(Picture("host", "this host", named, at=pictures.NOW))
    tops = {text.text: text.top for text in texts(drawn)}
    assert tops["This host"] < min(tops[f"app:{place}"] for place in range(5))


def test_what_is_new_is_said_by_a_word() -> None:
    found = {text.text for text in texts(svg.draw_explanation(pictures.explain_commit()))}
    assert "new" in found


# --- texts that fit


@given(arbitrary.texts)
def test_a_fitted_text_fits(text: str) -> None:
    from tiffin.view.words import harmless

    whole = harmless(text)
    for room in (5.0, 40.0, 200.0):
        assert measure(fit(whole, PLAIN, room), PLAIN) <= room
        assert measure(fit_middle(whole, PLAIN, room), PLAIN) <= room
        assert all(measure(line, HEADING) <= room for line in wrap(text, HEADING, room))


def test_a_path_keeps_its_end() -> None:
    shown = fit_middle("/usr/share/nginx/html/index.html", PLAIN, 120)
    assert shown.startswith("/usr")
    assert shown.endswith("html")


def test_a_drawing_has_only_the_rules_and_signs_that_it_needs() -> None:
    canvas = Canvas()
    canvas.rect(0, 0, 10, 10, "slab")
    drawn = canvas.finish("a slab", "A slab.", theme="light", margin=0)
    assert "slab-new" not in drawn
    assert "<g " not in drawn
