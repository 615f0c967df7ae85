"""Where everything in the diagram stands: "trunk and lanes".

One scope is the network, or the inside of an opened group, in coordinates whose x = 0 is the trunk. A
module's row is the longest path to it. The trunk is the longest path, ties by cost, and a straight line;
whatever else is in a row stands to its right. An edge over more than one row is a lane at the far right,
the shortest innermost, one for each source. A group's header stands on both sides of the trunk, never
across it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from netwright.report import svg as draw
from netwright.report.fold import Layer
from netwright.report.graph import ENTRY, Scope
from netwright.report.words import clean, count, shape

GAP, LEVEL, COLUMN, LANE, PAD, HEADER = 34.0, 5.0, 26.0, 13.0, 14.0, 42.0
NAME, SMALL = 12.5, 10.5
OPERATORS = {"add": "+", "+": "+", "sum": "+", "iadd": "+", "mul": "×", "×": "×", "*": "×", "cat": "concat"}


@dataclass(frozen=True)
class Box:
    """A module's card, an operator's pill, or the frame of an open group."""

    x: float
    y: float
    width: float
    height: float
    kind: str  # card | pill | group
    layer: Layer
    copies: int  # how many of it the whole network holds


@dataclass(frozen=True)
class Wire:
    points: tuple[tuple[float, float], ...]
    lane: bool = False
    arrow: bool = True


@dataclass(frozen=True)
class Tag:
    x: float
    y: float
    words: str


@dataclass
class Picture:
    """Drawn things around the axis x = 0, from y = 0 down to `height`."""

    left: float
    right: float
    height: float
    items: list[Box | Wire | Tag] = field(default_factory=list)

    def at(self, dx: float, dy: float) -> list[Box | Wire | Tag]:
        moved: list[Box | Wire | Tag] = []
        for item in self.items:
            if isinstance(item, Wire):
                moved.append(replace(item, points=tuple((x + dx, y + dy) for x, y in item.points)))
            else:
                moved.append(replace(item, x=item.x + dx, y=item.y + dy))
        return moved


def layout(
    layers: list[Layer],
    scope: Scope,
    found: Mapping[str, Scope],
    opened: set[int],
    copies: int = 1,
    *,
    head: float = 0,
    tail: float = 0,
) -> Picture:
    """The picture of one scope. `head` and `tail` are kept free above the first row and below the last."""
    return _Plan(layers, scope, found, opened, copies, head, tail).picture


class _Plan:
    """One scope while it is laid out: parts, columns, gaps, then the wires."""

    def __init__(
        self,
        layers: list[Layer],
        scope: Scope,
        found: Mapping[str, Scope],
        opened: set[int],
        copies: int,
        head: float,
        tail: float,
    ):
        self.layers, self.scope, self.opened = layers, scope, opened
        self.exit = len(layers)
        self.rows = [[i for i in range(self.exit) if scope.rank[i] == r] for r in range(max(scope.rank) + 1)]
        self.parts = self._parts(found, copies)
        self.column = self._columns()
        self.axis, self.edge = self._axes()
        self.onward = {i for i, j in scope.edges if self._row(j) - self._row(i) == 1}
        self.beside = [self._is_beside(i) for i in range(self.exit)]
        self.lanes = self._lanes()
        self.tops, self.bottoms = self._heights(head, tail)
        self.used = [0] * len(self.tops)
        self.picture = Picture(max(part.left for part in self.parts), self.edge, self.tops[-1])
        for i, part in enumerate(self.parts):
            self.picture.items += part.at(*self._place(i))
            words = shape(layers[i].shape)
            if words and self._row(i) < len(self.rows) - 1:  # what leaves it, beside its wire
                x, _ = self._place(i)
                self.picture.items.append(Tag(x + 6, self.bottoms[self._row(i)] + 13, words))
        self._wire_rows()
        self._wire_lanes()

    # -- where things stand

    def _parts(self, found: Mapping[str, Scope], copies: int) -> list[Picture]:
        cards = {
            i: _card(layer, copies * layer.repeat)
            for i, layer in enumerate(self.layers)
            if id(layer) not in self.opened
        }
        # Cards of one scope are of one width: a calm column.
        width = max((cards[i].left * 2 for i in cards if kind(self.layers[i]) == "card"), default=0)
        return [
            _card(layer, copies * layer.repeat, width) if i in cards else _group(layer, found, copies * layer.repeat)
            for i, layer in enumerate(self.layers)
        ]

    def _columns(self) -> list[int]:
        """The trunk is column 0; a branch stays in its column from row to row where that is free."""
        column = [0 if i in self.scope.trunk else -1 for i in range(self.exit)]
        for row in self.rows:
            for i in row:
                if column[i] < 0:
                    taken = {column[j] for j in row}
                    before = [column[j] for j in self.scope.before(i) if column[j] > 0]
                    column[i] = next(c for c in [*before, *range(1, self.exit + 2)] if c not in taken)
        return column

    def _axes(self) -> tuple[list[float], float]:
        """The x of every column's wire, and of the right edge of them all."""
        axis: list[float] = []
        edge = 0.0
        for c in range(max(self.column) + 1):
            members = [i for i in range(self.exit) if self.column[i] == c]
            if not members:
                axis.append(edge)
                continue
            axis.append(edge + COLUMN + max(self.parts[i].left for i in members) if c else 0.0)
            shapes = [6 + draw.width_of(shape(self.layers[i].shape), SMALL) for i in members]
            edge = axis[c] + max(*shapes, *(self.parts[i].right for i in members))
        return axis, edge

    def _row(self, i: int) -> int:
        return -1 if i == ENTRY else len(self.rows) if i == self.exit else self.scope.rank[i]

    def _is_beside(self, i: int) -> bool:
        """Whether a lane can touch its right side: nothing stands there, and it is not an open group."""
        last = max(self.column[j] for j in self.rows[self.scope.rank[i]])
        return id(self.layers[i]) not in self.opened and self.column[i] == last

    def _lanes(self) -> dict[int, list[int]]:
        """Source → what it reaches over more than one row, the shortest span first."""
        lanes: dict[int, list[int]] = {}
        for i, j in self.scope.edges:
            if self._row(j) - self._row(i) > 1:
                lanes.setdefault(i, []).append(j)
        return dict(sorted(lanes.items(), key=lambda lane: max(map(self._row, lane[1])) - self._row(lane[0])))

    def _bent(self, i: int, j: int) -> bool:
        """Whether an edge between neighbouring rows changes its column."""
        begin = 0 if i == ENTRY else self.column[i]
        return begin != (0 if j == self.exit else self.column[j])

    def _heights(self, head: float, tail: float) -> tuple[list[float], list[float]]:
        """Top and bottom of every row; the last top is the height of all. Gaps grow with what is in them."""
        crossing = [0] * (len(self.rows) + 1)  # crossing[r]: in the gap above row r
        for i, j in self.scope.edges:
            if self._row(j) - self._row(i) == 1:
                crossing[self._row(j)] += self._bent(i, j)
        for source, targets in self.lanes.items():
            aside = source != ENTRY and self.beside[source] and source in self.onward
            crossing[self._row(source) + 1] += not aside
            for j in targets:
                crossing[self._row(j)] += j == self.exit or not self.beside[j]
        gaps = [GAP + LEVEL * max(0, n - 1) for n in crossing]
        gaps[0] = head + (12 + LEVEL * crossing[0] if crossing[0] else 0)
        gaps[-1] = tail + (12 + LEVEL * crossing[-1] if crossing[-1] else 0)
        tops, bottoms, y = [], [], 0.0
        for row, gap in zip(self.rows, gaps, strict=False):
            tops.append(y + gap)
            y = tops[-1] + max(self.parts[i].height for i in row)
            bottoms.append(y)
        tops.append(y + gaps[-1])
        return tops, bottoms

    def _place(self, i: int) -> tuple[float, float]:
        return self.axis[self.column[i]], self.tops[self.scope.rank[i]]

    # -- wires

    def _level(self, row: int) -> float:
        """The y of the next free horizontal in the gap above a row, clear of the shapes and of the arrows."""
        self.used[row] += 1
        return self.tops[row] - 10 - LEVEL * (self.used[row] - 1)

    def _foot(self, i: int) -> tuple[float, float]:
        """Where what leaves it begins: the middle of its lower side, or of the scope's upper border."""
        if i == ENTRY:
            return 0.0, 0.0
        x, y = self._place(i)
        return x, y + self.parts[i].height

    def _head(self, j: int) -> tuple[float, float]:
        return (0.0, self.tops[-1]) if j == self.exit else self._place(j)

    def _pointed(self, j: int) -> bool:
        """An arrow ends at a card; a wire into an open group goes on inside it."""
        return j != self.exit and id(self.layers[j]) not in self.opened

    def _wire_rows(self) -> None:
        for i, j in self.scope.edges:
            if self._row(j) - self._row(i) != 1:
                continue
            (x1, y1), (x2, y2) = self._foot(i), self._head(j)
            if self._bent(i, j):
                y = self._level(self._row(j))
                self.picture.items.append(Wire(((x1, y1), (x1, y), (x2, y), (x2, y2)), arrow=self._pointed(j)))
            elif y2 > y1:
                self.picture.items.append(Wire(((x1, y1), (x2, y2)), arrow=self._pointed(j)))

    def _wire_lanes(self) -> None:
        """Innermost first; a lane uses again a track that is free over its whole height."""
        tracks: list[list[tuple[int, int]]] = []
        for source, targets in self.lanes.items():
            begin, end = self._row(source), max(map(self._row, targets))
            free = (k for k, track in enumerate(tracks) if all(e <= begin or b >= end for b, e in track))
            k = next(free, len(tracks))
            if k == len(tracks):
                tracks.append([])
            tracks[k].append((begin, end))
            x = self.edge + LANE * (k + 1)
            self.picture.right = max(self.picture.right, x + 3)
            start = self._lane_end(source, x, 0.7)
            if source == ENTRY:  # it forks off the trunk, whose line is there already
                start[0] = (0.0, start[1][1] - 8)
            for j in targets:
                stop = self._lane_end(j, x, 0.5 if kind(self.layers[j % self.exit]) == "pill" else 0.3, target=True)
                arrow = self._pointed(j)
                self.picture.items.append(Wire((*start, *reversed(stop)), lane=True, arrow=arrow))

    def _lane_end(self, i: int, x: float, part: float, target: bool = False) -> list[tuple[float, float]]:
        """From a module to the lane at x: out of its right side, or through the gap at its foot (or head)."""
        if 0 <= i < self.exit and self.beside[i] and (target or i in self.onward):
            left, top = self._place(i)
            y = top + self.parts[i].height * part
            return [(left + self.parts[i].right, y), (x, y)]
        at = self._head(i) if target else self._foot(i)  # a lane alone leaves downward, like any wire
        y = self._level(self._row(i) if target else self._row(i) + 1)
        return [at, (at[0], y), (x, y)]


