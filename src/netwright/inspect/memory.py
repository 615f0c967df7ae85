"""Peak memory of a forward or of a training step, from what was seen alive at once."""

from collections.abc import Callable
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

HOW = (
    "followed on tensors, from the operator that made each to its last reader; kernels' workspace by oneDNN's formulas"
)


def check_optimizer(name: str) -> None:
    """InputError where the state of this optimizer is unknown."""
    if name not in STATE:
        raise InputError(f"the state of {name!r} is unknown", where="optimizer", fix=f"choose of {', '.join(STATE)}")


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
        trainable = sum(p.numel() * p.element_size() for p in module.parameters() if p.requires_grad)
        held["optimizer"] = STATE[optimizer] * trainable
        if trainable > seen.bytes:  # all gradients and nothing else: the moment of the optimizer's step
            moving, when, row = {"gradients": trainable}, "optimizer step", None
    by = {name: size for name, size in {**held, **moving}.items() if size}
    return PeakMemory(sum(by.values()), by, when, name(row) if row is not None else "", HOW)


def steps(module: nn.Module, optimizer: str) -> list[Operator]:
    """The optimizer's step as work: it reads weight, gradient and state, and writes weight and state."""
    sizes: dict[str, int] = {}
    for parameter in module.parameters():
        if parameter.requires_grad:
            kind = str(parameter.dtype).removeprefix("torch.")
            sizes[kind] = sizes.get(kind, 0) + parameter.numel() * parameter.element_size()
    moves = 3 + 2 * STATE[optimizer]
    return [Operator(0, optimizer, "memory", "optimizer step", kind, 0, moves * size) for kind, size in sizes.items()]
