"""The operator benchmark: each distinct operator of a network alone, on this machine, by its shapes and strides.

The network is only captured on fakes, so that it may be larger than the memory, and one that repeats a block a hundred
times is measured as fast as the block. In the network an operator finds its weights where all others have passed
through the caches since; so here it takes turns among as many copies of its weights as there are bytes of others.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn

from netwright.errors import InputError
from netwright.inspect.capture import loss_of, training
from netwright.inspect.fakes import faked, mapped, run
from netwright.inspect.higher_order import plain_flex_attention
from netwright.inspect.macs import name_of
from netwright.inspect.measure import evaluating, weights_bytes
from netwright.inspect.operator_mode import OperatorMode
from netwright.inspect.tensors import Inputs, as_call

MOST_COPIES_BYTES = 128_000_000  # more than the caches of most machines
MOST_COPIES = 64
# Backwards that read memory which only their forward's kernel can make, as a multiple of the forward: that of MACs.
OPAQUE = {"mkldnn_rnn_layer_backward": ("mkldnn_rnn_layer", 2.0)}


@dataclass(frozen=True)
class Operand:
    """A tensor, without its numbers. `weight`: a parameter or buffer of the network."""

    shape: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: torch.dtype
    weight: bool

    @property
    def span(self) -> int:
        """Numbers from its first to its last."""
        if 0 in self.shape:
            return 0
        return 1 + sum((size - 1) * stride for size, stride in zip(self.shape, self.stride, strict=True))

    @property
    def bytes(self) -> int:
        return self.span * self.dtype.itemsize

    def make(self, below: int) -> Tensor:
        """One with random numbers; whole ones in [0, below), so that they are valid positions in the others."""
        if self.dtype.is_floating_point or self.dtype.is_complex:
            flat = torch.empty(self.span, dtype=self.dtype).normal_()
        elif self.dtype is torch.bool:
            flat = torch.ones(self.span, dtype=torch.bool)
        else:
            flat = torch.randint(0, max(1, below), (self.span,), dtype=self.dtype)
        return flat.as_strided(self.shape, self.stride)


@dataclass
class Call:
    """An operator with its operands and options."""

    operator: Any
    args: tuple
    kwargs: dict[str, Any]

    def operands(self) -> list[Operand]:
        return list(_operands((self.args, self.kwargs)))


@dataclass
class OperatorTimes:
    """What a network's operators take one by one: `seconds` is the sum over `calls`, `distinct` of which were run;
    `missed`: operators that could not be run alone."""

    seconds: float
    calls: int
    distinct: int
    missed: dict[str, int] = field(default_factory=dict)


class CallLog(OperatorMode):
    """Each call of an operator, by its operands, with how often it came."""

    def __init__(self, weights: set[int]) -> None:
        super().__init__()
        self.weights = weights  # addresses of storages
        self.calls: dict[str, Call] = {}
        self.counts: Counter[str] = Counter()

    def see(self, func: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        call = Call(func, mapped(args, self._operand), mapped(kwargs, self._operand))
        key = repr((func, call.args, call.kwargs))
        self.calls.setdefault(key, call)
        self.counts[key] += 1
        return run(func, args, kwargs)

    def _operand(self, tensor: Tensor) -> Any:
        weight = tensor.untyped_storage()._cdata in self.weights
        return Operand(tuple(tensor.shape), tensor.stride(), tensor.dtype, weight)


def operator_times(
    module: nn.Module,
    inputs: Inputs,
    train: bool = False,
    dtype: torch.dtype | None = None,
    seconds_each: float = 0.03,
    known: dict | None = None,
) -> OperatorTimes:
    """Each distinct operator of a forward (or of a forward and backward) timed alone for `seconds_each`, at the present
    number of threads.

    dtype: as if weights and floating inputs had this type · known: a dict that keeps times from network to network, for
    a search over many. InputError where the module does not run on fakes.
    """
    log = logged(module, inputs, train, dtype)
    network = min(weights_bytes(module), MOST_COPIES_BYTES)
    known = {} if known is None else known
    seconds: defaultdict[str, float] = defaultdict(float)
    missed: Counter[str] = Counter()
    with torch.no_grad(), _flushed():
        for key, call in log.calls.items():
            name, copies = name_of(call.operator), _copies(call, network)
            if name in OPAQUE:
                continue
            if (key, copies) not in known:
                known[key, copies] = _timed(call, copies, seconds_each)
            if known[key, copies] is None:
                missed[name] += log.counts[key]
            else:
                seconds[name] += known[key, copies] * log.counts[key]
    for forward, times in OPAQUE.values():
        seconds[forward] *= 1 + times if train else 1
    return OperatorTimes(sum(seconds.values()), log.counts.total(), len(log.calls), dict(missed))


def logged(module: nn.Module, inputs: Inputs, train: bool, dtype: torch.dtype | None = None) -> CallLog:
    """The calls of one forward, and backward, on fakes."""
    args, kwargs = as_call(inputs)
    try:
        with faked(module, dtype) as (mode, fake), mode:
            held = [*module.parameters(), *module.buffers()]
            log = CallLog({tensor.untyped_storage()._cdata for tensor in held})
            given = fake(args), fake(kwargs)
            passing = training(module) if train else evaluating(module)
            with passing, plain_flex_attention(), torch.random.fork_rng(devices=[]), log:
                out = module(*given[0], **given[1])
                if train:
                    loss_of(out).backward()
            for parameter in module.parameters():
                parameter.grad = None
        return log
    except Exception as error:
        raise InputError(
            f"its operators can't be read on fakes: {type(error).__name__}: {error}",
            where=type(module).__name__,
            fix="measure the whole network instead",
        ) from error


def _copies(call: Call, network: int) -> int:
    """As many as make the weights that one call of each operator reads."""
    weights = sum(operand.bytes for operand in call.operands() if operand.weight)
    return max(1, min(MOST_COPIES, round(network / weights))) if weights else 1


def _timed(call: Call, copies: int, seconds: float) -> float | None:
    """Median seconds of a call; None where it does not run alone."""
    try:
        sets = list(_made(call, copies))
        for args, kwargs in sets[:3]:
            call.operator(*args, **kwargs)
        times: list[float] = []
        start = perf_counter()
        while len(times) < max(5, copies) or (perf_counter() - start < seconds and len(times) < 400):
            args, kwargs = sets[len(times) % copies]
            begin = perf_counter()
            call.operator(*args, **kwargs)
            times.append(perf_counter() - begin)
    except Exception:
        return None
    return median(times)


def _made(call: Call, copies: int) -> Iterator[tuple[tuple, dict[str, Any]]]:
    """The call's arguments, with weights of its own in each copy and the other operands shared."""
    numbers = [operand for operand in call.operands() if operand.dtype.is_floating_point and operand.shape]
    below = min((min(operand.shape) for operand in numbers), default=2)
    shared: dict[int, Tensor] = {}

    def tensor(operand: Operand) -> Tensor:
        if name_of(call.operator) == "_grouped_mm" and not operand.dtype.is_floating_point:
            return _even_ends(operand, call.args[0])
        if operand.weight:
            return operand.make(below)
        return shared.setdefault(id(operand), operand.make(below))

    for _ in range(copies):
        yield _filled(call.args, tensor), _filled(call.kwargs, tensor)


def _even_ends(operand: Operand, left: Operand) -> Tensor:
    """Where the groups of a grouped product end: all as long."""
    groups, rows = operand.shape[0], left.shape[0] if len(left.shape) == 2 else 0
    return torch.arange(1, groups + 1, dtype=operand.dtype) * rows // groups


def _filled(value: Any, make: Callable[[Operand], Tensor]) -> Any:
    if isinstance(value, Operand):
        return make(value)
    if isinstance(value, tuple | list):
        return type(value)(_filled(inner, make) for inner in value)
    if isinstance(value, dict):
        return {key: _filled(inner, make) for key, inner in value.items()}
    return value


def _operands(value: Any) -> Iterator[Operand]:
    if isinstance(value, Operand):
        yield value
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from _operands(inner)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _operands(inner)


@contextmanager
def _flushed() -> Iterator[None]:
    """Operators that write in place are called again and again: numbers that shrink below the normal ones, and would be
    slow, become zeros."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
