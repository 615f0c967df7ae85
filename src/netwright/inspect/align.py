"""Two layer tables side by side: which row of the one is which of the other, level by level.

Rows of one level keep their order: of all ways to pair them in order that with the highest sum of likeness is taken
(Needleman & Wunsch 1970). What is like, first: everything; name and class; class and output; class; name.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from netwright.inspect.blueprint import Blueprint, FoldedRow

COMPARED = {
    "repeat": "repeat",
    "class": "cls",
    "params": "params",
    "macs": "macs",
    "inputs": "inputs",
    "outputs": "outputs",
    "options": "options",
}
FACTS = ("path", "times", "activation_bytes")  # of a row, beside what is compared
CONTAINERS = ("Sequential", "ModuleList", "ModuleDict")


@dataclass(slots=True)
class Node:
    """A folded row with what is under it. Containers are left out: what they hold is under their owner."""

    row: FoldedRow
    name: str  # its path from its owner: "stages.2.1..5"
    children: list["Node"] = field(default_factory=list)
    look: tuple = ()  # equal where everything under it is


def tree(blueprint: Blueprint) -> Node:
    """The folded rows as a tree; its root is the network."""
    rows = blueprint.folded()
    root = Node(rows[0], "")
    owners = [root]  # by depth
    for row in rows[1:]:
        del owners[row.depth :]
        owner = owners[-1]
        if row.cls in CONTAINERS and row.repeat == 1 and not row.leaf and not row.own_params:
            owners.append(owner)
            continue
        inside = row.path.removeprefix(f"{owner.row.path}." if owner.row.path else "")
        above = inside.rpartition(".")[0]
        owners.append(Node(row, f"{above}.{row.name}" if above else row.name))
        owner.children.append(owners[-1])
    _look(root)
    return root


def _look(node: Node) -> tuple:
    inside = tuple(_look(child) for child in node.children)
    node.look = (node.name, *(str(getattr(node.row, name)) for name in COMPARED.values()), inside)
    return node.look


def aligned(left: Blueprint, right: Blueprint) -> list[dict[str, Any]]:
    """The rows of both: {"change", "changed", "depth", "left", "right"}, parents first.

    change: "same", "changed", "added" (only right) or "removed" (only left) · changed: which of name, repeat, class,
    params, macs, inputs, outputs, options · left, right: the row's facts, figures of one copy; None where it is none.
    """
    return list(_pair(tree(left), tree(right), 0))


def _pair(left: Node, right: Node, depth: int) -> Iterator[dict[str, Any]]:
    changed = [] if _stem(left.name) == _stem(right.name) else ["name"]  # 0..5 and 0..22 differ in their repeats
    changed += [key for key, name in COMPARED.items() if getattr(left.row, name) != getattr(right.row, name)]
    yield _line("changed" if changed else "same", changed, depth, left, right)
    for one, other in _matched(left.children, right.children):
        if one is not None and other is not None:
            yield from _pair(one, other, depth + 1)
        else:
            yield from _alone(one, other, depth + 1)


def _alone(left: Node | None, right: Node | None, depth: int) -> Iterator[dict[str, Any]]:
    node = left or right
    assert node is not None
    yield _line("removed" if right is None else "added", [], depth, left, right)
    for child in node.children:
        yield from _alone(child if left else None, child if right else None, depth + 1)


def _line(change: str, changed: list[str], depth: int, left: Node | None, right: Node | None) -> dict[str, Any]:
    sides = {"left": _facts(left), "right": _facts(right)}
    return {"change": change, "changed": changed, "depth": depth, **sides}


def _facts(node: Node | None) -> dict[str, Any] | None:
    if node is None:
        return None
    compared = {key: getattr(node.row, name) for key, name in COMPARED.items()}
    return {"name": node.name, **compared, **{key: getattr(node.row, key) for key in FACTS}}


def _stem(name: str) -> str:
    return name.partition("..")[0]


def _matched(left: Sequence[Node], right: Sequence[Node]) -> Iterator[tuple[Node | None, Node | None]]:
    """The pairs of highest likeness, in order; what is in no pair stands alone."""
    head = 0
    while head < min(len(left), len(right)) and left[head].look == right[head].look:
        head += 1
    tail = 0
    while tail < min(len(left), len(right)) - head and left[-1 - tail].look == right[-1 - tail].look:
        tail += 1
    yield from zip(left[:head], right[:head], strict=True)
    yield from _best(left[head : len(left) - tail], right[head : len(right) - tail])
    yield from zip(left[len(left) - tail :], right[len(right) - tail :], strict=True)


def _best(left: Sequence[Node], right: Sequence[Node]) -> list[tuple[Node | None, Node | None]]:
    likes = [[_likeness(one, other) for other in right] for one in left]
    # best[i][j]: the highest sum over left[i:] and right[j:]
    best = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i in reversed(range(len(left))):
        for j in reversed(range(len(right))):
            both = best[i + 1][j + 1] + likes[i][j] if likes[i][j] else 0
            best[i][j] = max(both, best[i + 1][j], best[i][j + 1])
    pairs: list[tuple[Node | None, Node | None]] = []
    i = j = 0
    while i < len(left) or j < len(right):
        if i < len(left) and j < len(right) and likes[i][j] and best[i][j] == best[i + 1][j + 1] + likes[i][j]:
            pairs.append((left[i], right[j]))
            i, j = i + 1, j + 1
        elif j == len(right) or (i < len(left) and best[i][j] == best[i + 1][j]):
            pairs.append((left[i], None))
            i += 1
        else:
            pairs.append((None, right[j]))
            j += 1
    return pairs


def _likeness(one: Node, other: Node) -> int:
    """0: not the same layer."""
    if one.look == other.look:
        return 10
    names = _stem(one.name), _stem(other.name)
    exact, numbered = names[0] == names[1], names[0].rpartition(".")[2].isdigit()
    same_output = one.row.outputs == other.row.outputs
    if one.row.cls == other.row.cls:
        return 4 + 3 * exact + (re.sub(r"\d+", "#", names[0]) == re.sub(r"\d+", "#", names[1])) + same_output
    if one.row.params and (one.row.params, one.row.macs) == (other.row.params, other.row.macs):
        return 3  # by another name
    # At one number in a row of layers another class is another layer, unless it does the same to shapes.
    instead = same_output and bool(one.children) == bool(other.children)
    return 3 if exact and (instead or not numbered) else 0
