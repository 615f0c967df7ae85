"""Memory that oneDNN's kernels take beside their operands on a CPU, which no tensor shows.

Read off the allocator's events of single operators (torch 2.13, x86 with AVX-512, fp32): a convolution that is no 1 × 1
copies its operands to a layout of channels in blocks, and an LSTM in training keeps its gates and states of every
step. Operands in channels-last are read as they are, beside copies of the weight.
"""

from functools import cache
from math import ceil
from typing import Any

import torch
from torch import Tensor

# Of an LSTM layer in training, in units of one number a step, sample and hidden unit: what it keeps for the backward,
# and what a pass, either way, has beside that and copies of both weights.
LSTM_KEPT, LSTM_PASS = 15.4, 4.2
# Partial sums of a depthwise weight's gradient in channels-last, in copies of the weight.
DEPTHWISE_SUMS = 257


def passing(name: str, args: tuple, out: Any) -> int:
    """Bytes that one call of an operator takes and gives back, beyond its results."""
    if name == "convolution":
        return _convolution(args[0], args[1], out, args[3], args[6])
    if name == "convolution_backward":
        return _convolution_backward(args[0], args[1], args[2], args[4], args[7], args[10])
    if name in ("mkldnn_rnn_layer", "mkldnn_rnn_layer_backward"):
        weights = args[1].numel() + args[2].numel()
        return round((LSTM_PASS * _lstm_numbers(args[0], args[2]) + weights) * args[0].element_size())
    return 0


def with_kept(name: str, args: tuple, out: Any) -> Any:
    """The operator's results with what it keeps for the backward at its true size; fakes leave it empty."""
    if name != "mkldnn_rnn_layer" or not args[15] or out[3].numel():
        return out
    size = round(LSTM_KEPT * _lstm_numbers(args[0], args[2]) * args[0].element_size())
    return (*out[:3], torch.empty(size, dtype=torch.uint8))


def _lstm_numbers(x: Tensor, hidden_weight: Tensor) -> int:
    return x.shape[0] * x.shape[1] * hidden_weight.shape[-1]


def _convolution(x: Tensor, weight: Tensor, out: Tensor, stride: list[int], transposed: bool) -> int:
    if _is_product(weight, stride):
        return 0
    if _is_channels_last(x):
        return (1 if _is_depthwise(x, weight) else 2) * _bytes(weight)
    x_copy = _blocked(x) if transposed or x.shape[1] >= _block() else 0
    # All copies are there before the result; then it and its own copy are.
    return max(x_copy + _bytes(weight) + _blocked(out) - _bytes(out), _blocked(out))


def _convolution_backward(
    grad: Tensor, x: Tensor, weight: Tensor, stride: list[int], transposed: bool, wanted: list[bool]
) -> int:
    """First the input's gradient, then the weight's, each with copies of what it reads and makes."""
    if _is_product(weight, stride):
        return 0
    if _is_channels_last(x):
        return (DEPTHWISE_SUMS if _is_depthwise(x, weight) else 3) * _bytes(weight)
    narrow = x.shape[1] < _block()
    results = sum(_bytes(tensor) for tensor, asked in ((x, wanted[0]), (weight, wanted[1])) if asked)
    of_input = _blocked(grad) + _bytes(weight) + _blocked(x) - results if wanted[0] else 0
    of_weight = 0 if _is_depthwise(x, weight) else _blocked(grad) + (0 if narrow and not transposed else _blocked(x))
    return max(of_input, of_weight, 0)


def _is_product(weight: Tensor, stride: list[int]) -> bool:
    """A 1 × 1 convolution is a product of matrices and copies nothing."""
    return all(size == 1 for size in weight.shape[2:]) and all(step == 1 for step in stride)


def _is_channels_last(x: Tensor) -> bool:
    return x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()


def _is_depthwise(x: Tensor, weight: Tensor) -> bool:
    return weight.shape[1] == 1 and x.shape[1] > 1


def _blocked(tensor: Tensor) -> int:
    """Bytes with the channels filled up to whole blocks."""
    channels = tensor.shape[1]
    return _bytes(tensor) // max(1, channels) * ceil(channels / _block()) * _block()


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


@cache
def _block() -> int:
    return 16 if "AVX512" in torch.backends.cpu.get_cpu_capability() else 8
