"""Peak memory of a forward or of a training step, from what was seen alive at once."""

from collections.abc import Callable, Iterable
from math import ceil
from typing import Any

from torch import nn

from netwright.errors import InputError
from netwright.inspect.blueprint import PeakMemory
from netwright.inspect.liveness import Moment
from netwright.inspect.measure import weights_bytes
from netwright.inspect.operators import Operator
from netwright.inspect.tensors import tensors_in

# optimizer: numbers of state that it keeps for each trainable parameter, in the parameter's own type
STATE = {"adamw": 2, "adam": 2, "momentum": 1, "sgd": 0}
# AdamW with two bytes a parameter and two scales (fp32) a block of 256, as bitsandbytes keeps it (arXiv 2110.02861);
# parameters of fewer than 4096 numbers keep theirs in fp32.
EIGHT_BIT, BLOCK, LEAST = "adamw8bit", 256, 4096

HOW = (
    "followed on tensors, from the operator that made each to its last reader; kernels' workspace by oneDNN's formulas"
)


def check_optimizer(name: str) -> None:
    """InputError where the state of this optimizer is unknown."""
    if name not in (*STATE, EIGHT_BIT):
        known = ", ".join((*STATE, EIGHT_BIT))
        raise InputError(f"the state of {name!r} is unknown", where="optimizer", fix=f"choose of {known}")


def state_bytes(sizes: Iterable[tuple[int, int]], optimizer: str) -> int:
    """The optimizer's state for trainable parameters of so many numbers, of so many bytes each."""
    if optimizer != EIGHT_BIT:
        return STATE[optimizer] * sum(numbers * size for numbers, size in sizes)
    return sum(2 * (n + 4 * ceil(n / BLOCK)) if n >= LEAST else 8 * n for n, _ in sizes)


def peak_memory(
    module: nn.Module, inputs: Any, seen: Moment, optimizer: str | None, name: Callable[[int], str]
) -> PeakMemory:
    """The peak of a forward, or of a training step once the optimizer has its state."""
    given = {id(tensor): tensor for tensor in tensors_in(inputs)}
    held = {
        "weights": weights_bytes(module),
        "inputs": sum(tensor.numel() * tensor.element_size() for tensor in given.values()),
    }
    when = seen.phase
    row = seen.row
    moving = dict(seen.by)
    if optimizer is not None:
        sizes = [(p.numel(), p.element_size()) for p in module.parameters() if p.requires_grad]
        trainable = sum(numbers * size for numbers, size in sizes)
        held["optimizer"] = state_bytes(sizes, optimizer)
        if trainable > seen.bytes:  # all gradients and nothing else: the moment of the optimizer's step
            moving, when, row = {"gradients": trainable}, "optimizer step", None
    by = {name: size for name, size in {**held, **moving}.items() if size}
    return PeakMemory(sum(by.values()), by, when, name(row) if row is not None else "", HOW)


def steps(module: nn.Module, optimizer: str) -> list[Operator]:
    """The optimizer's step as work: it reads weight, gradient and state, and writes weight and state."""
    sizes: dict[str, list[tuple[int, int]]] = {}
    for parameter in module.parameters():
        if parameter.requires_grad:
            kind = str(parameter.dtype).removeprefix("torch.")
            sizes.setdefault(kind, []).append((parameter.numel(), parameter.element_size()))
    return [
        Operator(
            0, optimizer, "memory", "optimizer step", kind, 0,
            3 * sum(numbers * size for numbers, size in own) + 2 * state_bytes(own, optimizer),
        )
        for kind, own in sizes.items()
    ]  # fmt: skip
