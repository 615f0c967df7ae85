"""The picture as one SVG, which needs nothing else: colours for light and dark, a title, no script.

Light colours are attributes, which every program understands; the dark ones are CSS, for those that know of it.
"""

from collections.abc import Iterable
from html import escape

from netwright.errors import InputError
from netwright.picture.colours import COLOURS, FONT
from netwright.picture.layout import Box, Picture, Point, Tag, Wire, layout
from netwright.picture.nodes import NAME, SMALL, Nodes, first_open, open_to, read_tree
from netwright.picture.tree import COSTS, Json, tree
from netwright.picture.words import clean, count, fit, share, width_of

MARGIN, CAPTION = 8, 50
HEATS = {name: letter for letter, name in COSTS.items()}
SAID = {"M": "MACs", "P": "parameters", "A": "activations", "L": "latency"}
USED = ("ink", "muted", "line", "paper", "card", "soft", "accent", "warm", "good", "violet", "teal")


def svg(
    blueprint: Json, title: str = "", *, depth: int | None = None, heat: str | None = "macs", caption: bool = True
) -> str:
    """Of `Blueprint.to_json()`.

    depth: so many levels of groups are open; if None, the costliest groups, while the picture stays small ·
    heat: what the cards are shaded by their share of: "macs", "params", "activation_bytes" or "latency_ms"; None for
    nothing. A closed group has the share of all that it holds · caption: title, totals and what the shade is, on top.
    Errors: InputError for another heat, or for latency that is not known.
    """
    if heat is not None and heat not in HEATS:
        fix = f"choose one of {', '.join(HEATS)}, or None"
        raise InputError(f"nothing is coloured by {heat!r}", where="heat", fix=fix)
    data = tree(blueprint, title)
    if heat == "latency_ms" and not data["totals"]["L"]:
        raise InputError("the rows have no latency", where="heat", fix="choose another, or estimate the latency first")
    nodes, letter = read_tree(data), HEATS[heat] if heat else ""
    said = _caption(data, letter) if caption else []
    return _Drawing(nodes, layout(nodes, opened(nodes, depth)), letter, said).document()


def opened(nodes: Nodes, depth: int | None) -> set[int]:
    return first_open(nodes) if depth is None else open_to(nodes, max(1, depth))


def _caption(data: Json, heat: str) -> list[str]:
    totals = data["totals"]
    words = [f"{count(totals['P'])} params", f"{count(totals['M'])} MACs"]
    words += ["a lower bound, because something was not counted"] if data["missed"] else []
    words += [f"shade: share of {SAID[heat]}"] if totals.get(heat) else []
    return [fit(data["title"], 480, 15, True), " · ".join(words)]


class _Drawing:
    def __init__(self, nodes: Nodes, picture: Picture, heat: str, caption: list[str]):
        self.nodes, self.picture, self.heat, self.caption = nodes, picture, heat, caption
        self.whole = nodes.totals.get(heat) or 0

    def document(self) -> str:
        picture, title = self.picture, escape(clean(self.nodes.root.name))
        lines = list(zip(self.caption, (15, SMALL), (-33, -15), strict=False))  # words, size, y
        wide = max([picture.width, *(width_of(words, size, size > SMALL) + 16 for words, size, _ in lines)])
        top = MARGIN + (CAPTION if lines else 0)
        width, height = wide + 2 * MARGIN, picture.height + top + MARGIN
        frames = [box for box in picture.boxes if box.kind == "group"]
        cards = [box for box in picture.boxes if box.kind != "group"]
        # What is drawn first lies beneath; an arrow's tip stands on the shadow of a card of many.
        parts = [*map(self._frame, frames), *map(self._card, cards)]
        parts += [*map(_wire, picture.wires), *map(_tag, picture.tags)]
        parts += [_text(6, y, words, size, bold=size > SMALL) for words, size, y in lines]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="netwright" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="{-MARGIN} {-top} {width:.0f} {height:.0f}" role="img" aria-label="{title}" '
            f'font-family="{escape(FONT)}"><title>{title}</title><style>{_style()}</style><defs>{_markers()}</defs>'
            + _rect(-MARGIN, -top, width, height, "paper")
            + "".join(parts)
            + "</svg>"
        )

    def _part(self, box: Box) -> float:
        return box.node.total[self.heat] / self.whole if self.whole else 0

    def _share(self, box: Box) -> str:
        part = self._part(box)
        return share(part, 1) if part else ""

    def _frame(self, box: Box) -> str:
        words, right = box.words, box.axis + box.told_x
        costs = [*words.costs, "", ""]
        second = " · ".join(filter(None, (costs[1], self._share(box))))
        return (
            _rect(
                box.x, box.y, box.width, box.height, "soft", "muted", 10, ' fill-opacity="0.6" stroke-dasharray="4 3"'
            )
            + _text(box.x + 12, box.y + 19, words.name, NAME)
            + _text(box.x + 12, box.y + 34, words.cls)
            + _text(right, box.y + 19, costs[0], anchor="end")
            + _text(right, box.y + 34, second, anchor="end")
        )

    def _card(self, box: Box) -> str:
        x, y, width, height, node, words = box.x, box.y, box.width, box.height, box.node, box.words
        if box.kind == "pill":
            name = _text(x + width / 2, y + 17.5, node.pill, NAME, anchor="middle")
            return _rect(x, y, width, height, "soft", "line", height / 2) + name
        parts = []
        if node.repeat > 1 or node.alike:
            parts.append(_rect(x + 4, y + 4, width, height, "card", "line", 8))
        parts.append(_rect(x, y, width, height, "card", "line", 8))
        if part := self._part(box):
            parts.append(_rect(x, y, width, height, "warm", "", 8, f' fill-opacity="{0.04 + 0.56 * part**0.7:.3f}"'))
        parts.append(_rect(x + 6, y + 7, 3, height - 14, node.tone or "line", "", 1.5))
        parts.append(_text(x + 16, y + 18.5, words.name, NAME))
        parts.append(_text(x + width - 10, y + 18.5, words.cls, anchor="end"))
        if words.costs:
            parts.append(_text(x + 16, y + 35.5, " · ".join(words.costs)))
            parts.append(_text(x + width - 10, y + 35.5, self._share(box), bold=True, anchor="end"))
        return "".join(parts)


