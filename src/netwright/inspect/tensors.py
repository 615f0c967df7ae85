"""The tensors inside whatever a forward takes and gives, and the inputs as a call."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from torch import Tensor

Inputs = Tensor | tuple | list | Mapping[str, Any]


def as_call(inputs: Inputs) -> tuple[tuple, dict[str, Any]]:
    """A tuple or list is the positional arguments, a mapping the keyword ones; anything else is the one argument: a
    tensor, a packed sequence, a batch of graphs."""
    if isinstance(inputs, Mapping):
        return (), dict(inputs)
    several = isinstance(inputs, tuple | list) and not hasattr(inputs, "_fields")
    return (tuple(inputs), {}) if several else ((inputs,), {})


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Every tensor inside nested tuples, lists, mappings, dataclasses and PyG's graphs, in order."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from tensors_in(inner)
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from tensors_in(inner)
    elif is_graph(value):
        for store in value.stores:
            yield from tensors_in(store)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from tensors_in(getattr(value, field.name))


def is_graph(value: Any) -> bool:
    """PyTorch Geometric's Data, HeteroData or Batch: tensors by name in one or more stores."""
    return hasattr(value, "stores") and hasattr(value, "apply")


def shapes_in(value: Any) -> list[list[int]]:
    return [list(tensor.shape) for tensor in tensors_in(value)]
