"""Positions of the tokens in a sequence, added to them: slot kind `position`."""

import math

import torch
from torch import Tensor, nn
from torch.nn import Identity

__all__ = ["Identity", "Learned", "Sinusoidal"]


class Learned(nn.Module):
    """A learned vector for each position: y_n = x_n + p_n, for sequences up to `max_length`.

    Shapes: (B, N, D) → (B, N, D), N ≤ max_length.
    Source: Gehring et al. 2017, Convolutional sequence to sequence learning, arXiv:1705.03122.
    """

    def __init__(self, max_length: int, dim: int):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(max_length, dim) * 0.02)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[1] > len(self.weight):
            raise ValueError(f"{x.shape[1]} tokens, but positions for {len(self.weight)} only")
        return x + self.weight[: x.shape[1]]


class Sinusoidal(nn.Module):
    """Fixed waves: y_n = x_n + (sin ω₀n, cos ω₀n, sin ω₁n, …), ω_i = 10000^(−2i/D). Nothing to learn.

    The waves are made in each forward, so that sequences of any length work; `max_length` sets no limit.

    Shapes: (B, N, D) → (B, N, D).
    Source: Vaswani et al. 2017, Attention is all you need, arXiv:1706.03762.
    """

    def __init__(self, max_length: int, dim: int):
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        N, D = x.shape[1:]
        n = torch.arange(N, device=x.device, dtype=torch.float32)
        channel = torch.arange(0, D, 2, device=x.device, dtype=torch.float32)
        angle = n[:, None] * torch.exp(channel * (-math.log(1e4) / D))  # (N, ⌈D/2⌉)
        waves = torch.stack([angle.sin(), angle.cos()], -1).flatten(1)[:, :D]
        return x + waves.to(x.dtype)
