"""The network as a picture, "trunk and lanes", and the same as Mermaid text.

`svg(nodes, edges)` and `mermaid(nodes, edges)` take plain layer rows (`schema.py` says their keys). Without
edges the modules follow each other in the rows' order. Equal neighbours are folded ("×12"), groups opened
one level.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from netwright.report import svg as draw
from netwright.report.fold import Layer, chained, totals, tree, unwrapped
from netwright.report.graph import ENTRY, Scope, bridged, scopes
from netwright.report.layout import (
    NAME,
    SMALL,
    Box,
    Tag,
    Wire,
    card_words,
    costs_of,
    header,
    kind,
    layout,
    pill_words,
)
from netwright.report.words import clean, shape, share

MARGIN, MOST_OPEN, MOST_TOP = 8.0, 14, 60
STRIPES = (
    ("teal", ("embed", "token", "patch", "stem", "position")),
    ("violet", ("attention", "mixer", "lstm", "gru", "ssm", "mamba")),
    ("accent", ("conv", "bottleneck", "basicblock", "residual", "stage")),
    ("good", ("norm",)),
    ("warm", ("linear", "mlp", "feedforward", "head", "classifier")),
)


def svg(
    nodes: Iterable[Mapping[str, Any]],
    edges: Sequence[Mapping[str, Any]] | None = None,
    *,
    title: str = "The network",
    input_shape: Any = None,
    heat: str = "",
) -> str:
    """The picture as one SVG. Cards are shaded by their share of `heat` ("macs", else "params")."""
    rows, edges = bridged(list(nodes), edges or [])
    top, opened = _top(rows, edges, input_shape)
    whole = totals(top)
    heat = heat or ("macs" if whole["macs"] else "params")
    found = scopes(top, edges, opened)
    picture = layout(top, found[""], found, opened)
    width = picture.left + picture.right + 2 * MARGIN
    parts = [f"<title>{draw.esc(title)}</title>", _markers()]
    items = picture.at(picture.left + MARGIN, MARGIN)
    items.sort(key=_depth)
    parts += [_render(item, whole, heat) for item in items]
    return draw.document(width, picture.height + 2 * MARGIN, parts, label=title, css="diagram", least=0.7)


def _depth(item: Box | Wire | Tag) -> int:
    """What is drawn first lies beneath: frames, shapes, wires, cards."""
    if isinstance(item, Box):
        return 0 if item.kind == "group" else 3
    return 1 if isinstance(item, Tag) else 2


def _top(
    nodes: Iterable[Mapping[str, Any]], edges: Sequence[Mapping[str, Any]], input_shape: Any
) -> tuple[list[Layer], set[int]]:
    """Input, top-level modules, output; and which of them are opened (by identity)."""
    layers = _shortened(chained(unwrapped(tree(nodes)), edges))
    for layer in layers:
        layer.children = chained(layer.children, edges)
    opened = {id(layer) for layer in layers if 1 < len(layer.children) <= MOST_OPEN}
    ends = Layer("\0input", "input", "", input_shape), Layer("\0output", "output", "")
    return [ends[0], *layers, ends[1]], opened


def _shortened(layers: list[Layer]) -> list[Layer]:
    """A flat network of hundreds of modules keeps its two ends."""
    if len(layers) <= MOST_TOP:
        return layers
    half = MOST_TOP // 2
    cut = layers[half:-half]
    hidden = Layer("\0more", f"… {len(cut)} more modules", "", cut[-1].shape)
    for what, value in totals(cut).items():
        setattr(hidden, what, value)
    return [*layers[:half], hidden, *layers[-half:]]


def _markers() -> str:
    def marker(name: str, colour: str) -> str:
        return (
            f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
            ' orient="auto">'
            f'<path d="M0 0.8 8 4 0 7.2Z" fill="{draw.var(colour)}"/></marker>'
        )

    return f"<defs>{marker('nw-arrow', 'muted')}{marker('nw-lane', 'accent')}</defs>"


def _render(item: Box | Wire | Tag, whole: Mapping[str, float], heat: str) -> str:
    if isinstance(item, Tag):
        return draw.text(item.x, item.y, item.words, size=SMALL, css="shape")
    if isinstance(item, Wire):
        return _wire(item)
    layer, x, y, width, height = item.layer, item.x, item.y, item.width, item.height
    part = (getattr(layer, heat) or 0) * item.copies / whole[heat] if whole[heat] else 0.0
    if item.kind == "pill":
        words = pill_words(layer)
        return draw.rect(x, y, width, height, fill="soft", stroke="line", radius=height / 2, css="box") + draw.text(
            x + width / 2, y + 17.5, words, size=NAME, anchor="middle", bold=True, fill="ink"
        )
    if item.kind == "group":
        parts = [
            draw.rect(
                x,
                y,
                width,
                height,
                fill="soft",
                stroke="muted",
                radius=10,
                css="group",
                opacity=0.75,
                dash="4 3",
            )
        ]
        for side, lines in enumerate(header(layer, item.copies)):
            for index, (words, size, bold) in enumerate(lines):
                at, tone = (x + width - 12 if side else x + 12), "ink" if bold else "muted"
                parts.append(
                    draw.text(
                        at,
                        y + 19 + 15 * index,
                        words,
                        size=size,
                        bold=bold,
                        fill=tone,
                        anchor="end" if side else "start",
                    )
                )
        return "".join(parts)
    name, cls = card_words(layer)
    parts = [draw.rect(x, y, width, height, fill="card", stroke="line", radius=8, css="box")]
    if part > 0:
        parts.append(draw.rect(x, y, width, height, fill="warm", radius=8, opacity=0.04 + 0.5 * part**0.7))
    stripe = next((tone for tone, keys in STRIPES if any(key in layer.cls.lower() for key in keys)), "line")
    parts.append(draw.rect(x + 6, y + 7, 3, height - 14, fill=stripe, radius=1.5))
    parts.append(draw.text(x + 16, y + 18.5, name, size=NAME, bold=True, fill="ink"))
    parts.append(draw.text(x + width - 10, y + 18.5, cls, size=SMALL, anchor="end"))
    if costs := costs_of(layer, item.copies):
        parts.append(draw.text(x + 16, y + 35, " · ".join(costs), size=SMALL))
        words = share(part, 1) if part else ""
        parts.append(draw.text(x + width - 10, y + 35, words, size=SMALL, bold=True, fill="ink", anchor="end"))
    return "".join(parts)


def _wire(wire: Wire, radius: float = 6) -> str:
    """An orthogonal line with rounded corners."""
    points = wire.points
    words = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        into = _towards(corner, before, radius)
        out = _towards(corner, after, radius)
        words += f"L{into[0]:.1f} {into[1]:.1f}Q{corner[0]:.1f} {corner[1]:.1f} {out[0]:.1f} {out[1]:.1f}"
    words += f"L{points[-1][0]:.1f} {points[-1][1]:.1f}"
    colour, mark = ("accent", "nw-lane") if wire.lane else ("muted", "nw-arrow")
    end = f' marker-end="url(#{mark})"' if wire.arrow else ""
    return f'<path d="{words}" fill="none" stroke="{draw.var(colour)}" stroke-width="1.4" class="wire"{end}/>'


def _towards(corner: tuple[float, float], other: tuple[float, float], radius: float) -> tuple[float, float]:
    dx, dy = other[0] - corner[0], other[1] - corner[1]
    length = abs(dx) + abs(dy)
    part = min(radius, length / 2) / length if length else 0
    return corner[0] + dx * part, corner[1] + dy * part


def mermaid(
    nodes: Iterable[Mapping[str, Any]],
    edges: Sequence[Mapping[str, Any]] | None = None,
    *,
    input_shape: Any = None,
) -> str:
    """The same picture as a Mermaid flowchart, which GitHub draws."""
    rows, edges = bridged(list(nodes), edges or [])
    top, opened = _top(rows, edges, input_shape)
    found = scopes(top, edges, opened)
    words = ["flowchart TB"]
    names: dict[tuple[str, int], str] = {}
    for i, layer in enumerate(top):
        names["", i] = f"n{i}"
        if id(layer) not in opened:
            words.append(f"  n{i}{_mermaid_node(layer, layer.repeat)}")
            continue
        words.append(f'  subgraph n{i}["{_mermaid_text(_title(layer))}"]')
        scope = found[layer.path]
        forks = {a for a, b in scope.edges if a == ENTRY and (b == len(layer.children) or scope.rank[b] > 0)}
        if forks:
            names[layer.path, ENTRY] = f"n{i}in"
            words.append(f"    n{i}in(( ))")
        for k, child in enumerate(layer.children):
            names[layer.path, k] = f"n{i}_{k}"
            words.append(f"    n{i}_{k}{_mermaid_node(child, layer.repeat * child.repeat)}")
        words += [f"    {wire}" for wire in _mermaid_wires(layer.path, layer.children, scope, names)]
        words.append("  end")
    words += [f"  {wire}" for wire in _mermaid_wires("", top, found[""], names)]
    return "\n".join(words)


def _mermaid_wires(path: str, layers: list[Layer], scope: Scope, names: Mapping[tuple[str, int], str]) -> Iterable[str]:
    for i, j in scope.edges:
        if (path, i) in names and (path, j) in names:
            words = shape(layers[i].shape) if i >= 0 else ""
            label = f'|"{_mermaid_text(words)}"| ' if words else ""
            yield f"{names[path, i]} -->{label or ' '}{names[path, j]}"


def _mermaid_node(layer: Layer, copies: int) -> str:
    if kind(layer) == "pill":
        # Mermaid reads a lone + as the start of a list.
        words = {"+": "add", "×": "multiply"}.get(pill_words(layer), pill_words(layer))
        return f'(["{_mermaid_text(words)}"])'
    costs = " · ".join(costs_of(layer, copies))
    return f'["{_mermaid_text(_title(layer))}{"<br/>" + costs if costs else ""}"]'


def _title(layer: Layer) -> str:
    return f"{' '.join(card_words(layer))}".strip()


def _mermaid_text(words: str) -> str:
    """Mermaid's own entities, so that no name ends a label or becomes markup."""
    safe = clean(words, 120).replace("&", "#amp;")
    for char, code in (
        ("#amp;", "\0"),
        ("#", "#35;"),
        ("\0", "#amp;"),
        ('"', "#quot;"),
        ("<", "#lt;"),
        (">", "#gt;"),
    ):
        safe = safe.replace(char, code)
    return safe.replace("`", "#96;").replace("\\", "#92;")
