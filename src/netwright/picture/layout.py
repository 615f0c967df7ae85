"""Where everything in the picture stands: "trunk and lanes".

One scope is the network, or the inside of an open group, in coordinates whose x = 0 is the trunk. A child's row is the
longest path to it. The trunk is the longest path, ties by cost, and a straight line; whatever else is in a row stands
to its right. An edge over more than one row is a lane at the far right, the shortest innermost, one for each tensor;
one that comes from a branch goes down the branch's own column where that is free. Every tensor that crosses a group's
border has its port there. A group's header stands on both sides of the trunk, never across it.

layout.js says the same in JavaScript, function for function; tests/picture/golden/ holds the two together.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from netwright.picture.nodes import NAME, SMALL, Node, Nodes, Words
from netwright.picture.ports import ENTRY
from netwright.picture.ranks import Edge, ranks, trunk, visible_edges
from netwright.picture.words import width_of

# Pixels: BELOW a row to the first line across its gap, LEVEL between lines, ABOVE the next row for the arrows.
GAP, LEVEL, COLUMN, LANE, PAD, HEADER = 34, 5, 28, 13, 14, 46
BELOW, ABOVE = 20, 14
WIDEST_SHARE = "99.9 %"

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A module's card, an operator's pill, or the frame of an open group."""

    node: Node
    kind: str  # card | pill | group
    words: Words
    x: float
    y: float
    width: float
    height: float
    named: float = 0  # how wide a header's words are at the left of the trunk, and at the right
    told: float = 0
    told_x: float = 0  # where those at the right end, from the trunk
    axis: float = 0


@dataclass(frozen=True)
class Wire:
    points: list[Point]
    lane: bool
    arrow: bool
    scope: int
    shape: str
    source: int
    port: int
    target: int


@dataclass(frozen=True)
class Tag:
    x: float
    y: float
    words: str


@dataclass
class Part:
    """What stands around the axis x = 0, from y = 0 down to `height`; `in_x` and `out_x` are its ports."""

    left: float
    right: float
    height: float
    near: float = 0
    in_x: dict[int, float] = field(default_factory=lambda: {0: 0.0})
    out_x: dict[int, float] = field(default_factory=lambda: {0: 0.0})
    boxes: list[Box] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)
    inside: list[tuple["Part", float, float]] = field(default_factory=list)


@dataclass
class Picture:
    """Boxes in reading order; the axis is the trunk's."""

    boxes: list[Box]
    wires: list[Wire]
    tags: list[Tag]
    width: float
    height: float
    axis: float


def layout(nodes: Nodes, opened: set[int]) -> Picture:
    """The picture with these nodes open."""
    top = _Scope(nodes.root, nodes, opened, 8, 8, 0).part()
    axis = top.left + PAD
    picture = Picture([], [], [], axis + top.right + PAD, top.height, axis)

    def place(part: Part, dx: float, dy: float) -> None:
        picture.boxes += [replace(box, x=box.x + dx, y=box.y + dy, axis=dx) for box in part.boxes]
        picture.wires += [replace(wire, points=[(x + dx, y + dy) for x, y in wire.points]) for wire in part.wires]
        picture.tags += [replace(tag, x=tag.x + dx, y=tag.y + dy) for tag in part.tags]
        for inner, x, y in part.inside:
            place(inner, x + dx, y + dy)

    place(top, axis, 0)
    return picture


def _card_width(node: Node) -> float:
    """How wide its words make a card or a pill."""
    if node.pill:
        return max(34, width_of(node.pill, NAME, True) + 26)
    words, mark = node.words, 16 if node.kids else 0
    first = width_of(words.name, NAME, True) + 16 + width_of(words.cls, SMALL) + mark
    second = width_of(" · ".join(words.costs), SMALL) + 14 + width_of(WIDEST_SHARE, SMALL, True)
    return max(130, first + 30, second + 30)


