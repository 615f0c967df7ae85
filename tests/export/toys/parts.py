"""Blocks of the toy family."""

import math

from torch import Tensor, nn
from torch.nn import GELU, Identity, LayerNorm

from netwright.blocks.slots import Activation, Norm, Scale

SLOPE = 0.5  # of nothing in particular


def round_up(value: float, multiple: int = 4) -> int:
    """The next multiple."""
    return int(math.ceil(value / multiple) * multiple)


class Stem(nn.Module):
    """The first layer. Shapes: (B, A) → (B, D)."""

    def __init__(self, in_dim: int, dim: int):
        super().__init__()
        self.linear = nn.Linear(in_dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x) * SLOPE


class Cell(nn.Module):
    """One layer of the toy. Shapes: (B, D) → (B, D)."""

    def __init__(
        self,
        dim: int,
        ratio: float = 2.0,  # of the hidden width
        activation: Activation = GELU,
        norm: Norm | None = LayerNorm,
        scale: Scale = Identity,
        gate: Activation | None = None,
    ):
        super().__init__()
        # The hidden width is a multiple of 4.
        hidden = round_up(dim * ratio)
        if hidden < 1:
            raise ValueError(f"the hidden width is {hidden}, from dim={dim} and at least {SLOPE}")
        self.hidden = hidden
        if norm is not None:
            # with a norm
            self.norm = norm(dim)
        else:
            self.norm = Identity()
        self.first = nn.Linear(dim, hidden)
        self.act = activation()
        self.gate = gate() if gate is not None else None
        self.second = nn.Linear(hidden, dim)
        self.scale = scale(dim)

    def forward(self, x: Tensor) -> Tensor:
        y = self.act(self.first(self.norm(x)))
        if self.gate is not None:
            # weigh it
            y = y * self.gate(y)
        return x + self.scale(self.second(y))

    def describe(self) -> str:
        """Not called by anything."""
        return f"{self.hidden} hidden"

    def extra_repr(self) -> str:
        return f"hidden={self.hidden}"


class Unused(nn.Module):
    """Only for tables with more than a hundred columns."""

    def __init__(self, dim: int):
        super().__init__()
        self.linear = nn.Linear(dim, dim)
