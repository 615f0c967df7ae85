"""The work of one operator, as a roofline sees it: its kind, its multiply-accumulates, and the bytes that it moves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from netwright.inspect.macs import has_formula, is_view, name_of

KINDS = (
    "convolution",
    "grouped convolution",
    "matrix product",
    "attention",
    "recurrent",
    "normalisation",
    "memory",
)  # "memory": elementwise operators, reductions, pooling and moves, whose time is that of their bytes


@dataclass(slots=True)
class Operator:
    """Calls of one operator with the same work, from one row of the Blueprint. Numbers are of one call."""

    row: int  # index in Blueprint.rows
    name: str
    kind: str  # one of KINDS
    phase: str  # "forward" | "backward" | "optimizer step"
    dtype: str  # of its arithmetic: "float32"
    macs: int
    bytes: int  # read and written, each operand once
    calls: int = 1


_NORMS = ("norm", "softmax", "var_mean", "logsumexp")
# Of the table only the rows that are asked for are read.
_LOOKUPS = frozenset(("embedding", "index", "index_select", "gather", "_embedding_bag", "slice_copy", "take"))


def kind_of(operator: torch._ops.OpOverload, args: tuple) -> str:
    """Which of the KINDS."""
    name = name_of(operator)
    if "convolution" in name:
        return "grouped convolution" if _groups(args) > 1 else "convolution"
    if "attention" in name:
        return "attention"
    if "rnn" in name:
        return "recurrent"
    if has_formula(operator):
        return "matrix product"
    return "normalisation" if any(part in name for part in _NORMS) else "memory"


def _groups(args: tuple) -> int:
    """The last whole number among the arguments of every convolution; of its backward it stands before the mask."""
    return next((one for one in reversed(args) if isinstance(one, int) and not isinstance(one, bool)), 1)


def bytes_moved(operator: torch._ops.OpOverload, given: Sequence[Tensor], made: Sequence[Tensor]) -> int:
    """Bytes that one call reads and writes at least, each operand once; 0 for views."""
    if is_view(operator):
        return 0
    written = sum(size_of(tensor) for tensor in made)
    if name_of(operator) in _LOOKUPS and given:
        given = [*given[1:], *made]
    return written + sum(size_of(tensor) for tensor in given)


def size_of(tensor: Tensor) -> int:
    """Bytes of its numbers; of one that repeats its memory (expanded) those of the memory."""
    if tensor.layout is not torch.strided or tensor.is_nested:
        return 0
    size = tensor.numel() * tensor.element_size()
    return min(size, tensor.untyped_storage().nbytes()) if 0 in tensor.stride() else size


def dtype_of(given: Sequence[Tensor], made: Sequence[Tensor]) -> str:
    """The type that it computes in: of its first floating operand, else of its first."""
    tensors: list[Any] = [*given, *made]
    first = next((tensor for tensor in tensors if tensor.is_floating_point()), tensors[0] if tensors else None)
    return str(first.dtype).removeprefix("torch.") if first is not None else "float32"
