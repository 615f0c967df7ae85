"""What an operator does to receptive fields: which units of its operands a unit of its result reaches."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor, gcd
from typing import Any

import torch
from torch import Tensor

from netwright.inspect.lattice import Lattice
from netwright.inspect.macs import is_free, name_of
from netwright.inspect.tensors import tensors_in

# A tensor along one axis of the input: the lattice, and which of its units each number belongs to. The second is an
# integer tensor of the same shape, mostly expanded: reshaping, slicing and shuffling it says where the numbers went.
Seen = tuple[Lattice, Tensor]
_Sees = Callable[[Any], Seen | None]
_Step = tuple[Callable[[int], tuple[int, int]], int, int] | None  # what `through` takes; None: all units at once
_SAME: _Step = (lambda j: (j, j)), 1, 1

_PRODUCTS = ["mm", "bmm", "addmm", "baddbmm", "linear"]
_POOLS = ["max_pool2d_with_indices", "max_pool3d_with_indices", "avg_pool2d", "avg_pool3d"]
_PADS = [f"{kind}_pad{n}d" for kind in ("reflection", "replication") for n in (1, 2, 3)] + ["constant_pad_nd"]
_REDUCTIONS = "mean sum amax amin max min std var var_mean std_mean prod norm linalg_vector_norm logsumexp"
_SCANS = "_softmax _log_softmax _safe_softmax cumsum cumprod cummax cummin logcumsumexp"
_SCATTERS = "sort argsort topk gather scatter scatter_add scatter_reduce index_put index_add index_copy masked_scatter"
_MOVES = """view _unsafe_view reshape _reshape_alias permute transpose t squeeze unsqueeze expand alias detach slice
    select split split_with_sizes unbind chunk diagonal unfold roll flip repeat clone pixel_shuffle
    pixel_unshuffle channel_shuffle native_channel_shuffle"""
_REDUCING, _SCANNING, _SCATTERING, _MOVING = (
    frozenset(names.split()) for names in (_REDUCTIONS, _SCANS, _SCATTERS, _MOVES)
)


def follow(func: Any, args: tuple, kwargs: dict, sees: _Sees, out: Any, made: Tensor, axis: int) -> Seen:
    """What `made`, one of an operator's results, sees along one axis: where a map has it, dimension `axis` < 0."""
    name, shape = name_of(func), made.shape
    named = {argument.name: value for argument, value in zip(func._schema.arguments, args, strict=False)} | kwargs
    seen = sees(args[0]) if isinstance(args[0], Tensor) else None
    if name in _PRODUCTS:
        left, right = args[1:3] if name in ("addmm", "baddbmm") else args[:2]
        return _product(sees(left), sees(right), shape)
    if "scaled_dot_product" in name:
        scores = _product(sees(args[0]), _turned(sees(args[1])), (*args[0].shape[:-1], args[1].shape[-2]))
        return _product(scores, sees(args[2]), shape) if len(shape) == args[0].dim() else _everything(scores, shape)
    if seen is not None:
        if steps := _steps(name, named, made):
            if name == "convolution":
                seen = _mixed(seen, [1])
            found = _windowed(seen, shape, steps, axis)
            return found if sees(named.get("weight")) is None else _everything(found, shape)
        if name in _PADS:
            return _padded(seen, shape, named["pad"] if "pad" in named else named["padding"])
        if name in _REDUCING:
            dims = named.get("dim")
            lattice, place = _mixed(seen, [dims] if isinstance(dims, int) else dims or list(range(seen[1].dim())))
            return (lattice, place.reshape(shape)) if place.numel() == made.numel() else _everything(seen, shape)
        if name in _SCANNING:
            return _mixed(seen, [named["dim"]])[0], seen[1]
        if name in _MOVING:
            if name in ("view", "_unsafe_view", "_reshape_alias", "reshape"):
                return seen[0], seen[1].reshape(shape)
            moved = func(seen[1], *args[1:], **kwargs)
            place = next(new for old, new in zip(tensors_in(out), tensors_in(moved), strict=True) if old is made)
            return settled(seen[0], place, repeats=True) if name == "pixel_shuffle" else (seen[0], place)
    operands = list(tensors_in((args, kwargs)))
    known = [(operand, one) for operand in operands if (one := sees(operand)) is not None]
    if name == "embedding":
        return known[0][1][0], known[0][1][1].unsqueeze(-1).expand(shape)
    lattice, place, moving = _joined([one for _, one in known])
    if name in ("cat", "stack"):
        dim = named.get("dim", 0)
        if moving and (name == "stack" or dim % len(shape) not in _varying(place)):
            place = place.unsqueeze(dim) if name == "stack" else place.narrow(dim, 0, 1)
            return lattice, place.expand(shape)
        blank = [torch.zeros(operand.shape, dtype=torch.int32, device="cpu") for operand in operands]
        parts = [blank[k] if (one := sees(operand)) is None else one[1] for k, operand in enumerate(operands)]
        return lattice, func(parts, dim)
    if is_free(func) and name not in _SCATTERING and _fits(place.shape, shape):
        return lattice, place.expand(shape)
    return _everything((lattice, place), shape)


