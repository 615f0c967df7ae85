"""The calls of a network as nested parts, with what repeats folded: what is drawn as one is one part.

First a convolution or linear layer with its norm and activation becomes one part, closed until it is asked for. Then
equal neighbours fold ("×12"), and equal runs of a few (Swin's pairs, "×3"), until nothing folds any more: only the
first copy is drawn. Last, neighbours of one class and build whose widths differ (DenseNet's layers) become one group
that still holds each of them.
"""

import re
from collections.abc import Hashable
from dataclasses import dataclass, field
from itertools import groupby

from netwright.picture.graph import Graph, is_quiet

LONGEST_PERIOD = 8
LONGEST_RUN = 6  # more operators than these in a row (the arithmetic of a box decoder) are one card
FEWEST_ALIKE = 3  # two of a kind are shown as they are
CHAIN = re.compile("nac|c(?:na|an|n|a)")  # norm, activation, convolution or linear
CONTAINERS = ("Sequential", "ModuleList")
ACTIVATIONS = ("relu", "gelu", "silu", "swish", "sigmoid", "tanh", "mish", "elu", "activation", "softplus")


@dataclass(eq=False)
class Part:
    """What is drawn as one. `rows` are the first copy's. Copies lie `size` rows apart, so that a row of any copy is
    found in the first.
    """

    rows: list[int]
    key: Hashable  # equal where two parts look the same
    like: Hashable  # equal where only numbers differ
    size: int
    kind: str = "call"  # | unit: a few calls in turn | chain | alike | run: operators without an inside | end
    repeat: int = 1
    parallel: bool = False
    closed: bool = False  # a chain, or a call that is nothing else, is closed until it is asked for
    kids: list["Part"] = field(default_factory=list)
    end: str = ""  # "input:0" or "output": an end of the network, which is no row
    number: int = 0  # its place among its scope's children
    entries: dict[Hashable, int] = field(default_factory=dict)  # ports in, by what they feed
    exits: dict["Part", int] = field(default_factory=dict)  # ports out, by what feeds them
    wires: dict[tuple[int, int, int, int], list[int]] = field(default_factory=dict)  # → the tensor's shape

    @property
    def start(self) -> int:
        return self.rows[0]

    @property
    def tiled(self) -> bool:
        """Whether its kids are its own rows, side by side, and not the calls inside one row."""
        return self.kind in ("unit", "chain", "alike")


def fold(graph: Graph) -> Part:
    """The network as one part, its inputs and its output among the kids."""
    folder = _Folder(graph)
    root = Part([0], None, None, len(graph.rows))
    root.kids = [Part([-1], None, None, 0, "end", end=name) for name in graph.inputs]
    root.kids += folder.inside(0) if graph.rows else []
    if len(root.kids) == len(graph.inputs) and graph.rows:
        root.kids.append(folder.part(0))
    root.kids.append(Part([-1], None, None, 0, "end", end="output"))
    _number(root)
    return root


def _number(part: Part) -> None:
    for number, kid in enumerate(part.kids):
        kid.number = number
        _number(kid)


