"""Operators whose results' sizes depend on values, where nothing is computed: each gives the most that it can.

`nonzero` finds every place, a mask takes every number, `unique` drops none, all boxes are kept. Values that are known
even so are followed (`arange`, the places found, whole numbers among inputs and buffers), so that a loop over the
experts that `nonzero` found meets each of them. A number read from values that nobody knows is a hint: a condition as
told, a count the most that it can be, any other whole number the longest axis of the inputs.
"""

from collections.abc import Callable
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor, unset_fake_temporarily
from torch.utils._pytree import tree_map_only
from torch.utils.weak import WeakIdKeyDictionary

from netwright.inspect.fakes import run
from netwright.inspect.macs import is_view, name_of
from netwright.inspect.tensors import tensors_in

MOST_KNOWN = 1 << 16  # numbers of a tensor whose values are followed
MOST_READS = 10_000  # of unknown values in one forward: a loop that waits for one does not end
MOST_OPERATORS = 500_000  # in one forward and backward: a loop over all that may be


class NoBoundError(Exception):
    """A value is not known and may not be assumed, or what was assumed leads nowhere."""


class Hints:
    """Runs operators in place of `fakes.run`; `assumed` says which of them gave a bound, and where.

    longest: what a whole number is taken for of which nothing is known · truth: what a condition is; None where
    nothing may be assumed, and NoBoundError ends the forward.
    """

    def __init__(self, longest: int, truth: bool | None):
        self.longest, self.truth = longest, truth
        self.assumed: dict[str, dict[str, int]] = {}  # operator → row where it ran → calls
        self.read_conditions = False
        self._reads = self._operators = 0
        self._known = WeakIdKeyDictionary()  # fake → its values
        self._most = WeakIdKeyDictionary()  # fake of whole numbers → none of them is larger

    def remember(self, fakes: Any, values: Any) -> None:
        """What whole numbers and truths are, where they have values."""
        with unset_fake_temporarily():
            for fake, value in zip(tensors_in(fakes), tensors_in(values), strict=True):
                if _has_values(value) and not value.is_floating_point():
                    self._known[fake] = value.detach().cpu()

    def run(self, func: Any, args: tuple, kwargs: dict[str, Any], where: str) -> Any:
        name = name_of(func)
        self._operators += 1
        if self._operators > MOST_OPERATORS:
            raise NoBoundError(f"more than {MOST_OPERATORS:,} operators: a loop over all that may be")
        if name == "index" and any(_is_mask(one) for one in args[1]):  # x[mask] as x[places]
            args = (args[0], self._places_of_masks(args[1], where))
        largest, values = _LARGEST.get(name), self._values_of((args, kwargs))
        if name not in _READS and largest is None:
            out = run(func, args, kwargs)
            self._follow(func, args, out, values)
            return out
        if values is not None:
            return tree_map_only(Tensor, self._fake, _really(func, values))
        self._assume(name, where)
        return self._read(name, args[0]) if largest is None else largest(self, *args, **kwargs)

    def notes(self) -> list[str]:
        """Which operators gave a bound, and where."""
        said = []
        for name, rows in self.assumed.items():
            more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
            said.append(f"{name} {_HINT.get(name, 'at its most')} in {', '.join(list(rows)[:3])}{more}")
        if self._reads:
            truth = "true" if self.truth else "false"
            said.append(f"conditions on values taken as {truth}, whole numbers that nobody knows as {self.longest}")
        return said

    def _assume(self, name: str, where: str) -> None:
        if self.truth is None:
            raise NoBoundError(f"{name} depends on values")
        rows = self.assumed.setdefault(name, {})
        rows[where] = rows.get(where, 0) + 1

    # Values that are known even so

    def _values(self, tensor: Tensor) -> Tensor | None:
        if not isinstance(tensor, FakeTensor):
            return tensor if _has_values(tensor) else None
        return tensor.constant if tensor.constant is not None else self._known.get(tensor)

    def _values_of(self, given: Any) -> Any:
        """The same arguments with values for fakes; None where one has none."""
        if any(self._values(tensor) is None for tensor in tensors_in(given)):
            return None
        return tree_map_only(Tensor, self._values, given)

    def _fake(self, values: Tensor) -> Tensor:
        fake = torch.empty_strided(values.size(), values.stride(), dtype=values.dtype)
        self._known[fake] = values
        return fake

    def _follow(self, func: Any, args: tuple, out: Any, values: Any) -> None:
        """What is known of the results of an operator."""
        if func._schema.is_mutable:
            changed = {tensor.untyped_storage()._cdata for tensor in tensors_in(out)}
            for known in (self._known, self._most):
                for tensor in [one for one in known if one.untyped_storage()._cdata in changed]:
                    del known[tensor]
        elif values is not None and _is_constant(func) and all(_has_values(one) for one in tensors_in(out)):
            self._known.update(zip(tensors_in(out), tensors_in(_really(func, values)), strict=True))
        elif isinstance(out, Tensor) and not out.is_floating_point() and out.dtype is not torch.bool:
            most = [self._limit(tensor) for tensor in tensors_in(args[:1])]
            if most and None not in most and (is_view(func) or name_of(func) in _SELECTS | _COUNTS):
                times = next(tensors_in(args)).numel() // max(1, out.numel()) if name_of(func) in _COUNTS else 1
                self._most[out] = max(one for one in most if one is not None) * times

    def _limit(self, tensor: Tensor) -> int | None:
        values = self._values(tensor)
        if values is not None and values.numel() and not values.is_floating_point():
            with unset_fake_temporarily():
                return int(values.max())
        return 1 if tensor.dtype is torch.bool else self._most.get(tensor)

    # What is not

    def _read(self, name: str, tensor: Tensor) -> bool | int | float | None:
        self._reads += 1
        if self._reads > MOST_READS:
            raise NoBoundError(f"more than {MOST_READS:,} numbers are read from values: a loop that waits for one")
        if name == "equal" or tensor.dtype is torch.bool:
            self.read_conditions = True
            return self.truth
        if tensor.is_floating_point():
            return 1.0
        return self._most.get(tensor, self.longest)

    def _places_of_masks(self, indices: list[Tensor | None], where: str) -> list[Tensor | None]:
        places: list[Tensor | None] = []
        for one in indices:
            if one is None or not _is_mask(one):
                places.append(one)
                continue
            if self._values(one) is None:
                self._assume("index by a mask", where)
            places.extend(self._places(one).unbind(1))
        return places

    def _places(self, tensor: Tensor) -> Tensor:
        """(found, axes): all of them where the values are unknown."""
        values = self._values(tensor)
        if values is None and tensor.numel() > MOST_KNOWN:
            return torch.empty((tensor.numel(), tensor.dim()), dtype=torch.int64)
        with unset_fake_temporarily():
            found = (torch.ones(tensor.shape) if values is None else values).nonzero()
        return self._fake(found)

    def _masked(self, x: Tensor, mask: Tensor) -> Tensor:
        return x.new_empty(prod(torch.broadcast_shapes(x.shape, mask.shape)))

    def _unique(self, x: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False) -> Any:
        limit = self._limit(x)  # of whole numbers from 0, as classes are
        most = x.numel() if limit is None else min(x.numel(), limit + 1)
        inverse = x.new_empty(x.shape if return_inverse else 0, dtype=torch.int64)
        return x.new_empty(most), inverse, x.new_empty(most if return_counts else 0, dtype=torch.int64)

    def _unique_rows(self, x: Tensor, dim: int, *_: Any, **__: Any) -> Any:
        numbers = x.new_empty(x.shape[dim], dtype=torch.int64)
        return torch.empty_like(x), numbers, torch.empty_like(numbers)

    def _unique_runs(
        self, x: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
    ) -> Any:
        if dim is not None:
            return self._unique_rows(x, dim)
        inverse = x.new_empty(x.shape if return_inverse else 0, dtype=torch.int64)
        return x.new_empty(x.numel()), inverse, x.new_empty(x.numel() if return_counts else 0, dtype=torch.int64)

    def _counts(self, x: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
        """None of them is larger than the number of numbers."""
        limit = self._limit(x)
        size = max(minlength, (self.longest if limit is None else limit) + (limit is not None))
        counts = x.new_empty(size, dtype=torch.int64 if weights is None else weights.dtype)
        self._most[counts] = x.numel()
        return counts

    def _repeats(self, repeats: Tensor, output_size: int | None = None) -> Tensor:
        limit = self._limit(repeats)
        total = repeats.numel() * (self.longest if limit is None else limit)
        return torch.empty(total if output_size is None else output_size, dtype=torch.int64)

    def _boxes(self, boxes: Tensor, *_: Any) -> Tensor:
        return torch.empty(boxes.shape[0], dtype=torch.int64)


_READS = {"_local_scalar_dense", "equal"}
_HINT = {"_local_scalar_dense": "(a number read from values) by a hint", "equal": "by a hint"}
_SELECTS = {"_to_copy", "clone", "amax", "index", "index_select", "gather", "stack", "cat"}
_COUNTS = {"sum", "count_nonzero"}
_LARGEST: dict[str, Callable[..., Any]] = {
    "nonzero": Hints._places,
    "masked_select": Hints._masked,
    "_unique2": Hints._unique,
    "unique_dim": Hints._unique_rows,
    "unique_consecutive": Hints._unique_runs,
    "bincount": Hints._counts,
    "repeat_interleave": Hints._repeats,
    "torchvision::nms": Hints._boxes,
}


def _is_mask(index: Tensor | None) -> bool:
    return index is not None and index.dtype in (torch.bool, torch.uint8)


def _really(func: Any, values: tuple[tuple, dict[str, Any]]) -> Any:
    with unset_fake_temporarily():
        return func(*values[0], **values[1])


def _is_constant(func: Any) -> bool:
    """Its results hang on its arguments alone."""
    return torch.Tag.nondeterministic_seeded not in func.tags and "empty" not in name_of(func)


def _has_values(tensor: Tensor) -> bool:
    return not tensor.is_meta and tensor.numel() <= MOST_KNOWN