def _steps(name: str, named: dict[str, Any], made: Tensor) -> list[_Step]:
    """Of a convolution, a pooling or a resizing: how it goes along each of the last dimensions."""
    x: Tensor = named["input"] if "input" in named else named.get("self", made)
    if name == "convolution":
        count = named["weight"].dim() - 2
        lists = [_spread(named[key], count) for key in ("stride", "padding", "dilation")]
        turn = _transposed if named["transposed"] else _sliding
        return [turn(*step) for step in zip(named["weight"].shape[2:], *lists, strict=True)]
    if name in _POOLS:
        count = 3 if "3d" in name else 2
        kernel = _spread(named["kernel_size"], count)
        stride = _spread(named.get("stride") or kernel, count)
        rest = [_spread(named.get(key, otherwise), count) for key, otherwise in (("padding", 0), ("dilation", 1))]
        return [_sliding(*step) for step in zip(kernel, stride, *rest, strict=True)]
    if "adaptive" in name and "pool" in name:
        count = len(named["output_size"])
        return [_adaptive(*sizes) for sizes in zip(x.shape[-count:], made.shape[-count:], strict=True)]
    if "upsample" in name:
        return [_resizing(name, named, *sizes) for sizes in zip(x.shape[2:], made.shape[2:], strict=True)]
    return []


def _sliding(kernel: int, stride: int, padding: int, dilation: int) -> _Step:
    if (kernel, stride, padding) == (1, 1, 0):
        return _SAME
    return lambda j: (stride * j - padding, stride * j - padding + dilation * (kernel - 1)), 1, stride


