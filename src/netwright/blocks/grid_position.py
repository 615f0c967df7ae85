"""Positions on a grid of patches, learned or fixed, which follow the image's size."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from netwright.blocks.waves import waves

__all__ = ["GridPosition", "SinusoidalGrid", "grid_waves"]


class GridPosition(nn.Module):
    """A learned vector for each cell of a grid, added to its token.

    On a grid of another size the vectors are interpolated (bicubic, with antialiasing). The first `prefix`
    tokens (a class token) stand outside the grid and have vectors of their own.

    Shapes: x (B, prefix + h·w, D) and its grid (h, w) → the same shape.
    Source: Dosovitskiy et al. 2020, An image is worth 16x16 words, arXiv:2010.11929 (§3.2 on interpolation).
    """

    def __init__(self, grid: tuple[int, int], dim: int, prefix: int = 0):
        super().__init__()
        self.grid, self.prefix = tuple(grid), prefix
        self.weight = nn.Parameter(torch.randn(prefix + grid[0] * grid[1], dim) * 0.02)

    def forward(self, x: Tensor, grid: tuple[int, int]) -> Tensor:
        if tuple(grid) == self.grid:
            return x + self.weight
        outside, cells = self.weight[: self.prefix], self.weight[self.prefix :]
        cells = cells.float().T.reshape(1, -1, *self.grid)
        cells = F.interpolate(cells, size=grid, mode="bicubic", antialias=True)
        cells = cells.flatten(2)[0].T.to(x.dtype)  # (h·w, D)
        return x + torch.cat([outside, cells])


class SinusoidalGrid(nn.Module):
    """Fixed waves for each cell of a grid (`grid_waves`), added to its token. Nothing to learn, any size.

    The first `prefix` tokens (a class token) stay as they are. It takes the place of a `GridPosition`.

    Shapes: x (B, prefix + h·w, D) and its grid (h, w) → the same shape.
    Source: He et al. 2021, Masked autoencoders are scalable vision learners, arXiv:2111.06377.
    """

    def __init__(self, grid: tuple[int, int], dim: int, prefix: int = 0):
        super().__init__()
        self.prefix = prefix

    def forward(self, x: Tensor, grid: tuple[int, int]) -> Tensor:
        cells = grid_waves(grid, x.shape[-1], x.device).to(x.dtype)
        return x + F.pad(cells, (0, 0, self.prefix, 0))


def grid_waves(grid: tuple[int, int], dim: int, device: torch.device | None = None) -> Tensor:
    """sin, cos of the column and sin, cos of the row, a quarter of the channels each, ω_i = 10000^(−4i/D).

    Columns before rows is the order of the authors' weights of MAE. Shapes: (h, w) → (h·w, D).
    """
    if dim % 4:
        raise ValueError(f"dim must be a multiple of 4, a sine and a cosine for two axes, got {dim}")
    h, w = grid
    row = waves(torch.arange(h, device=device, dtype=torch.float32), dim // 4, 1e4).repeat_interleave(w, 0)
    column = waves(torch.arange(w, device=device, dtype=torch.float32), dim // 4, 1e4).repeat(h, 1)
    return torch.cat([column.sin(), column.cos(), row.sin(), row.cos()], 1)
