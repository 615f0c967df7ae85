"""Reads an SVG back: its texts in pixels, with text widths of a table of its own."""

import re
from dataclasses import dataclass
from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"
# Advance widths of DejaVu Sans, the widest usual interface font, in 1/1000 em (from the font's hmtx table).
ADVANCES = {
    **dict.fromkeys("iljI.,:;'| ", 340),
    **dict.fromkeys("ftr()[]/-", 412),
    **dict.fromkeys("abcdeghknopqsuvxyz", 635),
    **dict.fromkeys("mwM", 980),
    **dict.fromkeys("0123456789", 636),
    "W": 989, "@": 1000, "%": 950, "…": 1000, "×": 838, "·": 318, "–": 500,
}  # fmt: skip


@dataclass(frozen=True)
class Rect:
    left: float
    top: float
    right: float
    bottom: float

    def holds(self, other: "Rect", slack: float = 0.5) -> bool:
        return (
            self.left - slack <= other.left
            and self.top - slack <= other.top
            and other.right <= self.right + slack
            and other.bottom <= self.bottom + slack
        )

    def meets(self, other: "Rect") -> bool:
        apart = self.right <= other.left or other.right <= self.left
        return not (apart or self.bottom <= other.top or other.bottom <= self.top)


@dataclass(frozen=True)
class Words:
    text: str
    box: Rect


@dataclass(frozen=True)
class Drawing:
    page: Rect
    texts: list[Words]


def width_of(text: str, size: float, bold: bool) -> float:
    units = sum(ADVANCES.get(char, 1050 if ord(char) > 0x2E80 else 790) for char in text)
    return units / 1000 * size * (1.09 if bold else 1)


def read(svg: str) -> Drawing:
    root = ElementTree.fromstring(svg)
    view = [float(part) for part in root.attrib["viewBox"].split()]
    texts = []
    slanted = {text: group for group in root.iter(f"{SVG}g") for text in group.iter(f"{SVG}text")}
    for item in root.iter(f"{SVG}text"):
        if "transform" in item.attrib:
            continue
        text, size = "".join(item.itertext()), float(item.attrib["font-size"])
        width = width_of(text, size, item.get("font-weight") == "600")
        if item in slanted:  # by 45°, upwards to the right
            x, y = (float(n) for n in re.findall(r"-?[\d.]+", slanted[item].attrib["transform"])[:2])
            box = Rect(x - size * 0.54, y - (width + size * 0.76) * 0.71, x + width * 0.71, y + size * 0.17)
        else:
            x, y = float(item.attrib["x"]), float(item.attrib["y"])
            x -= {"start": 0.0, "middle": width / 2, "end": width}[item.get("text-anchor", "start")]
            box = Rect(x, y - size * 0.76, x + width, y + size * 0.24)
        texts.append(Words(text, box))
    return Drawing(Rect(view[0], view[1], view[0] + view[2], view[1] + view[3]), texts)
