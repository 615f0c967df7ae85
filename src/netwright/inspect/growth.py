"""How a network's cost grows with its input (batch, length, resolution) and with itself (depth, width)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from math import log, sqrt
from typing import Any

import torch
from torch import Tensor, nn

from netwright.errors import InputError
from netwright.inspect.attention import attention_macs
from netwright.inspect.capture import inspect
from netwright.inspect.fakes import mapped
from netwright.inspect.latency import add_latency
from netwright.inspect.resize import Resize, Resized, resizing
from netwright.inspect.tensors import Inputs, as_call, tensors_in

OF_INPUTS = ("batch", "length", "resolution")
UNITS = {"batch": "samples", "length": "tokens", "resolution": "pixels", "depth": "blocks", "width": "channels"}
AXES = tuple(UNITS)
ALIKE = {
    "batch": "attention and the rest grow alike with the batch",
    "depth": "attention and the rest grow alike with the depth",
    "width": "attention grows no faster than the rest with the width",
}
NEGLIGIBLE = 1e-6  # of attention's MACs: a quadratic part this small is rounding


@dataclass(frozen=True, slots=True)
class Grown:
    """The cost at one size (its unit: UNITS). None where the forward refused it, or what was not asked for."""

    size: float
    params: int | None = None
    macs: int | None = None  # of the forward
    attention_macs: int | None = None  # those of products between two activations; None where not told apart
    backward_macs: int | None = None  # of a step of training, else 0
    activation_bytes: int | None = None  # made by the forward
    saved_bytes: int | None = None  # kept of them for the backward; 0 without training
    peak_memory: int | None = None  # bytes
    latency_ms: float | None = None  # where a device was named
    error: str = ""

    @property
    def good(self) -> bool:
        return not self.error


@dataclass(frozen=True, slots=True)
class Growth:
    """figure ∝ size ^ exponent, by least squares over the good rows; figures that are 0 somewhere have no exponent."""

    axis: str
    train: bool
    rows: list[Grown]
    exponents: dict[str, float]
    crossing: float | None  # size from which attention takes more MACs than all else; None: at none
    how: str  # where the crossing comes from, or why there is none

    @property
    def unit(self) -> str:
        return UNITS[self.axis]

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "unit": self.unit}


def growth(
    module: nn.Module,
    inputs: Inputs,
    axis: str,
    factors: Sequence[float] = (1, 2, 4),
    train: bool = False,
    *,
    optimizer: str = "adamw",
    dtype: torch.dtype | None = None,
    resize: Resize | None = None,
    device: str | None = None,
    threads: int | None = None,
) -> Growth:
    """The cost of the module, larger and larger, captured on fakes; the module and its inputs may be on meta.

    axis: "batch": dimension 0 of all inputs · "length": dimension 1 of the first, (B, L) or (B, L, D), and what is as
    long in the others (masks, positions) · "resolution": all behind (B, C) · "depth", "width": of the network, by its
    transformers configuration, in depth else by repeating equal blocks of nn.Sequential or nn.ModuleList; `resize`
    makes it another way · factors: of the size given · train, optimizer, dtype: as for `inspect` · device, threads: as
    for `add_latency`, for the latency too.

    A size that the forward refuses (fixed position embeddings) is a row with the error. InputError where fewer than two
    are left, or the inputs have no such axis, or the network can't be made deeper or wider.
    """
    if axis not in AXES:
        raise InputError(f"there is no axis {axis!r}", where="axis", fix=f"one of {', '.join(AXES)}")

    def at(size: float, module: nn.Module, inputs: Inputs, called: Sequence[str] = ()) -> Grown:
        try:
            blueprint = inspect(module, inputs, train=train, optimizer=optimizer, dtype=dtype)
        except InputError as error:
            return Grown(size, error=error.what)
        if device is not None:
            add_latency(blueprint, module, device, optimizer=optimizer, dtype=dtype, threads=threads)
        calls = {row.path for row in blueprint.rows}
        if skipped := [path for path in called if path not in calls]:
            return Grown(size, error=f"its forward does not call the added {skipped[0]}")
        figures: dict[str, Any] = {name: getattr(blueprint, name, None) for name in FIGURES if name != "attention_macs"}
        return Grown(size, attention_macs=attention_macs(module, inputs), **figures)

    if axis in OF_INPUTS:
        first = next(iter(tensors_in(as_call(inputs))), None)
        if first is None or first.dim() < AXES.index(axis) + 1:
            shape = "missing" if first is None else f"of shape {tuple(first.shape)}"
            raise InputError(f"the first input is {shape} and has no {axis}", where="inputs", fix="choose another axis")
        larger = [_grown(inputs, first, axis, factor) for factor in factors]
        rows = [at(_first(one).shape[AXES.index(axis)], module, one) for one in larger]
    else:
        made = _made(resize or resizing(module, inputs, axis), factors)
        rows = [one if isinstance(one, Grown) else at(one.size, one.module, inputs, one.called) for one in made]
    rows = list({row.size: row for row in rows}.values())
    good = [row for row in rows if row.good]
    if len(good) < 2:
        why = next((f": {row.error}" for row in rows if row.error), "")
        raise InputError(
            f"growth needs two sizes that the forward takes, and it took {len(good)} of {len(rows)}{why}",
            where=type(module).__name__,
            fix="give other factors, or a network without fixed sizes (position embeddings that adapt)",
        )
    crossing, how = _crossing(good, axis)
    return Growth(axis, train, rows, _exponents(good), crossing, how)


def _first(inputs: Inputs) -> Tensor:
    return next(iter(tensors_in(as_call(inputs))))


def _made(resize: Resize, factors: Sequence[float]) -> list[Resized | Grown]:
    """The network at each size, or why its constructor refused."""
    tries: list[Resized | str] = []
    for factor in factors:
        try:
            tries.append(resize(factor))
        except InputError as error:
            tries.append(error.what)
        except Exception as error:  # a configuration's own checks raise anything
            tries.append(f"it can't be made: {type(error).__name__}: {error}")
    sizes = [one.size / factor for one, factor in zip(tries, factors, strict=True) if isinstance(one, Resized)]
    scale = sizes[0] if sizes else 1
    pairs = zip(tries, factors, strict=True)
    return [Grown(round(scale * factor, 6), error=one) if isinstance(one, str) else one for one, factor in pairs]


def _grown(inputs: Inputs, first: Tensor, axis: str, factor: float) -> Inputs:
    """The inputs at another size, as shapes and types only."""
    length = first.shape[min(1, first.dim() - 1)]

    def larger(tensor: Tensor) -> Tensor:
        dims: list[int]
        if axis == "batch":
            dims = [dim for dim in range(min(1, tensor.dim())) if tensor.shape[0] == first.shape[0]]
        elif axis == "resolution":
            dims = list(range(2, tensor.dim()))
        elif tensor is first or (tensor.is_floating_point() and tensor.dim() == 3):  # (B, L, D): D may equal L
            dims = [1] if tensor.shape[1] == length else []
        else:
            batched = first.shape[0] == length  # then a first dimension as long is the batch
            dims = [dim for dim in range(int(batched), tensor.dim()) if tensor.shape[dim] == length]
        shape = [round(size * factor) if dim in dims else size for dim, size in enumerate(tensor.shape)]
        return torch.empty(shape, dtype=tensor.dtype, device="meta")

    return mapped(inputs, larger)


FIGURES = [field.name for field in fields(Grown) if field.name not in ("size", "error")]


def _exponents(rows: list[Grown]) -> dict[str, float]:
    found = {}
    for name in FIGURES:
        values = [getattr(row, name) for row in rows]
        if all(values):
            found[name] = _slope([log(row.size) for row in rows], [log(value) for value in values])
    return found


def _slope(x: list[float], y: list[float]) -> float:
    """Of the line of least squares."""
    x_mean, y_mean = sum(x) / len(x), sum(y) / len(y)
    across = sum((one - x_mean) * (other - y_mean) for one, other in zip(x, y, strict=True))
    return across / sum((one - x_mean) ** 2 for one in x)


def _crossing(rows: list[Grown], axis: str) -> tuple[float | None, str]:
    """In n, the tokens (pixels: the side squared): attention is o + p n + q n², the rest r + s n: where equal?"""
    if axis in ALIKE:
        return None, ALIKE[axis]
    told = [row for row in rows if row.attention_macs is not None]
    if len(told) < 2:
        return None, "attention was not told apart: no forward on fakes"
    if not all(row.attention_macs for row in told):
        return None, "no attention: no product between two activations"
    unit = max(row.size for row in told)  # sizes near 1 keep the fit exact
    power = 2 if axis == "resolution" else 1
    n = torch.tensor([row.size / unit for row in told], dtype=torch.double, device="cpu") ** power
    attention = torch.tensor([row.attention_macs for row in told], dtype=torch.double, device="cpu")
    rest = torch.tensor([row.macs for row in told], dtype=torch.double, device="cpu") - attention
    one = torch.ones_like(n)
    # A class token beside the others gives attention a constant; two sizes leave none to be found.
    o, p, q = _fit([one, n, n**2], attention) if len(told) > 2 else (0.0, *_fit([n, n**2], attention))
    r, s = _fit([one, n], rest)
    if q < NEGLIGIBLE * float(attention.max()):
        return None, "attention grows no faster than the rest: its windows or states are of fixed size"
    half = (s - p) / (2 * q)
    inside = half**2 + (r - o) / q
    root = half + sqrt(inside) if inside >= 0 else 0.0  # below 0: attention takes more at every size
    how = f"attention's MACs fitted by a quadratic in n, the rest's by a line, over {len(told)} sizes"
    return unit * max(0.0, root) ** (1 / power), how


def _fit(basis: list[Tensor], values: Tensor) -> list[float]:
    """Coefficients of least squares."""
    scale = float(values.abs().max()) or 1.0
    return (torch.linalg.lstsq(torch.stack(basis, 1), values[:, None] / scale).solution[:, 0] * scale).tolist()
