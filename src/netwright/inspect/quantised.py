"""PyTorch's own quantised layers: their weights are packed in objects of their backend, which no parameter shows."""

from collections.abc import Callable, Iterator
from functools import cache
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import _disable_current_modes


def packed_weights(module: nn.Module) -> Iterator[tuple[nn.Module, list[Tensor]]]:
    """Of each part of the module that has packed weights, these: each packed object once."""
    seen: set[int] = set()
    for part in module.modules():
        objects = [value for value in vars(part).values() if isinstance(value, torch.ScriptObject)]
        found = [tensor for one in objects if id(one) not in seen for tensor in unpacked(one)]
        seen.update(map(id, objects))
        if found:
            yield part, found


def unpacked(packed: Any) -> list[Tensor]:
    """The weights and biases in a packed object: of a layer, or of a recurrent cell that holds packed layers."""
    if isinstance(packed, Tensor):
        return [packed]
    if isinstance(packed, tuple | list):
        return [tensor for inner in packed for tensor in unpacked(inner)]
    if not isinstance(packed, torch.ScriptObject):
        return []
    with _disable_current_modes():  # fakes have no quantised tensors
        if hasattr(packed, "unpack"):
            return unpacked(packed.unpack())
        return unpacked(list(_inside(packed.__getstate__())))  # a cell holds its biases twice: its layers' are enough


def _inside(value: Any) -> Iterator[torch.ScriptObject]:
    if isinstance(value, torch.ScriptObject):
        yield value
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from _inside(inner)


def _weights(packed: Any) -> list[Tensor]:
    return [tensor for tensor in unpacked(packed) if tensor.dim() > 1]


def _linear(args: tuple, kwargs: dict, out: Tensor) -> int:
    return prod(args[0].shape[:-1]) * sum(weight.numel() for weight in _weights(args[1]))


def _convolution(args: tuple, kwargs: dict, out: Tensor) -> int:
    (weight,) = _weights(args[1])
    return out.numel() * prod(weight.shape[1:])


def _transposed(args: tuple, kwargs: dict, out: Tensor) -> int:
    (weight,) = _weights(args[1])
    return args[0].numel() * prod(weight.shape[1:])


def _recurrent(args: tuple, kwargs: dict, out: Any) -> int:
    """Every weight of every layer and direction meets every step once."""
    return prod(args[0].shape[:-1]) * sum(weight.numel() for weight in _weights(args[2]))


FORMULAS: dict[str, Callable[[tuple, dict, Any], int]] = {
    "quantized_lstm": _recurrent,
    "quantized_gru": _recurrent,
    **{f"quantized::linear{form}": _linear for form in ("", "_relu", "_dynamic", "_relu_dynamic", "_dynamic_fp16")},
    **{f"quantized::conv{n}d{form}": _convolution for n in (1, 2, 3) for form in ("", "_relu", "_dynamic")},
    **{f"quantized::conv_transpose{n}d": _transposed for n in (1, 2, 3)},
}
_PRODUCTS = ("linear", "conv", "matmul", "lstm", "gru", "rnn")


@cache
def is_free(name: str) -> bool:
    """Of the quantised operators those that compute no product: sums, norms, activations, and (de)quantising."""
    if name in ("quantize_per_tensor", "quantize_per_channel", "quantize_per_tensor_dynamic", "dequantize"):
        return True
    return name.startswith("quantized::") and not any(product in name for product in _PRODUCTS)
