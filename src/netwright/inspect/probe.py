"""A module at other sizes of the same inputs, on fakes: every size that shows there, by its place."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from netwright.inspect.blueprint import Blueprint, Row
from netwright.inspect.capture import inference
from netwright.inspect.fakes import faked, mapped
from netwright.inspect.recorder import Recorder
from netwright.inspect.tensors import Inputs, as_call, tensors_in

Key = tuple[Any, ...]  # a place where a size shows: a row's id, side, number of tensor, dimension; or an edge's
Sizes = dict[str, int]  # by symbol


class Probe:
    """The module at other sizes of the same inputs; each is captured once."""

    def __init__(self, module: nn.Module, inputs: Inputs):
        self.module, self.inputs = module, inputs
        self.symbols: dict[str, int] = {}  # → dimension of the first input
        self.vague: set[str] = set()  # might be no symbol but a width
        self.sizes: Sizes = {}  # as given
        first = next(iter(tensors_in(as_call(inputs))), None)
        if first is not None and first.dim():
            self._name(first)
            self.sizes = {symbol: first.shape[d] for symbol, d in self.symbols.items()}
        self.macs: dict[tuple[int, ...], int] = {}
        self._seen: dict[tuple[int, ...], dict[Key, int] | str] = {}

    def _name(self, first: Tensor) -> None:
        names = {4: {"H": 2, "W": 3}, 5: {"T": 2, "H": 3, "W": 4}}.get(first.dim(), {})
        self.symbols = {"B": 0, **names}
        if first.dim() in (2, 3):
            longer = (d for d in range(1, first.dim()) if self._goes(d, first.shape[d] + 1))
            self.symbols["N"] = next(longer, 1)  # the last of (B, C, N), where (B, N, D) does not go
            if first.dim() == 2 and first.is_floating_point():
                self.vague.add("N")

    def _goes(self, dim: int, size: int) -> bool:
        return not isinstance(captured(self.module, resized(self.inputs, {"N": dim}, {"N": size})), str)

    def at(self, sizes: Sizes) -> dict[Key, int] | str:
        """Every size that shows, by its place; or why the forward refused."""
        key = self.key(sizes)
        if key not in self._seen:
            found = captured(self.module, resized(self.inputs, self.symbols, sizes))
            if isinstance(found, str):
                self._seen[key] = found
            else:
                self.macs[key] = found.macs
                self._seen[key] = dict(shown(found))
        return self._seen[key]

    def key(self, sizes: Sizes) -> tuple[int, ...]:
        return tuple({**self.sizes, **sizes}.values())


def resized(inputs: Inputs, symbols: Mapping[str, int], sizes: Sizes) -> Inputs:
    """The inputs as shapes and types, some sizes of the first changed, and what goes with them in the others."""
    first = next(iter(tensors_in(as_call(inputs))))

    def moved(tensor: Tensor) -> Tensor:
        shape = list(tensor.shape)
        for symbol, size in sizes.items():
            for d in alike(tensor, first, symbol, symbols[symbol]):
                shape[d] = size
        return torch.empty(shape, dtype=tensor.dtype, device="meta")

    return mapped(inputs, moved)


def alike(tensor: Tensor, first: Tensor, symbol: str, dim: int) -> list[int]:
    """Dimensions of a tensor that are the first's `dim`: by place for batches and maps, by size for lengths (masks and
    positions are as long)."""
    if tensor is first:
        return [dim]
    size = first.shape[dim]
    if symbol != "N":
        place = dim if symbol == "B" else dim - first.dim() + tensor.dim()
        same = symbol == "B" or tensor.dim() > 2
        return [place] if same and 0 <= place < tensor.dim() and tensor.shape[place] == size else []
    if tensor.is_floating_point() and tensor.dim() == 3:
        return [dim] if tensor.shape[dim] == size else []
    batched = first.shape[0] == size  # then a first dimension as long is the batch
    return [d for d in range(int(batched), tensor.dim()) if tensor.shape[d] == size]


def captured(module: nn.Module, inputs: Inputs) -> Blueprint | str:
    """Of a forward on fakes and nothing else; or why there is none."""
    args, kwargs = as_call(inputs)
    recorder = Recorder(module)
    try:
        with faked(module) as (mode, fake), mode:
            args, kwargs = fake(args), fake(kwargs)
            with inference(module), recorder.hooked(), recorder:
                recorder.feed((args, kwargs))
                out = module(*args, **kwargs)
                recorder.finish(out)
            return recorder.blueprint((args, kwargs), out, None)
    except Exception as error:
        return " ".join(f"{type(error).__name__}: {error}".split())[:160]


def places(row: Row) -> dict[Key, int]:
    """Each size of a row's inputs and outputs."""
    return {
        (row.id, side, n, d): size
        for side in ("inputs", "outputs")
        for n, shape in enumerate(getattr(row, side))
        for d, size in enumerate(shape)
    }


def shown(blueprint: Blueprint) -> Iterable[tuple[Key, int]]:
    for row in blueprint.rows:
        yield from places(row).items()
    for key, shape in edges_of(blueprint):
        yield from (((*key, d), size) for d, size in enumerate(shape))


def edges_of(blueprint: Blueprint) -> list[tuple[Key, tuple[int, ...]]]:
    """Edges by their ends, their rank and how many there were before between the same."""
    times: dict[Key, int] = {}
    found = []
    for edge in blueprint.edges:
        ends = (edge.source, edge.target, len(edge.shape))
        times[ends] = times.get(ends, 0) + 1
        found.append(((*ends, times[ends]), edge.shape))
    return found
