"""What is in a drawing: read back from SVG, with the places of its texts as a wide font takes them."""

from __future__ import annotations

from typing import NamedTuple
from xml.etree import ElementTree

from tiffin.view.svg import canvas
from tiffin.view.svg.canvas import PLAIN, Type, measure

SVG = "{http://www.w3.org/2000/svg}"
TYPES = {type.name: type for type in vars(canvas).values() if isinstance(type, Type)}


class Text(NamedTuple):
    text: str
    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Text) -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


def read(drawn: str) -> ElementTree.Element:
    """The root. Raises ParseError for what is no XML."""
    return ElementTree.fromstring(drawn.encode())


def texts(drawn: str) -> list[Text]:
    """All lines, with the box that each takes: from the top of its capitals to the bottom of its tails."""
    return [_text(element) for element in read(drawn).iter(f"{SVG}text")]


def _text(element: ElementTree.Element) -> Text:
    classes = element.get("class", "").split()
    kind = next((TYPES[name] for name in classes if name in TYPES), PLAIN)
    shown = (element.text or "") + "".join(child.tail or "" for child in element)
    x, y, width = float(element.get("x", 0)), float(element.get("y", 0)), measure(shown, kind)
    left = x - (width if "end" in classes else width / 2 if "mid" in classes else 0)
    return Text(shown, left, y - 0.74 * kind.size, left + width, y + 0.16 * kind.size)
