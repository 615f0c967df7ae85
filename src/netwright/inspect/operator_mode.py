"""A dispatch mode that sees plain operators only: what is composed of others, or takes functions, is taken apart."""

from functools import cache
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from netwright.inspect.higher_order import is_higher_order, run_higher_order
from netwright.inspect.macs import has_formula

_DEVICE = torch.ops.prim.device.default


class OperatorMode(TorchDispatchMode):
    """Every operator that runs while it is entered goes to `see`, which runs it and gives its result."""

    supports_higher_order_operators = True

    def see(self, func: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        raise NotImplementedError

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if func is _DEVICE:  # a fake tells its device by an operator
            return func(*args, **kwargs)
        if is_higher_order(func):
            with self:
                return run_higher_order(func, args, kwargs)
        if _is_composite(func):
            with self:
                return func.decompose(*args, **kwargs)
        return self.see(func, args, kwargs)


@cache
def _is_composite(func: Any) -> bool:
    """A module that enters inference_mode itself shows whole `matmul` or `lstm` calls."""
    if func.namespace != "aten" or has_formula(func):
        return False
    return torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), "CompositeImplicitAutograd")
