"""Elementwise activations, called without arguments: slot kind `activation`."""

from torch import nn
from torch.nn import (
    ELU,
    GELU,
    SELU,
    Hardsigmoid,
    Hardswish,
    Identity,
    LeakyReLU,
    Mish,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Tanh,
)

__all__ = [
    "ELU",
    "GELU",
    "SELU",
    "Hardsigmoid",
    "Hardswish",
    "Identity",
    "LeakyReLU",
    "Mish",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Tanh",
]


def in_place(activation: nn.Module, norm: nn.Module | None = None) -> nn.Module:
    """The activation, told to overwrite its input where it can: for a map that nothing else reads.

    That is what a convolution or a sum has just made. What a norm gives is new as well, whatever it read, unless it is
    `Identity`: where others read that too, `norm` must be told.
    """
    if hasattr(activation, "inplace") and not isinstance(norm, Identity):
        activation.inplace = True  # type: ignore[assignment]
    return activation
