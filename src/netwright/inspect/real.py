"""Numbers for what is on meta, so that a network can be run: one that has its weights keeps them."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from netwright.inspect.fakes import mapped
from netwright.inspect.tensors import Inputs, as_call

__all__ = ["made_real", "real_copy", "real_values"]


def made_real(
    module: nn.Module, inputs: Inputs, where: torch.device, dtype: torch.dtype | None = None
) -> tuple[nn.Module, tuple, dict[str, Any]]:
    """A copy that training may change, on the device, and the arguments and keywords of a call of it."""
    args, kwargs = real_values(as_call(inputs), where, dtype)
    return real_copy(module, where, dtype), args, kwargs


def real_copy(module: nn.Module, where: torch.device, dtype: torch.dtype | None = None) -> nn.Module:
    """A copy on the device; where a part is on meta, all weights are drawn from N(0, 0.02²), the same each time.

    Floating buffers are 1 then, as a variance may be, whole ones 0, as the index of anything may be.
    """
    real = copy.deepcopy(module)
    if any(tensor.is_meta for tensor in [*module.parameters(), *module.buffers()]):
        real.to_empty(device=where)
        random = torch.Generator(where).manual_seed(0)
        with torch.no_grad():
            for parameter in real.parameters():
                parameter.normal_(0, 0.02, generator=random)
            for buffer in real.buffers():
                buffer.fill_(1 if buffer.is_floating_point() else 0)
    return real.to(where, dtype) if dtype else real.to(where)


def real_values(value: Any, where: torch.device, dtype: torch.dtype | None = None) -> Any:
    """The tensors in a value, on the device, cut off from what they came from; of those on meta the floating ones are
    N(0, 1), the same each time, the others zeros."""
    random = torch.Generator(where).manual_seed(0)
    known: dict[int, Tensor] = {}  # the same tensor twice stays one

    def real(tensor: Tensor) -> Tensor:
        if id(tensor) not in known:
            known[id(tensor)] = make(tensor)
        return known[id(tensor)]

    def make(tensor: Tensor) -> Tensor:
        if not tensor.is_meta:
            made = tensor.detach().to(where)
        elif tensor.is_floating_point():
            made = torch.randn(tensor.shape, dtype=tensor.dtype, device=where, generator=random)
        else:
            made = torch.zeros(tensor.shape, dtype=tensor.dtype, device=where)
        made = made.to(dtype) if dtype and made.is_floating_point() else made
        return made.requires_grad_(tensor.requires_grad)

    return mapped(value, real)
