"""The layer rows of a network as a tree with equal neighbours folded: twelve blocks become one, "×12"."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from netwright.picture.words import number


@dataclass
class Layer:
    """One module, or `repeat` equal ones. Numbers are of one copy and include what is inside it."""

    path: str
    name: str
    cls: str
    shape: Any = None
    params: float = 0
    macs: float = 0
    activations: float | None = None
    repeat: int = 1
    children: list["Layer"] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)  # of all copies

    def total(self, what: str) -> float:
        return (number(getattr(self, what)) or 0) * self.repeat

    def signature(self) -> tuple:
        """What two layers share that may be folded into one."""
        inner = tuple((child.repeat, child.signature()) for child in self.children)
        return self.cls, str(self.shape), self.params, self.macs, inner


def tree(rows: Iterable[Mapping[str, Any]]) -> list[Layer]:
    """Rows in model order → the folded top-level layers.

    A row belongs to the nearest row before it whose path begins its own. The whole network's own row (path
    "") and wrappers around everything are left out.
    """
    top: list[Layer] = []
    open_layers: list[Layer] = []
    for row in rows:
        path = str(row.get("path") or "")
        if not path:
            continue
        while open_layers and not path.startswith(open_layers[-1].path + "."):
            open_layers.pop()
        parent = open_layers[-1] if open_layers else None
        layer = Layer(
            path=path,
            name=path[len(parent.path) + 1 :] if parent else path,
            cls=str(row.get("class") or ""),
            shape=row.get("shape"),
            params=number(row.get("params")) or 0,
            macs=number(row.get("macs")) or 0,
            activations=number(row.get("activations")),
            repeat=max(1, int(number(row.get("repeat")) or 1)),
            paths=[path],
        )
        (parent.children if parent else top).append(layer)
        open_layers.append(layer)
    while len(top) == 1 and top[0].repeat == 1 and top[0].children:
        prefix = top[0].path + "."
        top = top[0].children
        for layer in top:
            layer.name = layer.path.removeprefix(prefix)
    return folded(top)


def folded(layers: list[Layer]) -> list[Layer]:
    """Neighbours of one signature as one layer, inside out."""
    for layer in layers:
        layer.children = folded(layer.children)
    result: list[Layer] = []
    previous: tuple | None = None
    for layer in layers:
        signature = layer.signature()
        # A layer without parameters (a ReLU, a sum) is short anyway, and folding it would hide the order.
        if signature == previous and (layer.params or layer.children) and _numbered(layer.name):
            kept = result[-1]
            kept.repeat += layer.repeat
            kept.paths += layer.paths
            kept.name = _span(kept.paths[0], layer.path, kept.name)
        else:
            result.append(layer)
        previous = signature
    return result


def _numbered(name: str) -> bool:
    return name.rpartition(".")[2].isdigit()


def _span(first: str, last: str, name: str) -> str:
    """blocks.0 … blocks.11 → blocks[0–11]; where the names share no stem: [0–11]."""
    stem = name.partition("[")[0].rpartition(".")[0] if "[" not in name else name.partition("[")[0]
    return f"{stem}[{first.rpartition('.')[2]}–{last.rpartition('.')[2]}]"


def totals(layers: Iterable[Layer]) -> dict[str, float]:
    layers = list(layers)
    return {what: sum(layer.total(what) for layer in layers) for what in ("params", "macs")}
