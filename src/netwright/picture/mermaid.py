"""The picture as a Mermaid flowchart, which GitHub, GitLab and many editors draw."""

from collections.abc import Iterator

from netwright.picture.nodes import Node, Nodes, read_tree
from netwright.picture.ports import ENTRY
from netwright.picture.ranks import Edge, visible_edges
from netwright.picture.svg import opened
from netwright.picture.tree import Json, tree
from netwright.picture.words import clean

SPECIAL = {"#": "#35;", "&": "#amp;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "`": "#96;", "\\": "#92;"}
SIGNS = {"+": "add", "×": "multiply"}  # Mermaid reads a lone + as the start of a list


def mermaid(blueprint: Json, title: str = "", *, depth: int | None = None) -> str:
    """Of `Blueprint.to_json()`; `depth` as in `svg`."""
    nodes = read_tree(tree(blueprint, title))
    return chart(nodes, opened(nodes, depth))


def chart(nodes: Nodes, open_ones: set[int]) -> str:
    """The chart with these nodes open."""
    return "\n".join(["flowchart TB", *_Chart(nodes, open_ones).scope(nodes.root, "  ")])


class _Chart:
    """Mermaid knows no ports: a wire through a border is one from the card inside."""

    def __init__(self, nodes: Nodes, opened: set[int]):
        self.nodes, self.opened = nodes, opened
        self.edges: dict[int, list[Edge]] = {}

    def scope(self, scope: Node, indent: str) -> Iterator[str]:
        for kid in scope.kids:
            if not self._is_open(kid):
                yield f"{indent}n{kid.id}{_shape(kid)}"
                continue
            yield f'{indent}subgraph n{kid.id}["{_label(kid)}"]'
            yield from self.scope(kid, indent + "  ")
            yield f"{indent}end"
        drawn = set()
        for edge in self._edges(scope):
            if edge.a == ENTRY or edge.b == len(scope.kids):
                continue
            for source in self._sources(scope, edge.a, edge.ap):
                for target in self._targets(scope, edge.b, edge.bp):
                    if (source, target) not in drawn:
                        drawn.add((source, target))
                        words = _safe(self.nodes.shapes[edge.shape])
                        label = f'|"{words}"|' if words else ""
                        yield f"{indent}n{source} -->{label} n{target}"

    def _is_open(self, node: Node) -> bool:
        return node.id in self.opened and bool(node.kids)

    def _edges(self, scope: Node) -> list[Edge]:
        if scope.id not in self.edges:
            self.edges[scope.id] = visible_edges(scope, self.opened)
        return self.edges[scope.id]

    def _sources(self, scope: Node, i: int, port: int) -> Iterator[int]:
        """The cards whose tensor leaves a child by a port; one that only passes through it comes from before it."""
        kid = scope.kids[i]
        if not self._is_open(kid):
            yield kid.id
            return
        for edge in self._edges(kid):
            if edge.b != len(kid.kids) or edge.bp != port:
                continue
            if edge.a != ENTRY:
                yield from self._sources(kid, edge.a, edge.ap)
                continue
            for outer in self._edges(scope):
                if outer.b == i and outer.bp == edge.ap and outer.a != ENTRY:
                    yield from self._sources(scope, outer.a, outer.ap)

    def _targets(self, scope: Node, i: int, port: int) -> Iterator[int]:
        kid = scope.kids[i]
        if not self._is_open(kid):
            yield kid.id
            return
        for edge in self._edges(kid):
            if edge.a == ENTRY and edge.ap == port and edge.b != len(kid.kids):
                yield from self._targets(kid, edge.b, edge.bp)


def _shape(node: Node) -> str:
    if node.pill:
        return f'(["{_safe(SIGNS.get(node.pill, node.pill))}"])'
    costs = " · ".join(node.words.costs)
    return f'["{_label(node)}{"<br/>" + _safe(costs) if costs else ""}"]'


def _label(node: Node) -> str:
    words = node.words
    return _safe(f"{words.name} {words.cls}".strip())


def _safe(words: str) -> str:
    """In Mermaid's own entities, so that no name ends a label or becomes markup."""
    return "".join(SPECIAL.get(char, char) for char in clean(words, 120))
