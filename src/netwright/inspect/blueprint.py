"""Blueprint: what an nn.Module is, as plain data: the tree of its calls with shapes and cost, and edges."""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any

from netwright.inspect.figure import Figure
from netwright.inspect.operators import Operator

if TYPE_CHECKING:
    from netwright.inspect.causal import Attention
    from netwright.inspect.growth import Growth
    from netwright.inspect.kv_cache import KvCache
    from netwright.inspect.sight import Sight
    from netwright.inspect.symbolic import Symbols

CONVENTION = (
    "MACs: multiply-accumulates of matrix products, convolutions and attention; biases, norms, activations, "
    "pooling and interpolation count zero; causal attention counts the whole square; FLOPs = 2 × MACs."
)


@dataclass(slots=True)
class Row:
    """One call of a module, or one operator outside any leaf module that costs MACs or joins branches.

    Numbers are of everything under the row. Parameters and buffers belong to the first call that has them, so
    that the rows of one level sum to their parent, and tied weights count once.
    """

    id: str  # its path, with ":2" for the second call of the same module: a unique key
    path: str
    cls: str
    kind: str  # "module" | "op"
    depth: int
    parent: int | None  # index in Blueprint.rows, which are in the order of the calls, parents first
    inputs: list[list[int]]
    outputs: list[list[int]]
    leaf: bool = True
    own_params: int = 0
    params: int = 0
    trainable: int = 0
    buffers: int = 0
    macs: int = 0
    activation_bytes: int = 0  # memory newly allocated for the results of its operators
    backward_macs: int = 0  # of its backward, and of computing it again where it is checkpointed
    saved_bytes: int = 0  # of its results, still alive at the end of the forward, for the backward
    latency_ms: float | None = None  # of its forward, where a device was named
    options: str = ""  # what the module says of itself beside its class: kernel size, stride

    @property
    def flops(self) -> int:
        return 2 * self.macs

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Edge:
    """A tensor of this shape goes from one leaf row to another; "input:0" and "output" are the ends."""

    source: str
    target: str
    shape: tuple[int, ...]


@dataclass(slots=True)
class FoldedRow:
    """A row of the layer table: `repeat` identical siblings in one, its numbers those of one of them.

    `times` counts the copies in the whole network (repeats of the parents included): over the leaf rows,
    Σ params × times is the network's count, and so for MACs and activations.
    """

    name: str  # "0..11" where folded
    cls: str
    depth: int
    repeat: int
    times: int
    leaf: bool
    inputs: list[list[int]]
    outputs: list[list[int]]
    params: int
    macs: int
    activation_bytes: int
    own_params: int
    index: int = 0  # of the first copy, in Blueprint.rows
    options: str = ""  # those of the first copy
    path: str = ""  # that of the first copy


@dataclass(frozen=True)
class PeakMemory:
    """The most bytes held at once, what they are, and when.

    `by`: weights, inputs, activations; in training gradients, optimizer, and what the backward has under way.
    """

    bytes: int
    by: dict[str, int]
    when: str  # "forward" | "backward" | "optimizer step"
    where: str  # the row's id
    how: str