class _Folder:
    def __init__(self, graph: Graph):
        self.graph, self.rows = graph, graph.rows
        self.keys: dict[Hashable, int] = {}
        self.signature, self.likeness = [0] * len(self.rows), [0] * len(self.rows)
        for i in reversed(range(len(self.rows))):  # children come after their parents
            self._sign(i)

    def _sign(self, i: int) -> None:
        """Equal numbers where two rows look the same inside and out: in all, or but for sizes and how much is joined
        (a dense layer of one tensor has no concatenation).
        """
        row, children = self.rows[i], self.graph.children[i]
        look = (
            row["cls"],
            str(row["inputs"]),
            str(row["outputs"]),
            row["params"],
            row["macs"],
            row["activation_bytes"],
        )
        inside = tuple(self.signature[child] for child in children)
        wiring = tuple(sorted((a - i, b - i) for a, b in self.graph.wiring.get(i, [])))
        self.signature[i] = self.keys.setdefault((look, inside, wiring, row.get("repeat")), len(self.keys))
        parts = tuple(self.likeness[child] for child in children if self.rows[child]["cls"] != "cat")
        self.likeness[i] = self.keys.setdefault((row["cls"], parts, row.get("repeat")), len(self.keys))

    def part(self, i: int) -> Part:
        name = re.sub(r"\d+", "#", self.rows[i]["path"].rpartition(".")[2])
        return Part([i], (self.signature[i], name), (self.likeness[i], name), self.graph.after[i] - i)

    def inside(self, parent: int) -> list[Part]:
        parts = self._gathered([i for i in self.graph.children[parent] if not is_quiet(self.rows[i])])
        wiring = self.graph.wiring.get(parent, [])
        parts = self._repeated(self._chained(parts), wiring)
        parts = self._repeated(self._alike(parts), wiring)
        for part in parts:
            self._open(part)
        return parts

    def _open(self, part: Part) -> None:
        if part.tiled:
            for kid in part.kids:
                self._open(kid)
        elif part.kind == "call":
            part.kids = self.inside(part.start)
            part.closed = self._is_chain(part.kids)
            self._unwrap(part)

    def _unwrap(self, part: Part) -> None:
        """A group of nothing but the copies of one, or a plain container of one, is that one."""
        if len(part.kids) != 1:
            return
        (only,), row = part.kids, self.rows[part.start]
        held = (part.repeat == 1 and only.repeat > 1) or (only.repeat == 1 and row["cls"] in CONTAINERS)
        if held and not row["own_params"]:
            part.rows, part.kids, part.kind = only.rows, only.kids, only.kind
            if part.repeat == 1:
                part.size, part.repeat, part.parallel = only.size, only.repeat, only.parallel

    # -- operators, chains

    def _gathered(self, rows: list[int]) -> list[Part]:
        """A part for each row, and one for many operators in a row, which has no inside."""
        parts: list[Part] = []
        for plain, group in groupby(rows, key=self._is_arithmetic):
            found = list(group)
            if plain and len(found) > LONGEST_RUN:
                size = self.graph.after[found[-1]] - found[0]
                key, like = (tuple(table[i] for i in found) for table in (self.signature, self.likeness))
                parts.append(Part(found, key, like, size, "run"))
            else:
                parts += map(self.part, found)
        return parts

    def _is_arithmetic(self, i: int) -> bool:
        return self.rows[i]["kind"] == "op" and not self.rows[i]["macs"]

    def _chained(self, parts: list[Part]) -> list[Part]:
        letters = "".join(map(self._letter, parts))
        found: list[Part] = []
        i = 0
        while i < len(parts):
            length = 1
            if (match := CHAIN.match(letters, i)) and match.end() - i < len(parts):
                links = parts[i : match.end()]
                while len(links) > 1 and not self._is_chain(links):
                    links.pop()
                length = len(links)
            found.append(_joined(parts[i : i + length], "chain") if length > 1 else parts[i])
            found[-1].closed = length > 1
            i += length
        return found

    def _letter(self, part: Part) -> str:
        row = self.rows[part.start]
        if part.kind != "call" or not row["leaf"] or row["kind"] != "module":
            return "x"
        cls = row["cls"].lower()
        if any(word in cls for word in ("conv", "linear")):
            return "c"
        if "norm" in cls:
            return "n"
        return "a" if not row["params"] and any(word in cls for word in ACTIVATIONS) else "x"

    def _is_chain(self, links: list[Part]) -> bool:
        """Whether each is read by the next alone, and reads nothing else; from the first, two of them at least."""
        if not CHAIN.fullmatch("".join(map(self._letter, links))):
            return False
        pairs = zip((part.start for part in links), (part.start for part in links[1:]), strict=False)
        return all(self.graph.readers.get(a) == [b] and self.graph.sources.get(b) == [a] for a, b in pairs)

    # -- equal ones

    def _repeated(self, parts: list[Part], wiring: list[tuple[int, int]]) -> list[Part]:
        period = 1
        while period <= min(LONGEST_PERIOD, len(parts) // 2):
            folded = self._fold(parts, period, wiring)
            period = 1 if len(folded) < len(parts) else period + 1  # to a fixpoint, short periods first
            parts = folded
        return parts

    def _fold(self, parts: list[Part], period: int, wiring: list[tuple[int, int]]) -> list[Part]:
        found: list[Part] = []
        i = 0
        while i < len(parts):
            repeat = self._repeats(parts, i, period, wiring)
            if repeat == 1:
                found.append(parts[i])
                i += 1
                continue
            unit, last = parts[i : i + period], parts[i + repeat * period - 1]
            first, size = unit[0].start, parts[i + period].start - unit[0].start
            stop = last.start + last.size * last.repeat
            folded = unit[0] if period == 1 else _joined(unit, "unit")
            folded.key, folded.size, folded.repeat = ("×", repeat, folded.key), size, repeat
            folded.parallel = not any(
                (a - first) // size != (b - first) // size for a, b in wiring if first <= a and b < stop
            )
            found.append(folded)
            i += repeat * period
        return found

    def _repeats(self, parts: list[Part], i: int, period: int, wiring: list[tuple[int, int]]) -> int:
        """How often the unit at i stands there in a row."""
        unit = [part.key for part in parts[i : i + period]]
        if not any(self._is_long(part) for part in parts[i : i + period]):
            return 1
        if period == 1 and parts[i].repeat > 1:
            return 1
        repeat, first = 1, parts[i].start
        while [part.key for part in parts[i + repeat * period : i + (repeat + 1) * period]] == unit:
            size = parts[i + period].start - first
            begin = first + repeat * size
            if parts[i + repeat * period].start != begin:
                break
            if period > 1 and _within(wiring, begin, size) != _within(wiring, first, size):
                break
            repeat += 1
        return repeat

    def _is_long(self, part: Part) -> bool:
        """What has neither parameters nor an inside (a ReLU, a sum) is short, and folding would hide the order."""
        return any(self.rows[row]["params"] or self.graph.children[row] for row in part.rows)

    # -- similar ones

    def _alike(self, parts: list[Part]) -> list[Part]:
        found: list[Part] = []
        for _, group in groupby(parts, key=lambda part: part.like):
            run = list(group)
            many = sum(part.repeat for part in run) >= FEWEST_ALIKE and len(run) > 1 and len(run) < len(parts)
            if many and self._is_long(run[0]) and self._is_read_as_one(run):
                found.append(_joined(run, "alike"))
            else:
                found += run
        return found

    def _is_read_as_one(self, run: list[Part]) -> bool:
        """Whether none of them alone is tied to something outside: a U-Net's stages, each with its own skip, are."""
        begin, stop = run[0].start, run[-1].start + run[-1].size * run[-1].repeat

        def outside(part: Part, table: dict[int | str, list[int | str]]) -> set[int | str]:
            rows = range(part.start, part.start + part.size * part.repeat)
            ends = (end for row in rows for end in table.get(row, []))
            return {end for end in ends if isinstance(end, str) or not begin <= end < stop}

        fed, read = outside(run[0], self.graph.sources), outside(run[-1], self.graph.readers)
        return all(
            outside(part, self.graph.sources) <= fed and outside(part, self.graph.readers) <= read for part in run
        )


def _joined(parts: list[Part], kind: str) -> Part:
    rows = [row for part in parts for row in part.rows]
    keys, likes = tuple(part.key for part in parts), tuple(part.like for part in parts)
    last = parts[-1]
    return Part(rows, (kind, keys), (kind, likes), last.start + last.size * last.repeat - rows[0], kind, kids=parts)


def _within(wiring: list[tuple[int, int]], begin: int, size: int) -> set[tuple[int, int]]:
    stop = begin + size
    return {(a - begin, b - begin) for a, b in wiring if begin <= a < stop and begin <= b < stop}
