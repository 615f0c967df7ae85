"""Build a network and note how each of its modules was called."""

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any

from torch import nn

FOREIGN = sys.stdlib_module_names | {"torch"}
"""Top-level packages that an ejected file may import; everything else is taken in."""


def is_foreign(module: str) -> bool:
    return module.partition(".")[0] in FOREIGN


@dataclass
class Call:
    """One constructor call: the class, its arguments by name with defaults filled in, and the module made."""

    cls: type[nn.Module]
    args: dict[str, Any]
    module: nn.Module


def record(factory: Callable[[], nn.Module]) -> tuple[nn.Module, list[Call]]:
    """Run the factory; its network, and the calls of every constructor that is not torch's, in order."""
    calls: list[Call] = []
    with _noting(calls):
        network = factory()
    return network, calls


@contextmanager
def _noting(calls: list[Call]) -> Iterator[None]:
    originals = {}
    for cls in _subclasses(nn.Module):
        if "__init__" in vars(cls) and not is_foreign(cls.__module__):
            originals[cls] = vars(cls)["__init__"]
    for cls, original in originals.items():
        setattr(cls, "__init__", _noted(cls, original, calls))  # noqa: B010
    try:
        yield
    finally:
        for cls, original in originals.items():
            setattr(cls, "__init__", original)  # noqa: B010


def _noted(cls: type, original: Callable[..., None], calls: list[Call]) -> Callable[..., None]:
    signature = inspect.signature(original)

    @wraps(original)
    def __init__(self: nn.Module, *args: Any, **kwargs: Any) -> None:
        if type(self) is cls:
            bound = signature.bind(self, *args, **kwargs)
            bound.apply_defaults()
            calls.append(Call(cls, dict(list(bound.arguments.items())[1:]), self))
        original(self, *args, **kwargs)

    return __init__


def _subclasses(cls: type) -> set[type]:
    found: set[type] = set(cls.__subclasses__())
    return found.union(*(_subclasses(child) for child in found))


def as_partial(value: Any) -> tuple[Any, tuple, dict[str, Any]]:
    """A callable as (function, positional arguments, keyword arguments); a plain one has none."""
    if isinstance(value, partial):
        return value.func, value.args, value.keywords
    return value, (), {}
