"""How a network's cost grows with its input: with the batch, the length of a sequence, or the resolution of a map."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import log, sqrt
from typing import Any

import torch
from torch import Tensor, nn

from netwright.errors import InputError
from netwright.inspect.capture import MacCounter, inference, inspect
from netwright.inspect.fakes import faked, mapped, run
from netwright.inspect.macs import macs_of, name_of
from netwright.inspect.recorder import is_composite
from netwright.inspect.tensors import Inputs, as_call, tensors_in

AXES = ("batch", "length", "resolution")
NEGLIGIBLE = 1e-6  # of attention's MACs: a quadratic part this small is rounding


@dataclass(frozen=True, slots=True)
class Grown:
    """The cost at one size: samples, tokens, or the side of the input in pixels. None where the forward refused it."""

    size: int
    params: int | None = None
    macs: int | None = None  # of the forward
    attention_macs: int | None = None  # those of products between two activations; None where not told apart
    backward_macs: int | None = None  # of a step of training, else 0
    activation_bytes: int | None = None  # made by the forward
    saved_bytes: int | None = None  # kept of them for the backward; 0 without training
    peak_memory: int | None = None  # bytes
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


def growth(
    module: nn.Module, inputs: Inputs, axis: str, factors: Sequence[float] = (1, 2, 4), train: bool = False
) -> Growth:
    """The cost of the module with its inputs made larger, captured on fakes; the inputs may be on meta.

    axis: "batch": dimension 0 of all inputs · "length": dimension 1 of the first, (B, L) or (B, L, D), and what is as
    long in the others (masks, positions) · "resolution": all behind (B, C) · factors: of the size given.

    A size that the forward refuses (fixed position embeddings) is a row with the error. InputError where fewer than two
    are left, or the inputs have no such axis.
    """
    if axis not in AXES:
        raise InputError(f"there is no axis {axis!r}", where="axis", fix=f"one of {', '.join(AXES)}")
    first = next(iter(tensors_in(as_call(inputs))), None)
    least = AXES.index(axis) + 1
    if first is None or first.dim() < least:
        shape = "missing" if first is None else f"of shape {tuple(first.shape)}"
        raise InputError(f"the first input is {shape} and has no {axis}", where="inputs", fix="choose another axis")
    rows = [_at(module, _grown(inputs, first, axis, factor), axis, train) for factor in factors]
    good = {row.size: row for row in rows if row.good}
    if len(good) < 2:
        why = next((f": {row.error}" for row in rows if row.error), "")
        raise InputError(
            f"growth needs two sizes that the forward takes, and it took {len(good)} of {len(rows)}{why}",
            where=type(module).__name__,
            fix="give other factors, or a network without fixed sizes (position embeddings that adapt)",
        )
    crossing, how = _crossing(list(good.values()), axis)
    return Growth(axis, train, rows, _exponents(list(good.values())), crossing, how)


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


def _at(module: nn.Module, inputs: Inputs, axis: str, train: bool) -> Grown:
    size = next(iter(tensors_in(as_call(inputs)))).shape[AXES.index(axis)]
    try:
        blueprint = inspect(module, inputs, train=train)
    except InputError as error:
        return Grown(size, error=error.what)
    figures = {name: getattr(blueprint, name) for name in FIGURES if name != "attention_macs"}
    return Grown(size, attention_macs=attention_macs(module, inputs), **figures)


FIGURES = [field.name for field in fields(Grown) if field.name not in ("size", "error")]


def attention_macs(module: nn.Module, inputs: Inputs) -> int | None:
    """MACs of fused attention and of matrix products between two activations, wherever in a module they are called.

    None where the module does not run on fakes.
    """
    args, kwargs = as_call(inputs)
    try:
        with faked(module) as (mode, fake), mode, inference(module), _Mixing(module) as counter:
            module(*fake(args), **fake(kwargs))
    except Exception:  # `inspect` has said what: here it only leaves the crossing open
        return None
    return counter.macs


class _Mixing(MacCounter):
    """Counts what reads one place by another: neither operand is, or is a view of, a weight."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.weights = {id(tensor.untyped_storage()) for tensor in module.parameters()}

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if func.namespace == "aten" and is_composite(func):
            return super().__torch_dispatch__(func, types, args, kwargs)
        out = run(func, args, kwargs)
        name = name_of(func)
        if name in ("bmm", "baddbmm") or "scaled_dot_product" in name:
            operands = args[1:3] if name == "baddbmm" else args[:2]
            if not any(id(operand.untyped_storage()) in self.weights for operand in operands):
                self.macs += macs_of(func, args, kwargs, out)
        return out


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
    if axis == "batch":
        return None, "attention and the rest grow alike with the batch"
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