def _style() -> str:
    dark = "".join(
        f".netwright .f-{name}{{fill:{COLOURS[name][1]}}}.netwright .s-{name}{{stroke:{COLOURS[name][1]}}}"
        for name in USED
    )
    return f"@media screen and (prefers-color-scheme:dark){{{dark}}}"


def _markers() -> str:
    """One arrow for each colour: context-stroke is not understood everywhere."""
    return "".join(
        f'<marker id="nw-{colour}" viewBox="0 0 8 8" refX="7" refY="4" orient="auto" '
        f'markerUnits="userSpaceOnUse" markerWidth="10" markerHeight="10">'
        f'<path d="M0 0.8 8 4 0 7.2Z" fill="{COLOURS[colour][0]}" class="f-{colour}"/></marker>'
        for colour in ("muted", "accent")
    )


def _rect(
    x: float, y: float, width: float, height: float, fill: str, stroke: str = "", radius: float = 0, more: str = ""
) -> str:
    css = f"f-{fill} s-{stroke}" if stroke else f"f-{fill}"
    line = f' stroke="{COLOURS[stroke][0]}"' if stroke else ""
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{radius:g}"'
    return f'<rect {place} fill="{COLOURS[fill][0]}"{line} class="{css}"{more}/>'


def _text(x: float, y: float, words: str, size: float = SMALL, *, bold: bool = False, anchor: str = "start") -> str:
    if not words:
        return ""
    bold = bold or size == NAME
    colour = "ink" if bold else "muted"
    weight = ' font-weight="600"' if bold else ""
    at = f' text-anchor="{anchor}"' if anchor != "start" else ""
    style = f'font-size="{size:g}" fill="{COLOURS[colour][0]}" class="f-{colour}"{weight}{at}'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(words)}</text>'


def _tag(tag: Tag) -> str:
    return _text(tag.x, tag.y, tag.words)


def _wire(wire: Wire) -> str:
    colour = "accent" if wire.lane else "muted"
    end = f' marker-end="url(#nw-{colour})"' if wire.arrow else ""
    stroke = f'fill="none" stroke="{COLOURS[colour][0]}" stroke-width="1.4" class="s-{colour}"'
    return f'<path d="{path(wire.points)}" {stroke}{end}/>'


def path(points: Iterable[Point], radius: float = 6) -> str:
    """An orthogonal line with rounded corners."""
    points = list(points)
    words = f"M{_at(points[0])}"
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        words += f"L{_at(_towards(corner, before, radius))}Q{_at(corner)} {_at(_towards(corner, after, radius))}"
    return words + f"L{_at(points[-1])}"


def _at(point: Point) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"


def _towards(corner: Point, other: Point, radius: float) -> Point:
    dx, dy = other[0] - corner[0], other[1] - corner[1]
    length = abs(dx) + abs(dy)
    part = min(radius, length / 2) / length if length else 0
    return corner[0] + dx * part, corner[1] + dy * part
