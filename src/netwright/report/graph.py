"""Which modules of a scope (the network, or the inside of a group) feed which, and in what row each is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from netwright.report.fold import Layer

ENTRY = -1
PASSING = ("identity", "dropout", "droppath", "drop_path", "stochasticdepth")


@dataclass
class Scope:
    """A scope's edges, by the modules' index; ENTRY is what comes in, the modules' number what goes out."""

    edges: list[tuple[int, int]] = field(default_factory=list)
    rank: list[int] = field(default_factory=list)
    trunk: set[int] = field(default_factory=set)

    def before(self, i: int) -> list[int]:
        return [a for a, b in self.edges if b == i and a != ENTRY]


def bridged(
    rows: Sequence[Mapping[str, Any]], edges: Sequence[Mapping[str, Any]]
) -> tuple[list[Mapping[str, Any]], list[dict[str, str]]]:
    """The rows and edges without what only passes its input on in use: identities, dropout."""
    quiet = {
        str(row.get("path"))
        for row in rows
        if str(row.get("class")).lower().startswith(PASSING) and not row.get("params") and row.get("path")
    }
    pairs = dict.fromkeys((str(edge.get("from")), str(edge.get("to"))) for edge in edges)
    for path in (path for path in [str(row.get("path")) for row in rows] if path in quiet):
        before = [a for a, b in pairs if b == path]
        after = [b for a, b in pairs if a == path]
        pairs = {pair: None for pair in pairs if path not in pair}
        pairs |= {(a, b): None for a in before for b in after if a != b}
    kept = [row for row in rows if str(row.get("path")) not in quiet]
    return kept, [{"from": a, "to": b} for a, b in pairs]


def scopes(top: list[Layer], edges: Sequence[Mapping[str, Any]], opened: set[int]) -> dict[str, Scope]:
    """The scope of the network (key "") and of each opened group (key: its path).

    `top` begins with the input and ends with the output. An edge is {"from": path, "to": path}; "input" and
    "output" name the network's ends. The ends of an edge inside a closed or folded module stand for that
    module; an edge that crosses a group's border is drawn in both scopes, to the border and from it.
    """
    chains: dict[str, tuple[tuple[str, int], ...]] = {"input": (("", 0),), "output": (("", len(top) - 1),)}
    for i, layer in enumerate(top):
        for path in layer.paths or [layer.path]:
            chains[path] = (("", i),)
        if id(layer) in opened:
            for k, child in enumerate(layer.children):
                for path in child.paths:
                    chains[path] = (("", i), (layer.path, k))
    found: dict[str, set[tuple[int, int]]] = {"": set()}
    found |= {layer.path: set() for layer in top if id(layer) in opened}
    sizes = {"": len(top)} | {layer.path: len(layer.children) for layer in top if id(layer) in opened}
    for edge in edges:
        source, target = (_chain(str(edge.get(key) or ""), chains) for key in ("from", "to"))
        if not source or not target:
            continue
        if source[0] != target[0]:
            if source[0][1] < target[0][1]:
                found[""].add((source[0][1], target[0][1]))
            if len(source) > 1:
                found[source[1][0]].add((source[1][1], sizes[source[1][0]]))
            if len(target) > 1:
                found[target[1][0]].add((ENTRY, target[1][1]))
        elif len(source) > 1 and len(target) > 1 and source[1][1] < target[1][1]:
            found[source[1][0]].add((source[1][1], target[1][1]))
        elif len(source) == 1 and len(target) > 1:  # from the group itself: its entry
            found[target[1][0]].add((ENTRY, target[1][1]))
        elif len(source) > 1 and len(target) == 1:  # to the group itself: its exit
            found[source[1][0]].add((source[1][1], sizes[source[1][0]]))
    layers_of = {"": top} | {layer.path: layer.children for layer in top if id(layer) in opened}
    return {path: _ranked(layers_of[path], pairs, path == "") for path, pairs in found.items()}


def _chain(path: str, chains: Mapping[str, tuple[tuple[str, int], ...]]) -> tuple[tuple[str, int], ...]:
    """Where a path, or the nearest module around it, is drawn: index at the top, then inside its group."""
    while path and path not in chains:
        path = path.rpartition(".")[0]
    return chains.get(path, ())


def _ranked(layers: list[Layer], pairs: Iterable[tuple[int, int]], outermost: bool) -> Scope:
    size, edges = len(layers), set(pairs)
    known = {i for pair in edges for i in pair}
    if not any(a != ENTRY and b != size for a, b in edges):
        # Nothing is said of what feeds what inside: one after the other.
        edges |= {(i, i + 1) for i in range(-1 if not outermost else 0, size if not outermost else size - 1)}
    for i in range(size):
        if any(b == i for _, b in edges) or (outermost and i in (0, size - 1)):
            continue
        if i in known:
            edges.add((0 if outermost else ENTRY, i))
        else:  # a module that no edge mentions follows the one before it in the rows
            edges.add((i - 1, i))
    for i in range(size):
        if not any(a == i for a, _ in edges) and not (outermost and i == size - 1):
            edges.add((i, size - 1 if outermost else size))
    rank = [0] * size
    for i in range(size):
        rank[i] = max((rank[a] + 1 for a, b in edges if b == i and a != ENTRY), default=0)
    return Scope(sorted(edges), rank, _trunk(layers, edges, rank))


def _trunk(layers: list[Layer], edges: set[tuple[int, int]], rank: list[int]) -> set[int]:
    """The longest path, ties by cost: it has one module in each row."""
    cost = [layer.total("macs") or layer.total("params") for layer in layers]
    best = list(cost)
    came: dict[int, int] = {}
    for i in range(len(layers)):
        steps = [a for a, b in edges if b == i and a != ENTRY and rank[i] - rank[a] == 1]
        if steps:
            came[i] = max(steps, key=lambda a: best[a])
            best[i] += best[came[i]]
    last = max(rank)
    at: int | None = max((i for i in range(len(layers)) if rank[i] == last), key=lambda i: best[i])
    trunk = set()
    while at is not None:
        trunk.add(at)
        at = came.get(at)
    return trunk