def _transposed(kernel: int, stride: int, padding: int, dilation: int) -> _Step:
    """Unit i is spread over stride · i − padding + dilation · t, t < kernel; a unit that none reaches is its bias."""

    def reach(j: int) -> tuple[int, int]:
        places = [j + padding - dilation * t for t in range(kernel)]
        units = [place // stride for place in places if place % stride == 0] or [places[0] // stride]
        return min(units), max(units)

    return reach, stride, 1


def _adaptive(before: int, after: int) -> _Step:
    if before == after:
        return _SAME
    return None if after == 1 else (lambda j: (j * before // after, -(-(j + 1) * before // after) - 1), after, before)


def _resizing(name: str, named: dict[str, Any], before: int, after: int) -> _Step:
    """The pixels with weight: the nearest one, or those closer than 1 (linear) or 2 (cubic) to the unit's centre."""
    if before == after and "aa" not in name:
        return _SAME
    if "nearest" in name:
        half = Fraction(1, 2) if "exact" in name else 0
        return lambda j: (floor((j + half) * before / Fraction(after)),) * 2, *_lowest(after, before)
    reach = (2 if "cubic" in name else 1) * Fraction(max(before, after) if "aa" in name else after, after)
    ends = named["align_corners"] and min(before, after) > 1
    over, of = (after - 1, before - 1) if ends else (after, before)

    def near(j: int) -> tuple[int, int]:
        middle = Fraction(j * of, over) if ends else Fraction((2 * j + 1) * before, 2 * after) - Fraction(1, 2)
        return floor(middle - reach) + 1, ceil(middle + reach) - 1

    return near, *_lowest(over, of)


def _lowest(over: int, of: int) -> tuple[int, int]:
    """The period of a resizing: twice as large is 2 for 1 whatever the size, so that lattices stay short."""
    common = gcd(over, of)
    return over // common, of // common


def _windowed(seen: Seen, shape: Sequence[int], steps: list[_Step], axis: int) -> Seen:
    """Through one step a dimension, over the last dimensions."""
    lattice, place = seen
    dims, inside = _varying(place), len(shape) - len(steps)
    if not dims and -axis <= len(steps):  # a map of one unit: by habit
        dims = [len(shape) + axis]
    over = [dim for dim in dims if dim >= inside]
    if len(dims) == 1 and over:
        step = steps[over[0] - inside]
        if step is None:
            return _everything(seen, shape)
        return settled(lattice, place, repeats=True)[0].through(*step), along(shape, over[0])
    if any(steps[dim - inside] is not _SAME for dim in over):  # over places in a row that are neighbours in no row
        return _everything(seen, shape)
    for dim in range(inside, len(shape)):
        place = place if dim in over else place.narrow(dim, 0, 1)
    return lattice, place.expand(shape)


def _padded(seen: Seen, shape: Sequence[int], padding: Sequence[int]) -> Seen:
    """Padding goes on as the map would."""
    lattice, place = settled(*seen)
    before = dict(zip(range(len(shape) - 1, -1, -1), padding[::2], strict=False))
    dims = _varying(place)
    if len(dims) > 1:
        return lattice, torch.constant_pad_nd(place, list(padding))
    return lattice, along(shape, dims[0]) - before.get(dims[0], 0) if dims else place.flatten()[0].expand(shape)


def _product(left: Seen | None, right: Seen | None, shape: Sequence[int]) -> Seen:
    """(…, M, K) × (…, K, N): over K all are read, and where both see the input, each place of one all of the other."""
    if left is None:
        assert right is not None
        lattice, place = _mixed(right, [-2])
        return lattice, place.expand(shape)
    lattice, place = _mixed(left, [-1])
    if right is not None:
        lattice = lattice.joined(_mixed(right, [-2, -1])[0])
    return lattice, place.expand(shape)


def _mixed(seen: Seen, dims: Sequence[int]) -> Seen:
    """All units along these dimensions read by each: all there are, or windows of them. The dimensions keep size 1."""
    lattice, place = seen
    small, dims = compact(place), tuple(dim % place.dim() for dim in dims)
    low, high = small.amin(dims, keepdim=True), small.amax(dims, keepdim=True)
    spans = high - low + 1  # those of windows that a shift tore apart are longer
    span, units = int(spans.min()), units_of(place)
    if span > 1:
        start = int(low.flatten()[spans.flatten().argmin()]) % span
        if 2 * span > units:
            lattice = replace(lattice, whole=True)
        else:
            lattice = lattice.through(lambda j: ((at := (j - start) // span * span + start), at + span - 1), span, span)
    return lattice, low.expand([1 if dim in dims else size for dim, size in enumerate(place.shape)])


def _joined(seen: list[Seen]) -> tuple[Lattice, Tensor, bool]:
    """The hull where branches meet, and the places of the first with any; gates without only say if they see all."""
    branches = [settled(*one) for one in seen]
    moving = [one for one in branches if _varying(one[1])]
    among = moving or branches
    lattice, place = among[0]
    for other, _ in among[1:]:
        lattice = lattice.joined(other)
    return replace(lattice, whole=any(one.whole for one, _ in branches)), place, bool(moving)


def settled(lattice: Lattice, place: Tensor, repeats: bool = False) -> Seen:
    """The same with unit 0, 1, 2 … in a row where every so-manyth unit is there.

    repeats: or each several times, as after a resizing by hand; so are the rows of a map laid out as tokens.
    """
    dims = _varying(place)
    if len(dims) > 1:
        return lattice, place
    line = place[tuple(slice(None) if dim in dims else 0 for dim in range(place.dim()))].reshape(-1).tolist()
    start, steps = line[0], {after - before for before, after in pairwise(line)}
    fresh = along(place.shape, dims[0]) if dims else torch.zeros_like(place)
    if steps <= {1} and start == 0:
        return lattice, place
    if len(steps) < 2 and min(steps, default=1) > 0:
        step = min(steps, default=1)
        return lattice.through(lambda j: (start + step * j,) * 2, 1, step), fresh
    times = line.count(start)
    if repeats and line == [start + j // times for j in range(len(line))]:
        return lattice.through(lambda j: (start + j // times,) * 2, times, 1), fresh
    return lattice, place


def _everything(seen: Seen, shape: Sequence[int]) -> Seen:
    return replace(seen[0], whole=True), torch.zeros((), dtype=torch.int32, device="cpu").expand(shape)


def _turned(seen: Seen | None) -> Seen | None:
    return None if seen is None else (seen[0], seen[1].transpose(-2, -1))


def along(shape: Sequence[int], dim: int) -> Tensor:
    """0, 1, 2 … along one dimension."""
    line = torch.arange(shape[dim], dtype=torch.int32, device="cpu")
    return line.view([-1 if other == dim else 1 for other in range(len(shape))]).expand(shape)


def _varying(place: Tensor) -> list[int]:
    """The dimensions along which the place changes."""
    place = compact(place)
    return [
        dim
        for dim, size in enumerate(place.shape)
        if size > 1 and bool((place.narrow(dim, 1, size - 1) != place.narrow(dim, 0, size - 1)).any())
    ]


def compact(place: Tensor) -> Tensor:
    """Without the copies along expanded dimensions, which keep size 1."""
    return place[tuple(slice(None) if step else slice(0, 1) for step in place.stride())]


def units_of(place: Tensor) -> int:
    place = compact(place)
    return int(place.max() - place.min()) + 1


def _fits(shape: Sequence[int], target: Sequence[int]) -> bool:
    pairs = zip(reversed(shape), reversed(target), strict=False)
    return len(shape) <= len(target) and all(size in (1, wanted) for size, wanted in pairs)


def _spread(value: Any, count: int) -> list[int]:
    values = [value] if isinstance(value, int) else list(value)
    return values * count if len(values) == 1 else values
