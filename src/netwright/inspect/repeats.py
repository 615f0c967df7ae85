"""The blocks that a network repeats, and the network as it would be with them checkpointed."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint


def repeated(module: nn.Module) -> list[list[nn.Module]]:
    """Siblings of one class that hold other modules: the outermost, then those inside them (blocks of a stage).

    An empty list where nothing is repeated; single layers are no blocks.
    """
    outer = _siblings(module)
    inner = [block for part in outer for block in _siblings(part)]
    return [list(dict.fromkeys(level)) for level in (outer, inner) if level]


def _siblings(module: nn.Module) -> list[nn.Module]:
    children = [child for child in module.children() if any(True for _ in child.children())]
    times = Counter(type(child) for child in children)
    found = []
    for child in children:
        found += [child] if times[type(child)] > 1 else _siblings(child)
    return found


@contextmanager
def checkpointed(blocks: Iterable[nn.Module]) -> Iterator[None]:
    """While it lasts, each block keeps its inputs alone for the backward, which computes the rest again."""

    def again(cls: Any, self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        return checkpoint(partial(cls.forward, self), *args, use_reentrant=False, **kwargs)

    with _forward_by(again, blocks):
        yield


@contextmanager
def autocast(module: nn.Module, dtype: torch.dtype) -> Iterator[None]:
    """While it lasts, the module's forward runs under `torch.autocast`: weights keep their type."""

    def lower(cls: Any, self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        with torch.autocast("cpu", dtype):
            return cls.forward(self, *args, **kwargs)

    with _forward_by(lower, [module]):
        yield


@contextmanager
def _forward_by(how: Any, parts: Iterable[nn.Module]) -> Iterator[None]:
    """Modules of classes that differ in their forward, which a copy of them has too; their own come back after."""
    before: list[tuple[nn.Module, type]] = []
    made: dict[type, type] = {}
    try:
        for part in parts:
            cls = type(part)
            if cls not in made:
                made[cls] = type(cls.__name__, (cls,), {"forward": _method(how, cls), "__module__": cls.__module__})
            before.append((part, cls))
            part.__class__ = made[cls]
        yield
    finally:
        for part, cls in before:
            part.__class__ = cls


def _method(how: Any, cls: type) -> Any:
    def forward(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        return how(cls, self, *args, **kwargs)

    return forward


@contextmanager
def without_cache(module: nn.Module) -> Iterator[None]:
    """While it lasts, networks of transformers keep no keys and values, which can't be computed again."""
    configs = {id(config): config for part in module.modules() if (config := getattr(part, "config", None)) is not None}
    caching = [config for config in configs.values() if getattr(config, "use_cache", False) is True]
    try:
        for config in caching:
            config.use_cache = False
        yield
    finally:
        for config in caching:
            config.use_cache = True
