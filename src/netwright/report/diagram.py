"""The report's layer rows and edges as the picture takes them, which is drawn from a Blueprint's JSON.

An edge may name a group: what leaves a group is what its edges to itself come from, what enters it goes where its edges
from itself lead. Where no edge says what feeds what, in the network or a group, the modules follow each other in the
rows' order.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from netwright.picture.graph import OPERATORS
from netwright.picture.words import number

Json = Mapping[str, Any]


def blueprint(
    rows: Iterable[Json], edges: Sequence[Json] | None = None, input: Any = None, title: str = "The network"
) -> dict[str, Any]:
    """What `Blueprint.to_json()` would say of them, for one example."""
    found = [_row("", title, None, {})]
    index = {"": 0}
    for row in rows:
        path = str(row.get("path") or "")
        if path and path not in index:
            parent = _around(path.rpartition(".")[0], index)
            index[path] = len(found)
            found[parent]["leaf"] = False
            found.append(_row(path, str(row.get("class") or ""), parent, row))
    for row in found[1:]:
        if row["parent"] == 0:
            for what in ("params", "macs", "activation_bytes"):
                found[0][what] += row[what] * row["repeat"]
    ends = _Ends(found, index)
    pairs = ends.pairs(edges) or ends.in_turn()
    return {
        **{what: found[0][what] for what in ("params", "macs", "activation_bytes")},
        "cls": title,
        "inputs": [input],
        "outputs": [],
        "rows": found,
        "edges": [{"source": a, "target": b, "shape": input if a == "input:0" else None} for a, b in pairs],
    }


def _around(path: str, index: Mapping[str, int]) -> int:
    """The nearest group that is there."""
    while path not in index:
        path = path.rpartition(".")[0]
    return index[path]


def _row(path: str, cls: str, parent: int | None, row: Json) -> dict[str, Any]:
    params, macs = number(row.get("params")) or 0, number(row.get("macs")) or 0
    return {
        "id": path,
        "path": path,
        "cls": cls,
        "kind": "op" if cls.lower() in OPERATORS and not params else "module",
        "parent": parent,
        "leaf": True,
        "inputs": [],
        "outputs": [row["shape"]] if row.get("shape") else [],
        "own_params": 0,
        "params": params,
        "macs": macs,
        "activation_bytes": 4 * (number(row.get("activations")) or 0),
        "repeat": max(1, int(number(row.get("repeat")) or 1)),
    }


class _Ends:
    """Edges by path as edges between rows that hold no others."""

    def __init__(self, rows: list[dict[str, Any]], index: Mapping[str, int]):
        self.rows, self.index = rows, index
        self.entries: dict[str, list[str]] = {}
        self.exits: dict[str, list[str]] = {}

    def in_turn(self) -> list[tuple[str, str]]:
        return list(pairwise(["input:0", *(row["id"] for row in self.rows[1:] if row["leaf"]), "output"]))

    def pairs(self, edges: Sequence[Json] | None) -> list[tuple[str, str]]:
        outer: list[tuple[str, str]] = []
        for edge in edges or []:
            a, b = self._end(edge.get("from"), "input:0"), self._end(edge.get("to"), "output")
            if not a or not b or a == b:
                continue
            if b.startswith(f"{a}."):
                self.entries.setdefault(a, []).append(b)
            elif a.startswith(f"{b}."):
                self.exits.setdefault(b, []).append(a)
            else:
                outer.append((a, b))
        if outer:
            outer += self._untold(outer)
        found = ((source, target) for a, b in outer for source in self._out_of(a) for target in self._into(b))
        return list(dict.fromkeys(found))

    def _untold(self, outer: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """The calls of each group in turn, where no edge joins any two of them."""
        told = {self._common(a, b) for a, b in outer}
        groups: dict[str, list[str]] = {}
        for row in self.rows[1:]:
            groups.setdefault(self.rows[row["parent"]]["id"], []).append(row["id"])
        return [pair for group, kids in groups.items() if group and group not in told for pair in pairwise(kids)]

    def _common(self, a: str, b: str) -> str:
        """The innermost group that holds both."""
        while a and not f"{b}.".startswith(f"{a}."):
            a = a.rpartition(".")[0]
        return a

    def _end(self, path: Any, outside: str) -> str:
        path = str(path or "")
        return outside if path == outside.partition(":")[0] else self.rows[_around(path, self.index)]["id"]

    def _out_of(self, path: str) -> list[str]:
        return self._leaves(path, self.exits, -1)

    def _into(self, path: str) -> list[str]:
        return self._leaves(path, self.entries, 0)

    def _leaves(self, path: str, known: Mapping[str, list[str]], otherwise: int) -> list[str]:
        if path not in self.index or self.rows[self.index[path]]["leaf"]:
            return [path]
        if path in known:
            return [leaf for inner in known[path] for leaf in self._leaves(inner, known, otherwise)]
        return [[row["id"] for row in self.rows if row["leaf"] and row["id"].startswith(f"{path}.")][otherwise]]
