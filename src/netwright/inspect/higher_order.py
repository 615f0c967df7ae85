"""Operators that take functions: run as the Python that they stand for, so that what is inside them is seen.

A scan runs its step once for each element, a condition the branch that is taken. Flex attention is run as the plain
attention of its shapes: as everywhere the whole square counts, whatever its mask leaves out, and `score_mod` is free.
"""

import importlib
import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch._ops import HigherOrderOperator
from torch.nn.functional import scaled_dot_product_attention

# Looked up by its path, for its function has the same name; None in PyTorch before 2.5.
_FLEX_MODULE = "torch.nn.attention.flex_attention"
flex = importlib.import_module(_FLEX_MODULE) if importlib.util.find_spec(_FLEX_MODULE) else None


def is_higher_order(func: Any) -> bool:
    """A scan, a condition, a loop, flex attention: no plain operator."""
    return isinstance(func, HigherOrderOperator)


def run_higher_order(func: HigherOrderOperator, args: tuple, kwargs: dict[str, Any]) -> Any:
    """Its results, by operators that a dispatch mode around this sees."""
    plain = _PLAIN.get(func.name())
    return plain(*args, **kwargs) if plain else func(*args, **kwargs)


def _scan(step: Callable, init: list[Tensor], xs: list[Tensor], additional: tuple) -> list[Tensor]:
    carry, made = list(init), []
    for element in zip(*(x.unbind(0) for x in xs), strict=True):
        result = step(*carry, *element, *additional)
        carry = list(result[: len(init)])
        made.append(result[len(init) :])
    return [*carry, *(torch.stack(outputs) for outputs in zip(*made, strict=True))]


def _cond(condition: Any, then: Callable, otherwise: Callable, operands: tuple) -> Any:
    return then(*operands) if bool(condition) else otherwise(*operands)


def _while_loop(condition: Callable, body: Callable, carried: tuple, additional: tuple, **_: Any) -> tuple:
    while bool(condition(*carried, *additional)):
        carried = body(*carried, *additional)
    return tuple(carried)


def _map(function: Callable, xs: list[Tensor], additional: tuple) -> list[Tensor]:
    made = [function(*element, *additional) for element in zip(*(x.unbind(0) for x in xs), strict=True)]
    return [torch.stack(outputs) for outputs in zip(*made, strict=True)]


_PLAIN: dict[str, Callable] = {
    "scan": _scan,
    "cond": _cond,
    "while_loop": _while_loop,
    "map_impl": _map,
}


@contextmanager
def plain_flex_attention() -> Iterator[None]:
    """Flex attention without its compiler, which no dispatch mode sees into, and with a backward on the CPU."""
    before = {name: getattr(flex, name) for name in _FLEX if hasattr(flex, name)}
    for name in before:
        setattr(flex, name, _FLEX[name])
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(flex, name, value)


def _attention(query: Tensor, key: Tensor, value: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor, Tensor]:
    """query (B, H, L, E), key (B, Hkv, S, E), value (B, Hkv, S, Ev) → (B, H, L, Ev), and two sums (B, H, L)."""
    rows = query.new_empty(query.shape[:-1], dtype=torch.float32)
    grouped = query.shape[1] != key.shape[1]
    return scaled_dot_product_attention(query, key, value, enable_gqa=grouped), rows, rows


_FLEX: dict[str, Any] = {
    "flex_attention_hop": _attention,
    "_FLEX_ATTENTION_DISABLE_COMPILE_DEBUG": True,
    "_validate_device": lambda *_: None,
}
