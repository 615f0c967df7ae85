"""What feeds what, without what only passes its input on; and which calls stand in which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

PASSING = ("identity", "dropout", "droppath", "drop_path", "stochasticdepth")
OPERATORS = {"add": "+", "+": "+", "sum": "+", "iadd": "+", "mul": "×", "×": "×", "*": "×", "cat": "concat"}


@dataclass(frozen=True)
class Edge:
    """A tensor from one row to another; an end of the network is a word, "input:0" or "output"."""

    source: int | str
    target: int | str
    shape: list[int]


@dataclass(frozen=True)
class Graph:
    """A Blueprint's rows and edges. The rows inside row i are those from i + 1 to before `after[i]`."""

    rows: Sequence[Mapping[str, Any]]
    edges: list[Edge]
    inputs: list[str]

    @cached_property
    def children(self) -> list[list[int]]:
        children: list[list[int]] = [[] for _ in self.rows]
        for i, row in enumerate(self.rows):
            if row["parent"] is not None:
                children[row["parent"]].append(i)
        return children

    @cached_property
    def after(self) -> list[int]:
        after = list(range(1, len(self.rows) + 1))
        for i in reversed(range(len(self.rows))):
            parent = self.rows[i]["parent"]
            if parent is not None:
                after[parent] = max(after[parent], after[i])
        return after

    @cached_property
    def wiring(self) -> dict[int, list[tuple[int, int]]]:
        """The edges between rows, by the innermost row that holds both ends."""
        wiring: dict[int, list[tuple[int, int]]] = {}
        for edge in self.edges:
            a, b = edge.source, edge.target
            if isinstance(a, int) and isinstance(b, int):
                wiring.setdefault(self._common(a, b), []).append((a, b))
        return wiring

    def _common(self, a: int, b: int) -> int:
        while not a <= b < self.after[a]:
            a = self.rows[a]["parent"] or 0
        return a

    @cached_property
    def readers(self) -> dict[int | str, list[int | str]]:
        readers: dict[int | str, list[int | str]] = {}
        for edge in self.edges:
            readers.setdefault(edge.source, []).append(edge.target)
        return readers

    @cached_property
    def sources(self) -> dict[int | str, list[int | str]]:
        sources: dict[int | str, list[int | str]] = {}
        for edge in self.edges:
            sources.setdefault(edge.target, []).append(edge.source)
        return sources


def graph(blueprint: Mapping[str, Any]) -> Graph:
    """Of `Blueprint.to_json()`."""
    rows = blueprint.get("rows") or []
    edges = _bridged(rows, blueprint.get("edges") or [])
    used = {edge.source for edge in edges if isinstance(edge.source, str)}
    inputs = sorted(used | {f"input:{i}" for i, _ in enumerate(blueprint.get("inputs") or [])})
    return Graph(rows, edges, inputs)


def is_quiet(row: Mapping[str, Any]) -> bool:
    """Dropout and identities: in use they pass their input on, and are not drawn."""
    return row["leaf"] and not row["params"] and row["cls"].lower().startswith(PASSING)


def _bridged(rows: Sequence[Mapping[str, Any]], edges: Sequence[Mapping[str, Any]]) -> list[Edge]:
    index = {row["id"]: i for i, row in enumerate(rows)}
    quiet = {row["id"] for row in rows if is_quiet(row)}
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
        Edge(a, b, words)
        for (a, b), words in found.items()
        if (isinstance(a, int) or a.startswith("input")) and (isinstance(b, int) or b.startswith("output"))
    ]
