"""The tensors inside whatever a forward takes and gives, and the inputs as a call."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from torch import Tensor

Inputs = Tensor | tuple | list | Mapping[str, Any]


def as_call(inputs: Inputs) -> tuple[tuple, dict[str, Any]]:
    """A tensor is the one argument, a tuple or list the positional ones, a mapping the keyword ones."""
    if isinstance(inputs, Mapping):
        return (), dict(inputs)
    return (tuple(inputs), {}) if isinstance(inputs, tuple | list) else ((inputs,), {})


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Every tensor inside nested tuples, lists, mappings and dataclasses, in order."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from tensors_in(inner)
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from tensors_in(inner)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from tensors_in(getattr(value, field.name))


def shapes_in(value: Any) -> list[list[int]]:
    return [list(tensor.shape) for tensor in tensors_in(value)]
