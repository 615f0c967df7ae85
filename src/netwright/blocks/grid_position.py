"""Learned positions on a grid of patches, which follow the image's size."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


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
