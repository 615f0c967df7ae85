"""tree.py's data as nodes, and which of them are open; nodes.js says the same in JavaScript."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from netwright.picture.words import count, fit

NAME, SMALL = 12.5, 10.5  # sizes of the two kinds of words
MOST_SHOWN = 16


@dataclass(frozen=True)
class Words:
    """What is written on a card, or in a group's header."""

    name: str
    cls: str
    costs: list[str]


@dataclass(eq=False)
class Node:
    """A card, an operator's pill or a group. `each` is what one copy costs, `total` what all in the network do."""

    id: int  # in reading order
    parent: "Node | None"
    name: str
    path: str
    cls: str
    tone: str
    inputs: list[str]
    outputs: list[str]
    repeat: int
    alike: int  # how many similar ones it holds
    closed: bool  # until it is asked for
    pill: str
    end: bool
    each: dict[str, float]
    depth: int = 0
    copies: int = 1  # of it in the whole network
    kids: list["Node"] = field(default_factory=list)
    edges: list[list[int]] = field(default_factory=list)

    @cached_property
    def words(self) -> Words:
        times = self.repeat if self.repeat > 1 else self.alike
        total = self.total
        costs = [f"{count(total[what])} {name}" for what, name in (("P", "params"), ("M", "MACs")) if total[what]]
        name = fit(self.name, 210, NAME, True) + (f" ×{times}" if times else "")
        return Words(name, fit(self.cls, 200, SMALL), costs)

    @property
    def total(self) -> dict[str, float]:
        return {what: value * self.copies for what, value in self.each.items()}

    @property
    def weight(self) -> float:
        """What decides between equals: MACs, without them parameters."""
        return (self.each["M"] or self.each["P"]) * self.copies


@dataclass
class Nodes:
    root: Node
    all: list[Node]
    shapes: list[str]
    totals: dict[str, float]


def read_tree(data: Mapping[str, Any]) -> Nodes:
    """Of `tree.tree()`."""
    nodes: list[Node] = []

    def read(plain: Mapping[str, Any], parent: Node | None, within: str) -> Node:
        name = plain["n"]
        known = plain["c"] >= 0
        node = Node(
            id=len(nodes),
            parent=parent,
            name=name,
            path=plain.get("p", f"{within}.{name}" if within else name),
            cls=data["classes"][plain["c"]] if known else "",
            tone=data["tones"][plain["c"]] if known else "",
            inputs=[data["shapes"][i] for i in plain.get("i", [])],
            outputs=[data["shapes"][i] for i in plain.get("o", [])],
            repeat=plain.get("r", 1),
            alike=plain.get("x", 0),
            closed="h" in plain,
            pill=plain.get("s", ""),
            end="d" in plain,
            each={what: plain.get(what, 0) for what in "PMAL"},
        )
        if parent:
            node.depth, node.copies = parent.depth + 1, node.repeat * parent.copies
        nodes.append(node)
        inner = within if {"x", "u"} & plain.keys() else node.path
        node.kids = [read(kid, node, inner) for kid in plain.get("k", [])]
        node.edges = plain.get("e", [])
        return node

    root = read({"n": data["title"], "p": "", "c": -1, "k": data["kids"], "e": data["edges"]}, None, "")
    return Nodes(root, nodes, data["shapes"], data["totals"])


def first_open(nodes: Nodes, most: int = MOST_SHOWN) -> set[int]:
    """What is open at first: the costliest groups, while the picture stays small."""
    found = {0}
    shown = list(nodes.root.kids)
    while True:
        groups = [n for n in shown if n.kids and not n.closed and len(shown) - 1 + len(n.kids) <= most]
        if not groups:
            return found
        costliest = max(groups, key=lambda node: node.weight)
        found.add(costliest.id)
        shown = [node for node in shown if node is not costliest] + costliest.kids


def open_to(nodes: Nodes, depth: int) -> set[int]:
    """All groups that stand less deep than this, but for chains."""
    return {node.id for node in nodes.all if node.kids and not node.closed and node.depth < depth}
