"""Relative positions in a window, as a bias of the attention scores."""

import torch
from torch import Tensor, nn


class RelativeBias(nn.Module):
    """A learned number for each head and each offset between two cells of a w × w window: B_ij = table[i − j].

    Row (Δy + w − 1) · (2w − 1) + Δx + w − 1 of the table belongs to the offset (Δy, Δx) of a query from its key.

    Shapes: → (H, w², w²), queries before keys, cells row by row.
    Source: Liu et al. 2021, Swin transformer, arXiv:2103.14030, equation 4.
    """

    def __init__(self, num_heads: int, window_size: int):
        super().__init__()
        self.window_size = window_size
        self.table = nn.Parameter(torch.randn((2 * window_size - 1) ** 2, num_heads) * 0.02)

    def forward(self) -> Tensor:
        w = self.window_size
        table = self.table.view(2 * w - 1, 2 * w - 1, -1)
        # The offsets of a query from all keys are a w × w patch of the table, read backwards: no index, a view.
        bias = table.unfold(0, w, 1).unfold(1, w, 1).flip(3, 4)  # (w, w, H, w, w): query, head, key
        return bias.permute(2, 0, 1, 3, 4).reshape(-1, w * w, w * w)

    def extra_repr(self) -> str:
        return f"window_size={self.window_size}, num_heads={self.table.shape[1]}"