def _card(node: Node, width: float) -> Part:
    """A closed module, or an operator. Its axis is its middle."""
    height = 26 if node.pill else 44 if node.words.costs else 28
    box = Box(node, "pill" if node.pill else "card", node.words, -width / 2, 0, width, height)
    return Part(width / 2, width / 2, height, boxes=[box])


def _group(node: Node, nodes: Nodes, opened: set[int]) -> Part:
    """An open group: a frame around its scope, the header on both sides of the trunk."""
    words = node.words
    named = max(width_of("▾ " + words.name, NAME, True), width_of(words.cls, SMALL))
    costs = [*words.costs, "", ""]
    second = f"{costs[1]} · {WIDEST_SHARE}"  # what colours it is known when it is painted
    told = max(width_of(costs[0], SMALL), width_of(second, SMALL))
    inside = _Scope(node, nodes, opened, HEADER + 8, PAD, told + 16).part()
    left, right = max(inside.left + PAD, named + 24), inside.right + PAD
    box = Box(node, "group", words, -left, 0, left + right, inside.height, named, told, inside.near)
    return Part(left, right, inside.height, in_x=inside.in_x, out_x=inside.out_x, boxes=[box], inside=[(inside, 0, 0)])


@dataclass(eq=False)
class _Lane:
    """From `begin` to `end`, in half rows."""

    begin: int
    end: int
    aside: bool  # it leaves at its source's side
    border: bool  # it comes in through the border
    x: float = 0