@dataclass
class Blueprint:
    """Made by `inspect`, for the input shapes given. In eval mode, or for a step of training (`train`)."""

    cls: str
    device: str
    inputs: list[list[int]]
    outputs: list[list[int]]
    rows: list[Row]
    edges: list[Edge]
    params: int
    trainable: int
    buffers: int
    weights_bytes: int
    not_counted: list[dict[str, Any]] = field(default_factory=list)  # {op, calls, where}
    tied: list[list[str]] = field(default_factory=list)  # names of one and the same parameter
    train: bool = False
    memory: PeakMemory | None = None
    kv_cache: "KvCache | None" = None  # of a causal decoder
    operators: list[Operator] = field(default_factory=list)  # what a roofline needs to know
    latency: Figure | None = None  # of the forward, or of the training step, on `device`
    how: str = ""  # how it was captured
    notes: list[str] = field(default_factory=list)  # what was guessed, what failed on the way
    example: Any = field(default=None, repr=False, compare=False)  # the inputs of the capture
    # For `savings`, and not in the JSON: calls of attention; bytes of gradients → the most of all else beside them.
    attention: "list[Attention]" = field(default_factory=list, repr=False)
    beside_gradients: dict[int, int] = field(default_factory=dict, repr=False)
    # Where they were asked for: sizes as expressions, cost against size, how far it sees.
    symbols: "Symbols | None" = None
    growth: "Growth | None" = None
    sight: "Sight | None" = None

    @property
    def convention(self) -> str:
        """What the MACs count."""
        return CONVENTION

    @property
    def macs(self) -> int:
        return self.rows[0].macs

    @property
    def flops(self) -> int:
        return 2 * self.macs

    @property
    def backward_macs(self) -> int:
        """Of the backward; 0 without training."""
        return self.rows[0].backward_macs

    @property
    def activation_bytes(self) -> int:
        return self.rows[0].activation_bytes

    @property
    def saved_bytes(self) -> int:
        """What the forward keeps for the backward; 0 without training."""
        return self.rows[0].saved_bytes

    @property
    def peak_memory(self) -> int:
        """Bytes; `memory` says of what, when and where."""
        return self.memory.bytes if self.memory else 0

    @property
    def latency_ms(self) -> float | None:
        """Milliseconds; `latency` says of what and how it was got."""
        return self.latency.value if self.latency else None

    @property
    def kv_cache_bytes_per_token(self) -> int | None:
        """What a token leaves in the cache of keys and values; None where no attention is causal."""
        return self.kv_cache.bytes_per_token if self.kv_cache else None

    @cached_property
    def _children(self) -> list[list[int]]:
        children: list[list[int]] = [[] for _ in self.rows]
        for index, row in enumerate(self.rows):
            if row.parent is not None:
                children[row.parent].append(index)
        return children

    def children(self, row: Row) -> list[Row]:
        """The calls inside a call, in order."""
        return [self.rows[child] for child in self._children[self._index[row.id]]]

    def look(self, row: Row) -> int:
        """The same number for two calls that look the same: class, shapes, cost, and the same of what is inside."""
        return self._signatures[self._index[row.id]]

    @cached_property
    def _index(self) -> dict[str, int]:
        return {row.id: index for index, row in enumerate(self.rows)}

    def folded(self, max_depth: int | None = None) -> list[FoldedRow]:
        """The layer table: a run of identical numbered siblings becomes one row "×n", opened at its first."""
        return list(self._fold([0], 1, max_depth))

    def _fold(self, siblings: list[int], times: int, max_depth: int | None) -> Iterator[FoldedRow]:
        for _, group in groupby(siblings, key=self._look_and_name):
            run = list(group)
            first, last = self.rows[run[0]], self.rows[run[-1]]
            below = self._children[run[0]] if max_depth is None or first.depth < max_depth else []
            yield FoldedRow(
                name=first.name if len(run) == 1 else f"{first.name}..{last.name}",
                cls=first.cls,
                depth=first.depth,
                repeat=len(run),
                times=times * len(run),
                leaf=not below,
                inputs=first.inputs,
                outputs=first.outputs,
                params=first.params,
                macs=first.macs,
                activation_bytes=first.activation_bytes,
                own_params=first.own_params,
                index=run[0],
                options=first.options,
                path=first.path,
            )
            yield from self._fold(below, times * len(run), max_depth)

    def _look_and_name(self, index: int) -> tuple[int, str]:
        """Siblings fold where they look the same and their names differ in the number at most."""
        return self._signatures[index], re.sub(r"\d+", "#", self.rows[index].name)

    @cached_property
    def _signatures(self) -> list[int]:
        """Equal where two calls look the same: class, shapes, numbers, and the same of everything inside."""
        signatures = [0] * len(self.rows)
        numbers: dict[tuple, int] = {}
        for index in reversed(range(len(self.rows))):  # children come after their parents
            row = self.rows[index]
            inside = tuple(signatures[child] for child in self._children[index])
            look = (row.cls, str(row.inputs), str(row.outputs), row.params, row.macs, row.activation_bytes)
            signatures[index] = numbers.setdefault((look, inside), len(numbers))
        return signatures

    def by_operator(self) -> list[dict[str, Any]]:
        """What each operator costs in all its calls, forward and backward: the dearest first."""
        sums: dict[tuple[str, str], dict[str, Any]] = {}
        for one in self.operators:
            new = {"name": one.name, "kind": one.kind, "calls": 0, "macs": 0, "bytes": 0}
            total = sums.setdefault((one.name, one.kind), new)
            total["calls"] += one.calls
            total["macs"] += one.macs * one.calls
            total["bytes"] += one.bytes * one.calls
        return sorted(sums.values(), key=lambda total: (-total["macs"], -total["bytes"]))

    def to_json(self) -> dict[str, Any]:
        """Plain data; netwright.inspect.schema says its keys."""
        asked: dict[str, Any] = {"symbols": self.symbols, "growth": self.growth, "field": self.sight}
        return {
            "cls": self.cls,
            "device": self.device,
            "inputs": self.inputs,
            "outputs": self.outputs,
            "params": self.params,
            "trainable": self.trainable,
            "buffers": self.buffers,
            "weights_bytes": self.weights_bytes,
            "macs": self.macs,
            "flops": self.flops,
            "backward_macs": self.backward_macs,
            "activation_bytes": self.activation_bytes,
            "saved_bytes": self.saved_bytes,
            "train": self.train,
            "memory": asdict(self.memory) if self.memory else None,
            "kv_cache_bytes_per_token": self.kv_cache_bytes_per_token,
            "kv_cache": asdict(self.kv_cache) if self.kv_cache else None,
            "latency": asdict(self.latency) if self.latency else None,
            "operators": self.by_operator(),
            "how": self.how,
            "notes": self.notes,
            "convention": CONVENTION,
            "not_counted": self.not_counted,
            "tied": self.tied,
            "rows": [asdict(row) for row in self.rows],
            "edges": [{"source": edge.source, "target": edge.target, "shape": list(edge.shape)} for edge in self.edges],
            **{key: found.to_json() for key, found in asked.items() if found is not None},
        }

    # The picture is plain text out of `to_json()`; its room is entered when it is asked for.

    def svg(self, *, depth: int | None = None, heat: str | None = "macs", title: str = "") -> str:
        """One drawing, "trunk and lanes", that needs nothing else.

        depth: so many levels of groups are open; if None, the costliest groups, while the picture stays small ·
        heat: what shades the cards: "macs", "params", "activation_bytes", "latency_ms" where it is known, or None.
        Errors: InputError for another heat.
        """
        from netwright import picture

        return picture.svg(self.to_json(), title, depth=depth, heat=heat)

    def mermaid(self, *, depth: int | None = None, title: str = "") -> str:
        """The same as a Mermaid flowchart, for Markdown."""
        from netwright import picture

        return picture.mermaid(self.to_json(), title, depth=depth)

    def html(self, title: str = "") -> str:
        """An offline page, whose groups open and close."""
        from netwright import picture

        return picture.page(self.to_json(), title)

    def _repr_html_(self) -> str:
        """In a notebook, that page in a frame of its own: Jupyter and VS Code both run its script there."""
        from netwright import picture

        return picture.frame(self.to_json())

    def __repr__(self) -> str:
        calls = sum(row.kind == "module" for row in self.rows)
        text = f"Blueprint of {self.cls}: {self.params:,} parameters, {self.macs:,} MACs, {calls} calls"
        return text + (f", {len(self.not_counted)} operators not counted" if self.not_counted else "")
