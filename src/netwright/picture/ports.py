"""The wires of each scope, and the ports in a group's border.

A scope is the network or the inside of a group. Its wires join its children, and the ports in its border: one port for
each tensor that comes in (by what it feeds) or goes out (by what makes it). So a group can be opened or closed without
asking for anything outside it.
"""

from bisect import bisect_right
from collections.abc import Hashable
from dataclasses import dataclass

from netwright.picture.fold import Part
from netwright.picture.graph import Graph

ENTRY = -1
MOST_PORTS = 3  # more tensors than these into the very same places (a dense block's concat) share a port

Place = tuple[Part, int]  # a part, and which of its copies
Chain = tuple[Place, ...]  # from the top to the part that holds a row


@dataclass(frozen=True)
class Crossing:
    """An edge with the parts around its ends; from level `apart` on, they are different ones."""

    tensor: int | str
    source: Chain
    target: Chain
    apart: int
    shape: list[int]

    @property
    def leaf(self) -> Part:
        return self.source[-1][0]


def connect(root: Part, graph: Graph) -> None:
    """Every edge between two rows as wires: up from its source to the scope that holds both, and down again."""
    crossings = _crossings(root, graph)
    entry = _entries(crossings)
    for crossing in crossings:
        source, target, apart, words = crossing.source, crossing.target, crossing.apart, crossing.shape
        for part, _ in source[apart:]:
            if part.kids:
                part.exits.setdefault(crossing.leaf, len(part.exits))
        leaves = [(part.number, part.exits.get(crossing.leaf, 0)) for part, _ in source]
        enters = [
            (part.number, entry.get((_copy(target, level), crossing.tensor), 0))
            for level, (part, _) in enumerate(target)
        ]
        if source[apart][0] is not target[apart][0]:  # else it goes from one copy to another
            scope = source[apart - 1][0] if apart else root
            if source[apart][0].number < target[apart][0].number:
                scope.wires.setdefault((*leaves[apart], *enters[apart]), words)
        for level in range(apart + 1, len(source)):
            scope = source[level - 1][0]
            scope.wires.setdefault((*leaves[level], len(scope.kids), scope.exits[crossing.leaf]), words)
        for level in range(apart + 1, len(target)):
            target[level - 1][0].wires.setdefault((ENTRY, enters[level - 1][1], *enters[level]), words)


def _crossings(root: Part, graph: Graph) -> list[Crossing]:
    ends = {part.end: part for part in root.kids if part.end}
    tops = [part for part in root.kids if not part.end]
    crossings = []
    for edge in graph.edges:
        a, b = edge.source, edge.target
        source: Chain = _chain(tops, a) if isinstance(a, int) else ((ends[a], 0),)
        target: Chain = _chain(tops, b) if isinstance(b, int) else ((ends["output"], 0),)
        pairs = enumerate(zip(source, target, strict=False))
        apart = next((level for level, (one, other) in pairs if one != other), None)
        if apart is not None:
            crossings.append(Crossing(a, source, target, apart, edge.shape))
    return crossings


def _chain(parts: list[Part], row: int) -> Chain:
    """Where a row is drawn: the parts around it, from the top, and in which of their copies it is."""
    chain: list[Place] = []
    while parts:
        part = parts[max(0, bisect_right([part.start for part in parts], row) - 1)]
        copy, inside = divmod(row - part.start, part.size)
        chain.append((part, copy))
        row = part.start + inside
        parts = part.kids if part.tiled or inside else []
    return tuple(chain)


def _copy(chain: Chain, level: int) -> Hashable:
    """One copy of a part, among all that its own and its groups' repeats make."""
    return chain[level][0], tuple(copy for _, copy in chain[: level + 1])


def _entries(crossings: list[Crossing]) -> dict[Hashable, int]:
    """(copy of a group, tensor) → its port. Tensors that feed the same in two copies come in by the same port."""
    feeds: dict[Hashable, dict[int | str, set[Part]]] = {}
    groups: dict[Hashable, Part] = {}
    for crossing in crossings:
        target = crossing.target
        for level in range(crossing.apart, len(target)):
            if target[level][0].kids:
                copy = _copy(target, level)
                groups[copy] = target[level][0]
                feeds.setdefault(copy, {}).setdefault(crossing.tensor, set()).add(target[-1][0])
    entry: dict[Hashable, int] = {}
    for copy, tensors in feeds.items():
        alike: dict[frozenset[Part], list[int | str]] = {}
        for tensor, fed in tensors.items():
            alike.setdefault(frozenset(fed), []).append(tensor)
        ports = groups[copy].entries
        for places, found in alike.items():
            for place, tensor in enumerate(found):
                port = (places, place if len(found) <= MOST_PORTS else 0)
                entry[copy, tensor] = ports.setdefault(port, len(ports))
    return entry
