"""A module and its inputs as fakes: shapes, types and gradients' flags, without memory or arithmetic."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import fields, is_dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses import FakeTensor, FakeTensorMode
from torch.nn.parameter import is_lazy
from torch.nn.utils.rnn import PackedSequence

from netwright.inspect.tensors import is_graph

Fake = Callable[[Any], Any]


class NoFakeError(Exception):
    """This tensor can't be faked; the message says which and why."""


@contextmanager
def faked(module: nn.Module, dtype: torch.dtype | None = None) -> Iterator[tuple[FakeTensorMode, Fake]]:
    """While it lasts, the module's parameters and buffers are fakes on "cpu"; they come back after.

    Gives the mode to run in, and a function that fakes inputs. On "cpu" whatever the real device is: a backward on
    fake CUDA tensors needs a driver, and plain meta tensors take other attention kernels. NoFakeError where a
    tensor has no plain strides (sparse, quantised, another library's subclass). `dtype`: of all floating ones.
    """
    # Tensors that a module keeps as plain attributes (anchors, tables of positions) stay real.
    mode = FakeTensorMode(allow_non_fake_inputs=True)
    made: dict[int, Tensor] = {}
    undo: list[Callable[[], None]] = []

    def fake(tensor: Tensor, name: str = "an input") -> Tensor:
        if id(tensor) not in made:
            made[id(tensor)] = _fake(mode, tensor, name, dtype)
        return made[id(tensor)]

    # A fake that fails says so at length; the fallback says it in a line.
    logger = logging.getLogger("torch._subclasses.fake_tensor")
    undo.append(partial(logger.setLevel, logger.level))
    logger.setLevel(logging.CRITICAL)
    try:
        for path, part in module.named_modules():
            for tensors in (part._parameters, part._buffers):
                for name, tensor in tensors.items():
                    if tensor is not None:
                        undo.append(partial(tensors.__setitem__, name, tensor))
                        tensors[name] = fake(tensor, f"{path}.{name}".lstrip("."))
            if isinstance(part, nn.RNNBase):  # which keeps a list of its weights beside them
                undo.append(partial(setattr, part, "_flat_weights", part._flat_weights))
                part._flat_weights = [getattr(part, name, None) for name in part._flat_weights_names]
        yield mode, lambda value: mapped(value, fake)
    finally:
        for back in reversed(undo):
            back()


def mapped(value: Any, function: Callable[[Tensor], Tensor]) -> Any:
    """The same nested value with each tensor replaced; a packed sequence keeps the sizes of its steps, as they are
    read."""
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, PackedSequence):
        return value._replace(data=function(value.data))
    if is_graph(value):
        return copy(value).apply(function)
    if isinstance(value, Mapping):
        return {key: mapped(inner, function) for key, inner in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):  # a named tuple
        return type(value)(*(mapped(inner, function) for inner in value))
    if isinstance(value, tuple | list):
        return type(value)(mapped(inner, function) for inner in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: mapped(getattr(value, f.name), function) for f in fields(value) if f.init})
    return value


def run(func: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """The operator's result; of one whose fake refuses a type that its kernel takes, a result of the right shape."""
    left = args[0] if args else None
    if func is torch.ops.aten._grouped_mm.default and isinstance(left, FakeTensor) and left.dtype != torch.bfloat16:
        return left.new_empty(_grouped(left, args[1], args[2] if len(args) > 2 else kwargs.get("offs")))
    return func(*args, **kwargs)


def _grouped(left: Tensor, right: Tensor, ends: Tensor | None) -> tuple[int, ...]:
    """Rows by group (T, K) × (G, K, N), columns by group (G, M, K) × (K, T), sums by group (M, T) × (T, N)."""
    if left.dim() == 2 and right.dim() == 2 and ends is not None:
        return ends.shape[0], left.shape[0], right.shape[1]
    if left.dim() == 3 and right.dim() == 3:
        return left.shape[0], left.shape[1], right.shape[2]
    return left.shape[-2], right.shape[-1]


def _fake(mode: FakeTensorMode, tensor: Tensor, name: str, dtype: torch.dtype | None) -> Tensor:
    plain = tensor.layout is torch.strided and not tensor.is_quantized and not tensor.is_nested
    if not plain or is_lazy(tensor) or hasattr(type(tensor), "__tensor_flatten__"):
        raise NoFakeError(f"{name} is no plain tensor but {type(tensor).__name__}, {tensor.layout}")
    kind = dtype if dtype and tensor.is_floating_point() else tensor.dtype
    with mode, torch.no_grad():
        made = torch.empty_strided(tensor.size(), tensor.stride(), dtype=kind, device="cpu")
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(made, tensor.requires_grad)
    return made.requires_grad_(tensor.requires_grad)