def _group(layer: Layer, found: Mapping[str, Scope], copies: int) -> Picture:
    inside = layout(layer.children, found[layer.path], found, set(), copies, head=HEADER + 10, tail=PAD)
    named, told = (max(draw.width_of(*line) for line in side) for side in header(layer, copies))
    left, right = max(inside.left + PAD, named + 20), max(inside.right + PAD, told + 24)
    frame = Box(-left, 0, left + right, inside.height, "group", layer, copies)
    return Picture(left, right, inside.height, [frame, *inside.items])


def header(layer: Layer, copies: int) -> tuple[list, list]:
    """The two lines at the left of the trunk and the two at its right, as (words, size, bold)."""
    name = draw.fit(clean(layer.name), 150, NAME, True) + (f" ×{layer.repeat}" if layer.repeat > 1 else "")
    costs = costs_of(layer, copies)
    return [(name, NAME, True), (draw.fit(layer.cls, 150, SMALL), SMALL, False)], [
        (words, SMALL, False) for words in (costs or [""])
    ]


def costs_of(layer: Layer, copies: int) -> list[str]:
    pairs = ((layer.params, "params"), (layer.macs, "MACs"))
    return [f"{count(value * copies)} {name}" for value, name in pairs if value]


def kind(layer: Layer) -> str:
    operator = not layer.params and not layer.children and (layer.cls.lower() in OPERATORS or not layer.cls)
    return "pill" if operator else "card"


def pill_words(layer: Layer) -> str:
    return draw.fit(OPERATORS.get(layer.cls.lower(), "") or clean(layer.name), 160, NAME, True)


def _card(layer: Layer, copies: int, min_width: float = 0) -> Picture:
    if kind(layer) == "pill":
        width, height = max(34.0, draw.width_of(pill_words(layer), NAME, True) + 26), 26.0
    else:
        name, cls = card_words(layer)
        first = draw.width_of(name, NAME, True) + 14 + draw.width_of(cls, SMALL)
        costs = draw.width_of(" · ".join(costs_of(layer, copies)), SMALL) + 12 + draw.width_of("99.9 %", SMALL, True)
        two = bool(costs_of(layer, copies))
        width, height = max(120.0, min_width, first + 30, costs + 30 if two else 0), 44.0 if two else 28.0
    box = Box(-width / 2, 0, width, height, kind(layer), layer, copies)
    return Picture(width / 2, width / 2, height, [box])


def card_words(layer: Layer) -> tuple[str, str]:
    name = draw.fit(clean(layer.name), 200, NAME, True) + (f" ×{layer.repeat}" if layer.repeat > 1 else "")
    return name, draw.fit(layer.cls, 130, SMALL)
