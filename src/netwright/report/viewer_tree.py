"""A Blueprint's JSON → the folded tree that the viewer draws: equal neighbours once, and the wires of each scope.

A scope is the network or the inside of a group. Its wires join its children, and the ports in its border: one
port for each tensor that comes in (by what it feeds) or goes out (by what makes it). So a group can be opened
or closed without asking for anything outside it.
"""

import re
from bisect import bisect_right
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from netwright.report.diagram import STRIPES
from netwright.report.graph import ENTRY, PASSING
from netwright.report.layout import OPERATORS
from netwright.report.words import clean, shape

LONGEST_PERIOD = 8
LONGEST_RUN = 6  # more operators than these in a row (the arithmetic of a box decoder) are one card
MOST_PORTS = 3  # more tensors than these into the very same places (a dense block's concat) share a port


@dataclass(eq=False)
class Part:
    """What is drawn as one: a call, `repeat` equal calls, or `repeat` copies of a few calls in turn (`unit`).

    `rows` are the first copy's. Copies lie `size` rows apart, so that a row of any copy is found in the first.
    """

    rows: list[int]
    key: Hashable
    size: int
    repeat: int = 1
    parallel: bool = False
    kids: list["Part"] = field(default_factory=list)
    end: str = ""  # "input" or "output": an end of the network, which is no row
    number: int = 0  # its place among its scope's children
    entries: dict[Hashable, int] = field(default_factory=dict)  # ports in, by what they feed
    exits: dict["Part", int] = field(default_factory=dict)  # ports out, by what feeds them
    wires: dict[tuple[int, int, int, int], list[int]] = field(default_factory=dict)  # → the tensor's shape

    @property
    def start(self) -> int:
        return self.rows[0]

    @property
    def unit(self) -> bool:
        return len(self.rows) > 1


Place = tuple[Part, int]  # a part, and which of its copies
Chain = tuple[Place, ...]  # from the top to the part that holds a row


def network(blueprint: Mapping[str, Any], title: str = "") -> dict[str, Any]:
    """What the viewer's script reads: names and shapes once in tables, the tree nested, keys of one letter."""
    rows = blueprint.get("rows") or []
    edges = _bridged(rows, blueprint.get("edges") or [])
    root = _Folder(rows, edges).root(_inputs(blueprint, edges))
    _wire(root, edges)
    tables = _Tables()
    drawn = [_plain(part, rows, blueprint, tables, "") for part in root.kids]
    return {
        "title": clean(title or blueprint["cls"]),
        "class": clean(blueprint["cls"]),
        "how": clean(blueprint.get("how") or ""),
        "totals": {"P": blueprint["params"], "M": blueprint["macs"], "A": blueprint["activation_bytes"]},
        "missed": [clean(item["op"], 60) for item in blueprint.get("not_counted") or []],
        "tied": [[clean(name, 160) for name in names] for names in blueprint.get("tied") or []],
        "classes": list(tables.classes),
        "tones": [_tone(name) for name in tables.classes],
        "shapes": list(tables.shapes),
        "kids": drawn,
        "edges": [[*ends, tables.shape(words)] for ends, words in root.wires.items()],
    }


# -- edges without what passes its input on


def _quiet(row: Mapping[str, Any]) -> bool:
    return row["leaf"] and not row["params"] and row["cls"].lower().startswith(PASSING)


def _bridged(rows: Sequence[Mapping[str, Any]], edges: Sequence[Mapping[str, Any]]) -> list[tuple[Any, Any, list[int]]]:
    """(source, target, shape): rows by their index, ends by their name; dropout and identities left out."""
    index = {row["id"]: i for i, row in enumerate(rows)}
    quiet = {row["id"] for row in rows if _quiet(row)}
    feeding: dict[str, list[str]] = {}
    found: dict[tuple[Any, Any], list[int]] = {}
    for edge in edges:  # in the order of the calls: what feeds a quiet row is known before what it feeds
        sources = feeding.get(edge["source"], []) if edge["source"] in quiet else [edge["source"]]
        if edge["target"] in quiet:
            feeding.setdefault(edge["target"], []).extend(sources)
            continue
        for source in sources:
            ends = index.get(source, source), index.get(edge["target"], edge["target"])
            # As it leaves its source: views on the way (Swin's merging of patches) belong to who reads it.
            left = rows[ends[0]]["outputs"] if isinstance(ends[0], int) else []
            found.setdefault(ends, left[0] if len(left) == 1 else edge["shape"])
    return [
        (a, b, words)
        for (a, b), words in found.items()
        if (isinstance(a, int) or a.startswith("input")) and (isinstance(b, int) or b.startswith("output"))
    ]


