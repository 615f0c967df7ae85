"""One scope of the picture: which wires are seen, in what row each child is, and which of them are the trunk."""

from dataclasses import dataclass

from netwright.picture.nodes import Node
from netwright.picture.ports import ENTRY


@dataclass(eq=False)
class Edge:
    """From child a (its port ap) to child b, and how it goes."""

    a: int
    ap: int
    b: int
    bp: int
    shape: int
    way: str = ""  # straight | bend | drop | lane
    touch: bool = False  # a lane that ends at its target's side
    level: str = ""


def visible_edges(scope: Node, opened: set[int]) -> list[Edge]:
    """The wires of a scope, with the ports of closed children taken together."""
    size = len(scope.kids)

    def is_open(i: int) -> bool:
        return 0 <= i < size and scope.kids[i].id in opened and bool(scope.kids[i].kids)

    edges: dict[tuple[int, int, int, int], Edge] = {}
    for a, ap, b, bp, shape in scope.edges:
        key = (a, ap if a == ENTRY or is_open(a) else 0, b, bp if b == size or is_open(b) else 0)
        if a < b and key not in edges:
            edges[key] = Edge(*key, shape)
    return list(edges.values())


def ranks(size: int, edges: list[Edge]) -> tuple[list[int], list[list[int]]]:
    """The row of every child: the longest path to it; what nothing feeds stands right above what it feeds."""
    before: list[list[int]] = [[] for _ in range(size)]
    after: list[list[int]] = [[] for _ in range(size)]
    fed, feeding = {edge.b for edge in edges}, {edge.a for edge in edges}
    for edge in edges:
        if edge.a >= 0 and edge.b < size:
            before[edge.b].append(edge.a)
            after[edge.a].append(edge.b)
    rank = [0] * size
    for i in range(size):
        rank[i] = max((rank[a] + 1 for a in before[i]), default=0)
        if i not in fed and i not in feeding and i > 0:
            rank[i] = rank[i - 1] + 1
    for i in reversed(range(size)):
        if i not in fed and after[i]:
            rank[i] = max(0, min(rank[b] for b in after[i]) - 1)
    used = sorted(set(rank))
    return [used.index(r) for r in rank], before


def trunk(kids: list[Node], rank: list[int], before: list[list[int]]) -> set[int]:
    """The longest path, ties by cost: one child of each row."""
    best, came = [kid.weight for kid in kids], [-1] * len(kids)
    for i in range(len(kids)):
        for a in before[i]:
            if rank[i] - rank[a] == 1 and (came[i] < 0 or best[a] > best[came[i]]):
                came[i] = a
        if came[i] >= 0:
            best[i] += best[came[i]]
    at = max((i for i in range(len(kids)) if rank[i] == max(rank)), key=lambda i: best[i])
    found = set()
    while at >= 0:
        found.add(at)
        at = came[at]
    return found