class _Scope:
    """One scope while it is laid out. No wire meets a box by construction: what is vertical stands in the column of its
    end where that is free, or in a lane right of all; what is horizontal lies in a gap between two rows, or beside the
    last box of a row.
    """

    def __init__(self, scope: Node, nodes: Nodes, opened: set[int], head: float, tail: float, told: float):
        self.scope, self.nodes, self.opened = scope, nodes, opened
        self.kids, self.size = scope.kids, len(scope.kids)
        self.edges = visible_edges(scope, opened)
        self.rank, self.before = ranks(self.size, self.edges)
        self.rows = [[i for i in range(self.size) if self.rank[i] == r] for r in range(max(self.rank) + 1)]
        self.trunk = trunk(self.kids, self.rank, self.before)
        self.open = [kid.id in opened and bool(kid.kids) for kid in self.kids]
        self.parts = self._plan_kids()
        self.main_in, self.main_out = self._main_ports()
        self.column = self._columns()
        self.standing = set(zip(self.rank, self.column, strict=True))
        self._find_axes(told)
        self._find_ways()
        self._find_tracks()
        self._find_heights(head, tail)

    def _row(self, i: int) -> int:
        return -1 if i == ENTRY else len(self.rows) if i == self.size else self.rank[i]

    def _plan_kids(self) -> list[Part]:
        """Cards of one scope are of one width: a calm column."""
        closed = [kid for kid, is_open in zip(self.kids, self.open, strict=True) if not is_open]
        widest = max((_card_width(kid) for kid in closed if not kid.pill), default=0)
        return [
            _group(kid, self.nodes, self.opened) if is_open else _card(kid, _card_width(kid) if kid.pill else widest)
            for kid, is_open in zip(self.kids, self.open, strict=True)
        ]

    def _main_ports(self) -> tuple[int, int]:
        """Which port stands on the trunk: the one of the trunk's first (or last) child."""

        def ontrunk(i: int) -> float:
            return 0.5 if i in self.trunk else 0

        entering = [edge for edge in self.edges if edge.a == ENTRY]
        leaving = [edge for edge in self.edges if edge.b == self.size]
        first = min(entering, key=lambda edge: self._row(edge.b) - ontrunk(edge.b), default=None)
        last = min(leaving, key=lambda edge: -self._row(edge.a) - ontrunk(edge.a), default=None)
        return first.ap if first else 0, last.bp if last else 0

    def _side_in(self, edge: Edge) -> bool:
        return edge.a == ENTRY and edge.ap != self.main_in

    def _side_out(self, edge: Edge) -> bool:
        return edge.b == self.size and edge.bp != self.main_out

    def _columns(self) -> list[int]:
        """The trunk is column 0; a branch keeps its column where that is free."""
        column = [0 if i in self.trunk else -1 for i in range(self.size)]
        taken = [{0} if self.trunk & set(row) else set() for row in self.rows]
        for r, row in enumerate(self.rows):
            for i in row:
                if column[i] < 0:
                    before = [column[a] for a in self.before[i] if column[a] > 0]
                    column[i] = next(c for c in [*before, *range(1, self.size + 2)] if c not in taken[r])
                    taken[r].add(column[i])
            for i in row:  # a branch that ends early goes down in its own column
                targets = [edge for edge in self.edges if edge.a == i]
                if column[i] > 0 and not any(self._row(edge.b) == r + 1 for edge in targets):
                    ends = [self._row(edge.b) for edge in targets if not self._side_out(edge)]
                    for below in range(r + 1, max(ends, default=0)):
                        taken[below].add(column[i])
        return column

    def _find_axes(self, told: float) -> None:
        """The x of every column, and of the right edge of them all."""
        self.tags: dict[int, str] = {}  # the shape of what leaves a child
        for edge in self.edges:
            if edge.a >= 0:
                self.tags.setdefault(edge.a, self.nodes.shapes[edge.shape])
        self.axis: list[float] = []
        self.edge = 0.0
        for c in range(max(self.column) + 1):
            members = [i for i in range(self.size) if self.column[i] == c]
            left = max((self.parts[i].left for i in members), default=0)
            self.axis.append(0.0 if c == 0 else self.edge + (COLUMN + left if members else 0))
            for i in members:
                tag = 8 + width_of(self.tags.get(i, ""), SMALL)
                self.edge = max(self.edge, self.axis[c] + self.parts[i].right, self.axis[c] + tag)
            if c == 0:
                self.near = max(self.edge, told)  # where a header's words at the right of the trunk end
        self.edge = max(self.edge, told)
        self.left = max(part.left - self.axis[c] for part, c in zip(self.parts, self.column, strict=True))

    def _foot_x(self, i: int, port: int) -> float:
        return 0.0 if i == ENTRY else self.axis[self.column[i]] + self.parts[i].out_x.get(port, 0)

    def _head_x(self, i: int, port: int) -> float:
        return 0.0 if i == self.size else self.axis[self.column[i]] + self.parts[i].in_x.get(port, 0)

    def _drops(self, edge: Edge) -> bool:
        """Whether the column below its source is free as far as its target."""
        if edge.a < 0 or self.column[edge.a] <= 0 or self._side_out(edge) or edge.ap != 0:
            return False
        between = range(self.rank[edge.a] + 1, self._row(edge.b))
        return not any((r, self.column[edge.a]) in self.standing for r in between)

    def _find_ways(self) -> None:
        """How each edge goes: straight, bent in one gap, down its column, or in a lane; and the lines across gaps."""
        onward = {edge.a for edge in self.edges if self._row(edge.b) - self._row(edge.a) == 1}
        ends = [max(self.column[j] for j in row) for row in self.rows]
        beside = [not self.open[i] and self.column[i] == ends[self.rank[i]] for i in range(self.size)]
        self.lanes: dict[tuple[int, int], _Lane] = {}
        self.levels: list[dict[str, int]] = [{} for _ in range(len(self.rows) + 1)]
        fan: dict[tuple[int, int], int] = {}
        merge: dict[tuple[int, int], int] = {}
        for edge in self.edges:
            far = self._row(edge.b) - self._row(edge.a) > 1 or self._side_in(edge) or self._side_out(edge)
            apart = abs(self._foot_x(edge.a, edge.ap) - self._head_x(edge.b, edge.bp)) > 0.5
            edge.way = ("drop" if self._drops(edge) else "lane") if far else "bend" if apart else "straight"
            if edge.way == "bend":
                fan[edge.a, edge.ap] = fan.get((edge.a, edge.ap), 0) + 1
                merge[edge.b, edge.bp] = merge.get((edge.b, edge.bp), 0) + 1
        for edge in self.edges:
            gap, order = self._row(edge.b), 0 if edge.a == ENTRY else self.column[edge.a]
            out, into = f"o{edge.a}.{edge.ap}", f"i{edge.b}.{edge.bp}"
            if edge.way == "drop":
                self._add_level(edge, gap, out, 500 + order)
            elif edge.way == "bend":
                # What meets there shares a line.
                bus = fan[edge.a, edge.ap] == 1 and merge[edge.b, edge.bp] > 1
                leftward = self._head_x(edge.b, edge.bp) < self._foot_x(edge.a, edge.ap)
                place = 400 if bus else 100 + order if leftward else -order
                self._add_level(edge, gap, "m" + into if bus else out, place)
            elif edge.way == "lane":
                lane = self._lane(edge, beside, onward, order)
                edge.touch = edge.b < self.size and beside[edge.b]
                end = 2 * len(self.rows) + 1 if self._side_out(edge) else 2 * gap + edge.touch
                lane.end = max(lane.end, end)
                if not edge.touch and not self._side_out(edge):
                    self._add_level(edge, gap, into, 1000)

    def _add_level(self, edge: Edge, gap: int, key: str, order: int) -> None:
        edge.level = key
        self.levels[gap].setdefault(key, order)

    def _lane(self, edge: Edge, beside: list[bool], onward: set[int], order: int) -> _Lane:
        """Its tensor's lane, begun where it is new."""
        key = edge.a, edge.ap
        if key not in self.lanes:
            border = self._side_in(edge)
            aside = edge.a >= 0 and beside[edge.a] and edge.a in onward
            begin = -1 if border else 2 * self.rank[edge.a] + 1 if aside else 2 * self._row(edge.a) + 2
            self.lanes[key] = _Lane(begin, begin, aside, border)
            if not aside and not border:
                self.levels[self._row(edge.a) + 1].setdefault(f"o{edge.a}.{edge.ap}", -order)
        return self.lanes[key]

    def _find_tracks(self) -> None:
        """The x of the lanes: the shortest innermost; a track is used again where it is free."""
        self.tracks: list[list[_Lane]] = []

        def clear(lane: _Lane, other: _Lane) -> bool:
            apart = other.end < lane.begin or lane.end < other.begin
            return apart or (other.end == lane.begin and lane.aside) or (lane.end == other.begin and other.aside)

        for lane in sorted(self.lanes.values(), key=lambda lane: lane.end - lane.begin):
            tracks = enumerate(self.tracks)
            k = next((k for k, track in tracks if all(clear(lane, other) for other in track)), len(self.tracks))
            if k == len(self.tracks):
                self.tracks.append([])
            self.tracks[k].append(lane)
            lane.x = self.edge + LANE * (k + 1)

    def _reaches(self) -> Iterable[int]:
        """The first row that must stand below each child: the next, but an open group in a branch that ends early
        reaches down beside the rows below it, where nothing goes across.
        """
        lanes = [edge for edge in self.edges if edge.way == "lane"]
        touched = {self.rank[edge.a] for edge in lanes if self.lanes[edge.a, edge.ap].aside}
        touched |= {self._row(edge.b) for edge in lanes if edge.touch}
        for i in range(self.size):
            r = self.rank[i] + 1
            ends = [edge for edge in self.edges if edge.a == i]
            if self.open[i] and self.column[i] > 0 and ends and all(edge.way == "drop" for edge in ends):
                last = min(self._row(edge.b) for edge in ends)
                while r < last and r not in touched and not self.levels[r]:
                    r += 1
            yield r

    def _find_heights(self, head: float, tail: float) -> None:
        """Rows from the top; a gap grows with what crosses it."""
        bottom, reach = len(self.rows), list(self._reaches())
        self.tops: list[float] = []
        self.across: list[dict[str, float]] = []
        y: float = 0
        for gap in range(bottom + 1):
            for i in range(self.size):
                if reach[i] == gap:
                    y = max(y, self.tops[self.rank[i]] + self.parts[i].height)
            keys = sorted(self.levels[gap], key=self.levels[gap].__getitem__)
            first = head if gap == 0 else y + (ABOVE - 4 if gap == bottom else BELOW)
            last = first + LEVEL * (len(keys) - 1)
            self.across.append({key: first + LEVEL * k for k, key in enumerate(keys)})
            if gap == bottom:
                y = (last if keys else y) + tail
                break
            low = last + ABOVE if keys else 0
            y = (low if keys else head) if gap == 0 else max(y + GAP, low)
            self.tops.append(y)
        self.height = y

    def _points(self, edge: Edge) -> list[Point]:
        """From its foot to its tip."""
        a, b = edge.a, edge.b
        x1, y1 = self._foot_x(a, edge.ap), 0.0 if a == ENTRY else self.tops[self.rank[a]] + self.parts[a].height
        x2, y2 = self._head_x(b, edge.bp), self.height if b == self.size else self.tops[self.rank[b]]
        if edge.way == "straight":
            return [(x1, y1), (x2, y2)]
        level = self.across[self._row(b)][edge.level] if edge.level else 0.0
        if edge.way != "lane":
            return [(x1, y1), (x1, level), (x2, level), (x2, y2)]
        lane = self.lanes[a, edge.ap]
        if lane.border:
            points = [(lane.x, 0.0)]
        elif lane.aside:
            low = self.tops[self.rank[a]] + self.parts[a].height * 0.72
            points = [(self._right(a), low), (lane.x, low)]
        else:
            out = self.across[self._row(a) + 1][f"o{a}.{edge.ap}"]
            points = [(x1, y1), (x1, out), (lane.x, out)]
        if self._side_out(edge):
            return [*points, (lane.x, self.height)]
        if edge.touch:
            high = self.tops[self.rank[b]] + self.parts[b].height * 0.35
            return [*points, (lane.x, high), (self._right(b), high)]
        return [*points, (lane.x, level), (x2, level), (x2, y2)]

    def _right(self, i: int) -> float:
        return self.axis[self.column[i]] + self.parts[i].right

    def part(self) -> Part:
        places = [(self.axis[c], self.tops[r]) for c, r in zip(self.column, self.rank, strict=True)]
        inside = [(part, *place) for part, place in zip(self.parts, places, strict=True)]
        right = self.edge + (LANE * len(self.tracks) + 4 if self.tracks else 0)
        part = Part(self.left, right, self.height, self.near, {}, {}, inside=inside)
        last = len(self.rows) - (1 if self.scope.parent else 0)  # the last one's tag stands below its group
        for i, (x, y) in enumerate(places):
            if i in self.tags and self.rank[i] < last:
                part.tags.append(Tag(x + 7, y + self.parts[i].height + 14, self.tags[i]))
        for edge in self.edges:
            a, b = edge.a, edge.b
            if a == ENTRY:
                part.in_x[edge.ap] = self.lanes[a, edge.ap].x if self._side_in(edge) else 0.0
            if b == self.size:
                part.out_x[edge.bp] = self.lanes[a, edge.ap].x if self._side_out(edge) else 0.0
            wire = Wire(
                points=self._points(edge),
                lane=edge.way == "lane",
                arrow=b < self.size and not self.open[b],
                scope=self.scope.id,
                shape=self.nodes.shapes[edge.shape],
                source=self.scope.id if a == ENTRY else self.kids[a].id,
                port=edge.ap,
                target=self.scope.id if b == self.size else self.kids[b].id,
            )
            part.wires.append(wire)
        return part