def _inputs(blueprint: Mapping[str, Any], edges: Sequence[tuple[Any, Any, list[int]]]) -> list[str]:
    used = {a for a, _, _ in edges if isinstance(a, str)}
    return sorted(used | {f"input:{i}" for i, _ in enumerate(blueprint.get("inputs") or [])})


# -- folding


class _Folder:
    """Finds equal neighbours: the same look inside and out, names that differ in a number at most."""

    def __init__(self, rows: Sequence[Mapping[str, Any]], edges: Sequence[tuple[Any, Any, list[int]]]):
        self.rows = rows
        self.children: list[list[int]] = [[] for _ in rows]
        self.after = list(range(1, len(rows) + 1))  # the row that follows all inside a row
        for i in reversed(range(len(rows))):
            parent = rows[i]["parent"]
            if parent is not None:
                self.children[parent].insert(0, i)
                self.after[parent] = max(self.after[parent], self.after[i])
        self.wiring: dict[int, list[tuple[int, int]]] = {}  # by the innermost row that holds both ends
        for a, b, _ in edges:
            if isinstance(a, int) and isinstance(b, int):
                self.wiring.setdefault(self._common(a, b), []).append((a, b))
        self.signature = self._signatures()

    def root(self, inputs: list[str]) -> Part:
        root = Part([0], None, len(self.rows))
        root.kids = [Part([-1], None, 0, end=name) for name in inputs]
        root.kids += self._inside(0) or ([self._part(0)] if self.rows else [])
        root.kids.append(Part([-1], None, 0, end="output"))
        _number(root)
        return root

    def _common(self, a: int, b: int) -> int:
        while not a <= b < self.after[a]:
            a = self.rows[a]["parent"] or 0
        return a

    def _signatures(self) -> list[int]:
        signatures = [0] * len(self.rows)
        numbers: dict[Hashable, int] = {}
        for i in reversed(range(len(self.rows))):  # children come after their parents
            row = self.rows[i]
            look = (row["cls"], str(row["inputs"]), str(row["outputs"]))
            costs = (row["params"], row["macs"], row["activation_bytes"])
            inside = tuple(signatures[child] for child in self.children[i])
            wiring = tuple(sorted((a - i, b - i) for a, b in self.wiring.get(i, [])))
            signatures[i] = numbers.setdefault((look, costs, inside, wiring), len(numbers))
        return signatures

    def _part(self, i: int) -> Part:
        name = re.sub(r"\d+", "#", self.rows[i]["path"].rpartition(".")[2])
        return Part([i], (self.signature[i], name), self.after[i] - i)

    def _inside(self, parent: int) -> list[Part]:
        parts = self._gathered([i for i in self.children[parent] if not _quiet(self.rows[i])])
        period = 1
        while period <= min(LONGEST_PERIOD, len(parts) // 2):
            folded = self._fold(parts, period, self.wiring.get(parent, []))
            period = 1 if len(folded) < len(parts) else period + 1  # to a fixpoint, short periods first
            parts = folded
        for part in parts:
            self._open(part)
        return parts

    def _gathered(self, rows: list[int]) -> list[Part]:
        """A part for each row, and one for many operators in a row, which has no inside."""
        parts: list[Part] = []
        for plain, group in groupby(rows, key=self._is_arithmetic):
            found = list(group)
            if plain and len(found) > LONGEST_RUN:
                size = self.after[found[-1]] - found[0]
                parts.append(Part(found, tuple(self.signature[i] for i in found), size))
            else:
                parts += map(self._part, found)
        return parts

    def _is_arithmetic(self, i: int) -> bool:
        return self.rows[i]["kind"] == "op" and not self.rows[i]["macs"]

    def _open(self, part: Part) -> None:
        if part.unit:
            for kid in part.kids:
                self._open(kid)
        else:
            part.kids = self._inside(part.start)

    def _fold(self, parts: list[Part], period: int, wiring: list[tuple[int, int]]) -> list[Part]:
        found: list[Part] = []
        i = 0
        while i < len(parts):
            repeat = self._repeats(parts, i, period, wiring)
            unit = parts[i : i + period]
            if repeat == 1:
                found.append(parts[i])
                i += 1
                continue
            first, last = unit[0].start, parts[i + repeat * period - 1]
            size = parts[i + period].start - first
            stop = last.start + last.size * last.repeat
            chained = any((a - first) // size != (b - first) // size for a, b in wiring if first <= a and b < stop)
            if period == 1:
                folded = Part(unit[0].rows, ("×", repeat, unit[0].key), size, repeat)
            else:
                rows = [row for part in unit for row in part.rows]
                key = ("×", repeat, *(part.key for part in unit))
                folded = Part(rows, key, size, repeat, kids=unit)
            folded.parallel = not chained
            found.append(folded)
            i += repeat * period
        return found

    def _repeats(self, parts: list[Part], i: int, period: int, wiring: list[tuple[int, int]]) -> int:
        """How often the unit at i stands there in a row."""
        unit = [part.key for part in parts[i : i + period]]
        # What has neither parameters nor an inside (a ReLU, a sum) is short anyway, and folding would hide the order.
        rows = [row for part in parts[i : i + period] for row in part.rows]
        if not any(self.rows[row]["params"] or self.children[row] for row in rows):
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


def _within(wiring: list[tuple[int, int]], begin: int, size: int) -> set[tuple[int, int]]:
    stop = begin + size
    return {(a - begin, b - begin) for a, b in wiring if begin <= a < stop and begin <= b < stop}


def _number(part: Part) -> None:
    for number, kid in enumerate(part.kids):
        kid.number = number
        _number(kid)


# -- wires


def _wire(root: Part, edges: Sequence[tuple[Any, Any, list[int]]]) -> None:
    """Every edge between two rows as wires: up from its source to the scope that holds both, and down again."""
    ends = {part.end: part for part in root.kids if part.end}
    tops = [part for part in root.kids if not part.end]
    crossings = []
    for a, b, words in edges:
        source = _chain(tops, a) if isinstance(a, int) else ((ends[a], 0),)
        target = _chain(tops, b) if isinstance(b, int) else ((ends["output"], 0),)
        pairs = zip(source, target, strict=False)
        apart = next((level for level, (one, other) in enumerate(pairs) if one != other), None)
        if apart is not None:
            crossings.append((a, source, target, apart, words))
    entry = _entries(crossings)
    for a, source, target, apart, words in crossings:
        leaf = source[-1][0]
        for level in range(apart, len(source)):
            if source[level][0].kids:
                exits = source[level][0].exits
                exits.setdefault(leaf, len(exits))

        def leaves(level: int, source: Chain = source, leaf: Part = leaf) -> tuple[int, int]:
            part = source[level][0]
            return part.number, part.exits.get(leaf, 0)

        def enters(level: int, target: Chain = target, a: Any = a) -> tuple[int, int]:
            return target[level][0].number, entry.get((_copy(target, level), a), 0)

        if source[apart][0] is not target[apart][0]:  # else it goes from one copy to another
            scope = source[apart - 1][0] if apart else root
            if source[apart][0].number < target[apart][0].number:
                scope.wires.setdefault((*leaves(apart), *enters(apart)), words)
        for level in range(apart + 1, len(source)):
            scope = source[level - 1][0]
            scope.wires.setdefault((*leaves(level), len(scope.kids), scope.exits[leaf]), words)
        for level in range(apart + 1, len(target)):
            scope = target[level - 1][0]
            scope.wires.setdefault((ENTRY, enters(level - 1)[1], *enters(level)), words)


def _chain(parts: list[Part], row: int) -> Chain:
    """Where a row is drawn: the parts around it, from the top, and in which of their copies it is."""
    chain: list[Place] = []
    while parts:
        part = parts[bisect_right([part.start for part in parts], row) - 1]
        copy, inside = divmod(row - part.start, part.size)
        chain.append((part, copy))
        row = part.start + inside
        parts = part.kids if part.unit or inside else []
    return tuple(chain)


def _copy(chain: Chain, level: int) -> Hashable:
    """One copy of a part, among all that its own and its groups' repeats make."""
    return chain[level][0], tuple(copy for _, copy in chain[: level + 1])


def _entries(crossings: list[tuple[Any, Chain, Chain, int, list[int]]]) -> dict[Hashable, int]:
    """(copy of a group, tensor) → its port. Tensors that feed the same in two copies come in by the same port."""
    feeds: dict[Hashable, dict[Any, set[Part]]] = {}
    groups: dict[Hashable, Part] = {}
    for a, _, target, apart, _ in crossings:
        for level in range(apart, len(target)):
            if target[level][0].kids:
                copy = _copy(target, level)
                groups[copy] = target[level][0]
                feeds.setdefault(copy, {}).setdefault(a, set()).add(target[-1][0])
    entry: dict[Hashable, int] = {}
    for copy, tensors in feeds.items():
        alike: dict[frozenset[Part], list[Any]] = {}
        for tensor, fed in tensors.items():
            alike.setdefault(frozenset(fed), []).append(tensor)
        ports = groups[copy].entries
        for places, found in alike.items():
            for place, tensor in enumerate(found):
                port = (places, place if len(found) <= MOST_PORTS else 0)
                entry[copy, tensor] = ports.setdefault(port, len(ports))
    return entry


# -- as JSON


class _Tables:
    """Class names and shapes, each written once; a node has their numbers."""

    def __init__(self) -> None:
        self.classes: dict[str, int] = {}
        self.shapes: dict[str, int] = {}

    def cls(self, name: str) -> int:
        return self.classes.setdefault(clean(name, 80), len(self.classes))

    def shape(self, sizes: Any) -> int:
        return self.shapes.setdefault(shape(sizes) or "scalar", len(self.shapes))


def _tone(cls: str) -> str:
    return next((tone for tone, words in STRIPES if any(word in cls.lower() for word in words)), "")


def _plain(
    part: Part, rows: Sequence[Mapping[str, Any]], blueprint: Mapping[str, Any], tables: _Tables, above: str
) -> dict[str, Any]:
    if part.end:
        return _end(part, blueprint, tables)
    first, last = rows[part.rows[0]], rows[part.rows[-1]]
    run = part.unit and not part.kids
    members = [rows[kid.start] for kid in part.kids] if part.unit and part.kids else [rows[i] for i in part.rows]
    times = [kid.repeat for kid in part.kids] if part.unit and part.kids else [1] * len(members)
    kinds = list(dict.fromkeys(_class(row["cls"]) for row in members))
    cls = " · ".join(kinds[:4]) + (" …" if len(kinds) > 4 else "")
    if part.unit and not run and len(kinds) == 1:
        cls = f"{'pairs of' if len(members) == 2 else f'{len(members)} ×'} {cls}"
    prefix = above + "."
    name = first["path"].removeprefix(prefix) if first["path"].startswith(prefix) else first["path"]
    if run:
        name = f"{len(members)} operators"
    elif part.unit or part.repeat > 1:
        final = rows[_last(part)] if part.repeat > 1 else last
        name = _span(name, final["path"].removeprefix(prefix))
    plain: dict[str, Any] = {
        "n": clean(name, 80) or _class(first["cls"]),
        "p": clean(first["id"], 160),
        "c": tables.cls(cls),
        "i": [tables.shape(words) for words in first["inputs"]],
        "o": [tables.shape(words) for words in last["outputs"]],
    }
    for letter, what in (("P", "params"), ("M", "macs"), ("A", "activation_bytes")):
        value = sum(row[what] * count for row, count in zip(members, times, strict=True))
        if value:
            plain[letter] = value
    if part.repeat > 1:
        plain["r"] = part.repeat
        if part.parallel:
            plain["l"] = 1
    if not part.kids and first["cls"].lower() in OPERATORS and not first["params"] and not first["macs"]:
        plain["s"] = OPERATORS[first["cls"].lower()]
    if part.kids:
        # The kids of a unit are named within what holds the unit.
        within = above if part.unit else first["path"]
        plain["k"] = [_plain(kid, rows, blueprint, tables, within) for kid in part.kids]
        plain["e"] = [[*ends, tables.shape(words)] for ends, words in part.wires.items()]
    return plain


def _end(part: Part, blueprint: Mapping[str, Any], tables: _Tables) -> dict[str, Any]:
    name, _, number = part.end.partition(":")
    shapes = blueprint.get("inputs" if name == "input" else "outputs") or []
    if number.isdigit():
        shapes = shapes[int(number) : int(number) + 1]
    several = name == "input" and len(blueprint.get("inputs") or []) > 1
    drawn = [tables.shape(words) for words in shapes]
    label = f"{name} {number}" if several else name
    return {"n": label, "p": part.end, "c": tables.cls(""), "i": drawn, "o": drawn, "s": label, "d": 1}


def _last(part: Part) -> int:
    """The last copy's last row on this level."""
    tail = part.rows[-1] if part.unit else part.start
    return tail + part.size * (part.repeat - 1)


def _class(name: str) -> str:
    return "sdpa" if name.startswith("scaled_dot_product") else name


def _span(first: str, last: str) -> str:
    """h.0 and h.11 → h.0–11; names without a shared stem in full."""
    stem = first.rpartition(".")[0]
    short = last.removeprefix(stem + ".") if stem else last
    match = re.fullmatch(r"(.*?)(\d+)", first)
    if match and re.fullmatch(re.escape(match[1]) + r"\d+", last):
        short = last[len(match[1]) :]
    return first if first == last else f"{first}–{short}"
