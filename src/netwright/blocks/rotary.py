"""Positions inside attention, as rotations of queries and keys: slot kind `rotary`."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import Identity

from netwright.blocks.waves import waves

__all__ = ["Identity", "RoPE", "RoPE2D"]


class RoPE(nn.Module):
    """Turn each pair of channels by an angle that grows with the position n: n · base^(−2i/d) for pair i.

    The product of a query and a key then depends on their distance alone. Channel i and channel i + d/2 are a
    pair, which is the fast form.

    Shapes: (B, heads, N, d) → (B, heads, N, d).
    Source: Su et al. 2021, RoFormer: enhanced transformer with rotary position embedding, arXiv:2104.09864.
    """

    def __init__(self, dim: int, base: float = 10_000.0):
        super().__init__()
        if dim % 2:
            raise ValueError(f"the width of a head must be even to be turned in pairs, got {dim}")
        self.base = base

    def forward(self, x: Tensor) -> Tensor:
        n = torch.arange(x.shape[-2], device=x.device, dtype=torch.float32)
        return turn(x, waves(n, x.shape[-1] // 2, self.base))


class RoPE2D(nn.Module):
    """Half of the pairs turn with the row of a token on a grid, the other half with its column.

    The product of a query and a key depends on the offset of their cells alone. The first `prefix` tokens (a
    class token) stay as they are; the others are a grid of `columns` columns, row by row, or, where that is
    None, a square.

    Shapes: (B, heads, prefix + h·w, d) → the same shape.
    Source: Heo et al. 2024, Rotary position embedding for vision transformer (axial frequencies, base 100),
    arXiv:2403.13298.
    """

    def __init__(self, dim: int, prefix: int = 1, columns: int | None = None, base: float = 100.0):
        super().__init__()
        if dim % 4:
            raise ValueError(f"the width of a head must be a multiple of 4, two pairs for two axes, got {dim}")
        self.prefix, self.columns, self.base = prefix, columns, base

    def forward(self, x: Tensor) -> Tensor:
        N, d = x.shape[-2:]
        cells = N - self.prefix
        side = round(max(cells, 0) ** 0.5)
        columns = self.columns or max(1, side)
        if cells % columns or (self.columns is None and side**2 != cells):
            shape = "a square" if self.columns is None else f"rows of {columns}"
            raise ValueError(f"{cells} tokens behind {self.prefix} are not {shape}: give `columns` and `prefix`")
        row = torch.arange(cells // columns, device=x.device, dtype=torch.float32)
        column = torch.arange(columns, device=x.device, dtype=torch.float32)
        rows = waves(row, d // 4, self.base).repeat_interleave(columns, 0)
        angle = torch.cat([rows, waves(column, d // 4, self.base).repeat(len(row), 1)], 1)  # (cells, d / 2)
        return turn(x, F.pad(angle, (0, 0, self.prefix, 0)))


def turn(x: Tensor, angle: Tensor) -> Tensor:
    """Each pair (xᵢ, xᵢ₊d/2) turned by its angle: x (…, N, d), angle (N, d/2) → (…, N, d)."""
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)
